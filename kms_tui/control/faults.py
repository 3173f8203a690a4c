"""What can go wrong between a client and KMS, as values; and the words in which they are ordered.

In JSON a fault is a name (``"throttle"``) or an object whose ``fault`` is a kind and whose other members are
the fields of that kind: ``{"fault": "answer", "after": 0.3}``, ``{"fault": "refuse", "code":
"KMSInternalException", "status": 500}``. What cannot be answered so is a ValueError.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from difflib import get_close_matches
from typing import Any

LONGEST_SECONDS = 3600.0
"""The longest that an answer can be ordered to take."""
_SURROGATE = re.compile("[\ud800-\udfff]")


def _require_seconds(after: float) -> None:
    is_number = isinstance(after, int | float) and not isinstance(after, bool)
    if not (is_number and math.isfinite(after) and 0 <= after <= LONGEST_SECONDS):
        raise ValueError(f'"after" is a number of seconds from 0 to {LONGEST_SECONDS:.0f}')


def _require_status(status: int, least: int) -> None:
    if not isinstance(status, int) or isinstance(status, bool) or not least <= status <= 599:
        raise ValueError(f'"status" is an HTTP status from {least} to 599')


def _require_line(text: str) -> None:
    """A text that may stand in an HTTP header."""
    if not isinstance(text, str) or not (text.isascii() and (text.isprintable() or not text)):
        raise ValueError('"code" and "date" are lines of ASCII text')


@dataclass(frozen=True, slots=True)
class Answer:
    """The proper answer, ``after`` that many seconds more than the endpoint's latency."""

    after: float = 0.0

    def __post_init__(self) -> None:
        _require_seconds(self.after)


@dataclass(frozen=True, slots=True)
class Refuse:
    """An error in AWS's form, and nothing done; ``date`` replaces the answer's Date header (clock skew)."""

    code: str
    message: str = ""
    status: int = 400
    date: str = ""

    def __post_init__(self) -> None:
        _require_line(self.code)
        _require_line(self.date)
        _require_status(self.status, 400)
        if not self.code:
            raise ValueError('"code" is a line of ASCII text that is not empty')
        if not isinstance(self.message, str) or _SURROGATE.search(self.message):
            raise ValueError('"message" is a text')


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer that is not KMS's: a proxy's error page, a hotel's sign-in page. Nothing is done."""

    status: int
    body: bytes = b"<html>not KMS</html>"

    def __post_init__(self) -> None:
        _require_status(self.status, 200)
        if not isinstance(self.body, bytes):
            raise ValueError('"body" is bytes, in JSON a text')


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection reset instead of an answer; ``done`` says whether the operation took place first."""

    done: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.done, bool):
            raise ValueError('"done" is true or false')


@dataclass(frozen=True, slots=True)
class Half:
    """The operation done, all of the answer's headers, half of its body, and the connection closed."""


@dataclass(frozen=True, slots=True)
class Hang:
    """The operation done and never answered, until the client gives up or the endpoint closes."""


@dataclass(frozen=True, slots=True)
class ShortPage:
    """A list with half as many entries as were asked for, and a marker for the rest, as KMS may answer."""


@dataclass(frozen=True, slots=True)
class Stale:
    """A read that is answered as things were when this was ordered: KMS is eventually consistent.

    An operation that reads nothing is answered properly.
    """


Fault = Answer | Refuse | Raw | Drop | Half | Hang | ShortPage | Stale

OK = Answer()
THROTTLE = Refuse("ThrottlingException", "Rate exceeded")
DENY = Refuse("AccessDeniedException", "User: arn:aws:iam::111122223333:user/ada is not authorized")
EXPIRED = Refuse("ExpiredTokenException", "The security token included in the request is expired")
SKEWED = Refuse(
    "InvalidSignatureException",
    "Signature expired: 20261120T120000Z is now earlier than 20261120T120500Z",
    date="Fri, 01 Jan 2100 00:00:00 GMT",
)
"""What a machine is told whose clock is decades behind."""
INTERNAL = Refuse("KMSInternalException", "", 500)
UNAVAILABLE = Raw(503)
"""A 5xx that does not come from KMS itself."""

NAMED: Mapping[str, Fault] = {
    "ok": OK,
    "throttle": THROTTLE,
    "deny": DENY,
    "expired": EXPIRED,
    "skewed": SKEWED,
    "internal": INTERNAL,
    "unavailable": UNAVAILABLE,
    "reset": Drop(done=False),
    "lost-answer": Drop(done=True),
    "half-answer": Half(),
    "hang": Hang(),
    "short-page": ShortPage(),
    "stale": Stale(),
}
"""Name -> fault."""

KINDS: Mapping[str, type[Fault]] = {
    "answer": Answer,
    "refuse": Refuse,
    "raw": Raw,
    "drop": Drop,
    "half": Half,
    "hang": Hang,
    "short-page": ShortPage,
    "stale": Stale,
}
"""Kind, as in the member ``fault`` -> its class."""


def fault_of(order: object) -> Fault:
    """The fault that JSON orders: a name, or an object with a kind. ValueError with what is wrong."""
    if isinstance(order, str):
        if order not in NAMED:
            raise ValueError(f"there is no fault {order!r}{_meant(order, NAMED)}")
        return NAMED[order]
    if not isinstance(order, Mapping):
        raise ValueError('a fault is a name such as "throttle", or an object with the member "fault"')
    kind = order.get("fault")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f'the member "fault" must be one of {", ".join(KINDS)}')
    members = {name: value for name, value in order.items() if name != "fault"}
    return KINDS[kind](**_members(kind, members))


def _members(kind: str, members: Mapping[str, Any]) -> dict[str, Any]:
    known = {each.name: each for each in fields(KINDS[kind])}
    for name in members:
        if name not in known:
            raise ValueError(f"the fault {kind} has no member {name!r}{_meant(name, known)}")
    for name, each in known.items():
        if each.default is MISSING and name not in members:
            raise ValueError(f"the fault {kind} needs the member {name!r}")
    return {name: _of_json(name, value) for name, value in members.items()}


def _of_json(name: str, value: Any) -> Any:
    return value.encode(errors="replace") if name == "body" and isinstance(value, str) else value


def order_of(fault: Fault) -> object:
    """The fault as JSON orders it: by its name where it has one."""
    for name, named in NAMED.items():
        if named == fault:
            return name
    kind = next(name for name, each in KINDS.items() if isinstance(fault, each))
    members = {
        name: value.decode(errors="replace") if isinstance(value, bytes) else value
        for name, value in asdict(fault).items()
    }
    return {"fault": kind, **members}


def _meant(name: str, known: Mapping[str, Any]) -> str:
    close = get_close_matches(name, known, 1)
    return f"; did you mean {close[0]!r}?" if close else f": there are {', '.join(known) or 'none'}"
