"""Comments the tests share."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxlib.data import open_workbook
from cxlib.gaps.comments.select import Comments, select_comments
from cxlib.gaps.comments.themes import Themes, find_themes
from cxlib.gaps.groups import add_group
from cxlib.gaps.ratings import select_answers

SAMPLES = Path(__file__).resolve().parents[3] / "data" / "samples"


@pytest.fixture(scope="session")
def planted() -> dict:
    """Return what was planted in the comments of the samples."""
    return json.loads((SAMPLES / "truth.json").read_text("utf-8"))["comments"]


@pytest.fixture(scope="session")
def comments() -> Comments:
    """Return the comments of the samples with their scores and two attributes."""
    tables = open_workbook("samples")
    ratings = select_answers(tables.answers, tables.frame("items"), every_wave=True)
    told = tables.frame("comments")
    for by in ("age_band", "acquisition_channel"):
        told = add_group(told, by=by, customers=tables.frame("customers"))
    return select_comments(told, ratings)


@pytest.fixture(scope="session")
def themes(comments: Comments) -> Themes:
    """Return the themes of the samples."""
    return find_themes(comments)


def make_comments(
    texts: list[str],
    scores: list[float] | None = None,
    customers: list[str] | None = None,
    **columns: list,
) -> Comments:
    """Make comments r0, r1, ... with scores (100, 0, -100) by hand."""
    n = len(texts)
    frame = pd.DataFrame({"respondent_id": [f"r{i}" for i in range(n)], "text": texts, **columns})
    frame["customer_id"] = customers if customers is not None else ""
    made = select_comments(frame)
    table = made.table.assign(score=np.nan if scores is None else scores)
    return Comments(table, made.uses, made.masked, "recommend", made.raters)


def make_themes(comments: Comments, mentions: list[list[int]], names: list[str]) -> Themes:
    """Make themes whose mentions are known."""
    flags = np.array(mentions, dtype=bool).reshape(len(comments.table), len(names))
    strength = flags.astype(float)
    total = np.maximum(strength.sum(axis=1, keepdims=True), 1)
    table = pd.DataFrame({"theme": names, "words": names, "n": flags.sum(axis=0)})
    table = table.assign(agreement=0.9, is_stable=True)
    return Themes(comments, table, strength / total, strength, flags, pd.DataFrame(), 0.5, 0.1, "")
