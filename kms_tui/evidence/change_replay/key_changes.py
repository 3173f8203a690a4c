"""The changes of a key that can be replayed, and what of a key decides about requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field, replace

from kms_tui.evidence.request_history.recorded_request import RequestDetail
from kms_tui.kms.model import Grant, Key, KeyState
from kms_tui.policy.conditions import ConditionTest
from kms_tui.policy.document import Document

_ADDRESSES = frozenset({"aws:sourceip", "aws:vpcsourceip"})


@dataclass(frozen=True, slots=True)
class KeyAccess:
    """What lies with one key and decides about requests on it.

    ``facts`` are condition keys, in lower case, that follow from the key (``facts_of``).
    """

    key_arn: str
    policy: Document
    grants: tuple[Grant, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def tests(self) -> Iterator[ConditionTest]:
        """Every condition of its policy."""
        for statement in self.policy.statements:
            yield from statement.conditions


def facts_of(key: Key) -> Mapping[str, str]:
    """The condition keys that follow from DescribeKey."""
    return {
        "kms:keyspec": key.spec,
        "kms:customermasterkeyspec": key.spec,
        "kms:keyusage": key.usage,
        "kms:customermasterkeyusage": key.usage,
        "kms:keyorigin": key.origin,
    }


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """PutKeyPolicy with another policy."""

    policy: Document

    def after(self, access: KeyAccess) -> KeyAccess:
        return replace(access, policy=self.policy)


@dataclass(frozen=True, slots=True)
class GrantRemoval:
    """RevokeGrant or RetireGrant."""

    grant_id: str

    def after(self, access: KeyAccess) -> KeyAccess:
        left = tuple(grant for grant in access.grants if grant.grant_id != self.grant_id)
        return replace(access, grants=left)


@dataclass(frozen=True, slots=True)
class StateChange:
    """DisableKey (``KeyState.DISABLED``) or ScheduleKeyDeletion (``KeyState.PENDING_DELETION``)."""

    state: KeyState

    def after(self, access: KeyAccess) -> KeyAccess:
        return access


@dataclass(frozen=True, slots=True)
class AliasRepointing:
    """UpdateAlias: requests that name the key by ``alias`` (with its prefix) go to another key."""

    alias: str
    target: KeyAccess

    def after(self, access: KeyAccess) -> KeyAccess:
        return self.target


KeyChange = PolicyChange | GrantRemoval | StateChange | AliasRepointing


def details_for(access: KeyAccess, change: KeyChange) -> Set[RequestDetail]:
    """The parts of requests that the judgement needs beside the usual ones."""
    after = change.after(access)
    found: set[RequestDetail] = set()
    texts = [access.policy.text, after.policy.text]
    texts += [grant.grantee for grant in (*access.grants, *after.grants)]
    if any(":assumed-role/" in text for text in texts):
        found.add(RequestDetail.SESSION)
    if any(test.key in _ADDRESSES for test in (*access.tests, *after.tests)):
        found.add(RequestDetail.ADDRESS)
    return found
