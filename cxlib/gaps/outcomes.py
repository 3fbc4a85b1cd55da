"""The outcome that gaps are held against: which item, and each respondent's answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cxlib.errors import InputError, closest
from cxlib.gaps.means import Codes, respondent_clusters
from cxlib.gaps.ratings import Ratings
from cxlib.gaps.resample import assign_blocks
from cxlib.stats import Floats

_METRICS = ("nps", "csat", "ces")


@dataclass(frozen=True)
class Outcome:
    """An outcome and who is independent of whom.

    Parameters
    ----------
    name : str
        The item, or the items joined by commas.
    values : ndarray, one per respondent
        NaN where not answered.
    scale_min, scale_max : float
        NaN where not known.
    weights : ndarray, one per respondent
        0 or more.
    blocks : ndarray of int, one per respondent
        Independent blocks for robust errors and the bootstrap.
    """

    name: str
    values: Floats
    scale_min: float
    scale_max: float
    weights: Floats
    blocks: Codes


def read_outcome(
    ratings: Ratings, outcome: str | Sequence[str], *, most: int = 2_000, random_state: int = 0
) -> Outcome:
    """Read an outcome item, or the mean of several.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`.
    outcome : str or sequence of str
        An item answered in the role outcome, or several (``"OUT1, OUT2"`` or a list).
    most : int, default 2000
        The most blocks.
    random_state : int, default 0
        Seed of the dealing into blocks.

    Returns
    -------
    Outcome
        The mean of the items where all were answered.

    Raises
    ------
    InputError
        When an item is no outcome that was answered, or their scales differ.
    """
    table = ratings.values.get("outcome")
    known = [] if table is None else list(table.columns)
    names = [outcome] if isinstance(outcome, str) else list(outcome)
    if isinstance(outcome, str) and outcome not in known:
        names = [name.strip() for name in outcome.split(",")]
    if not known:
        raise InputError(
            "No answer has the role 'outcome'.",
            f"table 'answers', roles {sorted(ratings.values)}",
            "map the column that holds the outcome, such as a recommendation, to that role",
        )
    for name in names or [""]:
        if name not in known:
            raise InputError(
                f"'{name}' is not an outcome item that was answered.",
                "table 'answers', role outcome",
                closest(name, known),
            )
    assert table is not None  # a name was found in it
    facts = ratings.facts("outcome").loc[names]
    scales = facts[["scale_min", "scale_max", "higher_is_better"]]
    if len(scales.drop_duplicates()) > 1:
        shown = [f"'{r.Index}' on {r.scale_min:g} to {r.scale_max:g}" for r in scales.itertuples()]
        raise InputError(
            "The outcomes have different scales or directions; their mean has no meaning.",
            f"table 'items', {', '.join(shown[:3])}",
            "name outcomes of one scale, or one outcome",
        )
    clusters = respondent_clusters(ratings.respondents)
    return Outcome(
        name=", ".join(names),
        values=table[names].to_numpy().mean(axis=1),
        scale_min=float(facts["scale_min"].iloc[0]),
        scale_max=float(facts["scale_max"].iloc[0]),
        weights=ratings.respondents["weight"].to_numpy(dtype=float),
        blocks=assign_blocks(
            len(ratings.respondents), clusters=clusters, most=most, random_state=random_state
        ),
    )


def choose_outcome(ratings: Ratings, outcome: str | Sequence[str] = "") -> str:
    """Choose the outcome to hold gaps against.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`.
    outcome : str or sequence of str, default ""
        An item answered in the role outcome, or several to average; empty = the first item whose
        `metric` is nps, else csat, else ces, else the mean of all on the scale of the first.

    Returns
    -------
    str
        Its name; ``""`` when none was asked for and no outcome was answered.

    Raises
    ------
    InputError
        When the outcome asked for is no outcome that was answered.
    """
    if outcome:
        return read_outcome(ratings, outcome).name
    if "outcome" not in ratings.values:
        return ""
    facts = ratings.facts("outcome")
    metrics = facts["metric"].astype("string").str.lower()
    for metric in _METRICS:
        if metrics.eq(metric).any():
            return str(facts.index[metrics.eq(metric).to_numpy(dtype=bool, na_value=False)][0])
    scale = facts[["scale_min", "scale_max", "higher_is_better"]]
    alike = scale.eq(scale.iloc[0]) | (scale.isna() & scale.iloc[0].isna())
    return ", ".join(facts.index[alike.all(axis=1)].astype(str))
