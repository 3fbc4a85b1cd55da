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

from benchmarks.measure import Laps, one_thread_env, print_measurement, report_task, run_alone

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
    import ibis

    from cxlib import journeys

    laps = Laps()
    log = journeys.add_journeys(ibis.duckdb.connect().read_parquet(path), as_of=AS_OF)
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
    journeys.count_features(walks)
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
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=one_thread_env())
    told = json.loads(done.stdout.strip().splitlines()[-1])
    return float(told["seconds"]), float(told["peak_mb"])


TASKS = {"sort": sort_plainly, "tables": make_tables}


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


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000, help="rows to generate")
    parser.add_argument("--retentioneering", default="", help="a Python with retentioneering 5.2.4")
    parser.add_argument("--pm4py", default="", help="a Python with pm4py")
    parser.add_argument("--task", default="", help=argparse.SUPPRESS)
    parser.add_argument("arguments", nargs="*", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.task:
        report_task(TASKS[given.task], *given.arguments)
        return
    named = {"retentioneering": given.retentioneering, "pm4py": given.pm4py}
    measure(given.events, {name: python for name, python in named.items() if python})


if __name__ == "__main__":
    main()
