"""Quadrants come with their probability, and the planted truth of the samples is found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.data import open_workbook
from cxlib.errors import InputError, TooLittleData
from cxlib.gaps.drivers.importance import Importance, fit_importance
from cxlib.gaps.drivers.priorities import compare_stated, rank_priorities
from cxlib.gaps.estimates.gaps import summarise_gaps
from cxlib.gaps.ratings import Ratings, select_answers
from tests.gaps.drivers.survey import draw_survey, make_ratings

NAMES = ["a", "b", "c", "d"]


def drawn(shares: list[list[float]], gaps: list[list[float]], **stated: np.ndarray) -> Importance:
    """Make importance of four drivers from draws written by hand, the estimate first."""
    first = np.array(shares[0])
    table = pd.DataFrame({"name": NAMES, "text": None, "method": "lmg", "n": 50, "left_out": None})
    table = table.assign(importance=first, share=first, share_low=first, share_high=first)
    table["is_shown"] = pd.Series([True, True, True, False], dtype=object)
    if stated:
        table = pd.concat([table, table.assign(method="stated", importance=stated["stated"][0])])
        table = table.assign(conf_low=0.0, conf_high=0.0)
    gap = np.array(gaps)
    draws = {
        "lmg": np.array(shares),
        "gap": gap,
        "perception": gap + 5,
        "correlation": np.where(np.arange(4) == 1, -0.5, 0.5) * np.ones_like(gap),
        **stated,
    }
    fit = pd.DataFrame({"method": ["lmg"], "level": "item", "outcome": "recommend"})
    return Importance(table, fit, draws, 0.95)


SHARES = [[0.3, 0.3, 0.1, 0.3]] + 8 * [[0.3, 0.3, 0.1, 0.3]] + 2 * [[0.2, 0.3, 0.2, 0.3]]
GAPS = [[-1, -1, -1, 1]] + 9 * [[-1.0, -1, -1, 1]] + [[-1.0, -1, 1, 1]]


def test_quadrants_by_hand() -> None:
    """Chances count joint draws; the cut is a quarter each; doubts are told."""
    table = rank_priorities(drawn(SHARES, GAPS)).set_index("name").loc[NAMES]
    assert table["quadrant"].tolist() == ["fix first", "fix first", "low priority", "keep up"]
    assert table["p_quadrant"].tolist() == [0.8, 1.0, 0.9, 1.0]
    assert table["p_important"].tolist() == [0.8, 1.0, 0.0, 1.0]
    assert table["p_short"].tolist() == [1.0, 1.0, 0.9, 0.0]
    assert table["verdict"].tolist() == ["fix first", "undecided", "low priority", "undecided"]
    assert table["reason"].tolist() == [
        "",
        "better perception goes with a worse outcome",
        "",
        "not shown to matter",
    ]
    assert (table["importance_cut"] == 0.25).all()


def test_cuts_can_be_moved() -> None:
    """A cut of importance and one of the gap, in points."""
    table = rank_priorities(drawn(SHARES, GAPS), importance_cut=0.5, gap_cut=-2.0)
    assert set(table["quadrant"]) == {"leave as is"}
    assert table["p_quadrant"].tolist() == [1.0] * 4


def test_gap_line_by_hand() -> None:
    """Standardised perception minus standardised importance, each over the four drivers."""
    table = rank_priorities(drawn(SHARES, GAPS)).set_index("name").loc[NAMES]
    # perception 4 4 4 6: -0.5 -0.5 -0.5 1.5; shares .3 .3 .1 .3: 0.5 0.5 -1.5 0.5
    assert table["gap_line"].tolist() == pytest.approx([-1.0, -1.0, 1.0, 1.0])


def test_methods_without_shares_are_refused() -> None:
    """The message says what there is."""
    with pytest.raises(InputError, match="no importance by method 'johnsen'") as error:
        rank_priorities(drawn(SHARES, GAPS), method="johnsen")
    assert "'lmg'" in str(error.value)


def test_stated_beside_derived() -> None:
    """Above the average by word, by link, by both or by neither; ranks by the estimates."""
    stated = np.array([[6.0, 4.0, 6.5, 3.5]] + 10 * [[6.0, 4.0, 6.5, 3.5]])
    table = compare_stated(drawn(SHARES, GAPS, stated=stated))
    assert table["name"].tolist() == ["c", "a", "b", "d"]
    found = table.set_index("name").loc[NAMES]
    assert found["agreement"].tolist() == [
        "stated and derived",
        "derived only",
        "stated only",
        "derived only",
    ]
    assert found["p_agreement"].tolist() == [0.8, 1.0, 1.0, 1.0]
    assert found["stated_rank"].tolist() == [2, 3, 1, 4]
    assert not len(compare_stated(drawn(SHARES, GAPS)))


def test_planted_priorities() -> None:
    """A small gap that matters comes first; a large one that does not has low priority."""
    importance = fit_importance(make_ratings(**draw_survey(800)), n_draws=400)
    table = rank_priorities(importance).set_index("name")
    assert table.loc["billing", "verdict"] == "fix first"
    assert table.loc["shop", "verdict"] == "low priority"
    assert table.loc["visit", "verdict"] == "leave as is"
    assert table.index[0] == "billing"
    shares = table[["share", "share_low", "share_high"]]
    assert shares["share_low"].le(shares["share_high"]).all()


def test_links_that_are_noise_get_no_important_verdict() -> None:
    """With nothing planted, a driver above the average share stays undecided."""
    for seed in range(5):
        survey = draw_survey(200, slopes=(0, 0, 0, 0), seed=seed)
        importance = fit_importance(make_ratings(**survey), n_draws=100)
        table = rank_priorities(importance)
        kept = importance.table[importance.table["method"].eq("lmg")].set_index("name")
        quiet = table[~kept.loc[table["name"], "is_shown"].astype(bool).to_numpy()]
        assert not quiet["verdict"].isin(["fix first", "keep up"]).any()


@pytest.fixture(scope="module")
def samples() -> dict[str, Ratings]:
    """Read the customers' answers of both waves of the sample company."""
    tables = open_workbook("samples")
    answers, items = tables.frame("answers"), tables.frame("items")
    return {wave: select_answers(answers, items, wave=wave) for wave in ("2025-05", "2025-11")}


@pytest.mark.parametrize("wave", ["2025-05", "2025-11"])
def test_planted_truth_of_the_samples(samples: dict[str, Ratings], wave: str) -> None:
    """Billing, a small gap that matters, is to be fixed; technician_visit, the largest, is not."""
    importance = fit_importance(samples[wave], n_draws=400)
    assert importance.fit["outcome"].tolist() == ["recommend"]
    for method in ("lmg", "johnson", "ordinal"):
        table = rank_priorities(importance, method=method).set_index("name")
        assert table.loc["billing", "verdict"] == "fix first"
        assert table.loc["billing", "gap"] > -0.5
        assert table["gap"].idxmin() == "technician_visit"
        assert table.loc["technician_visit", "verdict"] in ("low priority", "undecided")
    rows = importance.table.set_index(["method", "name"])
    assert rows.loc[("lmg", "billing"), "p_top"] == 1.0


def test_gaps_are_those_of_the_gap_table(samples: dict[str, Ratings]) -> None:
    """The map and the table of gaps show one and the same gap, with like intervals."""
    ratings = samples["2025-11"]
    table = rank_priorities(fit_importance(ratings, n_draws=400)).set_index("name")
    gaps = summarise_gaps(ratings)
    gaps = gaps[gaps["level"].eq("touchpoint")].set_index("name").loc[table.index]
    assert table["gap"].to_numpy() == pytest.approx(gaps["gap"].to_numpy(), abs=1e-9)
    width = (table["gap_high"] - table["gap_low"]) / (gaps["conf_high"] - gaps["conf_low"])
    assert width.to_numpy() == pytest.approx(1.0, abs=0.15)


def test_no_priority_where_nothing_is_shown() -> None:
    """Noise has no less important drivers either: every verdict is undecided."""
    importance = drawn(SHARES, GAPS)
    importance.table["is_shown"] = pd.Series([False] * 4, dtype=object)
    table = rank_priorities(importance).set_index("name").loc[NAMES]
    assert table["verdict"].eq("undecided").all()
    assert table.loc["c", "reason"] == "nothing is shown to matter more than anything else"


def test_weights_count_where_one_outweighs_all() -> None:
    """A hundred respondents of whom one has all the weight are one."""
    ratings = make_ratings(**draw_survey(100))
    ratings.respondents["weight"] = np.where(np.arange(100) == 0, 1e6, 1.0)
    with pytest.raises(TooLittleData, match="count for 1;"):
        fit_importance(ratings, n_draws=50)
