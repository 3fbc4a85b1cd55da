"""Findings on comments in plain sentences, made from the tables and from nothing else."""

from __future__ import annotations

import pandas as pd

from cxlib.gaps.comments.prevalence import NO_THEME
from cxlib.gaps.comments.select import Comments, compare_silent
from cxlib.gaps.comments.sentiment import Sentiment
from cxlib.gaps.comments.themes import Themes

SURE = 0.80  # a rank less certain than this is called undecided


def describe_comments(comments: Comments, *, conf_level: float = 0.95) -> str:
    """Say how many comments there are, what was masked, and who wrote them.

    Parameters
    ----------
    comments : Comments
        From `select_comments`.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    str
        Two or three sentences.
    """
    n, writers = len(comments.table), int(comments.clusters.max()) + 1
    masked = comments.masked[comments.masked["n"] > 0]
    kinds = ", ".join(f"{row.n} {row.kind}" for row in masked.itertuples())
    hidden = (
        f"Personal data were masked first ({kinds})." if kinds else "No personal data were met."
    )
    told = f"{n:,} comment{_s(n)} by {writers:,} customer{_s(writers)}. {hidden}"
    versus = compare_silent(comments, conf_level=conf_level)
    if pd.isna(versus["conf_low"]):
        return f"{told} How writers differ from those who rated in silence is not known."
    is_clear = versus["conf_low"] > 0 or versus["conf_high"] < 0
    alike = "differs" if is_clear else "does not differ clearly"
    return (
        f"{told} The score of those who wrote {alike} from that of those who rated in silence: NPS "
        f"{versus['score_wrote']:+.0f} of {versus['n_wrote']:,} against "
        f"{versus['score_silent']:+.0f} of {versus['n_silent']:,} (difference "
        f"{versus['difference']:+.0f}, {100 * conf_level:g}% interval {versus['conf_low']:+.0f} to "
        f"{versus['conf_high']:+.0f})."
    )


def describe_themes(themes: Themes, summary: pd.DataFrame, *, conf_level: float = 0.95) -> str:
    """Say what comments are about, how far that is sure, and how many fit no theme.

    Parameters
    ----------
    themes : Themes
        From `find_themes`.
    summary : pandas.DataFrame
        From `summarise_themes`; rows too small to show may be left out.
    conf_level : float, default 0.95
        Level of the intervals in the table.

    Returns
    -------
    str
        Two to four sentences.
    """
    if themes.reason:
        return f"No themes. {themes.reason}"
    rows = summary[summary["theme"].ne(NO_THEME)]
    stable, shaky = rows[rows["is_stable"]], rows[~rows["is_stable"]]
    total = len(themes.comments.table)
    if not len(stable):
        return f"No stable theme of {total:,} comments is common enough to be shown."
    first = stable.iloc[0]
    size = (
        f"{_name(first)} ({first['share']:.0%} of {total:,} comments, {100 * conf_level:g}% "
        f"interval {first['conf_low']:.0%} to {first['conf_high']:.0%})"
    )
    if first["p_commonest"] >= SURE:
        told = f"Customers write most about {size}."
    else:
        rivals = stable[stable["p_commonest"].ge(0.05)].nlargest(3, "p_commonest")
        chances = "; ".join(f"{_name(r)} {r['p_commonest']:.0%}" for _, r in rivals.iterrows())
        told = (
            f"The commonest stable theme measured is {size}; which truly is the commonest is "
            f"undecided{f' (chances: {chances})' if chances else ''}."
        )
    weak = ", ".join(f"{_name(row)} ({row['agreement']:.2f})" for _, row in shaky.iterrows())
    sure = f"Not stable, to be read with care: {weak}." if weak else "All of them come back."
    themed = f"{len(rows)} themes" if len(rows) > 1 else "1 theme"
    silent = themes.is_unassigned.mean()
    return (
        f"{told} {themed} were found, named by their most telling words; each was looked for again "
        f"in random halves of the comments. {sure} {silent:.0%} of the comments mention no "
        "theme."
    )


def describe_theme_effects(effects: pd.DataFrame, *, conf_level: float = 0.95) -> str:
    """Say which theme's comments pull the score down or up, and by how much.

    Parameters
    ----------
    effects : pandas.DataFrame
        From `estimate_theme_effects`.
    conf_level : float, default 0.95
        Level of the intervals; 1 - conf_level bounds the false discovery rate.

    Returns
    -------
    str
        Two to four sentences.
    """
    rows = effects[effects["is_stable"].astype(bool)]
    if not len(rows):
        return (
            "How themes go with the score cannot be told: no stable theme, or no score beside it."
        )
    total = rows["score_all"].iloc[0]
    tested = int(rows["n_tests"].iloc[0])
    clear = rows[rows["q_value"].lt(1 - conf_level)]
    low, high = clear[clear["effect"] < 0], clear[clear["effect"] > 0].iloc[::-1]
    told = [f"The NPS of those who write is {total:+.0f} ({rows['n_scored'].iloc[0]:,} comments)."]
    if len(low):
        first = low.iloc[0]
        told.append(f"Without the comments on {_effect(first, conf_level)}.")
        if not first["p_lowest"] >= SURE:
            told.append(
                f"That no other theme pulls down more is undecided ({first['p_lowest']:.0%})."
            )
        others = "; ".join(_effect(row, conf_level) for _, row in low.iloc[1:4].iterrows())
        told += [f"Also: without {others}."] if others else []
    else:
        told.append("No theme pulls it down clearly.")
    raised = "; ".join(_effect(row, conf_level) for _, row in high.head(3).iterrows())
    told += [f"Praise that goes with a better score: without {raised}."] if raised else []
    told.append(
        f"{tested} themes were tested, false discovery rate {100 - 100 * conf_level:g}%. This "
        "compares writers; it does not show that a theme made their score."
    )
    return " ".join(told)


def describe_theme_groups(
    groups: pd.DataFrame, *, by: str, min_cell: int = 10, conf_level: float = 0.95
) -> str:
    """Say where groups write about different things.

    Parameters
    ----------
    groups : pandas.DataFrame
        From `compare_theme_groups`.
    by : str
        What the groups are.
    min_cell : int, default 10
        Groups of fewer comments are not named.
    conf_level : float, default 0.95
        Level of the intervals; 1 - conf_level bounds the false discovery rate.

    Returns
    -------
    str
        One to three sentences.
    """
    rows = groups[groups["is_stable"].astype(bool)]
    small = groups.loc[groups["n"] < min_cell, "group"].nunique()
    note = f" Groups of fewer than {min_cell} comments: {small}, not shown." if small else ""
    if groups["group"].nunique() < 2 or not rows["p_value"].notna().any():
        return f"There are too few comments to compare themes by {by}.{note}"
    n_tests = int(rows["n_tests"].iloc[0])
    tested = f"{n_tests} comparisons, false discovery rate {100 - 100 * conf_level:g}%"
    clear = rows[rows["q_value"].lt(1 - conf_level)]
    clear = clear.sort_values("q_value", kind="stable")
    if not len(clear):
        return f"No group clearly writes about other things than the rest ({tested}).{note}"
    told = "; ".join(
        f"{row.group} on {_name(row._asdict())}, {row.share:.0%} of {row.n:,} comments, "
        f"{100 * row.difference:+.0f} points against the rest ({100 * row.difference_low:+.0f} to "
        f"{100 * row.difference_high:+.0f})"
        for row in clear.head(5).itertuples()
    )
    more = f"; and {len(clear) - 5} more" if len(clear) > 5 else ""
    return f"By {by}, groups differ in {len(clear)} of {tested}: {told}{more}.{note}"


def describe_sentiment(
    sentiment: Sentiment, summary: pd.DataFrame, *, conf_level: float = 0.95
) -> str:
    """Say how many comments praise, how many complain, and how many the lexicon cannot read.

    Parameters
    ----------
    sentiment : Sentiment
        From `score_sentiment`.
    summary : pandas.DataFrame
        From `summarise_sentiment`.
    conf_level : float, default 0.95
        Level of the intervals in the table.

    Returns
    -------
    str
        Two or three sentences.
    """
    row = summary[summary["level"].eq("all")].iloc[0]
    n_framed = int(sentiment.table["by_framing"].sum())
    known = int(row["n"]) - int((sentiment.table["n_words"] == 0).sum())
    told = f"{known:,} of {row['n']:,} comments hold a word of the lexicon."
    if pd.isna(row["negative_share"]):
        return f"{told} That is too few to say how many complain or praise."
    told += (
        f" {row['negative_share']:.0%} complain ({100 * conf_level:g}% interval "
        f"{row['negative_low']:.0%} to {row['negative_high']:.0%}), {row['positive_share']:.0%} "
        f"praise ({row['positive_low']:.0%} to {row['positive_high']:.0%}); the others do neither, "
        "both alike, or hold no word of the lexicon."
    )
    if sentiment.framing == "negative":
        told += (
            f" The question asks for criticism, so {n_framed:,} comments without a clear word "
            "count as negative by its framing: these shares say nothing about customers as a whole."
        )
    return told


def _s(n: int) -> str:
    return "" if n == 1 else "s"


def _name(row: pd.Series | dict) -> str:
    return f"'{row['theme']}'"


def _effect(row: pd.Series, conf_level: float) -> str:
    return (
        f"{_name(row)} it would be {row['score_without']:+.0f} (effect {row['effect']:+.1f} "
        f"points, {100 * conf_level:g}% interval {row['conf_low']:+.1f} to "
        f"{row['conf_high']:+.1f}; {row['n']:,} comments)"
    )
