"""Cox at size: ``python -m benchmarks.churn --rows 616_000``.

Draws customers in three stretches each (start, stop] with late entry, ties and covariates that
change, and measures, each in a process of its own, the fit and the one with standard errors by
customer against lifelines' CoxTimeVaryingFitter and, with ``--r``, against R's coxph. A ratio is
printed only when the coefficients and standard errors agree. ``--curves N`` measures the
curves of N customers instead.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import Laps, print_measurement, report_task, run_alone

MODULE = "benchmarks.churn"
MOST_FOR_LIFELINES = 616_000  # about a minute; beyond, its time for these is scaled up
LEAD = ("customer", "start", "stop", "churned")
LIFELINES_DIGITS = 1e-4  # it stops its steps early
R_DIGITS = 1e-6


def write_rows(path: Path, n_rows: int, n_covariates: int) -> int:
    """Write start-stop rows, one column of doubles after the other.

    Parameters
    ----------
    path : pathlib.Path
        File to write.
    n_rows : int
        Rows wanted; stretches of no days are left out, and customers drawn in their place.
    n_covariates : int
        Covariates, at least three: one changes with the stretch, two are yes or no.

    Returns
    -------
    int
        Ends.
    """
    rng = np.random.default_rng(4)
    n = n_rows // 3 + n_rows // 100 + 10  # some stretches are of no days
    x = rng.normal(size=(n_covariates, n))
    x[1:3] = x[1:3] > 0.5
    entry = np.where(rng.random(n) < 0.3, rng.integers(1, 200, n), -1.0)
    left = np.maximum(entry, 0) + np.ceil(rng.exponential(900 * np.exp(-0.3 * x[0] - 0.5 * x[1])))
    seen = np.maximum(entry, 0) + rng.integers(30, 1_095, n)
    stop, churned = np.minimum(left, seen), left <= seen
    inner = np.sort(rng.random((2, n)), axis=0) * (stop - entry)
    limits = np.vstack([entry, np.floor(entry + inner), stop])
    columns = [np.tile(np.arange(n), 3), limits[:3].ravel(), limits[1:].ravel()]
    columns.append(np.repeat([False, False, True], n) & np.tile(churned, 3))
    kept = np.flatnonzero(columns[1] < columns[2])
    by_customer = np.argsort(columns[0][kept], kind="stable")[:n_rows]
    kept = kept[by_customer]
    with path.open("wb") as file:
        for column in columns:
            column[kept].astype(float).tofile(file)
        for j, column in enumerate(x):
            values = np.tile(column, 3)
            values[n : 2 * n] += (j == 0) * 1.0
            values[kept].tofile(file)
    return int(columns[3][kept].sum())


def read_rows(path: str, n_rows: str, most: int | None = None) -> dict[str, Any]:
    """Read what `write_rows` wrote.

    Parameters
    ----------
    path : str
        The file.
    n_rows : str
        Rows in it.
    most : int, optional
        Rows wanted; all by default.

    Returns
    -------
    dict of str to ndarray
        The columns by name.
    """
    columns = np.fromfile(path).reshape(-1, int(n_rows))[:, :most]
    names = [*LEAD, *(f"x{j + 1}" for j in range(len(columns) - len(LEAD)))]
    return dict(zip(names, columns, strict=True))


def fit_ours(path: str, n_rows: str, most: str) -> dict[str, float]:
    """Fit with `cxlib`, plainly and by customer.

    Parameters
    ----------
    path : str
        File of the rows.
    n_rows : str
        Rows in it.
    most : str
        Rows to fit.

    Returns
    -------
    dict of str to float
        Seconds by lap; estimates and both standard errors go into a file beside the rows.
    """
    import pandas as pd

    from cxlib.churn.hazard.cox import fit_cox

    columns = read_rows(path, n_rows, int(most))
    customers, start, stop, churned = (columns.pop(name) for name in LEAD)
    rows = (start, stop, churned.astype(bool), pd.DataFrame(columns))
    laps = Laps()
    plain = fit_cox(*rows)
    laps.end("plain")
    robust = fit_cox(*rows, clusters=customers.astype(int))
    laps.end("by customer")
    errors = [np.sqrt(np.diag(fit.covariance)) for fit in (plain, robust)]
    np.savetxt(f"{path}.ours.csv", np.transpose([plain.estimates, *errors]), delimiter=",")
    return laps.seconds


def fit_lifelines(path: str, n_rows: str, most: str) -> dict[str, float]:
    """Fit with lifelines.

    Parameters
    ----------
    path : str
        File of the rows.
    n_rows : str
        Rows in it.
    most : str
        Rows to fit.

    Returns
    -------
    dict of str to float
        Seconds by lap; estimates and standard errors go into a file beside the rows.
    """
    import pandas as pd
    from lifelines import CoxTimeVaryingFitter

    table = pd.DataFrame(read_rows(path, n_rows, int(most)))
    fitter = CoxTimeVaryingFitter()
    laps = Laps()
    fitter.fit(table, id_col="customer", event_col="churned", start_col="start", stop_col="stop")
    laps.end("plain")
    found = np.transpose([fitter.params_, fitter.standard_errors_])
    np.savetxt(f"{path}.lifelines.csv", found, delimiter=",")
    return laps.seconds


def run_coxph(path: Path, n_rows: int, n_covariates: int) -> dict[str, float]:
    """Fit with R's coxph.

    Parameters
    ----------
    path : pathlib.Path
        File of the rows.
    n_rows, n_covariates : int
        Its shape.

    Returns
    -------
    dict of str to float
        Seconds by lap; estimates and both standard errors go into a file beside the rows.
    """
    script = str(Path(__file__).parent / "with_coxph.R")
    command = ["Rscript", script, str(path), str(n_rows), str(n_covariates), f"{path}.r.csv"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def check_equal(path: Path, other: str, digits: float) -> None:
    """Stop when another program found other numbers.

    Parameters
    ----------
    path : pathlib.Path
        File of the rows; the numbers are beside it.
    other : str
        ``lifelines`` or ``r``.
    digits : float
        Difference allowed.

    Raises
    ------
    SystemExit
        When they differ by more.
    """
    files = (f"{path}.{name}.csv" for name in ("ours", other))
    ours, theirs = (np.loadtxt(file, delimiter=",", ndmin=2) for file in files)
    apart = np.abs(ours[:, : theirs.shape[1]] - theirs)
    if not apart.max() <= digits:
        raise SystemExit(f"{other}: numbers differ by {apart.max():.2g}, no ratio")


TASKS = {"ours": fit_ours, "lifelines": fit_lifelines}


def measure(n_rows: int, n_covariates: int, *, with_r: bool) -> None:
    """Print a line for every fit and yardstick.

    Parameters
    ----------
    n_rows, n_covariates : int
        Shape of the rows.
    with_r : bool
        Whether R is a yardstick too.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.bin"
        n_ends = write_rows(path, n_rows, n_covariates)
        print(f"{n_rows:,} rows, {n_covariates} covariates, {n_ends:,} ends", file=sys.stderr)
        shape, most = (str(path), str(n_rows)), min(n_rows, MOST_FOR_LIFELINES)
        ours = run_alone(MODULE, "ours", *shape, str(n_rows))
        laps, peak = ours["laps"], ours["peak_mb"]
        if with_r:
            theirs = run_coxph(path, n_rows, n_covariates)
            check_equal(path, "r", R_DIGITS)
            for lap, name in (("plain", "cox"), ("by customer", "cox by customer")):
                print_measurement(name, n_rows, laps[lap], "R coxph", theirs[lap], peak)
        if most < n_rows:
            run_alone(MODULE, "ours", *shape, str(most))  # its numbers are compared
        theirs = run_alone(MODULE, "lifelines", *shape, str(most))["laps"]
        check_equal(path, "lifelines", LIFELINES_DIGITS)
        name = "lifelines" if most == n_rows else f"lifelines, from {most:,} rows"
        print_measurement("cox", n_rows, laps["plain"], name, theirs["plain"] * n_rows / most, peak)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}", description=__doc__)
    parser.add_argument("--rows", type=int, default=616_000, help="start-stop rows to draw")
    parser.add_argument("--covariates", type=int, default=6, help="covariates, at least three")
    parser.add_argument("--r", action="store_true", help="R's coxph is a yardstick too")
    curves_help = "measure curves of so many customers instead"
    parser.add_argument("--curves", type=int, nargs="?", const=10_000_000, help=curves_help)
    parser.add_argument("--task", default="", help=argparse.SUPPRESS)
    parser.add_argument("arguments", nargs="*", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.task:
        report_task(TASKS[given.task], *given.arguments)
        return
    if given.curves:
        from benchmarks.curves import measure_curves

        measure_curves(given.curves)
        return
    if given.r and shutil.which("Rscript") is None:
        print("there is no Rscript: without R", file=sys.stderr)
    with_r = given.r and shutil.which("Rscript") is not None
    measure(given.rows, given.covariates, with_r=with_r)


if __name__ == "__main__":
    main()
