"""The sample company's survey, opened once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import cxlib.data

SAMPLES = Path(__file__).resolve().parents[3] / "data" / "samples"


@pytest.fixture(scope="session")
def sample():
    """Answers, items, invitations and customers of the samples."""
    tables = cxlib.data.open_workbook("samples")
    return {n: tables.frame(n) for n in ("answers", "items", "invitations", "customers")}


@pytest.fixture(scope="session")
def truth():
    """Read what was planted."""
    return json.loads((SAMPLES / "truth.json").read_text("utf-8"))["nonresponse"]["waves"]
