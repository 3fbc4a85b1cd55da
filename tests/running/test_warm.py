"""Tests of warm kernels: the same results as cold ones, no state shared, nothing left behind."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest

from cxlib.planning.plans import plan_run
from cxlib.running import warm
from cxlib.running.runs import execute_run
from cxlib.running.warm import ADDRESS, ForkedKernel, WarmServer, warm_kernels

PARAMETERS = """workbook = "samples"
segment_by = ""
segment = ""
period_start = ""
period_end = ""
code = ""
"""
SETUP = """import os, random, sys
import numpy as np
import pandas as pd
from cxlib.show import record, save_table, show
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Return a folder with a small workbook and a notebook that runs any code."""
    folder = tmp_path_factory.mktemp("warm")
    rows = "".join(f"{i},2024-01-{i % 28 + 1:02},a\n" for i in range(40))
    (folder / "e.csv").write_text(f"customer_id,timestamp,touchpoint\n{rows}")
    (folder / "cx.yml").write_text(
        "name: Small\nas_of: 2024-12-31\ntables:\n  events:\n    source: e.csv\n"
    )
    v4 = nbformat.v4
    cells = [
        v4.new_markdown_cell("# A small page"),
        v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
        v4.new_code_cell(SETUP),
        v4.new_code_cell("exec(code)"),
        v4.new_code_cell("print('last')"),
    ]
    nbformat.write(v4.new_notebook(cells=cells), folder / "any.ipynb")
    return folder


@pytest.fixture(scope="module")
def server():
    """Keep one server for the tests of this module; return the path of its socket."""
    with warm_kernels():
        yield os.environ[ADDRESS]


def run(place, code, *, is_warm=True, timeout=60.0, name="out"):
    """Run code in a kernel; return the run's record and folder."""
    plan = plan_run(
        str(place / "any.ipynb"),
        workbook=str(place),
        given={"code": code},
        out=place / name,
        timeout=timeout,
    )
    return execute_run(plan, warm=is_warm), plan.folder


def tell(place, expression, before="", **settings):
    """Evaluate an expression in a kernel of its own."""
    code = f"{before}\nimport json\nrecord('told', 'Told', json.dumps({expression}))"
    done, _ = run(place, code, **settings)
    assert done["status"] == "ok", done["error"]
    return json.loads(done["key_figures"][0]["value"])


def server_process():
    """Find the process of this session's server."""
    for child in psutil.Process().children(recursive=True):
        if os.environ[ADDRESS].rpartition("/")[0] in child.cmdline():
            return child
    raise AssertionError("no server")


def wait_until(condition, seconds=15.0):
    """Wait for something that takes a moment."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.05)


def test_kernels_are_forked_from_a_process_without_threads(place, server):
    """The stack is there before a cell imports it; the server has one thread in all."""
    found = tell(
        place,
        "[os.getppid(), os.getpid(), os.getpgid(0), os.getsid(0), loaded]",
        "loaded = [name in sys.modules for name in ('lifelines', 'seaborn', 'duckdb')]",
    )
    process = server_process()

    assert found[0] == process.pid
    assert found[1] == found[2] == found[3]
    assert found[4] == [True] * 3
    assert process.num_threads() == 1


@pytest.mark.parametrize("notebook", ["data_check", "any"])
def test_warm_and_cold_runs_are_equal(place, server, notebook):
    """Tables to the last byte; page and notebook but for times and addresses."""
    code = """import matplotlib.pyplot as plt, sklearn.cluster
rng = np.random.default_rng(0)
points = rng.normal(size=(500, 4))
model = sklearn.cluster.KMeans(3, n_init=2, random_state=0).fit(points)
frame = pd.DataFrame(model.cluster_centers_ @ np.linalg.inv(np.cov(points.T)))
save_table('t', frame.rename(columns=str))
fig = plt.plot(frame)
print(plt.get_backend(), sys.path[0] == '', __name__, sys.argv[0][-21:])"""
    folders = []
    for is_warm in (True, False):
        plan = plan_run(
            str(place / "any.ipynb") if notebook == "any" else notebook,
            workbook=str(place) if notebook == "any" else "samples",
            given={"code": code} if notebook == "any" else {},
            out=place / f"equal-{is_warm}",
        )
        assert execute_run(plan, warm=is_warm)["status"].startswith("ok")
        folders.append(plan.folder)

    ours, theirs = ({p.name: p for p in (f / "tables").iterdir()} for f in folders)
    assert ours.keys() == theirs.keys() != set()
    for name, path in ours.items():
        assert path.read_bytes() == theirs[name].read_bytes(), name
    pages = [_without_times((folder / "report.html").read_text("utf-8")) for folder in folders]
    assert pages[0] == pages[1]
    outputs = [
        [cell.get("outputs") for cell in nbformat.read(f / "notebook.ipynb", 4).cells]
        for f in folders
    ]
    assert outputs[0] == outputs[1]


def _without_times(page):
    return re.sub(r'datetime="[^"]*">[^<]*<', "", page)


def test_nothing_of_a_kernel_reaches_the_next(place, server):
    """Settings, modules, variables, folder and seeds are as they were."""
    before = """import builtins, random
random.seed(1); np.random.seed(1); builtins.left = 1; os.environ['LEFT'] = '1'
pd.set_option('display.precision', 2); sys.path.insert(0, '/left'); os.chdir('/')
import matplotlib; matplotlib.rcParams['figure.dpi'] = 7; pd.left = 1"""
    tell(place, "1", before)
    left = tell(
        place,
        "['left' in vars(builtins), 'LEFT' in os.environ, pd.get_option('display.precision'),"
        " '/left' in sys.path, os.getcwd(), matplotlib.rcParams['figure.dpi'] == 7,"
        " hasattr(pd, 'left')]",
        "import builtins, matplotlib",
    )

    assert left == [False, False, 6, False, os.getcwd(), False, False]


def test_unseeded_random_numbers_differ(place, server):
    """Two kernels draw other numbers, from every generator."""
    draws = "[random.random(), np.random.random(), np.random.default_rng().random()]"
    first, second = tell(place, draws), tell(place, draws)

    assert all(a != b for a, b in zip(first, second, strict=True))


def test_surroundings_are_those_of_the_client(place, server, monkeypatch):
    """Environment, limits, signals and streams are as for a cold kernel."""
    monkeypatch.setenv("CX_TEST_MARK", "ä")
    monkeypatch.setenv("TZ", "Asia/Seoul")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 1, hard))
    told = (
        "[os.environ['CX_TEST_MARK'], os.environ['OMP_NUM_THREADS'], time.tzname[0],"
        " os.environ['CX_RUN_DIR'][-4:] != '', resource.getrlimit(resource.RLIMIT_NOFILE)[0],"
        " [str(signal.getsignal(n)) for n in (2, 15, 17)], len(os.listdir('/proc/self/fd')),"
        " signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()]"
    )
    try:
        ours, cold = (
            tell(place, told, "import resource, signal, time", is_warm=is_warm)
            for is_warm in (True, False)
        )
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert ours[:5] == ["ä", "1", "KST", True, soft - 1]
    plain = [re.sub(r" at 0x\w+", "", text) for text in ours[5]]
    assert plain == [re.sub(r" at 0x\w+", "", text) for text in cold[5]]
    assert ours[6] <= cold[6] + 3
    assert ours[7]


@pytest.mark.parametrize(
    ("code", "status", "failure"),
    [
        ("os._exit(3)", "dead-kernel", "DeadKernelError"),
        ("os.kill(os.getpid(), 9)", "dead-kernel", "DeadKernelError"),
        ("import time; time.sleep(60)", "timeout", "Timeout"),
        ("1 / 0", "failed-cell", "ZeroDivisionError"),
        (
            "import resource; resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30));"
            " np.ones(1 << 30)",
            "failed-cell",
            "MemoryError",
        ),
    ],
)
def test_ends_are_told_apart(place, server, code, status, failure):
    """A death, a time that is up and a lack of memory are told as for a cold kernel."""
    pid_file = place / "pid"
    code = f"open({str(pid_file)!r}, 'w').write(str(os.getpid())); {code}"
    done, _ = run(place, code, timeout=6.0)

    assert done["status"] == status
    assert done["error"]["class"] == failure
    wait_until(lambda: not psutil.pid_exists(int(pid_file.read_text())))


def test_what_a_notebook_leaves_open_is_written(place, server, tmp_path):
    """Handlers for the end run, and files still open are flushed, though no module is torn down."""
    kept, late = tmp_path / "kept", tmp_path / "late"
    code = (
        f"import atexit, pathlib; kept = open({str(kept)!r}, 'w'); kept.write('all');"
        f" atexit.register(pathlib.Path({str(late)!r}).touch)"
    )
    done, _ = run(place, code)

    assert done["status"] == "ok"
    assert late.exists()


@pytest.mark.parametrize("reason", ["switched off", "early", "dead server", "no server"])
def test_without_a_fork_kernels_start_cold(place, server, monkeypatch, reason):
    """Whatever stands in the way, the run goes on."""
    if reason == "switched off":
        monkeypatch.setenv("CX_WARM", "0")
    elif reason == "early":
        monkeypatch.setenv("MPLBACKEND", "agg")
    elif reason == "no server":
        monkeypatch.setenv(ADDRESS, "/nowhere/at/all")
    else:
        gone = WarmServer()
        gone.process.kill()
        gone.process.wait()
        monkeypatch.setenv(ADDRESS, gone.address)
    parent = tell(place, "os.getppid()")
    if reason == "dead server":
        gone.stop()
        assert not Path(gone.folder).exists()

    assert parent == os.getpid()


def test_imports_that_start_threads_are_not_forked(tmp_path):
    """The server says no, and ends."""
    (tmp_path / "statsmodels").mkdir()
    threads = (
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=[60], daemon=True).start()\n"
    )
    (tmp_path / "statsmodels/__init__.py").write_text(threads)
    (tmp_path / "statsmodels/api.py").touch()
    code = "import sys; from cxlib.running.warm_server import preload; preload(False)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **warm.ONE_THREAD, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert "threads run after the imports" in done.stderr


def test_a_fork_that_hangs_is_found_out(monkeypatch):
    """The rehearsal has a time limit, and a failure in it counts."""
    from cxlib.running import warm_server

    monkeypatch.setattr(warm_server, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(warm_server, "_rehearse", lambda: time.sleep(60))
    assert not warm_server.forks_work()
    monkeypatch.setattr(warm_server, "_rehearse", lambda: 1 / 0)
    assert not warm_server.forks_work()


KILLED = """import os, sys, time
from cxlib.running.warm import fork_kernel, warm_kernels, ADDRESS
from jupyter_client import KernelManager
with warm_kernels():
    manager = KernelManager(kernel_name="python3")
    manager.transport, manager.ip = "ipc", sys.argv[1] + "/k"
    manager.write_connection_file()
    kernel = fork_kernel(manager.format_kernel_cmd(), env=dict(os.environ))
    print(kernel.pid, os.getppid(), os.environ[ADDRESS], flush=True)
    time.sleep(60)
"""


def test_nothing_outlives_a_killed_parent(tmp_path):
    """After SIGKILL kernel, server and socket are gone."""
    own = {name: value for name, value in os.environ.items() if name != ADDRESS}
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    with subprocess.Popen(command, env=own, stdout=subprocess.PIPE, text=True) as parent:
        kernel, _, address = parent.stdout.readline().split()
        children = [child.pid for child in psutil.Process(parent.pid).children()]
        parent.kill()
    wait_until(lambda: not any(psutil.pid_exists(pid) for pid in [int(kernel), *children]))

    assert children
    assert not Path(address).parent.exists()


def test_a_kernel_ends_with_its_server_and_says_so(place, server):
    """Killed with the server it came from, it is told as killed, at once."""
    own = WarmServer()
    os.environ[ADDRESS], kept = own.address, os.environ[ADDRESS]
    try:
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", str(place / "c.json")]
        kernel = warm.fork_kernel([*command, "--transport=ipc", f"--ip={place}/k"])
        assert isinstance(kernel, ForkedKernel)
        assert kernel.poll() is None
        own.process.kill()
        assert kernel.wait() == -signal.SIGKILL
        wait_until(lambda: not psutil.pid_exists(kernel.pid))
    finally:
        os.environ[ADDRESS] = kept
        own.stop()


def test_a_server_that_does_not_answer_is_given_up(place, server, monkeypatch):
    """The first kernel waits a while and starts cold; the others do not wait at all."""
    stuck = WarmServer()
    monkeypatch.setenv(ADDRESS, stuck.address)
    monkeypatch.setenv(warm.SWITCH, "1")
    monkeypatch.setattr(warm, "START_SECONDS", 0.5)
    os.kill(stuck.process.pid, signal.SIGSTOP)
    try:
        assert tell(place, "os.getppid()") == os.getpid()
        assert not warm.is_possible()
    finally:
        stuck.process.kill()
        stuck.stop()


def test_what_is_no_request_does_no_harm(place, server):
    """A client that sends something else, or goes away, does not end the server."""
    for message in (b"", b"GET / HTTP/1.1\n\n", b'k{"arguments": 1}\n'):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(server)
            client.sendall(message)

    assert tell(place, "os.getppid()") == server_process().pid


@pytest.mark.parametrize(("what", "value"), [("NAME", "cx-other"), ("sys.platform", "darwin")])
def test_where_it_is_not_installed_nothing_is_started(monkeypatch, what, value):
    """Off Linux, or without the provisioner, there is no server and no kernel asks for one."""
    monkeypatch.delenv(ADDRESS, raising=False)
    monkeypatch.setattr(f"cxlib.running.warm.{what}", value)
    with warm_kernels():
        assert not warm.is_possible()
        assert ADDRESS not in os.environ
