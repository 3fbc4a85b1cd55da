"""Tests of typing and auditing, and of what a workbook may get wrong."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib.data import open_workbook
from cxlib.data.audit import audit_workbook
from cxlib.data.ledger import LedgerEntry, mask
from cxlib.errors import InputError, TooLittleData
from cxlib.workbook import read_workbook

EVENTS = "tables:\n  events:\n    source: e.csv\n"
HEAD = "customer_id,timestamp,touchpoint"


def ledger(path):
    """Return rules and their numbers of the only table."""
    (entry,) = (table.entry for table in audit_workbook(read_workbook(path)).values())
    return entry, {rule.rule: rule.n for rule in entry.rules}


def test_every_rule_counts_its_rows(write_workbook):
    """A row counts under the first rule it breaks; rows in = kept + refused."""
    rows = [
        "a,2024-01-01,visit,1",
        "a,2024-01-01,visit,1",  # exact duplicate
        ",2024-01-02,visit,1",  # missing customer_id
        "b,soon,visit,1",  # bad date
        "b,2025-01-01,visit,1",  # after as_of
        "b,2024-12-31,visit,x",  # value emptied
        "b,2024-12-31,,1",  # missing touchpoint
        "b,2024-12-31",  # wrong number of fields
    ]
    path = write_workbook(EVENTS, e__csv="\n".join([HEAD + ",value", *rows]))
    entry, rules = ledger(path)

    assert (entry.rows_in, entry.rows_kept, entry.rows_changed, entry.rows_refused) == (8, 2, 1, 6)
    assert rules == {
        "wrong number of fields": 1,
        "exact duplicate": 1,
        "missing customer_id": 1,
        "bad date": 1,
        "after as_of": 1,
        "missing touchpoint": 1,
        "bad number emptied": 1,
    }


def test_examples_name_file_row_and_masked_value(write_workbook):
    """An example can be found in the export and says nothing about the customer."""
    path = write_workbook(EVENTS, e__csv=f"{HEAD}\nx1,2024-01-01,a\nAnn 7,30-02,b\n")
    entry, _ = ledger(path)

    assert entry.rules[0].examples == [{"file": "e.csv", "row": 3, "value": "timestamp 30-02"}]
    assert mask("Ann 7") == "xxx 9"


def test_ids_stay_strings(write_workbook):
    """NA, 007 and 1e3 are ids; blanks around them are not."""
    path = write_workbook(
        EVENTS, e__csv=f"{HEAD}\nNA,2024-01-01,a\n 007 ,2024-01-01,a\n1e3,2024-01-01,a\n"
    )

    assert open_workbook(str(path)).frame("events")["customer_id"].tolist() == ["NA", "007", "1e3"]


def test_duplicates_can_be_kept(write_workbook):
    """Two equal rows are two contacts when the workbook says so."""
    settings_ = EVENTS + "    duplicates: keep\n"
    path = write_workbook(settings_, e__csv=f"{HEAD}\na,2024-01-01,v\na,2024-01-01,v\n")

    assert ledger(path)[0].rows_kept == 2


def test_later_row_with_the_same_id_is_refused(write_workbook):
    """Which of two contradicting rows is right is not guessed silently: the ledger counts it."""
    path = write_workbook(
        "tables:\n  customers:\n    source: c.csv\n", c__csv="customer_id,city\n1,A\n1,B\n2,C\n"
    )

    assert ledger(path)[1] == {"duplicate customer_id": 1}
    assert open_workbook(str(path)).frame("customers")["city"].tolist() == ["A", "C"]


def test_subscription_rules(write_workbook):
    """An end after as_of is emptied, an end before the start refused, negative money emptied."""
    rows = "1,2024-01-01,9999-12-31,5\n2,2024-05-01,2024-04-01,5\n3,2024-01-01,,-1\n"
    path = write_workbook(
        "tables:\n  subscriptions:\n    source: s.csv\n",
        s__csv="customer_id,started_at,ended_at,monthly_value\n" + rows,
    )
    entry, rules = ledger(path)
    frame = open_workbook(str(path)).frame("subscriptions")

    assert rules == {
        "ended_at after as_of emptied": 1,
        "bad number emptied": 1,
        "ended before it started": 1,
    }
    assert (entry.rows_kept, entry.rows_changed) == (2, 2)
    assert frame["ended_at"].isna().all()


def test_units_value_maps_constants_and_missing_codes(write_workbook):
    """A mapping may convert, rename, fill in and empty."""
    path = write_workbook(
        """tables:
  lifetimes:
    source: l.csv
    missing: [99, "-"]
    decimal: ","
    columns:
      customer_id: id
      duration_days: {column: tenure, unit: months}
      churned: {column: Left, "true": [Yes], "false": ["No"]}
      end_reason: {column: why, values: {C: cancelled}}
      source_system: {value: crm}
""",
        l__csv="id;tenure;Left;why;city\n1;1,5;Yes;C;-\n2;2;No;;Rome\n",
    )
    frame = open_workbook(str(path)).frame("lifetimes")

    assert frame["duration_days"].tolist() == [1.5 * 30.4375, 2 * 30.4375]
    assert frame["churned"].tolist() == [True, False]
    assert frame["end_reason"].tolist() == ["cancelled", None]
    assert frame["source_system"].tolist() == ["crm", "crm"]
    assert frame["city"].tolist() == [None, "Rome"]


def test_wide_survey_becomes_long(write_workbook):
    """Empty cells are no answers; an answer off the scale is dropped, its row kept and changed."""
    path = write_workbook(
        """tables:
  answers:
    source: a.csv
    respondent_id: resp
    missing: [99]
    wide:
      expectation: "E{item}"
      perception: "P{item}"
      functional: {pattern: "KF{item}", item: "K{item}"}
    outcome: [OUT]
  items:
    source: i.csv
""",
        a__csv="resp,E1,P1,KF1,OUT,Email\nr1,7,99,2,5,x\nr2,9,3,,,y\nr3,,,,,z\n",
        i__csv="item,scale_min,scale_max\n1,1,7\nK1,1,5\nOUT,1,5\n",
    )
    tables = open_workbook(str(path))
    answers = tables.frame("answers")

    assert list(
        answers[["respondent_id", "item", "role", "value"]].itertuples(index=False, name=None)
    ) == [
        ("r1", "1", "expectation", 7.0),
        ("r1", "K1", "functional", 2.0),
        ("r1", "OUT", "outcome", 5.0),
        ("r2", "1", "perception", 3.0),
    ]
    entry = tables.entries[0]
    assert (entry.rows_in, entry.rows_kept, entry.rows_changed) == (3, 3, 1)
    assert {r.rule: r.n for r in entry.rules} == {
        "'Email' is no item of the items table": 3,
        "no answer in the row": 1,
        "off the scale": 1,
    }


def test_scale_may_differ_by_role(write_workbook):
    """An item's own role decides its scale; an item without a role holds for all."""
    path = write_workbook(
        "tables:\n  answers:\n    source: a.csv\n  items:\n    source: i.csv\n",
        a__csv="respondent_id,item,role,value\n1,x,importance,9\n1,x,perception,9\n1,y,belief,9\n",
        i__csv="item,role,scale_min,scale_max\nx,importance,1,10\nx,perception,1,5\ny,,1,10\n",
    )

    assert open_workbook(str(path)).frame("answers")["role"].tolist() == ["importance", "belief"]


def test_source_order_is_kept(write_workbook):
    """Rows come back in the order of the export, whatever the engine does."""
    rows = "\n".join(f"{i % 7},2024-01-01,t{i}" for i in range(3000))
    path = write_workbook(EVENTS, e__csv=f"{HEAD}\n{rows}\n")

    frame = open_workbook(str(path)).frame("events")
    assert frame["touchpoint"].tolist() == [f"t{i}" for i in range(3000)]


def test_audit_is_kept_and_follows_the_file(write_workbook):
    """The same content is read once; changed content is read again."""
    path = write_workbook(EVENTS, e__csv=f"{HEAD}\na,2024-01-01,v\n")
    first = audit_workbook(read_workbook(path))["events"]
    again = audit_workbook(read_workbook(path))["events"]
    (path.parent / "e.csv").write_text(f"{HEAD}\na,2024-01-01,v\nb,2024-01-01,v\n")
    changed = audit_workbook(read_workbook(path))["events"]

    assert again == first
    assert isinstance(again.entry, LedgerEntry)
    assert changed.path != first.path
    assert changed.entry.rows_in == 2


@pytest.mark.parametrize(
    ("settings_", "files", "message"),
    [
        (EVENTS, {"e__csv": "customer,timestamp,touchpoint\n1,2024-01-01,a\n"},
         r"'customer_id' is missing[\s\S]*did you mean 'customer'"),
        (EVENTS + "    columns: {customer_id: CustId}\n", {"e__csv": HEAD + "\n1,2024-01-01,a\n"},
         r"'CustId' \(for customer_id\) is missing[\s\S]*e.csv, table 'events'"),
        (EVENTS, {"e__csv": HEAD + "\n,x,\n,y,\n"}, r"No usable row is left of 2"),
        (EVENTS, {"e__csv": HEAD + "\n1,03/04/2024,a\n"}, r"column 'timestamp'[\s\S]*date_format"),
        (EVENTS, {}, r"source 'e.csv' is not there"),
        (EVENTS + "    columns: {initiated_by: dir}\n",
         {"e__csv": HEAD + ",dir\n" + "".join(f"{i},2024-01-01,a,ein\n" for i in range(30))},
         r"30 of 30 values of 'initiated_by' are no customer or company; the commonest is 'ein'"
         r"[\s\S]*values: \{word: customer\}"),
        ("tables:\n  customers:\n    source: c.csv\n    ignore: [Nmae]\n",
         {"c__csv": "customer_id,Name\n1,Ann\n"},
         r"Column 'Nmae' \(to be ignored\) is missing[\s\S]*did you mean 'Name'"),
        ("tables:\n  lifetimes:\n    source: l.csv\n",
         {"l__csv": "customer_id,duration_days,churned\n1,5,Ja\n2,6,Nein\n"},
         r"No value of 'churned' is true or false; the first is 'Ja'"),
        ("tables:\n  answers:\n    source: a.csv\n    respondent_id: r\n"
         "    wide: {perception: 'Q{item}'}\n",
         {"a__csv": "r,P1\n1,2\n"}, r"pattern 'Q\{item\}' for 'perception' matches no column"),
        ("tables:\n  answers:\n    source: a.csv\n    respondent_id: r\n    outcome: [NPS]\n",
         {"a__csv": "r,P1\n1,2\n"}, r"outcome 'NPS' is no column"),
        ("tables:\n  answers:\n    source: a.csv\n    respondent_id: r\n"
         "    wide: {perception: 'P{item}', belief: '{item}1'}\n",
         {"a__csv": "r,P1\n1,2\n"}, r"'P1' as 1/perception and 'P1' as P/belief clash"),
    ],
)  # fmt: skip
def test_bad_input_is_explained(write_workbook, settings_, files, message):
    """Missing, renamed, empty, ambiguous: what, where and how to fix it."""
    path = write_workbook(settings_, **files)

    with pytest.raises(InputError, match=message):
        audit_workbook(read_workbook(path))


def test_several_bad_tables_make_several_blocks(write_workbook):
    """One pass tells everything."""
    path = write_workbook(EVENTS + "  customers:\n    source: c.csv\n")

    with pytest.raises(InputError, match=r"'e.csv' is not there[\s\S]*'c.csv' is not there"):
        audit_workbook(read_workbook(path))


def test_one_row_is_a_table(write_workbook):
    """A single usable row is read."""
    path = write_workbook(EVENTS, e__csv=f"{HEAD}\n1,2024-01-01,a\n")

    assert ledger(path)[0].rows_kept == 1


def test_segment_comes_from_customers_or_events(write_workbook):
    """A segment is joined by customer, or taken from events where it is constant."""
    path = write_workbook(
        EVENTS + "  customers:\n    source: c.csv\n",
        e__csv=f"{HEAD},channel\n1,2024-01-01,a,web\n2,2024-01-02,b,shop\n",
        c__csv="customer_id,city\n1,Rome\n2,Oslo\n",
    )

    assert open_workbook(str(path), segment_by="city", segment="Oslo").frame("events")[
        "customer_id"
    ].tolist() == ["2"]
    by_channel = open_workbook(str(path), segment_by="channel").frame("events")
    assert by_channel["segment"].tolist() == ["web", "shop"]


def test_segment_mistakes_are_explained(write_workbook):
    """Unknown column, unknown value, a value without a column, a column that varies."""
    path = write_workbook(
        EVENTS, e__csv=f"{HEAD},channel,journey_id\n1,2024-01-01,a,web,j\n1,2024-01-02,b,shop,j\n"
    )

    for wrong, message in (
        ({"segment_by": "chanel"}, "did you mean 'channel'"),
        ({"segment": "web"}, "needs a column"),
        ({"segment_by": "channel"}, "not constant: 1 journeys"),
        ({"segment_by": "touchpoint"}, "no column 'touchpoint' to split by"),
    ):
        with pytest.raises(InputError, match=message):
            open_workbook(str(path), **wrong)


def test_period_cuts_days_inclusively(write_workbook):
    """Both days belong to the period; an empty one is a result, an inverted one a mistake."""
    rows = "1,2024-01-01T23:59:00Z,a\n1,2024-01-02T23:59:00Z,b\n1,2024-01-03T00:00:00Z,c\n"
    path = str(write_workbook(EVENTS, e__csv=f"{HEAD}\n{rows}"))

    cut = open_workbook(path, period_start="2024-01-02", period_end="2024-01-02").frame("events")
    assert cut["touchpoint"].tolist() == ["b"]
    nothing = open_workbook(path, period_start="2024-06-01")
    assert nothing.names == []
    with pytest.raises(TooLittleData, match="'events' holds no row for from 2024-06-01"):
        nothing.frame("events")
    with pytest.raises(InputError, match="before it starts"):
        open_workbook(path, period_start="2024-06-01", period_end="2024-05-01")
    with pytest.raises(InputError, match="'June' is not a day"):
        open_workbook(path, period_start="June")


def test_a_period_is_refused_where_a_table_does_not_say_when(write_workbook):
    """Else two periods would rest on the same answers; a table without days of its own is whole."""
    path = write_workbook(
        EVENTS + "  answers:\n    source: a.csv\n  customers:\n    source: c.csv\n",
        e__csv=f"{HEAD}\n1,2024-01-01,a\n",
        a__csv="respondent_id,item,role,value\nr,q,perception,4\n",
        c__csv="customer_id,city\n1,Cork\n",
    )
    tables = open_workbook(str(path), period_end="2024-01-31")

    assert len(tables.frame("events")) == len(tables.frame("customers")) == 1
    with pytest.raises(InputError, match=r"cut out of 'answers': its column 'answered_at' is not"):
        tables.frame("answers")
    assert len(open_workbook(str(path)).frame("answers")) == 1


def test_missing_table_says_what_to_map(write_workbook):
    """A notebook that needs another table names it."""
    tables = open_workbook(str(write_workbook(EVENTS, e__csv=f"{HEAD}\n1,2024-01-01,a\n")))

    with pytest.raises(InputError, match="no table 'answers'"):
        tables.frame("answers")
    with pytest.raises(AttributeError, match="did you mean 'events'"):
        _ = tables.event


def test_touchpoints_fill_stage_and_channel(write_workbook):
    """An event's own channel wins; what it lacks comes from the touchpoint."""
    path = write_workbook(
        EVENTS + "  touchpoints:\n    source: t.csv\n",
        e__csv=f"{HEAD},channel\n1,2024-01-01,a,app\n1,2024-01-02,a,\n1,2024-01-03,z,\n",
        t__csv="touchpoint,stage,channel\na,use,web\n",
    )
    events = open_workbook(str(path)).frame("events")

    assert events["channel"].tolist() == ["app", "web", None]
    assert events["stage"].tolist() == ["use", "use", None]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["1", "", "2"]),
            st.sampled_from(["2024-01-01", "x", "2030-01-01"]),
            st.sampled_from(["a", ""]),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_rows_in_are_kept_or_refused(tmp_path_factory, rows):
    """Whatever the rows: nothing is lost, refusals add up by rule."""
    folder = tmp_path_factory.mktemp("w")
    body = "\n".join(",".join(row) for row in [("1", "2024-01-01", "sure"), *rows])
    (folder / "e.csv").write_text(f"{HEAD}\n{body}\n")
    (folder / "cx.yml").write_text(f"name: T\nas_of: 2024-12-31\n{EVENTS}")
    entry, rules = ledger(folder / "cx.yml")

    blank = sum(row == ("", "", "") for row in rows)
    assert entry.rows_in == len(rows) + 1 - blank
    assert entry.rows_in == entry.rows_kept + entry.rows_refused
    assert sum(rules.values()) == entry.rows_refused


def test_declared_booleans_replace_the_usual_ones(write_workbook):
    """Where 0 means churned, 1 does not."""
    path = write_workbook(
        """tables:
  lifetimes:
    source: l.csv
    columns: {churned: {column: active, "true": ["0"], "false": ["1"]}}
""",
        l__csv="customer_id,duration_days,active\na,1,1\nb,2,0\n",
    )

    assert open_workbook(str(path)).frame("lifetimes")["churned"].tolist() == [False, True]


def test_missing_codes_do_not_empty_ids(write_workbook):
    """Respondent 99 answered, although 99 means no answer elsewhere."""
    path = write_workbook(
        "tables:\n  answers:\n    source: a.csv\n    respondent_id: r\n    missing: [99]\n"
        "    wide: {perception: 'P{item}'}\n",
        a__csv="r,P1,P2\n98,3,99\n99,4,5\n",
    )
    answers = open_workbook(str(path)).frame("answers")

    assert answers["respondent_id"].tolist() == ["98", "99", "99"]


@pytest.mark.parametrize(
    ("option", "cells", "expected"),
    [
        ('decimal: ","', ["1,5", "1.234", "2"], [1.5, None, 2]),
        ('decimal: ","\n    thousands: "."', ["1.234,5", "1.234", "12.3"], [1234.5, 1234, None]),
        ('thousands: ","', ["1,234.5", "12,34"], [1234.5, None]),
    ],
)
def test_thousands_are_not_guessed(write_workbook, option, cells, expected):
    """A point where the comma is the decimal is a bad number unless it is declared."""
    rows = "".join(f"{i};2024-01-01;a;{cell}\n" for i, cell in enumerate(cells))
    path = write_workbook(
        f"{EVENTS}    delimiter: ';'\n    {option}\n",
        e__csv="customer_id;timestamp;touchpoint;value\n" + rows,
    )
    values = open_workbook(str(path)).frame("events")["value"]

    assert values.astype(object).where(values.notna(), None).tolist() == expected


def test_calendar_dates_end_with_their_own_day(write_workbook):
    """In a column of days and times, a day after as_of is after it, whatever the zone."""
    path = write_workbook(
        EVENTS + "    timezone: America/New_York\n",
        e__csv=f"{HEAD}\n1,2024-12-31 23:59,a\n2,2025-01-01,b\n3,2024-12-31,c\n",
    )

    assert open_workbook(str(path)).frame("events")["customer_id"].tolist() == ["1", "3"]


def test_period_means_local_days(write_workbook):
    """Half past midnight in Dublin in July belongs to the new day."""
    path = write_workbook(
        EVENTS + "    timezone: Europe/Dublin\n",
        e__csv=f"{HEAD}\n1,2024-07-01 00:30,a\n2,2024-08-01 00:10,b\n",
    )
    cut = open_workbook(str(path), period_start="2024-07-01", period_end="2024-07-31")

    assert cut.frame("events")["customer_id"].tolist() == ["1"]


def test_end_on_the_day_of_the_start_is_fine(write_workbook):
    """One of the two may be a calendar date."""
    path = write_workbook(
        "tables:\n  subscriptions:\n    source: s.csv\n",
        s__csv="customer_id,started_at,ended_at\n1,2024-01-05 09:00,2024-01-05\n",
    )

    assert ledger(path)[0].rows_kept == 1


def test_row_numbers_are_ids_where_there_are_respondents(write_workbook):
    """A long table without ids gets them too, and equal rows stay."""
    path = write_workbook(
        "tables:\n  comments:\n    source: c.csv\n    respondent_id: row_number\n",
        c__csv="text\ngood\ngood\n",
    )

    assert open_workbook(str(path)).frame("comments")["respondent_id"].tolist() == ["1", "2"]


def test_wide_columns_named_like_the_contract_are_not_answers_columns(write_workbook):
    """A job title called role is no role of an answer; a mapped column is no item."""
    path = write_workbook(
        "tables:\n  answers:\n    source: a.csv\n    respondent_id: Eid\n"
        "    wide: {expectation: 'E{item}'}\n",
        a__csv="Eid,role,item,E1\nx,manager,,5\n",
    )
    answers = open_workbook(str(path)).frame("answers")

    assert answers[["respondent_id", "item", "role", "value"]].values.tolist() == [
        ["x", "1", "expectation", 5.0]
    ]


def test_question_missing_from_items_is_noted(write_workbook):
    """An answer column that the items table does not know is named, not lost without a word."""
    path = write_workbook(
        "tables:\n  answers:\n    source: a.csv\n    respondent_id: r\n"
        "    wide: {expectation: 'E{item}'}\n  items:\n    source: i.csv\n",
        a__csv="r,E1,E3\nx,5,6\n",
        i__csv="item,scale_min,scale_max\n1,1,7\n",
    )
    entries = {t.entry.table: t.entry for t in audit_workbook(read_workbook(path)).values()}

    assert [r.rule for r in entries["answers"].rules] == ["'E3' is no item of the items table"]


def test_scale_upside_down_is_refused(write_workbook):
    """A lowest answer above the highest would refuse every answer."""
    path = write_workbook(
        "tables:\n  items:\n    source: i.csv\n",
        i__csv="item,scale_min,scale_max\na,7,1\nb,1,7\n",
    )

    assert ledger(path)[1] == {"scale_min above scale_max": 1}


@pytest.mark.parametrize("header", ["customer_id,Plan,plan", "customer_id,_row"])
def test_attributes_that_clash_are_refused(write_workbook, header):
    """The engine knows no case: two spellings of a name would become one."""
    rows = ",".join("x" for _ in header.split(","))
    path = write_workbook(
        "tables:\n  customers:\n    source: c.csv\n", c__csv=f"{header}\n{rows}\n"
    )

    with pytest.raises(InputError, match="cannot be told apart"):
        audit_workbook(read_workbook(path))


def test_columns_to_be_ignored_stay_outside(write_workbook):
    """Names and addresses need not come along as attributes."""
    settings_ = "tables:\n  customers:\n    source: c.csv\n    ignore: [name, mail]\n"
    rows = "customer_id,name,city,mail\n1,Ann,Rome,a@example.org\n"
    path = write_workbook(settings_, c__csv=rows)

    customers = open_workbook(str(path)).frame("customers")
    assert set(customers.columns) & {"name", "mail", "city"} == {"city"}


def test_an_attribute_called_segment_gives_way(write_workbook):
    """The label of the split takes its place, whatever its spelling."""
    path = write_workbook(
        EVENTS + "  customers:\n    source: c.csv\n",
        e__csv=f"{HEAD}\n1,2024-01-01,a\n",
        c__csv="customer_id,Segment,plan\n1,gold,p\n",
    )

    assert open_workbook(str(path), segment_by="plan").frame("events")["segment"].tolist() == ["p"]
    by_itself = open_workbook(str(path), segment_by="Segment", segment="gold")
    assert by_itself.frame("customers")["segment"].tolist() == ["gold"]


def test_damaged_ledger_is_written_again(write_workbook):
    """A kept audit that cannot be read is no reason to stop."""
    path = write_workbook(EVENTS, e__csv=f"{HEAD}\n1,2024-01-01,a\n")
    kept = audit_workbook(read_workbook(path))["events"]
    kept.path.with_suffix(".json").write_text("")

    assert audit_workbook(read_workbook(path))["events"] == kept


def test_a_word_that_many_rows_share_is_shown(write_workbook):
    """'open' in 12 cells is a code to declare, nobody's detail; the rest stays masked."""
    rows = "".join(f"{i},2024-01-01,open\n" for i in range(12))
    rows += "".join(f"{i},2024-01-01,2024-05-01\n" for i in range(20, 40)) + "99,2024-01-01,Ann\n"
    path = write_workbook(
        "tables:\n  subscriptions:\n    source: s.csv\n",
        s__csv="customer_id,started_at,ended_at\n" + rows,
    )
    (rule,) = ledger(path)[0].rules

    assert rule.n == 13
    assert rule.examples[0]["value"] == "ended_at open"
    assert "Ann" not in str(rule)


@pytest.mark.parametrize(
    ("option", "cells", "message"),
    [
        ("", ["1,5"] * 30, r"30 of 30 values of 'value' are no numbers; .* '1,5'[\s\S]*'decimal'"),
        (
            "    date_format: '%d.%m.%Y'\n",
            ["1"] * 30,
            r"30 of 30 values of 'timestamp' are no dates",
        ),
    ],
)
def test_a_column_that_is_mostly_unreadable_is_a_wrong_setting(
    write_workbook, option, cells, message
):
    """Emptying or refusing nearly all of it would hide the mistake."""
    rows = "".join(f"{i};2024-01-01;a;{cell}\n" for i, cell in enumerate(cells))
    path = write_workbook(
        f"{EVENTS}    delimiter: ';'\n{option}",
        e__csv="customer_id;timestamp;touchpoint;value\n" + rows,
    )

    with pytest.raises(InputError, match=message):
        audit_workbook(read_workbook(path))


def test_choices_know_no_case(write_workbook):
    """NPS is nps."""
    path = write_workbook(
        "tables:\n  items:\n    source: i.csv\n",
        i__csv="item,scale_min,scale_max,metric\na,0,10,NPS\n",
    )

    assert open_workbook(str(path)).frame("items")["metric"].tolist() == ["nps"]
