"""Time to the next stage: open journeys are censored, dropped ones compete."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.errors import InputError, TooLittleData
from cxlib.journeys import add_journeys
from cxlib.journeys.funnel.funnel import measure_funnel
from cxlib.journeys.funnel.matching import match_stages
from cxlib.journeys.funnel.timing import list_waits, time_to_convert

AS_OF = "2024-12-31"
ROWS = [
    ("a", "2024-06-01", "cart"),
    ("a", "2024-06-03", "pay"),
    ("b", "2024-06-01", "cart"),
    ("b", "2024-06-05", "web"),
    ("c", "2024-12-20", "cart"),
    ("d", "2024-06-01", "cart"),
    ("d", "2024-06-11", "pay"),
]


def _shares(found, cause: str) -> list[float]:
    return found.times.loc[found.times["cause"] == cause, "share"].tolist()


def test_four_journeys_by_hand(make_events):
    """Two convert after 2 and 10 days, one is open for 12, one drops 30 days after day 4."""
    log = add_journeys(make_events(ROWS), as_of=AS_OF)
    horizons = ["1d", "7d", "33d", "34d", pd.Timedelta("40d")]
    found = time_to_convert(log, ["cart", "pay"], horizons=horizons)
    assert _shares(found, "converted") == pytest.approx([0, 0.25, 0.5, 0.5, 0.5])
    assert _shares(found, "dropped") == pytest.approx([0, 0, 0, 0.5, 0.5])
    assert found.times["horizon_days"].tolist() == 2 * [1, 7, 33, 34, 40]
    assert found.times["n"].unique().tolist() == [4]
    assert found.times["n_at_risk"].tolist() == 2 * [4, 3, 1, 0, 0]
    quantiles = found.quantiles
    assert quantiles["quantile"].tolist() == [0.1, 0.25, 0.5]
    assert quantiles["days"].tolist() == pytest.approx([2, 2, 10])
    assert quantiles["naive_days"].tolist() == pytest.approx([2.8, 4, 6])
    assert (quantiles["conf_low"] == 0).all()  # four journeys say little
    assert quantiles["conf_high"].fillna(-1).tolist() == [10, -1, -1]
    keys = ["position", "stage", "next_stage"]
    assert found.times[keys].drop_duplicates().to_numpy().tolist() == [[1, "cart", "pay"]]
    last = found.curves.groupby("cause").last()
    assert last["time_days"].tolist() == [40, 40]
    assert last["share"].to_dict() == pytest.approx({"converted": 0.5, "dropped": 0.5})


def test_without_idle_time_nothing_drops(make_events):
    """Silence ends no journey, so all that have not converted are censored: 1 - Kaplan-Meier."""
    log = add_journeys(make_events(ROWS), as_of=AS_OF, inactivity=None)
    found = time_to_convert(log, ["cart", "pay"], horizons=["7d", "100d", "300d"])
    assert _shares(found, "converted")[:2] == pytest.approx([0.25, 0.5])
    assert _shares(found, "dropped")[:2] == [0, 0]
    assert np.isnan(_shares(found, "converted")[2])  # nobody was observed for 300 days


def test_other_rules_end_journeys_too(make_events):
    """Without an idle time at the last contact, with one at the end of the data at the latest."""
    rows = [("a", "2024-12-20", "cart"), ("a", "2024-12-25", "bye"), ("b", "2024-06-01", "pay")]
    for inactivity, time in ((None, 5), ("30d", 12), ("3d", 3)):
        log = add_journeys(make_events(rows), as_of=AS_OF, ends_at="bye", inactivity=inactivity)
        reached = match_stages(log, ["cart", "pay"])
        waits = list_waits(log, reached, origin=0, target=1).to_pandas()
        assert waits[["time", "cause"]].to_numpy().tolist() == [[time * 86_400_000_000, 2]]


def test_nothing_is_known_before_it_happens(make_events):
    """What was known at an earlier end of the data is the later knowledge, censored there."""
    rng = np.random.default_rng(0)
    rows = []
    for customer in range(80):
        at = pd.Timestamp("2024-01-01") + pd.Timedelta(rng.uniform(0, 60), "D")
        for name in ["cart", *rng.choice(["web", "pay"], 6, p=[0.8, 0.2])]:
            rows.append((f"c{customer:03d}", at.isoformat(), name))
            at += pd.Timedelta(rng.exponential(6), "D")
    frames = {}
    for as_of in ("2024-02-19", "2024-06-30"):
        seen = [row for row in rows if row[1] < f"{as_of}T99"]
        log = add_journeys(make_events(seen), as_of=as_of, inactivity="10d")
        reached = match_stages(log, ["cart", "pay"])
        waits = list_waits(log, reached, origin=0, target=1).join(log.customers, "customer")
        entries = reached.select("customer", "at_0")
        frame = waits.join(entries, "customer").to_pandas().set_index("customer_id")
        frames[as_of] = frame.sort_index()
    early, late = frames.values()
    late = late.loc[early.index]
    observed = pd.Timestamp("2024-02-20").value // 1000 - late["at_0"]
    assert (early["time"] == late["time"].clip(upper=observed)).all()
    assert (early["cause"] == late["cause"].where(late["time"] <= observed, 0)).all()
    assert early["cause"].value_counts().min() > 5  # of each kind there are some


def test_with_all_journeys_over_it_is_the_funnel(make_log):
    """Without censoring the share at a late horizon is the step's share of the funnel."""
    walks = [
        (f"c{i % 9}", ("cart ship pay", "cart ship", "cart", "cart pay")[i % 4]) for i in range(40)
    ]
    log = make_log(walks)
    stages = ["cart", "ship", "pay"]
    found = time_to_convert(log, stages, horizons=["300d"])
    expected = measure_funnel(log, stages)["step_conversion_share"].iloc[1:]
    assert _shares(found, "converted") == pytest.approx(expected.tolist())
    assert found.times.groupby("position")["share"].sum().tolist() == pytest.approx([1, 1])
    assert found.quantiles.dropna()["days"].unique().tolist() == pytest.approx([1 / 24])


def test_naive_median_is_too_short_and_ours_is_not(make_events):
    """60 % convert after 20 days on average, so 25 % after 10.8; journeys are 0 to 45 days old."""
    rng = np.random.default_rng(1)
    rows = []
    for customer in range(1500):
        begin = pd.Timestamp("2025-01-01") - pd.Timedelta(rng.uniform(0, 45), "D")
        wait = rng.exponential(20) if rng.random() < 0.6 else np.inf
        rows.append((f"{customer}", begin.isoformat(), "cart"))
        if begin + pd.Timedelta(min(wait, 99), "D") < pd.Timestamp("2025-01-01"):
            rows.append((f"{customer}", (begin + pd.Timedelta(wait, "D")).isoformat(), "pay"))
    log = add_journeys(make_events(rows), as_of=AS_OF, inactivity="60d")
    row = time_to_convert(log, ["cart", "pay"]).quantiles.set_index("quantile").loc[0.25]
    truth = -20 * np.log(1 - 0.25 / 0.6)
    assert row["conf_low"] <= truth <= row["conf_high"]
    assert row["conf_high"] - row["conf_low"] < 4
    assert row["naive_days"] < row["conf_low"]


def test_steps_that_nobody_comes_to_are_left_out(make_log):
    """A step has a curve when somebody stands before it; a stage may be named twice."""
    log = make_log([("a", "web"), ("b", "pay web web")])
    found = time_to_convert(log, ["web", "pay", "web"])
    assert found.times["position"].unique().tolist() == [1]
    twice = time_to_convert(log, ["web", "web"], horizons=["1d"])
    assert _shares(twice, "converted") == pytest.approx([0.5])


def test_bad_requests_are_refused(make_log):
    """One stage has no step; horizons are a list of times with units."""
    log = make_log([("a", "cart pay")])
    with pytest.raises(TooLittleData, match="one stage has no step"):
        time_to_convert(log, ["cart"])
    for horizons in ("7d", [], ["0d"]):
        with pytest.raises(InputError, match="no list of positive times"):
            time_to_convert(log, ["cart", "pay"], horizons=horizons)
    with pytest.raises(InputError, match="horizons = 7 is not a number with a unit"):
        time_to_convert(log, ["cart", "pay"], horizons=[7])
