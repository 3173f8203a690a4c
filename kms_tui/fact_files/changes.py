"""THE table of kinds of changes, the gravest first, and one change of a key as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from kms_tui.inventory.row_health import HealthSeverity as Severity
from kms_tui.kms.arn import AccountRegion, key_id_of


class ChangeKind(StrEnum):
    """In the order in which changes are told."""

    DELETION_SCHEDULED = "deletion-scheduled"
    KEY_GONE = "key-gone"
    MATERIAL_GONE = "material-gone"
    POLICY_WIDENED = "policy-widened"
    GRANT_ADDED = "grant-added"
    GRANT_CHANGED = "grant-changed"
    POLICY_CHANGED = "policy-changed"
    DISABLED = "disabled"
    UNAVAILABLE = "unavailable"
    ALIAS_MOVED = "alias-moved"
    ALIAS_DELETED = "alias-deleted"
    ROTATION_OFF = "rotation-off"
    POLICY_NARROWED = "policy-narrowed"
    GRANT_GONE = "grant-gone"
    PRIMARY_MOVED = "primary-moved"
    REPLICAS = "replicas"
    EXPIRY = "expiry"
    KEY_ADDED = "key-added"
    DELETION_CANCELLED = "deletion-cancelled"
    ENABLED = "enabled"
    STATE = "state"
    ALIAS_ADDED = "alias-added"
    ROTATION_ON = "rotation-on"
    ROTATION_PERIOD = "rotation-period"
    ROTATED = "rotated"
    TAGS = "tags"
    DESCRIPTION = "description"


class KindRules(NamedTuple):
    """A kind's title for people, and how grave it is."""

    title: str
    severity: Severity


KINDS: Mapping[ChangeKind, KindRules] = {
    ChangeKind.DELETION_SCHEDULED: KindRules("Deletion scheduled", Severity.HIGH),
    ChangeKind.KEY_GONE: KindRules("Key gone", Severity.HIGH),
    ChangeKind.MATERIAL_GONE: KindRules("Key material gone", Severity.HIGH),
    ChangeKind.POLICY_WIDENED: KindRules("Policy lets more in", Severity.HIGH),
    ChangeKind.GRANT_ADDED: KindRules("Grant added", Severity.MEDIUM),
    ChangeKind.GRANT_CHANGED: KindRules("Grant changed", Severity.MEDIUM),
    ChangeKind.POLICY_CHANGED: KindRules("Policy changed", Severity.MEDIUM),
    ChangeKind.DISABLED: KindRules("Disabled", Severity.MEDIUM),
    ChangeKind.UNAVAILABLE: KindRules("Unavailable", Severity.MEDIUM),
    ChangeKind.ALIAS_MOVED: KindRules("Alias moved", Severity.MEDIUM),
    ChangeKind.ALIAS_DELETED: KindRules("Alias deleted", Severity.MEDIUM),
    ChangeKind.ROTATION_OFF: KindRules("Rotation off", Severity.MEDIUM),
    ChangeKind.POLICY_NARROWED: KindRules("Policy lets less in", Severity.LOW),
    ChangeKind.GRANT_GONE: KindRules("Grant gone", Severity.LOW),
    ChangeKind.PRIMARY_MOVED: KindRules("Primary moved", Severity.LOW),
    ChangeKind.REPLICAS: KindRules("Replicas", Severity.LOW),
    ChangeKind.EXPIRY: KindRules("Expiry of key material", Severity.LOW),
    ChangeKind.KEY_ADDED: KindRules("Key added", Severity.LOW),
    ChangeKind.DELETION_CANCELLED: KindRules("Deletion cancelled", Severity.LOW),
    ChangeKind.ENABLED: KindRules("Enabled", Severity.LOW),
    ChangeKind.STATE: KindRules("State", Severity.LOW),
    ChangeKind.ALIAS_ADDED: KindRules("Alias added", Severity.LOW),
    ChangeKind.ROTATION_ON: KindRules("Rotation on", Severity.LOW),
    ChangeKind.ROTATION_PERIOD: KindRules("Rotation period", Severity.LOW),
    ChangeKind.ROTATED: KindRules("Rotated", Severity.LOW),
    ChangeKind.TAGS: KindRules("Tags", Severity.LOW),
    ChangeKind.DESCRIPTION: KindRules("Description", Severity.LOW),
}
"""The severity is that of the health checks: high may lose data or lets somebody in, medium may break
whoever uses the key or deserves a look, low is told for the record.
"""


class ChangedKey(NamedTuple):
    """Names a key. Untrusted."""

    arn: str
    name: str

    @property
    def place(self) -> AccountRegion:
        return AccountRegion.of(self.arn)

    @property
    def key_id(self) -> str:
        return key_id_of(self.arn)


@dataclass(frozen=True, slots=True)
class KeyChange:
    """One change of a key in a sentence without its full stop; untrusted text is in all of it.

    ``details`` are further lines; ``before`` and ``after`` are values for JSON, None where there was none.
    """

    kind: ChangeKind
    key: ChangedKey
    sentence: str
    before: Any = None
    after: Any = None
    details: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return KINDS[self.kind].title

    @property
    def severity(self) -> Severity:
        return KINDS[self.kind].severity


@dataclass(frozen=True, slots=True)
class NotCompared:
    """A fact of a key that was not known ``then`` or is not ``now``: "denied", "failed", "not read", "".

    A fact of a whole Region (its keys, its aliases) has no ``key``.
    """

    fact: str
    place: AccountRegion
    then: str
    now: str
    key: ChangedKey | None = None

    @property
    def reason(self) -> str:
        """ "denied then", "not read now"."""
        told = [f"{state} {when}" for state, when in ((self.then, "then"), (self.now, "now")) if state]
        return ", ".join(told)


def in_order(changes: list[KeyChange]) -> tuple[KeyChange, ...]:
    """The gravest kind first, then by the key's name."""
    places = {kind: number for number, kind in enumerate(ChangeKind)}
    return tuple(sorted(changes, key=lambda each: (places[each.kind], each.key.name.lower(), each.key.arn)))
