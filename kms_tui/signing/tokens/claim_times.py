"""The times of a token (exp, nbf, iat of RFC 7519), and those in the fields that describe one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from kms_tui.signing.times import LONGEST, parse_length, parse_moment
from kms_tui.signing.tokens.token_errors import TokenError, TokenField

_TITLES = {"exp": "expiry", "nbf": "not before", "iat": "issued at"}
LATEST = 253_402_300_799
"""The end of the year 9999; a time in milliseconds is beyond it."""
_SECONDS = re.compile(r"[0-9]{1,12}")


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


def read_length(text: str, field: TokenField, what: str) -> timedelta:
    """A length of time; a bare number is seconds. TokenError names ``what`` for anything else."""
    length = parse_length(f"{text}s" if _SECONDS.fullmatch(text.strip()) else text)
    if length is None:
        raise TokenError(field, f"{what} is a length of time, as 15m, 1h30m or 7d.")
    if length > LONGEST:
        raise TokenError(field, f"{what} is longer than 100 years.")
    return length


def read_moment(text: str, field: TokenField) -> datetime:
    """A moment in ISO 8601, in UTC without an offset, or in seconds since 1970. Else TokenError."""
    moment = parse_moment(text)
    if _SECONDS.fullmatch(text.strip()):
        seconds = int(text)
        moment = datetime.fromtimestamp(seconds, UTC) if seconds <= LATEST else None
    if moment is None:
        raise TokenError(
            field, "This is no moment: give it as 2026-11-30T12:00:00Z or in seconds since 1970."
        )
    return moment
