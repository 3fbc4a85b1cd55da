"""The commands: cx demo, check, run, batch, lab."""

from __future__ import annotations

import os
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cxlib.errors import HeldBack, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cxlib.planning.manifest import Manifest
    from cxlib.planning.plans import Plan, TooFew

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
Timeout = Annotated[float, typer.Option(min=1, max=604800, help="Seconds a run may take.")]


@app.command()
def demo(out: Out = Path("out/demo")) -> int:
    """Run all notebooks on the sample company and write index.html."""
    from cxlib.planning.plans import notebook_names, plan_run

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
    from cxlib.planning.plans import plan_run
    from cxlib.running.progress import Telling
    from cxlib.running.runs import execute_run, exit_code

    given = _given(parameter or [])
    plan = plan_run(notebook, workbook=workbook, given=given, out=out, timeout=timeout)
    with Telling(1) as telling:
        telling.advance(plan, 0, 0)
        record = execute_run(plan, lambda done, total: telling.advance(plan, done, total))
        telling.tell(plan, record)
    return exit_code([record])


@app.command()
def batch(
    manifest: Annotated[Path, typer.Argument(help="A YAML file that lists runs.")],
    out: Annotated[str, typer.Option(help="Folder of the runs; a URL with --dask.")] = "out",
    workers: Annotated[
        int, typer.Option(min=0, help="Kernels at a time; 0: one a core. Fewer if memory is short.")
    ] = 0,
    dask: Annotated[
        str, typer.Option(help="Address of a Dask scheduler whose workers make the runs.")
    ] = "",
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Finish an interrupted batch: failed runs stay as they ended, and it is refused "
            "when the manifest, the data or cxlib have changed since.",
        ),
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Make all runs, also those that are unchanged.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check and list the runs only.")
    ] = False,
) -> int:
    """Run all notebooks of a manifest and write index.html.

    Runs that gave an answer earlier are skipped as long as notebook, parameters, data, cxlib and
    libraries are unchanged. Of two batches on one folder the second is refused; on NFS that needs
    a server that keeps locks, and on a URL nothing is locked.
    """
    from cxlib.planning.manifest import plan_batch, read_manifest

    if resume and fresh:
        raise InputError("--resume and --fresh exclude each other.", "cx batch", "give one of them")
    wanted = read_manifest(manifest)
    is_url = "://" in out
    if is_url and not dask:
        fix = "give --dask, or a folder"
        raise InputError("Only the workers of a cluster write to a URL.", f"--out {out}", fix)
    with _mirror(out) if is_url else nullcontext(Path(out).resolve()) as folder:
        plans = plan_batch(wanted, manifest.resolve().parent, folder)
        if dry_run:
            return _list(plans, fresh)
        return _run_all(
            plans,
            folder,
            wanted.title,
            workers=workers,
            cluster=dask,
            url=out if is_url else "",
            on_finish=lambda code: _finish(wanted, folder, code),
            compare_to=wanted.compare_folder,
            resume=resume,
            fresh=fresh,
        )


def _mirror(url: str) -> AbstractContextManager[Path]:
    from cxlib.running.spread import mirror

    return mirror(url)


def _list(plans: Sequence[Plan | TooFew], fresh: bool) -> int:
    """List what a batch would do, a line a run."""
    from cxlib.planning.plans import TooFew, describe_plans
    from cxlib.running.batch import explain_plan

    for plan, line in zip(plans, describe_plans(plans), strict=True):
        why = "" if isinstance(plan, TooFew) else f" | {explain_plan(plan, fresh=fresh)}"
        print(f"{line}{why}")
    return 0


@app.command()
def lab(
    workbook: Workbook = "samples",
    out: Annotated[Path, typer.Option(help="Folder for the copies.")] = Path("cx_notebooks"),
) -> int:
    """Open JupyterLab on a copy of the notebooks; copies that exist are kept."""
    from cxlib.lab import copy_notebooks, offer_warm_kernel

    folder = copy_notebooks(workbook, out)
    print(f"JupyterLab opens on {folder}")
    command = [sys.executable, "-m", "jupyter", "lab", str(folder)]
    os.execve(sys.executable, command, offer_warm_kernel(os.environ))


def _finish(manifest: Manifest, out: Path, code: int) -> str:
    """Start what a manifest wants started; empty unless that went wrong."""
    if not manifest.on_finish:
        return ""
    from cxlib.running.hook import run_hook

    failure = run_hook(manifest.find_command(), out, folder=manifest.folder, code=code)
    return f"note: {failure}" if failure else ""


def _given(parameters: list[str]) -> dict[str, str]:
    given = {}
    for text in parameters:
        name, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"'{text}' is no parameter.", "-p", "write -p name=value")
        given[name.strip()] = value
    return given


def _run_all(
    plans: Sequence[Plan | TooFew],
    out: Path,
    title: str,
    *,
    workers: int,
    on_finish: Callable[[int], str] = lambda code: "",
    **how: Any,
) -> int:
    from cxlib.running.batch import run_batch
    from cxlib.running.progress import Telling, shorten
    from cxlib.running.runs import exit_code
    from cxlib.running.workers import count_cores, fit_workers

    started = time.monotonic()
    workers, note = fit_workers(workers or count_cores())
    if note:
        print(f"note: {note}")
    held = ""
    with Telling(len(plans), how.get("url", "")) as telling:
        try:
            runs = run_batch(
                plans,
                out.resolve(),
                title=title,
                told=telling.tell,
                progress=telling.advance,
                workers=workers,
                **how,
            )
            code = exit_code(runs)
        except HeldBack as error:
            code, held = 1, f"cx: {error}"
        except KeyboardInterrupt:
            n = sum(telling.ended.values())
            print(f"stopped: {n} of {len(plans)} runs have ended; --resume goes on with the others")
            raise
    seconds = time.monotonic() - started
    place = how.get("url") or shorten(out.resolve())
    runs_made = f"{len(plans)} run{'s' if len(plans) != 1 else ''}"
    print(f"{runs_made} in {seconds:.0f} s: {place}/index.html", flush=True)
    for note in filter(None, [held, on_finish(code)]):
        print(note, file=sys.stderr)
    return code
