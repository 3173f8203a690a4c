"""THE table of condition operators, and how each compares policy values with request values.

Source: the IAM user guide (reference_policies_elements_condition_operators,
reference_policies_multi-value-conditions).
"""

from __future__ import annotations

import base64
import binascii
import operator as compare
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from kms_tui.policy.wildcard import Wild

Comparison = Callable[[float, float], bool]


@dataclass(frozen=True, slots=True)
class Operator:
    """A condition operator without its set qualifier and its IfExists suffix.

    ``family`` is string, like, arn, numeric, date, bool, binary, ip or null.
    """

    name: str
    family: str
    negated: bool = False
    ignore_case: bool = False
    comparison: Comparison | None = None

    @property
    def takes_variables(self) -> bool:
        return self.family in ("string", "like", "arn")

    @property
    def takes_wildcards(self) -> bool:
        return self.family in ("like", "arn")


_COMPARISONS: Mapping[str, Comparison] = {
    "Equals": compare.eq,
    "LessThan": compare.lt,
    "LessThanEquals": compare.le,
    "GreaterThan": compare.gt,
    "GreaterThanEquals": compare.ge,
}

OPERATORS: Mapping[str, Operator] = {
    each.name: each
    for each in (
        Operator("StringEquals", "string"),
        Operator("StringNotEquals", "string", negated=True),
        Operator("StringEqualsIgnoreCase", "string", ignore_case=True),
        Operator("StringNotEqualsIgnoreCase", "string", negated=True, ignore_case=True),
        Operator("StringLike", "like"),
        Operator("StringNotLike", "like", negated=True),
        Operator("ArnEquals", "arn"),
        Operator("ArnLike", "arn"),
        Operator("ArnNotEquals", "arn", negated=True),
        Operator("ArnNotLike", "arn", negated=True),
        *(
            Operator(prefix + name, prefix.lower(), comparison=comparison)
            for prefix in ("Numeric", "Date")
            for name, comparison in _COMPARISONS.items()
        ),
        Operator("NumericNotEquals", "numeric", negated=True, comparison=compare.eq),
        Operator("DateNotEquals", "date", negated=True, comparison=compare.eq),
        Operator("Bool", "bool"),
        Operator("BinaryEquals", "binary"),
        Operator("IpAddress", "ip"),
        Operator("NotIpAddress", "ip", negated=True),
        Operator("Null", "null"),
    )
}

FOR_ALL, FOR_ANY = "ForAllValues", "ForAnyValue"
QUALIFIERS = (FOR_ALL, FOR_ANY)
IF_EXISTS = "IfExists"


@dataclass(frozen=True, slots=True)
class Spelled:
    """An operator as a policy spells it: qualifier ("" if none), base operator, IfExists or not."""

    text: str
    qualifier: str
    base: Operator
    if_exists: bool


def parse(text: str) -> Spelled | None:
    """The operator of this name; None if there is none (Null takes no IfExists)."""
    qualifier, separator, rest = text.rpartition(":")
    if separator and qualifier not in QUALIFIERS:
        return None
    name = rest.removesuffix(IF_EXISTS)
    base = OPERATORS.get(name)
    if base is None or (name != rest and base.family == "null"):
        return None
    return Spelled(text, qualifier, base, name != rest)


_NUMBER = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?\Z")
_DATE = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})"
    r"(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?)?)?\Z"
)
_EPOCH = re.compile(r"[0-9]{5,13}\Z")


def number(text: str) -> float | None:
    """An integer or decimal number; None for anything else."""
    return float(text) if _NUMBER.match(text) else None


def timestamp(text: str) -> float | None:
    """Seconds since 1970 from a W3C date (``2030``, ``2030-01-31T12:00:00Z``) or epoch seconds; else None."""
    if _EPOCH.match(text):
        return float(text)
    match = _DATE.match(text)
    if not match:
        return None
    year, month, day, hour, minute, second, zone = match.groups()
    try:
        moment = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0)
        )
        return moment.replace(tzinfo=_zone(zone)).timestamp()
    except (ValueError, OverflowError):
        return None


def _zone(text: str | None) -> timezone:
    if text in (None, "Z"):
        return UTC
    digits = str(text).replace(":", "")
    offset = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5]))
    return timezone(-offset if digits[0] == "-" else offset)


def isoformat(seconds: float) -> str:
    """A time in the form of aws:CurrentTime."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Network:
    """A block of addresses by the integers of its first and last; ``version`` is 4 or 6."""

    version: int
    first: int
    last: int


@lru_cache(maxsize=20_000)
def network(text: str) -> Network | None:
    """An address or CIDR block, its host bits ignored; None for anything else."""
    import ipaddress  # the only user, and not every policy has an address

    try:
        block = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    return Network(block.version, int(block.network_address), int(block.broadcast_address))


def address_text(version: int, value: int) -> str:
    import ipaddress

    return str(ipaddress.IPv4Address(value) if version == 4 else ipaddress.IPv6Address(value))


def decoded(text: str) -> bytes | None:
    """The bytes of a base64 text; None for anything else."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def split_arn(tokens: list[str | Wild]) -> list[list[str | Wild]]:
    """The parts of a tokenised ARN pattern, at most six: the last keeps its colons."""
    parts: list[list[str | Wild]] = [[]]
    for token in tokens:
        if token == ":" and len(parts) < 6:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts
