"""Tests of the parameter registry."""

from __future__ import annotations

import ast
import re

import nbformat
import numpy as np
import pytest
from papermill.translators import PythonTranslator

from cxlib.errors import InputError
from cxlib.parameters import read_parameters, read_values
from cxlib.planning.options import Cut, Data, check_against, check_cut

CELL = """workbook = "samples"  # a cx.yml
conf_level = 0.95  # confidence level
horizon_days = 365
inactivity = "30d"  # idle time that ends a journey
stages = []
goal = ""
period_start = ""
group_by = ""
code = "007"
flag = False
random_state = 0
view = "touchpoint"
share: float = 1
levels = [0.5, 1]
"""


def check_values(parameters, given, where):
    """Type what is given, and raise all that is wrong with it."""
    values, errors = read_values(parameters, given, lambda name: where)
    if errors:
        raise InputError.join(errors)
    return values


def declared(source=CELL, cells=1):
    """Read the parameters of a notebook."""
    made = [
        nbformat.v4.new_code_cell(source, metadata={"tags": ["parameters"]}) for _ in range(cells)
    ]
    return read_parameters(nbformat.v4.new_notebook(cells=made), "x.ipynb")


def test_defaults_help_and_kinds_are_read():
    """The trailing comment is the help; the name or the default decides the kind."""
    parameters = declared()

    assert parameters["conf_level"].default == 0.95
    assert parameters["inactivity"].about == "idle time that ends a journey"
    assert parameters["inactivity"].kind == "duration"
    assert parameters["flag"].kind == "bool"


def test_values_are_typed_by_declaration():
    """A text stays a text, whatever it looks like; a list is JSON."""
    given = {
        "code": "042",
        "horizon_days": "90",
        "conf_level": "0.9",
        "flag": "true",
        "stages": '["a", "b"]',
        "period_start": "2024-02-01",
        "inactivity": "36h",
        "view": "channel",
    }
    values = check_values(declared(), given, "cx run x")

    assert values["code"] == "042"
    assert values["horizon_days"] == 90
    assert values["conf_level"] == 0.9
    assert values["flag"] is True
    assert values["stages"] == ["a", "b"]
    assert values["inactivity"] == "36h"
    assert values["random_state"] == 0
    assert values["share"] == 1


def test_annotations_and_long_lists_declare_like_anything_else():
    """`float = 1` takes a half; a whole number is exact; help may stand behind the last line."""
    parameters = declared('x: float = 1\nn = 0\nlong = [\n    "a",\n]  # what it is')

    assert check_values(parameters, {"x": "0.5"}, "x")["x"] == 0.5
    assert check_values(parameters, {"n": "9007199254740993"}, "x")["n"] == 9007199254740993
    assert parameters["long"].about == "what it is"
    assert check_values(declared(), {"levels": ["1", "0.25"]}, "x")["levels"] == [1, 0.25]


@pytest.mark.parametrize(
    "text",
    [
        '"',
        "'",
        "\\",
        'x"); import os; ("',
        "a\nb",
        "{x}",
        "{{",
        "\x00",
        "é→😀\u2028",
        "\\N{DASH}",
        "%s",
    ],
)
def test_what_papermill_writes_is_what_was_given(text):
    """Every kind of value reaches the notebook as a literal that reads back as itself."""
    given = {"code": np.str_(text), "stages": [text, "007"], "goal": text}
    given |= {"random_state": np.int64(5), "conf_level": np.float64(0.9), "flag": np.bool_(True)}
    values = check_values(declared(), given, "x")
    written = PythonTranslator.codify(values)

    read = {node.targets[0].id: ast.literal_eval(node.value) for node in ast.parse(written).body}
    assert read == values
    assert {type(value) for value in values.values()} <= {str, int, float, bool, list}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("horizon_day", "90", r"'horizon_day' is unknown[\s\S]*mean 'horizon_days'"),
        ("horizon_days", "ninety", "'ninety' is not a number"),
        ("horizon_days", "1.5", "not a whole number"),
        ("horizon_days", "0", "at least 1"),
        ("conf_level", "95", "between 0.5 and 1"),
        ("inactivity", "30", "not a number with a unit"),
        ("inactivity", "30D", "not a number with a unit"),
        ("inactivity", "nat", "not a number with a unit"),
        ("inactivity", "0d", "longer than nothing"),
        ("inactivity", "", "cannot be empty"),
        ("inactivity", "-3d", "not a number with a unit"),
        ("stages", "a,b", 'write it as JSON, such as \\["a", "b"\\]'),
        ("stages", "[1]", "list of texts"),
        ("period_start", "01.02.2024", "write YYYY-MM-DD"),
        ("flag", "yes", "not true or false"),
        ("random_state", "-1", "seed"),
        ("view", "chanel", "did you mean 'channel'"),
        ("x\nimport os", "1", "is unknown"),
        ("code", 7, "not a text"),
        ("code", "a\ud800", "not a text in UTF-8"),
        ("conf_level", "nan", "'nan' is not a number"),
        ("conf_level", True, "not a number"),
        ("horizon_days", "inf", "not a number"),
        ("levels", '["a"]', "'a' is not a number"),
        ("levels", "1", r"list of numbers; write it as JSON, such as \[1, 2.5\]"),
        ("stages", "[" * 99999, "list of texts"),
    ],
)
def test_mistakes_are_refused(name, value, message):
    """Unknown names and values of another kind say what was expected."""
    with pytest.raises(InputError, match=message):
        check_values(declared(), {name: value}, "cx run x")


@pytest.mark.parametrize("value", ["12h", "1.5d", "90", "0.5w"])
def test_churn_counts_in_whole_days(value):
    """An inactivity that asks for churn and a grace are days; journeys may be split by hours."""
    parameters = declared('workbook = "samples"\ninactivity = ""\ngrace = "30d"')

    for name in ("inactivity", "grace"):
        with pytest.raises(InputError, match=r"whole number of days|number with a unit"):
            check_values(parameters, {name: value}, "x")
    with pytest.raises(InputError, match="cannot be empty"):
        check_values(parameters, {"grace": ""}, "x")
    given = {"inactivity": "36h"}
    assert check_values(declared(), given, "x")["inactivity"] == "36h"
    given = {"inactivity": "2w", "grace": "48h"}
    assert check_values(parameters, given, "x") == {"workbook": "samples"} | given


def test_all_mistakes_are_told_at_once():
    """Two wrong parameters make two blocks."""
    with pytest.raises(InputError, match=r"'a' is unknown[\s\S]*'b' is unknown"):
        check_values(declared(), {"a": "1", "b": "2"}, "cx run x")


@pytest.mark.parametrize(
    ("source", "cells", "message"),
    [
        (CELL, 0, "has 0 cells tagged 'parameters'"),
        (CELL, 2, "has 2 cells tagged 'parameters'"),
        ("x = 1 + y", 1, "only 'name = literal'"),
        ("import os", 1, "only 'name = literal'"),
        ("x = (1, 2)", 1, "a literal is a text, a number"),
        ("x = None", 1, "only 'name = literal'"),
        ("x = {'a': 1}", 1, "only 'name = literal'"),
        ("x = ['a', 1]", 1, "only 'name = literal'"),
        ("x = y = 1", 1, "only 'name = literal'"),
        ("x, y = 1, 2", 1, "only 'name = literal'"),
        ("x += 1", 1, "only 'name = literal'"),
        ("x: int", 1, "only 'name = literal'"),
        ("x = 1e999", 1, "only 'name = literal'"),
        ("x = (", 1, "is no Python"),
        ("%matplotlib inline", 1, "is no Python"),
    ],
)
def test_parameters_cell_holds_literals_only(source, cells, message):
    """What papermill could not override must not stand there."""
    with pytest.raises(InputError, match=message):
        declared(source, cells)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"group_by": "cty"}, r"hold no 'cty'[\s\S]*mean 'city'"),
        ({"view": "channel"}, r"hold no 'channel'"),
        ({"group_by": "timestamp"}, r"hold no 'timestamp'"),
        ({"goal": "buy"}, r"hold no 'buy'"),
        ({"stages": ["visit", "vist"]}, r"hold no 'vist'[\s\S]*mean 'visit'"),
        ({"inactivity": "10d"}, r"journey_id defines journeys"),
    ],
)
def test_names_are_looked_up_in_the_data(write_workbook, changed, message):
    """A column, touchpoint or setting the data contradict is refused before any kernel."""
    path = write_workbook(
        "tables:\n  events:\n    source: e.csv\n  customers:\n    source: c.csv\n",
        e__csv="customer_id,timestamp,touchpoint,journey_id\n1,2024-01-01,visit,j\n",
        c__csv="customer_id,city\n1,Rome\n",
    )
    errors = find(path, changed, ["events", "customers"])

    assert len(errors) == 1
    assert re.search(message, str(errors[0]))
    assert f"place of {next(iter(changed))}" in str(errors[0])


def find(path, changed, uses):
    """Check values against the data of a workbook."""
    values = check_values(declared(), {}, "x") | changed
    return check_against(declared(), values, Data(str(path)), uses, lambda name: f"place of {name}")


def test_names_that_journey_tables_use_are_refused(write_workbook):
    """A touchpoint that holds the arrow of paths cannot be told from two."""
    path = write_workbook(
        "tables:\n  events:\n    source: e.csv\n",
        e__csv="customer_id,timestamp,touchpoint\n1,2024-01-01,home > plans\n",
    )
    errors = find(path, {}, ["events"])

    assert "The name 'home > plans' is kept" in str(errors[0])


@pytest.fixture
def cities(write_workbook):
    """Return the data of two cities, one of which never buys."""
    rows = ["1,2024-01-01,visit", "1,2024-03-01,buy", "2,2024-02-01,visit"]
    path = write_workbook(
        "tables:\n  events:\n    source: e.csv\n  customers:\n    source: c.csv\n",
        e__csv="customer_id,timestamp,touchpoint\n" + "\n".join(rows),
        c__csv="customer_id,city\n1,Rome\n2,Oslo\n",
    )
    return Data(str(path))


def test_names_are_looked_up_in_the_part_of_the_data_asked_for(cities):
    """What only another segment holds is not there; a part without a row is too little data."""
    rome, oslo = ({"segment_by": "city", "segment": name} for name in ("Rome", "Oslo"))

    def wrong(**changed):
        """Check against the events."""
        values = check_values(declared(), {}, "x") | {"goal": "buy"} | changed
        return check_against(declared(), values, cities, ["events"], str)

    assert not wrong(**rome)
    assert "the data of 'Oslo' hold no 'buy'" in str(wrong(**oslo)[0])
    assert not wrong(period_start="2024-03-01")
    assert "the data hold no 'buy'" in str(wrong(period_end="2024-02-15")[0])
    assert not wrong(period_start="2024-06-01")


@pytest.mark.parametrize(
    ("cut", "messages"),
    [
        (Cut(), []),
        (Cut("city", "Rome", "2024-01-01", "2024-01-01"), []),
        (Cut("cty"), [r"no column 'cty' to split by[\s\S]*at segment_by[\s\S]*mean 'city'"]),
        (Cut("city", "Rom"), [r"no segment 'Rom' in 'city'[\s\S]*at segment[\s\S]*mean 'Rome'"]),
        (Cut("", "Rome"), [r"segment \('Rome'\) needs a column"]),
        (
            Cut("", "Rome", "2024-02-01", "2024-01-01"),
            [r"ends \(2024-01-01\) before it starts[\s\S]*at period_end", "needs a column"],
        ),
    ],
)
def test_a_cut_is_checked(cities, cut, messages):
    """Columns, segments and dates are told with their place, all of them."""
    errors = check_cut(cities, cut, [], lambda name: f"at {name}")

    assert len(errors) == len(messages)
    for error, message in zip(errors, messages, strict=True):
        assert re.search(message, str(error))


def test_a_lag_may_be_nothing_but_not_hours() -> None:
    """`0d` asks for no lag; the window of a contact is days and never nothing."""
    parameters = declared('workbook = "samples"\nlag = "14d"\nwindow = "90d"')
    assert check_values(parameters, {"lag": "0d"}, "x")["lag"] == "0d"
    assert check_values(parameters, {"lag": "2w"}, "x")["lag"] == "2w"
    for given in ({"lag": "12h"}, {"lag": ""}, {"window": "0d"}, {"window": "36h"}):
        with pytest.raises(InputError, match=next(iter(given))):
            check_values(parameters, given, "x")
