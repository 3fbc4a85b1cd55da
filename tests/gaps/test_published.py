"""Printed tables are held against their own numbers."""

from __future__ import annotations

import pandas as pd
import pytest

from cxlib.errors import InputError
from cxlib.gaps.published import check_published, describe_published

# Hospital SERVQUAL dimensions as printed in PMC6131925, table 2 (n = 386)
PRINTED = pd.DataFrame(
    [
        ("Tangible", "4.44", "4.19", "-.25", "-.30", "-.19", "-9.14"),
        ("Reliable", "4.49", "4.36", "-.13", "-.18", "-.08", "-4.93"),
        ("Responsiveness", "4.48", "4.35", "-.13", "-.18", "-.07", "-4.87"),
        ("Assurance", "4.50", "4.32", "-.18", "-.23", "-.13", "-4.87"),
        ("Empathy", "4.56", "4.40", "-.16", "-.20", "-.10", "-5.65"),
    ],
    columns=[
        *("name", "expectation", "perception", "gap"),
        *("conf_low", "conf_high", "statistic"),
    ],
).assign(n="386")


def test_the_misprinted_t_is_found_and_nothing_else():
    """The t of Assurance is a copy of the row above; its interval implies about -7."""
    checks = check_published(PRINTED)
    assert len(checks) == 15
    wrong = checks[~checks["agrees"]]
    assert wrong[["name", "check", "note"]].to_numpy().tolist() == [
        ["Assurance", "t = gap / standard error", "equals the row above"]
    ]
    row = wrong.iloc[0]
    assert row["implied_low"] < -7.1 < row["implied_high"] < -6
    assert "1 of 15 checks disagree. Assurance" in describe_published(checks)


def test_published_gaps_and_zones_agree_within_rounding():
    """Zarei et al. 2012, table 2, and LibQUAL+: gaps within a rounding of their means."""
    zarei = pd.DataFrame(
        {
            "name": ["1", "11", "13", "20", "Reliability", "Empathy", "Tangibles"],
            "perception": [4.04, 4.39, 3.34, 3.96, 4.05, 3.89, 4.18],
            "expectation": [4.94, 4.96, 4.87, 4.95, 4.93, 4.87, 4.95],
            "gap": [-0.89, -0.57, -1.52, -0.99, -0.88, -0.98, -0.76],
        }
    )
    assert check_published(zarei)["agrees"].all()
    assert describe_published(check_published(zarei)) == "All 7 checks agree within rounding."
    libqual = pd.DataFrame(
        {"name": ["AS-7"], "expectation": [6.60], "perception": [7.28], "gap": [0.69]}
    )
    assert check_published(libqual)["agrees"].all()
    assert not check_published(libqual.assign(gap=0.71))["agrees"].all()


def test_effect_size_and_p_value_follow_from_t():
    """With n = 16 and t = 2, d_z is 0.5 and p 0.064."""
    good = {"name": "a", "statistic": "2.00", "n": "16", "effect_size": "0.50", "p_value": ".064"}
    assert check_published(pd.DataFrame([good]))["agrees"].all()
    bad = pd.DataFrame([good | {"effect_size": "0.60", "p_value": "0.03"}])
    assert not check_published(bad)["agrees"].any()


def test_what_cannot_be_checked_is_refused():
    """Words, and tables with one number a row."""
    with pytest.raises(InputError, match=r"'-9.14\*\*' is no number[\s\S]*row 'Tangible'"):
        check_published(PRINTED.replace({"-9.14": "-9.14**"}))
    with pytest.raises(InputError, match="Nothing can be checked"):
        check_published(PRINTED[["name", "gap"]])
