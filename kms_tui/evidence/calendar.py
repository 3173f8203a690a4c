"""Coming dates of an account's keys: deletions, expiries of imported material, automatic rotations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import IntEnum, StrEnum

from kms_tui.kms.facts import Absent, Denied, Fact, Failed, Known
from kms_tui.kms.model import Key, KeyRotationStatus, KeyState


class Coming(StrEnum):
    """The kind of event."""

    DELETION = "deletion"
    """DescribeKey: DeletionDate."""
    DELETION_AFTER_REPLICAS = "deletion after its replicas"
    """A primary that waits for its replicas to be deleted has no date yet (PendingReplicaDeletion)."""
    EXPIRY = "expiry"
    """DescribeKey: ValidTo, the earliest date on which imported key material expires."""
    ROTATION = "rotation"
    """GetKeyRotationStatus: NextRotationDate."""


class When(IntEnum):
    """How soon, the soonest first; days are those of the reader's time zone."""

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
    """What is known of a customer key's dates; ``rotation`` is NOT_APPLICABLE where it cannot rotate."""

    arn: str
    described: Fact[Key]
    rotation: Fact[KeyRotationStatus]


@dataclass(frozen=True, slots=True)
class Event:
    """One coming event of one key."""

    arn: str
    what: Coming
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Calendar:
    """The events, soonest first and those without a date last, and how much may be missing from them."""

    events: tuple[Event, ...]
    unread: int = 0
    """Keys of which a fact has not been read yet."""
    refused_keys: int = 0
    """Keys that cannot be described."""
    refused_rotations: int = 0
    """Keys whose rotation may not be read, or could not be."""

    def count(self, *what: Coming) -> int:
        return sum(event.what in what for event in self.events)


def calendar(keys: Iterable[KeyDates]) -> Calendar:
    """The calendar of these keys."""
    events: list[Event] = []
    missing: Counter[str] = Counter()
    for key in keys:
        events += _events(key)
        missing[_missing(key)] += 1
    events.sort(key=_order)
    return Calendar(tuple(events), missing["unread"], missing["refused key"], missing["refused rotation"])


def _order(event: Event) -> tuple[bool, float, str]:
    return event.time is None, event.time.timestamp() if event.time else 0.0, event.arn


def _events(dates: KeyDates) -> Iterable[Event]:
    if isinstance(dates.described, Known):
        key = dates.described.value
        if key.deletion_date is not None:
            yield Event(dates.arn, Coming.DELETION, key.deletion_date)
        elif key.state == KeyState.PENDING_REPLICA_DELETION:
            yield Event(dates.arn, Coming.DELETION_AFTER_REPLICAS)
        if key.valid_to is not None:
            yield Event(dates.arn, Coming.EXPIRY, key.valid_to)
    if isinstance(dates.rotation, Known) and dates.rotation.value.next_date is not None:
        yield Event(dates.arn, Coming.ROTATION, dates.rotation.value.next_date)


def _missing(dates: KeyDates) -> str:
    """Why an event of a key may be missing, or ""."""
    if isinstance(dates.described, Denied | Failed):
        return "refused key"
    if isinstance(dates.rotation, Denied | Failed):
        return "refused rotation"
    if any(fact in (Absent.UNASKED, Absent.LOADING) for fact in (dates.described, dates.rotation)):
        return "unread"
    return ""


def when(time: datetime | None, now: datetime, zone: tzinfo | None = None) -> When:
    """How soon a time is; ``zone`` is that of the system where it is not given."""
    if time is None:
        return When.UNDATED
    if time <= now:
        return When.DUE
    days = time.astimezone(zone).date() - now.astimezone(zone).date()
    for limit, how_soon in ((0, When.TODAY), (7, When.WEEK), (30, When.MONTH)):
        if days <= timedelta(days=limit):
            return how_soon
    return When.LATER
