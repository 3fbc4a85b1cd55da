"""Codes in place of ids: the same on every page of a workbook, and nobody else's."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from cxlib.errors import InputError
from cxlib.workbook import SAMPLES

if TYPE_CHECKING:
    from cxlib.workbook import Workbook

SALT = ".cx_salt"


def read_salt(book: Workbook) -> bytes:
    """Read the salt of a workbook; the first time, make it.

    Parameters
    ----------
    book : Workbook
        The workbook. Its salt lies beside it as ``.cx_salt``, for its owner alone. The company of
        the samples is fictional and has a salt that everybody knows.

    Returns
    -------
    bytes
        The same ids get the same hash as long as the file is kept.

    Raises
    ------
    InputError
        When it can be neither read nor made.
    """
    from cxlib.workbook import shipped

    if book.folder == shipped("data", SAMPLES).resolve():
        return SAMPLES.encode()
    path = book.folder / SALT
    fix = f"let {book.folder.name or 'the folder'} be written once, or put 64 random letters there"
    try:
        if not path.exists():
            _make_salt(path)
        salt = path.read_bytes().strip()
    except OSError as error:
        raise InputError(f"No salt to hash ids with: {error.strerror}.", str(path), fix) from error
    if len(salt) < 32:
        raise InputError("The salt to hash ids with is too short.", str(path), f"remove it; {fix}")
    return salt


def _make_salt(path: Path) -> None:
    """Write a salt whole; when another run makes one meanwhile, that one stays."""
    part = path.with_name(f"{SALT}-{uuid.uuid4().hex[:8]}.part")
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        part.unlink(missing_ok=True)


def hash_id(value: str, salt: bytes) -> str:
    """Replace an id by a name that is the same on every page and tells nothing.

    Parameters
    ----------
    value : str
        The id.
    salt : bytes
        From :func:`read_salt`.

    Returns
    -------
    str
        Such as ``"id-3fa9c04b1e"``.
    """
    return f"id-{hmac.new(salt, value.encode(), hashlib.sha256).hexdigest()[:10]}"
