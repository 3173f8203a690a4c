"""What many rows have in common, as one shared object: filters, sorts and counts go by class, not by row.

An account of 100,000 keys has some hundred classes, so a question about a class is asked a hundred times.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from kms_tui.inventory.row_health import UNDESCRIBED, RowHealth
from kms_tui.kms.facts import NOT_APPLICABLE, Denied, Fact, Failed, Known


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


@dataclass(frozen=True, slots=True, eq=False)
class RowClass:
    """Equal classes are one object, made by ``row_class_of``.

    ``spec``, ``usage``, ``state`` and ``origin`` are "" until the key is described; ``rotation_days`` is 0
    while rotation is off or not known.
    """

    region: str
    aws: bool
    gone: bool
    health: RowHealth
    described: Reading
    spec: str
    usage: str
    state: str
    origin: str
    rotation: Reading
    rotation_days: int
    tags: Reading
    policy: Reading
    last_usage: Reading

    @property
    def is_read(self) -> bool:
        """Whether the key is described and every check of it was judged; AWS-managed keys have none."""
        return self.described is Reading.KNOWN and self.health.is_whole

    def reading(self, name: str) -> Reading:
        """How far a fact has been read, by its name."""
        reading: Reading = getattr(self, name)
        return reading


_row_classes: dict[tuple[Any, ...], RowClass] = {}


def row_class_of(*members: Any) -> RowClass:
    """The one RowClass with these members, in the order of its fields."""
    row_class = _row_classes.get(members)
    return row_class if row_class is not None else _row_classes.setdefault(members, RowClass(*members))


UNREAD = row_class_of(
    "", False, False, UNDESCRIBED, Reading.PENDING, "", "", "", "", Reading.PENDING, 0,
    Reading.PENDING, Reading.PENDING, Reading.PENDING,
)  # fmt: skip
"""The class of a new row."""
