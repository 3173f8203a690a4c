"""A request as CloudTrail's record tells it, reduced to what authorization depends on.

Any part may be missing or hostile text. Requests that differ in nothing of this count as one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from kms_tui.kms.arn import ALIAS_PREFIX
from kms_tui.kms.errors import ACCESS_DENIED

_ANSWERED = frozenset({"", "DryRunOperationException"})
S3_OBJECTS = "aws:s3:arn"
"""The encryption context key in which Amazon S3 names a bucket (with bucket keys) or an object."""


class RequestDetail(StrEnum):
    """A part of a request that has many values, and is kept only where somebody asks for it."""

    SESSION = "session"
    ADDRESS = "address"
    TLS = "tls"


class ContextPair(NamedTuple):
    """A pair of an encryption context. ``folded``: any value that begins with ``value``."""

    name: str
    value: str
    folded: bool = False

    def __str__(self) -> str:
        return f"{self.name}={self.shown}"

    @property
    def shown(self) -> str:
        return f"{self.value}*" if self.folded else self.value


Context = tuple[ContextPair, ...]


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request on one key; parts that the record lacks, or that nobody asked for, are "".

    ``principal`` is the ARN of a user, of a session's role (with ``RequestDetail.SESSION`` of the session) or
    of a root user, a service principal, or the id of another account. ReEncrypt is two requests,
    ReEncryptFrom and ReEncryptTo. ``context`` is None where the record does not tell it.
    """

    principal: str
    principal_type: str
    account: str
    operation: str
    key_arn: str
    alias: str = ""
    """The alias, with ``alias/``, by which the request names its key."""
    service: str = ""
    """The service through which the principal calls ("s3.amazonaws.com")."""
    context: Context | None = ()
    error: str = ""
    refused_by: str = ""
    """The layer that an access denied message names: see ``RefusedBy``."""
    vpc_endpoint: str = ""
    address: str = ""
    mfa: str = ""
    """ "true" or "false" where the record tells it."""
    key_exchange: str = ""
    settings: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Condition keys in lower case, with their values, of further members of the request."""

    @property
    def is_answered(self) -> bool:
        return self.error in _ANSWERED

    @property
    def is_denied(self) -> bool:
        return self.error in ACCESS_DENIED

    @property
    def principal_label(self) -> str:
        """``role/app``, ``user/ada``, ``account 111122223333``, or a service."""
        if self.principal_type == "AWSAccount":
            return f"account {self.account or '?'}"
        return (
            self.principal.split(":", 5)[-1] if self.principal.startswith("arn:") else self.principal or "?"
        )

    @property
    def context_label(self) -> str:
        """``table=orders, tier=gold``; "" without a context, "?" where it is not known."""
        return "?" if self.context is None else ", ".join(map(str, self.context))

    @property
    def context_shape(self) -> Mapping[str, str] | None:
        """The context for JSON; a folded value ends with ``*``."""
        return None if self.context is None else {pair.name: pair.shown for pair in self.context}


class RefusedBy(StrEnum):
    """What an access denied message says of the policy that refused."""

    UNTOLD = ""
    KEY_POLICY = "key-policy"
    KEY_POLICY_DENY = "key-policy deny"
    IDENTITY = "identity"
    OTHER = "other"
    """An explicit deny elsewhere, or a layer that a change of the key does not touch."""


REFUSALS: tuple[tuple[str, RefusedBy], ...] = (
    ("explicit deny in a resource-based policy", RefusedBy.KEY_POLICY_DENY),
    ("no resource-based policy allows", RefusedBy.KEY_POLICY),
    ("no identity-based policy allows", RefusedBy.IDENTITY),
    ("no permissions boundary allows", RefusedBy.OTHER),
    ("no session policy allows", RefusedBy.OTHER),
    ("no VPC endpoint policy allows", RefusedBy.OTHER),
    ("no service control policy allows", RefusedBy.OTHER),
    ("no resource control policy allows", RefusedBy.OTHER),
    ("with an explicit deny", RefusedBy.OTHER),
)
"""A part of the message -> what it says; the first that is found. Source: the IAM user guide
(troubleshoot_access-denied)."""


def refused_by(message: str) -> RefusedBy:
    """What an access denied message says of the policy that refused."""
    return next((layer for words, layer in REFUSALS if words in message), RefusedBy.UNTOLD)


@dataclass(frozen=True, slots=True)
class RequestGroup:
    """A distinct request: how often it was made, and the times of the first and the last."""

    request: RecordedRequest
    count: int
    first: datetime | None
    last: datetime | None


def alias_in(reference: str) -> str:
    """The alias, with its prefix, in a request's name for its key: an alias or its ARN; else ""."""
    name = reference.split(":", 5)[-1] if reference.startswith("arn:") else reference
    return name if name.startswith(ALIAS_PREFIX) else ""
