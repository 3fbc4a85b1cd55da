"""What is installed here: versions, the commit, and hashes of all that a page is made with."""

from __future__ import annotations

import functools
import hashlib
import json
import platform
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parent
_GIT_SECONDS = 10


def versions() -> dict[str, str]:
    """Return the versions a result depends on.

    Returns
    -------
    dict of str to str
        By package name.
    """
    from importlib.metadata import version

    names = ("cxlib", "pandas", "numpy", "scipy", "scikit-learn", "ibis-framework", "duckdb")
    return {name: version(name) for name in names}


@functools.cache
def describe_code(root: Path = _PACKAGE.parent) -> str:
    """Name the version of cxlib, and in a checkout the commit and whether files differ from it.

    Parameters
    ----------
    root : pathlib.Path
        Folder that holds the package.

    Returns
    -------
    str
        Such as ``"0.1.0 (commit 1a2b3c4d5e6f, with changes)"``; the version alone when `root` is
        no checkout or git is not there.
    """
    from importlib.metadata import version

    name = version("cxlib")
    if not (root / ".git").exists():
        return name
    try:
        commit = _git(root, "rev-parse", "--short=12", "HEAD")
        changed = _git(root, "status", "--porcelain", "--", "cxlib", "notebooks", "pyproject.toml")
    except (OSError, subprocess.SubprocessError):
        return name
    return f"{name} (commit {commit}{', with changes' if changed else ''})"


def _git(root: Path, *words: str) -> str:
    command = ["git", "--no-optional-locks", "-C", str(root), *words]
    done = subprocess.run(command, capture_output=True, check=True, timeout=_GIT_SECONDS)
    return done.stdout.decode().strip()


@functools.cache
def hash_installation() -> dict[str, str]:
    """Hash what all runs of this machine share.

    Returns
    -------
    dict of str to str
        ``cxlib`` (version and source), ``libraries`` (versions of Python and of all that cxlib
        requires) and ``templates``.
    """
    from importlib.metadata import PackageNotFoundError, requires, version

    versions = {"python": platform.python_version()}
    for text in requires("cxlib") or []:
        name = re.split(r"[^\w.-]", text, maxsplit=1)[0]
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue  # of an extra that is not installed
    return {
        "cxlib": hash_content([version("cxlib"), _hash_files(_PACKAGE.rglob("*.py"))]),
        "libraries": hash_content(versions),
        "templates": _hash_files((_PACKAGE / "publishing" / "templates").iterdir()),
    }


def _hash_files(paths: Iterable[Path]) -> str:
    files = sorted(path for path in paths if path.is_file())
    return hash_content(
        [[path.name, hashlib.sha256(path.read_bytes()).hexdigest()] for path in files]
    )


def hash_content(content: Any) -> str:
    """Hash plain values.

    Parameters
    ----------
    content : object
        What JSON can hold.

    Returns
    -------
    str
        Sixteen hexadecimal digits.
    """
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
