"""Journey tables at size: ``python -m benchmarks.journeys --events 10_000_000``.

Generates events (10 per customer, 15 touchpoints) and measures, each in a process of its own, the
whole set of journey tables against DuckDB's plain sort of the same file and, when a Python with
them is named, against retentioneering and pm4py. ``--journeys N`` measures the segmentation of N
journeys and ``--paths N`` the distances between N distinct paths instead.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measure import Laps, print_measurement, report_task, run_alone, untracked_env

MODULE = "benchmarks.journeys"
AS_OF = "2024-12-31"
STAGES = ["touchpoint_03", "touchpoint_07", "touchpoint_11"]


def write_events(path: Path, n_events: int) -> None:
    """Write events without order: hashes decide who, when and where.

    Parameters
    ----------
    path : pathlib.Path
        Parquet file to write.
    n_events : int
        Rows, ten for each customer.
    """
    import duckdb

    duckdb.connect().execute(
        f"""COPY (SELECT
          'C' || lpad((hash(i) % {max(n_events // 10, 1)})::VARCHAR, 9, '0') AS customer_id,
          TIMESTAMP '2024-01-01' + to_seconds((hash(i * 7 + 1) % 31536000)::BIGINT) AS timestamp,
          'touchpoint_' || lpad((hash(i * 13 + 5) % 15)::VARCHAR, 2, '0') AS touchpoint,
          i::BIGINT AS _row
        FROM range({n_events}) AS t(i)) TO '{path}' (FORMAT parquet)"""
    )


def sort_plainly(path: str) -> dict[str, float]:
    """Sort the file by customer and time into a table, twice, and keep the better time.

    Parameters
    ----------
    path : str
        Parquet file of events.

    Returns
    -------
    dict of str to float
        Seconds by lap.
    """
    import duckdb

    best = float("inf")
    for _ in range(2):
        con, laps = duckdb.connect(), Laps()
        con.execute(
            f"CREATE TABLE sorted AS SELECT * FROM '{path}' ORDER BY customer_id, timestamp"
        )
        laps.end("plain sort")
        best = min(best, laps.seconds["plain sort"])
        con.close()
    return {"plain sort": best}


def make_tables(path: str) -> dict[str, float]:
    """Make every journey table of the notebook.

    Parameters
    ----------
    path : str
        Parquet file of events.

    Returns
    -------
    dict of str to float
        Seconds by table.
    """
    from cxlib import journeys
    from cxlib.data.connect import open_engine

    laps = Laps()
    log = journeys.add_journeys(open_engine().read_parquet(path), as_of=AS_OF)
    laps.end("steps")
    journeys.count_transitions(log)
    laps.end("transitions")
    journeys.count_positions(log, reach=8)
    laps.end("step matrix")
    journeys.measure_funnel(log, STAGES)
    laps.end("funnel")
    walks = journeys.list_walks(log, goal=STAGES[-1])
    journeys.count_paths(walks)
    laps.end("paths")
    journeys.count_features(journeys.fold_walks(walks))
    laps.end("features")
    return laps.seconds


def run_foreign(python: str, script: str, path: str) -> tuple[float, float]:
    """Run the same job with another library in its own environment.

    Parameters
    ----------
    python : str
        A Python that has the library.
    script : str
        ``retentioneering`` or ``pm4py``: the script of that name beside this module.
    path : str
        Parquet file of events.

    Returns
    -------
    tuple of float
        Seconds and peak memory in megabytes.
    """
    command = [python, str(Path(__file__).parent / f"with_{script}.py"), path]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=untracked_env())
    told = json.loads(done.stdout.strip().splitlines()[-1])
    return float(told["seconds"]), float(told["peak_mb"])


def draw_journeys(n_journeys: int) -> tuple[Any, Any]:
    """Draw journeys of five kinds: scripts with steps skipped, repeated and put in.

    Parameters
    ----------
    n_journeys : int
        Journeys.

    Returns
    -------
    tuple
        A grid of touchpoints, -1 where there is none, one row a journey; and the kinds.
    """
    import numpy as np

    rng = np.random.default_rng(0)
    scripts = [
        [0, 1, 2, 3, 4, 5],
        [6, 7, 2, 8, 9],
        [10, 11, 3, 12],
        [1, 13, 14, 7, 15],
        [16, 5, 17],
    ]
    kinds = rng.choice(5, n_journeys, p=[0.35, 0.25, 0.2, 0.12, 0.08])
    width = max(map(len, scripts))
    grid = np.full((n_journeys, 2 * width), -1)
    for kind, script in enumerate(scripts):
        rows = np.flatnonzero(kinds == kind)
        steps = np.repeat(script, 2)[None].repeat(len(rows), axis=0)
        keep = rng.random(steps.shape) < np.tile([0.8, 0.1], len(script))
        noise = rng.random(steps.shape) < 0.05
        steps = np.where(noise, rng.integers(0, 18, steps.shape), steps)
        grid[rows[:, None], np.arange(steps.shape[1])] = np.where(keep, steps, -1)
    return grid, kinds


def fit_kinds(n_journeys: str) -> dict[str, float]:
    """Find kinds of journey, with the whole table of evidence.

    Parameters
    ----------
    n_journeys : str
        Journeys to draw.

    Returns
    -------
    dict of str to float
        Seconds by lap, and the agreement with the kinds drawn (adjusted Rand index).
    """
    import numpy as np
    import pandas as pd
    from sklearn.metrics import adjusted_rand_score

    from cxlib import journeys
    from cxlib.data.connect import open_engine

    grid, kinds = draw_journeys(int(n_journeys))
    row, step = np.nonzero(grid >= 0)
    events = pd.DataFrame(
        {
            "customer_id": pd.Series(row // 2).map("c{:08d}".format),
            "timestamp": pd.Timestamp("2024-01-01")
            + pd.to_timedelta(row % 2 * 120 * 86_400 + step * 3_600, unit="s"),
            "touchpoint": pd.Series(grid[row, step]).map("touchpoint_{:02d}".format),
            "_row": np.arange(len(row)),
        }
    )
    events["timestamp"] = events["timestamp"].astype("datetime64[us]")
    con = open_engine()
    table = con.create_table("events", events)
    started = pd.DataFrame({"row": np.unique(row)})
    started["customer_id"] = (started["row"] // 2).map("c{:08d}".format)
    started["n"] = started.groupby("customer_id").cumcount() + 1
    laps = Laps()
    log = journeys.add_journeys(table, as_of=AS_OF)
    laps.end("steps")
    found = journeys.fit_segments(log)
    laps.end("segments")
    started["journey_id"] = started["customer_id"] + "-" + started["n"].astype(str)
    both = found.assignments.merge(started, on="journey_id", validate="one_to_one")
    agreement = adjusted_rand_score(kinds[both["row"]], both["segment"])
    return laps.seconds | {"agreement": float(agreement)}


def measure_distances(n_paths: str) -> dict[str, float]:
    """Measure the distances between distinct paths by longest common subsequence.

    Parameters
    ----------
    n_paths : str
        Distinct paths.

    Returns
    -------
    dict of str to float
        Seconds for all, and for as many pairs by plain Python as one second allows, scaled up.
    """
    import time

    from cxlib.journeys.kinds.distances import measure_lcs

    grid, _ = draw_journeys(20 * int(n_paths))
    texts = {"".join(chr(0x10000 + x) for x in row if x >= 0) for row in grid}
    paths = sorted(texts)[: int(n_paths)]
    assert len(paths) == int(n_paths)
    laps = Laps()
    measure_lcs(paths)
    laps.end("lcs")
    started, pairs = time.perf_counter(), 0
    while time.perf_counter() - started < 1:
        _count_common(paths[pairs % len(paths)], paths[pairs * 7 % len(paths)])
        pairs += 1
    seconds = (time.perf_counter() - started) / pairs * len(paths) ** 2 / 2
    return laps.seconds | {"plain python": seconds}


def _count_common(one: str, other: str) -> int:
    row = [0] * (len(other) + 1)
    for a in one:
        before = 0
        for i, b in enumerate(other, 1):
            before, row[i] = row[i], before + 1 if a == b else max(row[i], row[i - 1])
    return row[-1]


TASKS = {
    "sort": sort_plainly,
    "tables": make_tables,
    "kinds": fit_kinds,
    "distances": measure_distances,
}
SHARED = ("steps", "transitions", "step matrix", "funnel")  # what retentioneering makes as well


def measure(n_events: int, foreign: dict[str, str]) -> None:
    """Print a line for every table, for all of them, and for each foreign library.

    Parameters
    ----------
    n_events : int
        Rows.
    foreign : dict of str to str
        Python to run, by library.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.parquet"
        write_events(path, n_events)
        sort = run_alone(MODULE, "sort", str(path))["laps"]["plain sort"]
        ours = run_alone(MODULE, "tables", str(path))
        for name, seconds in ours["laps"].items():
            print_measurement(name, n_events, seconds, "plain sort", sort, ours["peak_mb"])
        total = sum(ours["laps"].values())
        print_measurement("tables", n_events, total, "plain sort", sort, ours["peak_mb"])
        for library, python in foreign.items():
            seconds, _ = run_foreign(python, library, str(path))
            print_measurement("tables", n_events, total, library, seconds, ours["peak_mb"])
            shared = sum(ours["laps"][name] for name in SHARED)
            print_measurement("shared tables", n_events, shared, library, seconds, ours["peak_mb"])


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000, help="rows to generate")
    parser.add_argument("--journeys", type=int, default=0, help="journeys to find kinds of instead")
    parser.add_argument("--paths", type=int, default=0, help="paths to compare instead")
    parser.add_argument("--retentioneering", default="", help="a Python with retentioneering 5.2.4")
    parser.add_argument("--pm4py", default="", help="a Python with pm4py")
    parser.add_argument("--task", default="", help=argparse.SUPPRESS)
    parser.add_argument("arguments", nargs="*", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.task:
        report_task(TASKS[given.task], *given.arguments)
        return
    if given.journeys:
        told = run_alone(MODULE, "kinds", str(given.journeys))
        steps, seconds = told["laps"]["steps"], told["laps"]["segments"]
        print_measurement("segments", given.journeys, seconds, "steps", steps, told["peak_mb"])
    if given.paths:
        told = run_alone(MODULE, "distances", str(given.paths))
        lcs, plain = told["laps"]["lcs"], told["laps"]["plain python"]
        print_measurement("distances", given.paths, lcs, "plain python", plain, told["peak_mb"])
    if given.journeys or given.paths:
        return
    named = {"retentioneering": given.retentioneering, "pm4py": given.pm4py}
    measure(given.events, {name: python for name, python in named.items() if python})


if __name__ == "__main__":
    main()
