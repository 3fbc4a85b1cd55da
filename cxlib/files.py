"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a place to write to, which becomes the file when everything is written.

    Parameters
    ----------
    path : pathlib.Path
        The file wanted; its folder exists.

    Yields
    ------
    pathlib.Path
        A name beside it. It is renamed at the end, or removed when the writing fails.
    """
    part = path.with_name(f".{path.name}-{uuid.uuid4().hex[:8]}.part")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
