"""Many runs: what need not be made is left alone, what is made is listed, nothing is lost."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cxlib.errors import HeldBack, InputError, RunError
from cxlib.files import whole_file
from cxlib.folders import SCRATCH, clear_leftovers, lock_folder
from cxlib.planning.outputs import check_outputs, read_batch
from cxlib.planning.plans import Plan, TooFew, Wanted
from cxlib.running.keys import ANSWERED, explain_change, explain_run, hash_run, is_whole, read_run
from cxlib.running.records import describe_not_run, describe_too_few
from cxlib.running.runs import execute_run, stop_runs
from cxlib.sharing.salts import read_salt

Told = Callable[[Wanted, dict[str, Any]], None]
Progress = Callable[[Plan, int, int], None]
Keys = Mapping[str, Mapping[str, str]]
UNCHANGED = "skipped-unchanged"


@dataclass(frozen=True)
class Batch:
    """A batch as it is written down when it starts, in case it is interrupted.

    Parameters
    ----------
    title : str
        Heading of the index.
    started_at : str
        When it began; its name, too.
    fresh : bool
        Whether all runs are made, unchanged or not.
    keys : mapping of str to mapping
        What each run depends on, by the name of its folder.
    """

    title: str
    started_at: str
    fresh: bool
    keys: Keys = field(repr=False)


def run_batch(
    plans: Sequence[Plan | TooFew],
    out: Path,
    *,
    title: str,
    told: Told,
    progress: Progress = lambda plan, done, total: None,
    workers: int = 1,
    cluster: str = "",
    url: str = "",
    compare_to: Path | None = None,
    resume: bool = False,
    fresh: bool = False,
) -> list[dict[str, Any]]:
    """Make the runs that are not there unchanged, and write the index page.

    Parameters
    ----------
    plans : sequence of Plan or TooFew
        Checked runs; of those with too few rows a record is all that is made.
    out : pathlib.Path
        Folder of all runs; ``index.html`` and ``batch.json`` are written there.
    title : str
        Heading of the index.
    told : callable
        Called with each plan and its record as it ends.
    progress : callable, optional
        Called with a plan, cells done and cells in all.
    workers : int, default 1
        Kernels at a time.
    cluster : str, default ""
        Address of a Dask scheduler whose workers make the runs instead.
    url : str, default ""
        Where the workers of the cluster put what they made; ``out`` is a copy of it.
    compare_to : pathlib.Path, optional
        Folder of an earlier batch, for the index.
    resume : bool, default False
        Finish the batch that was interrupted here: what has ended stays, failed runs too.
    fresh : bool, default False
        Make all runs, unchanged or not.

    Returns
    -------
    list of dict
        Run records in the order of the plans, each with ``folder`` (empty when the run left
        none). One that was not made again has the status ``skipped-unchanged``, and
        ``kept_status``, which is the status its folder tells.

    Raises
    ------
    InputError
        When another batch is running in the folder, or there is none to be resumed or to be
        compared with.
    RunError
        When the folder cannot be written, or a page must not be handed round.
    """
    check_outputs(out)
    previous = read_batch(compare_to) if compare_to else None
    for book in {plan.book.file: plan.book for plan in plans}.values():
        read_salt(book)  # sharing asks for it when all has been run
    known = [plan for plan in plans if not isinstance(plan, TooFew)]
    try:
        with lock_folder(out):
            clear_leftovers(out)
            keys = {plan.folder.name: hash_run(plan) for plan in known}
            batch = _resume(out, keys) if resume else Batch(title, _now(), fresh, keys)
            _save(_journal(out), asdict(batch))
            reasons = {plan.folder.name: _find_reason(plan, batch, resume) for plan in known}
            runs = {}
            for plan in plans:
                if not reasons.get(plan.folder.name):
                    runs[plan.folder.name] = _stay(plan)
                    told(plan, runs[plan.folder.name])
            todo = [plan for plan in known if reasons[plan.folder.name]]
            if cluster:
                from cxlib.running.spread import run_on_cluster

                ended = run_on_cluster(todo, cluster, batch.started_at, reasons, url)
            else:
                ended = _run_here(todo, batch.started_at, reasons, workers, progress)
            with closing(ended):
                for plan, run in ended:
                    runs[plan.folder.name] = run
                    told(plan, run)
            clear_leftovers(out)  # of workers that were killed
            listed = [runs[plan.folder.name] for plan in plans]
            _publish(out, batch, listed, previous)
    except OSError as error:
        raise RunError(f"The batch could not be written to {out}: {error}") from error
    return listed


def explain_plan(plan: Plan, *, fresh: bool = False) -> str:
    """Say why a batch would make a run.

    Parameters
    ----------
    plan : Plan
        The run.
    fresh : bool, default False
        Whether all runs are made.

    Returns
    -------
    str
        Such as ``"new"``; ``"skipped-unchanged"`` when it would not be made.
    """
    reason = explain_run(plan, hash_run(plan), read_run(plan.folder))
    return reason or ("asked for" if fresh else UNCHANGED)


def _resume(out: Path, keys: Keys) -> Batch:
    """Read what was interrupted; what is finished now must be what was begun."""
    where, fix = str(out), "leave out --resume: what is unchanged is skipped all the same"
    try:
        batch = Batch(**json.loads(_journal(out).read_text("utf-8")))
    except FileNotFoundError:
        raise InputError("No batch was interrupted here.", where, fix) from None
    for name in {**batch.keys, **keys}:
        if name not in keys or name not in batch.keys:
            problem = f"The interrupted batch had {'no' if name in keys else 'a'} run '{name}'."
            raise InputError(problem, where, fix)
        if changed := explain_change(batch.keys[name], keys[name]):
            problem = f"Since the batch was begun: {changed} (run '{name}')."
            raise InputError(problem, where, fix)
    return batch


def _find_reason(plan: Plan, batch: Batch, resume: bool) -> str:
    """Say why a run is to be made; empty when the one in its folder stays."""
    key, earlier = batch.keys[plan.folder.name], read_run(plan.folder)
    reason = explain_run(plan, key, earlier)
    if resume and earlier and (earlier["batch"], earlier["key"]) == (batch.started_at, key):
        return "" if is_whole(plan.folder, earlier) else reason
    return reason or ("asked for" if batch.fresh else "")


def _stay(plan: Plan | TooFew) -> dict[str, Any]:
    if isinstance(plan, TooFew):
        return {**describe_too_few(plan), "folder": ""}
    run = read_run(plan.folder)
    assert run is not None
    status = UNCHANGED if run["status"] in ANSWERED else run["status"]
    return {**run, "status": status, "kept_status": run["status"], "folder": plan.folder.name}


def _run_here(
    plans: Sequence[Plan],
    batch: str,
    reasons: Mapping[str, str],
    workers: int,
    progress: Progress,
) -> Generator[tuple[Plan, dict[str, Any]]]:
    if not plans:
        return
    from cxlib.running.warm import warm_kernels
    from cxlib.running.workers import run_side_by_side

    def execute(plan: Plan) -> dict[str, Any]:
        """Make a run; whatever stands in its way is told, and the others go on."""
        try:
            run = execute_run(
                plan,
                lambda done, total: progress(plan, done, total),
                batch=batch,
                reason=reasons[plan.folder.name],
                warm=len(plans) > 1,
            )
        except Exception as error:
            return {**describe_not_run(plan, error), "folder": ""}
        return {**run, "folder": plan.folder.name}

    with warm_kernels(len(plans) > 1):
        yield from run_side_by_side(plans, execute, lambda: stop_runs(batch), workers=workers)


def _publish(
    out: Path, batch: Batch, runs: list[dict[str, Any]], previous: Mapping[str, Any] | None
) -> None:
    from cxlib.publishing.index import write_index
    from cxlib.sharing.share import share_batch

    record = {"title": batch.title, "started_at": batch.started_at, "runs": runs}
    for run in runs:
        run["held_back"] = ""
    write_index(record, out, previous=previous)
    _save(out / "batch.json", record)
    try:
        share_batch(record, out)
    except HeldBack as held:  # the batch has ended all the same
        for number, why in held.found.items():
            runs[number]["held_back"] = why
        write_index(record, out, previous=previous)
        _save(out / "batch.json", record)
        _journal(out).unlink()
        raise
    _journal(out).unlink()


def _journal(out: Path) -> Path:
    return out / SCRATCH / "batch.json"


def _save(path: Path, content: Mapping[str, Any]) -> None:
    with whole_file(path) as part:
        part.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat()
