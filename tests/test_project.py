"""Tests of the project itself: layers, environments, committed notebooks."""

from __future__ import annotations

import ast
import json
import re
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml

from cxlib import schema

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
STUDIES = {"journeys", "churn", "gaps"}
LAYERS = ("planning", "publishing", "sharing", "running")
COMMON = (
    "workbook",
    "segment_by",
    "segment",
    "period_start",
    "period_end",
    "conf_level",
    "random_state",
    "min_cell",
)


def imported(path):
    """Return the modules of cxlib and the top-level packages a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("cxlib.")}, {
        name.split(".")[0] for name in names
    }


@pytest.mark.parametrize("study", sorted(STUDIES))
def test_studies_stand_on_the_base_alone(study):
    """A study knows no other study, no reading and no publishing."""
    for path in (ROOT / "cxlib" / study).rglob("*.py"):
        own, _ = imported(path)
        assert own <= {"errors", "schema", "stats", "frames", "style", study}, path


def test_publishing_knows_no_study():
    """Runs and pages work for any notebook."""
    for path in (ROOT / "cxlib").rglob("*.py"):
        if path.relative_to(ROOT / "cxlib").parts[0] not in STUDIES:
            own, _ = imported(path)
            assert not own & STUDIES, path


@pytest.mark.parametrize("layer", range(len(LAYERS)))
def test_what_is_planned_knows_nothing_of_what_comes_after(layer):
    """Planning, pages, sharing and runs import those before them, never those after."""
    for path in (ROOT / "cxlib" / LAYERS[layer]).rglob("*.py"):
        own, _ = imported(path)
        assert not own & {*LAYERS[layer + 1 :], "lab", "cli"}, path


def test_the_base_knows_no_layer():
    """Modules that lie beside the packages, commands aside, import no package but the data."""
    for path in (ROOT / "cxlib").glob("*.py"):
        if path.stem not in {"lab", "cli", "__main__"}:
            own, _ = imported(path)
            assert not own & {*LAYERS, "lab", "cli"}, path


def test_only_plots_draw():
    """Figures draw, they do not compute; everything else does not draw."""
    for path in (ROOT / "cxlib").rglob("*.py"):
        _, packages = imported(path)
        if path.name not in {"plots.py", "style.py"}:
            assert not packages & {"matplotlib", "seaborn", "plotly"}, path


def locked(path):
    """Return the versions of a lock, which names hashes and no index."""
    lock = (ROOT / path).read_text()
    versions = dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", lock, re.MULTILINE))
    assert lock.count("--hash=sha256:") > len(versions)
    assert "://" not in lock
    assert "--index" not in lock
    return versions


def test_requirements_of_pyproject_are_locked():
    """Every requirement, extra and build backend has one locked version within its bounds."""
    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["project"]["dependencies"] + project["build-system"]["requires"]
    for extra in project["project"]["optional-dependencies"].values():
        wanted += extra
    everything, engines = locked("requirements.lock"), locked(".ci/engines.lock")
    for text in wanted:
        requirement = Requirement(text)
        version = (everything | engines)[requirement.name.lower()]
        assert version in requirement.specifier, text
    assert not everything.keys() & engines.keys()


def test_drivers_of_engines_get_what_they_require():
    """Each requirement of a driver is in one of the locks, in a version it allows."""
    from importlib.metadata import requires, version

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    engines = locked(".ci/engines.lock")
    versions = locked("requirements.lock") | engines
    for name in engines:
        assert version(name) == engines[name]
        for text in requires(name) or []:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": "binary"}):
                locked_version = versions[canonicalize_name(requirement.name)]
                assert locked_version in requirement.specifier, (name, text)


def test_conda_environment_is_in_step():
    """Conda brings Python and pip, the lock brings the rest."""
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    python, pip, nested = environment["dependencies"]

    assert python == f"python{project['project']['requires-python']}"
    assert pip == "pip"
    assert nested == {"pip": ["-r requirements.lock"]}


def test_readme_tells_the_two_commands_and_every_notebook():
    """What README promises is there, and what is there is in README."""
    readme = (ROOT / "README.md").read_text()

    assert "make demo" in readme
    assert "make test" in readme
    for path in NOTEBOOKS:
        assert path.stem in readme
    for linked in re.findall(r"\]\(([^)#:]+)\)", readme):
        assert (ROOT / linked).exists(), linked


def test_data_dictionary_is_the_contract():
    """docs/data-dictionary.md is what ``cx check --contract`` prints."""
    assert (ROOT / "docs/data-dictionary.md").read_text() == schema.describe_contract() + "\n"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_committed_with_their_outputs(path):
    """Nbval compares cells that have outputs; without them it would compare nothing."""
    notebook = nbformat.read(path, as_version=4)
    checked = [c for c in notebook.cells if "nbval-check-output" in c.metadata.get("tags", [])]

    assert checked
    for cell in checked:
        assert cell.execution_count
        assert cell.outputs
        assert not any("image/svg+xml" in o.get("data", {}) for o in cell.outputs)
    counts = [c.execution_count for c in notebook.cells if c.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_keep_to_the_recipe(path):
    """15 to 30 cells (the template fewer), common parameters first, then the answer."""
    notebook = nbformat.read(path, as_version=4)
    tagged = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    names = [node.targets[0].id for node in ast.parse(tagged[0].source).body]
    prose = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    headings = re.findall(r"^## (.+)$", prose, re.MULTILINE)
    text = json.dumps(notebook)

    assert tuple(names[: len(COMMON)]) == COMMON
    assert len(notebook.cells) <= 30
    assert len(notebook.cells) >= (15 if not path.stem.startswith("_") else 8)
    assert headings[0] == "The answer"
    assert len(re.findall(r"^# ", prose, re.MULTILINE)) == 1
    assert not re.search(r"/home/|/root/|/tmp/|[\w.]+@[\w.]+\.\w+", text)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.source.count("\n") < 25, cell.id
            assert not re.search(r"^\s*(def|class) ", cell.source, re.MULTILINE)
