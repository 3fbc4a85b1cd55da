"""Printed tables of gaps, held against their own numbers."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.errors import InputError
from cxlib.schema import check_table

_POINTS = ("expectation", "perception", "gap", "conf_low", "conf_high")  # printed alike
_NUMBERS = (*_POINTS, "statistic", "std_error", "effect_size", "p_value", "n")
Range = tuple[float, float]


def check_published(table: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Check a published or bought table of gaps against itself.

    Parameters
    ----------
    table : pandas.DataFrame, one row per item or dimension
        Columns `name`, and whatever was printed of `expectation`, `perception`, `gap`,
        `conf_low`, `conf_high`, `statistic` (paired t), `std_error`, `effect_size` (d_z),
        `p_value`, `n`. Numbers as text keep their printed decimals.
    conf_level : float, default 0.95
        Level of the printed intervals.

    Returns
    -------
    pandas.DataFrame
        One row per check that could be made: `name`, `check`, `printed`, `implied_low`,
        `implied_high` (what the row's other numbers allow, roundings considered), `agrees`,
        `note`.

    Raises
    ------
    InputError
        When a column is missing, a cell is no number, or nothing can be checked.

    Notes
    -----
    A number printed with d decimals stands for anything within half a unit of the last; every
    check asks whether some numbers within these ranges agree: gap = perception - expectation;
    the middle of the interval is the gap; t = gap / standard error, the latter half the
    interval over Student's quantile at n - 1 (the normal one without n), or as printed;
    d_z = t / sqrt(n); p of t. A number that disagrees and equals that of the row above is
    noted as a likely copy.

    References
    ----------
    .. [1] N. J. L. Brown, J. A. J. Heathers (2017). The GRIM test. Social Psychological and
           Personality Science 8, 363-369.
    .. [2] M. B. Nuijten et al. (2016). The prevalence of statistical reporting errors in
           psychology. Behavior Research Methods 48, 1205-1226.

    Examples
    --------
    >>> table = pd.DataFrame({"name": ["a"], "expectation": ["4.5"], "perception": ["4.1"]})
    >>> check_published(table.assign(gap=["-0.6"]))[["check", "agrees"]].to_numpy().tolist()
    [['gap = perception - expectation', False]]
    """
    check_table(table, ("name",), table="published")
    numbers = [name for name in _NUMBERS if name in table.columns]
    texts = table[numbers].apply(lambda column: _texts(column, table["name"]))
    decimals = texts.map(lambda text: float(len(re.sub(r"^[^.]*\.?", "", text))))
    is_number = [pd.api.types.is_numeric_dtype(table[name]) for name in numbers]
    # numbers lose trailing zeros, so the most decimals hold for all that are printed alike
    for column in [name for name, is_it in zip(numbers, is_number, strict=True) if is_it]:
        alike = [c for c in _POINTS if c in numbers] if column in _POINTS else [column]
        decimals[column] = decimals[alike].max(axis=None)
    if "n" in numbers:
        decimals["n"] = np.inf
    cells = {name: _ranges(texts[name], decimals[name]) for name in numbers}
    rows = []
    for place, name in enumerate(table["name"].astype(str)):
        row = {column: cells[column][place] for column in numbers}
        known = {column: value for column, value in row.items() if value is not None}
        for check, column, implied in _imply(known, conf_level):
            low, high = known[column]
            slack = 1e-9 * max(1.0, abs(low))
            agrees = implied[0] <= high + slack and implied[1] >= low - slack
            above = cells[column][place - 1] if place else None
            note = "equals the row above" if not agrees and above == known[column] else ""
            rows.append((name, check, (low + high) / 2, *implied, agrees, note))
    if not rows:
        raise InputError(
            "Nothing can be checked.",
            f"table 'published', has {list(table.columns)}",
            "give expectation, perception and gap, or gap, interval and t",
        )
    columns = ["name", "check", "printed", "implied_low", "implied_high", "agrees", "note"]
    return pd.DataFrame(rows, columns=columns)


def describe_published(checks: pd.DataFrame) -> str:
    """Say how many printed numbers disagree with their own row.

    Parameters
    ----------
    checks : pandas.DataFrame
        From `check_published`.

    Returns
    -------
    str
        One sentence, and one on each of the first three that disagree.
    """
    wrong = checks[~checks["agrees"]]
    if not len(wrong):
        return f"All {len(checks)} checks agree within rounding."
    told = [
        f"{row.name}: {row.check} is printed as {row.printed:g}, the row's other numbers give "
        f"{row.implied_low:.3g} to {row.implied_high:.3g}{f' ({row.note})' if row.note else ''}."
        for row in wrong.head(3).itertuples(index=False)
    ]
    return f"{len(wrong)} of {len(checks)} checks disagree. {' '.join(told)}"


def _texts(column: pd.Series, names: pd.Series) -> pd.Series:
    """Write every cell as printed, empty where nothing is."""
    texts = column.map(lambda cell: "" if pd.isna(cell) else str(cell).strip())
    texts = texts.str.replace("\u2212", "-", regex=False)
    wrong = ~texts.str.fullmatch(r"([+-]?(\d+\.?\d*|\.\d+))?")
    if wrong.any():
        raise InputError(
            f"'{texts[wrong].iloc[0]}' is no number.",
            f"table 'published', row '{names[wrong].iloc[0]}', column '{column.name}'",
            "write numbers with a decimal point and without stars",
        )
    return texts


def _ranges(texts: pd.Series, decimals: pd.Series) -> list[Range | None]:
    """Return what every printed number stands for; None where nothing is printed."""
    return [
        (float(text) - 0.5 * 10.0**-d, float(text) + 0.5 * 10.0**-d) if text else None
        for text, d in zip(texts, decimals, strict=True)
    ]


def _imply(known: dict[str, Range], conf_level: float) -> list[tuple[str, str, Range]]:
    """List the checks of one row: name, column that is checked, range the others allow."""
    checks: list[tuple[str, str, Range]] = []
    if {"expectation", "perception", "gap"} <= known.keys():
        (e_low, e_high), (p_low, p_high) = known["expectation"], known["perception"]
        implied = (p_low - e_high, p_high - e_low)
        checks.append(("gap = perception - expectation", "gap", implied))
    has_interval = {"conf_low", "conf_high"} <= known.keys()
    if has_interval and "gap" in known:
        (low, low_end), (high, high_end) = known["conf_low"], known["conf_high"]
        implied = ((low + high) / 2, (low_end + high_end) / 2)
        checks.append(("gap = middle of the interval", "gap", implied))
    n = known["n"][0] if "n" in known else np.inf
    error = known.get("std_error")
    if error is None and has_interval and n > 1:
        quantile = stats.t.ppf(0.5 + conf_level / 2, n - 1)
        (low, low_end), (high, high_end) = known["conf_low"], known["conf_high"]
        error = (max(high - low_end, 0) / 2 / quantile, (high_end - low) / 2 / quantile)
    if "statistic" in known and error is not None and "gap" in known:
        checks.append(("t = gap / standard error", "statistic", _divide(known["gap"], error)))
    if "statistic" in known and "effect_size" in known and np.isfinite(n):
        low, high = (end / np.sqrt(n) for end in known["statistic"])
        checks.append(("d_z = t / sqrt(n)", "effect_size", (low, high)))
    if "statistic" in known and "p_value" in known and n > 1:
        low, high = known["statistic"]
        nearest = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
        ends = (max(abs(low), abs(high)), nearest)
        least, most = (float(2 * stats.t.sf(end, n - 1)) for end in ends)
        checks.append(("p of t", "p_value", (least, most)))
    return checks


def _divide(top: Range, bottom: Range) -> Range:
    """Return the range of a quotient whose lower part is not negative."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = [np.divide(a, b) for a in top for b in bottom]
    return float(np.nanmin(ends)), float(np.nanmax(ends))
