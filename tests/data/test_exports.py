"""Tests of survey exports as Qualtrics, SurveyMonkey, Google Forms and SPSS write them."""

from __future__ import annotations

import pandas as pd
import pyreadstat
import pytest

from cxlib.data import open_workbook
from cxlib.data.audit import audit_workbook
from cxlib.data.headers import read_header
from cxlib.errors import InputError
from cxlib.workbook import read_workbook

QUALTRICS = (
    "StartDate,Status,Duration (in seconds),ResponseId,E_1,E_2,P_1\n"
    'Start Date,Response Type,Duration (in seconds),Response ID,"What do you expect?\n- Speed",'
    "What do you expect? - Price,How was it? - Speed\n"
    '"{""ImportId"":""startDate"",""timeZone"":""Europe/Dublin""}","{""ImportId"":""status""}",'
    '"{""ImportId"":""duration""}","{""ImportId"":""_recordId""}",'
    '"{""ImportId"":""QID1_1""}","{""ImportId"":""QID1_2""}","{""ImportId"":""QID2_1""}"\n'
    "2024-03-01 10:00:00,Survey Preview,12,R_a,7,7,7\n"
    "2024-03-01 11:00:00,IP Address,300,R_b,6,5,9\n"
    "2024-03-02 11:00:00,IP Address,fast,R_c,5,,4\n"
)
FROM_QUALTRICS = """tables:
  answers:
    source: q.csv
    header_rows: 3
    respondent_id: ResponseId
    columns: {answered_at: StartDate, duration_seconds: "Duration (in seconds)"}
    wide: {expectation: "E_{item}", perception: "P_{item}"}
  items:
    source: i.csv
"""
ITEMS = "item,scale_min,scale_max\n1,1,7\n2,1,7\n"

MONKEY = (
    "Respondent ID,Start Date,How important are these to us?,,How did we do?,,Anything else?\n"
    ",,Friendly staff,Fair price,Friendly staff,Fair price,Open-Ended Response\n"
    "11801,2024-03-01,5,4,3,2,thanks\n11802,2024-03-02,4,,1,1,\n"
)
FROM_MONKEY = """tables:
  answers:
    source: m.csv
    header_rows: 2
    respondent_id: Respondent ID
    columns: {answered_at: Start Date}
    wide:
      importance: "*important* / {item}"
      perception: "How did we do? / {item}"
  comments:
    source: m.csv
    header_rows: 2
    respondent_id: Respondent ID
    columns: {text: "Anything else?"}
"""


def rules(path):
    """Return rules and their numbers by table."""
    audited = audit_workbook(read_workbook(path))
    return {name: {r.rule: r.n for r in table.entry.rules} for name, table in audited.items()}


def said(answers):
    """Return respondent, item, role and value."""
    columns = ["respondent_id", "item", "role", "value"]
    return list(answers[columns].itertuples(index=False, name=None))


def test_qualtrics_has_three_header_rows(write_workbook):
    """Columns go by the first; previews stay and are counted; rows keep the file's numbers."""
    path = write_workbook(FROM_QUALTRICS, q__csv=QUALTRICS, i__csv=ITEMS)
    tables = open_workbook(str(path))
    answers = tables.frame("answers")
    entry = tables.entries[0]

    assert said(answers)[3:] == [
        ("R_b", "1", "expectation", 6.0),
        ("R_b", "2", "expectation", 5.0),
        ("R_c", "1", "expectation", 5.0),
        ("R_c", "1", "perception", 4.0),
    ]
    assert answers.groupby("respondent_id")["duration_seconds"].first().tolist()[:2] == [12, 300]
    assert answers.loc[answers["respondent_id"] == "R_c", "duration_seconds"].isna().all()
    assert rules(path)["answers"] == {
        "bad number emptied": 1,
        "a preview or test response by its Status, kept": 1,
        "off the scale": 1,
    }
    by_rule = {rule.rule: rule.examples[0]["row"] for rule in entry.rules}
    assert by_rule["off the scale"] == 5
    assert entry.rows_in == entry.rows_kept == 3


@pytest.mark.parametrize("declared", ["", "    header_rows: 1\n", "    header_rows: 2\n"])
def test_qualtrics_read_with_too_few_header_rows_is_refused(write_workbook, declared):
    """Import ids are nobody's answers, whatever the workbook says."""
    settings = FROM_QUALTRICS.replace("    header_rows: 3\n", declared)
    path = write_workbook(settings, q__csv=QUALTRICS, i__csv=ITEMS)

    message = r"Row 3 holds Qualtrics' import ids\.[\s\S]*set 'header_rows: 3'"
    with pytest.raises(InputError, match=message):
        audit_workbook(read_workbook(path))


def test_codes_of_status_mean_the_same_as_its_words(write_workbook):
    """An export of numbers writes 1 for a preview and 0 for a response."""
    numbers = QUALTRICS.replace("Survey Preview", "1").replace("IP Address", "0")
    path = write_workbook(FROM_QUALTRICS, q__csv=numbers, i__csv=ITEMS)

    assert rules(path)["answers"]["a preview or test response by its Status, kept"] == 1


def test_a_record_is_not_taken_for_a_header_row(write_workbook):
    """One header row too many would lose a respondent without a word."""
    settings = FROM_QUALTRICS.replace("header_rows: 3", "header_rows: 4")
    path = write_workbook(settings, q__csv=QUALTRICS, i__csv=ITEMS)

    with pytest.raises(InputError, match=r"Row 4 is declared a header row but holds a record"):
        audit_workbook(read_workbook(path))


def test_surveymonkey_has_two_header_rows(write_workbook):
    """A question above several columns and what is below it make a name; others stand alone."""
    tables = open_workbook(str(write_workbook(FROM_MONKEY, m__csv=MONKEY)))
    answers = tables.frame("answers")

    assert said(answers) == [
        ("11801", "Friendly staff", "importance", 5.0),
        ("11801", "Fair price", "importance", 4.0),
        ("11801", "Friendly staff", "perception", 3.0),
        ("11801", "Fair price", "perception", 2.0),
        ("11802", "Friendly staff", "importance", 4.0),
        ("11802", "Friendly staff", "perception", 1.0),
        ("11802", "Fair price", "perception", 1.0),
    ]
    assert tables.frame("comments")["text"].tolist() == ["thanks"]


@pytest.mark.parametrize(
    "content",
    [
        MONKEY,
        "Respondent ID,Q1,Q2\n,Response,Open-Ended Response\n1,5,x\n",
        "id,Q1,Q2,Q3\nRespondent,Staff,Price,Speed\n1,5,4,3\n2,4,4,4\n3,1,2,3\n",
    ],
)
def test_a_second_header_row_is_recognised(write_workbook, content):
    """Options below a question, SurveyMonkey's own words, words above numbers."""
    settings = "tables:\n  comments:\n    source: m.csv\n    columns: {respondent_id: x, text: y}\n"
    path = write_workbook(settings, m__csv=content)

    message = r"Row 2 looks like a header row[\s\S]*'header_rows: 2'[\s\S]*'header_rows: 1'"
    with pytest.raises(InputError, match=message):
        audit_workbook(read_workbook(path))


def test_a_record_that_looks_like_a_header_row_can_be_declared_one(write_workbook):
    """A table about respondents may begin with words; so may one that is not of a survey."""
    content = "id,Q1,Q2,Q3\nann,no,none,never\n1,5,4,3\n2,4,4,4\n3,1,2,3\n"
    settings = "tables:\n  invitations:\n    source: m.csv\n    respondent_id: id\n"
    path = write_workbook(settings + "    header_rows: 1\n", m__csv=content)
    other = "tables:\n  customers:\n    source: m.csv\n    columns: {customer_id: id}\n"

    assert len(open_workbook(str(path)).frame("invitations")) == 4
    assert len(open_workbook(str(write_workbook(other))).frame("customers")) == 4


def test_header_rows_of_sheets(write_workbook, tmp_path):
    """A sheet with two header rows below an empty one reads like the file."""
    cells = [line.split(",") for line in MONKEY.splitlines()]
    sheet = pd.DataFrame([[""] * 7, *cells])
    sheet.to_excel(tmp_path / "m.xlsx", index=False, header=False)
    path = write_workbook(FROM_MONKEY.replace("m.csv", "m.xlsx"))
    from_sheet = open_workbook(str(path)).frame("answers")
    from_text = open_workbook(str(write_workbook(FROM_MONKEY, m__csv=MONKEY))).frame("answers")

    pd.testing.assert_frame_equal(from_sheet, from_text)


def test_names_of_several_header_rows():
    """Breaks become blanks, empty columns are named by place, names must differ."""
    rows = [["id", "How\n was it?", "", "", "Q"], ["", "Speed", "Price", "", "Response"]]

    names = ["id", "How was it? / Speed", "How was it? / Price", "column_4", "Q"]
    assert read_header(rows, 1, "x") == names
    with pytest.raises(InputError, match=r"names \['Q / a'\] twice"):
        read_header([["Q", "", ""], ["a", "a", "b"]], 1, "x")


def test_google_forms_have_sentences_for_names(write_workbook):
    """Rows of a matrix stand in brackets, zones are called GMT+1, a header may span lines."""
    path = write_workbook(
        """tables:
  answers:
    source: g.csv
    respondent_id: row_number
    date_format: "%Y/%m/%d %I:%M:%S %p %z"
    columns: {answered_at: Timestamp}
    wide:
      expectation: "*do you expect* [{item}]"
      perception: "How was*[{item}]"
""",
        g__csv='Timestamp,"What do you expect\nof us? [Staff, in shop]",'
        '"How was it? [Staff, in shop]"\n'
        "2024/03/01 9:12:33 am GMT+1,5,4\n2024/03/01 9:12:33 PM GMT-3:30,4,1\n",
    )
    answers = open_workbook(str(path)).frame("answers")

    assert said(answers)[:2] == [
        ("1", "Staff, in shop", "expectation", 5.0),
        ("1", "Staff, in shop", "perception", 4.0),
    ]
    assert answers["answered_at"].astype(str).tolist()[::2] == [
        "2024-03-01 08:12:33",
        "2024-03-02 00:42:33",
    ]


@pytest.fixture
def write_spss(tmp_path):
    """Write a file with value labels, a day, a moment, and missing values of both kinds."""
    frame = pd.DataFrame(
        {
            "ID": ["a", "b", "c"],
            "REGION": [1.0, 2.0, 3.0],
            "E1": [5.0, 9.0, None],
            "P1": [4.0, 3.5, 9.0],
            "DAY": pd.to_datetime(["2024-03-01", "2024-03-02", None]).date,
            "AT": pd.to_datetime(["2024-03-01 10:00", "2024-03-02 11:30", None]),
        }
    )

    def write(name):
        """Write it under a name."""
        pyreadstat.write_sav(
            frame,
            str(tmp_path / name),
            compress=name.endswith(".zsav"),
            column_labels={"E1": "How good should it be?"},
            variable_value_labels={"REGION": {1.0: "North", 2.0: "South"}},
            missing_ranges={"E1": [9.0], "P1": [9.0]},
        )

    return write


SPSS = """tables:
  answers:
    source: s.sav
    respondent_id: ID
    columns: {unit: REGION, answered_at: AT}
    wide: {expectation: "E{item}", perception: "P{item}"}
"""


@pytest.mark.parametrize("name", ["s.sav", "s.zsav"])
def test_spss_codes_are_the_cells(write_workbook, write_spss, name):
    """Answers are codes; user-missing and system-missing values are no answers; row 1 is first."""
    write_spss(name)
    tables = open_workbook(str(write_workbook(SPSS.replace("s.sav", name))))
    answers = tables.frame("answers")

    assert said(answers) == [
        ("a", "1", "expectation", 5.0),
        ("a", "1", "perception", 4.0),
        ("b", "1", "perception", 3.5),
    ]
    assert answers["unit"].tolist() == ["1", "1", "2"]
    assert answers["answered_at"].astype(str).tolist()[1:] == [
        "2024-03-01 10:00:00",
        "2024-03-02 11:30:00",
    ]
    assert [(r.rule, r.examples[0]["row"]) for r in tables.entries[0].rules] == [
        ("no answer in the row", 3)
    ]


def test_spss_labels_are_the_cells_where_asked_for(write_workbook, write_spss):
    """A code without a label stays a code."""
    write_spss("s.sav")
    path = write_workbook(
        "tables:\n  invitations:\n    source: s.sav\n    respondent_id: ID\n"
        "    columns: {region: {column: REGION, labels: true}, day: DAY}\n"
    )
    frame = open_workbook(str(path)).frame("invitations")

    assert frame["region"].tolist() == ["North", "South", "3"]
    assert frame["day"].tolist() == ["2024-03-01", "2024-03-02", None]


def test_what_is_wrong_with_spss_is_told(write_workbook, write_spss, tmp_path):
    """Labels that are not there; a file that is none."""
    write_spss("s.sav")
    settings = SPSS.replace("unit: REGION", "unit: {column: E1, labels: true}")
    with pytest.raises(InputError, match=r"values of 'E1' have no labels[\s\S]*remove 'labels"):
        audit_workbook(read_workbook(write_workbook(settings)))
    (tmp_path / "s.sav").write_bytes(b"nonsense")
    with pytest.raises(InputError, match=r"'s.sav' cannot be read"):
        audit_workbook(read_workbook(write_workbook(SPSS)))


WORDS = """tables:
  answers:
    source: a.csv
    respondent_id: r
    wide:
      expectation: {pattern: "E{item}", values: &scale {Very low: 1, Middle: 2, "3 - Very high": 3}}
      perception: {pattern: "P{item}", values: *scale}
"""


def test_words_stand_for_declared_numbers(write_workbook):
    """Words and numbers may be mixed; what is neither is a bad number as ever."""
    path = write_workbook(WORDS, a__csv="r,E1,P1\na,Very low,2\nb,3 - Very high, Middle \nc,?,1\n")

    assert [value for *_, value in said(open_workbook(str(path)).frame("answers"))] == [
        1.0,
        2.0,
        3.0,
        2.0,
        1.0,
    ]
    assert rules(path)["answers"] == {"bad number": 1}


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        (["Low"] * 2 + ["High"] * 3, r"\['High', 'Low'\]"),
        (["Low"] * 30 + ["4"] * 20, r"\['Low'\]"),
        (["1 - Not at all"] * 10 + ["2"] * 90, r"\['1 - Not at all'\]"),
    ],
)
def test_words_without_a_number_are_refused(write_workbook, cells, shown):
    """Whole columns, most of a column, and labelled ends of a scale, which would be lost."""
    rows = "".join(f"{i},{cell},1\n" for i, cell in enumerate(cells))
    settings = "tables:\n  answers: {source: a.csv, respondent_id: r, wide: {belief: 'E{item}'}}\n"
    path = write_workbook(settings, a__csv="r,E1,E2\n" + rows)

    message = rf"role 'belief' are no numbers: {shown}[\s\S]*pattern: 'E\{{item\}}', values:"
    with pytest.raises(InputError, match=message):
        audit_workbook(read_workbook(path))


def test_stray_words_are_dropped_and_counted(write_workbook):
    """A few cells that are no answers are no reason to refuse a column."""
    rows = "".join(f"{i},{cell}\n" for i, cell in enumerate(["n/a"] * 9 + ["2"] * 91))
    settings = "tables:\n  answers: {source: a.csv, respondent_id: r, wide: {belief: 'E{item}'}}\n"

    assert rules(write_workbook(settings, a__csv="r,E1\n" + rows)) == {"answers": {"bad number": 9}}
