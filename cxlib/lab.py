"""Copies of the notebooks for JupyterLab, set to the user's workbook."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from cxlib.errors import InputError
from cxlib.running.warm import is_possible
from cxlib.workbook import SAMPLES, read_workbook, shipped

_KERNELS = Path(__file__).parent / "jupyter"  # a data folder as Jupyter looks for them


def copy_notebooks(workbook: str, folder: Path) -> Path:
    """Copy the notebooks that are not there yet, with ``workbook`` as their default.

    Parameters
    ----------
    workbook : str
        Path of a ``cx.yml``, or ``"samples"``.
    folder : pathlib.Path
        Where the copies go.

    Returns
    -------
    pathlib.Path
        The folder.

    Raises
    ------
    InputError
        When the workbook or the folder cannot be used.
    """
    import nbformat

    book = read_workbook(workbook)
    location = SAMPLES if workbook == SAMPLES else str(book.file)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for source in sorted(shipped("notebooks").glob("*.ipynb")):
            target = folder / source.name
            if target.exists():
                continue
            notebook = nbformat.read(source, as_version=4)
            for cell in notebook.cells:
                if "parameters" in cell.metadata.get("tags", []):
                    default, given = f'workbook = "{SAMPLES}"', f"workbook = {location!r}"
                    cell.source = cell.source.replace(default, given)
            nbformat.write(notebook, target)
    except OSError as error:
        raise InputError(
            f"The notebooks cannot be copied: {error.strerror}.",
            str(folder),
            "choose another --out",
        ) from error
    return folder


def offer_warm_kernel(environment: Mapping[str, str]) -> dict[str, str]:
    """Let the JupyterLab that gets this environment list the kernel that starts warm.

    Parameters
    ----------
    environment : mapping of str to str
        Environment variables; nothing is written to the user's Jupyter folders.

    Returns
    -------
    dict of str to str
        The same, with the kernel's folder in ``JUPYTER_PATH`` where kernels can be forked.
    """
    if not is_possible():
        return dict(environment)
    places = [str(_KERNELS), *filter(None, [environment.get("JUPYTER_PATH")])]
    return {**environment, "JUPYTER_PATH": os.pathsep.join(places)}
