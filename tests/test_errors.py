"""Tests of the messages users read."""

from __future__ import annotations

import pytest

from cxlib.errors import InputError, closest


def test_input_error_has_three_parts():
    """The text says what is wrong, where, and how to fix it, a line each."""
    error = InputError("Column 'a' is missing.", "x.csv", "rename 'A'")

    assert str(error) == "Column 'a' is missing.\n  where: x.csv\n  fix:   rename 'A'"


def test_joined_errors_are_blocks():
    """Several violations make several blocks; one stays itself."""
    one, two = InputError("One.", "a"), InputError("Two.", "b", "c")

    assert InputError.join([one]) is one
    assert str(InputError.join([one, two])) == "One.\n  where: a\nTwo.\n  where: b\n  fix:   c"


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("custmer_id", ["touchpoint", "customer_id"], "did you mean 'customer_id'?"),
        ("CustomerID", ["customer_id"], "did you mean 'customer_id'?"),
        ("desk", ["Internet", "Desk"], "did you mean 'Desk'?"),
        ("zzz", ["a", "b"], "choose one of 'a', 'b'"),
        ("zzz", [], "there are none"),
    ],
)
def test_closest_suggests_or_lists(name, options, expected):
    """The closest spelling is suggested, case and underscores aside; else the options."""
    assert closest(name, options) == expected
