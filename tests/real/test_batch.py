"""A batch on real data: one report a channel, as the README shows."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from cxlib.planning.manifest import plan_batch, read_manifest
from cxlib.planning.plans import TooFew
from tests.real.test_real import write_workbook

HERE = Path(__file__).parent
EVENTS = {"Desk": 657, "Intern": 6, "Internet": 7478, "Post": 308, "e-mail": 128}


def test_permits_by_channel(shared_data, tmp_path):
    """Four channels get a report; the one permit asked for inside the house is too little data."""
    write_workbook("permit", tmp_path, shared_data)
    manifest = shutil.copy(HERE / "permit_channels.yml", tmp_path)
    out = tmp_path / "out"
    planned = plan_batch(read_manifest(Path(manifest)), tmp_path, out)

    assert {plan.parameters["segment"]: plan.n for plan in planned} == EVENTS
    assert [plan.set_name for plan in planned if isinstance(plan, TooFew)] == [
        "Permits asked for by Intern"
    ]

    command = [sys.executable, "-m", "cxlib", "batch", manifest, "--workers", "2", "--out", out]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    runs = json.loads((out / "batch.json").read_text("utf-8"))["runs"]
    status = {run["parameters"]["segment"]: run["status"] for run in runs}

    assert done.returncode == 0, done.stdout + done.stderr
    assert status.pop("Intern") == "too-little-data"
    assert set(status) == set(EVENTS) - {"Intern"}
    assert set(status.values()) <= {"ok", "ok-with-warnings"}, done.stdout
    assert len(list(out.glob("*/report.html"))) == 4
