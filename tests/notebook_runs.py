"""A plugin: one execution of every notebook serves nbval and the tests of what was planted.

A conftest would have to lie above the notebooks and the tests.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
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
