"""The gap study at size: ``python -m benchmarks.gaps --respondents 200_000``.

Generates a survey of 40 items in three roles (expectation, perception, importance) and an outcome,
ten touchpoints, eight dimensions, a few per cent left out, and measures, each in a process of its
own: the audit of the export, and the whole notebook `expectation_gaps` with its bootstraps, against
what analysts do by hand, pandas' pivot of the same answers and SciPy's paired t-test of each item.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
from pathlib import Path

from benchmarks.measure import Laps, print_measurement, report_task, run_alone

MODULE = "benchmarks.gaps"
N_ITEMS = 40
_BOOK = """\
name: A large survey
as_of: 2025-12-31
tables:
  answers: {source: answers.parquet}
  items: {source: items.csv}
"""


def write_survey(folder: Path, n_respondents: int) -> None:
    """Write answers without order, the table of items and a workbook.

    Parameters
    ----------
    folder : pathlib.Path
        Where to write.
    n_respondents : int
        Respondents.
    """
    import duckdb

    # a person's habit, an item's level and luck, all from hashes; the outcome goes with three items
    duckdb.connect().execute(
        f"""COPY (
          WITH person AS (SELECT r, 2.0 * (hash(r) % 1000) / 1000 - 1 AS habit
            FROM range({n_respondents}) AS t(r)),
          answer AS (SELECT r, 'item' || lpad(i::VARCHAR, 2, '0') AS item, role,
            round(4.6 + habit + CASE role WHEN 'perception' THEN -0.02 * i ELSE 0 END
              + 3.0 * (hash(r * 97 + i * 3 + length(role)) % 1000) / 1000 - 1.5) AS value,
            hash(r * 31 + i * 7 + length(role)) % 100 < 3 AS is_out
            FROM person, range({N_ITEMS}) AS s(i),
              (VALUES ('expectation'), ('perception'), ('importance')) AS v(role)
            UNION ALL
            SELECT r, 'recommend', 'outcome',
              round(6 + 2 * habit + 5.0 * (hash(r * 13) % 1000) / 1000 - 2.5), false FROM person)
          SELECT 'R' || lpad(r::VARCHAR, 8, '0') AS respondent_id, item, role,
            least(greatest(value, 1), CASE role WHEN 'outcome' THEN 10 ELSE 7 END)::DOUBLE AS value
          FROM answer WHERE NOT is_out) TO '{folder / "answers.parquet"}' (FORMAT parquet)"""
    )
    rows = ["item,scale_min,scale_max,dimension,touchpoint,expectation_type,timing,metric"]
    rows += [
        f"item{i:02d},1,7,dimension {i % 8},touchpoint {i // 4},should,after,"
        for i in range(N_ITEMS)
    ]
    rows.append("recommend,0,10,,,,,nps")
    (folder / "items.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "cx.yml").write_text(_BOOK, encoding="utf-8")


def pivot_plainly(folder: str) -> dict[str, float]:
    """Pivot the answers in pandas and test every item's gap with SciPy.

    Parameters
    ----------
    folder : str
        From `write_survey`.

    Returns
    -------
    dict of str to float
        Seconds of the pivot with the tests.
    """
    import pandas as pd
    from scipy import stats

    laps = Laps()
    answers = pd.read_parquet(Path(folder) / "answers.parquet")
    wide = answers.pivot(index="respondent_id", columns=["role", "item"], values="value")
    for item in wide["perception"].columns:
        both = [wide[role][item] for role in ("perception", "expectation")]
        stats.ttest_rel(*both, nan_policy="omit")
    laps.end("pandas")
    return laps.seconds


def audit(folder: str) -> dict[str, float]:
    """Read and check the export, as every run does before its kernel starts.

    Parameters
    ----------
    folder : str
        From `write_survey`.

    Returns
    -------
    dict of str to float
        Seconds of the audit.
    """
    from cxlib.data import audit_workbook
    from cxlib.workbook import read_workbook

    laps = Laps()
    audit_workbook(read_workbook(f"{folder}/cx.yml"))
    laps.end("audit")
    return laps.seconds


def run_notebook(folder: str) -> dict[str, float]:
    """Run the whole notebook on the audited survey.

    Parameters
    ----------
    folder : str
        From `write_survey`.

    Returns
    -------
    dict of str to float
        Seconds of the run, and the kernel's peak memory in megabytes as ``kernel_mb``.
    """
    from cxlib.planning.plans import plan_run
    from cxlib.running.runs import execute_run

    os.environ["CX_WARM"] = "0"  # a kernel of its own, whose memory can be read
    laps = Laps()
    plan = plan_run(
        "expectation_gaps", workbook=f"{folder}/cx.yml", given={}, out=Path(folder) / "out"
    )
    run = execute_run(plan)
    laps.end("notebook")
    if not run["status"].startswith("ok"):
        raise SystemExit(f"the run ended as {run['status']}: {run['error']}")
    kernel = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6
    return {**laps.seconds, "kernel_mb": kernel}


TASKS = {"pandas": pivot_plainly, "audit": audit, "notebook": run_notebook}


def main() -> None:
    """Run the benchmark, or one of its tasks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--respondents", type=int, default=200_000)
    parser.add_argument("--task", choices=TASKS)
    parser.add_argument("folder", nargs="?")
    given = parser.parse_args()
    if given.task:
        report_task(TASKS[given.task], given.folder)
        return
    with tempfile.TemporaryDirectory(prefix="cx-gaps-") as folder:
        os.environ["CX_CACHE"] = f"{folder}/cache"
        write_survey(Path(folder), given.respondents)
        plain = run_alone(MODULE, "pandas", folder)["laps"]["pandas"]
        size = given.respondents * N_ITEMS * 3
        for name in ("audit", "notebook"):
            done = run_alone(MODULE, name, folder)
            laps = done["laps"]
            peak = laps.get("kernel_mb", done["peak_mb"])
            yardstick = "pandas pivot and t-tests"
            print_measurement(name, size, laps[name], yardstick, plain, peak)


if __name__ == "__main__":
    main()
