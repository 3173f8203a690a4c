"""Lengths of time and moments, as people write and read them; who reads a field says what is wrong."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from kms_tui.inventory.cells import span

LONGEST = timedelta(days=36_525)
"""A hundred years: nothing that is made here lasts longer, but for what lasts for ever."""
_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_LENGTH = re.compile(r"(?:[0-9]{1,12}(?:s|min|m|h|d|w)){1,6}\Z")
_LENGTH_PART = re.compile(r"([0-9]+)([a-z]+)")


def parse_length(text: str) -> timedelta | None:
    """ "15m", "1h30m", "7d", "52w"; None for anything else. What is too long is longer than LONGEST."""
    packed = text.strip().lower().replace(" ", "")
    if not _LENGTH.match(packed):
        return None
    seconds = sum(int(number) * _UNITS[unit] for number, unit in _LENGTH_PART.findall(packed))
    return timedelta(seconds=min(seconds, int(LONGEST.total_seconds()) + 1))


def parse_moment(text: str) -> datetime | None:
    """A day (its first moment) or a time in ISO 8601, in UTC if it does not say; None for anything else."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def length_words(length: timedelta) -> str:
    """A length of time in its largest unit: "40 s", "3 h", "89 d"; the same before and after."""
    seconds = int(abs(length.total_seconds()))
    return f"{seconds} s" if seconds < 60 else span(timedelta(seconds=seconds))


def utc_text(moment: datetime) -> str:
    """A moment in UTC: "2026-11-30 00:15:00 UTC"."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
