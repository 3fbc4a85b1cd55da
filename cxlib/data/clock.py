"""Dates and zones: instants become UTC, calendar dates stay as they are, nothing is guessed."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.data.words import codes_of, count_cells, encode, words_of
from cxlib.errors import InputError

_DATE = r"\d{4}-\d{2}-\d{2}|\d{8}"
_TIME = r"\d{2}(?::?\d{2}(?::?\d{2}(?:[.,]\d+)?)?)?"
_ZONE = r"\s?(?:Z|[+-]\d{2}(?::?\d{2})?)"
_ISO = rf"(?:{_DATE})(?:[T ]{_TIME}(?:{_ZONE})?)?"
_OFFSET = rf"[T ]{_TIME}{_ZONE}$"
_ORDER_UNKNOWN = r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4}|\d{2})(?:\D.*)?"
# beyond what a nanosecond clock holds: 9999-12-31 is how many systems write "never"
_YEAR_BEYOND = r"(?:226[2-9]|22[7-9]\d|2[3-9]\d\d|[3-9]\d{3})"
_FAR = rf"^{_YEAR_BEYOND}(?=-?\d\d-?\d\d)"
_FAR_SOMEWHERE = rf"(?<!:\d\d[.,])(?<!\d){_YEAR_BEYOND}(?!\d)"
_NAMED_OFFSET = r"(?:GMT|UTC)([+-])(\d{1,2})(?::?(\d{2}))?$"  # as Google Forms writes zones
_DAY_CODES = ("%d", "%j")
_MONTH_CODES = ("%m", "%b", "%B", "%j")


@dataclass(frozen=True)
class Moments:
    """Parsed stamps, shape (n,) each.

    Parameters
    ----------
    value : ndarray of datetime64[us]
        UTC instants and calendar dates (midnight); NaT where empty or refused.
    bad : ndarray of bool
        Not a date at all.
    skipped, doubled : ndarray of bool
        Local times that a clock change leaves out, or repeats.
    has_time : ndarray of bool
        Stamps with a time of day; the others are calendar dates.
    """

    value: NDArray[np.datetime64]
    bad: NDArray[np.bool_]
    skipped: NDArray[np.bool_]
    doubled: NDArray[np.bool_]
    has_time: NDArray[np.bool_]


def parse_moments(
    text: pd.Series, *, where: str, date_format: str | None = None, timezone: str | None = None
) -> Moments:
    """Parse a column of stamps.

    Parameters
    ----------
    text : pandas.Series of str or category
        Stamps; ``""`` is empty.
    where : str
        File, table and column, for messages.
    date_format : str, optional
        ``strptime`` format; ISO 8601 needs none. ``%z`` also reads zones such as ``GMT+1``.
    timezone : str, optional
        Zone of stamps without an offset, such as ``"Europe/Dublin"``. Without it they are UTC.

    Returns
    -------
    Moments
        Values and what was wrong with the others.

    Raises
    ------
    InputError
        When the order of day and month would have to be guessed, when some stamps carry an
        offset and others do not, or when the zone is unknown.

    Notes
    -----
    A stamp without a time of day is a calendar date: no zone shifts it. Each distinct stamp is
    parsed once.
    """
    column = text if isinstance(text.dtype, pd.CategoricalDtype) else encode(text)
    n = count_cells(column)
    used = np.flatnonzero(n)
    words = words_of(column)[used].reset_index(drop=True)
    moments = _parse(words, n[used], where, date_format, timezone)
    places = np.zeros(len(n), dtype=np.int64)
    places[used] = np.arange(len(used))
    rows = places[codes_of(column)]
    fields = (moments.value, moments.bad, moments.skipped, moments.doubled, moments.has_time)
    return Moments(*(field[rows] for field in fields))


def _parse(
    text: pd.Series,
    n: NDArray[np.int64],
    where: str,
    date_format: str | None,
    timezone: str | None,
) -> Moments:
    """Parse distinct stamps, each of which ``n`` cells hold."""
    filled = (text != "").to_numpy()
    if date_format is None:
        _refuse_guessing(text, n, where)
        readable = text.str.fullmatch(_ISO).to_numpy(dtype=bool)
        clean = text.where(readable, "").str.replace(_FAR, "2261", regex=True)
        clean = clean.str.replace(",", ".", regex=False)
        has_time = clean.str.contains(r"[T ]\d", regex=True).to_numpy(dtype=bool)
        offset = clean.str.contains(_OFFSET, regex=True).to_numpy(dtype=bool) & has_time
        _refuse_mix(text, n, has_time & ~offset, offset, where)
        utc = pd.to_datetime(clean, format="ISO8601", errors="coerce", utc=True)
    else:
        utc = _parse_format(text, date_format, where)
        has_time = np.full(len(text), any(code in date_format for code in ("%H", "%I")))
        offset = np.full(len(text), "%z" in date_format)
    bad = filled & utc.isna().to_numpy()
    value = utc.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    skipped = doubled = np.zeros(len(text), dtype=bool)
    local = has_time & ~offset & filled & ~bad
    if timezone is not None:
        zone = _zone(timezone, where)
        if local.any():
            value, skipped, doubled = _to_utc(value, local, zone)
    value[bad | ~filled | skipped | doubled] = np.datetime64("NaT")
    return Moments(value, bad, skipped, doubled, has_time & filled)


def end_of_day(
    day: datetime.date, timezone: str | None = None, *, where: str = ""
) -> np.datetime64:
    """Return the first instant after a day.

    Parameters
    ----------
    day : datetime.date
        The last day included.
    timezone : str, optional
        Zone whose day is meant; default UTC.
    where : str, default ""
        For the message about an unknown zone.

    Returns
    -------
    numpy.datetime64
        In UTC.
    """
    following = pd.Timestamp(day) + pd.Timedelta(days=1)
    if timezone is not None:
        following = following.tz_localize(_zone(timezone, where)).tz_convert("UTC")
        following = following.tz_localize(None)
    return following.to_datetime64().astype("datetime64[us]")


def _parse_format(text: pd.Series, date_format: str, where: str) -> pd.Series:
    """Parse by a declared format, which must leave nothing of the day to be guessed."""
    whole = (
        ("%Y" in date_format or "%y" in date_format)
        and any(code in date_format for code in _MONTH_CODES)
        and any(code in date_format for code in _DAY_CODES)
    )
    fix = 'write it like "%d.%m.%Y %H:%M"'
    if not whole:
        problem = f"The date_format '{date_format}' does not name year, month and day."
        raise InputError(problem, where, fix)
    near = text
    if "%Y" in date_format:
        near = text.str.replace(_FAR_SOMEWHERE, "2261", regex=True)
    if "%z" in date_format:
        near = near.str.replace(_NAMED_OFFSET, _write_offset, regex=True)
    try:
        return pd.to_datetime(near, format=date_format, errors="coerce", utc=True)
    except (ValueError, re.error) as error:
        problem = f"The date_format '{date_format}' cannot be used: {error}."
        raise InputError(problem, where, fix) from error


def _write_offset(found: re.Match[str]) -> str:
    return f"{found[1]}{int(found[2]):02d}{found[3] or '00'}"


def _zone(name: str, where: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(
            f"The timezone '{name}' is unknown.", where, "use an IANA name such as 'Europe/Dublin'"
        ) from error


def _to_utc(
    value: NDArray[np.datetime64], local: NDArray[np.bool_], zone: ZoneInfo
) -> tuple[NDArray[np.datetime64], NDArray[np.bool_], NDArray[np.bool_]]:
    stamps = pd.DatetimeIndex(value[local])
    placed = stamps.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    first = stamps.tz_localize(zone, ambiguous=np.ones(len(stamps), bool), nonexistent="NaT")
    value, skipped, doubled = value.copy(), np.zeros(len(value), bool), np.zeros(len(value), bool)
    skipped[local] = first.isna()
    doubled[local] = placed.isna() & ~first.isna()
    value[local] = placed.tz_convert("UTC").tz_localize(None).to_numpy(dtype="datetime64[us]")
    return value, skipped, doubled


def _refuse_guessing(text: pd.Series, n: NDArray[np.int64], where: str) -> None:
    parts = text.str.extract(rf"^{_ORDER_UNKNOWN}$")
    unclear = parts[0].notna()
    if not unclear.any():
        return
    example = text[unclear].iloc[0]
    first, second, year = parts[unclear].iloc[0]
    separator = example[len(first)]
    y = "%Y" if len(year) == 4 else "%y"
    readings = [
        f'{reading} with date_format "{a}{separator}{b}{separator}{y}"'
        for a, b, day, month in (("%d", "%m", first, second), ("%m", "%d", second, first))
        if (reading := _reading(day, month, year))
    ]
    raise InputError(
        f"The date '{example}' does not say which number is the month "
        f"({n[unclear].sum()} such values).",
        where,
        f"set 'date_format:' for this table or column: {', or '.join(readings) or 'as exported'}"
        " (add the time of day if there is one)",
    )


def _reading(day: str, month: str, year: str) -> str:
    try:
        moment = datetime.date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
    except ValueError:
        return ""
    return f"{moment.day} {moment:%B %Y}"


def _refuse_mix(
    text: pd.Series,
    n: NDArray[np.int64],
    naive: NDArray[np.bool_],
    offset: NDArray[np.bool_],
    where: str,
) -> None:
    if naive.any() and offset.any():
        raise InputError(
            f"{n[offset].sum()} stamps carry an offset ('{text[offset].iloc[0]}') and "
            f"{n[naive].sum()} do not ('{text[naive].iloc[0]}').",
            where,
            "export all of them with an offset, or all without and set 'timezone:'",
        )
