"""Scenarios of the silent equal hand computation, and differ where the silent do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.gaps.ratings import select_answers
from cxlib.gaps.scores.bounds import bound_scores
from cxlib.gaps.scores.weighting import weight_respondents
from tests.gaps.scores.surveys import invite, make_ratings

# 60 of 100 answer; the first 40 promote, the last 20 detract
DAYS = pd.Timestamp("2025-01-01") + pd.to_timedelta(np.arange(60), unit="D")
RATINGS = make_ratings([9] * 40 + [3] * 20, answered_at=DAYS, churned=[True] * 10 + [False] * 50)
INVITED = invite(100, kind=["a"] * 40 + ["b"] * 60)


def test_scenarios_by_hand():
    """NPS 33 of those who answered; the silent 40 %: as all, as the last third, at the ends."""
    table = bound_scores(RATINGS, INVITED).set_index("scenario")
    assert table.index.tolist() == ["respondents", "late", "churned", "worst", "best"]
    expected = {"respondents": 100 / 3, "late": -20, "churned": 60, "worst": -20, "best": 60}
    assert table["score"].to_dict() == pytest.approx(expected)
    assert table["score_silent"].tolist() == pytest.approx([100 / 3, -100, 100, -100, 100])
    assert table["n_source"].tolist() == [60, 20, 10, 0, 0]
    assert (table["n"].eq(60) & table["n_silent"].eq(40)).all()
    assert table.loc["late", "difference"] == pytest.approx(-200)


def test_the_silent_of_a_kind_are_like_their_kind():
    """40 of 40 a promote, 20 of 60 b detract: weighted -20."""
    weighting = weight_respondents(RATINGS, INVITED)
    row = bound_scores(RATINGS, INVITED, weighting=weighting).set_index("scenario").loc["cell"]
    assert (row["score"], row["score_silent"]) == (pytest.approx(-20), pytest.approx(-100))


def test_interval_of_a_scenario_is_that_of_a_weighted_mean():
    """With m of 60 and s of 20 late ones: var = sum a^2 e^2, a = 1 / 100 or 3 / 100."""
    values = np.tile([10.0, 10.0, 3.0], 20)
    ratings = make_ratings(values, answered_at=DAYS)
    row = bound_scores(ratings, INVITED).set_index("scenario").loc["late"]
    y = np.where(values > 6, 100.0, -100.0)
    a = np.where(np.arange(60) >= 40, 0.03, 0.01)
    error = np.sqrt(60 / 59 * (a**2 * (y - a @ y) ** 2).sum())
    assert row["score"] == pytest.approx(a @ y)
    # Student with 19 degrees: 2.093024
    assert row["conf_high"] - row["score"] == pytest.approx(2.093024 * error, rel=1e-6)


def test_late_is_read_from_the_invitation_and_keeps_ties_together():
    """Invited a day apart and answered a day apart: all after the same time, nobody is late."""
    invited = INVITED.assign(invited_at=[*(DAYS - pd.Timedelta("5D")), *DAYS[:40]])
    assert "late" not in bound_scores(RATINGS, invited)["scenario"].tolist()
    late = DAYS.where(np.arange(60) < 50, DAYS[59] + pd.Timedelta("9D"))
    ratings = make_ratings([9, 3] * 30, answered_at=late)
    table = bound_scores(ratings, invited).set_index("scenario")
    assert table.loc["late", "n_source"] == 10
    without = make_ratings([9, 3] * 30)
    assert bound_scores(without, INVITED)["scenario"].tolist() == ["respondents", "worst", "best"]


def test_everybody_answered_leaves_nothing_open():
    """Without silent ones every scenario gives the same score."""
    table = bound_scores(RATINGS, INVITED.head(60))
    assert table["score"].tolist() == pytest.approx([100 / 3] * len(table))


def test_too_few_to_be_likened_to_are_left_out():
    """Ten late or churned respondents at least, and ten answers at all."""
    table = bound_scores(RATINGS, INVITED, min_cell=15)
    assert "churned" not in table["scenario"].tolist()
    assert len(bound_scores(make_ratings([9] * 5), INVITED)) == 0


def test_planted_non_response_is_not_seen_in_the_order_of_answers(sample, truth):
    """In the samples late are like early, though the silent are not; their cells show it."""
    ratings = select_answers(sample["answers"], sample["items"])
    weighting = weight_respondents(ratings, sample["invitations"])
    table = bound_scores(ratings, sample["invitations"], weighting=weighting)
    nps = table[table["metric"].eq("nps")].set_index("scenario")
    true = truth["2025-11"]["nps_all_invited"]
    assert nps.loc["late", "q_value"] > 0.2
    assert nps.loc["late", "conf_low"] > true
    assert nps.loc["cell", "conf_low"] < true < nps.loc["cell", "conf_high"]
    assert nps.loc["worst", "score"] < true < nps.loc["best", "score"]


def test_late_is_counted_in_days_whatever_the_clock():
    """Moments kept in microseconds, nanoseconds or with a time zone give the same last third."""
    invited = INVITED.assign(invited_at=pd.Timestamp("2024-12-31"))
    known = bound_scores(RATINGS, invited).set_index("scenario").loc["late"]
    utc = pd.to_datetime(invited["invited_at"]).dt.tz_localize("UTC").astype("datetime64[s, UTC]")
    other = bound_scores(RATINGS, invited.assign(invited_at=utc)).set_index("scenario").loc["late"]
    assert known["n_source"] == other["n_source"] == 20
    spread = pd.Timestamp("2025-01-01") - pd.to_timedelta(np.arange(100) % 7, unit="D")
    coarse, fine = (
        bound_scores(RATINGS, invited.assign(invited_at=pd.Series(spread).astype(unit)))
        for unit in ("datetime64[s]", "datetime64[ns]")
    )
    pd.testing.assert_frame_equal(coarse, fine)


def test_units_that_agree_by_luck_do_not_sharpen_a_scenario():
    """Four units of one and the same mean: the interval is that of independent respondents."""
    scores = [9, 9, 9, 9, 3, 3, 3, 3] * 7 + [9] * 4
    units = [f"u{i % 4}" for i in range(60)]
    surveys = make_ratings(scores, unit=units), make_ratings(scores)
    tables = (bound_scores(ratings, INVITED).set_index("scenario") for ratings in surveys)
    alike, alone = (t["conf_high"]["respondents"] - t["conf_low"]["respondents"] for t in tables)
    assert alike > alone
