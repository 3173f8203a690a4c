"""Readings: counts and times, bounded memory, LookupEvents, and a cancelled one."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from kms_tui.evidence.activity import Trail
from kms_tui.evidence.request_history import history_source
from kms_tui.evidence.request_history.event_lookup import EventLookup
from kms_tui.evidence.request_history.event_records import requests_in
from kms_tui.evidence.request_history.history_source import (
    HistoryQuery,
    HistoryReading,
    RequestHistory,
    read_history,
)
from kms_tui.kms.errors import ServiceError, UnavailableError
from tests.unit.evidence.request_history.trail_events import KEY, NOW, OTHER_KEY, REGION, event
from tests.unit.evidence.trail import FakeTrail, Time

QUERY = HistoryQuery(NOW - timedelta(days=30), NOW, KEY)


def read(*records: dict[str, Any], query: HistoryQuery = QUERY) -> RequestHistory:
    reading = HistoryReading(query, "a test")
    for record in records:
        reading.add(requests_in(record))
    reading.finish()
    return reading.snapshot()


def test_alike_requests_are_counted_with_their_first_and_last_time() -> None:
    history = read(*(event(age=timedelta(hours=hours)) for hours in (5, 2, 9)), event("Encrypt"))
    first, second = history.groups
    assert (first.count, first.first, first.last) == (3, NOW - timedelta(hours=9), NOW - timedelta(hours=2))
    assert (second.request.operation, second.count) == ("Encrypt", 1)
    assert history.coverage.events == 4


def test_other_keys_and_times_are_left_out() -> None:
    history = read(event(keys=(OTHER_KEY,)), event(age=timedelta(days=31)), event(age=timedelta(hours=-1)))
    assert history.groups == ()
    assert history.coverage.events == 0


def test_very_many_contexts_are_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_source, "MOST_CONTEXTS", 3)
    history = read(*(event(context={"order": str(number)}) for number in range(10)))
    assert sorted((group.request.context_label, group.count) for group in history.groups) == [
        ("order=*", 7),
        ("order=0", 1),
        ("order=1", 1),
        ("order=2", 1),
    ]


def test_beyond_the_most_distinct_requests_none_is_kept_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(history_source, "MOST_DISTINCT", 2)
    history = read(event("Decrypt"), event("Encrypt"), event("DescribeKey"), event("Decrypt"))
    assert [(group.request.operation, group.count) for group in history.groups] == [
        ("Decrypt", 2),
        ("Encrypt", 1),
    ]
    assert history.coverage.events == 4
    assert history.coverage.notes[-1].startswith("1 requests beyond")


def entries(*records: dict[str, Any]) -> list[dict[str, Any]]:
    """Entries of LookupEvents, newest first."""
    return [
        {
            "EventId": str(number),
            "EventTime": NOW - timedelta(minutes=number),
            "Resources": [{"ResourceName": KEY}],
            "CloudTrailEvent": json.dumps(
                record | {"eventTime": f"{NOW - timedelta(minutes=number):%Y-%m-%dT%H:%M:%SZ}"}
            ),
        }
        for number, record in enumerate(records)
    ]


def test_lookup_events_are_read_page_by_page() -> None:
    services, time = FakeTrail(entries(*[event()] * 120)), Time()
    source = EventLookup(Trail(services, clock=time, sleep=time.sleep), REGION)
    history = read_history(source, QUERY)
    assert [group.count for group in history.groups] == [120]
    assert history.coverage.complete
    assert history.coverage.since == QUERY.since
    assert len(services.calls) == 3
    assert len(time.slept) == 2


def test_a_cancelled_lookup_keeps_what_it_has_and_says_how_far_it_came() -> None:
    services, time = FakeTrail(entries(*[event()] * 120)), Time()
    source = EventLookup(Trail(services, clock=time, sleep=time.sleep), REGION)
    reading = HistoryReading(QUERY, source.name)

    def sleep(seconds: float) -> None:
        time.now += seconds
        reading.cancel()

    EventLookup(Trail(services, clock=time, sleep=sleep), REGION).read(reading)
    coverage = reading.snapshot().coverage
    assert (coverage.events, coverage.complete) == (50, False)
    assert coverage.since == NOW - timedelta(minutes=49)


def test_an_event_that_is_no_json_is_told_and_passed_over() -> None:
    found = entries(event(), event())
    found[0]["CloudTrailEvent"] = "{" * 100_000
    source = EventLookup(Trail(FakeTrail(found), is_live=True), REGION)
    history = read_history(source, QUERY)
    assert history.coverage.events == 1
    assert "Some events could not be read." in history.coverage.notes


def test_the_quota_of_90_days_is_told() -> None:
    source = EventLookup(Trail(FakeTrail(), clock=Time(), sleep=Time().sleep), REGION)
    history = read_history(source, HistoryQuery(NOW - timedelta(days=400), NOW, KEY))
    assert "LookupEvents goes back 90 days, no further." in history.coverage.notes
    assert history.coverage.since == NOW - timedelta(days=90)


def test_without_cloudtrail_reading_fails_in_a_sentence() -> None:
    kms_alone = FakeTrail()
    kms_alone.error = ServiceError("UnknownOperationException", "no operation of KMS")
    for trail in (FakeTrail(offered=False), kms_alone):
        source = EventLookup(Trail(trail), REGION)
        with pytest.raises(UnavailableError, match="LookupEvents is not available here"):
            read_history(source, QUERY)
