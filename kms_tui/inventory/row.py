"""A row of the inventory: one key of one region, and each fact about it as far as it is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any

from kms_tui.kms.facts import LOADING, NOT_APPLICABLE, UNASKED, Denied, Fact, Failed, Known
from kms_tui.kms.keyspecs import SYMMETRIC_DEFAULT
from kms_tui.kms.model import Key, KeyLastUsage, KeyOrigin, KeyRotationStatus, KeyState, Tag

EXPIRES_SOON = timedelta(days=30)
"""Imported key material that expires within this time needs attention."""


class FactName(StrEnum):
    """The facts that take a call to learn; the values are the attributes of Row."""

    DESCRIBED = "described"
    ROTATION = "rotation"
    TAGS = "tags"
    LAST_USAGE = "last_usage"
    POLICY = "policy"


class Concern(IntEnum):
    """Why a key needs its keeper, the most urgent first; HEALTHY and UNKNOWN are not reasons."""

    PENDING_DELETION = 0
    PENDING_REPLICA_DELETION = 1
    UNAVAILABLE = 2
    PENDING_IMPORT = 3
    MATERIAL_EXPIRES = 4
    CANNOT_DESCRIBE = 5
    GONE = 6
    DISABLED = 7
    CREATING = 8
    UPDATING = 9
    ROTATION_OFF = 10
    HEALTHY = 11
    UNKNOWN = 12

    @property
    def needs_attention(self) -> bool:
        return self < Concern.HEALTHY


_STATE_CONCERNS: Mapping[str, Concern] = {
    KeyState.PENDING_DELETION: Concern.PENDING_DELETION,
    KeyState.PENDING_REPLICA_DELETION: Concern.PENDING_REPLICA_DELETION,
    KeyState.UNAVAILABLE: Concern.UNAVAILABLE,
    KeyState.PENDING_IMPORT: Concern.PENDING_IMPORT,
    KeyState.DISABLED: Concern.DISABLED,
    KeyState.CREATING: Concern.CREATING,
    KeyState.UPDATING: Concern.UPDATING,
}


@dataclass(slots=True, eq=False)
class Row:
    """One key; only the inventory writes to it, under its lock, and calls ``settle`` after each change.

    Readers need no lock: each attribute is replaced whole.
    """

    arn: str
    """The row's key: unique over regions, as the replicas of a multi-Region key share their id."""
    key_id: str
    region: str
    aliases: tuple[str, ...] = ()
    """Without ``alias/``, sorted; the first is the name that people use."""
    seen: int = 0
    """The last listing of the region that had this key."""
    stale: frozenset[FactName] = frozenset()
    """Facts read before the last refresh: still shown, to be read again when looked at."""
    gone: bool = False
    """No longer listed; the row stays in place until the list is sorted or filtered again."""
    described: Fact[Key] = UNASKED
    rotation: Fact[KeyRotationStatus] = UNASKED
    tags: Fact[tuple[Tag, ...]] = UNASKED
    last_usage: Fact[KeyLastUsage] = UNASKED
    policy: Fact[str] = UNASKED
    # What filters and sorts read for every row at every keystroke, kept ready by settle().
    haystack: str = ""
    sort_name: str = ""
    concern: Concern = Concern.UNKNOWN
    aws: bool = False
    """Managed by AWS: by DescribeKey, or by an ``alias/aws/`` alias until that has answered."""

    @property
    def key(self) -> Key | None:
        """DescribeKey's answer, where there is one."""
        return self.described.value if isinstance(self.described, Known) else None

    def fact(self, name: FactName) -> Fact[Any]:
        fact: Fact[Any] = getattr(self, name.value)
        return fact

    def wants(self, name: FactName) -> bool:
        """Whether a fact has still to arrive, for the first time or since the last refresh."""
        return self.fact(name) in (UNASKED, LOADING) or name in self.stale

    def applies(self, name: FactName) -> bool | None:
        """Whether reading a fact makes sense for this key; None until the key is described.

        Automatic rotation is for symmetric encryption keys of AWS_KMS origin (EnableKeyRotation), and is off
        while a deletion is pending. AWS-managed keys are not probed: their owners' alarms ring, and
        ``aws/acm`` denies everyone.
        """
        if name is FactName.DESCRIBED:
            return True
        if self.aws:
            return False
        if name is not FactName.ROTATION:
            return True
        key = self.key
        if key is None:
            return None
        return (
            key.spec == SYMMETRIC_DEFAULT
            and key.origin == KeyOrigin.AWS_KMS
            and key.state not in (KeyState.PENDING_DELETION, KeyState.PENDING_REPLICA_DELETION)
        )

    def settle(self, now: datetime) -> None:
        """Bring what is derived from the facts up to date."""
        key = self.key
        by_alias = bool(self.aliases) and self.aliases[0].startswith("aws/")
        self.aws = key.is_aws_managed if key is not None else by_alias
        for name in FactName:
            fact = self.fact(name)
            if fact is UNASKED and self.applies(name) is False:
                setattr(self, name.value, NOT_APPLICABLE)
            elif fact is NOT_APPLICABLE and self.applies(name):
                setattr(self, name.value, UNASKED)
        parts = [*self.aliases, self.key_id]
        if key is not None and key.description:
            parts.append(key.description)
        if isinstance(self.tags, Known):
            parts.extend(f"{tag.key}={tag.value}" for tag in self.tags.value)
        self.haystack = "\n".join(parts).lower()
        # "~" sorts after every character that an alias may have: keys without a name come last.
        self.sort_name = self.aliases[0].lower() if self.aliases else "~" + self.key_id
        self.concern = self._concern(now)

    def _concern(self, now: datetime) -> Concern:
        if self.gone:
            return Concern.GONE
        if isinstance(self.described, Denied | Failed):
            return Concern.CANNOT_DESCRIBE
        key = self.key
        if key is None:
            return Concern.UNKNOWN
        by_state = _STATE_CONCERNS.get(key.state)
        if by_state is not None and by_state < Concern.MATERIAL_EXPIRES:
            return by_state
        if key.valid_to is not None and key.valid_to - now < EXPIRES_SOON:
            return Concern.MATERIAL_EXPIRES
        if by_state is not None:
            return by_state
        if isinstance(self.rotation, Known) and not self.rotation.value.enabled:
            return Concern.ROTATION_OFF
        return Concern.HEALTHY
