"""Penalties and rewards: against R, planted, and refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cxlib.errors import InputError, TooLittleData
from cxlib.gaps.features.asymmetry import fit_asymmetry
from cxlib.gaps.features.plots import plot_asymmetry
from cxlib.gaps.features.wording import describe_asymmetry
from cxlib.gaps.ratings import Ratings, select_answers
from tests.gaps.kiosk import OUTCOMES, read_kiosk, stack


def draw(n: int = 1_500, *, seed: int = 0, noise: float = 1.0) -> Ratings:
    """Draw four items: low costs 1.2, high gains 1.2, both 0.8, and nothing."""
    rng = np.random.default_rng(seed)
    rated = {name: rng.integers(1, 8, n).astype(float) for name in ("low", "high", "both", "none")}
    y = 5 - 1.2 * (rated["low"] <= 3) + 1.2 * (rated["high"] >= 5)
    y = y - 0.8 * (rated["both"] <= 3) + 0.8 * (rated["both"] >= 5) + rng.normal(0, noise, n)
    columns = {("perception", name): values for name, values in rated.items()}
    answers = stack([f"r{i:05d}" for i in range(n)], columns | {("outcome", "out"): y})
    names = [*rated, "out"]
    scales = {"scale_min": [1.0] * 4 + [np.nan], "scale_max": [7.0] * 4 + [np.nan]}
    return select_answers(answers, pd.DataFrame({"item": names, **scales}))


def test_kiosk_equals_r(shared_data):
    """reference/prediction.R: reliability has one low rating and enters as a straight line."""
    found = fit_asymmetry(read_kiosk(shared_data), outcome=OUTCOMES, level="dimension")
    effects = found.effects.set_index("name")
    expected = {  # penalty, its error, reward, its error
        "control": (-0.2122687062, 0.2196743898, -0.0425532685, 0.1132129962),
        "convenience": (-0.0131216391, 0.2702765584, -0.0218363721, 0.1027145610),
        "economy": (-0.5827851655, 0.2564673946, 0.3055505041, 0.1023711029),
        "security": (-0.1415732282, 0.2982484977, 0.3307245783, 0.1087418892),
        "tangible": (-0.0847571082, 0.1193531841, 0.2880346463, 0.1182875339),
    }
    t = 1.9730840773  # R: qt(0.975, 194 - 12)
    for name, (penalty, penalty_error, reward, reward_error) in expected.items():
        row = effects.loc[name]
        assert (row["penalty"], row["reward"]) == pytest.approx((penalty, reward))
        assert row["penalty_high"] - penalty == pytest.approx(t * penalty_error)
        assert row["reward_high"] - reward == pytest.approx(t * reward_error)
    assert effects.loc["economy", "std_error"] == pytest.approx(0.288192704978)
    assert effects["n_low"].to_dict() == {
        "control": 19, "convenience": 16, "economy": 19, "reliability": 1, "security": 14,
        "tangible": 51,
    }  # fmt: skip
    assert effects.loc["reliability", "verdict"] == "not judged"
    assert np.isnan(effects.loc["reliability", "penalty"])
    assert found.r2 == pytest.approx(0.419488157397)
    told = describe_asymmetry(found)
    assert "or the same as another's, to judge: reliability." in told
    assert "5 were judged together" in told


def test_planted_asymmetries_are_found():
    """What only costs is basic, what only gains is excitement."""
    found = fit_asymmetry(draw(), outcome="out", level="item")
    rows = found.effects.set_index("name")
    assert rows["verdict"].to_dict() == {
        "both": "performance", "high": "excitement", "low": "basic", "none": "no link",
    }  # fmt: skip
    for name, penalty, reward in (("low", -1.2, 0), ("high", 0, 1.2), ("both", -0.8, 0.8)):
        assert rows.loc[name, "penalty_low"] < penalty < rows.loc[name, "penalty_high"]
        assert rows.loc[name, "reward_low"] < reward < rows.loc[name, "reward_high"]
    told = describe_asymmetry(found)
    assert "low ratings weigh more than high ones (basic) at low;" in told
    assert "Not shown to go with it at all: none." in told


def test_straight_line_is_no_asymmetry():
    """A straight link cut in thirds of a skewed rating is never called basic or excitement."""
    rng = np.random.default_rng(3)
    verdicts = []
    for _ in range(20):
        x = np.clip(np.round(rng.normal(5.2, 1.4, 400)), 1, 7)
        columns = {("perception", "x"): x, ("outcome", "out"): 0.6 * x + rng.normal(0, 1, 400)}
        answers = stack([f"r{i}" for i in range(400)], columns)
        items = pd.DataFrame({"item": ["x"], "scale_min": [1.0], "scale_max": [7.0]})
        found = fit_asymmetry(select_answers(answers, items), outcome="out", level="item")
        verdicts.append(found.effects["verdict"].iloc[0])
    assert sum(verdict in {"basic", "excitement", "reverse"} for verdict in verdicts) <= 2


def test_ratings_not_given_keep_the_respondent():
    """Half never met one touchpoint: the others are still known from everybody."""
    ratings = draw()
    perception = ratings.values["perception"].copy()
    perception.loc[::2, "none"] = np.nan
    some = replace(ratings, values={**ratings.values, "perception": perception})
    found = fit_asymmetry(some, outcome="out", level="item")
    rows = found.effects.set_index("name")
    assert found.n == 1_500
    assert rows.loc["none", "n"] == 750
    assert rows.loc["low", "verdict"] == "basic"


def test_twins_cannot_be_told_apart():
    """Two items always rated alike: the second is not judged, the first carries both."""
    ratings = draw()
    perception = ratings.values["perception"].assign(twin=ratings.values["perception"]["both"])
    items = pd.concat([ratings.items, ratings.items.iloc[[0]].assign(item="twin")])
    twins = replace(ratings, values={**ratings.values, "perception": perception}, items=items)
    rows = fit_asymmetry(twins, outcome="out", level="item").effects.set_index("name")
    alone = fit_asymmetry(ratings, outcome="out", level="item").effects.set_index("name")
    assert rows.loc["twin", "verdict"] == "not judged"
    assert rows.loc["both", "penalty"] == pytest.approx(alone.loc["both", "penalty"])
    assert rows.loc["low", "std_error"] == pytest.approx(alone.loc["low", "std_error"], rel=1e-6)


def test_cut_by_answers():
    """Outer thirds of the answers: about a third each side, whatever the scale."""
    found = fit_asymmetry(draw(), outcome="out", level="item", cut="answers")
    assert found.effects["n_low"].between(400, 750).all()
    assert found.cut == "answers"


def test_unknown_scale_needs_another_cut():
    """Without a scale nothing is low; the answers can be cut all the same."""
    ratings = draw()
    bare = replace(ratings, items=ratings.items.assign(scale_min=np.nan, scale_max=np.nan))
    with pytest.raises(InputError, match=r"The scale of 'both' is not known[\s\S]*cut='answers'"):
        fit_asymmetry(bare, outcome="out", level="item")
    assert fit_asymmetry(bare, outcome="out", level="item", cut="answers").n == 1_500


def test_levels_without_names_and_roles_without_answers():
    """Nothing names a touchpoint; nothing was perceived."""
    ratings = draw()
    with pytest.raises(InputError, match="No item names a touchpoint"):
        fit_asymmetry(ratings, outcome="out")
    none = {role: table for role, table in ratings.values.items() if role == "outcome"}
    with pytest.raises(InputError, match="No answer has the role 'perception'"):
        fit_asymmetry(replace(ratings, values=none), outcome="out", level="item")


@pytest.mark.parametrize(
    ("n", "words"),
    [(60, "together need 90 respondents; 60 gave"), (12, "No item has 10 low, middle and high")],
)
def test_too_little(n, words):
    """Too few respondents for the columns, or for the three groups."""
    with pytest.raises(TooLittleData, match=words):
        fit_asymmetry(draw(n), outcome="out", level="item", min_cell=2 if n == 60 else 10)


def test_equal_outcomes_go_with_nothing():
    """Everybody is equally satisfied."""
    ratings = draw()
    values = {**ratings.values, "outcome": ratings.values["outcome"] * 0 + 4}
    with pytest.raises(TooLittleData, match="All answers to 'out' are the same"):
        fit_asymmetry(replace(ratings, values=values), outcome="out", level="item")


def test_figure_draws_two_bars_a_name():
    """Bars at the estimates, the verdict beside them."""
    effects = fit_asymmetry(draw(), outcome="out", level="item").effects
    ax = plot_asymmetry(effects)
    widths = [bar.get_width() for container in ax.containers for bar in container]
    assert widths == pytest.approx([*effects["penalty"], *effects["reward"]])
    assert [text.get_text() for text in ax.texts] == list(effects["verdict"])


def test_few_units_are_too_little():
    """Three units tell nothing of penalties, however many respondents they have."""
    ratings = draw(300)
    units = ratings.respondents.assign(unit=[f"u{i % 3}" for i in range(300)])
    with pytest.raises(TooLittleData, match="come in 3 independent groups"):
        fit_asymmetry(replace(ratings, respondents=units), outcome="out", level="item")


def test_no_outcome_is_told_by_its_role():
    """Without any outcome the message names the role, not an item without a name."""
    ratings = draw(100)
    values = {role: table for role, table in ratings.values.items() if role != "outcome"}
    with pytest.raises(InputError, match="No answer has the role 'outcome'"):
        fit_asymmetry(replace(ratings, values=values), outcome="", level="item")
