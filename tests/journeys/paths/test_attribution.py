"""Attribution: published cases, exact values, honest intervals."""

from __future__ import annotations

from itertools import pairwise, permutations
from math import factorial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from cxlib.errors import InputError, TooLittleData
from cxlib.journeys import add_journeys, list_walks
from cxlib.journeys.log import Places
from cxlib.journeys.paths.attribution import METHODS, _share_out, _solve, count_attribution
from cxlib.journeys.paths.lead_ups import LeadUps
from cxlib.journeys.walks import letter


def _walks(make_log, journeys: list[str], times: int = 10):
    """Let `times` customers walk each journey."""
    return list_walks(
        make_log([(f"c{i}_{n}", path) for n, path in enumerate(journeys) for i in range(times)]),
        goal="goal",
    )


def _credit(table: pd.DataFrame, method: str, column: str = "credit") -> dict[str, float]:
    rows = table[table["method"] == method]
    return dict(zip(rows["name"], rows[column], strict=True))


@pytest.mark.parametrize(
    ("journeys", "effects", "credit"),
    [
        # AnalyzeCore (2016)
        (
            ["C1 C2 C3 goal", "C1", "C2 C3"],
            {"C1": 0.5, "C2": 1, "C3": 1},
            {"C1": 0.2, "C2": 0.4, "C3": 0.4},
        ),
        # serhiipuzyrov.com (2019), two of the conversions by google alone
        (
            ["google goal", "google goal", "mail goal", "google mail goal", "google"],
            {"google": 0.75, "mail": 0.5},
            {"google": 2.4, "mail": 1.6},
        ),
        # the example of pychattr, exact instead of simulated; steps that stay change nothing
        (
            ["A B A B B A goal", "A B B A A goal", "A A goal"],
            {"A": 1, "B": 0.5},
            {"A": 2, "B": 1},
        ),
    ],
)
def test_removal_effects_equal_those_published(make_log, journeys, effects, credit):
    """Closed-form removal effects and credit, ten customers a journey."""
    found = count_attribution(_walks(make_log, journeys), n_resamples=20)
    assert _credit(found.attribution, "markov", "removal_effect") == pytest.approx(effects)
    assert _credit(found.attribution, "markov") == pytest.approx(
        {name: 10 * value for name, value in credit.items()}
    )


def test_rules_by_hand(make_log):
    """One path of each length; credit adds up to the conversions for every method."""
    journeys = ["a goal", "a b goal", "a b c a goal", "c"]
    found = count_attribution(_walks(make_log, journeys), n_resamples=20)
    expected = {
        "first": {"a": 30, "b": 0, "c": 0},
        "last": {"a": 20, "b": 10, "c": 0},
        "linear": {"a": 20, "b": 7.5, "c": 2.5},
        "position_based": {"a": 23, "b": 6, "c": 1},
        "shapley": {"a": 10 + 5 + 10 / 3, "b": 5 + 10 / 3, "c": 10 / 3},
    }
    for method, credit in expected.items():
        assert _credit(found.attribution, method) == pytest.approx(credit)
    sums = found.attribution.groupby("method")[["credit", "share"]].sum()
    assert sums.to_numpy() == pytest.approx(np.array([[30, 1]] * len(METHODS)))
    assert found.journeys.iloc[0].to_dict() == {
        "n_converted": 30, "n_null": 10, "n_open": 0, "n_at_once": 0, "n_customers": 40,
    }  # fmt: skip


def _lead_ups(paths: dict[str, tuple[int, int]], names: str) -> LeadUps:
    """Make lead-ups of one customer: conversions and nulls of each path."""
    letters = ["".join(letter(names.index(name)) for name in path) for path in paths]
    hits = np.array([[converted for converted, _ in paths.values()]])
    trials = hits + np.array([[null for _, null in paths.values()]])
    places = Places("channel", list(names), np.arange(len(names)))
    return LeadUps(places, letters, sparse.csr_array(trials), sparse.csr_array(hits), 0, 0)


def _attribute(paths: dict[str, tuple[int, int]], names: str, keep: str = "all"):
    lead_ups = _lead_ups(paths, names)
    credits, converted, null = _share_out(lead_ups, keep)
    moves = lead_ups.hits @ converted + (lead_ups.trials - lead_ups.hits) @ null
    shares, effect = _solve((lead_ups.hits @ credits).toarray(), moves.toarray(), len(names))
    return dict(zip(METHODS, shares[0], strict=True)), effect[0], lead_ups


COUNTED = st.dictionaries(
    st.text("abcd", min_size=1, max_size=6),
    st.tuples(st.integers(0, 5), st.integers(0, 5)),
    min_size=1,
    max_size=8,
).filter(lambda paths: sum(converted for converted, _ in paths.values()))


@settings(deadline=None, max_examples=50)
@given(COUNTED)
def test_shapley_equals_its_definition(paths):
    """Marginal contributions over all orders, v(S) counted from the journeys within S."""
    shares, _, lead_ups = _attribute(paths, "abcd")

    def value(names: set[str]) -> int:
        return sum(n for path, (n, _) in paths.items() if set(path) <= names)

    total = dict.fromkeys("abcd", 0.0)
    for order in permutations("abcd"):
        for at, name in enumerate(order):
            total[name] += value(set(order[: at + 1])) - value(set(order[:at]))
    exact = [total[name] / factorial(4) for name in "abcd"]
    assert shares["shapley"] * lead_ups.hits.sum() == pytest.approx(exact)


@settings(deadline=None, max_examples=50)
@given(COUNTED)
def test_removal_effects_equal_chains_solved_without_the_touchpoint(paths):
    """Each touchpoint made null and the chain solved anew."""
    _, effect, _ = _attribute(paths, "abcd")
    states = ["start", *"abcd", "goal", "null"]
    counts = pd.DataFrame(0.0, index=states[:5], columns=states)
    for path, (converted, null) in paths.items():
        for end, n in (("goal", converted), ("null", null)):
            chain = ["start", *path, end]
            for here, there in pairwise(chain):
                counts.loc[here, there] += n

    def convert(without: str) -> float:
        chance = counts.div(counts.sum(axis=1).replace(0, 1), axis=0)
        if without:
            chance.loc[without] = 0.0
        inner = chance[states[:5]].to_numpy()
        return np.linalg.solve(np.eye(5) - inner, chance["goal"].to_numpy())[0]

    exact = [1 - convert(name) / convert("") for name in "abcd"]
    assert effect == pytest.approx(np.array(exact), abs=1e-9)


def test_steps_kept_as_in_the_published_example():
    """D A B B C D C C: exposure D A B C D C, first D A B C (snowplow's path transforms)."""
    shares = {
        keep: _attribute({"DABBCDCC": (1, 0)}, "ABCD", keep)[0]["linear"].tolist()
        for keep in ("all", "exposure", "first")
    }
    assert shares["all"] == pytest.approx([1 / 8, 2 / 8, 3 / 8, 2 / 8])
    assert shares["exposure"] == pytest.approx([1 / 6, 1 / 6, 2 / 6, 2 / 6])
    assert shares["first"] == pytest.approx([1 / 4] * 4)


def test_intervals_are_those_of_customers(make_log):
    """The share of first contacts is a proportion: the bootstrap finds its standard error."""
    rng = np.random.default_rng(3)
    journeys = [(f"c{i}", ("a goal", "b goal")[int(rng.random() < 0.3)]) for i in range(1500)]
    found = count_attribution(list_walks(make_log(journeys), goal="goal"), n_resamples=1000)
    row = found.attribution.set_index(["method", "name"]).loc[("first", "b")]
    error = np.sqrt(row["share"] * (1 - row["share"]) / 1500)
    assert row["conf_high"] - row["conf_low"] == pytest.approx(2 * 1.96 * error, rel=0.12)
    assert row["conf_low"] < row["share"] < row["conf_high"]


def test_journeys_of_one_customer_move_together(make_log):
    """Forty customers with ten equal journeys each are forty witnesses, not four hundred."""
    kinds = ("a goal", "b goal")
    one = [(f"c{i}", kinds[i % 2]) for i in range(40) for _ in range(10)]
    found = count_attribution(list_walks(make_log(one), goal="goal"), n_resamples=1000)
    row = found.attribution.set_index(["method", "name"]).loc[("linear", "a")]
    assert row["conf_high"] - row["conf_low"] == pytest.approx(2 * 1.96 * 0.5 / 40**0.5, rel=0.15)


def test_same_seed_same_numbers(make_log):
    """Results repeat; another seed moves the intervals only."""
    walks = _walks(make_log, ["a b goal", "a goal", "b"], times=20)
    first, again, other = (
        count_attribution(walks, n_resamples=50, random_state=seed).attribution
        for seed in (0, 0, 1)
    )
    pd.testing.assert_frame_equal(first, again)
    assert not first["conf_low"].equals(other["conf_low"])
    assert first["share"].equals(other["share"])


def test_open_journeys_are_neither_converted_nor_null(make_events):
    """They are left out and counted; so are journeys that begin at the goal."""
    rows = [(f"a{i}", "2024-01-01", "x") for i in range(12)]
    rows += [(f"a{i}", "2024-01-02", "goal") for i in range(12)]
    rows += [("b", "2024-12-30", "y"), ("c", "2024-12-30", "y"), ("c", "2024-12-31", "goal")]
    rows += [("d", "2024-01-01", "goal")]
    log = add_journeys(make_events(rows), as_of="2024-12-31")
    found = count_attribution(list_walks(log, goal="goal"), n_resamples=20)
    counts = found.journeys.iloc[0]
    assert counts[["n_converted", "n_null", "n_open", "n_at_once"]].tolist() == [12, 0, 2, 1]
    assert set(found.attribution["name"]) == {"x"}


def test_what_cannot_be_answered_is_refused(make_log):
    """Few conversions, unknown transforms, too many places."""
    walks = _walks(make_log, ["a goal", "b"], times=9)
    with pytest.raises(TooLittleData, match="Only 9 customers come to the goal"):
        count_attribution(walks)
    with pytest.raises(InputError, match="The steps to keep 'frist' are unknown") as caught:
        count_attribution(walks, keep="frist")
    assert "did you mean 'first'?" in caught.value.fix


def test_too_many_places_are_refused(make_log):
    """The message says which view to take."""
    many = [(f"c{i}", f"t{i:03d} goal") for i in range(151)]
    with pytest.raises(InputError, match="There are 152 places") as caught:
        count_attribution(list_walks(make_log(many), goal="goal"))
    assert "view = 'channel'" in caught.value.fix
