"""Run the notebooks on real data and assert the numbers that are known of them.

Sources and conditions of the numbers stand in each data set's SOURCE.md.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from cxlib.data import open_workbook
from cxlib.gaps.features.kano import classify_kano
from cxlib.gaps.ratings import select_answers
from cxlib.planning.plans import plan_run
from cxlib.running.runs import execute_run

HERE = Path(__file__).parent


class Run:
    """A finished run: its record and tables."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record = json.loads((folder / "run.json").read_text("utf-8"))

    def figure(self, name: str) -> dict:
        """Return a key figure."""
        return next(figure for figure in self.record["key_figures"] if figure["id"] == name)

    def table(self, name: str) -> pd.DataFrame:
        """Return a saved table."""
        return pd.read_parquet(self.folder / "tables" / f"{name}.parquet")


@pytest.fixture(scope="module")
def run(shared_data, tmp_path_factory):
    """Return a function that runs a notebook on a real workbook, once for each request."""
    out = tmp_path_factory.mktemp("real")

    @cache
    def once(notebook: str, workbook: str, parameters: tuple = ()) -> Run:
        plan = plan_run(
            notebook,
            workbook=str(write_workbook(workbook, out, shared_data)),
            given=dict(parameters),
            out=out / workbook,
        )
        record = execute_run(plan)
        assert record["status"] in {"ok", "ok-with-warnings"}, record["error"]
        return Run(plan.folder)

    return once


def write_workbook(name: str, out: Path, shared_data: Path) -> Path:
    """Write a workbook of this folder with the place of the data sets filled in."""
    keep = name.endswith("-keep")
    text = (HERE / f"{name.removesuffix('-keep')}.yml").read_text("utf-8")
    text = text.replace("../../../shared/data", str(shared_data))
    text = text.replace("kiosk_items.csv", str(HERE / "kiosk_items.csv"))
    if keep:
        text = text.replace("    columns:", "    duplicates: keep\n    columns:", 1)
    path = out / f"{name}.yml"
    path.write_text(text, encoding="utf-8")
    return path


def audit(name: str, shared_data: Path, tmp_path: Path):
    """Return the first ledger entry of a real workbook."""
    return open_workbook(str(write_workbook(name, tmp_path, shared_data))).entries[0]


@pytest.mark.parametrize(
    ("workbook", "events", "paths", "commonest"),
    [
        ("helpdesk-keep", 21348, 226, 2366),
        ("helpdesk", 21221, 211, 2418),
        ("permit", 8577, 116, 713),
    ],
)
def test_ticket_and_permit_paths(run, workbook, events, paths, commonest):
    """The case is customer and journey; events equal in time keep the order of the export."""
    result = run("journey_segments", workbook)
    table = result.table("paths")

    assert result.figure("n_journeys")["value"] == (1434 if workbook == "permit" else 4580)
    assert result.figure("n_events")["value"] == events
    assert result.figure("n_paths")["value"] == paths
    assert len(table) == paths
    assert table["n"].iloc[0] == commonest
    assert table["n"].sum() == result.figure("n_journeys")["value"]
    assert len(result.table("assignments")) == result.figure("n_journeys")["value"]


def test_helpdesk_duplicates_are_refused_by_default(shared_data, tmp_path):
    """127 rows equal an earlier one in every column."""
    entry = audit("helpdesk", shared_data, tmp_path)

    assert entry.rows_refused == 127
    assert [(rule.rule, rule.n) for rule in entry.rules] == [("exact duplicate", 127)]


def test_permit_journeys_by_channel(run):
    """The channel is constant within a case, so it can split the journeys."""
    groups = run("journey_segments", "permit", (("segment_by", "channel"),)).table("groups")

    assert dict(zip(groups["segment"], groups["n_journeys"], strict=True)) == {
        "Internet": 1250, "Desk": 109, "Post": 53, "e-mail": 21, "Intern": 1,
    }  # fmt: skip


def test_shop_funnel_in_order(run):
    """Order is kept and a repeated step may match later: 463 and 155 would be too few."""
    stages = (("stages", '["cart", "shipping_details", "purchase"]'),)
    result = run("journey_segments", "ecom", stages)
    funnel = result.table("funnel")

    assert result.figure("n_journeys")["value"] == 3605
    assert funnel["stage"].tolist() == ["cart", "shipping_details", "purchase"]
    assert funnel["n"].tolist() == [1022, 512, 173]
    assert funnel["conversion_share"].tolist() == pytest.approx([1, 512 / 1022, 173 / 1022])


def test_telephone_company_survival(run):
    """S at whole months (12 months = 365.25 days), and the log-rank test by contract."""
    result = run("churn_survival", "telco", (("group_by", "Contract"),))
    overall = run("churn_survival", "telco").table("survival")
    comparisons = result.table("comparisons")
    rows = overall[overall["group"] == "all"].sort_values("time_days")

    for months, expected in ((12, 0.8432), (24, 0.7887), (48, 0.7088), (72, 0.5928)):
        at = rows[rows["time_days"] <= months * 30.4375 + 1e-9]["survival"].iloc[-1]
        assert at == pytest.approx(expected, abs=5e-5)
    first = comparisons.iloc[0]
    assert (first["group_a"], first["group_b"]) == ("all", "all")
    assert first["statistic"] == pytest.approx(2352.87, abs=5e-3)
    assert set(result.table("survival")["group"]) >= {"Month-to-month", "One year", "Two year"}


def test_music_shop_reads_and_churns_by_inactivity(run, shared_data, tmp_path):
    """Fixed-width purchases without churn dates: 23,570 customers, none lost."""
    checked = run("data_check", "cdnow")
    survival = run("churn_survival", "cdnow", (("inactivity", "180d"),))

    assert audit("cdnow-keep", shared_data, tmp_path).rows_kept == 69659
    assert checked.figure("rows_kept")["value"] == 69404
    assert checked.figure("n_customers")["value"] == 23570
    assert survival.figure("n_customers")["value"] == 23570


def test_kiosk_gaps(run):
    """194 respondents, 24 items on 1 to 7."""
    gaps = run("expectation_gaps", "kiosk").table("gaps")
    total = gaps[gaps["level"] == "total"].iloc[0]
    dimensions = gaps[gaps["level"] == "dimension"].set_index("name")["gap"]

    assert total["n"] == 194
    assert (gaps["level"] == "item").sum() == 24
    assert total["expectation"] == pytest.approx(5.9981, abs=5e-5)
    assert total["perception"] == pytest.approx(4.8387, abs=5e-5)
    assert total["gap"] == pytest.approx(-1.1594, abs=5e-5)
    assert total["gap"] / total["std_error"] == pytest.approx(-19.61, abs=5e-3)
    assert total["effect_size"] == pytest.approx(-1.408, abs=5e-4)
    assert total["reliability"] == pytest.approx(0.8870, abs=5e-5)
    expected = {
        "tangible": 0.003, "reliability": -0.668, "economy": -1.278, "control": -1.461,
        "convenience": -1.556, "security": -1.809,
    }  # fmt: skip
    assert dimensions.to_dict() == pytest.approx(expected, abs=5e-4)


def test_kiosk_raw_export_reads(shared_data, tmp_path):
    """CP949, no id column, sentences as headers: 24 items in two roles, 29 Kano pairs in words."""
    tables = open_workbook(str(write_workbook("kiosk_raw", tmp_path, shared_data)))
    answers = tables.frame("answers")
    entry = tables.entries[0]
    items = answers.groupby("role")["item"].unique().map(set).to_dict()

    assert (entry.rows_in, entry.rows_kept, entry.rows_refused) == (211, 211, 0)
    ratings, features = {str(i) for i in range(1, 25)}, {f"K{i}" for i in range(1, 30)}
    assert items == {
        "expectation": ratings, "perception": ratings, "functional": features,
        "dysfunctional": features,
    }  # fmt: skip
    kano = classify_kano(select_answers(answers)).features.set_index("item")
    assert (kano["n"] == 207).all()  # four never used one
    assert kano.loc["K2", "verdict"] == "must-be"  # processes entries accurately
    assert kano.loc["K27", "verdict"] == "attractive"  # works with gloves on
    assert kano.loc["K6", "verdict"] == "undecided"  # 83 against 79 of 207
