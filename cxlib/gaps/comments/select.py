"""Comments beside the score their writers gave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.errors import InputError, TooLittleData
from cxlib.gaps.comments.mask import mask_personal
from cxlib.gaps.groups import as_texts
from cxlib.gaps.means import Codes
from cxlib.gaps.ratings import Ratings
from cxlib.gaps.scores.scores import nps_interval, read_scores
from cxlib.schema import check_table


@dataclass(frozen=True)
class Comments:
    """Masked comments of one survey and the score beside each.

    Parameters
    ----------
    table : pandas.DataFrame, one row per comment
        Columns `respondent_id`, `customer_id` and `touchpoint` (empty text where unknown), `text`
        (masked), `score` (100 promoter, 0 passive, -100 detractor, NaN where the writer gave
        none), `weight`, and every other column of the comments.
    uses : pandas.DataFrame, one row per use
        Columns `use`, `n`: what became of every comment.
    masked : pandas.DataFrame
        From `mask_personal`.
    item : str
        The NPS item, ``""`` when there is none.
    raters : pandas.DataFrame, one row per respondent with a score
        Columns `score`, `weight`, `wrote`.
    """

    table: pd.DataFrame
    uses: pd.DataFrame
    masked: pd.DataFrame
    item: str
    raters: pd.DataFrame

    @property
    def clusters(self) -> Codes:
        """Number the writer of every comment: the customer, else the respondent."""
        customer, respondent = self.table["customer_id"], self.table["respondent_id"]
        writer = ("c" + customer).where(customer.ne(""), "r" + respondent)
        return np.asarray(pd.factorize(writer)[0], dtype=np.intp)


def select_comments(
    comments: pd.DataFrame, ratings: Ratings | None = None, *, wave: str = ""
) -> Comments:
    """Mask comments and set the net promoter score of their writers beside them.

    Parameters
    ----------
    comments : pandas.DataFrame, one row per comment
        Columns `respondent_id`, `text`; optional `customer_id`, `touchpoint`, `answered_at` and
        columns to group by.
    ratings : Ratings, optional
        From ``select_answers(..., every_wave=True)``; without it, or without an item of the metric
        nps, comments have no score.
    wave : str, default ""
        Only comments of those who answered in this wave; default all.

    Returns
    -------
    Comments
        In the order given.

    Raises
    ------
    InputError
        When a column is missing, or no answer is of the wave.
    TooLittleData
        When no comment holds a word.

    Notes
    -----
    A writer who answered in several waves is met in the answers nearest in time to the comment,
    or the latest ones where times are not known. Comments of the same words by several writers all
    count.
    """
    check_table(comments, ("respondent_id", "text"), table="comments")
    told = comments.assign(
        respondent_id=comments["respondent_id"].astype(str),
        customer_id=as_texts(comments, "customer_id"),
        touchpoint=as_texts(comments, "touchpoint"),
        text=as_texts(comments, "text").str.strip(),
    ).reset_index(drop=True)
    is_said = told["text"].str.contains(r"\w", regex=True)
    rated, item = _read_raters(ratings)
    met = _meet(told, rated)
    told = told.assign(score=met["score"].to_numpy(), weight=met["weight"].fillna(1.0).to_numpy())
    in_wave = pd.Series(True, index=told.index)
    if wave:
        in_wave = met["wave"].eq(wave)
        rated = rated[rated["wave"].eq(wave)]
        if not len(rated):
            raise InputError(f"There is no wave '{wave}' in the answers.", "argument 'wave'")
    kept = told[is_said & in_wave].reset_index(drop=True)
    if not len(kept):
        raise TooLittleData(f"None of {len(told):,} comments holds a word{_of(wave)}.")
    kept["text"], masked = mask_personal(kept["text"].str.replace(r"\s+", " ", regex=True))
    raters = rated.dropna(subset="score")[["respondent_id", "score", "weight"]]
    raters = raters.assign(wrote=raters.pop("respondent_id").isin(kept["respondent_id"]))
    return Comments(
        kept,
        _count_uses(told, is_said, in_wave, kept, wave),
        masked,
        item,
        raters.reset_index(drop=True),
    )


def _of(wave: str) -> str:
    return f" in wave {wave}" if wave else ""


def _read_raters(ratings: Ratings | None) -> tuple[pd.DataFrame, str]:
    """List respondents with their NPS (NaN where none) and the item it comes from."""
    columns = ["respondent_id", "wave", "weight", "answered_at", "score"]
    if ratings is None:
        empty = pd.DataFrame(columns=columns)
        return empty.astype({"weight": float, "score": float}), ""
    rated = ratings.respondents.reindex(columns=columns)
    rated = rated.assign(respondent_id=rated["respondent_id"].astype(str), score=np.nan)
    items = [score for score in read_scores(ratings) if score.metric == "nps"]
    if items:
        rated["score"] = items[0].values
    return rated, items[0].item if items else ""


def _meet(told: pd.DataFrame, rated: pd.DataFrame) -> pd.DataFrame:
    """Find for each comment the answers of its writer; an empty row where there are none."""
    if "answered_at" not in told:
        told = told.assign(answered_at=pd.NaT)
    place = told[["respondent_id", "answered_at"]].assign(place=np.arange(len(told)))
    both = place.merge(rated, on="respondent_id", how="left", suffixes=("", "_rated"))
    later = [pd.to_datetime(both[name], utc=True) for name in ("answered_at", "answered_at_rated")]
    both["apart"] = (later[0] - later[1]).abs()
    both = both.sort_values("wave", ascending=False, kind="stable")
    both = both.sort_values(["place", "apart"], kind="stable")
    return both.drop_duplicates("place").set_index("place").reindex(np.arange(len(told)))


def _count_uses(
    told: pd.DataFrame, is_said: pd.Series, in_wave: pd.Series, kept: pd.DataFrame, wave: str
) -> pd.DataFrame:
    again = kept["text"].str.casefold().duplicated()
    rows = [
        ("comments given", len(told)),
        ("without a word, left out", int((~is_said).sum())),
        (f"of other waves than {wave}, left out", int((is_said & ~in_wave).sum())),
        ("used", len(kept)),
        ("used, with a score of the writer", int(kept["score"].notna().sum())),
        ("used, same words as an earlier comment", int(again.sum())),
    ]
    return pd.DataFrame(
        [row for row in rows if row[1] or "left out" not in row[0]], columns=["use", "n"]
    )


def compare_silent(comments: Comments, *, conf_level: float = 0.95) -> dict[str, float]:
    """Compare the score of those who wrote with that of those who rated and did not write.

    Parameters
    ----------
    comments : Comments
        From `select_comments`.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    dict of str to float
        `n_wrote`, `n_silent`, `score_wrote`, `score_silent`, `difference` (wrote minus silent),
        `conf_low`, `conf_high`; NaN where either has fewer than two respondents.

    Notes
    -----
    Each score has its adjusted interval (`nps_interval`) at Kish's effective number of answers; the
    squared distances from score to end add up, the lower of one with the upper of the other. So a
    few who all agree leave an interval too.

    References
    ----------
    .. [1] G. Y. Zou, A. Donner (2008). Construction of confidence limits about effect measures: a
           general approach. Statistics in Medicine 27, 1693-1702.
    """
    scores, sizes = [], []
    for is_writer in (True, False):
        own = comments.raters[comments.raters["wrote"] == is_writer]
        score, weight = own["score"].to_numpy(float), own["weight"].to_numpy(float)
        sizes.append(int((weight > 0).sum()))
        scores.append((np.nan,) * 3)
        if sizes[-1] > 1:
            scale = weight.sum() / (weight**2).sum()
            counts = (scale * weight[score == value].sum() for value in (100, 0, -100))
            scores[-1] = nps_interval(*counts, conf_level=conf_level)
    (wrote, low, high), (silent, silent_low, silent_high) = scores
    difference = wrote - silent
    return {
        "n_wrote": sizes[0],
        "n_silent": sizes[1],
        "score_wrote": wrote,
        "score_silent": silent,
        "difference": difference,
        "conf_low": difference - float(np.hypot(wrote - low, silent_high - silent)),
        "conf_high": difference + float(np.hypot(high - wrote, silent - silent_low)),
    }
