"""Who was invited, and which share of them answered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.errors import InputError, closest
from cxlib.gaps.groups import as_labels, as_texts, natural_key
from cxlib.gaps.means import Codes
from cxlib.gaps.ratings import Ratings
from cxlib.schema import check_table
from cxlib.stats import wilson_interval

ALL = "all"


@dataclass(frozen=True)
class Invited:
    """The invited, met with those who answered.

    Parameters
    ----------
    table : pandas.DataFrame, one row per invited respondent, or per respondent and wave
        The columns of the invitations, `wave` as text.
    place : ndarray of int, one per row of the ratings
        Row of the table, -1 for a respondent who was not invited.
    has_waves : bool
        Whether invitations and answers both name waves.
    """

    table: pd.DataFrame
    place: Codes
    has_waves: bool

    def of_wave(self, wave: str) -> np.ndarray:
        """Mark the invitations to a wave; all where they name none.

        Parameters
        ----------
        wave : str
            A wave of the ratings.

        Returns
        -------
        ndarray of bool
            One per row of the table.
        """
        if not self.has_waves:
            return np.ones(len(self.table), dtype=bool)
        return self.table["wave"].eq(wave).to_numpy()


def match_invitations(ratings: Ratings, invitations: pd.DataFrame) -> Invited:
    """Meet those who answered with the invitations.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`, of one wave or of every wave.
    invitations : pandas.DataFrame, one row per invited respondent, or per respondent and wave
        Column `respondent_id`; optional `wave` and attributes.

    Returns
    -------
    Invited
        The invitations to the waves of the ratings, and the place of everybody who answered.

    Raises
    ------
    InputError
        When a column is missing, nobody was invited to the wave, or nobody who answered had been
        invited.

    Notes
    -----
    Where both tables name waves an invitation is met only by an answer of its own wave, and who
    was invited to two waves counts twice. A table that names no wave is counted whole.
    """
    check_table(invitations, ("respondent_id",), table="invitations")
    answered = ratings.respondents
    invited = invitations.assign(
        respondent_id=invitations["respondent_id"].astype(str), wave=as_texts(invitations, "wave")
    )
    has_waves = bool(answered["wave"].ne("").any() and invited["wave"].ne("").any())
    keys = ["respondent_id", "wave"] if has_waves else ["respondent_id"]
    if has_waves:
        waves = answered["wave"].unique()
        of_wave = invited["wave"].isin(waves)
        if not of_wave.any():
            raise InputError(
                f"Nobody was invited to the wave '{waves[0]}'.",
                "table 'invitations', column 'wave'",
                closest(waves[0], invited["wave"].unique()),
            )
        invited = invited[of_wave]
    invited = invited.drop_duplicates(keys, ignore_index=True)
    place = np.full(len(answered), -1)
    for wave in answered["wave"].unique() if has_waves else [""]:
        own, asked = slice(None), np.arange(len(invited))
        if has_waves:
            own, asked = answered["wave"].eq(wave), np.flatnonzero(invited["wave"].eq(wave))
        ids = pd.Index(invited["respondent_id"].iloc[asked])
        found = ids.get_indexer(answered.loc[own, "respondent_id"].astype(str))
        place[np.asarray(answered.index[own])] = np.append(asked, -1)[found]
    if not (place >= 0).any():
        like = [list(t[keys].head(2).agg(" / ".join, axis=1)) for t in (answered, invited)]
        raise InputError(
            "Nobody who answered is among the invited.",
            f"{' / '.join(keys)} in 'answers' like {like[0]}, in 'invitations' like {like[1]}",
            f"write the same {' and '.join(keys)} in both tables",
        )
    return Invited(invited, place, has_waves)


def summarise_response(
    ratings: Ratings, invitations: pd.DataFrame, *, by: str = "", conf_level: float = 0.95
) -> pd.DataFrame:
    """Summarise which share of the invited answered, for each wave and group.

    Parameters
    ----------
    ratings : Ratings
        From `select_answers`, of one wave or of every wave.
    invitations : pandas.DataFrame, one row per invited respondent, or per respondent and wave
        Columns `respondent_id` and `by`; optional `wave`.
    by : str, default ""
        Column of the invitations to group by; empty = all only.
    conf_level : float, default 0.95
        Confidence level.

    Returns
    -------
    pandas.DataFrame
        One row per wave and group (``"all"`` first), in the columns of `summarise_scores`:
        `metric` is ``"response_rate"``, `n` the number of invited, `score` in percent with its
        Wilson interval.

    Raises
    ------
    InputError
        When a column is missing, nobody was invited to the wave, or nobody who answered had been
        invited.

    Notes
    -----
    An invited respondent counts as responding with one answer to anything. Respondents who were
    not invited do not count.
    """
    check_table(invitations, ("respondent_id", *([by] if by else [])), table="invitations")
    invited = match_invitations(ratings, invitations)
    labels = as_labels(invited.table[by]) if by else None
    rows = []
    waves = ratings.respondents["wave"].to_numpy()
    for wave in sorted(set(waves), key=natural_key):
        asked = invited.of_wave(wave)
        responded = np.zeros(len(asked), dtype=bool)
        responded[invited.place[(waves == wave) & (invited.place >= 0)]] = True
        parts = [(ALL, asked)]
        if labels is not None:
            known = sorted(labels[asked].unique(), key=natural_key)
            parts += [(group, asked & labels.eq(group).to_numpy()) for group in known]
        for group, part in parts:
            n, share = int(part.sum()), float(responded[part].mean())
            low, high = wilson_interval(share, n, conf_level=conf_level)
            rows.append((wave, group, n, 100 * share, 100 * float(low), 100 * float(high)))
    table = pd.DataFrame(rows, columns=["wave", "group", "n", "score", "conf_low", "conf_high"])
    table.insert(0, "metric", "response_rate")
    return table.assign(
        item="",
        weighting="raw",
        n_invited=table["n"],
        response_share=table["score"] / 100,
        unit="percent",
        score_min=0.0,
        score_max=100.0,
    )
