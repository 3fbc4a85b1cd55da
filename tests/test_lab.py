"""Tests of what ``cx lab`` sets up."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager, KernelManager

from cxlib.lab import offer_warm_kernel
from cxlib.running.warm import ForkedKernel

OTHER = "/of/the/user"


@pytest.fixture
def specs(monkeypatch):
    """Return kernel specifications as a JupyterLab started by ``cx lab`` finds them."""
    monkeypatch.setenv("JUPYTER_PATH", offer_warm_kernel(os.environ)["JUPYTER_PATH"])
    return KernelSpecManager()


def test_the_warm_kernel_is_listed_beside_the_usual_one():
    """A Jupyter of its own finds both; the user's own places are kept, and nothing is written."""
    environment = offer_warm_kernel({**os.environ, "JUPYTER_PATH": OTHER})
    command = [sys.executable, "-m", "jupyter", "kernelspec", "list", "--json"]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found = json.loads(told.stdout)["kernelspecs"]

    assert {"python3", "cx-warm"} <= set(found)
    assert found["cx-warm"]["spec"]["display_name"] == "Python 3 (starts warm)"
    assert environment["JUPYTER_PATH"].endswith(os.pathsep + OTHER)
    assert "JUPYTER_PATH" not in os.environ


def test_where_nothing_can_be_forked_nothing_is_offered(monkeypatch):
    """The environment stays as it was."""
    monkeypatch.setenv("CX_WARM", "0")

    assert offer_warm_kernel({"A": "1"}) == {"A": "1"}


def test_a_kernel_of_the_specification_works_like_any_other(specs):
    """It starts forked, runs, shows a figure, is interrupted, restarted and ends."""
    manager = KernelManager(kernel_name="cx-warm", kernel_spec_manager=specs)
    manager.start_kernel()
    client = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=60)
        assert isinstance(manager.provisioner.process, ForkedKernel)

        shown = []
        code = "import matplotlib.pyplot as plt\nlines = plt.plot([1, 2])"
        client.execute_interactive(code, timeout=60, output_hook=shown.append)
        assert "image/png" in shown[-2]["content"]["data"]

        asked = client.execute("import time; print('up', flush=True); time.sleep(60)")
        while client.get_iopub_msg(timeout=10)["msg_type"] != "stream":
            pass
        manager.interrupt_kernel()
        while (reply := client.get_shell_msg(timeout=20))["parent_header"]["msg_id"] != asked:
            pass
        assert reply["content"]["ename"] == "KeyboardInterrupt"

        first = manager.provisioner.pid
        manager.restart_kernel()
        client.wait_for_ready(timeout=60)
        assert manager.provisioner.pid != first
        reply = client.execute_interactive("lines", timeout=60, output_hook=shown.append)
        assert reply["content"]["ename"] == "NameError"
    finally:
        client.stop_channels()
        manager.shutdown_kernel()
    assert not manager.has_kernel


def test_a_server_with_an_event_loop_starts_it_too(specs):
    """As JupyterLab does: from a loop that goes on while the kernel comes up."""
    import asyncio

    async def start() -> tuple[bool, int]:
        """Start a kernel, and count what else the loop does meanwhile."""
        turns = 0

        async def turn() -> None:
            """Count."""
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0.01)

        other = asyncio.create_task(turn())
        manager = AsyncKernelManager(kernel_name="cx-warm", kernel_spec_manager=specs)
        await manager.start_kernel()
        is_forked = isinstance(manager.provisioner.process, ForkedKernel)
        other.cancel()
        await manager.shutdown_kernel(now=True)
        return is_forked, turns

    is_forked, turns = asyncio.run(start())
    assert is_forked
    assert turns > 5
