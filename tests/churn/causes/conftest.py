"""Data sets of the R numbers in tests/churn/reference/causes.R."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cxlib.data
from cxlib import churn

MGUS = Path(__file__).parent.parent / "reference" / "mgus2.csv"


@pytest.fixture
def ties() -> pd.DataFrame:
    """Make 120 lifetimes with many ties, three groups and two causes; `late` enters some late."""
    i = np.arange(1, 121)
    event = (i * i + i // 7) % 4 % 3
    days = (i * 37) % 23 + 1 + 5 * (i % 3)
    return pd.DataFrame(
        {
            "customer_id": i,
            "duration_days": days,
            "late": np.where(i % 4 == 0, days // 3, 0),
            "churned": event > 0,
            "cause": pd.Series(event).map({1: "one", 2: "two"}),
            "event": event,
            "group": np.array(list("abc"))[i % 3],
        }
    )


@pytest.fixture(scope="session")
def mgus() -> pd.DataFrame:
    """Read the 1,384 people of mgus2, months for days; the cause is a malignancy or death."""
    table = pd.read_csv(MGUS)
    return table.assign(
        customer_id=table["id"],
        duration_days=table["months"],
        churned=table["event"] > 0,
        cause=table["event"].map({1: "malignancy", 2: "death"}),
    )


@pytest.fixture(scope="session")
def samples_first() -> pd.DataFrame:
    """Collect the first stays of the sample company, with the household."""
    tables = cxlib.data.open_workbook("samples")
    lifetimes = churn.collect_lifetimes(
        subscriptions=tables.frame("subscriptions"), as_of=tables.as_of
    ).table
    first = lifetimes[lifetimes["spell"] == 1]
    return churn.add_attributes(first, customers=tables.frame("customers"), names=["household"])


@pytest.fixture(scope="session")
def truth() -> dict[str, Any]:
    """Read what was planted in the sample company."""
    return json.loads((Path(__file__).parents[3] / "data/samples/truth.json").read_text())
