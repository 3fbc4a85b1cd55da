"""Names of runs and of their folders, made of whatever the data and the manifest hold."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

_SAID = {"group_by": "by", "segment_by": "by", "period_start": "from", "period_end": "to"}


def name_folder(notebook: str, changed: Mapping[str, Any]) -> str:
    """Name the folder of a run.

    Parameters
    ----------
    notebook : str
        Name of the notebook.
    changed : mapping of str to object
        The parameters that differ from its defaults.

    Returns
    -------
    str
        No value can lead out of the folder of all runs, or to the folder of other values.
    """
    if not changed:
        return notebook
    text = "_".join(f"{key}-{value}" for key, value in changed.items())
    plain = re.sub(r"[^a-zA-Z0-9_.-]+", "-", text).strip("-.")
    # two parameter sets never share a folder: a value may imitate the name of another parameter
    imitates = "_" if len(changed) > 1 else "_.*-"
    alike = any(re.search(imitates, str(value)) for value in changed.values())
    if plain != text or alike or len(plain) > 80:
        plain = f"{plain[:70]}-{hash_values(changed)}"
    return f"{notebook}__{plain}"


def hash_values(changed: Mapping[str, Any]) -> str:
    """Shorten values to what tells them from others.

    Parameters
    ----------
    changed : mapping of str to object
        Values by name.

    Returns
    -------
    str
        Six letters.
    """
    return hashlib.sha256(json.dumps(dict(changed)).encode()).hexdigest()[:6]


def write_value(value: Any) -> str:
    """Write a value into a name that is read.

    Parameters
    ----------
    value : object
        A typed value.

    Returns
    -------
    str
        One line of printable text; the items of a list are joined by commas.
    """
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def name_set(title: str, changed: Mapping[str, Any]) -> str:
    """Name a run by what is special about it.

    Parameters
    ----------
    title : str
        Heading of its notebook.
    changed : mapping of str to object
        The parameters that differ from the defaults.

    Returns
    -------
    str
        One line.
    """
    said = []
    for name, value in changed.items():
        by = changed.get("segment_by")
        if name == "segment" and by:
            name = f"{by} ="
        elif name == "segment_by" and changed.get("segment"):
            continue
        said.append(f"{_SAID.get(name, name.replace('_', ' '))} {write_value(value)}")
    return f"{title}: {', '.join(said)}" if said else title
