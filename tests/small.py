"""A small workbook and a notebook that can end in every way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat

from cxlib.planning.plans import Plan, plan_run

PARAMETERS = """workbook = "samples"  # a cx.yml
segment_by = ""
segment = ""
period_start = ""
min_cell = 10
number = 0  # tells runs apart
mode = "ok"  # what happens
log = ""  # a file that gets a line a run
"""
BODY = """import os, resource, subprocess, time
if log:
    with open(log, "a") as file:
        file.write(f"{number}\\n")
"""
MODES = """if mode == "exit":
    os._exit(3)
if mode == "sleep":
    time.sleep(60)
if mode == "wait":
    time.sleep(0.3)
if mode == "child":
    subprocess.Popen(["sleep", "61.5"])
    time.sleep(60)
if mode == "orphan":
    subprocess.Popen(["sleep", "61.5"])
    os._exit(3)
if mode == "error":
    {}["secret value"]
if mode == "memory":
    resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
    held = bytearray(2**33)
if mode == "killed":
    os.kill(os.getpid(), 9)
if mode == "runner":
    os.kill(os.getppid(), 9)
    time.sleep(60)
if mode == "mail":
    print("ann@example.org")
if mode == "quit":
    raise SystemExit(0)
if mode == "full":
    raise OSError(28, "No space left on device")
"""


def make_place(folder: Path) -> Path:
    """Write the workbook and the notebook ``tiny``, which needs nothing but Python."""
    return write_place(folder, "tiny", PARAMETERS, BODY, MODES)


def write_place(folder: Path, name: str, parameters: str, body: str, modes: str) -> Path:
    """Write a workbook of one table and a notebook of three cells, by its name."""
    rows = "".join(f"{i},2024-01-01,a\n" for i in range(30))
    (folder / "e.csv").write_text(f"customer_id,timestamp,touchpoint\n{rows}2,x,b\n")
    (folder / "cx.yml").write_text(
        "name: Small\nas_of: 2024-12-31\ntables:\n  events:\n    source: e.csv\n"
    )
    v4 = nbformat.v4
    notebook = v4.new_notebook(
        cells=[
            v4.new_markdown_cell(f"# A {name} page\n\nWhat is it?"),
            v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}),
            v4.new_markdown_cell("## The answer"),
            v4.new_code_cell(body),
            v4.new_code_cell(modes),
            v4.new_code_cell("print('last')"),
        ],
        metadata={"cx": {"tables": ["events"]}},
    )
    nbformat.write(notebook, folder / f"{name}.ipynb")
    return folder


def plan_tiny(place: Path, out: Path, timeout: float = 60.0, **given: Any) -> Plan:
    """Plan a run of the notebook ``tiny``."""
    return plan_run(
        str(place / "tiny.ipynb"), workbook=str(place), given=given, out=out, timeout=timeout
    )


def write_manifest(place: Path, *sets: str, name: str = "m.yml") -> Path:
    """Write a manifest of runs of ``tiny``; a set is YAML such as ``number: 1``."""
    runs = "".join(f"  - {{notebook: tiny.ipynb, parameters: {{{text}}}}}\n" for text in sets)
    path = place / name
    path.write_text(f"title: Tiny\nworkbook: cx.yml\nruns:\n{runs}")
    return path
