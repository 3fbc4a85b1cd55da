"""Tests that tables of an engine are audited like the same tables from files."""

from __future__ import annotations

import json
import sys

import duckdb
import pandas as pd
import pytest

from cxlib.data import open_workbook
from cxlib.data.audit import audit_workbook, cache_folder, pin_audit
from cxlib.engine import is_file, parse_engine
from cxlib.errors import InputError
from cxlib.workbook import read_workbook
from tests.engines import KINDS

TABLES = """tables:
  events:
    source: {events}
    columns: {{customer_id: who, timestamp: seen, touchpoint: what}}
    timezone: Asia/Seoul
  subscriptions:
    source: {subscriptions}
    timezone: Asia/Seoul
    decimal: ","
    date_format: "%d.%m.%Y"
    columns: {{monthly_value: {{column: price, missing: ["0"]}}}}
  lifetimes:
    source: {lifetimes}
    columns: {{churned: {{column: gone, "true": ["Yes"], "false": ["No"]}}}}
"""
FILES = {
    "events__csv": """event_id,seen,who,what,value
2,2024-03-31 01:30:00.000001Z,007,a,1.5
9,2024-03-31 01:30:00.000001Z,007,b,1e300
10,2024-03-31 01:30:00.000001Z,NA,é,
11,2024-12-31 15:00:00Z,007,late,
12,,007,never,
13,9999-12-31 00:00:00Z,007,far,
14,2024-01-01 00:00:00Z,,nobody,
""",
    # days are not shifted to Seoul, though `started_at` is a timestamp in the engines
    "subscriptions__csv": """customer_id,started_at,ended_at,price,plan
1,01.03.2024,,"12,5",x
1,02.03.2024,31.12.9999,0,x
2,01.03.2024,01.02.2024,3,
""",
    "lifetimes__csv": """customer_id,duration_days,gone,code
1,0.1,Yes,00
2,7,No,
3,-1,No,b
""",
}
COLUMNS = {
    "events": "event_id {whole}, seen {instant}, who {text}, what {text}, value {float}",
    "subscriptions": "customer_id {whole}, started_at {local}, ended_at date, "
    "price decimal(10, 2), plan {text}",
    "lifetimes": "customer_id {whole}, duration_days {float}, gone boolean, code {text}",
}
VALUES = {
    "events": [
        "10, {instant} '2024-03-31 10:30:00.000001+09:00', 'NA', 'é', NULL",
        "14, {instant} '2024-01-01 00:00:00Z', NULL, 'nobody', NULL",
        "2, {instant} '2024-03-31 01:30:00.000001Z', '007', 'a', 1.5",
        "12, NULL, '007', 'never', NULL",
        "9, {instant} '2024-03-31 01:30:00.000001Z', '007', 'b', 1e300",
        "11, {instant} '2024-12-31 15:00:00Z', '007', 'late', NULL",
        "13, {instant} '9999-12-31 00:00:00Z', '007', 'far', NULL",
    ],
    "subscriptions": [
        "2, {local} '2024-03-01 00:00:00', date '2024-02-01', 3, NULL",
        "1, {local} '2024-03-02 00:00:00', date '9999-12-31', 0, 'x'",
        "1, {local} '2024-03-01 00:00:00', NULL, 12.5, 'x'",
    ],
    "lifetimes": ["3, -1, false, 'b'", "1, 0.1, true, '00'", "2, 7, false, NULL"],
}
STANDARD = {
    "whole": "bigint",
    "text": "varchar(20)",
    "float": "double precision",
    "instant": "timestamptz",
    "local": "timestamp",
}
SPARK = {
    "whole": "bigint",
    "text": "string",
    "float": "double",
    "instant": "timestamp",
    "local": "timestamp_ntz",
}


def statements(words):
    """Write the SQL that makes the tables."""
    made = []
    for name, columns in COLUMNS.items():
        rows = ", ".join(f"({row.format(**words)})" for row in VALUES[name])
        made += [f"DROP TABLE IF EXISTS crm.{name}", f"DROP TABLE IF EXISTS {name}"]
        made += [f"CREATE TABLE crm.{name} ({columns.format(**words)})"]
        made += [f"INSERT INTO crm.{name} VALUES {rows}"]
    return ["CREATE SCHEMA IF NOT EXISTS crm", *made]


@pytest.fixture
def make_engine(request, tmp_path, monkeypatch):
    """Return a function that fills an engine of a kind and gives its URL and a way to write."""

    def make(kind):
        if kind == "postgres":
            server = request.getfixturevalue("postgres")
            monkeypatch.setenv("CX_TEST_WORD", server.password)
            run = server.execute
            url = f"postgres://{server.user}:${{CX_TEST_WORD}}@{server.host}:{server.port}/{server.database}"
        elif kind == "pyspark":
            session = request.getfixturevalue("spark")
            url = "pyspark://"

            def run(*lines):
                """Run some Spark SQL."""
                for line in lines:
                    session.sql(line)
        else:
            url = "duckdb://warehouse.duckdb"

            def run(*lines):
                """Run some SQL; the file may have one writer or many readers."""
                with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as con:
                    for line in lines:
                        con.execute(line)

        run(*statements(SPARK if kind == "pyspark" else STANDARD))
        return url, run

    return make


def settings(url="duckdb", **sources):
    """Write the keys of a workbook whose tables are in `crm`, unless named otherwise."""
    named = {name: f"crm.{name}" for name in COLUMNS} | sources
    return f"engine: {url}\n{TABLES.format(**named)}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_is_audited_like_its_export(write_workbook, make_engine, kind):
    """Rows, types, order and ledger are those of the file; only the names of sources differ."""
    exported = {name: f"{name}.csv" for name in COLUMNS}
    files = audit_workbook(read_workbook(write_workbook(settings(**exported), **FILES)))
    url, _ = make_engine(kind)
    tables = audit_workbook(read_workbook(write_workbook(settings(url))))

    for name in COLUMNS:
        pd.testing.assert_frame_equal(
            pd.read_parquet(tables[name].path), pd.read_parquet(files[name].path)
        )
        entry, same = tables[name].entry, files[name].entry
        assert [(rule.rule, rule.n) for rule in entry.rules] == [
            (rule.rule, rule.n) for rule in same.rules
        ]
        assert (entry.source, entry.rows_in) == (f"crm.{name}", same.rows_in)
        # a file has a header in row 1
        assert entry.rules[0].examples[0]["row"] == same.rules[0].examples[0]["row"] - 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_row_is_read_anew(write_workbook, make_engine, kind):
    """The audit is kept as long as the rows are the same, and never longer."""
    url, run = make_engine(kind)
    book = read_workbook(write_workbook(settings(url)))
    first = audit_workbook(book)["lifetimes"]
    again = audit_workbook(book)["lifetimes"]
    # Spark's own tables cannot be updated in place
    run("DROP TABLE crm.lifetimes", f"CREATE TABLE crm.lifetimes AS {_changed()}")
    changed = audit_workbook(book)["lifetimes"]

    assert again.path == first.path
    assert again.entry == first.entry
    assert changed.path != first.path
    assert changed.entry.sha256 != first.entry.sha256
    assert pd.read_parquet(changed.path)["duration_days"].tolist() == [0.1, 8]


def _changed():
    return (
        "SELECT 1 AS customer_id, 0.1 AS duration_days, true AS gone, '00' AS code "
        "UNION ALL SELECT 2, 8, false, NULL"
    )


def test_a_kernel_uses_what_its_run_was_planned_on(
    write_workbook, make_engine, tmp_path, monkeypatch
):
    """The engine is not asked again, so record and results are of the same rows."""
    url, run = make_engine("postgres")
    path = write_workbook(settings(url))
    book = read_workbook(path)
    planned = audit_workbook(book)
    pin = pin_audit(tmp_path, book, [table.entry for table in planned.values()])
    run("DELETE FROM crm.lifetimes WHERE customer_id = 1")
    monkeypatch.setenv("CX_RUN_DIR", str(tmp_path))

    with monkeypatch.context() as patch:
        patch.setenv("CX_TEST_WORD", "not the password")
        assert audit_workbook(book) == planned
    pin.write_text(pin.read_text().replace("cx.yml", "other.yml"))  # of another workbook
    assert audit_workbook(book)["lifetimes"] != planned["lifetimes"]


def test_the_order_of_a_table_does_not_matter(write_workbook, make_engine):
    """A table has no order: rows stored otherwise are the same table."""
    url, run = make_engine("postgres")
    book = read_workbook(write_workbook(settings(url)))
    first = audit_workbook(book)["events"]
    run("UPDATE crm.events SET what = what WHERE event_id = 2")  # moves the row to the end

    assert audit_workbook(book)["events"].path == first.path


def test_files_and_tables_side_by_side(write_workbook, make_engine):
    """What is written like a file stays a file, wherever the other tables are."""
    url, _ = make_engine("duckdb")
    path = write_workbook(
        settings(url, lifetimes="lifetimes.csv"), lifetimes__csv=FILES["lifetimes__csv"]
    )
    tables = open_workbook(str(path))

    assert tables.frame("lifetimes")["customer_id"].tolist() == ["1", "2"]
    assert tables.frame("events")["touchpoint"].tolist() == ["a", "b", "é"]
    assert [entry.source for entry in tables.entries] == [
        "crm.events",
        "crm.subscriptions",
        "lifetimes.csv",
    ]


def test_what_is_a_file():
    """A slash, a wildcard or the ending of a file; an existing file is not looked for."""
    assert all(map(is_file, ["e.csv", "./events", "x/*.gz", "e*", "E.XLSX", r"c:\e", "a.json"]))
    assert not any(map(is_file, ["events", "crm.events", "main.crm.events", "Event Log"]))


def test_odd_types_become_text(write_workbook, make_engine):
    """Enumerations, ids, infinity and large decimals are written by the server; NaN is empty."""
    url, run = make_engine("postgres")
    run(
        "DROP TABLE IF EXISTS odd",
        "DROP TYPE IF EXISTS mood",
        "CREATE TYPE mood AS ENUM ('sad', 'ok')",
        "CREATE TABLE odd"
        " (customer_id uuid, mood mood, tags text[], big numeric, never date, x real)",
        "INSERT INTO odd VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'ok', '{a,b}',"
        " 12345678901234567890.50, 'infinity', 'NaN')",
    )
    path = write_workbook(f"engine: {url}\ntables:\n  customers: {{source: odd}}\n")
    (row,) = open_workbook(str(path)).frame("customers").to_dict("records")

    assert row == {
        "customer_id": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "big": "12345678901234567890.5",
        "mood": "ok",
        "never": "infinity",
        "tags": "{a,b}",
        "x": None,
    }


def test_wide_answers_of_an_engine(write_workbook, make_engine):
    """Typed ratings are numbers whatever `decimal` says; the missing code is met as text."""
    url, run = make_engine("duckdb")
    run("CREATE TABLE survey (r int, p1 decimal(4, 2), p2 double)")
    run("INSERT INTO survey VALUES (2, 99, 4.5), (1, 2.5, 99)")
    path = write_workbook(
        f"engine: {url}\ntables:\n  answers:\n    source: survey\n    respondent_id: r\n"
        '    decimal: ","\n    missing: [99]\n    wide: {perception: "p{item}"}\n'
    )
    frame = open_workbook(str(path)).frame("answers")

    assert frame[["respondent_id", "item", "value"]].to_numpy().tolist() == [
        ["1", "1", 2.5],
        ["2", "2", 4.5],
    ]


@pytest.mark.parametrize(
    ("engine", "message"),
    [
        ("postgres://u:hunter2@h/db", r"'password' is written out[\s\S]*line 3[\s\S]*PGPASSWORD"),
        ("postgres://u:${A}hunter2@h/db", r"'password' is written out"),
        ("postgres://u@h/db?password=hunter2", r"'password' is written out"),
        ("pyspark://?spark.hadoop.fs.secret.key=hunter2", r"secret.key' is written out"),
        ("pyspark://?url=jdbc;user=a;password=hunter2", r"'url' is written out"),
        ("postgres://u:hun/ter2@h/db", r"URL of the engine cannot be read[\s\S]*postgres://USER"),
        ("postgres://u:hunter2@a@h/db", r"URL of the engine cannot be read"),
        ("postgers://u:hunter2@h/db", r"engine 'postgers' is unknown[\s\S]*mean 'postgres'"),
        ("mysql://u:hunter2@h/db", r"engine 'mysql' is unknown[\s\S]*fix: +use 'duckdb'"),
        ("host=h password=hunter2", r"The engine is unknown"),
    ],
)
def test_a_password_is_not_written_out(write_workbook, engine, message):
    """Secrets belong to the environment, and a message never repeats one."""
    path = write_workbook(f'engine: "{engine}"\ntables:\n  events: {{source: e}}\n')

    with pytest.raises(InputError, match=message) as caught:
        read_workbook(path)
    assert "hunter2" not in str(caught.value)
    assert "ter2" not in str(caught.value)


def test_an_unset_variable_is_named(write_workbook, monkeypatch):
    """A variable that is missing or empty is a mistake, not an empty password."""
    monkeypatch.setenv("CX_TEST_WORD", "")
    path = write_workbook(settings("postgres://u:${CX_TEST_WORD}@h/db"))

    with pytest.raises(InputError, match=r"'CX_TEST_WORD' is not set[\s\S]*engine[\s\S]*export"):
        open_workbook(str(path))


def test_a_wrong_password_stays_hidden(write_workbook, make_engine, monkeypatch):
    """The server's answer is shown, the password is not, in no part of the traceback."""
    url, _ = make_engine("postgres")
    monkeypatch.setenv("CX_TEST_WORD", "hunter2")
    book = read_workbook(write_workbook(settings(url)))

    with pytest.raises(InputError, match=r"password authentication failed[\s\S]*check host") as e:
        audit_workbook(book)
    assert "hunter2" not in str(e.getrepr(style="long", chain=True).reprcrash)
    assert e.value.__suppress_context__


def test_the_password_is_nowhere(write_workbook, make_engine, postgres):
    """Neither the audit cache, nor the ledger, nor the workbook holds it."""
    url, _ = make_engine("postgres")
    book = read_workbook(write_workbook(settings(url)))
    audited = audit_workbook(book)
    kept = b"".join(path.read_bytes() for path in cache_folder().iterdir())
    said = json.dumps([table.entry.as_dict() for table in audited.values()])

    assert postgres.password.encode() not in kept
    assert postgres.password not in said + repr(book) + repr(book.tables_engine)


def test_nobody_answers(write_workbook):
    """A server that is not there is said so, with what to check."""
    path = write_workbook(settings("postgres://u@127.0.0.1:1/db"))

    with pytest.raises(InputError, match=r"'postgres' cannot be opened[\s\S]*server runs"):
        open_workbook(str(path))


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_tables_are_named(write_workbook, make_engine, kind):
    """Tables and schemas that are spelt alike are suggested."""
    url, _ = make_engine(kind)
    path = write_workbook(settings(url, events="crm.evnts", lifetimes="cmr.lifetimes"))

    with pytest.raises(InputError) as caught:
        open_workbook(str(path))
    assert f"There is no table 'crm.evnts' in '{kind}'" in str(caught.value)
    assert "did you mean 'events'? (a file is written with its folder" in str(caught.value)
    assert "there is no schema 'cmr'; did you mean 'crm'?" in str(caught.value)


def test_tables_that_cannot_be_read(write_workbook, make_engine):
    """A name of too many parts, an empty table, and one the server refuses to read."""
    url, run = make_engine("postgres")
    run("DROP TABLE IF EXISTS nothing", "CREATE TABLE nothing (customer_id int)")
    run("CREATE OR REPLACE VIEW broken AS SELECT 1 / (x - 1) AS x FROM (VALUES (1)) AS t (x)")
    sources = {"events": "a.b.c.d", "subscriptions": "nothing", "lifetimes": "broken"}
    path = write_workbook(settings(url, **sources))

    with pytest.raises(InputError) as caught:
        open_workbook(str(path))
    assert "'a.b.c.d' cannot be read" in str(caught.value)
    assert "'nothing' has no rows" in str(caught.value)
    assert "'broken' cannot be read: division by zero" in str(caught.value)


def test_duckdb_files_that_cannot_be_opened(write_workbook, tmp_path):
    """A path that is not there, and a file that is something else."""
    (tmp_path / "house.duckdb").write_text("hello")

    with pytest.raises(InputError, match=r"'hous.duckdb' is not there[\s\S]*mean 'house.duckdb'"):
        open_workbook(str(write_workbook(settings("duckdb://hous.duckdb"))))
    with pytest.raises(InputError, match=r"'duckdb' cannot be opened[\s\S]*open for writing"):
        open_workbook(str(write_workbook(settings("duckdb://house.duckdb"))))


def test_a_missing_driver_names_its_extra(write_workbook, monkeypatch):
    """Who has not installed a driver is told how."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.setitem(sys.modules, "ibis.backends.postgres", None)

    with pytest.raises(InputError, match=r"driver of 'postgres'[\s\S]*'cxlib\[postgres\]'"):
        open_workbook(str(write_workbook(settings("postgres://u@127.0.0.1:1/db"))))


def test_spark_that_cannot_start(write_workbook, monkeypatch):
    """Most often Java is missing; what Spark said is shown without secrets."""

    def fail(*_):
        """Fail as Spark does, with a setting in the message."""
        raise RuntimeError("[JAVA_GATEWAY_EXITED] hunter2\n exited")

    monkeypatch.setenv("CX_TEST_WORD", "hunter2")
    monkeypatch.setattr("cxlib.data.engines._spark", fail)
    path = write_workbook(settings("pyspark://?my.secret=${CX_TEST_WORD}"))

    with pytest.raises(InputError, match=r"EXITED\] \$\{CX_TEST_WORD\} exited[\s\S]*Java 17"):
        open_workbook(str(path))


def test_parts_of_a_url(monkeypatch):
    """Variables fill any part, whatever characters they hold; files need no engine."""
    monkeypatch.setenv("CX_TEST_PORT", "5433")
    monkeypatch.setenv("CX_TEST_WORD", "a@b:c/d")
    text = "postgresql://me:${CX_TEST_WORD}@[::1]:${CX_TEST_PORT}/db?sslmode=require"
    engine = parse_engine(text, "cx.yml").fill_in("cx.yml")

    assert engine.kind == "postgres"
    assert engine.parts["password"] == "a@b:c/d"
    assert (engine.parts["host"], engine.parts["port"]) == ("::1", "5433")
    assert engine.options == {"sslmode": "require"}
    assert parse_engine("duckdb", "cx.yml") is None
    assert parse_engine(text, "x").hide("no a@b:c/d\n here") == "no ${CX_TEST_WORD} here"
