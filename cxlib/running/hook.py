"""The command that passes a finished batch on, such as one that sends the mail."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

HOOK_SECONDS = 300.0


def run_hook(command: Sequence[str], out: Path, *, folder: Path, code: int = 0) -> str:
    """Run the command that passes a finished batch on, such as one that sends the mail.

    Parameters
    ----------
    command : sequence of str
        Program and arguments; no shell reads them.
    out : pathlib.Path
        Folder of the batch. The command finds it as ``CX_OUT``, ``summary.json`` as
        ``CX_SUMMARY``.
    folder : pathlib.Path
        Where it is started.
    code : int, default 0
        Exit code of the batch, which it finds as ``CX_EXIT``.

    Returns
    -------
    str
        What went wrong; empty when nothing did. The batch is not the worse for it.
    """
    out = out.resolve()
    told = {"CX_OUT": str(out), "CX_SUMMARY": str(out / "summary.json"), "CX_EXIT": str(code)}
    name = f"The command of 'on_finish' ({command[0]})"
    try:
        with subprocess.Popen(
            command,
            env=os.environ | told,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            try:
                code = process.wait(HOOK_SECONDS)
            except BaseException as error:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # and what it started
                if not isinstance(error, subprocess.TimeoutExpired):
                    raise
                return f"{name} took longer than {HOOK_SECONDS:g} seconds and was ended."
    except (OSError, ValueError) as error:
        return f"{name} could not be started: {error}."
    return f"{name} failed with exit code {code}." if code else ""
