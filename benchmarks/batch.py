"""Reports of many segments: ``python -m benchmarks.batch --sets 40``.

Runs ``cx batch`` on the samples, one report of the churn notebook a segment and grouping, and the
same sets one after the other with ``papermill.execute_notebook``; a ratio is printed only when the
tables agree. Then the same batch again, which finds nothing changed, and what a report costs that
does nothing but import the stack. Sizes of pages and memory of the idle server are told first.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice, permutations
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd
import psutil

from benchmarks.measure import print_measurement

NOTEBOOK = "churn_survival"
ATTRIBUTES = ("region", "household", "age_band", "acquisition_channel")
MIN_CUSTOMERS = 300
DIGITS = 1e-9
EMPTY = """import duckdb, ibis, lifelines, matplotlib.pyplot, numpy, pandas, scipy.stats, seaborn
import sklearn.cluster, statsmodels.api
import cxlib.data, cxlib.show"""
Sets = list[dict[str, Any]]


def list_sets() -> Iterator[dict[str, Any]]:
    """List sets of parameters: a segment of the samples, its customers compared by something else.

    Yields
    ------
    dict
        Parameters of the notebook.
    """
    from cxlib.data import open_workbook

    customers = open_workbook("samples").frame("customers")
    for segment_by, group_by in permutations(ATTRIBUTES, 2):
        counts = customers[segment_by].value_counts()
        for segment in sorted(counts[counts >= MIN_CUSTOMERS].index):
            yield {"segment_by": segment_by, "segment": segment, "group_by": group_by}


def write_empty(folder: Path) -> Path:
    """Write a notebook that imports the stack and does nothing.

    Parameters
    ----------
    folder : pathlib.Path
        Where.

    Returns
    -------
    pathlib.Path
        The notebook.
    """
    import nbformat

    v4 = nbformat.v4
    parameters = 'workbook = "samples"\nnumber = 0  # tells the reports apart'
    cells = [
        v4.new_markdown_cell("# Nothing\n\n## The answer"),
        v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}),
        v4.new_code_cell(EMPTY),
    ]
    notebook = v4.new_notebook(cells=cells)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata["kernelspec"] = kernel
    nbformat.write(notebook, folder / "empty.ipynb")
    return folder / "empty.ipynb"


def run_ours(notebook: str, sets: Sets, folder: Path, *, workers: int) -> tuple[float, float]:
    """Run a batch as a user would.

    Parameters
    ----------
    notebook : str
        Name or path.
    sets : list of dict
        Parameters.
    folder : pathlib.Path
        Where manifest and reports go.
    workers : int
        Kernels at a time.

    Returns
    -------
    tuple of float
        Seconds, and the most memory that all its processes held together, in megabytes.
    """
    manifest = folder / "manifest.yml"
    runs = [{"notebook": notebook, "parameters": parameters} for parameters in sets]
    manifest.write_text(json.dumps({"title": "Benchmark", "workbook": "samples", "runs": runs}))
    command = [sys.executable, "-m", "cxlib", "batch", str(manifest), "--workers", str(workers)]
    command += ["--out", str(folder / "out")]
    started = time.perf_counter()
    with subprocess.Popen(command, env=_environment(folder), stdout=subprocess.DEVNULL) as batch:
        with _sampling(batch.pid) as megabytes:
            code = batch.wait()
        seconds = time.perf_counter() - started
    if code:
        raise SystemExit(f"cx batch ended with {code}")
    return seconds, max(megabytes)


@contextmanager
def _sampling(pid: int) -> Iterator[list[float]]:
    """Sample the megabytes of a process and all it starts; what is shared counts once."""
    samples, done = [0.0], threading.Event()

    def sample() -> None:
        """Sample until told to stop."""
        while not done.wait(0.25):
            with suppress(psutil.Error):  # one ended meanwhile
                root = psutil.Process(pid)
                tree = (root, *root.children(recursive=True))
                samples.append(sum(each.memory_full_info().pss for each in tree) / 1e6)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        done.set()
        thread.join()


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "CX_CACHE": str(folder / "cache")}


def run_papermill(notebook: str, sets: Sets, folder: Path) -> list[float]:
    """Run the same sets one after the other with papermill alone.

    Parameters
    ----------
    notebook : str
        Path.
    sets : list of dict
        Parameters.
    folder : pathlib.Path
        Where each set gets a folder by its number; its tables go there.

    Returns
    -------
    list of float
        Seconds of each; the process that loops is started before.
    """
    folder.mkdir()
    (folder / "sets.json").write_text(json.dumps(sets))
    command = [sys.executable, "-m", "benchmarks.batch", "--papermill", notebook, str(folder)]
    subprocess.run(command, env=_environment(folder), check=True, stderr=subprocess.DEVNULL)
    return list(json.loads((folder / "seconds.json").read_text()))


def loop_papermill(notebook: str, folder: Path) -> None:
    """Do the work of the child process of `run_papermill`.

    Parameters
    ----------
    notebook : str
        Path.
    folder : pathlib.Path
        Holds the sets.
    """
    import papermill

    seconds = []
    for number, parameters in enumerate(json.loads((folder / "sets.json").read_text())):
        place = folder / str(number)
        place.mkdir()
        os.environ["CX_RUN_DIR"] = str(place)
        started = time.perf_counter()
        papermill.execute_notebook(
            notebook, str(place / "notebook.ipynb"), parameters=parameters, progress_bar=False
        )
        seconds.append(time.perf_counter() - started)
    (folder / "seconds.json").write_text(json.dumps(seconds))


def check_equal(runs: Sets, out: Path, theirs: Path) -> None:
    """Stop unless every table of every report is the same.

    Parameters
    ----------
    runs : list of dict
        Our records, in the order of the sets.
    out : pathlib.Path
        Our reports.
    theirs : pathlib.Path
        Folder of papermill's.
    """
    for number, run in enumerate(runs):
        for path in sorted((theirs / str(number) / "tables").glob("*.parquet")):
            ours = pd.read_parquet(out / run["folder"] / "tables" / path.name)
            try:
                pd.testing.assert_frame_equal(ours, pd.read_parquet(path), rtol=DIGITS, atol=DIGITS)
            except AssertionError as error:
                raise SystemExit(f"{run['folder']}: {path.stem} differs, no ratio") from error


def measure_reports(n: int, workers: int, folder: Path) -> None:
    """Measure a batch of segment reports, and the same batch again.

    Parameters
    ----------
    n : int
        Reports.
    workers : int
        Kernels at a time.
    folder : pathlib.Path
        Scratch.
    """
    from cxlib.planning.plans import find_notebook

    sets = list(islice(list_sets(), n))
    seconds, peak = run_ours(NOTEBOOK, sets, folder, workers=workers)
    out = folder / "out"
    again, peak_again = run_ours(NOTEBOOK, sets, folder, workers=workers)
    runs = _read_runs(out)
    alone = sum(run["status"] == "skipped-unchanged" for run in runs)
    theirs = folder / "papermill"
    plain = run_papermill(str(find_notebook(NOTEBOOK)), sets, theirs)
    check_equal(runs, out, theirs)
    pages = [(out / run["folder"] / "report.html").stat().st_size for run in runs]
    index = (out / "index.html").stat().st_size
    print(
        f"largest page {max(pages) / 1e3:.0f} kB, index {index / 1e3:.0f} kB; run again: "
        f"{alone} of {len(runs)} left alone"
    )
    print_measurement("reports", len(sets), seconds, "papermill", sum(plain), peak)
    print_measurement("unchanged", len(sets), again, "first run", seconds, peak_again)


def _read_runs(out: Path) -> Sets:
    runs: Sets = json.loads((out / "batch.json").read_text("utf-8"))["runs"]
    return runs


def measure_fixed_cost(n: int, folder: Path) -> None:
    """Measure what a report costs that only imports the stack, the first left out.

    Parameters
    ----------
    n : int
        Reports.
    folder : pathlib.Path
        Scratch.
    """
    notebook = str(write_empty(folder))
    sets: Sets = [{"number": str(number)} for number in range(n + 1)]
    _, peak = run_ours(notebook, sets, folder, workers=1)
    runs = _read_runs(folder / "out")
    theirs = run_papermill(notebook, sets, folder / "papermill")
    ours = [run["seconds"] for run in runs]
    print_measurement("fixed cost", n, median(ours[1:]), "papermill", median(theirs[1:]), peak)


def tell_idle_memory() -> None:
    """Say what the server holds that kernels are forked from."""
    from cxlib.running.warm import WarmServer, fork_kernel

    server = WarmServer("cxlib")
    os.environ["CX_WARM_SERVER"] = server.address
    try:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "ipykernel_launcher", "-f", f"{folder}/c.json"]
            kernel = fork_kernel([*command, "--transport=ipc", f"--ip={folder}/k"])
            memory = psutil.Process(server.process.pid).memory_info().rss / 1e6
            own = psutil.Process(kernel.pid).memory_full_info().uss / 1e6
            kernel.close()
    finally:
        del os.environ["CX_WARM_SERVER"]
        server.stop()
    print(f"idle server {memory:.0f} MB, a kernel forked from it {own:.0f} MB of its own")


def main() -> None:
    """Read the command line and print a line for every measurement."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batch", description=__doc__)
    parser.add_argument("--sets", type=int, default=40, help="segment reports")
    parser.add_argument("--empty", type=int, default=10, help="reports that only import")
    parser.add_argument("--workers", type=int, default=2, help="kernels at a time")
    parser.add_argument("--papermill", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.papermill:
        loop_papermill(given.papermill[0], Path(given.papermill[1]))
        return
    tell_idle_memory()
    with tempfile.TemporaryDirectory(prefix="cx-batch-") as folder:
        for part in ("reports", "fixed"):
            (Path(folder) / part).mkdir()
        measure_reports(given.sets, given.workers, Path(folder) / "reports")
        measure_fixed_cost(given.empty, Path(folder) / "fixed")


if __name__ == "__main__":
    main()
