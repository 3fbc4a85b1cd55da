"""Curves at size: ``python -m benchmarks.curves --customers 100_000_000``.

Generates lifetimes in DuckDB (1,095 days, five plans, three in ten entered late) and measures,
each in a process of its own: the counting in the engine against DuckDB's plain group-by of the
same file, and what follows on the counts, curves with intervals, restricted means with their
differences and log-rank tests of the five plans, against lifelines' Kaplan-Meier curves alone,
from NumPy arrays.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.measure import Laps, print_measurement, report_task, run_alone

MODULE = "benchmarks.curves"
LIFELINES_MOST = 10_000_000  # about 10 GB in lifelines


def write_lifetimes(path: Path, n_customers: int) -> None:
    """Write lifetimes without order: hashes decide who stays how long.

    Parameters
    ----------
    path : pathlib.Path
        Parquet file to write.
    n_customers : int
        Rows.
    """
    import duckdb

    duckdb.connect().execute(
        f"""COPY (
          WITH drawn AS (SELECT i, hash(i) % 5 AS plan,
            CASE WHEN hash(i * 3 + 1) % 10 < 3 THEN hash(i * 7 + 2) % 700 ELSE 0 END AS entry,
            1 + ceil(-ln((hash(i * 11 + 3) % 1000000 + 1) / 1000001.0)
              * (500 + 60 * (hash(i) % 5)))::BIGINT AS stay,
            1 + hash(i * 13 + 5) % 395 AS seen
            FROM range({n_customers}) AS t(i))
          SELECT 'C' || lpad(i::VARCHAR, 9, '0') AS customer_id, 'plan ' || plan::VARCHAR AS plan,
            entry::SMALLINT AS entry_days,
            (entry + least(stay, 1 + seen))::SMALLINT AS duration_days,
            stay <= 1 + seen AS churned
          FROM drawn) TO '{path}' (FORMAT parquet)"""
    )


def group_plainly(path: str) -> dict[str, float]:
    """Count the rows of the file by plan, days and end in DuckDB.

    Parameters
    ----------
    path : str
        Parquet file of lifetimes.

    Returns
    -------
    dict of str to float
        Seconds by lap.
    """
    import duckdb

    laps = Laps()
    duckdb.connect().execute(
        f"""SELECT entry_days, duration_days, churned, plan, count(*) AS n FROM '{path}'
        GROUP BY ALL ORDER BY duration_days"""
    ).arrow()
    laps.end("plain group-by")
    return laps.seconds


def make_curves(path: str) -> dict[str, float]:
    """Count in the engine, then draw everything from the counts.

    Parameters
    ----------
    path : str
        Parquet file of lifetimes.

    Returns
    -------
    dict of str to float
        Seconds by lap.
    """
    from cxlib.churn.curves.compare import compare_groups
    from cxlib.churn.curves.counts import count_lifetimes
    from cxlib.churn.curves.curves import fit_survival
    from cxlib.churn.curves.rmst import compare_rmst, fit_rmst
    from cxlib.data.connect import open_engine

    laps = Laps()
    counts = count_lifetimes(open_engine().read_parquet(path), by="plan")
    laps.end("counts")
    fit_survival(counts, by="group")
    laps.end("survival")
    compare_rmst(fit_rmst(counts, by="group", horizon_days=365))
    laps.end("rmst")
    compare_groups(counts, by="group")
    laps.end("log-rank")
    return laps.seconds


def fit_lifelines(path: str, n_rows: str) -> dict[str, float]:
    """Fit lifelines' Kaplan-Meier curve with entry to all and to each plan.

    Parameters
    ----------
    path : str
        Parquet file of lifetimes.
    n_rows : str
        Rows to take from its beginning.

    Returns
    -------
    dict of str to float
        Seconds by lap, reading not counted.
    """
    import duckdb
    from lifelines import KaplanMeierFitter

    query = f"SELECT plan, entry_days, duration_days, churned FROM '{path}' LIMIT {int(n_rows)}"
    data = duckdb.connect().execute(query).fetchnumpy()
    plans = set(data["plan"])
    laps = Laps()
    for plan in (None, *sorted(plans)):
        rows = slice(None) if plan is None else data["plan"] == plan
        KaplanMeierFitter().fit(
            data["duration_days"][rows],
            event_observed=data["churned"][rows],
            entry=data["entry_days"][rows],
        )
    laps.end("lifelines")
    return laps.seconds


TASKS = {"group": group_plainly, "curves": make_curves, "lifelines": fit_lifelines}


def measure_curves(n_customers: int) -> None:
    """Print a line for the counting, one for what follows, and one for both.

    Parameters
    ----------
    n_customers : int
        Rows.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lifetimes.parquet"
        write_lifetimes(path, n_customers)
        plain = run_alone(MODULE, "group", str(path))["laps"]["plain group-by"]
        ours = run_alone(MODULE, "curves", str(path))
        n_theirs = min(n_customers, LIFELINES_MOST)
        theirs = run_alone(MODULE, "lifelines", str(path), str(n_theirs))["laps"]["lifelines"]
    yardstick = "lifelines" if n_theirs == n_customers else f"lifelines, {n_theirs:,} rows"
    counting, peak = ours["laps"].pop("counts"), ours["peak_mb"]
    after = sum(ours["laps"].values())
    print_measurement("counts", n_customers, counting, "plain group-by", plain, peak)
    print_measurement("curves", n_customers, after, yardstick, theirs, peak)
    print_measurement("counts and curves", n_customers, counting + after, yardstick, theirs, peak)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", description=__doc__)
    parser.add_argument("--customers", type=int, default=10_000_000, help="rows to generate")
    parser.add_argument("--task", default="", help=argparse.SUPPRESS)
    parser.add_argument("arguments", nargs="*", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.task:
        report_task(TASKS[given.task], *given.arguments)
        return
    measure_curves(given.customers)


if __name__ == "__main__":
    main()
