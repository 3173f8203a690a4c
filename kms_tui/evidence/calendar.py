"""Future dates of an account's keys: deletions, expiries of imported material, automatic rotations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import IntEnum, StrEnum

from kms_tui.kms.facts import Absent, Denied, Fact, Failed, Known
from kms_tui.kms.model import Key, KeyRotationStatus, KeyState


class EventKind(StrEnum):
    """The kind of a calendar event."""

    DELETION = "deletion"
    """DescribeKey: DeletionDate."""
    DELETION_AFTER_REPLICAS = "deletion after its replicas"
    """A primary that waits for its replicas to be deleted has no date yet (PendingReplicaDeletion)."""
    EXPIRY = "expiry"
    """DescribeKey: ValidTo, the earliest date on which imported key material expires."""
    ROTATION = "rotation"
    """GetKeyRotationStatus: NextRotationDate."""


class DuePeriod(IntEnum):
    """How soon an event is due, the soonest first; days are those of the reader's time zone."""

    DUE = 0
    TODAY = 1
    WEEK = 2
    """Within seven days."""
    MONTH = 3
    """Within thirty days."""
    LATER = 4
    UNDATED = 5


@dataclass(frozen=True, slots=True)
class KeyDates:
    """The facts with a customer key's dates; ``rotation`` is NOT_APPLICABLE for a key that cannot rotate."""

    arn: str
    described: Fact[Key]
    rotation: Fact[KeyRotationStatus]


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """One future event of one key."""

    arn: str
    kind: EventKind
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Calendar:
    """The events, soonest first and undated ones last, and how many may be missing."""

    events: tuple[CalendarEvent, ...]
    unread: int = 0
    """Keys with a fact that has not been read yet."""
    refused_keys: int = 0
    """Keys that cannot be described."""
    refused_rotations: int = 0
    """Keys whose rotation was denied or failed."""

    def count(self, *kinds: EventKind) -> int:
        return sum(event.kind in kinds for event in self.events)


def calendar(keys: Iterable[KeyDates]) -> Calendar:
    """The calendar of these keys."""
    events: list[CalendarEvent] = []
    missing: Counter[str] = Counter()
    for key in keys:
        events += _events(key)
        missing[_missing(key)] += 1
    events.sort(key=_order)
    return Calendar(tuple(events), missing["unread"], missing["refused key"], missing["refused rotation"])


def _order(event: CalendarEvent) -> tuple[bool, float, str]:
    return event.time is None, event.time.timestamp() if event.time else 0.0, event.arn


def _events(dates: KeyDates) -> Iterable[CalendarEvent]:
    if isinstance(dates.described, Known):
        key = dates.described.value
        if key.deletion_date is not None:
            yield CalendarEvent(dates.arn, EventKind.DELETION, key.deletion_date)
        elif key.state == KeyState.PENDING_REPLICA_DELETION:
            yield CalendarEvent(dates.arn, EventKind.DELETION_AFTER_REPLICAS)
        if key.valid_to is not None:
            yield CalendarEvent(dates.arn, EventKind.EXPIRY, key.valid_to)
    if isinstance(dates.rotation, Known) and dates.rotation.value.next_date is not None:
        yield CalendarEvent(dates.arn, EventKind.ROTATION, dates.rotation.value.next_date)


def _missing(dates: KeyDates) -> str:
    """Why an event of a key may be missing, or ""."""
    if isinstance(dates.described, Denied | Failed):
        return "refused key"
    if isinstance(dates.rotation, Denied | Failed):
        return "refused rotation"
    if any(fact in (Absent.UNASKED, Absent.LOADING) for fact in (dates.described, dates.rotation)):
        return "unread"
    return ""


def due_period(time: datetime | None, now: datetime, zone: tzinfo | None = None) -> DuePeriod:
    """How soon a time is; ``zone`` defaults to the system's."""
    if time is None:
        return DuePeriod.UNDATED
    if time <= now:
        return DuePeriod.DUE
    days = time.astimezone(zone).date() - now.astimezone(zone).date()
    for limit, how_soon in ((0, DuePeriod.TODAY), (7, DuePeriod.WEEK), (30, DuePeriod.MONTH)):
        if days <= timedelta(days=limit):
            return how_soon
    return DuePeriod.LATER
