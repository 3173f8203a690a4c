"""From CloudTrail's events to what is told of them, whatever they lack."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_tui.evidence.events import Purpose, matching, usage_event
from tests.unit.evidence.trail import KEY, NOW, entry


def test_an_event_tells_who_what_when_from_where_and_with_which_context() -> None:
    event = usage_event(entry("e1", who="app", minutes_ago=5, context={"table": "orders"}))
    assert (event.who, event.operation, event.result) == ("app", "Decrypt", "allowed")
    assert event.time is not None
    assert (NOW - event.time).seconds == 300
    assert (event.address, event.agent) == ("10.0.0.1", "Boto3/1.40")
    assert event.context == (("table", "orders"),)
    assert event.keys == (KEY,)
    assert event.principal.endswith("assumed-role/app/s1")
    assert json.loads(event.raw)["eventID"] == "e1"


@pytest.mark.parametrize(
    ("identity", "who", "principal"),
    [
        ({"type": "IAMUser", "userName": "ada", "arn": "an ARN"}, "ada", "an ARN"),
        ({"type": "Root", "arn": "arn:aws:iam::1:root"}, "root", "arn:aws:iam::1:root"),
        ({"type": "AWSService", "invokedBy": "rds.amazonaws.com"}, "rds.amazonaws.com", "rds.amazonaws.com"),
        ({"type": "AWSAccount", "accountId": "444455556666"}, "account 444455556666", "444455556666"),
        ({"type": "AssumedRole", "arn": "arn:aws:sts::1:assumed-role/r"}, "r", None),
        ({"type": "Unknown", "principalId": "AIDA"}, "someone", "AIDA"),
        ({}, "someone", "someone"),
        (["not", "a", "mapping"], "someone", "someone"),
    ],
)  # fmt: skip
def test_each_kind_of_caller_has_a_short_name(identity: Any, who: str, principal: str | None) -> None:
    record = {"eventName": "Decrypt", "userIdentity": identity}
    event = usage_event({"Username": "someone", "CloudTrailEvent": json.dumps(record)})
    assert (event.who, event.principal) == (who, principal or identity["arn"])


@pytest.mark.parametrize(
    ("code", "result"),
    [("AccessDenied", "denied"), ("DisabledException", "key disabled"), ("Brand.New", "Brand.New")],
)
def test_a_refusal_has_its_reason_in_words(code: str, result: str) -> None:
    event = usage_event(entry("e1", error=code, message="no"))
    assert event.is_refused
    assert event.result == result


def test_a_dry_run_is_no_refusal() -> None:
    assert not usage_event(entry("e1", error="DryRunOperationException")).is_refused


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "[" * 100_000, '"\x1b[31m"'])
def test_a_record_that_cannot_be_read_is_never_taken_for_an_allowed_call(text: str) -> None:
    event = usage_event({**entry("e1"), "CloudTrailEvent": text})
    assert (event.result, event.is_readable) == ("not known", False)
    assert (event.operation, event.who, event.keys) == ("Decrypt", "s1", (KEY,))
    assert event.raw
    assert matching("allowed", [event]) == []


def test_an_event_without_anything_is_still_one() -> None:
    event = usage_event({})
    assert (event.operation, event.time, event.result) == ("?", None, "not known")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_RECORD = st.dictionaries(
    st.sampled_from(
        ["userIdentity", "eventTime", "eventName", "errorCode", "requestParameters", "resources", "eventID"]
    ),
    _JSON | st.fixed_dictionaries({"encryptionContext": _JSON, "sessionContext": _JSON}),
)


@given(_RECORD, st.dictionaries(st.sampled_from(["EventTime", "Resources", "EventId", "Username"]), _JSON))
def test_no_event_is_too_odd_to_be_told(record: dict[str, Any], outer: dict[str, Any]) -> None:
    event = usage_event({**outer, "CloudTrailEvent": json.dumps(record)})
    assert isinstance(event.who, str)
    assert isinstance(event.search_text, str)
    assert event.result
    assert event.raw


def test_calls_that_use_change_or_only_look_are_told_apart() -> None:
    purposes = {name: usage_event(entry("e", name)).purpose for name in ("Sign", "DescribeKey", "DeleteKey")}
    assert purposes == {"Sign": Purpose.USE, "DescribeKey": Purpose.LOOK, "DeleteKey": Purpose.CHANGE}


def test_a_time_without_a_zone_is_utc() -> None:
    assert usage_event({"EventTime": datetime(2026, 1, 1)}).time == datetime(2026, 1, 1, tzinfo=UTC)


_EVENTS = [
    usage_event(entry("1", who="app", context={"table": "orders"})),
    usage_event(entry("2", "Encrypt", who="batch")),
    usage_event(entry("3", who="app", error="AccessDenied", message="no app here")),
]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "123"),
        ("app", "13"),
        ("who:app", "13"),
        ("WHO:APP -refused", "1"),
        ("op:encrypt", "2"),
        ("result:refused", "3"),
        ("result:allowed", "12"),
        ("result:denied", "3"),
        ("from:boto3", "123"),
        ("context:table=orders", "1"),
        ("-context:table=orders app", "3"),
        ('"no app"', "3"),
        ("aws:nothing", ""),
        ("arn:aws:sts", "123"),
    ],
)
def test_a_filter_finds_by_word_and_by_field(text: str, found: str) -> None:
    assert "".join(event.event_id for event in matching(text, _EVENTS)) == found
