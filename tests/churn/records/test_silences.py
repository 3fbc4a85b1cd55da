"""The threshold of inactivity, from the silences in the events."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest

from cxlib.churn.records.inactivity import lifetimes_from_events
from cxlib.churn.records.silences import _share_returning, suggest_inactivity
from cxlib.churn.records.wording import describe_inactivity
from cxlib.data import open_workbook
from cxlib.errors import InputError, TooLittleData
from tests.engines import load_frame

AS_OF = "2024-12-31"


def visits(seed: int, n: int = 300, stays: float = 0.8) -> pd.DataFrame:
    """Draw customers who come about every 20 days until they stay away for good."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        day = int(rng.integers(0, 200))
        while day < 366:
            rows.append((f"c{i:03}", pd.Timestamp("2024-01-01") + pd.Timedelta(days=day, hours=9)))
            day += 1 + int(rng.exponential(20)) if rng.random() < stays else 999
    return pd.DataFrame(rows, columns=["customer_id", "timestamp"])


def test_shares_by_hand() -> None:
    """Ten silences: two end on day 1, one of them censored; one returns on day 3 of eight."""
    returned = np.array([0.0, 1, 0, 1, 0, 0])
    longer = np.array([10.0, 10, 8, 8, 4, 4])  # a silence ongoing on day 1 and three on day 3
    share, low, high = _share_returning(returned, longer, 4, 0.95)

    # survival runs 9/10 on day 1 and 7/8 on day 3
    assert share == pytest.approx([1 - 0.9 * 0.875, 1 - 0.875, 1 - 0.875, 0, 0])
    assert (low <= share).all()
    assert (share <= high).all()
    assert low[3] == 0
    assert high[3] == pytest.approx(1 - 0.025 ** (1 / 4))  # none of four: Clopper-Pearson


def test_the_interval_is_that_of_r() -> None:
    """Equal to survfit with log-log intervals, turned over.

    library(survival)
    days <- rep(1:6, c(5, 8, 4, 3, 2, 8)); back <- rep(c(1, 1, 0, 1, 1, 0), c(5, 8, 4, 3, 2, 8))
    s <- summary(survfit(Surv(days, back) ~ 1, conf.type = "log-log"), times = 6)
    print(1 - c(s$surv, s$upper, s$lower), digits = 10)  # 0.6512820513 0.4706122064 0.8253455854
    """
    returned = np.array([0.0, 5, 8, 0, 3, 2, 0])
    longer = np.array([30.0, 30, 25, 17, 13, 10, 8])
    share, low, high = _share_returning(returned, longer, 6, 0.95)

    assert [share[0], low[0], high[0]] == pytest.approx(
        [0.6512820513, 0.4706122064, 0.8253455854], abs=1e-9
    )


@pytest.mark.engines
def test_engines_count_the_same_silences(con: Any) -> None:
    """Counts come from the engine, and the ledger of the threshold agrees with them."""
    events = load_frame(con, visits(1))
    found = suggest_inactivity(events, as_of=AS_OF, return_share=0.2, inactivity="40d")
    row = found[found["is_chosen"]].iloc[0]
    ledger = lifetimes_from_events(events, inactivity="40d", as_of=AS_OF).ledger
    steps = ledger.set_index("step")["n"]

    assert found["n_silences"].is_monotonic_decreasing
    assert [row["n_lifetimes"], row["n_churned"]] == [steps["lifetimes"], steps["churned"]]
    assert steps["rows in"] == steps["merged: same stay"] + steps["spells"] == len(visits(1))
    assert found["is_suggested"].sum() == 1
    assert found.loc[found["is_suggested"], "threshold_days"].item() == 55


def test_the_truth_is_recovered() -> None:
    """Of silences longer than t days, the share that ends in a return is known by design."""
    events = ibis.memtable(visits(2, n=3_000))
    found = suggest_inactivity(events, as_of=AS_OF).set_index("threshold_days")
    for day in (7, 14, 30, 60):
        to_come = 0.8 * np.exp(-day / 20)  # a gap is 1 + an exponential of mean 20, floored
        assert found.loc[day, "conf_low"] - 0.01 < to_come / (to_come + 0.2)
        assert found.loc[day, "conf_high"] + 0.01 > to_come / (to_come + 0.2)
    assert found.index[found["is_suggested"]].item() == pytest.approx(72, abs=6)


def test_ongoing_silences_are_no_ends() -> None:
    """Cutting the records shorter does not move the shares, but for chance."""
    events = ibis.memtable(visits(3, n=3_000))
    long = suggest_inactivity(events, as_of=AS_OF).set_index("threshold_days")
    short = suggest_inactivity(events, as_of="2024-09-30").set_index("threshold_days")

    assert short.loc[30, "return_share"] == pytest.approx(long.loc[30, "return_share"], abs=0.03)


def test_music_shop_is_too_short_to_tell(shared_data, tmp_path) -> None:
    """Real purchases: after 180 days of silence a quarter still comes back."""
    text = (
        "name: Music shop\nas_of: 1998-06-30\ntables:\n  events:\n"
        f"    source: {shared_data}/cdnow/CDNOW_master.txt.gz\n"
        '    delimiter: "\\\\s+"\n'
        "    columns:\n      customer_id: customer_id\n      timestamp: date\n"
        "      touchpoint: {value: purchase}\n"
    )
    (tmp_path / "cx.yml").write_text(text, "utf-8")
    tables = open_workbook(str(tmp_path / "cx.yml"))
    found = suggest_inactivity(tables.events, as_of=tables.as_of, inactivity="180d")
    row = found[found["is_chosen"]].iloc[0]

    assert [row["n_lifetimes"], row["n_churned"], row["followed_days"]] == [28_730, 23_370, 545]
    assert row["return_share"] == pytest.approx(0.2488, abs=5e-5)
    assert not found["is_suggested"].any()
    told = describe_inactivity(found)
    assert "too short to say who is gone for good" in told
    assert "180 days chosen, 25% (24%–26%) came back" in told


def test_bad_input_is_refused() -> None:
    """Shares and thresholds are checked, few silences are a result."""
    events = ibis.memtable(visits(1, n=20))
    with pytest.raises(InputError, match=r"return_share = 1\.5 is no share"):
        suggest_inactivity(events, as_of=AS_OF, return_share=1.5)
    with pytest.raises(InputError, match="inactivity = '12h' is no whole number of days"):
        suggest_inactivity(events, as_of=AS_OF, inactivity="12h")
    with pytest.raises(InputError, match="Column 'timestamp' is missing"):
        suggest_inactivity(events.drop("timestamp"), as_of=AS_OF)
    with pytest.raises(TooLittleData, match="Fewer than 50 silences"):
        suggest_inactivity(events.limit(10), as_of=AS_OF)
    with pytest.raises(TooLittleData, match="Fewer than 50 silences"):
        suggest_inactivity(events, as_of="2020-01-01")
    with pytest.raises(InputError, match=r"longer than the records \(\d+ days"):
        lifetimes_from_events(events, inactivity="900d", as_of=AS_OF)


def test_a_suggestion_is_told() -> None:
    """The sentence names the length, the share allowed and how far returns were seen."""
    events = ibis.memtable(visits(2, n=3_000))
    told = describe_inactivity(suggest_inactivity(events, as_of=AS_OF))

    assert told.startswith("From 7")
    assert "at most 10% of silences end in a return within" in told
