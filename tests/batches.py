"""Run records as a batch keeps them, for tests of what is made of them."""

from __future__ import annotations

PARAMETERS = {
    "workbook": "samples",
    "segment_by": "",
    "segment": "",
    "period_start": "",
    "period_end": "",
    "conf_level": 0.95,
    "random_state": 0,
    "min_cell": 10,
}


def make_figure(value=31.0, low=25.0, high=37.0, **about):
    """Make a key figure."""
    figure = {"id": "nps", "label": "NPS", "value": value, "conf_low": low, "conf_high": high}
    return {**figure, "n": 412, "unit": "points"} | about


def make_run(name="Cork", *figures, status="ok", parameters=None, **about):
    """Make a run record of a segment."""
    failed = status not in {"ok", "ok-with-warnings", "skipped-unchanged"}
    error = {"class": "KeyError", "message": f"Only 7 in {name}.", "cell": 1} if failed else None
    run = {
        "status": status,
        "notebook": "scores",
        "title": "Scores",
        "set_name": f"Scores: region {name}",
        "parameters": {**PARAMETERS, "segment_by": "region", "segment": name, **(parameters or {})},
        "started_at": "2026-05-03T08:00:00+00:00",
        "seconds": 1.0,
        "headline": "" if failed else f"{name} is content.",
        "key_figures": list(figures),
        "tables": ["scores"],
        "inputs": [],
        "uses": ["answers"],
        "refusals": [],
        "warnings": [],
        "versions": {"cxlib": "0"},
        "error": error,
        "reason": "new",
        "folder": f"scores__segment-{name.replace(' ', '-')}",
    }
    return run | about


def make_batch(*runs, title="May"):
    """Make the content of a ``batch.json``."""
    return {"title": title, "started_at": "2026-05-03T08:00:00+00:00", "runs": list(runs)}
