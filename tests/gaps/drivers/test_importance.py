"""Importance is found where it was planted, and not where there is none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.errors import InputError, TooLittleData
from cxlib.gaps.drivers.importance import Importance, fit_importance, summarise_dominance
from cxlib.gaps.outcomes import choose_outcome
from tests.gaps.drivers.survey import draw_survey, make_ratings


@pytest.fixture(scope="module")
def importance() -> Importance:
    """Fit importance to a survey in which billing matters most, shop and visit not at all."""
    return fit_importance(make_ratings(**draw_survey()), n_draws=400)


def rows_of(importance: Importance, method: str) -> pd.DataFrame:
    """Return one method's rows by name."""
    table = importance.table
    return table[table["method"].eq(method)].set_index("name")


def test_planted_drivers_are_found(importance: Importance) -> None:
    """Billing is first for sure; what goes with nothing is not shown to matter, and not zeroed."""
    for method in ("lmg", "johnson", "ordinal", "standardised"):
        rows = rows_of(importance, method)
        assert rows.loc["billing", "p_top"] == 1.0, method
        assert rows["is_shown"].tolist() == [True, True, False, False], method
        assert (rows["importance"] > 0).all()
    assert rows_of(importance, "correlation").loc["billing", "importance"] > 0.3


def test_parts_sum_to_r_squared(importance: Importance) -> None:
    """The parts of lmg and johnson sum to the R2 of least squares on all ratings."""
    survey = draw_survey()
    x = np.column_stack([np.ones(400), survey["perception"], survey["expectation"]])
    y = survey["outcome"]
    residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    r_squared = 1 - residual.var() / y.var()
    for method in ("lmg", "johnson"):
        rows = rows_of(importance, method)
        assert rows["importance"].sum() == pytest.approx(r_squared, rel=1e-9)
        assert rows["share"].sum() == pytest.approx(1)
    fit = importance.fit.iloc[0]
    assert fit["r_squared"] == pytest.approx(r_squared)
    assert fit["conf_low"] < fit["r_squared_adjusted"] < fit["conf_high"]
    assert (fit["n"], fit["n_complete"], fit["n_ordinal"]) == (400, 400, 400)


def test_dominance_averages_to_importance(importance: Importance) -> None:
    """The mean over the number of others in the model is the lmg importance."""
    levels = summarise_dominance(make_ratings(**draw_survey()))
    means = levels.groupby("name")["r_squared_added"].mean()
    lmg = rows_of(importance, "lmg")["importance"]
    assert means[lmg.index].to_numpy() == pytest.approx(lmg.to_numpy())
    assert levels["n_others"].tolist() == [0, 1, 2, 3] * 4


def test_seed_repeats_and_order_does_not_matter(importance: Importance) -> None:
    """The same seed gives the same table; other names change nothing but the order."""
    again = fit_importance(make_ratings(**draw_survey()), n_draws=400)
    pd.testing.assert_frame_equal(again.table, importance.table)
    turned = {k: v[:, ::-1] if v.ndim == 2 else v for k, v in draw_survey().items()}
    names = ["d", "c", "b", "a"]
    other = fit_importance(make_ratings(**turned, names=names), n_draws=400)
    mine = rows_of(importance, "lmg")["importance"].to_numpy()
    assert rows_of(other, "lmg")["importance"].to_numpy()[[3, 2, 1, 0]] == pytest.approx(mine[::-1])


def test_weights_are_repeated_rows() -> None:
    """Whole weights give the estimates of respondents repeated that often."""
    survey = draw_survey(200)
    weight = 1.0 + np.arange(200) % 3
    weighted = fit_importance(make_ratings(**survey, weight=weight), n_draws=20)
    rows = np.repeat(np.arange(200), weight.astype(int))
    repeated = fit_importance(make_ratings(**{k: v[rows] for k, v in survey.items()}), n_draws=20)
    mine, other = weighted.table["importance"], repeated.table["importance"]
    assert mine.to_numpy() == pytest.approx(other.to_numpy(), rel=1e-6)
    for name in ("gap", "perception"):
        assert weighted.draws[name][0] == pytest.approx(repeated.draws[name][0])


def test_respondents_of_weight_zero_do_not_count() -> None:
    """They change neither estimates nor n."""
    survey = draw_survey(200)
    kept = fit_importance(make_ratings(**{k: v[:150] for k, v in survey.items()}), n_draws=20)
    weight = (np.arange(200) < 150).astype(float)
    found = fit_importance(make_ratings(**survey, weight=weight), n_draws=20)
    mine, other = found.table, kept.table
    assert mine["importance"].to_numpy() == pytest.approx(other["importance"].to_numpy())
    assert mine["n"].tolist() == other["n"].tolist()


def test_customers_who_answer_often_widen_intervals() -> None:
    """Every answer given four times by one customer tells no more than once."""
    survey = draw_survey(150)
    once = fit_importance(make_ratings(**survey), n_draws=400)
    rows = np.tile(np.arange(150), 4)
    often = {key: values[rows] for key, values in survey.items()}
    customers = [f"c{i}" for i in rows]
    clustered = fit_importance(make_ratings(**often, customer_id=customers), n_draws=400)
    naive = fit_importance(make_ratings(**often), n_draws=400)
    widths = [
        np.subtract(*rows_of(found, "lmg").loc["billing", ["conf_high", "conf_low"]])
        for found in (once, clustered, naive)
    ]
    assert widths[1] == pytest.approx(widths[0], rel=0.15)
    assert widths[2] < 0.7 * widths[0]


def test_those_who_skip_a_touchpoint_still_count() -> None:
    """With most touchpoints unused by most, every driver keeps its own respondents."""
    survey = draw_survey(2000)
    unused = np.random.default_rng(5).random((2000, 4)) < 0.6
    for role in ("expectation", "perception"):
        survey[role] = np.where(unused, np.nan, survey[role])
    full = rows_of(fit_importance(make_ratings(**draw_survey(2000)), n_draws=50), "lmg")
    found = fit_importance(make_ratings(**survey), n_draws=200)
    rows = rows_of(found, "lmg")
    assert rows["n"].tolist() == (~unused).sum(axis=0).tolist()
    assert found.fit["n_complete"].iloc[0] < 100 < 1500 < found.fit["n"].iloc[0]
    inside = rows["conf_low"].le(full["importance"]) & full["importance"].le(rows["conf_high"])
    assert inside[["billing", "phone"]].all()


def test_a_driver_that_cannot_be_compared_is_listed() -> None:
    """Too few answers, equal answers, and drivers never rated together stay in the table."""
    survey = draw_survey(300, slopes=(1, 0.5, 0, 0, 0), gaps=(0,) * 5)
    survey["perception"][15:, 1] = np.nan
    survey["perception"][:, 2] = survey["expectation"][:, 2] = 4.0
    survey["perception"][:100, 3] = np.nan
    survey["perception"][100:, 4] = np.nan
    ratings = make_ratings(**survey, names=["a", "b", "c", "d", "e"])
    rows = rows_of(fit_importance(ratings, n_draws=20), "lmg")
    assert rows["left_out"].fillna("").tolist() == [
        "",
        "fewer than 20 answers",
        "all answers are equal",
        "",
        "fewer than 20 rated it together with one of the others",
    ]
    assert rows["importance"].isna().tolist() == [False, True, True, False, True]
    assert rows["n"].tolist() == [300, 15, 300, 200, 100]


def test_predictors() -> None:
    """Perception alone, the gap alone or both: both explain at least as much as either."""
    ratings = make_ratings(**draw_survey())
    totals = {
        name: fit_importance(ratings, predictor=name, n_draws=20).fit["r_squared"].iloc[0]
        for name in ("both", "perception", "gap")
    }
    assert totals["both"] > max(totals["perception"], totals["gap"])


def test_noise_is_called_noise() -> None:
    """With nothing planted, about 5 in 100 tests find something before correction, fewer after."""
    found, p_values = 0, []
    for seed in range(12):
        survey = draw_survey(150, slopes=(0, 0, 0, 0), seed=seed)
        importance = fit_importance(make_ratings(**survey), n_draws=100)
        rows = rows_of(importance, "lmg")
        found += bool(rows["is_shown"].any())
        p_values += rows["p_value"].tolist()
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=0.06)
    assert found <= 3


def test_more_than_twelve_drivers_are_compared_by_johnson() -> None:
    """The main method changes, and its name says so."""
    names = [f"t{i:02d}" for i in range(13)]
    survey = draw_survey(300, slopes=(1,) + (0,) * 12, gaps=(0,) * 13)
    importance = fit_importance(make_ratings(**survey, names=names), n_draws=50)
    assert importance.method == "johnson"
    assert "lmg" not in importance.draws
    assert rows_of(importance, "johnson")["importance"].idxmax() == "t00"
    assert not len(summarise_dominance(make_ratings(**survey, names=names)))


def test_stated_importance() -> None:
    """Stated importance is the mean stated, with its own n."""
    stated = np.tile([5.0, 7.0, 3.0, 6.0], (400, 1))
    stated[:100, 0] = np.nan
    stated[200:, 0] = 6.0
    importance = fit_importance(make_ratings(**draw_survey(), importance=stated), n_draws=50)
    rows = rows_of(importance, "stated")
    assert rows["importance"].tolist() == pytest.approx([(100 * 5 + 200 * 6) / 300, 7, 3, 6])
    assert rows["n"].tolist() == [300, 400, 400, 400]
    assert rows.loc["phone", "p_top"] == 1.0


def test_outcome_is_chosen_by_metric() -> None:
    """Nps before csat before ces before the first; without outcomes none."""
    ratings = make_ratings(**draw_survey(50))
    assert choose_outcome(ratings) == "recommend"
    ratings.values["outcome"].insert(0, "effort", 4.0)
    row = ratings.items.iloc[[-1]].assign(item="effort", metric="ces")
    ratings.items.loc[len(ratings.items)] = row.iloc[0]
    assert choose_outcome(ratings) == "recommend"
    ratings.items.loc[ratings.items["item"].eq("recommend"), "metric"] = None
    assert choose_outcome(ratings) == "effort"
    del ratings.values["outcome"]
    assert choose_outcome(ratings) == ""


def test_unknown_names_are_refused() -> None:
    """Outcome, level and predictor: the message says what there is."""
    ratings = make_ratings(**draw_survey(50))
    with pytest.raises(InputError, match="'recomend' is not an outcome") as error:
        fit_importance(ratings, outcome="recomend")
    assert "did you mean 'recommend'?" in str(error.value)
    with pytest.raises(InputError, match="level = 'dimension' is not available"):
        fit_importance(ratings, level="dimension")
    with pytest.raises(InputError, match="predictor = 'gaps' is not available") as error:
        fit_importance(ratings, predictor="gaps")
    assert "did you mean 'gap'?" in str(error.value)


def test_importance_on_several_scales_is_refused() -> None:
    """Means of different scales say nothing about each other."""
    ratings = make_ratings(**draw_survey(), importance=np.full((400, 4), 5.0))
    at = ratings.items["role"].eq("importance") & ratings.items["item"].eq("shop")
    ratings.items.loc[at, "scale_max"] = 10.0
    with pytest.raises(InputError, match="Importance is rated on different scales"):
        fit_importance(ratings, n_draws=20)


def test_too_little_data_is_said_so() -> None:
    """No outcome, an outcome without differences, few respondents, few groups, one driver."""
    survey = draw_survey(400)
    ratings = make_ratings(**survey)
    del ratings.values["outcome"]
    with pytest.raises(TooLittleData, match="No outcome was answered"):
        fit_importance(ratings)
    with pytest.raises(TooLittleData, match="Nobody differs in 'recommend'"):
        fit_importance(make_ratings(**{**survey, "outcome": np.full(400, 9.0)}))
    few = {key: values[:25] for key, values in survey.items()}
    with pytest.raises(TooLittleData, match=r"25 respondents gave the outcome; to compare 8"):
        fit_importance(make_ratings(**few))
    with pytest.raises(TooLittleData, match="come in 4 independent groups"):
        fit_importance(make_ratings(**survey, unit=[f"u{i % 4}" for i in range(400)]))
    one = {k: v[:, :1] if v.ndim == 2 else v for k, v in survey.items()}
    with pytest.raises(TooLittleData, match="Fewer than two of level touchpoint"):
        fit_importance(make_ratings(**one, names=["billing"]))
    two = {key: values[:2] for key, values in survey.items()}
    with pytest.raises(TooLittleData):
        fit_importance(make_ratings(**two))


def test_the_ordinal_model_says_why_it_is_missing() -> None:
    """Nobody rated everything, so the order cannot be checked."""
    survey = draw_survey(600)
    survey["perception"][::2, 0] = np.nan
    survey["perception"][1::2, 1] = np.nan
    survey["perception"][:25] = 4.0 + np.arange(100).reshape(25, 4) % 3
    fit = fit_importance(make_ratings(**survey), n_draws=20).fit.iloc[0]
    assert fit["ordinal_note"] == "only 25 respondents rated everything that is compared"
    assert fit["n_ordinal"] == 0
    outcome = np.random.default_rng(0).normal(size=400)
    fit = fit_importance(make_ratings(**{**draw_survey(), "outcome": outcome}), n_draws=20).fit
    assert fit["ordinal_note"].iloc[0] == "the outcome has 400 different values"
