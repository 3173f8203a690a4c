"""Resolves a reference to a key (id, ARN, alias, grant) to a key of this Region, or says why not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.arn import ALIAS_PREFIX, Arn, key_id_of
from kms_tui.kms.facts import Fact, Known, read_fact
from kms_tui.kms.model import Grant


@dataclass(frozen=True, slots=True)
class Target:
    """``key_id`` is a key of this account and region; if it is "", ``reason`` says what the name means."""

    key_id: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class KeyNames:
    """The keys of one account and region; ``aliases`` maps names, with ``alias/``, to key ids.

    A predefined alias whose key AWS has not created yet maps to "".
    """

    account: str
    region: str
    key_ids: Fact[frozenset[str]]
    aliases: Fact[Mapping[str, str]]

    def target(self, reference: str) -> Target:
        """The key of this region with a key id, key ARN, alias name or alias ARN."""
        name = reference
        if reference.startswith("arn:"):
            try:
                arn = Arn.parse(reference)
            except ValueError:
                return Target(reason="not the name of a key")
            if arn.service != "kms":
                return Target(reason="not the name of a key")
            if self.account and arn.account != self.account:
                return Target(reason=f"a key of account {arn.account}")
            if arn.region != self.region:
                return Target(reason=f"a key of region {arn.region}")
            name = arn.resource if arn.resource.startswith(ALIAS_PREFIX) else key_id_of(reference)
        return self._alias(name) if name.startswith(ALIAS_PREFIX) else self._key(name)

    def _alias(self, name: str) -> Target:
        if not isinstance(self.aliases, Known):
            return Target(reason="an alias; the aliases of this region could not be read")
        key_id = self.aliases.value.get(name)
        if key_id is None:
            return Target(reason="an alias that does not exist")
        return Target(key_id) if key_id else Target(reason="an alias that has no key yet")

    def _key(self, key_id: str) -> Target:
        """If the keys could not be listed, any id counts as a key."""
        if isinstance(self.key_ids, Known) and key_id not in self.key_ids.value:
            return Target(reason="a key that does not exist, or no longer")
        return Target(key_id)


def read_names(kms: Kms) -> KeyNames:
    """ListKeys and ListAliases of the region; each may fail alone."""

    def key_ids() -> frozenset[str]:
        return frozenset(ref.key_id for page in kms.key_pages() for ref in page)

    def aliases() -> Mapping[str, str]:
        return {alias.name: alias.target_key_id for alias in kms.aliases()}

    known, named = read_fact(key_ids), read_fact(aliases)
    return KeyNames(kms.account_id, kms.region, known, named)


_SUFFIXES = (".amazonaws.com", ".amazonaws.com.cn")
_SERVICE_ROLE = ":role/aws-service-role/"
_INFRASTRUCTURE = ":assumed-role/aws:"
"""The session that holds EC2's grants ("aws:ec2-infrastructure/i-…"); a customer's role has no colon in its
name."""


@dataclass(frozen=True, slots=True)
class ServiceGrant:
    """``service`` is a service principal or a service's role; ``resource`` is the grant's SourceArn or the
    resource in its encryption context, or "".
    """

    service: str
    resource: str


def service_grants(grants: Iterable[Grant]) -> Iterator[ServiceGrant]:
    """The grants (ListGrants) whose grantee is a service or a service's role."""
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
