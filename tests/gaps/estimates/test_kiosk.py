"""The real study of 194 kiosk users: published and recomputed numbers (SOURCE.md)."""

from __future__ import annotations

import numpy as np
import pytest

from cxlib.gaps.estimates.gaps import summarise_gaps
from cxlib.gaps.estimates.rankings import summarise_rankings
from cxlib.gaps.estimates.trust import summarise_trust
from tests.gaps.kiosk import read_kiosk


@pytest.fixture(scope="module")
def kiosk(shared_data):
    """Ratings of the clean file."""
    return read_kiosk(shared_data)


@pytest.fixture(scope="module")
def gaps(kiosk):
    """Gaps of every level."""
    return summarise_gaps(kiosk).set_index(["level", "name"])


def test_total(gaps):
    """E, P, gap, t and d_z of the 24 items."""
    total = gaps.loc[("total", "total")]
    assert total["n"] == 194
    assert total["expectation"] == pytest.approx(5.9981, abs=5e-5)
    assert total["perception"] == pytest.approx(4.8387, abs=5e-5)
    assert total["gap"] == pytest.approx(-1.1594, abs=5e-5)
    assert total["gap"] / total["std_error"] == pytest.approx(-19.61, abs=5e-3)
    assert total["effect_size"] == pytest.approx(-1.408, abs=5e-4)
    assert total["reliability"] == pytest.approx(0.8870, abs=5e-5)
    assert total["n_tests"] == 31


def test_dimensions(gaps):
    """Six dimensions of 20 items; tangible is as expected, in every view."""
    assert gaps.loc["dimension", "gap"].to_dict() == pytest.approx(
        {
            "tangible": 0.003,
            "reliability": -0.668,
            "economy": -1.278,
            "control": -1.461,
            "convenience": -1.556,
            "security": -1.809,
        },
        abs=5e-4,
    )
    assert gaps.loc[("dimension", "security"), "p_lowest"] > 0.9
    assert gaps.loc[("dimension", "tangible"), "q_value"] > 0.9


def test_trust(kiosk):
    """Alphas of both sides, and what their correlation leaves of the gap's reliability."""
    trust = summarise_trust(kiosk).set_index(["level", "name"])
    total = trust.loc[("total", "total")]
    sides = total[["alpha_expectation", "alpha_perception", "alpha_gap"]].astype(float)
    assert list(sides) == pytest.approx([0.8255, 0.8912, 0.8870], abs=5e-5)
    e = kiosk.values["expectation"].mean(axis=1)
    p = kiosk.values["perception"].mean(axis=1)
    assert total["correlation"] == pytest.approx(np.corrcoef(e, p)[0, 1])
    assert total["correlation_low"] < total["correlation"] < total["correlation_high"]
    covariance = np.cov(e, p)
    share = (covariance[0, 0] - covariance[0, 1]) / np.var(p - e, ddof=1)
    assert total["expectation_share"] == pytest.approx(share)
    assert trust.loc["item", "alpha_gap"].isna().all()


def test_gap_ranking_is_not_the_perception_ranking(kiosk):
    """Expectations differ more between items than perceptions do."""
    items = summarise_rankings(kiosk).set_index("level").loc["item"]
    assert items["n_names"] == 24
    assert items["expectation_share"] > 0.9
    assert items["p_same"] == 0
