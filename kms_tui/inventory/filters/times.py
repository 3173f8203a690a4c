"""Fields that compare a time with now: ``>90d``, ``<1y``."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from kms_tui.inventory.filters.verdict import Test, known_of
from kms_tui.inventory.row import Row
from kms_tui.kms.facts import Known

_DAYS = {"h": 1 / 24, "d": 1, "w": 7, "mo": 30, "m": 30, "y": 365}
_SPAN = re.compile(r"([<>]?)=?\s*(\d+)\s*(h|d|w|mo|m|y)\Z")


def _cut(value: str, now: datetime, example: str, *, ahead: bool = False) -> tuple[bool, datetime]:
    """Whether longer (else shorter) is asked for, and the moment that is so long ago, or ahead."""
    match = _SPAN.match(value.lower())
    if match is None:
        raise ValueError(f"needs a length of time, such as {example} (h, d, w, mo or y)")
    try:
        span = timedelta(days=int(match[2]) * _DAYS[match[3]])
        return match[1] != "<", now + span if ahead else now - span
    except OverflowError as error:
        raise ValueError("is longer than the calendar") from error


def age(value: str, now: datetime) -> Test:
    """Made longer ago than this."""
    older, moment = _cut(value, now, ">1y")

    cut = moment.timestamp()

    def of_row(row: Row) -> bool | None:
        return None if row.created is None else (row.created < cut) is older

    return Test(known_of(lambda kind: kind.described), of_row)


def expires(value: str, now: datetime) -> Test:
    """Imported material that expires within this time, which needs no sign."""
    later, moment = _cut(value if value[:1] in "<>" else f"<{value}", now, "<30d", ahead=True)

    def of_row(row: Row) -> bool | None:
        key = row.key
        return None if key is None else key.valid_to is not None and (key.valid_to > moment) is later

    return Test(known_of(lambda kind: kind.described), of_row)


def unused(value: str, now: datetime) -> Test:
    """Not used for longer than this.

    A key not seen since a TrackingStartDate that is too recent is undecided: it may have been used before.
    """
    longer, moment = _cut(value, now, ">90d")

    def of_row(row: Row) -> bool | None:
        if not isinstance(row.last_usage, Known):
            return None
        usage = row.last_usage.value
        if usage.time is not None:
            return (usage.time < moment) is longer
        seen_nothing_since = usage.tracking_start
        return longer if seen_nothing_since is not None and seen_nothing_since < moment else None

    return Test(known_of(lambda kind: kind.last_usage), of_row)
