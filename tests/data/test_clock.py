"""Tests of dates and zones."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest

from cxlib.data.clock import end_of_day, parse_moments
from cxlib.errors import InputError


def parse(*text, **settings):
    """Parse stamps of one column."""
    return parse_moments(pd.Series(text, dtype=object), where="x.csv, column 't'", **settings)


def utc(text):
    """Return an instant."""
    return np.datetime64(text, "us")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-03-01", "2024-03-01"),
        ("20240301", "2024-03-01"),
        ("2024-03-01T10:00:00Z", "2024-03-01T10:00"),
        ("2024-03-01 10:00:00.250", "2024-03-01T10:00:00.250"),
        ("2024-03-01T10:00+02:00", "2024-03-01T08:00"),
        ("2024-03-01T10:00:00-0530", "2024-03-01T15:30"),
    ],
)
def test_iso_stamps_become_utc(text, expected):
    """Offsets are applied; a stamp without offset and zone is UTC."""
    assert parse(text).value[0] == utc(expected)


@pytest.mark.parametrize("text", ["2024-02-30", "2024-13-01", "soon", "2024-03", "1", "45352"])
def test_what_is_no_date_is_bad(text):
    """A year and a month, a serial number or the thirtieth of February are no dates."""
    assert parse("2024-01-01", text).bad.tolist() == [False, True]


def test_mixed_offsets_are_fine():
    """Each stamp says what it means."""
    moments = parse("2024-10-26T12:00:00+02:00", "2024-10-28T12:00:00+01:00")

    assert list(moments.value) == [utc("2024-10-26T10:00"), utc("2024-10-28T11:00")]


def test_mixed_naive_and_offset_stamps_are_refused():
    """Half of the stamps would have to be guessed."""
    with pytest.raises(InputError, match=r"1 stamps carry an offset .* and 1 do not"):
        parse("2024-10-26T12:00:00+02:00", "2024-10-28T12:00:00")


def test_day_and_month_are_never_guessed():
    """Other rows do not decide it, even when they could; the message shows both readings."""
    with pytest.raises(InputError) as error:
        parse("03/04/2024", "25/12/2024")

    assert '3 April 2024 with date_format "%d/%m/%Y"' in str(error.value)
    assert '4 March 2024 with date_format "%m/%d/%Y"' in str(error.value)


def test_declared_format_is_used():
    """With a format the reading is settled; what does not fit it is bad."""
    moments = parse("03/04/2024", "25/12/2024", "2024-01-01", date_format="%d/%m/%Y")

    assert list(moments.value[:2]) == [utc("2024-04-03"), utc("2024-12-25")]
    assert moments.bad.tolist() == [False, False, True]


def test_local_times_become_utc():
    """Dublin is an hour ahead of UTC in summer and equal in winter."""
    moments = parse("2024-07-01 12:00", "2024-12-01 12:00", timezone="Europe/Dublin")

    assert list(moments.value) == [utc("2024-07-01T11:00"), utc("2024-12-01T12:00")]


def test_clock_changes_are_named():
    """A local time that is skipped or repeated is not one instant."""
    moments = parse(
        "2024-03-31 01:30", "2024-10-27 01:30", "2024-10-27 03:30", timezone="Europe/Dublin"
    )

    assert moments.skipped.tolist() == [True, False, False]
    assert moments.doubled.tolist() == [False, True, False]
    assert np.isnat(moments.value).tolist() == [True, True, False]


def test_calendar_dates_are_not_shifted():
    """A day has no zone."""
    moments = parse("2024-07-01", "2024-07-02", timezone="America/New_York")

    assert list(moments.value) == [utc("2024-07-01"), utc("2024-07-02")]


def test_far_future_is_a_date():
    """Systems write 9999-12-31 for never; it is after any as_of, not unreadable."""
    assert parse("9999-12-31").value[0] > utc("2200-01-01")
    assert not parse("31.12.9999", date_format="%d.%m.%Y").bad[0]
    assert not parse("31.12.2999", date_format="%d.%m.%Y").bad[0]
    fraction = parse("01.02.2024 10:00:00.9999", date_format="%d.%m.%Y %H:%M:%S.%f")
    assert fraction.value[0] == utc("2024-02-01T10:00:00.9999")


@pytest.mark.parametrize("date_format", ["mixed", "%H:%M", "%Y-%m", "%-d.%m.%Y", "%d.%m.%Y %"])
def test_formats_that_would_guess_are_refused(date_format):
    """A format names year, month and day, in codes that can be read."""
    with pytest.raises(InputError, match=r"date_format '.*' (does not name|cannot be used)"):
        parse("03/04/2024", date_format=date_format)


def test_unknown_zone_is_refused():
    """The message says what a zone looks like."""
    for zone in ("Dublin", "Europe", "x" * 300):
        with pytest.raises(InputError, match=rf"'{zone}' is unknown[\s\S]*Europe/Dublin"):
            parse("2024-01-01 10:00", timezone=zone)


def test_end_of_day_is_local():
    """The last day ends at local midnight."""
    day = datetime.date(2024, 12, 31)

    assert end_of_day(day) == utc("2025-01-01")
    assert end_of_day(day, "America/New_York") == utc("2025-01-01T05:00")
