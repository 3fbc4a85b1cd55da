"""What the tests share: a kept audit cache, real data, and one execution of every notebook."""

from __future__ import annotations

import gc
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests import engines

ROOT = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("CX_SHARED_DATA", ROOT.parent / "shared" / "data"))


RUNS = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep audits and notebook runs of this session apart from the user's."""
    folder = Path(tempfile.mkdtemp(prefix="cxlib-tests-"))
    config.stash[RUNS] = folder
    os.environ["CX_CACHE"] = str(folder / "cache")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind."""
    shutil.rmtree(config.stash[RUNS], ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let the notebooks that nbval executes write their records and tables like any run."""
    if item.path.suffix == ".ipynb":
        folder = item.config.stash[RUNS] / item.path.stem
        folder.mkdir(exist_ok=True)
        os.environ["CX_RUN_DIR"] = str(folder)
    else:
        os.environ.pop("CX_RUN_DIR", None)


class Execution:
    """Records and tables of one executed notebook."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def records(self) -> list[dict]:
        """What the notebook recorded."""
        text = (self.folder / "records.jsonl").read_text("utf-8")
        return [json.loads(line) for line in text.split("\n") if line]

    def figure(self, name: str) -> dict:
        """Return a key figure."""
        return next(r for r in self.records if r.get("id") == name)

    def table(self, name: str):
        """Return a saved table."""
        import pandas as pd

        return pd.read_parquet(self.folder / "tables" / f"{name}.parquet")


@pytest.fixture(scope="session")
def executed(request: pytest.FixtureRequest):
    """Return a function from a notebook's name to its only execution in this session."""

    def execution(name: str) -> Execution:
        folder = request.config.stash[RUNS] / name
        if not (folder / "tables").exists():  # only a part of the tests was asked for
            folder.mkdir(exist_ok=True)
            subprocess.run(
                [sys.executable, "-m", "jupyter", "execute", str(ROOT / f"notebooks/{name}.ipynb")],
                env={**os.environ, "CX_RUN_DIR": str(folder)},
                check=True,
                capture_output=True,
            )
        return Execution(folder)

    return execution


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
