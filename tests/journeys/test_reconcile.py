"""The views of one log count the same events and journeys."""

from __future__ import annotations

import pandas as pd
import pytest

from cxlib.errors import InputError
from cxlib.journeys import (
    count_flows,
    count_paths,
    count_positions,
    count_transitions,
    list_walks,
    reconcile,
)

WALKS = [("a", "web chat order"), ("a", "web"), ("b", "chat web order app"), ("c", "web chat")]


@pytest.fixture
def views(make_log):
    """Return a log and its views."""
    log = make_log(WALKS)
    walks = list_walks(log)
    tables = {
        "transitions": count_transitions(log),
        "step_matrix": count_positions(log),
        "flows": count_flows(walks),
        "paths": count_paths(walks, top=2),
    }
    return log, tables


def test_views_agree(views):
    """Every check has a difference of nothing, and the source's rows are accounted for."""
    log, tables = views
    table = reconcile(log, tables, rows={"in": 12, "refused": 2, "outside the period": 0})
    assert table["difference"].eq(0).all(), table
    assert "rows of the source without 2 refused are contacts" in set(table["check"])
    assert len(table) == 11


def test_a_view_that_lost_something_is_found(views):
    """A transition, a path or a row that went missing shows as a difference."""
    log, tables = views
    tables["transitions"] = tables["transitions"].iloc[1:]
    tables["paths"] = tables["paths"].iloc[:-1]
    table = reconcile(log, tables, rows={"in": 12, "refused": 1})
    off = table[table["difference"] != 0]
    assert set(off["check"]) >= {
        "transitions are contacts plus journeys",
        "journeys on the paths, (other) included",
        "rows of the source without 1 refused are contacts",
    }


def test_unknown_views_are_refused(views):
    """A table without a check is no silent pass."""
    with pytest.raises(InputError, match="There is no check of 'scores'"):
        reconcile(views[0], {"scores": pd.DataFrame()})
