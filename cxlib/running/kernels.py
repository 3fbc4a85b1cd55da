"""The papermill engine of a run: it keeps its own account of what happened."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import zmq
import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import CellExecutionError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, papermill_engines

from cxlib.running.warm import ONE_THREAD, warm_up


class Listener(AsyncKernelClient):
    """Hear everything a kernel says; by default ZeroMQ drops what comes faster than it is read."""

    def _context_default(self) -> zmq.asyncio.Context:
        context = super()._context_default()
        context.setsockopt(zmq.RCVHWM, 0)  # no limit
        return context


class _Client(PapermillNotebookClient):
    """Run the cells and note each; papermill's own loop marks dead and timed-out cells as done."""

    account: Any = None

    def papermill_execute_cells(self) -> None:
        """Execute the cells in order and note how each ends."""
        account = self.account
        total = sum(cell.cell_type == "code" for cell in self.nb.cells)
        done = 0
        for index, cell in enumerate(self.nb.cells):
            if account.timed_out:  # the time ran out while there was no kernel to kill
                raise TimeoutError
            account.cell = index
            account.seen.add(index)
            self.nb_man.cell_start(cell, index)
            try:
                self.execute_cell(cell, index)
            except CellExecutionError as error:
                account.failure = error
                self.nb_man.cell_exception(cell, cell_index=index, exception=error)
                break
            except BaseException as error:
                self.nb_man.cell_exception(cell, cell_index=index, exception=error)
                raise
            finally:
                self.nb_man.cell_complete(cell, cell_index=index)
            done += cell.cell_type == "code"
            account.progress(done, total)
        else:
            account.cell = None


class _Engine(Engine):
    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        *,
        account: Any,
        run_folder: Path,
        warm: bool = False,
        start_timeout: int = 60,
        **settings: Any,
    ) -> Any:
        """Run the notebook in a kernel of its own."""
        client = _Client(nb_man, kernel_name=kernel_name, startup_timeout=start_timeout)
        client.account, account.notebook = account, nb_man.nb
        client.km = client.create_kernel_manager()
        account.manager = client.km  # the client forgets it when the kernel has ended
        client.km.client_class = f"{__name__}.Listener"
        if warm:
            warm_up(client.km)
        with tempfile.TemporaryDirectory(prefix="cx-") as sockets:
            # customer data do not cross a TCP port that other users of the host could read; the
            # kernels of one process need a folder each, and a socket's path has little room
            if os.name == "posix" and len(sockets) < 80:
                client.km.transport, client.km.ip = "ipc", f"{sockets}/kernel"
            try:
                # what the kernel process logs is no result; tracebacks are in the notebook
                return client.execute(
                    env=os.environ | ONE_THREAD | {"CX_RUN_DIR": str(run_folder)},
                    stderr=subprocess.DEVNULL,
                )
            finally:  # the client leaves the loop it made for this thread open
                loop = ensure_event_loop()
                if not loop.is_running():
                    loop.close()


def register_engine() -> None:
    """Make the engine known to papermill as ``"cx"``."""
    papermill_engines.register("cx", _Engine)
