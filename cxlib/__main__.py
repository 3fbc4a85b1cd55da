"""Run ``cx``; errors meant for the user are printed plainly."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType


def main() -> None:
    """Run the command line and exit with its code."""
    _prepare_streams()
    from cxlib.cli import app
    from cxlib.errors import CxError, RunError

    signal.signal(signal.SIGTERM, _stop)
    try:
        code = app(standalone_mode=False)
    except CxError as error:
        print(f"cx: {error}", file=sys.stderr)
        code = 1 if isinstance(error, RunError) else 2
    except KeyboardInterrupt:
        print("cx: stopped", file=sys.stderr)
        code = 130
    except Exception as error:
        code = _report(error)
    sys.exit(code or 0)


def _prepare_streams() -> None:
    """Let nothing that is printed end a batch: a closed stream, a letter the terminal lacks."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
        else:
            stream.reconfigure(errors="replace")


def _stop(number: int, frame: FrameType | None) -> None:
    """End as with Ctrl-C, so that no kernel is left behind."""
    raise KeyboardInterrupt


def _report(error: Exception) -> int:
    """Print a command-line mistake, or an unexpected error without its traceback."""
    show = getattr(error, "show", None)
    if show is not None:  # a usage error of the command line
        show()
        return int(getattr(error, "exit_code", 2))
    if os.environ.get("CX_DEBUG"):
        raise error
    print(
        f"cx: unexpected {type(error).__name__}: {error}\n"
        "  fix:   set CX_DEBUG=1 to see where, and report it",
        file=sys.stderr,
    )
    return 2


if __name__ == "__main__":
    main()
