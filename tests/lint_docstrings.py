"""Lint the public docstrings of cxlib with numpydoc."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "cxlib"


def main() -> int:
    """Return the linter's exit code."""
    files = [str(path) for path in sorted(PACKAGE.rglob("*.py"))]
    command = [sys.executable, "-m", "numpydoc.hooks.validate_docstrings", *files]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
