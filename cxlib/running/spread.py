"""Runs on the workers of a Dask cluster, which write to a shared folder or to a URL."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from cxlib.errors import InputError, RunError
from cxlib.folders import SCRATCH
from cxlib.installation import hash_installation
from cxlib.planning.plans import Plan
from cxlib.running.records import describe_not_run
from cxlib.running.runs import execute_run, stop_runs
from cxlib.sharing.share import FOLDER

ATTEMPTS = 2
CONNECT_SECONDS, LOST_SECONDS = 20.0, 60.0
_ENDED = {"finished", "error", "cancelled", "lost"}


def run_on_cluster(
    plans: Sequence[Plan],
    address: str,
    batch: str,
    reasons: Mapping[str, str],
    url: str = "",
) -> Generator[tuple[Plan, dict[str, Any]]]:
    """Execute plans on the workers of a cluster.

    Parameters
    ----------
    plans : sequence of Plan
        What to run. The workers find notebook, workbook and exports where this machine does.
    address : str
        Of the scheduler, such as ``"tcp://10.0.0.1:8786"``.
    batch : str
        The batch, as :class:`Batch` names it.
    reasons : mapping of str to str
        Why each is made, by the name of its folder.
    url : str, default ""
        Where the workers put what they made; by default the folder of the plans, which must be
        shared.

    Yields
    ------
    tuple of Plan and dict
        Each as it ends. A run whose worker is lost is made once more by another, then not-run.

    Raises
    ------
    InputError
        When there is no such cluster.
    """
    if not plans:
        return
    client = _connect(address)
    waiting = {
        client.submit(
            run_on_worker, plan, batch, reasons[plan.folder.name], hash_installation(), url,
            key=f"cx-{batch}-{plan.folder.name}", pure=False,
        ): plan
        for plan in plans
    }  # fmt: skip
    try:
        seen = time.monotonic()
        while waiting and time.monotonic() - seen < LOST_SECONDS:
            for future in [future for future in waiting if future.status in _ENDED]:
                plan = waiting.pop(future)
                yield plan, _take(future, plan, url)
            if client.status == "running" and client.scheduler_info(n_workers=1)["workers"]:
                seen = time.monotonic()
            time.sleep(0.2)
        for plan in waiting.values():
            error = RunError(f"The cluster had no worker for {LOST_SECONDS:g} seconds.")
            yield plan, {**describe_not_run(plan, error), "folder": ""}
    finally:
        _leave(client, list(waiting), batch)


def run_on_worker(
    plan: Plan, batch: str, reason: str, installation: Mapping[str, str], url: str
) -> dict[str, Any]:
    """Make a run on a worker.

    Parameters
    ----------
    plan : Plan
        What to run.
    batch, reason : str
        The batch, and why it is made.
    installation : mapping of str to str
        :func:`hash_installation` of the machine that planned it.
    url : str
        Where to put it; empty for the plan's own folder.

    Returns
    -------
    dict
        The content of ``run.json``.

    Raises
    ------
    RunError
        When this worker cannot make the run.
    """
    from distributed import get_client, get_worker

    name, here = plan.folder.name, get_worker().address
    client, place = get_client(), ["cx", batch, name]
    attempt = client.get_metadata(place, 0) + 1
    client.set_metadata(place, attempt)
    if attempt > ATTEMPTS:
        raise RunError(f"{ATTEMPTS} workers were lost while they made this run.")
    if hash_installation() != installation:
        raise RunError(f"The worker {here} has another cxlib or other libraries.")
    try:
        if not url:
            if not (plan.folder.parent / SCRATCH / "batch.json").exists():
                raise RunError(f"The worker {here} does not see {plan.folder.parent}.")
            return execute_run(plan, batch=batch, reason=reason, warm=True)
        with tempfile.TemporaryDirectory(prefix="cx-") as made:
            folder = Path(made) / name
            run = execute_run(replace(plan, folder=folder), batch=batch, reason=reason, warm=True)
            send_run(folder, f"{url}/{name}")
            return run
    except KeyboardInterrupt:
        raise RunError("The batch was stopped.") from None


def _connect(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        fix = "pip install 'cxlib[dask]'"
        raise InputError("Dask is not installed.", f"--dask {address}", fix) from error
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        problem = f"No Dask scheduler answers: {error}."
        raise InputError(problem, f"--dask {address}", "check the address") from error
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
    except TimeoutError:
        client.close()
        problem = "The cluster has no workers."
        raise InputError(problem, f"--dask {address}", "start workers, then try again") from None
    return client


def _take(future: Any, plan: Plan, url: str) -> dict[str, Any]:
    """Fetch a record; whatever kept a run from being made is told."""
    name = plan.folder.name
    try:
        run: dict[str, Any] = future.result(timeout=CONNECT_SECONDS)
        if url:
            fetch(f"{url}/{name}", plan.folder)
    except Exception as error:
        return {**describe_not_run(plan, error), "folder": ""}
    return {**run, "folder": name}


def _leave(client: Any, unfinished: list[Any], batch: str) -> None:
    """End what still runs, without waiting for workers that do not answer."""

    def stop() -> None:
        """Tell the scheduler, then the workers."""
        client.cancel(unfinished)
        client.run(stop_runs, batch)

    if unfinished and client.status == "running":
        thread = threading.Thread(target=stop, daemon=True)
        thread.start()
        thread.join(CONNECT_SECONDS)
    client.close(timeout=CONNECT_SECONDS)


@contextmanager
def mirror(url: str) -> Iterator[Path]:
    """Work on a URL as if it were a folder.

    Parameters
    ----------
    url : str
        Such as ``"s3://bucket/reports"``; any file system of fsspec.

    Yields
    ------
    pathlib.Path
        A folder that holds what is there. At the end all that is no run is written back.
    """
    with tempfile.TemporaryDirectory(prefix="cx-") as made:
        folder = Path(made).resolve()
        fetch(url, folder)
        try:
            yield folder
        finally:
            files, root = _open(url)
            for path in sorted(folder.rglob("*")):
                top = folder / path.relative_to(folder).parts[0]
                if path.is_file() and path.name != "lock" and not (top / "run.json").exists():
                    _put(files, path, f"{root}/{path.relative_to(folder).as_posix()}")
            for name in (FOLDER, SCRATCH):  # nothing is handed round that is held back by now
                for there in files.find(f"{root}/{name}"):
                    if not (folder / there.removeprefix(f"{root}/")).exists():
                        files.rm(there)


def fetch(url: str, folder: Path) -> None:
    """Copy a folder from a URL.

    Parameters
    ----------
    url : str
        Where it is; nothing is copied when nothing is there.
    folder : pathlib.Path
        Where it goes.
    """
    files, root = _open(url)
    if files.exists(root):
        folder.mkdir(parents=True, exist_ok=True)
        files.get(f"{root}/", f"{folder}/", recursive=True)


def send_run(folder: Path, url: str) -> None:
    """Copy the folder of a run to a URL; there it counts from the moment it has a record.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of a run.
    url : str
        Where it goes. Files of an earlier run are removed.
    """
    files, root = _open(url)
    record = f"{root}/run.json"
    if files.exists(record):
        files.rm(record)
    wanted = {f"{root}/{path.relative_to(folder).as_posix()}": path for path in folder.rglob("*")}
    for place, path in wanted.items():
        if path.is_file() and place != record:
            _put(files, path, place)
    for place in files.find(root):
        if place not in wanted:
            files.rm(place)
    _put(files, folder / "run.json", record)


def _open(url: str) -> tuple[Any, str]:
    from fsspec.core import url_to_fs

    files, root = url_to_fs(url)
    return files, root.rstrip("/")


def _put(files: Any, path: Path, place: str) -> None:
    """Write a file under another name first: on some file systems it grows before one's eyes."""
    files.makedirs(place.rpartition("/")[0], exist_ok=True)
    files.put_file(str(path), f"{place}.part")
    files.mv(f"{place}.part", place)
