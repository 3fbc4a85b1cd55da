"""The comparison of committed outputs can fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat

NOTEBOOK = Path(__file__).resolve().parent.parent / "notebooks" / "data_check.ipynb"


def test_a_changed_key_figure_fails(tmp_path):
    """One digit of a committed key figure is enough, and nothing else fails."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    cell = next(c for c in notebook.cells if "nbval-check-output" in c.metadata.get("tags", []))
    shown = cell.outputs[0].data
    for kind, text in shown.items():
        assert "6,098" in text
        shown[kind] = text.replace("6,098", "6,099")
    nbformat.write(notebook, tmp_path / "changed.ipynb")

    options = ["--nbval-lax", "--nbval-current-env", "-q", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *options, "changed.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "1 failed" in done.stdout
    assert "6,099" in done.stdout
