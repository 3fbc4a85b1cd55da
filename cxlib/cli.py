"""The commands: cx demo, check, run, batch, lab."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cxlib.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cxlib.plans import Plan

app = typer.Typer(
    name="cx",
    help="Customer-experience analysis: raw exports in, pages out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich" if sys.stdout.isatty() else None,
)

Workbook = Annotated[str, typer.Option(help="A cx.yml, its folder, or 'samples'.")]
Out = Annotated[Path, typer.Option(help="Folder of the runs.")]
Timeout = Annotated[float, typer.Option(min=1, help="Seconds a run may take.")]


@app.command()
def demo(out: Out = Path("out/demo")) -> int:
    """Run all notebooks on the sample company and write index.html."""
    from cxlib.plans import notebook_names, plan_run

    plans = [plan_run(n, workbook="samples", given={}, out=out) for n in notebook_names()]
    return _run_all(plans, out, "Brightline Broadband: customer experience", workers=2)


@app.command()
def check(
    workbook: Workbook = "cx.yml",
    contract: Annotated[bool, typer.Option(help="Print the data dictionary instead.")] = False,
) -> int:
    """Audit a workbook and print its ledger.

    Exit code 0: clean; 1: usable, with refused rows; 2: unusable.
    """
    if contract:
        from cxlib.schema import describe_contract

        print(describe_contract())
        return 0
    from cxlib.data import audit_workbook
    from cxlib.data.ledger import describe_example
    from cxlib.workbook import read_workbook

    entries = [table.entry for table in audit_workbook(read_workbook(workbook)).values()]
    for entry in entries:
        print(
            f"{entry.table}: {entry.rows_in:,} rows in, {entry.rows_kept:,} kept, "
            f"{entry.rows_changed:,} changed, {entry.rows_refused:,} refused ({entry.source})"
        )
        for rule in entry.rules:
            print(f"  {rule.n:>7,}  {rule.rule}")
            for example in rule.examples:
                print(f"           {describe_example(example)}")
    return int(any(entry.rows_refused for entry in entries))


@app.command()
def run(
    notebook: Annotated[str, typer.Argument(help="Name of a notebook, or its path.")],
    workbook: Workbook = "cx.yml",
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", "--parameter", help="name=value; a list is JSON. May be repeated."),
    ] = None,
    out: Out = Path("out"),
    timeout: Timeout = 1800,
) -> int:
    """Run one notebook and write its page, tables and record."""
    from cxlib.plans import plan_run
    from cxlib.runs import execute_run, exit_code

    given = _given(parameter or [])
    plan = plan_run(notebook, workbook=workbook, given=given, out=out, timeout=timeout)
    with _progress(plan.name) as advance:
        record = execute_run(plan, advance)
    _tell(plan, record)
    return exit_code([record])


@app.command()
def batch(
    manifest: Annotated[Path, typer.Argument(help="A YAML file that lists runs.")],
    out: Out = Path("out"),
    workers: Annotated[int, typer.Option(min=1, help="Kernels at a time.")] = 1,
    dry_run: Annotated[bool, typer.Option(help="Check and list the runs only.")] = False,
) -> int:
    """Run all notebooks of a manifest and write index.html."""
    from cxlib.batch import plan_batch, read_manifest

    wanted = read_manifest(manifest)
    plans = plan_batch(wanted, manifest.resolve().parent, out)
    if dry_run:
        for plan in plans:
            print(f"{plan.folder.name}")
        return 0
    return _run_all(plans, out, wanted.title, workers=workers)


@app.command()
def lab(
    workbook: Workbook = "samples",
    out: Annotated[Path, typer.Option(help="Folder for the copies.")] = Path("cx_notebooks"),
) -> int:
    """Open JupyterLab on a copy of the notebooks; copies that exist are kept."""
    from cxlib.lab import copy_notebooks

    folder = copy_notebooks(workbook, out)
    print(f"JupyterLab opens on {folder}")
    os.execv(sys.executable, [sys.executable, "-m", "jupyter", "lab", str(folder)])


def _given(parameters: list[str]) -> dict[str, str]:
    given = {}
    for text in parameters:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"'{text}' is no parameter.", "-p", "write -p name=value")
        given[name.strip()] = value
    return given


def _run_all(plans: list[Plan], out: Path, title: str, *, workers: int) -> int:
    from cxlib.batch import run_batch
    from cxlib.runs import exit_code

    started = time.monotonic()
    runs = run_batch(plans, out.resolve(), title=title, workers=workers, told=_tell)
    seconds = time.monotonic() - started
    print(f"{len(runs)} runs in {seconds:.0f} s: {out / 'index.html'}")
    return exit_code(runs)


def _tell(plan: Plan, record: dict[str, Any]) -> None:
    name = _relative(plan.folder / "report.html")
    lines = [f"{record['status']:<17} {record['seconds']:>6.1f} s  {name}"]
    lines += [f"    {record['headline']}"] if record["headline"] else []
    lines += [f"    note: {warning}" for warning in record["warnings"]]
    print("\n".join(lines), flush=True)  # whole, for runs may end side by side
    if record["error"] is not None:
        error = record["error"]
        cell = "" if error["cell"] is None else f" in cell {error['cell']}"
        print(f"    {error['class']}{cell}: {error['message']}", file=sys.stderr)


def _relative(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


@contextmanager
def _progress(name: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar in a terminal, nothing elsewhere."""
    if not sys.stdout.isatty():
        yield lambda done, total: None
        return
    from rich.progress import Progress

    with Progress(transient=True) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
