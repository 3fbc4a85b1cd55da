"""What careless-answer flags find of respondents whom the authors of a real study left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.data import open_workbook
from cxlib.gaps.levels import level_means, pair_ratings
from cxlib.gaps.quality.careless import flag_careless
from cxlib.gaps.ratings import Ratings, keep_respondents, select_answers
from tests.gaps.answers import make_items
from tests.gaps.kiosk import CARELESS
from tests.real.test_real import write_workbook


@pytest.fixture(scope="module")
def users(shared_data, tmp_path_factory) -> Ratings:
    """Return the raw export's 207 users; the four who never used a kiosk have no ratings."""
    path = write_workbook("kiosk_raw", tmp_path_factory.mktemp("kiosk"), shared_data)
    rated = make_items(item=[str(i) for i in range(1, 25)])
    pairs = pd.DataFrame({"item": [f"K{i}" for i in range(1, 30)], "scale_min": 1, "scale_max": 5})
    return select_answers(open_workbook(str(path)).frame("answers"), pd.concat([rated, pairs]))


def rows_of(ratings: Ratings) -> pd.Series:
    """Read the raw file's row numbers."""
    return ratings.respondents["respondent_id"].astype(int)


def total_gap(ratings: Ratings, keep: np.ndarray) -> tuple[int, float, float, float]:
    """Return n, mean, t and d_z of the total gap of some respondents."""
    gap = level_means(pair_ratings(keep_respondents(ratings, keep)), "total").gap[:, 0]
    effect = gap.mean() / gap.std(ddof=1)
    return len(gap), gap.mean(), effect * np.sqrt(len(gap)), effect


def test_with_and_without_the_authors_exclusions(users):
    """SOURCE.md: 207 without the four non-users, 194 without the 13 careless ones too."""
    rows = rows_of(users)
    everybody = total_gap(users, np.ones(len(rows), dtype=bool))
    assert everybody == (207, *(pytest.approx(x, abs=5e-4) for x in (-1.1021, -18.9586, -1.3177)))
    kept = total_gap(users, ~rows.isin(CARELESS))
    assert kept == (194, *(pytest.approx(x, abs=5e-4) for x in (-1.1594, -19.6126, -1.4081)))


def test_what_our_flags_find_of_the_authors_thirteen(users):
    """Six of the 13 are among our 24; the authors do not say what gave the other seven away.

    Of our other 18 twelve gave one number for all 24 expectations or perceptions, which may be
    meant: that is why a flag is not an exclusion. The gap hardly moves either way.
    """
    flags = flag_careless(users).flags
    flagged = flags["is_flagged"].to_numpy()
    rows = rows_of(users)
    assert flagged.sum() == 24
    assert set(rows[flagged]) & CARELESS == {21, 26, 39, 86, 92, 188}
    counts = flags.drop(columns="respondent_id").sum()
    assert counts["same answer throughout"] == 16
    assert counts["contrary profile"] == 9
    found = flags.loc[rows.isin(CARELESS)].drop(columns="respondent_id").sum()
    assert (found["same answer throughout"], found["contrary profile"]) == (4, 3)
    n, gap, t, effect = total_gap(users, ~flagged)
    assert n == 183
    assert (gap, t, effect) == pytest.approx((-1.1400, -19.6474, -1.4524), abs=5e-4)
