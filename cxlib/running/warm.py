"""Warm kernels: forked from a process that has imported the stack, so they start at once."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

if TYPE_CHECKING:
    from jupyter_client.connect import KernelConnectionInfo
    from jupyter_client.manager import KernelManager

NAME = "cx-warm"
SWITCH, ADDRESS = "CX_WARM", "CX_WARM_SERVER"  # environment variables
# more threads than cores only slow a run down, sums in another order repeat no digits, and a
# library that has started threads cannot be forked
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
START_SECONDS = 60.0
_START = (
    "import sys; sys.path[:] = [place for place in sys.path if place]; "
    "from cxlib.running.warm_server import main; main()"
)


class ColdStart(Exception):
    """Why a kernel cannot be forked; it is started as usual instead."""


class WarmServer:
    """A server that this process has started.

    Parameters
    ----------
    *packages : str
        ``"cxlib"`` to have its packages imported as well as the stack.
    """

    def __init__(self, *packages: str) -> None:
        self.folder = tempfile.mkdtemp(prefix="cx-warm-")  # for this user alone
        self.address = f"{self.folder}/server"
        self.stamp = _stamp()
        environment = os.environ | ONE_THREAD
        environment["JE_ARROW_MALLOC_CONF"] = "background_thread:false"
        for name in ("JPY_PARENT_PID", "CX_RUN_DIR"):
            environment.pop(name, None)
        try:
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(self.address)
                listener.listen(64)
                self.process = subprocess.Popen(
                    [sys.executable, "-c", _START, str(listener.fileno()), self.folder, *packages],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=None if os.environ.get("CX_DEBUG") else subprocess.DEVNULL,
                    env=environment,
                    pass_fds=[listener.fileno()],
                    start_new_session=True,
                )
        except OSError:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def stop(self) -> None:
        """End the server with every kernel that still runs."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class ForkedKernel:
    """A kernel that another process has forked, with what is used of ``subprocess.Popen``.

    Parameters
    ----------
    connection : socket.socket
        To the server; closing it ends the kernel.
    pid : int
        Its process number, its own until the connection is closed.
    """

    stdin = stdout = stderr = None

    def __init__(self, connection: socket.socket, pid: int) -> None:
        self.connection, self.pid = connection, pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Ask whether it has ended.

        Returns
        -------
        int or None
            Its exit code, negative for a signal; None while it runs.
        """
        if self.returncode is None:
            with suppress(BlockingIOError, ConnectionError):
                self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
                self.returncode = _read_end(self.connection)
        return self.returncode

    def wait(self) -> int:
        """Wait for its end.

        Returns
        -------
        int
            Its exit code.
        """
        if self.returncode is None:
            self.returncode = _read_end(self.connection)
        self.close()
        return self.returncode

    def close(self) -> None:
        """Let it be reaped; killed first, if it still runs."""
        self.returncode = self.returncode if self.poll() is not None else -signal.SIGKILL
        self.connection.close()

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended.

        Parameters
        ----------
        number : int
            The signal.
        """
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


class WarmProvisioner(LocalProvisioner):
    """Start kernels by forking; whatever stands in the way, start them as usual."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel.

        Parameters
        ----------
        cmd : list of str
            Command of the kernel specification.
        **kwargs : dict
            Settings of its process.

        Returns
        -------
        dict
            How to connect.
        """
        try:
            kernel: Any = await asyncio.to_thread(fork_kernel, cmd, **kwargs)
        except ColdStart as reason:
            self.log.info("The kernel starts cold: %s", reason)
            return await super().launch_kernel(cmd, **kwargs)
        self.process, self.pid, self.pgid = kernel, kernel.pid, kernel.pid
        self.cwd = kwargs.get("cwd") or Path.cwd()
        return self.connection_info

    async def wait(self) -> int | None:
        """Wait for the kernel, asking often: a forked one ends at once.

        Returns
        -------
        int or None
            Its exit code.
        """
        while isinstance(self.process, ForkedKernel) and self.process.poll() is None:
            await asyncio.sleep(0.01)
        return await super().wait()

    async def cleanup(self, restart: bool = False) -> None:
        """Let go of a kernel that has died; nobody waits for that one.

        Parameters
        ----------
        restart : bool, default False
            Whether another follows.
        """
        if isinstance(self.process, ForkedKernel):
            self.process.close()
            self.process = None
        await super().cleanup(restart=restart)


@contextmanager
def warm_kernels(wanted: bool = True) -> Iterator[None]:
    """Keep one server for this process and those it starts.

    Parameters
    ----------
    wanted : bool, default True
        False does nothing, and so does ``CX_WARM=0`` or a system without forks.

    Yields
    ------
    None
        The server imports while the caller goes on; the first kernel waits for it.
    """
    server = None
    if wanted and is_possible() and ADDRESS not in os.environ:
        try:
            server = WarmServer("cxlib")
        except OSError:
            pass  # kernels start cold
        else:
            os.environ[ADDRESS] = server.address
    try:
        yield
    finally:
        if server is not None:
            del os.environ[ADDRESS]
            server.stop()


def is_possible() -> bool:
    """Tell whether kernels can be forked here, and nobody has switched it off.

    Returns
    -------
    bool
        False when ``CX_WARM`` is 0, off Linux, or where the provisioner is not installed.
    """
    return (
        os.environ.get(SWITCH) != "0"
        and sys.platform == "linux"
        and hasattr(os, "pidfd_open")
        and NAME in KernelProvisionerFactory.instance().get_provisioner_entries()
    )


def warm_up(manager: KernelManager) -> None:
    """Make a kernel manager fork its kernel, where that is possible.

    Parameters
    ----------
    manager : KernelManager
        Its kernel has not been started.
    """
    if is_possible() and manager.kernel_spec is not None:
        manager.kernel_spec.metadata["kernel_provisioner"] = {"provisioner_name": NAME}


_own: WarmServer | None = None
_lock = threading.Lock()


def _find_address() -> str:
    """Find the server of this run, or start one for this process."""
    global _own
    if ADDRESS in os.environ:
        return os.environ[ADDRESS]
    with _lock:
        if _own is None:
            _own = WarmServer()
            atexit.register(_own.stop)
        if _own.stamp != _stamp():
            raise ColdStart("packages were installed since the stack was imported")
        return _own.address


def _stamp() -> int:
    """Change with every package that is installed or removed."""
    return os.stat(sysconfig.get_path("purelib")).st_mtime_ns


def fork_kernel(
    cmd: list[str],
    *,
    env: dict[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    stdin: Any = None,
    stdout: Any = None,
    stderr: Any = None,
    **_settings: Any,
) -> ForkedKernel:
    """Have a kernel forked, and wait until it is up.

    Parameters
    ----------
    cmd : list of str
        Command that would start it.
    env : dict of str to str, optional
        Its whole environment; default that of this process.
    cwd : path, optional
        Its working directory; default that of this process.
    stdin, stdout, stderr : int or file, optional
        Its streams, as ``subprocess`` takes them.
    **_settings : dict
        Of no concern to a fork.

    Returns
    -------
    ForkedKernel
        The running kernel.

    Raises
    ------
    ColdStart
        When it cannot be forked.
    """
    import resource

    if not is_possible():
        raise ColdStart("switched off, or not possible on this system")
    if cmd[:3] != [sys.executable, "-m", "ipykernel_launcher"]:
        raise ColdStart("another Python, or another kernel")
    if subprocess.PIPE in (stdin, stdout, stderr):
        raise ColdStart("its streams are read by this process")
    kinds = {getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")}
    request = {
        "arguments": cmd[3:],
        "environment": dict(os.environ if env is None else env),
        "folder": os.path.abspath(cwd or os.getcwd()),
        "limits": [(kind, resource.getrlimit(kind)) for kind in sorted(kinds)],
    }
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(_find_address())
        connection.settimeout(START_SECONDS)
        with open(os.devnull, "r+b") as null:
            streams = [
                _descriptor(*stream, null) for stream in ((stdin, 0), (stdout, 1), (stderr, 2))
            ]
            socket.send_fds(connection, [b"k"], streams)
        connection.sendall(json.dumps(request).encode() + b"\n")
        word, _, number = _read_line(connection).partition(" ")
    except TimeoutError:
        connection.close()
        os.environ[SWITCH] = "0"  # whoever comes next need not wait as long for nothing
        raise ColdStart("the server does not answer") from None
    except OSError as error:
        connection.close()
        raise ColdStart(f"the server is gone: {error}") from error
    if word != "up":
        connection.close()
        raise ColdStart("a forked kernel did not come up")
    connection.settimeout(None)
    return ForkedKernel(connection, int(number))


def _descriptor(stream: Any, usual: int, null: Any) -> int:
    if stream == subprocess.DEVNULL or (stream is None and usual == 0):
        return int(null.fileno())
    if stream is None:
        return usual
    return stream if isinstance(stream, int) else int(stream.fileno())


def _read_line(connection: socket.socket) -> str:
    """Read what the kernel or its server says; nothing when the server is gone."""
    line = b""
    with suppress(ConnectionError):
        while not line.endswith(b"\n"):
            part = connection.recv(1)  # a byte at a time: the next line is for later
            if not part:
                break
            line += part
    return line.decode().strip()


def _read_end(connection: socket.socket) -> int:
    """Read the exit code; without its server a kernel has been killed."""
    _, _, code = _read_line(connection).partition(" ")
    return int(code) if code else -signal.SIGKILL
