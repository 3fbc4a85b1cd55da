"""Answers are found per customer, recent complaints are not called unanswered."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter

from cxlib.errors import InputError, TooLittleData
from cxlib.journeys.service.answering import measure_amplification, measure_answers
from cxlib.journeys.service.guesses import (
    find_assisted,
    find_complaints,
    find_self_service,
    find_service,
)

TRUTH = Path(__file__).resolve().parents[3] / "data" / "samples" / "truth.json"


def _rows(n: int = 20) -> list[tuple[str, str, str]]:
    """Half of the customers are answered after 2 days, the last asks on the last day."""
    rows = []
    for i in range(n):
        rows.append((f"c{i:02}", "2024-06-01 12:00", "complaint"))
        rows.append((f"c{i:02}", "2024-06-02 12:00", "newsletter"))
        rows.append((f"c{i:02}", "2024-06-02 13:00", "bill"))
        if i % 2:
            rows.append((f"c{i:02}", "2024-06-03 12:00", "reply"))
    return [*rows, ("late", "2024-12-31 12:00", "complaint")]


def test_shares_by_time_by_hand(write_log):
    """A newsletter of marketing and a bill are no answers; the target day is included."""
    found = measure_answers(write_log(_rows()), asked=["complaint"])
    by_time = found.by_time.set_index("horizon_days")
    assert by_time["n_answered"].to_dict() == {1: 0, 2: 10, 7: 10, 14: 10, 30: 10}
    assert by_time["share"].to_dict() == pytest.approx({1: 0, 2: 0.5, 7: 0.5, 14: 0.5, 30: 0.5})
    assert by_time["naive_share"].loc[30] == pytest.approx(10 / 21)
    row = found.medians.iloc[0]
    assert row[["n", "n_answered", "n_unanswered", "n_waiting"]].tolist() == [21, 10, 10, 1]
    assert row["median_days"] == row["answered_median_days"] == 2


def test_the_oldest_unanswered_comes_first(write_log):
    """Ids, moments and days of all without an answer."""
    listed = measure_answers(write_log(_rows()), asked=["complaint"]).unanswered
    assert len(listed) == 11
    assert listed["customer_id"].tolist()[:2] == ["c00", "c02"]
    assert listed["asked_at"].iloc[0] == pd.Timestamp("2024-06-01 12:00")
    assert listed["days_open"].iloc[[0, -1]].tolist() == [213.5, 0.5]


def test_what_comes_too_late_is_no_answer(write_log):
    """A reply after 40 days belongs to something else."""
    late = [(f"x{i}", "2024-02-01", "complaint") for i in range(10)]
    late += [(f"x{i}", "2024-03-12", "reply") for i in range(10)]
    log = write_log(late)
    assert measure_answers(log, asked=["complaint"]).medians["n_unanswered"].iloc[0] == 10
    longer = measure_answers(log, asked=["complaint"], within="60d")
    assert longer.medians["n_answered"].iloc[0] == 10


def test_named_answers_count_across_departments(write_log):
    """The caller may say that the newsletter answers."""
    found = measure_answers(write_log(_rows()), asked=["complaint"], answered=["newsletter"])
    assert found.by_time.set_index("horizon_days")["n_answered"].loc[1] == 20


def test_groups_are_tested_and_small_ones_suppressed(write_log):
    """The month with one customer has counts but no estimate; q-values count the tests."""
    rows = [(f"d{i}", "2024-07-01", "complaint") for i in range(20)]
    rows += [(f"d{i}", "2024-07-05", "reply") for i in range(18)]
    groups = measure_answers(write_log(_rows() + rows), asked=["complaint"]).groups
    month = groups[groups["level"] == "month"].set_index("group")
    assert month.loc["2024-12", ["n", "n_customers"]].tolist() == [1, 1]
    assert np.isnan(month.loc["2024-12", "share"])
    assert month.loc["2024-07", "share"] == pytest.approx(0.9)
    assert month.loc["2024-07", "q_value"] < 0.05
    assert groups["n_tests"].eq(2).all()


def test_planted_complaints_are_found(samples):
    """403 of 1,102 without an answer, the others in 6.26 days in the median, as planted."""
    truth = json.loads(TRUTH.read_text("utf-8"))["complaints"]
    found = measure_answers(samples, asked=find_complaints(samples))
    row = found.medians.iloc[0]
    assert row["n"] == truth["n_complaints"]
    assert row["n_unanswered"] + row["n_waiting"] == len(found.unanswered) == truth["n_unanswered"]
    assert row["answered_median_days"] == pytest.approx(truth["median_answer_days"], abs=1e-4)
    last = found.by_time.iloc[-1]
    assert last["conf_low"] < 1 - truth["unanswered_share"] < last["conf_high"]
    assert (found.groups["q_value"].dropna() > 0.05).all()  # nothing was planted there


def test_planted_curve_equals_lifelines(samples):
    """The share answered is lifelines' on waits matched in plain pandas."""
    found = measure_answers(samples, asked=["complaint"], answered=["complaint_reply"])
    names = samples.contacts["touchpoint"]
    steps = samples.steps.select("customer", "contact", "at").to_pandas()
    steps["touchpoint"] = names.to_numpy()[steps["contact"]]
    asked = steps[steps["touchpoint"] == "complaint"].sort_values("at")
    replies = steps[steps["touchpoint"] == "complaint_reply"].assign(replied=lambda t: t["at"])
    both = pd.merge_asof(
        asked, replies[["customer", "at", "replied"]].sort_values("at"),
        on="at", by="customer", direction="forward",
    )  # fmt: skip
    wait = (both["replied"] - both["at"]) / 86_400e6
    left = (samples.end.value // 1000 - both["at"]) / 86_400e6
    is_over = wait <= 30
    fitter = KaplanMeierFitter().fit(wait.where(is_over, left.clip(upper=30)), is_over)
    expected = 1 - fitter.predict(found.by_time["horizon_days"])
    assert found.by_time["share"].to_numpy() == pytest.approx(expected.to_numpy())


def test_amplification_by_hand(write_log):
    """Half of the reviews are followed by another within the month."""
    rows = [(f"c{i}", "2024-06-01", "review") for i in range(20)]
    rows += [(f"c{i}", "2024-06-11", "review") for i in range(10)]
    row = measure_amplification(write_log(rows), praised=["review"], followed=["advocacy"]).iloc[0]
    assert row[["n", "n_customers", "n_followed"]].tolist() == [30, 20, 10]
    assert row["share"] == pytest.approx(1 / 3)
    assert row["conf_low"] < 1 / 3 < row["conf_high"]
    with pytest.raises(TooLittleData, match="2 customers had such a contact; at least 10"):
        measure_amplification(write_log(rows[:2]), praised=["review"], followed=["review"])


def test_guesses_from_names(samples, write_log):
    """Likely touchpoints are found by name, and replies are no complaints."""
    assert find_complaints(samples) == ("complaint",)
    assert find_service(samples) == ("chat", "complaint", "phone_support", "web_help")
    assert find_self_service(samples) == ("app", "web_help")
    assert find_assisted(samples) == ("chat", "phone_support")
    assert find_complaints(write_log([("a", "2024-01-01", "order")])) == ()


def test_guesses_know_whole_words(make_log):
    """A messenger is no app, a robot no person, an answer no complaint."""
    log = make_log([("a", "chatbot web_faq whatsapp telephone complaint complaint_answered")])
    assert find_self_service(log) == ("chatbot", "web_faq")
    assert find_assisted(log) == ("telephone", "whatsapp")
    assert find_complaints(log) == ("complaint",)


def test_messages(write_log, make_log):
    """Nothing asked, a text for a list, nothing that could answer, too few."""
    log = write_log(_rows())
    with pytest.raises(InputError, match="No touchpoint is known to be a negative contact"):
        measure_answers(log, asked=())
    with pytest.raises(InputError, match="is a text, not a list of touchpoints"):
        measure_answers(log, asked="complaint")
    with pytest.raises(InputError, match="No event is at 'grumble'"):
        measure_answers(log, asked=["grumble"])
    with pytest.raises(InputError, match="within = '7' is not a number with a unit"):
        measure_answers(log, asked=["complaint"], within="7")
    silent = write_log([("a", "2024-01-01", "complaint"), ("a", "2024-01-02", "newsletter")])
    with pytest.raises(InputError, match="No contact begun by the company could be an answer"):
        measure_answers(silent, asked=["complaint"])
    with pytest.raises(InputError, match="cannot be told without 'initiated_by'"):
        measure_answers(make_log([("a", "complaint reply")]), asked=["complaint"])
    with pytest.raises(TooLittleData, match="1 customers had such a contact"):
        measure_answers(make_log([("a", "x y")]), asked=["x"], answered=["y"])
