"""What is coming to keys, soonest first, and how much of it may be missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_tui.evidence.calendar import (
    Calendar,
    CalendarEvent,
    DuePeriod,
    EventKind,
    KeyDates,
    calendar,
    due_period,
)
from kms_tui.kms.errors import EndpointError, ServiceError
from kms_tui.kms.facts import LOADING, NOT_APPLICABLE, UNASKED, Denied, Failed, Known
from kms_tui.kms.model import Key, KeyRotationStatus
from tests.unit.evidence.test_cost import KEY

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DENIED = Denied(ServiceError("AccessDeniedException"))
FAILED = Failed(EndpointError("gone"))


def key(arn: str, *, deleted: float = 0, expires: float = 0, rotates: float = 0) -> KeyDates:
    """Each number is in days from now, 0 for never."""

    def at(days: float) -> datetime | None:
        return NOW + timedelta(days=days) if days else None

    described: Key = replace(KEY, deletion_date=at(deleted), valid_to=at(expires))
    status = KeyRotationStatus(bool(rotates), 365 if rotates else None, at(rotates))
    return KeyDates(arn, Known(described), Known(status))


def test_events_of_every_kind_come_soonest_first() -> None:
    found = calendar([key("a", rotates=90), key("b", deleted=12, expires=3), key("c"), key("d", rotates=1)])
    assert [(event.arn, event.kind) for event in found.events] == [
        ("d", EventKind.ROTATION),
        ("b", EventKind.EXPIRY),
        ("b", EventKind.DELETION),
        ("a", EventKind.ROTATION),
    ]
    assert found.count(EventKind.ROTATION) == 2


def test_a_primary_that_waits_for_its_replicas_has_no_date_and_comes_last() -> None:
    waiting = KeyDates("w", Known(replace(KEY, state="PendingReplicaDeletion")), NOT_APPLICABLE)
    found = calendar([waiting, key("a", rotates=900)])
    assert found.events[-1] == CalendarEvent("w", EventKind.DELETION_AFTER_REPLICAS)


@pytest.mark.parametrize(
    ("dates", "counted"),
    [
        (KeyDates("k", DENIED, UNASKED), Calendar((), refused_keys=1)),
        (KeyDates("k", FAILED, UNASKED), Calendar((), refused_keys=1)),
        (KeyDates("k", Known(KEY), DENIED), Calendar((), refused_rotations=1)),
        (KeyDates("k", Known(KEY), FAILED), Calendar((), refused_rotations=1)),
        (KeyDates("k", UNASKED, UNASKED), Calendar((), unread=1)),
        (KeyDates("k", Known(KEY), LOADING), Calendar((), unread=1)),
        (KeyDates("k", Known(KEY), NOT_APPLICABLE), Calendar(())),
    ],
)
def test_what_is_not_known_is_counted_and_never_taken_for_nothing(dates: KeyDates, counted: Calendar) -> None:
    assert calendar([dates]) == counted


def test_a_refused_rotation_does_not_hide_a_deletion() -> None:
    found = calendar([replace(key("k", deleted=5), rotation=DENIED)])
    assert (found.count(EventKind.DELETION), found.refused_rotations) == (1, 1)


@pytest.mark.parametrize(
    ("time", "soon"),
    [
        (NOW - timedelta(days=3), DuePeriod.DUE),
        (NOW, DuePeriod.DUE),
        (datetime(2026, 11, 20, 23, 59, tzinfo=UTC), DuePeriod.TODAY),
        (datetime(2026, 11, 21, 0, 0, tzinfo=UTC), DuePeriod.WEEK),
        (datetime(2026, 11, 27, 23, 59, tzinfo=UTC), DuePeriod.WEEK),
        (datetime(2026, 11, 28, 0, 0, tzinfo=UTC), DuePeriod.MONTH),
        (datetime(2026, 12, 20, 23, 59, tzinfo=UTC), DuePeriod.MONTH),
        (datetime(2026, 12, 21, 0, 0, tzinfo=UTC), DuePeriod.LATER),
        (None, DuePeriod.UNDATED),
    ],
)
def test_days_end_at_midnight(time: datetime | None, soon: DuePeriod) -> None:
    assert due_period(time, NOW, UTC) is soon


def test_midnight_is_that_of_the_reader() -> None:
    late = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)
    assert due_period(late, NOW, UTC) is DuePeriod.TODAY
    assert due_period(late, NOW, timezone(timedelta(hours=9))) is DuePeriod.WEEK


DAYS = st.integers(-5, 60)


@given(st.lists(st.tuples(DAYS, DAYS, DAYS), max_size=8))
def test_every_date_is_there_once_and_groups_follow_each_other(days: list[tuple[int, int, int]]) -> None:
    keys = [
        key(str(number), deleted=deleted, expires=expires, rotates=rotates)
        for number, (deleted, expires, rotates) in enumerate(days)
    ]
    events = calendar(keys).events
    assert len(events) == len(set(events)) == sum(bool(each) for three in days for each in three)
    groups = [due_period(event.time, NOW, UTC) for event in events]
    assert groups == sorted(groups)
