"""The store's record, grouped: the same requests and counts as LookupEvents, page by page, gives."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kms_tui.backend.base import GroupsEvents
from kms_tui.demo import demo_backend
from kms_tui.evidence.activity import Trail
from kms_tui.evidence.request_history.event_lookup import EventLookup, StoreRecord, source_of
from kms_tui.evidence.request_history.history_source import HistoryQuery, RequestHistory, read_history
from kms_tui.evidence.request_history.recorded_request import RecordedRequest, RequestDetail
from kms_tui.kms.errors import ServiceError
from tests.unit.evidence.trail import NOW, FakeTrail

BACKEND = demo_backend(now=lambda: NOW)
TRAIL = Trail(BACKEND.services, is_live=True)


def counted(history: RequestHistory) -> dict[RecordedRequest, tuple[int, object]]:
    return {
        group.request: (group.count, group.last.replace(microsecond=0) if group.last else None)
        for group in history.groups
    }


@pytest.mark.parametrize("alias", ["orders-db", "customer-pii", "partner-exchange", ""])
@pytest.mark.parametrize("details", [frozenset(), frozenset(RequestDetail)])
def test_groups_are_those_of_lookup_events(alias: str, details: frozenset[RequestDetail]) -> None:
    key = BACKEND.call("DescribeKey", {"KeyId": f"alias/{alias}"})["KeyMetadata"]["Arn"] if alias else ""
    query = HistoryQuery(NOW - timedelta(days=60), NOW, key, details)
    source = source_of(TRAIL, BACKEND.region)
    assert isinstance(source, StoreRecord)
    grouped = read_history(source, query)
    looked_up = read_history(EventLookup(TRAIL, BACKEND.region), query)
    assert counted(grouped) == counted(looked_up)
    assert grouped.groups
    assert grouped.coverage.complete


def test_another_account_has_no_events_of_a_key_and_a_text_that_is_none_has_none() -> None:
    services = BACKEND.services
    assert isinstance(services, GroupsEvents)
    span = NOW - timedelta(days=60), NOW
    assert services.event_groups("no ARN", *span) == []
    other = demo_backend(now=lambda: NOW, caller_arn="arn:aws:iam::444455556666:root").services
    assert isinstance(other, GroupsEvents)
    records = [group.record for group in other.event_groups("", *span)]
    assert {record["userIdentity"]["accountId"] for record in records} == {"444455556666"}


def test_who_may_not_look_up_events_gets_no_groups() -> None:
    caller = "arn:aws:sts::111122223333:assumed-role/app/s1"
    services = demo_backend(now=lambda: NOW, caller_arn=caller).services
    assert isinstance(services, GroupsEvents)
    with pytest.raises(ServiceError, match="cloudtrail:LookupEvents"):
        services.event_groups("", NOW - timedelta(days=1), NOW)


def test_aws_has_lookup_events_alone() -> None:
    assert isinstance(source_of(Trail(FakeTrail()), "eu-west-1"), EventLookup)
