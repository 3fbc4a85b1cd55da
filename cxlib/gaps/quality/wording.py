"""What the flags say, in plain sentences."""

from __future__ import annotations

import pandas as pd


def describe_careless(counts: pd.DataFrame, *, min_cell: int = 10) -> str:
    """Say how many respondents are flagged, and for what most.

    Parameters
    ----------
    counts : pandas.DataFrame
        `CarelessAnswers.counts`.
    min_cell : int, default 10
        Rules that fewer respondents break are named without a number.

    Returns
    -------
    str
        One or two sentences.
    """
    total = counts.iloc[-1]
    if not total["n_checked"]:
        return "The survey has too few items, and no durations, to tell careless answers."
    if not total["n"]:
        return f"None of {total['n_checked']:,} respondents looks careless by any rule."
    rules = counts.iloc[:-1]
    rules = rules[rules["n"] > 0].sort_values("n", ascending=False, kind="stable")
    named = ", ".join(
        f"{row.flag} {row.n:,}" if row.n >= min_cell else f"{row.flag} (fewer than {min_cell})"
        for row in rules.itertuples()
    )
    return (
        f"{total['n']:,} of {total['n_checked']:,} respondents ({total['share']:.1%}) look "
        f"careless by at least one rule: {named}. They are flagged, not dropped."
    )


def describe_exclusions(headlines: pd.DataFrame) -> str:
    """Say whether the headlines change without the flagged respondents.

    Parameters
    ----------
    headlines : pandas.DataFrame
        From `compare_headlines`.

    Returns
    -------
    str
        One or two sentences.
    """
    if not len(headlines):
        return "There is no headline to compare."
    moved = headlines[headlines["is_moved"]]
    biggest = headlines.loc[headlines["change"].abs().idxmax()]
    told = (
        f"{biggest['headline']} changes most, from {biggest['estimate']:.2f} to "
        f"{biggest['without_flagged']:.2f}"
    )
    if not len(moved):
        return (
            "Without the flagged respondents no headline leaves its interval or changes its sign; "
            f"{told}."
        )
    return (
        f"Without the flagged respondents {len(moved)} of {len(headlines)} headlines change their "
        f"sign or leave their interval: {', '.join(moved['headline'].head(5))}. Here the result "
        f"hangs on who is believed; {told}."
    )
