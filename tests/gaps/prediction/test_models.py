"""Which model of the outcome the data support."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cxlib.data import open_workbook
from cxlib.errors import InputError, TooLittleData
from cxlib.gaps.outcomes import choose_outcome
from cxlib.gaps.prediction.models import GapModels, fit_gap_models
from cxlib.gaps.prediction.verdicts import EQUAL, FLAT, LINK, NOTHING
from cxlib.gaps.ratings import Ratings, keep_respondents, select_answers
from tests.gaps.answers import make_answers, make_items, make_outcomes
from tests.gaps.kiosk import OUTCOMES, draw_ratings, read_kiosk


@pytest.fixture(scope="module")
def kiosk(shared_data) -> Ratings:
    """Read the 194 respondents of the kiosk study."""
    return read_kiosk(shared_data)


@pytest.fixture(scope="module")
def models(kiosk) -> GapModels:
    """All levels of the kiosk study."""
    return fit_gap_models(kiosk, outcome=OUTCOMES)


def of_total(table: pd.DataFrame, key: str) -> pd.DataFrame:
    """Give the rows of the total, indexed."""
    return table[table["level"] == "total"].set_index(key)


def test_kiosk_correlations(models, kiosk):
    """SOURCE.md: .6047, .4889, .1491 with the mean of four outcomes; OUT1 alone .522, .418."""
    links = of_total(models.links, "rating")
    assert links["correlation"].round(4).to_dict() == {
        "perception": 0.6047, "gap": 0.4889, "expectation": 0.1491,
    }  # fmt: skip
    assert (links["n"] == 194).all()
    single = of_total(fit_gap_models(kiosk, outcome="OUT1", levels=["total"]).links, "rating")
    assert single["correlation"].round(3)[["perception", "gap"]].tolist() == [0.522, 0.418]
    # R: cor.test gives .507 to .687 for perception; the jackknife does not assume normal answers
    assert links.loc["perception", "conf_low"] == pytest.approx(0.507, abs=0.02)
    assert links.loc["perception", "conf_high"] == pytest.approx(0.687, abs=0.02)


def test_kiosk_models_equal_r(models):
    """reference/prediction.R; the classical F of the constraint follows from the shares."""
    r2 = of_total(models.models, "model")["r2"]
    expected = {
        "gap alone": 0.2390530918339, "perception alone": 0.3656052846917,
        "expectation alone": 0.0222436035814, "both, own weights": 0.3657099714464,
        "curved surface": 0.390157082915,
    }  # fmt: skip
    assert r2.to_dict() == pytest.approx(expected)
    lost = r2["both, own weights"] - r2["gap alone"]
    assert lost / (1 - r2["both, own weights"]) * 191 == pytest.approx(38.1394360891)
    tests = of_total(models.tests, "test")
    assert tests["statistic"].to_dict() == pytest.approx(
        {LINK: 49.36197, EQUAL: 44.2123758935, NOTHING: (0.016771371348 / 0.0931028691154) ** 2,
         FLAT: 2.30418}, rel=3e-6,
    )  # fmt: skip
    assert tests.loc[FLAT, "p_value"] == pytest.approx(0.07833, abs=5e-6)
    assert tests.loc[FLAT, ["degrees_1", "degrees_2"]].tolist() == [3, 188]
    assert models.tests["q_value"].ge(models.tests["p_value"]).all()
    assert len(models.tests) == 4 * 7  # total and six dimensions, all in one family


def test_in_kiosk_perception_wins(models):
    """The gap alone loses a third of what perception says; expectation adds nothing."""
    row = models.verdicts[models.verdicts["level"] == "total"].iloc[0]
    assert row["verdict"] == "perception"
    assert row["p_verdict"] > 0.95
    gap = of_total(models.models, "model").loc["gap alone"]
    assert gap["lost_low"] > 0.05
    assert gap["lost_low"] < gap["r2_lost"] < gap["lost_high"]
    assert models.verdicts["verdict"].isin(["perception", "undecided"]).all()


def test_in_the_samples_the_gap_wins():
    """The samples' outcome is made of latent gaps, so expectation counts as much as perception."""
    tables = open_workbook("samples")
    ratings = select_answers(tables.frame("answers"), tables.frame("items"))
    assert choose_outcome(ratings) == "recommend"
    models = fit_gap_models(ratings, outcome="recommend", levels=["total", "touchpoint"])
    verdicts = models.verdicts.set_index("name")["verdict"]

    assert verdicts["total"] == "gap"
    assert verdicts["billing"] == "gap"  # the touchpoint that matters to everybody
    assert not verdicts.isin(["perception", "both"]).any()
    weights = of_total(models.weights, "term")["estimate"]
    assert weights["expectation"] == pytest.approx(-weights["perception"], rel=0.15)


@pytest.mark.parametrize(
    ("slopes", "verdict"),
    [((0, 0.8), "perception"), ((-0.8, 0.8), "gap"), ((-0.4, 0.8), "both"), ((0, 0), "no link")],
)
def test_planted_models_are_found(slopes, verdict):
    """1,500 respondents, one model each."""
    models = fit_gap_models(draw_ratings(1_500, slopes=slopes), outcome="out")
    assert models.verdicts["verdict"].tolist() == [verdict]


def test_planted_bend_is_found():
    """The outcome falls with the square of the gap."""
    models = fit_gap_models(draw_ratings(600, slopes=(-0.4, 0.4), bend=-0.4), outcome="out")
    assert models.verdicts["verdict"].tolist() == ["curved"]
    surface = of_total(models.models, "model").loc["curved surface"]
    assert surface["lost_high"] < 0  # it explains more than the plane


def test_few_respondents_do_not_decide():
    """Forty respondents and much noise: no verdict, whatever leads."""
    models = fit_gap_models(draw_ratings(40, slopes=(-0.3, 0.4), noise=2), outcome="out")
    assert models.verdicts["verdict"].iloc[0] in {"undecided", "no link"}
    assert models.tests.set_index("test").loc[FLAT, "p_value"] != 0
    assert np.isnan(models.tests.set_index("test").loc[FLAT, "p_value"])  # 40 < 60
    assert "curved surface" not in set(models.models["model"])


def test_large_surveys_are_cut_into_blocks_without_harm():
    """5,000 respondents in 2,000 blocks: errors within a few per cent of HC3's."""
    ratings = draw_ratings(5_000, slopes=(-0.3, 0.5), noise=1.5)
    row = of_total(fit_gap_models(ratings, outcome="out").weights, "term").loc["perception"]
    e, p, y = (
        ratings.values[role].iloc[:, 0].to_numpy()
        for role in ("expectation", "perception", "outcome")
    )
    x = np.column_stack([np.ones(len(y)), e, p])
    inverse = np.linalg.inv(x.T @ x)
    slopes = inverse @ x.T @ y
    leverage = np.einsum("ij,jk,ik->i", x, inverse, x)
    meat = x.T @ (x * ((y - x @ slopes) / (1 - leverage))[:, None] ** 2)
    assert row["estimate"] == pytest.approx(slopes[2])
    assert row["std_error"] == pytest.approx(np.sqrt((inverse @ meat @ inverse)[2, 2]), rel=0.05)


def test_a_repeated_customer_counts_once():
    """Everybody there twice, under one customer: the errors of half the rows."""
    once = draw_ratings(150, slopes=(-0.3, 0.6))
    ids = once.respondents["respondent_id"]
    customers = pd.concat([ids, ids], ignore_index=True)
    twice = replace(
        once,
        respondents=pd.concat([once.respondents] * 2, ignore_index=True).assign(
            respondent_id=[f"r{i}" for i in range(300)], customer_id=customers
        ),
        values={role: pd.concat([v, v], ignore_index=True) for role, v in once.values.items()},
    )
    first, second = (fit_gap_models(r, outcome="out").weights for r in (once, twice))
    assert second["std_error"].to_numpy() == pytest.approx(first["std_error"].to_numpy())


def test_order_of_respondents_and_unit_of_the_outcome_do_not_matter():
    """Shuffled rows, and an outcome in other units, give the same shares and tests."""
    ratings = draw_ratings(200, slopes=(-0.3, 0.6))
    order = np.random.default_rng(0).permutation(200)
    other = replace(
        ratings,
        values={
            role: (values.iloc[order] * (-20.0 if role == "outcome" else 1.0)).reset_index(
                drop=True
            )
            for role, values in ratings.values.items()
        },
    )
    first, second = (fit_gap_models(r, outcome="out") for r in (ratings, other))
    assert second.models["r2"].to_numpy() == pytest.approx(first.models["r2"].to_numpy())
    assert second.tests["p_value"].to_numpy() == pytest.approx(first.tests["p_value"].to_numpy())
    links = [of_total(m.links, "rating")["correlation"] for m in (first, second)]
    assert links[1].to_numpy() == pytest.approx(-links[0].to_numpy())


def test_weight_zero_is_not_there():
    """Respondents of weight 0 change nothing and do not count."""
    ratings = draw_ratings(200, slopes=(-0.3, 0.6))
    weight = np.where(np.arange(200) < 120, 3.0, 0.0)
    weighted = replace(ratings, respondents=ratings.respondents.assign(weight=weight))
    cut = keep_respondents(ratings, weight > 0)
    first, second = (fit_gap_models(r, outcome="out") for r in (cut, weighted))
    assert second.weights["n"].eq(120).all()
    assert second.weights["std_error"].to_numpy() == pytest.approx(
        first.weights["std_error"].to_numpy()
    )


def test_equal_answers_are_too_few():
    """Everybody expects the top: nothing tells the gap from perception."""
    rows = "\n".join(f"r{i} x 7 {1 + i % 7}" for i in range(60))
    answers = pd.concat([make_answers(rows), make_outcomes("rec", [1 + i % 7 for i in range(60)])])
    ratings = select_answers(answers, make_items(item=["x", "rec"]))
    with pytest.raises(TooLittleData, match="is the same for all 60"):
        fit_gap_models(ratings, outcome="rec")


def test_few_answers_are_too_few():
    """Twenty respondents are no base for two slopes."""
    with pytest.raises(TooLittleData, match="Fewer than 30 respondents gave expectation"):
        fit_gap_models(draw_ratings(20, slopes=(0, 1)), outcome="out")


def test_small_names_are_hidden_or_not_judged(kiosk):
    """Half of a dimension's ratings missing below min_cell hides it."""
    values = {role: table.copy() for role, table in kiosk.values.items()}
    values["perception"].loc[8:, ["1", "2", "3"]] = np.nan  # reliability: 8 left
    values["perception"].loc[25:, ["7", "8"]] = np.nan  # control: 25 left
    models = fit_gap_models(replace(kiosk, values=values), outcome=OUTCOMES)
    verdicts = models.verdicts.set_index("name")["verdict"]
    assert "reliability" not in verdicts.index
    assert verdicts["control"] == "too few"
    assert not models.models["name"].eq("control").any()


def test_unknown_outcome_suggests_the_closest(kiosk):
    """A typing error is answered with what there is; a list is checked item by item."""
    with pytest.raises(InputError, match=r"'OUT9' is not an outcome item[\s\S]*mean 'OUT"):
        fit_gap_models(kiosk, outcome="OUT1, OUT9")


def test_outcomes_of_different_scales_are_not_averaged(kiosk):
    """A mean of 1-5 and 0-10 says nothing."""
    items = kiosk.items.copy()
    items.loc[items["item"].eq("OUT4"), "scale_max"] = 10.0
    with pytest.raises(InputError, match="different scales or directions"):
        fit_gap_models(replace(kiosk, items=items), outcome=OUTCOMES)


def test_outcome_is_chosen(kiosk):
    """Without a promoter question all outcomes of the first one's scale are averaged."""
    assert choose_outcome(kiosk) == OUTCOMES
    none = {role: values for role, values in kiosk.values.items() if role != "outcome"}
    assert choose_outcome(replace(kiosk, values=none)) == ""


def test_an_outcome_that_is_perception_itself():
    """A perfect line has r = 1 without interval, and perception alone says it."""
    ratings = draw_ratings(100, slopes=(0, 1), noise=0)
    models = fit_gap_models(ratings, outcome="out")
    link = models.links.set_index("rating").loc["perception"]
    assert link["correlation"] == pytest.approx(1)
    assert np.isnan(link["conf_low"])
    assert models.verdicts["verdict"].tolist() == ["perception"]


def test_few_units_are_named_as_the_reason():
    """Three units with hundred respondents are not fewer than 30 respondents."""
    ratings = draw_ratings(120, slopes=(-0.5, 0.5))
    units = ratings.respondents.assign(unit=[f"u{i % 3}" for i in range(120)])
    with pytest.raises(TooLittleData, match="come in 3 independent groups"):
        fit_gap_models(replace(ratings, respondents=units), outcome="out")
