"""Folders of runs: made out of sight, put in place at once, cleared when a runner was killed."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cxlib.errors import InputError

try:
    import fcntl
except ImportError:  # no such locks on Windows
    fcntl = None  # type: ignore[assignment]

SCRATCH = ".cx"
_RUN, _OLD = "run-", "old-"


@contextmanager
def work_folder(out: Path) -> Iterator[Path]:
    """Give a folder to work in, which is known to be in use as long as this process lives.

    Parameters
    ----------
    out : pathlib.Path
        Folder of all runs.

    Yields
    ------
    pathlib.Path
        Out of sight in ``out``; gone at the end, unless :func:`put_folder` gave it a place.
    """
    while True:
        work = Path(tempfile.mkdtemp(dir=_scratch(out), prefix=_RUN))
        with suppress(FileNotFoundError):
            held = os.open(work, os.O_RDONLY)
            if _lock(held) is not False and work.exists():
                break
            os.close(held)  # cleared before it was held: once more
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        os.close(held)


def put_folder(work: Path, folder: Path) -> None:
    """Put a finished run in its place; of two runs that end together, the later one stays.

    Parameters
    ----------
    work : pathlib.Path
        From :func:`work_folder` of the parent of ``folder``.
    folder : pathlib.Path
        Its place. What was there goes.

    Raises
    ------
    OSError
        When it cannot be put there; what was there is there still.
    """
    work.chmod(0o755)
    for _ in range(10):
        old = Path(tempfile.mkdtemp(dir=_scratch(folder.parent), prefix=_OLD))
        try:
            if folder.exists():
                os.replace(folder, old / folder.name)
            os.rename(work, folder)
            return
        except FileNotFoundError:
            continue  # another run moved the old folder first
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                _put_back(old, folder.parent)
                raise
        finally:
            shutil.rmtree(old, ignore_errors=True)
    raise OSError(errno.EBUSY, "other runs keep writing there")


def clear_leftovers(out: Path) -> None:
    """Remove what killed runners left, and put back what one was about to replace.

    Parameters
    ----------
    out : pathlib.Path
        Folder of all runs.
    """
    for path in (out / SCRATCH).glob(f"{_OLD}*"):
        _put_back(path, out)
        shutil.rmtree(path, ignore_errors=True)
    for path in (out / SCRATCH).glob(f"{_RUN}*"):
        held = os.open(path, os.O_RDONLY)
        if _lock(held):
            shutil.rmtree(path, ignore_errors=True)
        os.close(held)
    for folder in (out, out / SCRATCH):
        for path in folder.glob(".*-????????.part"):  # of whole_file
            path.unlink(missing_ok=True)


def _put_back(old: Path, out: Path) -> None:
    for folder in old.iterdir():
        if not (out / folder.name).exists():
            os.replace(folder, out / folder.name)


@contextmanager
def lock_folder(out: Path) -> Iterator[None]:
    """Keep other batches out of a folder; the system lets go when this process ends or is killed.

    Parameters
    ----------
    out : pathlib.Path
        Folder of all runs.

    Raises
    ------
    InputError
        When another batch holds it.

    Yields
    ------
    None
        Holding it.

    Notes
    -----
    The lock is ``flock`` on a file. On NFS it holds between machines only where the server keeps
    locks; a file system without locks lets two batches in.
    """
    with (_scratch(out) / "lock").open("a+") as file:
        if _lock(file.fileno()) is False:
            file.seek(0)
            raise InputError(
                "Another batch is running in this folder.",
                f"{out}, {file.read() or 'just started'}",
                "wait until it has ended, or choose another --out",
            )
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        yield


def _scratch(out: Path) -> Path:
    scratch = out / SCRATCH
    scratch.mkdir(parents=True, exist_ok=True)
    return scratch


def _lock(descriptor: int) -> bool | None:
    """Lock a file, or a folder itself: then the lock moves with it and leaves no file in it.

    False when another holds it, None on a system without such locks.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
