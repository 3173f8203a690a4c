"""The times of a token (exp, nbf, iat of RFC 7519), lengths of time and moments as people write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from kms_tui.inventory.cells import span
from kms_tui.signing.tokens.token_errors import TokenError, TokenField

TIMES = ("exp", "nbf", "iat")
_TITLES = {"exp": "expiry", "nbf": "not before", "iat": "issued at"}
LATEST = 253_402_300_799
"""The end of the year 9999; a time in milliseconds is beyond it."""
_LONGEST = timedelta(days=36_525)
_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
_LENGTH = re.compile(r"(?:[0-9]{1,9}(?:s|min|m|h|d|w)){1,6}\Z")
_LENGTH_PART = re.compile(r"([0-9]+)([a-z]+)")


def read_time(claims: Mapping[str, Any], name: str, field: TokenField) -> datetime | None:
    """A time of the claims; None without one. TokenError if it is no number of seconds since 1970."""
    if name not in claims:
        return None
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        kind = "a text" if isinstance(value, str) else "no number"
        raise TokenError(
            field,
            f"The {name} ({_TITLES[name]}) is {kind}; it is a number of seconds since 1970.",
            next_step=f"Write it without quotes, as {name}:=1798761600 or in the JSON.",
        )
    if not 0 <= value <= LATEST:
        kind = "in milliseconds, it seems" if value > LATEST else "before 1970"
        raise TokenError(field, f"The {name} ({_TITLES[name]}) is {kind}; it is in seconds since 1970.")
    return datetime.fromtimestamp(value, UTC)


def length_words(length: timedelta) -> str:
    """A length of time in its largest unit: "40 s", "3 h"."""
    seconds = int(abs(length.total_seconds()))
    return f"{seconds} s" if seconds < 60 else span(timedelta(seconds=seconds))


def moment_words(moment: datetime) -> str:
    """A moment in UTC: "2026-11-30 00:15:00 UTC"."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def read_length(text: str, field: TokenField, what: str) -> timedelta:
    """ "15m", "1h30m", "7d"; a bare number is seconds. TokenError names ``what`` for anything else."""
    packed = text.strip().lower().replace(" ", "")
    if re.fullmatch(r"[0-9]{1,12}", packed):
        packed += "s"
        seconds = int(packed[:-1])
    elif _LENGTH.match(packed):
        seconds = sum(int(number) * _UNITS[unit] for number, unit in _LENGTH_PART.findall(packed))
    else:
        raise TokenError(field, f"{what} is a length of time, as 15m, 1h30m or 7d.")
    if seconds > _LONGEST.total_seconds():
        raise TokenError(field, f"{what} is longer than 100 years.")
    return timedelta(seconds=seconds)


def read_moment(text: str, field: TokenField) -> datetime:
    """A moment in ISO 8601, in UTC without an offset, or in seconds since 1970. Else TokenError."""
    packed = text.strip()
    try:
        if re.fullmatch(r"[0-9]{1,12}", packed):
            return datetime.fromtimestamp(int(packed), UTC)
        moment = datetime.fromisoformat(packed)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise TokenError(
            field, "This is no moment: give it as 2026-11-30T12:00:00Z or in seconds since 1970."
        ) from None
