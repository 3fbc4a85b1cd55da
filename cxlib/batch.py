"""A manifest of runs, checked whole before the first kernel starts, then run and listed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cxlib.errors import InputError, RunError
from cxlib.files import whole_file
from cxlib.plans import TIMEOUT_SECONDS, Plan, plan_run
from cxlib.report import render_index
from cxlib.runs import describe_not_run, execute_run, stop_all
from cxlib.workbook import SAMPLES, explain, load_yaml

Told = Callable[[Plan, dict[str, Any]], None]


class RunSpec(BaseModel):
    """One run of a manifest."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    notebook: str
    workbook: str = ""
    parameters: dict[str, str | list[str]] = {}


class Manifest(BaseModel):
    """A batch: a title, a workbook and the runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = "Reports"
    workbook: str = SAMPLES
    timeout_seconds: float = Field(default=TIMEOUT_SECONDS, gt=0)
    runs: list[RunSpec] = Field(min_length=1)


def read_manifest(path: Path) -> Manifest:
    """Read and check a manifest.

    Parameters
    ----------
    path : pathlib.Path
        A YAML file.

    Returns
    -------
    Manifest
        The typed model.

    Raises
    ------
    InputError
        When it is not there or says something the model does not know.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise InputError(f"There is no manifest '{path}'.", str(path.parent)) from error
    except UnicodeDecodeError as error:
        raise InputError(f"'{path.name}' is not UTF-8.", str(path), "save it as UTF-8") from error
    content, lines = load_yaml(text, path)
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        known = {"": list(Manifest.model_fields), "runs": list(RunSpec.model_fields)}
        raise InputError.join(
            explain(error, path, lines, lambda place: known["runs" if len(place) > 1 else ""])
        ) from error


def plan_batch(manifest: Manifest, folder: Path, out: Path) -> list[Plan]:
    """Check every run of a manifest.

    Parameters
    ----------
    manifest : Manifest
        The batch.
    folder : pathlib.Path
        Folder of the manifest; its paths are relative to it.
    out : pathlib.Path
        Folder of all runs.

    Returns
    -------
    list of Plan
        In the manifest's order.

    Raises
    ------
    InputError
        With a block for every run that cannot be made, or when two would share a folder.
    """
    plans, errors = [], []
    for number, spec in enumerate(manifest.runs, start=1):
        workbook = spec.workbook or manifest.workbook
        beside = folder / spec.notebook
        try:
            plans.append(
                plan_run(
                    str(beside) if beside.is_file() else spec.notebook,
                    workbook=workbook if workbook == SAMPLES else str(folder / workbook),
                    given=spec.parameters,
                    out=out,
                    timeout=manifest.timeout_seconds,
                )
            )
        except InputError as error:
            errors.append(InputError(f"Run {number} ({spec.notebook}): {error}"))
    folders = [plan.folder for plan in plans]
    for twice in {path.name for path in folders if folders.count(path) > 1}:
        errors.append(
            InputError(
                f"Two runs share the folder '{twice}'.",
                "manifest",
                "drop one, or run it into another --out",
            )
        )
    if errors:
        raise InputError.join(errors)
    return plans


def run_batch(
    plans: list[Plan], out: Path, *, title: str, workers: int, told: Told
) -> list[dict[str, Any]]:
    """Execute plans and write the index page.

    Parameters
    ----------
    plans : list of Plan
        Checked runs.
    out : pathlib.Path
        Folder of all runs; ``index.html`` is written there.
    title : str
        Heading of the index.
    workers : int
        Kernels at a time.
    told : callable
        Called with each plan and its record as it ends.

    Returns
    -------
    list of dict
        Run records in the order of the plans.
    """

    def execute(plan: Plan) -> dict[str, Any]:
        """Run one plan in a worker; what it cannot write is told, and the others go on."""
        try:
            run = execute_run(plan)
        except RunError as error:
            run = describe_not_run(plan, error)
        told(plan, run)
        return {**run, "folder": plan.folder.name}

    with ThreadPoolExecutor(workers) as pool:
        try:
            runs = list(pool.map(execute, plans))
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            stop_all()
            raise
    try:
        out.mkdir(parents=True, exist_ok=True)
        with whole_file(out / "index.html") as part:
            part.write_text(render_index(runs, title), encoding="utf-8")
    except OSError as error:
        raise RunError(f"The index could not be written to {out}: {error}") from error
    return runs
