"""Reading a key's events: page by page, each once, and no faster than CloudTrail allows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from kms_tui.evidence.activity import EventHistory, Pacer, Trail, of_key
from kms_tui.kms.errors import ServiceError, UnavailableError
from tests.unit.evidence.trail import KEY, NOW, OTHER, REGION, FakeTrail, Time, entry


def reader(fake: FakeTrail, time: Time | None = None) -> EventHistory:
    time = time or Time()
    return of_key(Trail(fake, clock=time, sleep=time.sleep), KEY, REGION, NOW)


def ids(events: EventHistory) -> list[str]:
    return [event.event_id for event in events.events]


def test_a_key_is_asked_for_by_its_arn_over_ninety_days() -> None:
    fake = FakeTrail([entry("1"), entry("2", keys=[OTHER])])
    events = reader(fake)
    events.more()
    assert ids(events) == ["1"]
    (asked,) = fake.calls
    assert asked["LookupAttributes"] == [{"AttributeKey": "ResourceName", "AttributeValue": KEY}]
    assert asked["StartTime"] == NOW - timedelta(days=90)
    assert asked["MaxResults"] == 50


def test_pages_come_on_demand_half_a_second_apart() -> None:
    time, fake = Time(), FakeTrail([entry(str(number), minutes_ago=number) for number in range(120)])
    events = reader(fake, time)
    counts = []
    while not events.is_complete:
        counts.append(len(events.more()))
    assert counts == [50, 50, 20]
    assert time.now == 1.0
    assert events.more() == []
    assert len(fake.calls) == 3


def test_events_are_newest_first_and_those_without_a_time_last() -> None:
    entries = [entry("old", minutes_ago=9), entry("a"), entry("b"), {**entry("odd"), "CloudTrailEvent": "{}"}]
    fake = FakeTrail(entries)
    events = reader(fake)
    events.more()
    assert ids(events) == ["a", "b", "odd", "old"]
    timeless = {**entry("timeless"), "CloudTrailEvent": "{}"}
    answer = {"Events": [{name: value for name, value in timeless.items() if name != "EventTime"}]}
    fake.call = lambda *_: answer  # type: ignore[method-assign]
    events.refresh()
    assert "timeless" in ids(events)


def test_ten_thousand_events_are_read_each_once_though_pages_overlap() -> None:
    # CloudTrail may tell an event again when others arrive between two pages.
    fake = FakeTrail()
    entries = [entry(str(number), minutes_ago=number) for number in range(10_000)]

    def overlapping(_service: str, _operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        start = int(params.get("NextToken", 0))
        end = start + 40
        return {"Events": entries[start : end + 10]} | ({"NextToken": str(end)} if end < 10_000 else {})

    fake.call = overlapping  # type: ignore[assignment,method-assign]
    events = reader(fake)
    while not events.is_complete:
        events.more()
    assert ids(events) == [str(number) for number in range(10_000)]


def test_a_refresh_adds_what_is_new_and_keeps_what_was_read() -> None:
    fake = FakeTrail([entry(str(number), minutes_ago=number) for number in range(60)])
    events = reader(fake)
    events.more()
    events.more()
    fake.entries.insert(0, entry("new"))
    assert [event.event_id for event in events.refresh()] == ["new"]
    assert ids(events)[:2] == ["new", "0"]
    assert len(ids(events)) == 61
    assert events.is_complete


def test_where_too_much_is_new_reading_begins_anew() -> None:
    fake = FakeTrail([entry("first", minutes_ago=900)])
    events = reader(fake)
    events.more()
    fake.entries[:0] = [entry(f"new{number}", minutes_ago=number) for number in range(300)]
    events.refresh()
    assert "first" not in ids(events)
    while not events.is_complete:
        events.more()
    assert len(ids(events)) == 301


def test_events_without_an_id_are_told_apart() -> None:
    entries = []
    for minutes in (1, 2):
        each = entry("", minutes_ago=minutes)
        entries.append(each)
    events = reader(FakeTrail(entries))
    events.more()
    assert len(events.events) == 2


def test_a_failed_page_leaves_what_was_read_and_can_be_asked_again() -> None:
    fake = FakeTrail([entry(str(number), minutes_ago=number) for number in range(60)])
    events = reader(fake)
    events.more()
    fake.error = ServiceError("ThrottlingException", "Rate exceeded", operation="LookupEvents")
    with pytest.raises(ServiceError):
        events.more()
    assert len(ids(events)) == 50
    fake.error = None
    events.more()
    assert len(ids(events)) == 60


def test_what_is_no_longer_wanted_is_not_asked() -> None:
    fake = FakeTrail([entry("1")])
    events = reader(fake)
    assert events.more(lambda: False) == []
    assert not events.has_begun
    assert fake.calls == []


def test_waiting_ends_and_takes_no_turn_once_it_is_not_wanted() -> None:
    time = Time()
    pacer = Pacer(0.5, time, time.sleep)
    assert pacer.wait()
    answers = iter([True, False])
    assert not pacer.wait(lambda: next(answers))
    assert pacer.wait()
    assert time.now == 0.5


def test_each_region_has_its_own_pace() -> None:
    time, fake = Time(), FakeTrail([entry("1")])
    trail = Trail(fake, clock=time, sleep=time.sleep)
    for region in (REGION, "us-east-1", "us-west-2"):
        of_key(trail, KEY, region, NOW).more()
    assert time.slept == []


def test_a_live_trail_is_not_paced() -> None:
    time, fake = Time(), FakeTrail([entry(str(number), minutes_ago=number) for number in range(120)])
    events = of_key(Trail(fake, is_live=True, clock=time, sleep=time.sleep), KEY, REGION, NOW)
    while not events.is_complete:
        events.more()
    assert time.slept == []


def test_without_cloudtrail_it_says_so() -> None:
    with pytest.raises(UnavailableError):
        reader(FakeTrail(offered=False)).more()


def test_a_page_that_is_no_page_is_an_empty_one() -> None:
    fake = FakeTrail()
    fake.call = lambda *_: {"Events": ["nonsense", None]}  # type: ignore[method-assign]
    events = reader(fake)
    assert events.more() == []
    assert events.is_complete
