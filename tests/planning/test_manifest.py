"""Tests of manifests: what they may say, the sets they make, mistakes told before a kernel."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import nbformat
import pytest

from cxlib.errors import InputError
from cxlib.planning.manifest import plan_batch, read_manifest
from cxlib.planning.options import Data
from cxlib.planning.plans import Plan, TooFew, describe_plans, plan_run

ROOT = Path(__file__).parents[2]
CELL = """workbook = "samples"  # a cx.yml
segment_by = ""
segment = ""
period_start = ""
period_end = ""
conf_level = 0.95  # confidence level
goal = ""
stages = []
mode = ""  # any text
code = 0
"""


@pytest.fixture
def place(write_workbook, tmp_path):
    """Return a folder with a workbook of 23 customers in four cities, and a notebook `small`."""
    cities = ["Cork"] * 12 + ["cork"] * 10 + ["Ath Luain"]
    customers = "".join(f"{i},{city},{i % 2}\n" for i, city in enumerate(cities))
    events = "".join(f"{i},2024-0{1 + i % 2}-01,visit,web\n" for i in range(23))
    write_workbook(
        "tables:\n  events: {source: e.csv}\n  customers: {source: c.csv}\n",
        e__csv=f"customer_id,timestamp,touchpoint,channel\n{events}0,2024-03-01,buy,shop\n",
        c__csv=f"customer_id,city,flag\n{customers}",
    )
    write_notebook(tmp_path / "small.ipynb", CELL)
    write_notebook(tmp_path / "other.ipynb", 'workbook = "samples"\nmode = ""\n')
    return tmp_path


def write_notebook(path, parameters):
    """Write a notebook that rests on events and customers."""
    cell = nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})
    cells = [nbformat.v4.new_markdown_cell("# A page"), cell]
    node = nbformat.v4.new_notebook(cells=cells, metadata={"cx": {"tables": ["events"]}})
    node.metadata["cx"]["also"] = ["customers"]
    nbformat.write(node, path)


def plan(place, text, name="m.yml"):
    """Write, read and check a manifest; every workbook is the small one unless it says so."""
    path = place / name
    path.write_text(text if "workbook:" in text else f"workbook: cx.yml\n{text}", encoding="utf-8")
    return plan_batch(read_manifest(path), place, place / "out")


def refused(place, text):
    """Return what is said about a manifest that is refused; nothing is written."""
    with pytest.raises(InputError) as caught:
        plan(place, text)
    assert not (place / "out").exists()
    return str(caught.value)


def values(plans, *names):
    """Return parameters of plans."""
    return [tuple(plan.parameters[name] for name in names) for plan in plans]


def test_a_list_of_single_runs_is_a_manifest(place):
    """A notebook beside the manifest or by name, its own workbook, its own parameters."""
    plans = plan(
        place,
        "workbook: cx.yml\nruns:\n- notebook: small.ipynb\n  parameters: {mode: x}\n"
        "- {notebook: data_check, workbook: samples}\n",
    )

    assert [(p.name, p.set_name) for p in plans] == [
        ("small", "A page: mode x"), ("data_check", "Data check"),
    ]  # fmt: skip
    assert plans[0].book.name == "Test"
    assert plans[1].parameters["workbook"] == "samples"
    assert all(isinstance(p, Plan) for p in plans)


def test_sets_are_crossed_with_the_matrix_over_common_parameters(place):
    """Two sets by two levels; a set may change what is common, defaults come last."""
    plans = plan(
        place,
        "defaults: {conf_level: 0.5, goal: visit}\n"
        "runs:\n- notebook: small.ipynb\n  parameters: {mode: c, code: 1}\n"
        "  sets: [{mode: a}, {}]\n  matrix: {conf_level: [0.9, 0.8]}\n",
    )

    assert values(plans, "mode", "conf_level", "code", "goal") == [
        ("a", 0.9, 1, "visit"), ("c", 0.9, 1, "visit"),
        ("a", 0.8, 1, "visit"), ("c", 0.8, 1, "visit"),
    ]  # fmt: skip
    assert len({p.folder for p in plans}) == len({p.set_name for p in plans}) == 4


def test_several_notebooks_share_sets_and_take_the_defaults_they_declare(place):
    """A default that one of them does not declare is no mistake."""
    plans = plan(
        place,
        "defaults: {conf_level: 0.9}\n"
        "runs:\n- notebook: [small.ipynb, other.ipynb]\n  title: '{notebook}: {mode}'\n"
        "  matrix: {mode: [a, b]}\n",
    )

    assert [p.set_name for p in plans] == ["small: a", "small: b", "other: a", "other: b"]
    assert values(plans[:2], "conf_level") == [(0.9,), (0.9,)]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("mode: 007", "007"),
        ("mode: 2025-05", "2025-05"),
        ("mode: yes", "yes"),
        ("mode: 1e3", "1e3"),
        ("mode: 0x1F", "0x1F"),
        ("mode: 12:30:00", "12:30:00"),
        ("mode: ''", ""),
        ("mode: '{x!r}'", "{x!r}"),
        ("code: 007", 7),
        ("conf_level: 9e-1", 0.9),
        ("period_start: 2024-01-01", "2024-01-01"),
        ("stages: [visit, buy]", ["visit", "buy"]),
    ],
)
def test_values_are_typed_by_the_notebook(place, written, value):
    """What is written is what arrives, unless the notebook declares a number."""
    (made,) = plan(place, f"runs:\n- notebook: small.ipynb\n  parameters: {{{written}}}\n")
    got = made.parameters[written.partition(":")[0]]

    assert (got, type(got)) == (value, type(value))


def test_each_segment_with_enough_rows_gets_a_report(place):
    """The others are listed with their rows and no kernel; names alike but for case do not meet."""
    plans = plan(
        place,
        "runs:\n- notebook: small.ipynb\n  title: Visits of {segment}\n"
        "  for_each: {table: customers, column: city}\n",
    )

    assert [(p.set_name, p.n, type(p)) for p in plans] == [
        ("Visits of Ath Luain", 1, TooFew), ("Visits of Cork", 12, Plan),
        ("Visits of cork", 10, Plan),
    ]  # fmt: skip
    assert (plans[0].min_rows, plans[0].reason) == (10, "1 row; at least 10 are asked for.")
    assert values(plans, "segment_by", "segment")[1] == ("city", "Cork")
    assert len({p.folder.name.casefold() for p in plans}) == 3
    assert describe_plans(plans)[:2] == [
        "Visits of Ath Luain | small | segment_by='city', segment='Ath Luain' | "
        "too little data: 1 row; at least 10 are asked for.",
        "Visits of Cork | small | segment_by='city', segment='Cork' | 12 rows",
    ]


def test_rows_are_counted_in_the_period_of_the_set(place):
    """A segment without a row in the period stays on the list."""
    plans = plan(
        place,
        "runs:\n- notebook: small.ipynb\n  sets: [{}, {period_end: 2024-01-31}]\n"
        "  for_each: {table: events, column: channel, min_rows: 12}\n",
    )

    assert [(p.parameters["period_end"], p.parameters["segment"], p.n) for p in plans] == [
        ("", "shop", 1), ("", "web", 23), ("2024-01-31", "shop", 0), ("2024-01-31", "web", 12),
    ]  # fmt: skip
    assert [isinstance(p, TooFew) for p in plans] == [True, False, True, False]


def test_another_parameter_can_be_made_of_a_column(place):
    """With `parameter`, any table and column gives the values."""
    plans = plan(
        place,
        "runs:\n- notebook: small.ipynb\n"
        "  for_each: {table: events, column: touchpoint, parameter: goal, min_rows: 1}\n",
    )

    assert [(p.parameters["goal"], p.parameters["segment"], p.n) for p in plans] == [
        ("buy", "", 1), ("visit", "", 23),
    ]  # fmt: skip


def test_a_segment_that_lacks_what_is_named_is_too_little_data(place):
    """The goal is there in the data, so the other segments get their reports."""
    entry = "runs:\n- notebook: small.ipynb\n  parameters: {goal: %s}\n"
    each = "  for_each: {table: customers, column: city, min_rows: 5}\n"
    plans = plan(place, entry % "buy" + each)
    said = refused(place, entry % "bye" + each)

    assert [type(p) for p in plans] == [TooFew, Plan, TooFew]
    assert plans[0].reason == "1 row; at least 5 are asked for."  # rather than what it lacks
    assert plans[2].reason == "Parameter 'goal': the data of 'cork' hold no 'buy'."
    assert "the data hold no 'bye'" in said
    assert "m.yml, line 4, runs.0.parameters.goal" in said
    assert "Run 1 (small.ipynb) and 2 more" in said
    assert "did you mean 'buy'?" in said


def test_overrides_change_the_sets_that_meet_them(place):
    """Values are compared as the notebook types them; the later override wins."""
    plans = plan(
        place,
        "runs:\n- notebook: small.ipynb\n  matrix: {conf_level: [0.90, 0.8], code: [1, 2]}\n"
        "  overrides:\n  - {when: {conf_level: 0.9}, parameters: {mode: high}}\n"
        "  - {when: {conf_level: .9, code: 02}, parameters: {mode: both, goal: buy}}\n",
    )

    assert values(plans, "mode", "goal") == [("high", ""), ("both", "buy"), ("", ""), ("", "")]


def test_included_manifests_come_first_and_take_what_they_do_not_say(place):
    """Paths are relative to the file that names them; what it says itself stays."""
    inner = place / "inner"
    inner.mkdir()
    write_notebook(inner / "deep.ipynb", CELL)
    (inner / "a.yml").write_text(
        "include: b.yml\ndefaults: {mode: a}\nruns: [{notebook: deep.ipynb}]\n"
    )
    (inner / "b.yml").write_text(
        "workbook: ../cx.yml\ntimeout_seconds: 5\nruns: [{notebook: ../small.ipynb}]\n"
    )
    plans = plan(
        place,
        "workbook: samples\ntimeout_seconds: 60\ninclude: [inner/a.yml]\n"
        "defaults: {conf_level: 0.9, mode: z}\nruns: [{notebook: small.ipynb}]\n",
    )

    assert [(p.name, p.timeout, p.book.name) for p in plans] == [
        ("small", 5, "Test"), ("deep", 60, "Brightline Broadband"),
        ("small", 60, "Brightline Broadband"),
    ]  # fmt: skip
    assert values(plans, "mode", "conf_level") == [("a", 0.9), ("a", 0.9), ("z", 0.9)]


def test_manifests_that_include_each_other_are_refused(place):
    """The way round is told, with the line."""
    (place / "b.yml").write_text("title: B\ninclude: m.yml\n")
    said = refused(place, "include: [b.yml]\n")

    assert "'m.yml' includes itself: m.yml > b.yml > m.yml." in said
    assert "b.yml, line 2, include.0" in said


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("rnus: []", ["'rnus' is unknown", "line 2", "mean 'runs'"]),
        ("runs: []", ["'m.yml' asks for no run", "add 'runs:'"]),
        ("include: [x.yml]", ["no manifest 'x.yml'", "line 2, include.0"]),
        ("runs:\n- notebok: a", ["'notebok' is unknown", "line 3", "mean 'notebook'"]),
        ("runs:\n- notebook: []", ["'notebook' cannot be", "line 3"]),
        ("runs:\n- notebook: a\n  for_each: {table: a}", ["'column' is missing", "line 4"]),
        ("runs:\n- notebook: a\n  for_each: {colum: a}", ["mean 'column'", "line 4"]),
        (
            "runs:\n- notebook: a\n  overrides: [{whem: {}}]",
            ["'whem' is unknown", "mean 'when'", "'parameters' is missing"],
        ),
        ("runs:\n- notebook: a\n  parameters: {x: }", ["'x' cannot be", "it is empty"]),
        ("runs:\n- notebook: a\n  parameters: {x: {y: 1}}", ["neither a value nor a list"]),
        ("runs:\n- notebook: a\n  parameters: {x: [[1]]}", ["neither a value nor a list"]),
        ("runs:\n- notebook: a\n  parameters: {x: !!int 5}", ["has the tag '!!int'", "line 4"]),
        ("runs:\n- notebook: a\n  matrix: {x: []}", ["'x' cannot be", "at least 1"]),
        ("timeout_seconds: soon", ["'timeout_seconds' cannot be 'soon'"]),
        ("timeout_seconds: inf", ["'timeout_seconds' cannot be"]),
        ("timeout_seconds: 0", ["greater than 0"]),
    ],
)
def test_what_a_manifest_cannot_say(place, text, messages):
    """Unknown keys and values of another shape are told with their line."""
    said = refused(place, text)

    for message in messages:
        assert message in said


SMALL = "runs:\n- notebook: small.ipynb\n  "
BRACES = "braces, {{ and }} for braces"


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("runs: [{notebook: smal}]", [r"no notebook 'smal'", r"line 2, runs\.0; Run 1 \(smal\)"]),
        ("workbook: no.yml\nruns: [{notebook: small.ipynb}]", ["There is no workbook", r"runs\.0"]),
        (SMALL + "parameters: {mod: x}", ["'mod' is unknown", r"line 4, runs\.0\.par", "'mode'"]),
        (
            SMALL + "matrix: {conf_level: [0.9, 95]}",
            ["between 0.5", r"runs\.0\.matrix\.conf_level.1"],
        ),
        (SMALL + "sets: [{}, {code: 1.5}]", ["'1.5' is not a whole", r"runs\.0\.sets\.1\.code"]),
        ("defaults: {mod: x}\n" + SMALL + "title: x", ["No notebook declares", "line 2", "'mode'"]),
        (SMALL + "parameters: {workbook: x}", ["The workbook is no parameter"]),
        (SMALL + "parameters: {segment_by: cty}", ["no column 'cty'", "mean 'city'", "line 4"]),
        (
            SMALL + "parameters: {segment_by: city, segment: Crok}",
            ["no segment 'Crok' in 'city'", "did you mean 'Cork'", r"line 4, .*\.segment;"],
        ),
        (
            SMALL + "parameters: {period_start: 2024-02-01, period_end: 2024-01-01}",
            [r"ends \(2024-01-01\) before it starts \(2024-02-01\)", r"line 4, .*period_end"],
        ),
        (
            SMALL + "parameters: {segment_by: city, segment: Crok}\n"
            "  for_each: {table: events, column: touchpoint, parameter: goal}",
            ["no segment 'Crok' in 'city'", "mean 'Cork'"],
        ),
        (SMALL + "for_each: {table: event, column: a}", ["no table 'event'", "mean 'events'"]),
        (SMALL + "for_each: {table: customers, column: cty}", ["no column 'cty'", "mean 'city'"]),
        (
            SMALL + "for_each: {table: customers, column: customer_id}",
            ["no column 'customer_id' to split by", r"line 4, .*for_each\.column"],
        ),
        (
            SMALL + "matrix: {mode: [a]}\n  sets: [{mode: b}]",
            ["'mode' is given by 'matrix' and by 'sets'", r"line 5, runs\.0\.sets"],
        ),
        (
            SMALL + "parameters: {segment: a}\n  for_each: {table: events, column: channel}",
            ["'segment' is given by 'parameters' and by 'for_each'"],
        ),
        (SMALL + "title: '{mode.upper}'", [r"'\{mode\.upper\}', which is no name", BRACES]),
        (SMALL + "title: '{mode!r}'", [r"'\{mode!r\}', which is no name"]),
        (SMALL + "title: '{mode:>9}'", [r"'\{mode:>9\}', which is no name"]),
        (SMALL + "title: '{mode[0]}'", [r"'\{mode\[0\]\}', which is no name"]),
        (SMALL + "title: '{}'", [r"'\{\}', which is no name"]),
        (SMALL + "title: '{mode'", ["cannot be read: expected '}'"]),
        (SMALL + "title: '{mod}'", ["does not declare", "mean 'mode'", "line 4"]),
        (SMALL + "title: '{workbook}'", ["does not declare"]),
        (SMALL + "title: 'For {mode}'", ["names 'mode', which is empty", "line 4"]),
        (SMALL + "title: T\n  matrix: {mode: [a, b]}", ["Two sets are called 'T'", "line 4"]),
        (SMALL + "sets: [{mode: a}, {mode: a}]", ["Two runs share the folder 'small__mode-a'"]),
        (
            SMALL + "overrides: [{when: {mode: x}, parameters: {code: 1}}]",
            ["No set has mode = 'x'", r"overrides\.0\.when\.mode", "there are none"],
        ),
        (
            SMALL + "overrides: [{when: {mod: x}, parameters: {code: 1}}]",
            ["'mod' is unknown", "mean 'mode'"],
        ),
        (SMALL + "compare_to: x", ["'compare_to' is unknown"]),
        ("on_finish: [sned, x]\n" + SMALL + "title: x", ["no program 'sned'", "line 2, on_finish"]),
        ("on_finish: [./send]\n" + SMALL + "title: x", ["no program './send'"]),
        ("compare_to: earlier\n" + SMALL + "title: x", ["No batch has ended", "line 2"]),
        ("compare_to: out\n" + SMALL + "title: x", ["compared with the folder it is written to"]),
    ],
)
def test_mistakes_are_told_before_any_kernel(place, text, messages):
    """Each with its line and, for a name, the closest there is."""
    said = refused(place, text)

    for message in messages:
        assert re.search(message.replace(BRACES, re.escape(BRACES)), said), said


def test_all_mistakes_of_all_sets_are_told_at_once(place):
    """Four of one set and one of another; one that many sets share is one block."""
    said = refused(
        place,
        "runs:\n- notebook: small.ipynb\n  parameters: {mod: x, segment_by: city, goal: by}\n"
        "  sets: [{segment: Crok, code: a}, {segment: Cork}]\n"
        "- {notebook: nowhere}\n",
    )

    assert said.count("where:") == 6
    assert "the data hold no 'by'" in said
    assert "the data of 'Cork' hold no 'by'" in said
    assert "'mod' is unknown" in said
    assert "Run 1 (small.ipynb) and 1 more" in said
    assert "no segment 'Crok'" in said
    assert "'a' is not a whole number" in said or "'a' is not a number" in said
    assert "no notebook 'nowhere'" in said


def test_a_notebook_that_is_not_there_is_no_reason_to_doubt_the_defaults(place):
    """What the missing one declares is not known."""
    said = refused(
        place, "defaults: {horizon: 9}\nruns:\n- notebook: small.ipynb\n- notebook: nowhere\n"
    )

    assert "no notebook 'nowhere'" in said
    assert "horizon" not in said


def test_a_period_needs_tables_that_say_when(write_workbook, tmp_path):
    """Told before any kernel: answers without a day would all be in both of two periods."""
    write_workbook(
        "tables:\n  answers: {source: a.csv}\n",
        a__csv="respondent_id,item,role,value\n1,a,outcome,5\n",
    )
    write_notebook(tmp_path / "small.ipynb", CELL)
    node = nbformat.read(tmp_path / "small.ipynb", as_version=4)
    node.metadata["cx"] = {"tables": ["answers"]}
    nbformat.write(node, tmp_path / "small.ipynb")
    said = refused(tmp_path, SMALL + "parameters: {period_end: 2024-06-30}\n")

    assert "The table 'answers' does not say when" in said
    assert "line 4, runs.0.parameters.period_end" in said
    assert "map 'answered_at' in 'answers'" in said


def test_sets_are_named_for_readers(place):
    """Segments by column and value, groups and periods by a preposition."""
    plans = plan(
        place,
        SMALL + "sets:\n  - {segment_by: city, segment: Cork, period_start: 2024-01-02}\n"
        "  - {segment_by: city, conf_level: 0.9}\n  - {}\n",
    )

    assert [one.set_name for one in plans] == [
        "A page: city = Cork, from 2024-01-02", "A page: by city, conf level 0.9", "A page",
    ]  # fmt: skip


def test_the_program_that_is_started_at_the_end_is_found_where_cxlib_is(place):
    """``python`` is the one that runs, and a path starts at the manifest."""
    (place / "send").write_text("#!/bin/sh\n")
    (place / "send").chmod(0o755)
    path = place / "m.yml"
    path.write_text("on_finish: [python, send.py]\nruns: [{notebook: small.ipynb}]\n")
    python, script = read_manifest(path).find_command()
    path.write_text("on_finish: [./send]\nruns: [{notebook: small.ipynb}]\n")

    assert (Path(python).parent, script) == (Path(sys.executable).parent, "send.py")
    assert read_manifest(path).find_command() == [str(place / "send")]


def test_ten_mistakes_are_shown_and_the_others_counted(place):
    """A wall of text helps nobody."""
    wrong = ", ".join(f"x{i}" for i in range(25))
    said = refused(place, f"{SMALL}matrix: {{code: [{wrong}]}}\n")

    assert said.count("is not a number") == 10
    assert "15 more mistakes are not shown." in said


def test_more_sets_than_anyone_reads_are_refused_at_once(place):
    """A matrix is counted before it is multiplied out."""
    numbers = ", ".join(map(str, range(100)))
    matrix = ", ".join(f"{name}: [{numbers}]" for name in ("code", "mode", "goal", "stages"))
    started = time.monotonic()
    said = refused(place, f"{SMALL}matrix: {{{matrix}}}\n")

    assert "These are 100,000,000 sets; a batch has 10,000 at most." in said
    assert time.monotonic() - started < 5


def test_names_of_sets_are_one_line_of_printable_text(place):
    """Whatever a value holds; names that look alike are numbered."""
    plans = plan(
        place,
        "runs:\n- notebook: small.ipynb\n  title: In {mode}\n"
        '  matrix: {mode: ["a b", "a  b", "a\\nb", "<b>\\u202e", "{x}"]}\n',
    )

    assert [p.set_name for p in plans] == [
        "In a b", "In a b (2)", "In a b (3)", "In <b>", "In {x}",
    ]  # fmt: skip


@pytest.mark.parametrize("value", ["../../x", "/etc", "..", ".", "", "~", "a/b", "con", "x" * 999])
def test_no_value_leads_out_of_the_folder_of_all_runs(place, value):
    """Whatever it is, the run's folder lies in OUT itself."""
    (made,) = plan(place, f'{SMALL}parameters: {{mode: "{value}"}}\n')

    assert made.folder.parent == (place / "out").resolve()
    assert made.folder.resolve() == made.folder
    assert re.fullmatch(r"small(__[\w.-]{1,90})?", made.folder.name)


def test_folders_that_batch_and_disk_use_are_no_names_of_runs(place):
    """Not the folder above, not the index, not what is handed round; no link is followed."""
    for name in ("..", ".hidden", "share", "Index.html", "x" * 240):
        write_notebook(place / f"{name}.ipynb", CELL)
        with pytest.raises(InputError, match="A run cannot have a folder called"):
            plan_run(f"{place}/{name}.ipynb", workbook=str(place), given={}, out=place / "o")
    (place / "far").mkdir()
    (place / "o").mkdir()
    (place / "o/small").symlink_to(place / "far")
    with pytest.raises(InputError, match="'small' exists and is no run"):
        plan_run(f"{place}/small.ipynb", workbook=str(place), given={}, out=place / "o")


def test_values_that_imitate_a_name_have_a_folder_of_their_own(place):
    """One long value against two short ones."""
    plans = plan(
        place,
        'runs:\n- notebook: small.ipynb\n  sets: [{goal: visit, mode: y}, {mode: "y_goal-visit"},'
        ' {mode: "a_code-1", code: 2}, {mode: a, code: 1}]\n',
    )

    assert len({p.folder for p in plans}) == 4


def test_forty_sets_ask_the_data_once(monkeypatch):
    """Notebook, workbook and values are read for all sets together: in less than two seconds."""
    counted = []
    count = Data._count
    monkeypatch.setattr(Data, "_count", lambda *given: counted.append(given) or count(*given))
    path = ROOT / "notebooks/batches/segments.yml"
    plan_run("churn_survival", workbook="samples", given={}, out=Path("out"))  # audited, imported
    started = time.process_time()
    plans = plan_batch(read_manifest(path), path.parent, Path("out"))
    seconds = time.process_time() - started

    assert sum(isinstance(p, Plan) for p in plans) == 40
    assert sum(isinstance(p, TooFew) for p in plans) == 6
    assert {p.name for p in plans} == {"churn_survival"}
    assert len({p.set_name for p in plans}) == 46
    assert len(counted) < 15  # once for each table, column and part, not for each of 46 sets
    assert seconds < 2  # 0.4 s of work here


def test_broken_notebooks_are_told(place):
    """A file without cells, or of something else."""
    (place / "bare.ipynb").write_text('{"nbformat": 4}')
    (place / "list.ipynb").write_text("[]")

    assert "'bare.ipynb' is no notebook" in refused(place, "runs: [{notebook: bare.ipynb}]")
    assert "'list.ipynb' is no notebook" in refused(place, "runs: [{notebook: list.ipynb}]")


def test_the_batches_that_ship_are_sound():
    """Every manifest of the notebooks folder passes its checks."""
    for path in (ROOT / "notebooks/batches").glob("*.yml"):
        assert plan_batch(read_manifest(path), path.parent, Path("out"))


def test_the_manifest_in_readme_is_sound(tmp_path):
    """On the samples; the earlier batch and the other manifest are the reader's own."""
    text = next(
        block.partition("```")[0]
        for block in (ROOT / "README.md").read_text("utf-8").split("```yaml\n")
        if block.startswith("title: By region")
    )
    own = ("compare_to:", "include:")
    lines = [line for line in text.splitlines() if not line.startswith(own)]
    path = tmp_path / "m.yml"
    path.write_text("\n".join(lines).replace("workbook: cx.yml", "workbook: samples"))
    plans = plan_batch(read_manifest(path), tmp_path, tmp_path / "out")
    made = [one for one in plans if isinstance(one, Plan)]

    assert len(lines) == len(text.splitlines()) - 2
    assert {one.set_name for one in made} >= {"Cork: cancelled", "Dublin: payment_failure"}
    assert {one.parameters["horizon_days"] for one in made if "Cork" in one.set_name} == {365}
