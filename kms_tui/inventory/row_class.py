"""What many rows have in common, as one shared object: filters, sorts and counts go by class, not by row.

An account of 100,000 keys has some hundred classes, so a question about a class is asked a hundred times.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, IntEnum
from typing import Any

from kms_tui.kms.facts import NOT_APPLICABLE, Denied, Fact, Failed, Known
from kms_tui.kms.model import Key, KeyRotationStatus, KeyState

EXPIRES_SOON = timedelta(days=30)
"""Imported key material that expires within this time needs attention."""


class Reading(Enum):
    """How far a fact has been read."""

    KNOWN = "known"
    PENDING = "pending"
    """Unasked or loading."""
    DENIED = "denied"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"

    @property
    def refused(self) -> bool:
        return self in (Reading.DENIED, Reading.FAILED)


def reading_of(fact: Fact[Any]) -> Reading:
    return _READINGS.get(fact.__class__) or (
        Reading.NOT_APPLICABLE if fact is NOT_APPLICABLE else Reading.PENDING
    )


_READINGS: dict[type, Reading] = {Known: Reading.KNOWN, Denied: Reading.DENIED, Failed: Reading.FAILED}


class Concern(IntEnum):
    """Why a key needs attention, the most urgent first; HEALTHY and UNKNOWN are not reasons."""

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


_STATE_CONCERNS: dict[str, Concern] = {
    KeyState.PENDING_DELETION: Concern.PENDING_DELETION,
    KeyState.PENDING_REPLICA_DELETION: Concern.PENDING_REPLICA_DELETION,
    KeyState.UNAVAILABLE: Concern.UNAVAILABLE,
    KeyState.PENDING_IMPORT: Concern.PENDING_IMPORT,
    KeyState.DISABLED: Concern.DISABLED,
    KeyState.CREATING: Concern.CREATING,
    KeyState.UPDATING: Concern.UPDATING,
}


def concern_of(
    described: Fact[Key], rotation: Fact[KeyRotationStatus], *, gone: bool, now: datetime
) -> Concern:
    """The most urgent reason why a key needs attention, as far as it is known."""
    if gone:
        return Concern.GONE
    if isinstance(described, Denied | Failed):
        return Concern.CANNOT_DESCRIBE
    if not isinstance(described, Known):
        return Concern.UNKNOWN
    key = described.value
    concern = _STATE_CONCERNS.get(key.state, Concern.HEALTHY)
    if key.valid_to is not None and key.valid_to - now < EXPIRES_SOON:
        concern = min(concern, Concern.MATERIAL_EXPIRES)
    if isinstance(rotation, Known) and not rotation.value.enabled:
        concern = min(concern, Concern.ROTATION_OFF)
    return concern


@dataclass(frozen=True, slots=True, eq=False)
class RowClass:
    """Equal classes are one object, made by ``row_class_of``.

    ``spec``, ``usage``, ``state`` and ``origin`` are "" until the key is described; ``rotation_days`` is 0
    while rotation is off or not known.
    """

    region: str
    aws: bool
    gone: bool
    concern: Concern
    described: Reading
    spec: str
    usage: str
    state: str
    origin: str
    rotation: Reading
    rotation_days: int
    tags: Reading
    last_usage: Reading

    @property
    def is_read(self) -> bool:
        """Whether every fact that decides ``concern`` is known."""
        return self.described is Reading.KNOWN and self.rotation in (Reading.KNOWN, Reading.NOT_APPLICABLE)

    def reading(self, name: str) -> Reading:
        """How far a fact has been read, by its name; not the policy, which no filter asks about."""
        reading: Reading = getattr(self, name)
        return reading


_row_classes: dict[tuple[Any, ...], RowClass] = {}


def row_class_of(*members: Any) -> RowClass:
    """The one RowClass with these members, in the order of its fields."""
    row_class = _row_classes.get(members)
    return row_class if row_class is not None else _row_classes.setdefault(members, RowClass(*members))


UNREAD = row_class_of(
    "", False, False, Concern.UNKNOWN, Reading.PENDING, "", "", "", "", Reading.PENDING, 0,
    Reading.PENDING, Reading.PENDING,
)  # fmt: skip
"""The class of a new row."""
