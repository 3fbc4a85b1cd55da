"""What the tests share: real data, other engines, small workbooks."""

from __future__ import annotations

import gc
import os
import shutil
from pathlib import Path

import pytest

from tests import engines

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("CX_SHARED_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data sets; their tests must run where acceptance runs."""
    if not SHARED.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"the real data sets are not at {SHARED}")
        pytest.skip("the real data sets are not on this machine")
    return SHARED


def _lacking(what: str) -> None:
    """Skip where an engine is not installed; acceptance must have it."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is not installed")
    pytest.skip(f"{what} is not installed")


@pytest.fixture(scope="session")
def postgres():
    """Return a PostgreSQL server that lives as long as the session."""
    binaries = engines.find_postgres()
    if binaries is None:
        _lacking("a PostgreSQL server")
    with engines.run_postgres(binaries) as server:
        yield server


@pytest.fixture(scope="session")
def spark():
    """Return a local Spark session."""
    if not shutil.which("java") and not os.environ.get("JAVA_HOME"):
        _lacking("Java")
    with engines.run_spark() as session:
        yield session


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that is marked ``engines`` on every engine."""
    marked = metafunc.definition.get_closest_marker("engines")
    if marked and "con" in metafunc.fixturenames:
        metafunc.parametrize("con", engines.KINDS, indirect=True)


@pytest.fixture
def con(request: pytest.FixtureRequest):
    """Return an engine: an embedded one, or each of them where the test is marked ``engines``."""
    import ibis

    kind = getattr(request, "param", "duckdb")
    if kind == "pyspark":
        yield ibis.pyspark.connect(request.getfixturevalue("spark"))
        return
    if kind == "postgres":
        con = request.getfixturevalue("postgres").connect()
        yield con
        gc.collect()  # stored tables are dropped before the connection goes
        con.disconnect()
        return
    yield ibis.duckdb.connect()


@pytest.fixture
def write_workbook(tmp_path: Path):
    """Return a function that writes a ``cx.yml`` and its files, and gives its path."""

    def write(settings: str, **files: str | bytes) -> Path:
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            (tmp_path / name.replace("__", ".")).write_bytes(data)
        path = tmp_path / "cx.yml"
        path.write_text(f"name: Test\nas_of: 2024-12-31\n{settings}", encoding="utf-8")
        return path

    return write
