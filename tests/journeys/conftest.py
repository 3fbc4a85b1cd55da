"""Small event tables for the journey tests."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence

import ibis
import pandas as pd
import pytest

from cxlib.journeys import JourneyLog, add_journeys

AS_OF = "2024-12-31"


@pytest.fixture
def make_events(con) -> Callable:
    """Return a function that stores rows of (customer, time, touchpoint, more) as events."""

    def make(rows: Iterable[Sequence], *more: str) -> ibis.Table:
        columns = ["customer_id", "timestamp", "touchpoint", *more]
        frame = pd.DataFrame(list(rows), columns=columns)
        frame["timestamp"] = pd.to_datetime(frame["timestamp"], format="ISO8601").astype(
            "datetime64[us]"
        )
        text = [name for name in columns if name not in ("timestamp", "_row")]
        schema = dict.fromkeys(text, "string") | {"timestamp": "timestamp(6)"}
        schema |= {"_row": "int64"} if "_row" in columns else {}
        schema = ibis.schema({name: schema[name] for name in columns})
        name = f"events_{uuid.uuid4().hex[:12]}"  # ibis keeps what it stored of a table by name
        return con.create_table(name, frame, schema=schema)

    return make


@pytest.fixture
def make_log(make_events) -> Callable:
    """Return a function that makes a log of (customer, path) pairs, a journey each."""

    def make(walks: Iterable[tuple[str, str]], *, start: str = "2024-01-01") -> JourneyLog:
        rows = [
            (customer, pd.Timestamp(start) + pd.Timedelta(hours=hour), name, f"j{number:05d}")
            for number, (customer, path) in enumerate(walks)
            for hour, name in enumerate(path.split())
        ]
        return add_journeys(make_events(rows, "journey_id"), as_of=AS_OF)

    return make
