"""Intervals of scores and changes hold the truth as often as they say."""

from __future__ import annotations

import json

from benchmarks.gap_scores import simulate_nps_coverage


def test_intervals_hold_the_truth(capsys):
    """Sixty surveys: none of eight intervals misses more often than chance lets 95 % miss."""
    table = simulate_nps_coverage(60, random_state=1, n_invited=600)
    assert (table["coverage"] >= 0.85).all()
    assert table["coverage"].mean() >= 0.925
    assert len(table) == 8
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["name"] for line in lines] == table["name"].tolist()
