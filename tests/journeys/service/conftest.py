"""The sample company's log, and logs of hand-written contacts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cxlib.data import open_workbook
from cxlib.journeys import JourneyLog, add_journeys

AS_OF = "2024-12-31"
KINDS = {  # touchpoint: stage, channel, department, who begins
    "ad": ("attraction", "web", "marketing", "company"),
    "plans": ("discovery", "web", "sales", "customer"),
    "compare": ("cultivation", "web", "sales", "customer"),
    "order": ("purchase", "web", "sales", "customer"),
    "newsletter": ("use", "e-mail", "marketing", "company"),
    "help": ("use", "web", "service", "customer"),
    "chat": ("use", "web", "service", "customer"),
    "call": ("use", "phone", "service", "customer"),
    "complaint": ("use", "e-mail", "service", "customer"),
    "reply": ("use", "e-mail", "service", "company"),
    "bill": ("use", "e-mail", "billing", "company"),
    "review": ("advocacy", "web", "marketing", "customer"),
}


@pytest.fixture
def write_log(make_events) -> Callable:
    """Return a function that makes a log of (customer, time, touchpoint) contacts."""

    def write(rows, **rules) -> JourneyLog:
        full = [(customer, at, name, *KINDS[name]) for customer, at, name in rows]
        events = make_events(full, "stage", "channel", "department", "initiated_by")
        return add_journeys(events, as_of=AS_OF, **rules)

    return write


@pytest.fixture(scope="module")
def samples() -> JourneyLog:
    """Return the log of the sample company."""
    tables = open_workbook("samples")
    return add_journeys(tables.events, as_of=tables.as_of)
