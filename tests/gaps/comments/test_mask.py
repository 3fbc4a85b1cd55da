"""Personal data are masked before anything else reads a comment."""

from __future__ import annotations

import time

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxlib.gaps.comments.mask import mask_personal


def mask(text: str) -> str:
    """Mask one comment."""
    return mask_personal(pd.Series([text]))[0].iloc[0]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Write to a.b+c@example.com now", "Write to [e-mail] now"),
        ("me (at) example.com", "[e-mail]"),
        ("Call 020 915 0142", "Call [phone]"),
        ("ring +353 20 915 0188 after six", "ring [phone] after six"),
        ("number (020) 915-0117.", "number [phone]."),
        ("01.23.45.67.89", "[phone]"),
        ("0171/1234567", "[phone]"),
        ("My account number is C002421", "My account number is [account]"),
        ("see account 0011134, thanks", "see account [account], thanks"),
        ("Ref C002421", "Ref [account]"),
        ("Kundennummer 4711-22", "Kundennummer [account]"),
        ("it is 88213004", "it is [account]"),
        ("to IE29 AIBK 9311 5212 3456 78", "to [IBAN]"),
        ("gb33bukb20201555555555", "[IBAN]"),
        ("4111 1111 1111 1111 was charged", "[card] was charged"),
        ("see https://example.com/b?customer=8&t=aZ", "see [link]"),
        ("www.example.com/ticket/55120013", "[link]"),
    ],
)
def test_personal_data_are_masked(text, masked):
    """Each in the way people write it."""
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "open 24/7, nobody answers",
        "on 12/05/2025, 2025-05-12 and 30.10.2024 10:30",
        "12.05.2025 - 30.05.2025",
        "paid 1,200.50, then 12.99 and 8,50 euro, 1 000 000 in all",
        "49.99€/month since 01/2025, 2019-2024",
        "1000/1000 Mbit, 100/20, 50% 100% 200%",
        "45 minutes, 20 calls in 2024, order 2 of 3, 10/10",
        "we20 call them back soon",
        "www.example.com is slow",
        "at 10:30-12:00",
    ],
)
def test_prices_dates_and_speeds_stay(text):
    """What is no personal detail is not torn out."""
    assert mask(text) == text


def test_pieces_and_comments_are_counted():
    """Two addresses in one comment are two pieces in one comment."""
    texts = pd.Series(["a@example.com b@example.com", "020 915 0142", "fine"], index=[7, 8, 9])
    masked, counts = mask_personal(texts)
    assert masked.tolist() == ["[e-mail] [e-mail]", "[phone]", "fine"]
    assert masked.index.tolist() == [7, 8, 9]
    counts = counts.set_index("kind")
    assert counts.loc["e-mail"].tolist() == [2, 1]
    assert counts.loc["phone"].tolist() == [1, 1]
    assert counts["n"].sum() == 3


@given(st.text(max_size=80))
def test_masking_again_changes_nothing(text):
    """What was masked holds nothing to mask."""
    once = mask(text)
    assert mask(once) == once


@pytest.mark.parametrize(
    "part", ["1 ", "a@", "account ", "IE29 abcd ", "1.2,", "order no ", "www.", "(", "-.+"]
)
def test_long_nonsense_takes_no_time(part):
    """A hostile comment of 200,000 letters is read once."""
    started = time.perf_counter()
    mask(part * (200_000 // len(part)))
    assert time.perf_counter() - started < 2
