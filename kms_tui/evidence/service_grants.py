"""Grants that AWS services hold: each is a resource of theirs that uses the key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kms_tui.kms.model import Grant

_SUFFIXES = (".amazonaws.com", ".amazonaws.com.cn")
_SERVICE_ROLE = ":role/aws-service-role/"
_INFRASTRUCTURE = ":assumed-role/aws:"
"""The session by which EC2 holds grants ("aws:ec2-infrastructure/i-…"); a role of a
customer's own has no colon in its name."""


@dataclass(frozen=True, slots=True)
class ServiceGrant:
    """``service`` is a service principal, or the role by which a service acts; ``resource`` what the grant
    is bound to by SourceArn or by the encryption context, "" where by neither.
    """

    service: str
    resource: str


def service_grants(grants: Iterable[Grant]) -> Iterator[ServiceGrant]:
    """Those of a key's grants (ListGrants) whose grantee is a service, or a role of a service."""
    for grant in grants:
        grantee = grant.grantee
        if grantee.endswith(_SUFFIXES):
            yield ServiceGrant(grantee, _resource(grant))
        elif _SERVICE_ROLE in grantee or _INFRASTRUCTURE in grantee:
            yield ServiceGrant(
                grantee.partition(":role/")[2] or grantee.partition(":assumed-role/")[2], _resource(grant)
            )


def _resource(grant: Grant) -> str:
    constraints = grant.constraints
    if source := constraints.get("SourceArn"):
        return str(source)
    pairs: dict[str, str] = {}
    for name in ("EncryptionContextSubset", "EncryptionContextEquals"):
        pairs |= constraints.get(name) or {}
    return ", ".join(value for name, value in pairs.items() if name.startswith("aws:"))
