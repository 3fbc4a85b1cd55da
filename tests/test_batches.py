"""The manifests that ship run as README shows."""

from __future__ import annotations

import json
from pathlib import Path

from cxlib.cli import app

BATCHES = Path(__file__).resolve().parent.parent / "notebooks" / "batches"


def test_every_notebook_answers_for_one_segment(tmp_path):
    """A page about families alone: each notebook has an answer or a plain reason for none."""
    out = tmp_path / "out"
    given = ["batch", str(BATCHES / "samples.yml"), "--workers", "2", "--out", str(out)]
    code = app(given, standalone_mode=False)
    runs = json.loads((out / "batch.json").read_text("utf-8"))["runs"]

    ends = {run["set_name"]: (run["status"], run["error"]) for run in runs}
    assert code == 0, ends
    assert len(runs) == 11
    assert all(status.startswith("ok") for status, _ in ends.values()), ends
    assert (out / "share" / "index.html").is_file()
