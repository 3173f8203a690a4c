"""What can go wrong between a client and KMS, as values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """The proper answer, ``after`` that many seconds more than the endpoint's latency."""

    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Refuse:
    """An error in AWS's form, and nothing done; ``date`` replaces the answer's Date header (clock skew)."""

    code: str
    message: str = ""
    status: int = 400
    date: str = ""


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer that is not KMS's: a proxy's error page, a hotel's sign-in page. Nothing is done."""

    status: int
    body: bytes = b"<html>not KMS</html>"


@dataclass(frozen=True, slots=True)
class Drop:
    """The connection reset instead of an answer; ``done`` says whether the operation took place first."""

    done: bool = True


@dataclass(frozen=True, slots=True)
class Half:
    """The operation done, all of the answer's headers, half of its body, and the connection closed."""


@dataclass(frozen=True, slots=True)
class Hang:
    """The operation done and never answered, until the endpoint closes."""


Fault = Answer | Refuse | Raw | Drop | Half | Hang

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
