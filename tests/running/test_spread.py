"""Tests of runs on a Dask cluster: a real scheduler, workers in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress

import psutil
import pytest

from cxlib.errors import InputError
from cxlib.running import spread
from cxlib.running.batch import run_batch
from cxlib.running.spread import run_on_cluster
from tests.small import make_place, plan_tiny, write_manifest

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")  # sockets of Dask's own


class Cluster:
    """A scheduler and its workers, each a process."""

    def __init__(self, folder):
        self.folder, self.processes = folder, []
        self.start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
                   "--scheduler-file", folder / "scheduler.json")  # fmt: skip
        wait_for(lambda: (folder / "scheduler.json").exists())
        self.address = json.loads((folder / "scheduler.json").read_text())["address"]

    def start(self, kind, *options):
        """Start a part of the cluster."""
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *map(str, options)]
        process = subprocess.Popen(
            command, cwd=self.folder, env={**os.environ, "CX_WARM": "0"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.processes.append(process)
        return process

    def add_worker(self):
        """Start a worker of one thread, which nobody starts again when it is killed."""
        return self.start("worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard",
                          "--host", "127.0.0.1")  # fmt: skip


@contextmanager
def cluster_in(folder, n_workers):
    """Give a cluster that is gone at the end, kernels included."""
    cluster = Cluster(folder)
    try:
        for _ in range(n_workers):
            cluster.add_worker()
        yield cluster
    finally:
        children = []
        for process in cluster.processes:
            with suppress(psutil.Error):
                children += psutil.Process(process.pid).children(recursive=True)
            process.kill()
            process.wait()
        _, left = psutil.wait_procs(children, timeout=10)
        assert not left


def wait_for(condition, seconds=30):
    """Wait until something is so."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.05)


@pytest.fixture
def place(tmp_path):
    """Return a folder with a small workbook and notebook."""
    return make_place(tmp_path)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Return a cluster of two workers."""
    with cluster_in(tmp_path_factory.mktemp("cluster"), 2) as cluster:
        yield cluster


def test_a_cluster_makes_the_same_runs(place, cluster):
    """Statuses are as on this machine, folders whole; the next batch skips the unchanged."""
    out = place / "out"
    plans = [plan_tiny(place, out, number=n, mode=mode)
             for n, mode in enumerate(["ok", "error", "exit", "ok"])]  # fmt: skip
    settings = {"title": "T", "cluster": cluster.address, "told": lambda plan, run: None}
    first = [run["status"] for run in run_batch(plans, out, **settings)]
    second = [run["status"] for run in run_batch(plans, out, **settings)]

    assert first == ["ok", "failed-cell", "dead-kernel", "ok"]
    assert second == ["skipped-unchanged", "failed-cell", "dead-kernel", "skipped-unchanged"]
    assert all((plan.folder / "report.html").is_file() for plan in plans)
    assert sorted(path.name for path in (out / ".cx").iterdir()) == ["lock", "share"]


def test_a_url_takes_pages_tables_and_index(place, cluster):
    """Workers write there through fsspec; a second batch finds them there and skips."""
    write_manifest(place, "number: 1", "number: 2, mode: error")
    url = f"file://{place}/bucket"
    command = [sys.executable, "-m", "cxlib", "batch", "m.yml", "--dask", cluster.address]
    settings = {"cwd": place, "capture_output": True, "text": True, "timeout": 120}
    first = subprocess.run([*command, "--out", url], **settings)
    (place / "bucket/share/held_back.html").write_text("no longer")
    done = [first, subprocess.run([*command, "--out", url], **settings)]
    files = sorted(str(path.relative_to(place / "bucket")) for path in place.glob("bucket/*"))
    index = (place / "bucket/index.html").read_text("utf-8")

    assert [process.returncode for process in done] == [1, 1], done[0].stderr
    assert f"{url}/tiny__number-1/report.html" in done[0].stdout
    assert f"{url}/index.html" in done[0].stdout
    assert "skipped-unchanged" in done[1].stdout
    assert "failed-cell before" in done[1].stdout
    assert {"batch.json", "index.html", "tiny__number-1"} <= set(files)
    assert (place / "bucket/tiny__number-1/report.html").is_file()
    assert (place / "bucket/tiny__number-1/run.json").is_file()
    assert "tiny__number-1/report.html" in index
    assert not list(place.glob("bucket/**/*.part"))
    assert not list(place.glob("bucket/.cx/*.json"))
    assert not (place / "bucket/share/held_back.html").exists()
    assert (place / "bucket/share/index.html").is_file()


def test_runs_of_a_killed_worker_are_made_elsewhere(place, tmp_path):
    """A worker killed in the middle of a run costs time, not a run; its kernel goes with it."""
    log, out = place / "log", place / "out"
    plans = [plan_tiny(place, out, number=n, mode="wait", log=str(log)) for n in range(4)]
    with cluster_in(tmp_path, 2) as cluster:
        victim = cluster.processes[1]

        def told(plan, run):
            """Kill a worker as soon as one run has ended."""
            if victim.poll() is None:
                victim.kill()

        done = run_batch(plans, out, title="T", told=told, cluster=cluster.address)

    assert [run["status"] for run in done] == ["ok"] * 4
    assert sorted(path.name for path in (out / ".cx").iterdir()) == ["lock", "share"]


def run_alone(place, cluster, *plans):
    """Run plans without a batch around them."""
    (place / "out/.cx").mkdir(parents=True, exist_ok=True)
    (place / "out/.cx/batch.json").write_text("{}")
    reasons = {plan.folder.name: "new" for plan in plans}
    return [run for _, run in run_on_cluster(plans, cluster.address, str(place), reasons)]


def test_a_run_that_costs_two_workers_is_not_run(place, tmp_path):
    """It is tried once more, then given up."""
    log = place / "log"
    with cluster_in(tmp_path, 3) as cluster:
        (run,) = run_alone(
            place, cluster, plan_tiny(place, place / "out", 20, mode="runner", log=str(log))
        )

    assert run["status"] == "not-run"
    assert "2 workers were lost" in run["error"]["message"]
    assert run["folder"] == ""
    assert len(log.read_text().split()) == 2


def test_without_workers_nothing_hangs(place, tmp_path, monkeypatch):
    """The last worker gone, what is left is not-run."""
    monkeypatch.setattr(spread, "LOST_SECONDS", 3.0)
    plans = [plan_tiny(place, place / "out", 20, number=n, mode="runner") for n in range(2)]
    with cluster_in(tmp_path, 1) as cluster:
        done = run_alone(place, cluster, *plans)

    assert [run["status"] for run in done] == ["not-run", "not-run"]
    assert "no worker for 3 seconds" in done[0]["error"]["message"]


def test_a_scheduler_that_dies_is_told(place, tmp_path, monkeypatch):
    """The runs it held are not-run; nothing waits for it."""
    monkeypatch.setattr(spread, "LOST_SECONDS", 3.0)
    log = place / "log"
    with cluster_in(tmp_path, 1) as cluster:
        (place / "out/.cx").mkdir(parents=True)
        (place / "out/.cx/batch.json").write_text("{}")
        plan = plan_tiny(place, place / "out", 20, mode="sleep", log=str(log))
        killer = threading.Thread(
            target=lambda: (wait_for(log.exists), cluster.processes[0].kill())
        )
        killer.start()
        ((_, run),) = run_on_cluster([plan], cluster.address, "b", {plan.folder.name: "new"})
        killer.join()

    assert run["status"] == "not-run"


def test_a_cluster_that_cannot_be_used_is_refused(place, tmp_path, monkeypatch):
    """No scheduler, no workers, no Dask: each says so before anything is run."""
    monkeypatch.setattr(spread, "CONNECT_SECONDS", 1.0)
    plan = plan_tiny(place, place / "out")
    settings = {"title": "T", "told": lambda plan, run: None}
    with pytest.raises(InputError, match="No Dask scheduler answers"):
        run_batch([plan], place / "out", cluster="tcp://127.0.0.1:9", **settings)
    with cluster_in(tmp_path, 0) as cluster, pytest.raises(InputError, match="has no workers"):
        run_batch([plan], place / "out", cluster=cluster.address, **settings)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"Dask is not installed[\s\S]*cxlib\[dask\]"):
        run_batch([plan], place / "out", cluster="tcp://127.0.0.1:9", **settings)

    assert not plan.folder.exists()


def test_a_worker_that_is_unlike_this_machine_makes_nothing(place, cluster, monkeypatch):
    """Other code or other libraries, or a folder it does not see: the run is not-run."""
    plan = plan_tiny(place, place / "out")
    ((_, unseen),) = run_on_cluster([plan], cluster.address, str(place), {"tiny": "new"})
    monkeypatch.setattr(spread, "hash_installation", lambda: {"cxlib": "another"})
    (other,) = run_alone(place, cluster, plan_tiny(place, place / "out", number=1))

    assert (unseen["status"], other["status"]) == ("not-run", "not-run")
    assert "does not see" in unseen["error"]["message"]
    assert "another cxlib or other libraries" in other["error"]["message"]


def test_ctrl_c_ends_the_kernels_of_the_workers(place, cluster):
    """What runs on the cluster is ended with the batch, and leaves no folder."""
    log = place / "log"
    write_manifest(place, f"mode: sleep, log: {log}")
    command = [sys.executable, "-m", "cxlib", "batch", "m.yml", "--dask", cluster.address]
    process = subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, text=True)
    wait_for(log.exists)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    wait_for(lambda: not list(place.glob("out/.cx/run-*")))

    assert process.returncode == 130
    assert "--resume goes on with the others" in out
    assert not list(place.glob("out/tiny*"))
