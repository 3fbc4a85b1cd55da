"""The variance of ratings is split by where, with whom and when they came about."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxlib.errors import InputError, TooLittleData
from cxlib.gaps.consistency.plots import plot_variance
from cxlib.gaps.consistency.variance import split_variance
from cxlib.gaps.consistency.wording import describe_variance
from cxlib.gaps.ratings import Ratings, select_answers

REFERENCE = Path(__file__).resolve().parents[1] / "reference"


def read_survey(**changes: object) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the survey of the reference numbers as answers and items."""
    table = pd.read_csv(REFERENCE / "crossed.csv")
    items = table.drop_duplicates("item")[["item", "touchpoint"]]
    items = items.assign(scale_min=-9.0, scale_max=19.0)
    answers = table.drop(columns="touchpoint").assign(role="perception", **changes)
    return answers, items


def make_ratings(**changes: object) -> Ratings:
    """Select all waves of the survey of the reference numbers."""
    return select_answers(*read_survey(**changes), every_wave=True)


def test_shares_are_those_of_the_reference() -> None:
    """lme4's variances as shares; the touchpoints from a model of their own."""
    places = pd.DataFrame({"touchpoint": ["t0", "t1", "t2", "t3"], "channel": ["a", "a", "b", "b"]})
    table = split_variance(make_ratings(), touchpoints=places)
    assert table["part"].tolist() == [
        *("touchpoint", "channel", "item", "unit", "wave", "respondent", "residual")
    ]
    assert table["n_levels"].tolist() == [4, 2, 8, 6, 3, 60, int(table["n_ratings"].iloc[0])]
    shares = table.set_index("part")["share"]
    total = 0.3131433784 + 0.5089588435 + 0.2716238211 + 0.1845690258 + 0.7241454738
    assert shares["unit"] == pytest.approx(0.2716238211 / total, rel=1e-3)
    assert shares["item"] == pytest.approx(0.5089588435 / total, rel=1e-3)
    assert shares["touchpoint"] == pytest.approx(0.5978403091 / 2.0940572, rel=1e-3)
    assert (table["conf_low"] <= table["share"]).all()
    assert (table["conf_high"] >= table["share"]).all()
    assert table.set_index("part").loc["unit", "std_dev"] == pytest.approx(
        np.sqrt(0.2716238211), rel=1e-3
    )


def test_order_and_names_do_not_matter() -> None:
    """Shuffled rows and other names of respondents give the same shares."""
    answers, items = read_survey()
    other = answers.sample(frac=1, random_state=2)
    other["respondent_id"] = "x" + other["respondent_id"].str[::-1]
    first, second = (
        split_variance(select_answers(a, items, every_wave=True)) for a in (answers, other)
    )
    pd.testing.assert_frame_equal(first, second, rtol=1e-3, atol=1e-4)


def test_answers_may_name_their_touchpoint() -> None:
    """A touchpoint named by the answer wins over the item's, and one item may have several."""
    answers, items = read_survey()
    moved = answers.assign(touchpoint=np.where(answers["unit"].eq("u0"), "elsewhere", None))
    table = split_variance(select_answers(moved, items, every_wave=True))
    assert table.set_index("part").loc["touchpoint", "n_levels"] == 5
    assert table.set_index("part").loc["item", "n_levels"] == 8


def test_what_cannot_be_told_apart_is_left_out() -> None:
    """One wave, no unit, a touchpoint for every item: no such parts."""
    answers, items = read_survey()
    one = answers[answers["wave"].eq("w0")].drop(columns="unit")
    table = split_variance(select_answers(one, items.assign(touchpoint=items["item"])))
    assert table["part"].tolist() == ["touchpoint", "item", "respondent", "residual"]
    shares = table.set_index("part")["share"]
    assert shares["touchpoint"] == pytest.approx(shares["item"])


def test_many_units_are_sampled_and_told() -> None:
    """Beyond the limit some units are drawn; how many there were is kept."""
    table = split_variance(make_ratings(), most_units=4)
    assert table.set_index("part").loc["unit", "n_levels"] == 4
    assert table["n_units_all"].eq(6).all()
    assert table["n"].iloc[0] < 60


def test_bad_input_is_told() -> None:
    """No such role; two scales; equal answers; one rating each of one item."""
    with pytest.raises(InputError, match="No answer has the role 'belief'"):
        split_variance(make_ratings(), role="belief")
    answers, items = read_survey()
    other = items.assign(scale_max=[19.0] * 7 + [29.0])
    with pytest.raises(InputError, match="rated on different scales"):
        split_variance(select_answers(answers, other))
    with pytest.raises(TooLittleData, match="not all equal"):
        split_variance(make_ratings(value=4.0))
    once = answers[answers["item"].eq("i1") & answers["wave"].eq("w0")].drop(columns="unit")
    with pytest.raises(TooLittleData, match="nothing to split"):
        split_variance(select_answers(once))


def test_the_finding_reads_the_table() -> None:
    """Shares with intervals, the warning not to add them, the few waves."""
    places = pd.DataFrame({"touchpoint": ["t0", "t1", "t2", "t3"], "channel": ["a", "b", "b", "c"]})
    table = split_variance(make_ratings(), touchpoints=places)
    told = describe_variance(table)
    assert told.startswith("Of the variance of ratings lies 28.6% between 4 touchpoints (95% inter")
    assert "Touchpoints and channels sort the same items: do not add these shares." in told
    assert "With 4 touchpoints, 3 channels and 3 waves little can be said" in told
    labels = [text.get_text() for text in plot_variance(table).get_yticklabels()]
    assert labels[-1] == "within respondents (what is left)"
    region = table.assign(part=table["part"].replace("unit", "region"))
    assert "between 6 groups by region" in describe_variance(region)
