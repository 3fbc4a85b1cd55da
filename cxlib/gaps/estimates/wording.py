"""Findings on gaps in plain sentences, made from the tables and from nothing else."""

from __future__ import annotations

import pandas as pd

from cxlib.gaps.estimates.rankings import SAME_ORDER, SAME_SHARE

RELIABLE_FOR_GROUPS = 0.70
RELIABLE_FOR_ONE = 0.90
SURE = 0.80  # a rank less certain than this is called undecided
_NAMED = 3  # rows a sentence names


def describe_gaps(gaps: pd.DataFrame, *, level: str = "item", conf_level: float = 0.95) -> str:
    """Say where perception falls most short, by how much and how sure that is.

    Parameters
    ----------
    gaps : pandas.DataFrame
        From `summarise_gaps`.
    level : {"item", "dimension", "touchpoint", "stage", "total"}, default "item"
        The rows to speak about.
    conf_level : float, default 0.95
        Level of the intervals in the table.

    Returns
    -------
    str
        One to three sentences.

    Notes
    -----
    A shortfall is shown where the q-value of the row is below 1 - conf_level, or where all
    respondents agree, which leaves nothing to test. The lowest of these is named. "Most short"
    takes a chance (`p_lowest`) of 80 % and no lower row.
    """
    of_level = gaps[gaps["level"].eq(level)]
    rows = of_level[of_level["std_error"].notna()]
    if not len(rows):
        return f"Too few answers to tell any gap by {level} with an interval."
    if level == "total":
        total = _size(rows.iloc[0], conf_level)
        return f"Over everything asked, perception minus expectation is {total}."
    lowest = of_level.loc[of_level["gap"].idxmin()]
    told = f"{_label(lowest)}: {_size(lowest, conf_level)}"
    is_shown = rows["q_value"].lt(1 - conf_level) | rows["std_error"].eq(0)
    short = rows[is_shown & rows["gap"].lt(0)]
    if not len(short):
        corrected = ""
        if lowest["conf_high"] < 0:  # its own interval seems to say otherwise
            corrected = f", corrected for {_comparisons(int(lowest['n_tests']))}"
        return f"No shortfall was shown on any {level}{corrected}; the lowest is {told}."
    first = short.loc[short["gap"].idxmin()]
    rank = _undecided(rows, first, level)
    if lowest["gap"] < first["gap"]:
        return (
            f"The largest clear shortfall is on {_label(first)}: {_size(first, conf_level)}. "
            f"The lowest measured is {told}, but that is uncertain.{rank}"
        )
    opening = "The largest shortfall measured is" if rank else "Perception falls most short"
    return f"{opening} on {_label(first)}: {_size(first, conf_level)}.{rank}"


def describe_clear_gaps(
    gaps: pd.DataFrame, *, level: str = "item", conf_level: float = 0.95
) -> str:
    """Say how many rows of a level clearly fall short or exceed, and how many were tested.

    Parameters
    ----------
    gaps : pandas.DataFrame
        From `summarise_gaps`.
    level : {"item", "dimension", "touchpoint", "stage", "total"}, default "item"
        The rows to speak about.
    conf_level : float, default 0.95
        1 - conf_level bounds the false discovery rate.

    Returns
    -------
    str
        One sentence, and one on rows that cannot be tested because all respondents agree.
    """
    rows = gaps[gaps["level"].eq(level)]
    if not len(rows):
        return f"Too few answers to tell any gap by {level}."
    clear = rows["q_value"].lt(1 - conf_level)
    short, over = int((clear & rows["gap"].lt(0)).sum()), int((clear & rows["gap"].gt(0)).sum())
    agreed = rows[rows["std_error"].eq(0)].sort_values(["gap", "name"]).head(_NAMED)
    named = "; ".join(f"{_label(row)} {row['gap']:+.2f}" for _, row in agreed.iterrows())
    return (
        f"By {level}, {short} of {len(rows)} clearly fall short and {over} clearly exceed "
        f"expectation (corrected for the {_comparisons(int(rows['n_tests'].iloc[0]))} of all "
        f"levels, false discovery rate {100 - 100 * conf_level:g}%)."
        f"{f' Not tested, because all agree: {named}.' if named else ''}"
    )


def describe_views(gaps: pd.DataFrame, *, level: str = "item") -> str:
    """Say whether ranks and top answers tell the same story as the means.

    Parameters
    ----------
    gaps : pandas.DataFrame
        From `summarise_gaps`.
    level : str, default "item"
        The rows to speak about.

    Returns
    -------
    str
        One or two sentences.
    """
    rows = gaps[gaps["level"].eq(level) & gaps["agreement"].ne("")]
    if not len(rows):
        return f"Too few answers to look at the gaps by {level} in another way."
    number = rows[rows["agreement"].str.contains("sign")].sort_values(["agreement", "name"])
    top = rows[rows["agreement"].eq("differ at the top")]
    alike = "the signed-rank test, which asks for their order only, says the same"
    if not len(number):
        told = f"Treating answers as numbers does no harm {_all_of(len(rows), level)}: {alike}."
    else:
        named = "; ".join(
            f"{_label(row)} {row['agreement'].replace('differ', 'differs')} (mean "
            f"{row['gap']:+.2f}, q {_q(row['q_value'])}; ranks {row['rank_effect']:+.2f}, q "
            f"{_q(row['rank_q_value'])})"
            for _, row in number.head(_NAMED).iterrows()
        )
        told = (
            f"By {level}, {len(number)} of {len(rows)} results hang on treating answers as "
            f"numbers; do not rest a decision on the mean alone there: {named}."
        )
    if len(top):
        first = top.loc[top["top_gap"].abs().idxmax()]
        told += (
            f" On {len(top)} of {len(rows)} the share of top answers points the other way than the "
            "mean, for experiences are spread differently from expectations; most on "
            f"{_label(first)}: mean {first['gap']:+.2f}, top answers {100 * first['top_gap']:+.0f} "
            f"percentage points ({100 * first['top_low']:+.0f} to {100 * first['top_high']:+.0f})."
        )
    return told


def describe_trust(gaps: pd.DataFrame, trust: pd.DataFrame, *, conf_level: float = 0.95) -> str:
    """Say how reliable the total gap is, and how much of it is owed to the expectations.

    Parameters
    ----------
    gaps : pandas.DataFrame
        From `summarise_gaps`.
    trust : pandas.DataFrame
        From `summarise_trust`.
    conf_level : float, default 0.95
        Level of the intervals in the tables.

    Returns
    -------
    str
        Up to five sentences.

    Notes
    -----
    By the lower end of its interval a reliability of 0.70 is enough for comparisons of groups,
    0.90 for statements about single respondents.

    References
    ----------
    .. [1] J. C. Nunnally, I. H. Bernstein (1994). Psychometric Theory, 3rd ed., 264-265.
    """
    total = trust[trust["level"].eq("total")].iloc[0]
    ceiling = gaps.loc[gaps["level"].eq("total"), "ceiling_share"].iloc[0]
    if pd.isna(total["alpha_gap"]):
        told = "The reliability of the total gap cannot be told from these answers."
    else:
        told = (
            f"Reliability of the total gap is {total['alpha_gap']:.2f} ({100 * conf_level:g}% "
            f"interval {total['alpha_low']:.2f} to {total['alpha_high']:.2f}; "
            f"{total['classical']:.2f} by the formula for differences), of expectations "
            f"{total['alpha_expectation']:.2f}, of perceptions {total['alpha_perception']:.2f}. "
        )
        low = total[["alpha_low", "classical_low"]].min()
        if low >= RELIABLE_FOR_ONE:
            told += "Even its lower end is enough to compare single respondents, with care."
        elif low >= RELIABLE_FOR_GROUPS:
            told += "By its lower end that is enough for groups, not for single respondents."
        else:
            told += (
                "Means over many respondents stand; single respondents should not be ranked by it."
            )
    if pd.notna(total["correlation"]) and pd.notna(total["expectation_share"]):
        share, low, high = total[["expectation_share", "share_low", "share_high"]].clip(0, 1)
        link, of_share = "no interval", "no interval"
        if pd.notna(low):
            link = f"{total['correlation_low']:+.2f} to {total['correlation_high']:+.2f}"
            of_share = f"{low:.0%} to {high:.0%}"
        told += (
            f" Expectation and perception correlate {total['correlation']:+.2f} ({link}); "
            f"{share:.0%} ({of_share}) of how respondents' gaps differ is owed to expectations."
        )
    if pd.notna(ceiling):
        told += f" {ceiling:.0%} of expectations are at the top of the scale."
    return told


def describe_ranking(
    rankings: pd.DataFrame, *, level: str = "item", conf_level: float = 0.95
) -> str:
    """Say whether the order of the gaps is more than the order of the perceptions.

    Parameters
    ----------
    rankings : pandas.DataFrame
        From `summarise_rankings`.
    level : str, default "item"
        The row to speak about.
    conf_level : float, default 0.95
        Level of the intervals in the table.

    Returns
    -------
    str
        One or two sentences; empty where the level has fewer than three names.

    Notes
    -----
    Noise in the means alone moves the draws of share and order away from "the same", so that the
    rankings differ is said only where names are shown not to be expected alike (`p_value`) and an
    interval shows it as well: the share from 10 % on, or the rank correlation under 0.90.
    """
    rows = rankings[rankings["level"].eq(level)].dropna(subset=["expectation_share"])
    if not len(rows):
        return ""
    row = rows.iloc[0]
    # expectations and perceptions may pull against each other, so shares leave 0 to 1
    share, low, high = row[["expectation_share", "conf_low", "conf_high"]].clip(0, 1)
    part = (
        f"{share:.0%} of how the gaps of {row['n_names']} {level}s differ is owed to "
        f"expectations ({low:.0%} to {high:.0%}), and the order of gaps and the order of "
        f"perceptions correlate {row['rank_correlation']:+.2f} ({row['rank_low']:+.2f} to "
        f"{row['rank_high']:+.2f})"
    )
    order_differs = row["rank_high"] < SAME_ORDER
    is_other = row["p_same"] <= 1 - SURE and row["p_value"] < 1 - conf_level
    is_other &= order_differs or row["conf_low"] >= SAME_SHARE
    if row["p_same"] >= SURE:
        return f"This gap ranking is the perception ranking: {part}."
    if is_other and row["expectation_share"] < SAME_SHARE:
        return (
            f"Expectations hardly shape the gap ranking, yet it is not that of perceptions: {part}."
        )
    if is_other:
        return f"The gap ranking says something else than the perception ranking: {part}."
    return f"Whether the gap ranking is more than the perception ranking is undecided: {part}."


def describe_gap_groups(
    groups: pd.DataFrame, *, min_cell: int, level: str = "total", conf_level: float = 0.95
) -> str:
    """Say whether any group's gap differs from that of all others.

    Parameters
    ----------
    groups : pandas.DataFrame
        From `compare_gap_groups`.
    min_cell : int
        Groups with fewer respondents are not named.
    level : str, default "total"
        The rows to speak about.
    conf_level : float, default 0.95
        Level of the intervals in the table; 1 - conf_level bounds the false discovery rate.

    Returns
    -------
    str
        One to three sentences.
    """
    rows = groups[groups["level"].eq(level)]
    is_small = rows["n"].lt(min_cell)
    shown = rows[~is_small & rows["q_value"].notna()]
    small = rows.loc[is_small, "group"].nunique()
    note = f" Groups with fewer than {min_cell} respondents: {small}, not shown." if small else ""
    if rows["group"].nunique() < 2:
        return "All respondents are in one group: there is nothing to compare."
    if not len(shown):
        return f"Too few respondents to compare groups.{note}"
    clear = shown[shown["q_value"].lt(1 - conf_level)]
    tested = f"(corrected for {_comparisons(int(rows['n_tests'].iloc[0]))} of all levels, "
    tested += f"false discovery rate {100 - 100 * conf_level:g}%)"
    what = "total gap" if level == "total" else f"gap by {level}"
    if not len(clear):
        return f"No group's {what} differs clearly from that of all others {tested}.{note}"
    order = clear["difference"].abs().sort_values(ascending=False, kind="stable").index
    told = "; ".join(
        f"{row['group']}{'' if level == 'total' else f', {_label(row)}'} "
        f"{row['difference']:+.2f} points ({row['difference_low']:+.2f} to "
        f"{row['difference_high']:+.2f}; {row['n']:,} respondents)"
        for _, row in clear.loc[order].head(5).iterrows()
    )
    more = f" The largest of {len(clear)}:" if len(clear) > 5 else ""
    return f"The {what} differs from that of all others {tested}:{more} {told}.{note}"


def describe_flagged(changes: pd.DataFrame, *, conf_level: float = 0.95) -> str:
    """Say what leaving out the flagged respondents changes.

    Parameters
    ----------
    changes : pandas.DataFrame
        From `compare_flagged`.
    conf_level : float, default 0.95
        Level of the intervals in the table.

    Returns
    -------
    str
        One or two sentences.
    """
    total = changes[changes["level"].eq("total")].iloc[0]
    if not total["n_flagged"]:
        return f"None of the {total['n']:,} respondents with a gap is flagged."
    if pd.isna(total["gap_without"]):
        return f"All {total['n']:,} respondents with a gap are flagged; without them none is left."
    ends = ""
    if pd.notna(total["change_low"]):
        ends = f" ({total['change_low']:+.2f} to {total['change_high']:+.2f})"
    told = (
        f"Without the {total['n_flagged']:,} flagged of {total['n']:,} respondents the total gap "
        f"is {total['gap_without']:+.2f} points instead of {total['gap']:+.2f}, a change of "
        f"{total['change']:+.2f}{ends}."
    )
    clear = changes[changes["q_value"].lt(1 - conf_level)]
    turned = changes[(changes["gap"] * changes["gap_without"]).lt(0)]
    told += f" Over all levels, {len(clear)} of {int(total['n_tests']):,} gaps change clearly"
    return f"{told}, {len(turned)} change sign."


def _all_of(n: int, level: str) -> str:
    if level == "total":
        return "in total"
    return f"on all {n} {level}s" if n > 1 else f"on the one {level}"


def _q(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _comparisons(n: int) -> str:
    return f"{n:,} comparison{'s' if n != 1 else ''}"


def _size(row: pd.Series, conf_level: float) -> str:
    """Tell a gap with its scale and what it rests on."""
    people = f"{row['n']:,} respondent{'s' if row['n'] != 1 else ''}"
    if row["std_error"] == 0:
        basis = f"all {people} agree"
    elif pd.isna(row["conf_low"]):
        basis = f"no interval, {people}"
    else:
        ends = f"{row['conf_low']:+.2f} to {row['conf_high']:+.2f}"
        basis = f"{100 * conf_level:g}% interval {ends}, {people}"
    return f"{row['gap']:+.2f} points{on_scale(row)} ({basis})"


def _undecided(rows: pd.DataFrame, first: pd.Series, level: str) -> str:
    """Admit that the rank of the first is not sure, with the chances; empty when it is."""
    if pd.isna(first["p_lowest"]) or first["p_lowest"] >= SURE:
        return ""
    rivals = rows[rows["p_lowest"].ge(0.05)]
    rivals = rivals.sort_values(["p_lowest", "name"], ascending=[False, True]).head(_NAMED)
    chances = "; ".join(f"{_label(row)}, {row['p_lowest']:.0%}" for _, row in rivals.iterrows())
    listed = f" (chance of being it: {chances})" if chances else ""
    return f" Which {level} falls most short is undecided{listed}."


def on_scale(row: pd.Series) -> str:
    """Name the scale of a row.

    Parameters
    ----------
    row : pandas.Series
        With `scale_min` and `scale_max`.

    Returns
    -------
    str
        Such as ``" on the scale 1 to 7"``; empty where it is not known.
    """
    if pd.isna(row["scale_min"]):
        return ""
    return f" on the scale {row['scale_min']:g} to {row['scale_max']:g}"


def _label(row: pd.Series) -> str:
    text = str(row["text"]) if pd.notna(row["text"]) else ""
    if not text:
        return f"'{row['name']}'"
    return f"'{text.rstrip('.') if len(text) <= 80 else text[:77].rstrip() + '...'}'"
