"""Differences between kinds: at equal length, by hand and against references."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxlib.errors import TooLittleData
from cxlib.journeys import list_walks
from cxlib.journeys.kinds.differences import measure_differences
from cxlib.journeys.walks import spell

Z2 = stats.norm.ppf(0.975) ** 2


def _label(walks) -> list[str]:
    """Label each distinct path by its last touchpoint."""
    return [spell(text[-1], walks.places) for text in walks.paths["letters"]]


def _walk(customer: str, kind: str, holds: bool, length: int, number: int = 0) -> tuple[str, str]:
    """Make a journey of some length that ends with its kind and may hold `t`."""
    filling = ["f"] * (length - 1 - holds)
    return customer, " ".join(["t"] * holds + filling + [kind])


def _make_strata(cells: dict[int, tuple[int, int, int, int]]) -> list[tuple[str, str]]:
    """Make journeys: by length a of n1 of kind `k` hold `t`, and c of n0 of kind `o`."""
    walks = []
    for length, (a, n1, c, n0) in cells.items():
        for kind, held, n in (("k", a, n1), ("o", c, n0)):
            walks += [_walk(f"{kind}{length}-{i}", kind, i < held, length) for i in range(n)]
    return walks


def _lift(make_log, walks, **options) -> pd.Series:
    listed = list_walks(make_log(walks))
    table = measure_differences(listed, _label(listed), **options)
    return table.set_index(["segment", "touchpoint"]).loc[("k", "t")]


def test_lift_in_one_stratum_is_the_risk_ratio_by_hand(make_log):
    """30 of 50 against 20 of 100: 3 times; the ends solve (R - x S)^2 = 3.84 x Q."""
    row = _lift(make_log, _make_strata({3: (30, 50, 20, 100)}))
    assert row["n"] == 30
    assert (row["share"], row["other_share"], row["lift"]) == pytest.approx((0.6, 0.2, 3))
    r, s = 30 * 100 / 150, 20 * 50 / 150
    q = (50 * 100 * 50 - 30 * 20 * 150) / 150**2
    # the variance of log lift is that of a single table
    assert q / (r * s) == pytest.approx(1 / 30 - 1 / 50 + 1 / 20 - 1 / 100)
    for end in (row["conf_low"], row["conf_high"]):
        assert (r - end * s) ** 2 == pytest.approx(Z2 * end * q)
    assert row["conf_low"] < 3 < row["conf_high"]
    assert row["p_value"] == pytest.approx(2 * stats.norm.sf(abs(r - s) / np.sqrt(q)))


def test_lift_over_strata_is_the_mantel_haenszel_risk_ratio(make_log):
    """Equal to statsmodels; the interval is near that of Greenland and Robins."""
    from statsmodels.stats.contingency_tables import StratifiedTable

    cells = {2: (12, 60, 8, 90), 4: (30, 80, 20, 120), 6: (40, 60, 15, 40)}
    row = _lift(make_log, _make_strata(cells))
    tables = [np.array([[a, n1 - a], [c, n0 - c]]) for a, n1, c, n0 in cells.values()]
    assert row["lift"] == pytest.approx(StratifiedTable(tables).riskratio_pooled)
    r, s, q = 0.0, 0.0, 0.0
    for a, n1, c, n0 in cells.values():
        total = n1 + n0
        r, s = r + a * n0 / total, s + c * n1 / total
        q += (n1 * n0 * (a + c) - a * c * total) / total**2
    error = np.sqrt(q / (r * s))
    expected = row["lift"] * np.exp(np.array([-1.96, 1.96]) * error)
    assert [row["conf_low"], row["conf_high"]] == pytest.approx(list(expected), rel=0.02)


def test_length_does_not_pass_for_a_difference(make_log):
    """Long journeys hold more: the raw shares differ twofold, at equal length nothing does."""
    row = _lift(make_log, _make_strata({2: (10, 100, 30, 300), 8: (180, 300, 60, 100)}))
    assert row["share"] / row["other_share"] > 2
    assert row["lift"] == pytest.approx(1)
    assert row["p_value"] == pytest.approx(1)


def test_repeating_every_journey_of_a_customer_adds_nothing(make_log):
    """Three equal journeys a customer count as one: same interval, same p-value."""
    walks = _make_strata({2: (12, 60, 8, 90), 4: (30, 80, 20, 120)})
    once, thrice = _lift(make_log, walks), _lift(make_log, walks * 3)
    columns = ["share", "lift", "conf_low", "conf_high", "p_value"]
    assert thrice[columns].tolist() == pytest.approx(once[columns].tolist())
    assert thrice["n"] == 3 * once["n"]


def test_design_effect_is_that_of_a_sum_over_customers(make_log):
    """Customers with several journeys of both kinds: variance computed journey by journey."""
    rng = np.random.default_rng(5)
    rows = []
    for i in range(80):
        often, mostly = rng.random(), rng.random() < 0.5
        for _ in range(rng.integers(1, 5)):
            kind, length = "ko"[mostly ^ (rng.random() < 0.1)], int(rng.integers(2, 4))
            rows.append((f"c{i}", kind, bool(rng.random() < often), length))
    listed = list_walks(make_log([_walk(*row) for row in rows]))
    table = measure_differences(listed, _label(listed))
    row = table.set_index(["segment", "touchpoint"]).loc[("k", "t")]
    frame = pd.DataFrame(rows, columns=["customer", "kind", "x", "length"])
    frame["own"] = frame["kind"] == "k"

    def score(lift: float, weight: np.ndarray) -> float:
        """Return R - lift S of weighted journeys."""
        total = 0.0
        for length in (2, 3):
            at = (frame["length"] == length).to_numpy()
            n1, n0 = (weight[at & side].sum() for side in (frame["own"], ~frame["own"]))
            a = weight[at & frame["own"] & frame["x"]].sum()
            c = weight[at & ~frame["own"] & frame["x"]].sum()
            total += (a * n0 - lift * c * n1) / (n1 + n0)
        return total

    ones = np.ones(len(frame))
    step = 1e-5
    moved = [
        score(row["lift"], ones + step * (np.arange(len(frame)) == i)) for i in range(len(frame))
    ]
    effect = np.array(moved) / step  # the score itself is 0
    by_customer = np.bincount(frame["customer"].str[1:].astype(int), effect)
    design = (by_customer**2).sum() / (effect**2).sum()
    assert design > 1.1
    r, s, q = 0.0, 0.0, 0.0
    for length in (2, 3):
        part = frame[frame["length"] == length]
        n1, n0 = part["own"].sum(), (~part["own"]).sum()
        a, c = (part["own"] & part["x"]).sum(), (~part["own"] & part["x"]).sum()
        total = n1 + n0
        r, s = r + a * n0 / total, s + c * n1 / total
        q += (n1 * n0 * (a + c) - a * c * total) / total**2
    assert row["p_value"] == pytest.approx(
        2 * stats.norm.sf(abs(r - s) / np.sqrt(design * q)), rel=1e-3
    )


def test_a_touchpoint_of_one_kind_only_has_an_interval(make_log):
    """Never in the others: no upper end; never in the segment: from 0 to 3.84 Q / S^2."""
    walks = _make_strata({3: (0, 100, 50, 100)})
    listed = list_walks(make_log(walks))
    table = measure_differences(listed, _label(listed))
    table = table.set_index(["segment", "touchpoint"])
    never, only = table.loc[("k", "t")], table.loc[("o", "t")]
    assert (never["lift"], never["conf_low"]) == (0, 0)
    assert never["conf_high"] == pytest.approx(Z2 * 12.5 / 25**2)
    assert (only["lift"], only["conf_high"]) == (np.inf, np.inf)
    assert only["conf_low"] == pytest.approx(1 / never["conf_high"])
    assert never["q_value"] < 0.001


def test_small_cells_are_not_tested_and_the_family_is_told(make_log):
    """A touchpoint of 8 journeys is left out; q-values count what is left."""
    walks = _make_strata({3: (30, 60, 20, 60)}) + [(f"r{i}", "rare f k") for i in range(8)]
    listed = list_walks(make_log(walks))
    labels = _label(listed)
    table = measure_differences(listed, labels)
    assert "rare" not in set(table["touchpoint"])
    assert set(table["n_tests"]) == {len(table)}
    assert (table["q_value"] >= table["p_value"]).all()
    assert "rare" in set(measure_differences(listed, labels, min_cell=2)["touchpoint"])
    with pytest.raises(TooLittleData, match="No touchpoint is expected 1000 times"):
        measure_differences(listed, labels, min_cell=1000)
    with pytest.raises(TooLittleData, match="one kind of journey only"):
        measure_differences(listed, ["k"] * len(listed.paths))


def test_without_a_difference_few_are_called_sure(make_log):
    """Kinds and touchpoints go by customer, but not together: p-values are as good as uniform."""
    rng = np.random.default_rng(11)
    p_values: list[float] = []
    touchpoints = list("abcdefghijlmnpqrstuvwx")
    for _ in range(4):
        walks = []
        for i in range(300):
            likes, mostly = rng.dirichlet(np.ones(len(touchpoints)) * 0.3), rng.random() < 0.5
            for _ in range(rng.integers(1, 6)):
                names = rng.choice(touchpoints, rng.integers(2, 7), p=likes)
                walks.append((f"c{i}", " ".join([*names, "ko"[mostly ^ (rng.random() < 0.1)]])))
        listed = list_walks(make_log(walks))
        table = measure_differences(listed, _label(listed))
        own = table[(table["segment"] == "k") & ~table["touchpoint"].isin(["k", "o"])]
        p_values += own["p_value"].tolist()
    assert len(p_values) == 4 * len(touchpoints)
    assert np.mean(np.array(p_values) < 0.05) <= 0.09  # 5 expected of 100
    assert 0.35 <= np.mean(np.array(p_values) < 0.5) <= 0.65
