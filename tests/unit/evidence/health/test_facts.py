"""Since when a key is disabled, by the events of its region, and the policies of primaries elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from kms_tui.evidence.health import examined
from kms_tui.evidence.health.examined import Since, disabled_since
from kms_tui.kms.errors import KmsTuiError, ServiceError, UnavailableError
from kms_tui.kms.facts import Denied, Failed, Known
from tests.unit.evidence.health.build import NOW, days

A, B, C = (f"arn:aws:kms:eu-west-1:111122223333:key/{name}" for name in "abc")
BEGIN = NOW - days(90)


def event(name: str, arn: str, day: float, *, error: str = "") -> dict[str, Any]:
    detail = {"eventName": name, **({"errorCode": error} if error else {})}
    return {
        "EventName": name,
        "EventTime": NOW - days(day),
        "Resources": [{"ResourceType": "AWS::KMS::Key", "ResourceName": arn}],
        "CloudTrailEvent": json.dumps(detail),
    }


class Trail:
    """CloudTrail with some events, the newest first, a few a page."""

    region = "eu-west-1"

    def __init__(self, events: Sequence[dict[str, Any]] = (), *, page: int = 50, offers: bool = True) -> None:
        self.events = sorted(events, key=lambda each: -each["EventTime"].timestamp())
        self.page = page
        self._offers = offers
        self.calls: list[Mapping[str, Any]] = []
        self.error: KmsTuiError | None = None

    def offers(self, service: str) -> bool:
        return self._offers and service == "cloudtrail"

    def in_region(self, region: str) -> Trail:
        return self

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        assert (service, operation) == ("cloudtrail", "LookupEvents")
        self.calls.append(dict(params))
        if self.error is not None:
            raise self.error
        (asked,) = params["LookupAttributes"]
        assert asked["AttributeKey"] == "EventName"
        found = [each for each in self.events if each["EventName"] == asked["AttributeValue"]]
        found = [each for each in found if params["StartTime"] <= each["EventTime"] <= params["EndTime"]]
        start = int(params.get("NextToken", 0))
        end = start + self.page
        more = {"NextToken": str(end)} if end < len(found) else {}
        return {"Events": found[start:end], **more}


def asked(trail: Trail | None, *arns: str) -> dict[str, Any]:
    return dict(disabled_since(trail, arns, NOW, lambda _seconds: False))


def since(day: float) -> Known[Since]:
    return Known(Since(NOW - days(day)))


def test_one_look_through_the_regions_events_serves_every_key() -> None:
    trail = Trail([event("DisableKey", A, 64), event("DisableKey", A, 80), event("DisableKey", B, 3)])
    assert asked(trail, A, B, C) == {A: since(64), B: since(3), C: Known(Since(BEGIN, before=True))}
    assert len(trail.calls) == 2


def test_a_cancelled_deletion_leaves_a_key_disabled_too() -> None:
    trail = Trail([event("DisableKey", A, 64), event("CancelKeyDeletion", A, 5)])
    assert asked(trail, A) == {A: since(5)}


def test_a_refused_call_disabled_nothing() -> None:
    trail = Trail([event("DisableKey", A, 64), event("DisableKey", A, 2, error="AccessDenied")])
    assert asked(trail, A) == {A: since(64)}


def test_no_more_pages_are_read_than_it_takes_to_find_each_key() -> None:
    events = [event("DisableKey", arn, day) for day, arn in enumerate([A, B, *[C] * 8], 1)]
    trail = Trail(events, page=2)
    assert asked(trail, A, B) == {A: since(1), B: since(2)}
    assert len(trail.calls) == 2


def test_events_without_end_leave_what_was_not_found_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examined, "_PAGES", 3)
    trail = Trail([event("DisableKey", A if day == 1 else B, day) for day in range(1, 30)], page=2)
    found = asked(trail, A, C)
    assert found[A] == since(1)
    assert isinstance(found[C], Failed)


def test_what_may_not_be_read_is_denied_and_what_was_found_before_stays() -> None:
    trail = Trail([event("DisableKey", A, 64)])
    trail.error = ServiceError("AccessDeniedException", "cloudtrail:LookupEvents", operation="LookupEvents")
    assert asked(trail, A) == {A: Denied(trail.error)}


@pytest.mark.parametrize("trail", [None, Trail(offers=False)])
def test_without_cloudtrail_it_is_not_known(trail: Trail | None) -> None:
    fact = asked(trail, A)[A]
    assert isinstance(fact, Failed)
    assert isinstance(fact.error, UnavailableError)


@pytest.mark.parametrize("broken", [{"EventTime": "x"}, {"CloudTrailEvent": "{"}, {"Resources": ["x"]}])
def test_events_of_another_shape_leave_it_unknown(broken: dict[str, Any]) -> None:
    trail = Trail([event("DisableKey", A, 1)])
    trail.call = lambda service, operation, params: {  # type: ignore[method-assign]
        "Events": [trail.events[0] | broken]
    }
    assert isinstance(asked(trail, A)[A], Failed)


def test_an_event_that_names_the_key_by_what_was_asked_for_counts() -> None:
    given = event("DisableKey", "", 7)
    given["CloudTrailEvent"] = json.dumps({"requestParameters": {"keyId": "a"}})
    assert asked(Trail([given | {"Resources": []}]), A, B)[A] == since(7)


def test_it_stops_between_pages_when_nobody_wants_the_answer() -> None:
    trail = Trail([event("DisableKey", B, day) for day in range(1, 30)], page=2)
    found = disabled_since(trail, [A], NOW, lambda _seconds: True)
    assert isinstance(found[A], Failed)
    assert len(trail.calls) == 2
