"""The process that warm kernels are forked from: the stack imported once, and not one thread."""

from __future__ import annotations

import atexit
import ctypes
import gc
import importlib
import json
import os
import pkgutil
import resource
import selectors
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cxlib

STACK = (
    "numpy",
    "pandas",
    "pyarrow.parquet",
    "duckdb",
    "ibis.backends.duckdb",
    "scipy.stats",
    "sklearn.cluster",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_svg",
    "seaborn",
    "lifelines",
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.debugger",
    "sqlite3",
)
# not matplotlib_inline.backend_inline: it hooks itself into the IPython that runs when it is
# imported, so each kernel must import it itself
PACKAGES = "cxlib"  # beside the stack: the packages of cxlib that notebooks use
FOR_NOTEBOOKS = ("data", "journeys", "churn", "gaps")
INLINE = "module://matplotlib_inline.backend_inline"  # what a kernel sets for itself
READ_EARLY = ("PYTHON", "LD_", "MPL", "MATPLOTLIB")  # a kernel with other values starts cold
PATIENCE_SECONDS = 30.0
_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG


@dataclass(frozen=True)
class Request:
    """What a client wants to be run, and the connection that lives as long as the kernel."""

    connection: socket.socket
    arguments: list[str]
    environment: dict[str, str]
    folder: str
    limits: list[tuple[int, list[int]]]
    streams: list[int]


@dataclass(frozen=True)
class _Child:
    pid: int
    ended: int  # a descriptor that becomes readable when it ends
    connection: socket.socket

    def tell_end(self) -> None:
        """Send the exit code; the process stays a zombie, so that nobody gets its number."""
        found = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        assert found is not None
        exited = found.si_code == os.CLD_EXITED
        code = found.si_status if exited else -found.si_status
        with suppress(OSError):
            self.connection.sendall(f"ended {code}\n".encode())

    def end(self) -> None:
        """Kill the kernel, unless it has ended, with all it started, and reap it."""
        with suppress(ProcessLookupError):  # not yet the leader of its group, or the last of it
            os.killpg(self.pid, signal.SIGKILL)  # unreaped, it keeps the number of the group
        if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.close()

    def close(self) -> None:
        """Let go of what belongs to the server."""
        os.close(self.ended)
        self.connection.close()


def main() -> None:
    """Import, prove that forks work, then serve until the process that started this has ended.

    The command line names the descriptor of the listening socket, its folder, and ``cxlib`` when
    its packages are to be imported as well.
    """
    descriptor, folder, *also = sys.argv[1:]
    server, parent = os.getpid(), os.getppid()
    atexit.register(_leave)
    os.environ.setdefault("MPLBACKEND", INLINE)
    early = _read_early(os.environ)
    try:
        preload(PACKAGES in also)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if not forks_work():
            sys.exit("kernels cannot be forked here")
        with socket.socket(fileno=int(descriptor)) as listener:
            request = serve(listener, parent, early)
    finally:
        if os.getpid() == server:  # a fork leaves this block as well
            shutil.rmtree(folder, ignore_errors=True)
    if request is not None:
        run_kernel(request)


def _leave() -> None:
    """Skip the teardown of modules; registered first, this runs last of all that is registered."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(0)


def _read_early(environment: Mapping[str, str]) -> dict[str, str]:
    """Select what is read when Python starts or a module is imported."""
    found = {name: text for name, text in environment.items() if name.startswith(READ_EARLY)}
    return {"MPLBACKEND": INLINE} | found


def preload(with_packages: bool) -> None:
    """Import what kernels need, and check that no thread runs: a fork would lose it.

    Parameters
    ----------
    with_packages : bool
        Whether the packages of ``cxlib`` are imported too.
    """
    gc.disable()
    names = list(STACK)
    if with_packages:
        found = pkgutil.walk_packages(cxlib.__path__, "cxlib.", onerror=lambda name: None)
        inner = [name for _, name, _ in found if name.split(".")[1] in FOR_NOTEBOOKS]
        names += ["cxlib.show", "cxlib.style", *inner]  # the rest is of no use to a notebook
    for name in names:
        with suppress(Exception):  # the notebook that needs it tells what is wrong
            importlib.import_module(name)
    import duckdb

    duckdb.default_connection().close()  # opened by the import, with a pool of threads
    threads = len(os.listdir("/proc/self/task"))  # those of C libraries too
    if threads > 1 or threading.active_count() > 1:
        sys.exit(f"{threads} threads run after the imports")
    gc.enable()
    gc.collect()
    gc.freeze()  # what is here stays shared: the collector of a kernel does not write to it


def forks_work() -> bool:
    """Try every library that might not survive a fork, in a fork.

    Returns
    -------
    bool
        Whether the fork did its work and ended well, in time.
    """
    pid = os.fork()
    if pid == 0:
        try:
            _rehearse()
        except BaseException:
            os._exit(1)
        os._exit(0)
    limit = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < limit:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return status == 0
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return False


def _rehearse() -> None:
    import duckdb
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    values = np.random.default_rng(0).random((64, 64))
    np.linalg.inv(values @ values)
    frame = pd.DataFrame(values, columns=[f"c{i}" for i in range(64)])
    content = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pandas(frame), content)
    frame = pq.read_table(pa.BufferReader(content.getvalue())).to_pandas()
    with duckdb.connect() as con:
        con.execute("SELECT i % 7 AS k, sum(i) FROM range(1_000_000) t(i) GROUP BY k").fetchall()


def serve(listener: socket.socket, parent: int, early: dict[str, str]) -> Request | None:
    """Fork a kernel for every request.

    Parameters
    ----------
    listener : socket.socket
        Where clients connect. A connection lives as long as its kernel: the kernel says when it
        is up, the server says how it ended, and a client that is gone takes its kernel with it.
    parent : int
        The process this one serves.
    early : dict of str to str
        Environment variables that were read by the imports; a kernel with others is refused.

    Returns
    -------
    Request or None
        In a fork, what to run; in the server, None when the parent has ended or closed the pipe.
    """
    children: list[_Child] = []
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(sys.stdin.fileno(), selectors.EVENT_READ, "pipe")
        while os.getppid() == parent:
            for key, _ in selector.select(timeout=1.0):
                child = key.data
                if child == "pipe":
                    _end_all(children)
                    return None
                if child is None:
                    request = _fork(listener, selector, children, early)
                    if request is not None:
                        return request
                elif child not in children:
                    continue  # let go of a moment ago
                elif key.fd == child.ended:
                    selector.unregister(child.ended)
                    child.tell_end()
                else:  # its client is gone, or has heard how it ended
                    with suppress(KeyError):
                        selector.unregister(child.ended)
                    selector.unregister(child.connection)
                    children.remove(child)
                    child.end()
    _end_all(children)
    return None


def _end_all(children: list[_Child]) -> None:
    for child in children:
        child.end()


def _fork(
    listener: socket.socket,
    selector: selectors.BaseSelector,
    children: list[_Child],
    early: dict[str, str],
) -> Request | None:
    """Read one request and fork; only the fork gets it back."""
    server, pid = os.getpid(), 0
    connection, _ = listener.accept()
    request = child = None
    try:
        request = _read(connection)
        if _read_early(request.environment) == early:
            pid = os.fork()
            if pid == 0:
                os.setsid()
                ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
                if os.getppid() != server:
                    os._exit(1)
                for sibling in children:
                    sibling.close()
                return request
            child = _Child(pid, os.pidfd_open(pid), connection)
    except (OSError, ValueError, TypeError):  # a client that gave up, no room for another process
        if os.getpid() != server:
            os._exit(1)
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    for stream in request.streams if request else ():
        os.close(stream)
    if child is None:
        connection.close()  # the client starts its kernel as usual
        return None
    children.append(child)
    selector.register(child.ended, selectors.EVENT_READ, child)
    selector.register(connection, selectors.EVENT_READ, child)
    return None


def _read(connection: socket.socket) -> Request:
    connection.settimeout(PATIENCE_SECONDS)
    _, streams, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile("rb") as file:
        wanted: dict[str, Any] = json.loads(file.readline())
    return Request(connection, streams=streams, **wanted)


def run_kernel(request: Request) -> None:
    """Become the kernel, as if started afresh in the client's surroundings.

    Parameters
    ----------
    request : Request
        What the client wants.
    """
    import numpy as np
    from ipykernel.kernelapp import IPKernelApp

    signal.signal(signal.SIGINT, signal.default_int_handler)
    for stream, target in zip(request.streams, (0, 1, 2), strict=True):
        os.dup2(stream, target)
        os.close(stream)
    os.environ.clear()
    os.environ.update(request.environment)
    time.tzset()
    os.chdir(request.folder)
    for kind, (soft, hard) in request.limits:
        resource.setrlimit(kind, (soft, hard))
    np.random.seed()  # Python's own generator seeds itself in a fork
    sys.argv[:] = [str(Path(sys.prefix) / "ipykernel_launcher.py"), *request.arguments]
    kernel = IPKernelApp.instance(parent_handle=os.getppid())
    kernel.initialize(request.arguments)
    request.connection.sendall(f"up {os.getpid()}\n".encode())
    request.connection.close()
    kernel.start()
