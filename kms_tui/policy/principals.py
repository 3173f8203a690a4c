"""The principals that a statement names, and callers.

Source: the IAM user guide (reference_policies_elements_principal, reference_identifiers).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from kms_tui.kms.arn import is_account_id, partition_of
from kms_tui.kms.service_principals import SERVICES
from kms_tui.policy.actions import closest, lowered
from kms_tui.policy.json_reader import Span


class PrincipalKind(Enum):
    EVERYONE = "everyone"
    ACCOUNT = "account"
    USER = "user"
    ROLE = "role"
    SESSION = "role session"
    FEDERATED_USER = "federated user"
    UNIQUE_ID = "unique id"
    SERVICE = "service"
    PROVIDER = "identity provider"


AWS, SERVICE, FEDERATED = "AWS", "Service", "Federated"
TYPES = (AWS, SERVICE, FEDERATED)

_UNIQUE_ID = re.compile(r"(?:AIDA|AROA)[A-Z0-9]{4,124}\Z")
_ARN = re.compile(r"arn:([a-z0-9-]+):(iam|sts)::([0-9]{12}):(.+)\Z", re.DOTALL)
_NAME = r"[A-Za-z0-9_+=,.@-]"
_PATH = r"/(?:[!-)+->@-~]{1,510}/)?"
_RESOURCES = {
    ("iam", PrincipalKind.ACCOUNT): re.compile(r"()root\Z"),
    ("iam", PrincipalKind.USER): re.compile(rf"user{_PATH}({_NAME}{{1,64}})\Z"),
    ("iam", PrincipalKind.ROLE): re.compile(rf"role{_PATH}({_NAME}{{1,64}})\Z"),
    ("sts", PrincipalKind.SESSION): re.compile(rf"assumed-role/({_NAME}{{1,64}})/({_NAME}{{2,64}})\Z"),
    ("sts", PrincipalKind.FEDERATED_USER): re.compile(rf"federated-user/({_NAME}{{2,64}})\Z"),
}
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL}){{1,9}}\Z")
_PROVIDER = re.compile(
    r"arn:([a-z0-9-]+):iam::([0-9]{12}):(?:saml-provider|oidc-provider)/[A-Za-z0-9_.:/-]{1,300}\Z"
)
SERVICE_LINKED_PATH = "aws-service-role/"
_OWN_ROLE = re.compile(
    rf"arn:([a-z0-9-]+):(?:iam::([0-9]{{12}}):role|sts::([0-9]{{12}}):assumed-role)/(aws:[a-z0-9-]{{1,60}})"
    rf"(?:/({_NAME}{{2,64}}))?\Z"
)


@dataclass(frozen=True, slots=True)
class Principal:
    """One principal of a statement; parts that do not apply are "".

    ``name`` is the user's, role's or federated user's name without its path, or the service principal.
    """

    kind: PrincipalKind
    text: str
    span: Span
    partition: str = ""
    account: str = ""
    name: str = ""
    session: str = ""

    @property
    def is_identity(self) -> bool:
        """Whether it is one user, role or session, not an account, a service or everyone."""
        return self.kind in (
            PrincipalKind.USER,
            PrincipalKind.ROLE,
            PrincipalKind.SESSION,
            PrincipalKind.FEDERATED_USER,
            PrincipalKind.UNIQUE_ID,
        )

    @property
    def label(self) -> str:
        """A short name for people: ``role/app``, ``account 111122223333``, ``everyone``."""
        if self.kind is PrincipalKind.EVERYONE:
            return "everyone"
        if self.kind is PrincipalKind.ACCOUNT:
            return f"account {self.account}"
        if self.kind is PrincipalKind.SESSION:
            return f"session {self.name}/{self.session}"
        if self.kind in (PrincipalKind.USER, PrincipalKind.ROLE, PrincipalKind.FEDERATED_USER):
            return self.text.split(":", 5)[-1]
        return self.text


def parse(principal_type: str, text: str, span: Span) -> Principal | str:
    """The principal under an ``AWS``, ``Service`` or ``Federated`` key; a sentence for an invalid one."""
    if principal_type == SERVICE:
        return _service(text, span)
    if principal_type == FEDERATED:
        return _provider(text, span)
    if text == "*":
        return Principal(PrincipalKind.EVERYONE, text, span)
    if is_account_id(text):
        return Principal(PrincipalKind.ACCOUNT, text, span, account=text)
    if _UNIQUE_ID.match(text):
        return Principal(PrincipalKind.UNIQUE_ID, text, span, name=text)
    return _arn(text, span)


def _arn(text: str, span: Span) -> Principal | str:
    match = _ARN.match(text)
    if not match:
        return _why_not(text)
    partition, service, account, resource = match.groups()
    for (where, kind), pattern in _RESOURCES.items():
        found = pattern.match(resource) if where == service else None
        if found:
            name, session = (*found.groups(), "")[:2]
            return Principal(kind, text, span, partition, account, name, session)
    return _why_not(text)


def _why_not(text: str) -> str:
    """Why a text under ``AWS`` is not a principal."""
    if "*" in text or "?" in text:
        return 'a wildcard cannot match part of a principal; name each one, or use "*" and aws:PrincipalArn'
    if ":group/" in text:
        return "a group cannot be a principal"
    if text.strip() != text:
        return "there is white space around it"
    return "it is not an account id, IAM or STS ARN, or unique id of a user or role"


def _service(text: str, span: Span) -> Principal | str:
    if _HOST.match(text):
        return Principal(PrincipalKind.SERVICE, text, span, name=lowered(text))
    return "it is not a service principal such as cloudtrail.amazonaws.com"


def _provider(text: str, span: Span) -> Principal | str:
    match = _PROVIDER.match(text)
    if match:
        return Principal(PrincipalKind.PROVIDER, text, span, match.group(1), match.group(2), text)
    if _HOST.match(text):
        return Principal(PrincipalKind.PROVIDER, text, span, name=lowered(text))
    return "it is not an identity provider"


def own_role(text: str, span: Span) -> Principal | None:
    """A role that AWS itself assumes in an account, such as aws:ec2-infrastructure, or a session of it.

    Policies cannot name it; grants and CloudTrail do (developer guide, determining-access-grants).
    """
    match = _OWN_ROLE.match(text)
    if not match:
        return None
    partition, account, of_session, name, session = match.groups()
    kind = PrincipalKind.SESSION if session else PrincipalKind.ROLE
    return Principal(kind, text, span, partition, account or of_session, name, session or "")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request. ``arn`` is a user's, role's, session's or root user's, or a service principal.

    A role's ARN means any session of it.
    """

    kind: PrincipalKind
    arn: str
    partition: str = ""
    account: str = ""
    name: str = ""
    session: str = ""

    @classmethod
    def parse(cls, text: str) -> Caller:
        """From an IAM or STS ARN, an account id (its root user) or a service principal; else ValueError."""
        nowhere = Span(0, 0)
        found = parse(AWS, text, nowhere)
        if isinstance(found, str):
            found = own_role(text, nowhere) or parse(SERVICE, text, nowhere)
        if isinstance(found, str) or found.kind in (PrincipalKind.EVERYONE, PrincipalKind.UNIQUE_ID):
            raise ValueError(f"not a principal that can make a request: {text!r}")
        return cls(found.kind, found.text, found.partition, found.account, found.name, found.session)

    @property
    def is_root(self) -> bool:
        return self.kind is PrincipalKind.ACCOUNT

    @property
    def is_service_linked(self) -> bool:
        """Whether it is a role that only an AWS service can create and assume."""
        return f":role/{SERVICE_LINKED_PATH}" in self.arn

    @property
    def principal_arn(self) -> str:
        """aws:PrincipalArn; for a session its role's ARN (without the path, which a session's ARN lacks)."""
        if self.kind is PrincipalKind.SESSION:
            return f"arn:{self.partition}:iam::{self.account}:role/{self.name}"
        if self.kind is PrincipalKind.ACCOUNT:
            return f"arn:{self.partition or 'aws'}:iam::{self.account}:root"
        return self.arn

    @property
    def principal_type(self) -> str:
        """aws:PrincipalType; "" for a service."""
        return _PRINCIPAL_TYPES.get(self.kind, "")


_PRINCIPAL_TYPES = {
    PrincipalKind.ACCOUNT: "Account",
    PrincipalKind.USER: "User",
    PrincipalKind.ROLE: "AssumedRole",
    PrincipalKind.SESSION: "AssumedRole",
    PrincipalKind.FEDERATED_USER: "FederatedUser",
}


def is_caller(principal: Principal, caller: Caller) -> bool:
    """Whether the principal names the caller itself: by its ARN, its session's role, or its service."""
    if principal.kind is PrincipalKind.SERVICE:
        return caller.kind is PrincipalKind.SERVICE and principal.name == lowered(caller.name)
    if principal.account != caller.account or principal.kind is PrincipalKind.ACCOUNT:
        return (
            principal.kind is PrincipalKind.ACCOUNT and caller.is_root and principal.account == caller.account
        )
    if principal.kind is PrincipalKind.ROLE and caller.kind is PrincipalKind.SESSION:
        return principal.name == caller.name
    return principal.kind is caller.kind and principal.text == caller.arn


# Source: the IAM user guide (reference_policies_elements_principal, "AWS service principals").

_SUFFIX = ".amazonaws.com"
_CHINA = ".cn"
_NEARLY_A_REGION = re.compile(r"[a-z]{2,5}-?[a-z]+-?[0-9]+[a-z]?\Z")
_LIKE_AWS = re.compile(r"(?:[a-z-]+\.)?(?:aws|amazon|amazonaws)(?:\.[a-z]{2,6}){0,2}\Z")
_OWN_SUFFIXES = ("aws", "aws-cn", "aws-us-gov")
"""Partitions whose service principals have the table's suffix."""


def service_fault(host: str, partition: str, region: str, lookups: Iterator[int]) -> str:
    """The end of a sentence: the fault of a service principal, and the right one; "" without a fault.

    ``region`` is the key's, for the suggestion, or "". A service that is not in the table and not near one
    may be new. While ``lookups`` lasts, near ones are searched, which takes milliseconds.
    """
    if partition not in _OWN_SUFFIXES:
        return ""
    name = lowered(host)
    in_china = name.endswith(_SUFFIX + _CHINA)
    if in_china and partition != "aws-cn":
        return f"it is of the China Regions; here it is {name.removesuffix(_CHINA)}."
    stem = name.removesuffix(_CHINA).removesuffix(_SUFFIX) if in_china or name.endswith(_SUFFIX) else ""
    if not stem:
        meant = closest(name, _HOSTS, 2) if next(lookups, None) is not None else ""
        service, _, suffix = name.partition(".")
        if not meant and service in SERVICES and _LIKE_AWS.match(suffix):
            meant = service + _SUFFIX
        return f"no service principal ends like this; did you mean {meant}?" if meant else ""
    labels = stem.split(".")
    regions = [label for label in labels if partition_of(label)]
    other = next((label for label in regions if partition_of(label) != partition), "")
    if other:
        return f"Region {other} is of partition {partition_of(other)}, the key of {partition}."
    rest = [label for label in labels if label not in regions]
    if ".".join(rest) in SERVICES or (rest and rest[-1] in SERVICES):
        return ""
    if rest and rest[0] in SERVICES:
        if _NEARLY_A_REGION.match(rest[-1]):
            meant = f"{rest[0]}.{region or 'us-east-1'}{_SUFFIX}"
            return f"{rest[-1]} is not a Region; did you mean {meant}?"
        return ""
    return _nearest(".".join(rest), regions) if next(lookups, None) is not None else ""


def is_service_of(host: str, partition: str) -> bool:
    """Whether a host can be a service principal of a partition; a service that is not known may be new."""
    name = lowered(host)
    if partition in _OWN_SUFFIXES and not name.removesuffix(_CHINA).endswith(_SUFFIX):
        return False
    return not service_fault(name, partition, "", iter(()))


def _nearest(stem: str, regions: list[str]) -> str:
    meant = closest(stem, _STEMS, 2 if len(stem) > 4 else 1)
    if not meant:
        return ""
    return f"there is no such service; did you mean {'.'.join([meant, *regions])}{_SUFFIX}?"


_STEMS = {name: name for name in sorted(SERVICES)}
_HOSTS = {name + _SUFFIX: name + _SUFFIX for name in sorted(SERVICES)}
