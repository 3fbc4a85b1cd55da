"""Groups one had to stay for to get into: nobody leaves them at first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from cxlib.churn.curves.counts import count_risk_sets
from cxlib.churn.lifetimes import check_lifetimes, label_groups, label_levels
from cxlib.churn.records.late_entry import read_days
from cxlib.stats import Floats

Integers = NDArray[np.integer]

# The whole family of an attribute (levels, clocks, days) gives a false alarm this often at most.
FALSE_ALARM = 0.01
# A pace that rises by less than from a third to all is taken for a difference that grows.
GUARANTEE_SHARE = 1 / 3
EXPECTED_EARLY = 5.0
ENDS_LATER = 10
N_PARTS = 20
MOST_LEVELS = 10


@dataclass(frozen=True)
class GuaranteeTime:
    """A level in which nearly nobody leaves at first, although they do later and others do.

    Parameters
    ----------
    by, level : str
        Column and level.
    clock : str
        ``"days since entry"``, or ``"calendar"``.
    until : str
        The day before which they stay: a number of days, or a date.
    n_ended : int
        Members who left before it.
    n_expected : float
        Ends before it that the level's own later pace lets expect.
    p_value : float
        Probability of so few, corrected for the levels, clocks and days looked at.
    """

    by: str
    level: str
    clock: str
    until: str
    n_ended: int
    n_expected: float
    p_value: float


def detect_guarantee(
    lifetimes: pd.DataFrame, *, by: str, min_cell: int = 10
) -> GuaranteeTime | None:
    """Tell whether a level looks as if one had to stay for a while to get into it.

    Parameters
    ----------
    lifetimes : pandas.DataFrame, one row per lifetime
        Columns `customer_id`, `duration_days`, `churned`, `by`; `started_at` for the second clock;
        `spell` when returns are among them, which they should be.
    by : str
        An attribute of unknown origin. Numbers with more than ten values are cut at the quartiles.
    min_cell : int, default 10
        Lifetimes a level needs.

    Returns
    -------
    GuaranteeTime or None
        The clearest case; None when there is none.

    Raises
    ------
    InputError
        When the column is missing.
    TooLittleData
        When nobody churned.

    Notes
    -----
    Whoever enters a group w days after the origin has stayed w days for certain, so that the
    group loses nobody at first and loses members at its own pace once all have joined. Time runs
    since each lifetime entered observation, or by the calendar (a survey goes out to all on one
    day), and is cut into twenty parts with equally many ends. In each part the ends O of the level
    and of the others are compared with the ends E that the hazard by age of all together lets
    expect. Given the ends of both, those of the level are binomial with the odds c E / E' if it
    leaves at c times the pace of the others throughout; a score test tells whether c rises from
    part to part. A level is reported when it does, at 1 % for all levels and clocks together
    (Bonferroni), and when in some first parts five ends or more are expected from the pace of
    the parts after them and less than a third of them came. Only the last lifetime of a customer
    counts: a lifetime before a return is in a group formed in the return.

    A contract with a minimum term looks the same and is known at the start; only the analyst can
    tell. Groups that most enter within days are not found.

    References
    ----------
    .. [1] S. Suissa (2008). Immortal time bias in pharmacoepidemiology. American Journal of
           Epidemiology 167, 492-499.
    .. [2] A. Giobbie-Hurder, R. D. Gelber, M. M. Regan (2013). Challenges of guarantee-time bias.
           Journal of Clinical Oncology 31, 2963-2969.
    .. [3] N. E. Breslow, N. E. Day (1987). Statistical Methods in Cancer Research II, section 3.6.
    """
    table = check_lifetimes(lifetimes)
    if "spell" in table.columns:  # a customer who came back stayed until then for certain
        table = table[table["spell"] == table.groupby("customer_id")["spell"].transform("max")]
    table = table.reset_index(drop=True)
    levels = _read_levels(table, by)
    code = levels.cat.codes.to_numpy() + 1  # 0 stands for no value
    names = [str(name) for name in levels.cat.categories]
    sizes = np.bincount(code, minlength=len(names) + 1)[1:]
    found = []
    for clock, cuts, ages in _list_cuts(table):
        so_far = _count_ends(table, ages, code, len(names) + 1)
        for j in np.flatnonzero(sizes >= max(min_cell, 1)):
            mine, others = so_far[:, :, j + 1], so_far.sum(axis=2) - so_far[:, :, j + 1]
            p_value = _test_rise(np.diff(mine, axis=0), np.diff(others, axis=0))
            expected = _expect_early(mine, others)
            few = (expected >= EXPECTED_EARLY) & (mine[:, 0] < GUARANTEE_SHARE * expected)
            few[N_PARTS // 2 + 1 :] = False  # a low end is no beginning
            if few.any():
                share = (mine[few, 0] + 0.5) / expected[few]
                best = np.flatnonzero(few)[share.argmin()]
                found.append((p_value, names[j], clock, cuts[best], mine[best, 0], expected[best]))
    n_tests = 2 * int((sizes >= max(min_cell, 1)).sum())
    shown = [row for row in found if row[0] * n_tests < FALSE_ALARM]
    if not shown:
        return None
    p_value, name, clock, cut, n_ended, n_expected = min(shown)
    moment = pd.Timestamp(0) + pd.Timedelta(days=cut)
    until = f"{cut:g} days" if clock != "calendar" else f"{moment.date()}"
    return GuaranteeTime(
        by, name, clock, until, int(n_ended), float(n_expected), min(p_value * n_tests, 1.0)
    )


def _read_levels(table: pd.DataFrame, by: str) -> pd.Series:
    """Label the levels; a measurement is cut into quarters."""
    if by in table.columns and table[by].nunique() > MOST_LEVELS:
        numbers = pd.to_numeric(table[by], errors="coerce")
        if (numbers.notna() == table[by].notna()).all():
            quarters = pd.qcut(numbers.astype(float), 4, duplicates="drop")
            return quarters.cat.rename_categories(str)
    if by not in table.columns:
        return label_groups(table, by=by)  # says what there is instead
    return label_levels(table[by])


def _list_cuts(table: pd.DataFrame) -> Iterator[tuple[str, Floats, list[Floats]]]:
    """Give, for both clocks, the days at which time is cut and the age of each lifetime on them."""
    churned = table["churned"].to_numpy(bool)
    entry, duration = (table[name].to_numpy(float) for name in ("entry_days", "duration_days"))
    clocks = [("days since entry", entry)]
    if "started_at" in table.columns:
        clocks.append(("calendar", -read_days(table["started_at"]).to_numpy(float)))
    for clock, origin in clocks:
        ends = (duration - origin)[churned]
        shares = np.arange(1, N_PARTS) / N_PARTS
        cuts = np.unique(np.nanquantile(ends, shares, method="lower"))
        days = np.concatenate([[-np.inf], cuts, [np.inf]])
        yield clock, days, [np.clip(origin + day, entry, duration) for day in days]


def _count_ends(table: pd.DataFrame, ages: list[Floats], code: Integers, n_codes: int) -> Floats:
    """Count, by code, the ends until each of some ages and those to be expected by then."""
    counts = count_risk_sets(table)
    hazard = np.append(0.0, (counts["n_churned"] / counts["n_at_risk"].clip(lower=1)).cumsum())
    times = counts["time_days"].to_numpy()
    entry, duration = (table[name].to_numpy(float) for name in ("entry_days", "duration_days"))
    churned = table["churned"].to_numpy(bool)
    at_entry = np.where(entry > 0, hazard[np.searchsorted(times, entry, side="right")], 0.0)
    cells = []
    for age in ages:
        seen = age > entry  # day 0 belongs to the first part
        lived = (hazard[np.searchsorted(times, age, side="right")] - at_entry) * seen
        ended = churned & (duration <= age) & seen
        cells.append([np.bincount(code, row, n_codes) for row in (ended, lived)])
    return np.array(cells)


def _expect_early(mine: Floats, others: Floats) -> Floats:
    """Expect the ends of a level until each cut from its own pace after it."""
    late, late_others = mine[-1] - mine, others[-1] - others
    # a pace is known from ten ends or so
    known = (np.minimum(late[:, 0], late_others[:, 0]) >= ENDS_LATER) & (others[:, 1] > 0)
    expected = np.zeros(len(mine))
    own = late[known, 0] / late[known, 1]
    before = others[known, 0] / others[known, 1]
    after = late_others[known, 0] / late_others[known, 1]
    expected[known] = mine[known, 1] * own * before / after
    return expected


def _test_rise(mine: Floats, others: Floats) -> float:
    """Test whether the level loses more and more against the others, part after part."""
    known = (mine[:, 1] > 0) & (others[:, 1] > 0)
    parts, ended, n = np.flatnonzero(known), mine[known, 0], (mine + others)[known, 0]
    if not 0 < ended.sum() < n.sum():
        return 1.0
    offset = np.log(mine[known, 1] / others[known, 1])
    pace = np.log(ended.sum() / (n.sum() - ended.sum())) - np.average(offset, weights=n)
    for _ in range(50):
        chance = 1 / (1 + np.exp(-(offset + pace)))
        weight = n * chance * (1 - chance)
        pace += np.clip((ended - n * chance).sum() / weight.sum(), -1, 1)
    centred = parts - np.average(parts, weights=weight)
    spread = float((weight * centred**2).sum())
    return (
        float(stats.norm.sf((centred * (ended - n * chance)).sum() / np.sqrt(spread)))
        if spread
        else 1.0
    )
