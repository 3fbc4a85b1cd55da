"""Drift: called where it is, seldom where it is not."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxlib.errors import TooLittleData
from cxlib.journeys import add_journeys
from cxlib.journeys.kinds.assign import NONE, assign_segments, keep_segments, summarise_fit
from cxlib.journeys.kinds.drift import measure_drift
from cxlib.journeys.summary import keep_since
from cxlib.journeys.walks import letter
from tests.journeys.kinds.test_assign import WAYS, build_log, draw_walks, fit_plainly

NAMES = ["k", "o"]


def _kept(journeys: pd.DataFrame) -> SimpleNamespace:
    """Pretend that segments were fitted on these journeys."""
    return SimpleNamespace(
        model=SimpleNamespace(names=NAMES), reference=summarise_fit(journeys, NAMES)
    )


def _draw(n: int, rng: np.random.Generator, *, share: float = 0.5, far: float = 1.0):
    """Draw journeys of `n` customers, one to five each, who keep to a segment and a distance."""
    customer = np.repeat(np.arange(n), rng.integers(1, 6, n))
    chance = rng.beta(2 * share, 2 * (1 - share), n)[customer]
    label = np.where(rng.random(len(customer)) < chance, "k", "o")
    own = rng.normal(far, 0.3, n)[customer]
    return pd.DataFrame(
        {
            "customer_id": customer.astype(str),
            "is_open": False,
            "segment": np.where(rng.random(len(customer)) < 0.02, NONE, label),
            "nearest": label,
            "distance": np.abs(own + rng.normal(0, 0.1, len(customer))),
        }
    )


def test_drift_by_hand():
    """One journey a customer: 60 of 100 then, 40 of 100 now; z of two plain shares."""

    def make(n_k: int, far: float) -> pd.DataFrame:
        """Make 100 journeys, `n_k` of them in `k`."""
        label = ["k"] * n_k + ["o"] * (100 - n_k)
        distance = far + np.resize([-0.1, 0.1], 100)
        customer = [str(i) for i in range(100)]
        names = {"segment": label, "nearest": label, "is_open": False}
        return pd.DataFrame({"customer_id": customer, "distance": distance, **names})

    cut_short = make(100, 9.0).assign(is_open=True)
    row = measure_drift(pd.concat([make(40, 1.1), cut_short]), _kept(make(60, 1.0))).iloc[0]
    assert (row["n"], row["share"], row["fitted_share"]) == (40, 0.4, 0.6)
    assert row["difference"] == pytest.approx(-0.2)
    assert row["p_value"] == pytest.approx(2 * stats.norm.sf(0.2 / np.sqrt(0.25 * 2 / 100)))
    # standard errors of the means of 40 and of 60 distances that lie 0.1 off
    error = np.sqrt(0.01 / 39 + 0.01 / 59)
    assert row["distance_p_value"] == pytest.approx(2 * stats.norm.sf(0.1 / error))
    assert row["n_tests"] == 4
    assert row["verdict"] == "share moved; fit worse: refit"


def test_each_kind_of_change_has_its_verdict():
    """Shares alone, distances alone, neither; nearer than before is no reason to refit."""
    rng = np.random.default_rng(0)
    kept = _kept(_draw(1000, rng))
    moved = measure_drift(_draw(1000, rng, share=0.3), kept)
    worse = measure_drift(_draw(1000, rng, far=1.2), kept)
    nearer = measure_drift(_draw(1000, rng, far=0.8), kept)
    assert set(moved["verdict"][:2]) == {"share moved"}
    assert set(worse["verdict"][:2]) == {"fit worse: refit"}
    assert set(nearer["verdict"]) == {"no change shown"}
    assert moved["segment"].tolist() == [*NAMES, NONE]


def test_without_change_at_most_one_in_twenty_is_called():
    """200 pairs of draws of the same customers' ways: any call at all in about 5 %."""
    rng = np.random.default_rng(4)
    called, p_values = 0, []
    for _ in range(200):
        table = measure_drift(_draw(250, rng), _kept(_draw(400, rng)))
        called += (table["verdict"] != "no change shown").any()
        p_values += [table["p_value"][0], table["distance_p_value"][0]]
    assert called <= 18  # 10 expected; more than 18 has probability 0.005
    assert 0.02 <= np.mean(np.array(p_values) < 0.05) <= 0.09


def test_later_journeys_of_the_same_ways_show_no_change():
    """Fitted on 600 journeys, tried on 600 others drawn alike, then on others."""
    kept = keep_segments(fit_plainly(build_log(draw_walks(600, 1))))
    same = assign_segments(build_log(draw_walks(600, 2)), kept).journeys
    assert set(measure_drift(same, kept)["verdict"]) <= {
        "no change shown",
        "too few journeys to tell",
    }
    ways = {**WAYS, "buy": "ad plan call form order"}
    changed = assign_segments(build_log(draw_walks(600, 3, ways=ways)), kept)
    table = measure_drift(changed.journeys, kept).set_index("segment")
    (buy,) = assign_segments(build_log([("a", WAYS["buy"])]), kept).journeys["nearest"]
    assert "fit worse: refit" in table.loc[buy, "verdict"]
    assert set(changed.unseen["touchpoint"]) == {"call", "form"}


def test_few_journeys_give_no_verdict():
    """Seven journeys are not compared, none at all is said."""
    rng = np.random.default_rng(0)
    kept = _kept(_draw(500, rng))
    few = measure_drift(_draw(500, rng).head(7), kept)
    assert set(few["verdict"]) == {"too few journeys to tell"}
    assert few["p_value"].isna().all()
    assert set(few["n_tests"]) == {0}
    with pytest.raises(TooLittleData, match="no journeys to compare"):
        measure_drift(_draw(5, rng).head(0), kept)


def test_planted_change_of_the_samples_is_called():
    """From 2025-03-01 the direct way changes: that kind fits worse, new touchpoints are told."""
    from cxlib.data import open_workbook

    events = open_workbook("samples").events
    change = pd.Timestamp("2025-03-01")
    early = add_journeys(events.filter(events["timestamp"] < change), as_of="2025-02-28")
    log = add_journeys(events, as_of="2025-12-31")
    found = fit_plainly(early, n_clusters=4)
    kept = keep_segments(found)
    assigned = assign_segments(keep_since(log, "2025-03-01"), kept)
    table = measure_drift(assigned.journeys, kept).set_index("segment")
    ways = dict(zip(found.walks.paths["letters"], found.kinds, strict=True))
    direct = ["search_ad", "website", "plans_page", "online_order", "installation", "welcome_email"]
    places = found.walks.places.names
    kind = found.model.names[ways["".join(letter(places.index(name)) for name in direct)]]
    assert set(assigned.unseen["touchpoint"]) == {"app_order", "live_chat_sales"}
    assert "fit worse: refit" in table.loc[kind, "verdict"]
    assert table["verdict"].str.contains("fit worse").sum() == 1
    assert table.loc[NONE, "difference"] > 0
    assert table.loc[NONE, "q_value"] < 0.001
