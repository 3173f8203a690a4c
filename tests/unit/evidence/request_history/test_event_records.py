"""Records to requests: who, through what, with which context; and nothing raises."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.evidence.request_history.event_records import requests_in
from kms_tui.evidence.request_history.recorded_request import RecordedRequest, RefusedBy, RequestDetail
from tests.unit.evidence.request_history.trail_events import (
    ACCOUNT,
    KEY,
    OTHER_ACCOUNT,
    OTHER_KEY,
    PARTNER,
    SERVICE,
    denied,
    event,
    role,
    user,
)


def read(record: object, *details: RequestDetail) -> RecordedRequest:
    (found,) = requests_in(record, frozenset(details))
    return found.request


def test_a_session_counts_as_its_role_with_the_roles_path() -> None:
    request = read(event(identity=role("app", path="team/"), context={"table": "orders"}))
    assert request.principal == f"arn:aws:iam::{ACCOUNT}:role/team/app"
    assert request.principal_label == "role/team/app"
    assert (request.operation, request.key_arn, request.context_label) == ("Decrypt", KEY, "table=orders")
    assert request.context_shape == {"table": "orders"}
    assert request.is_answered


def test_a_session_is_kept_where_somebody_asks_for_it() -> None:
    assert read(event(), RequestDetail.SESSION).principal == f"arn:aws:sts::{ACCOUNT}:assumed-role/app/s1"


def test_a_session_without_an_issuer_counts_as_its_role() -> None:
    identity = {"type": "AssumedRole", "arn": f"arn:aws-cn:sts::{ACCOUNT}:assumed-role/app/s1"}
    assert read(event(identity=identity)).principal == f"arn:aws-cn:iam::{ACCOUNT}:role/app"


@pytest.mark.parametrize(
    ("identity", "principal", "label"),
    [
        (user("ada"), f"arn:aws:iam::{ACCOUNT}:user/ada", "user/ada"),
        (SERVICE, "logs.amazonaws.com", "logs.amazonaws.com"),
        (PARTNER, OTHER_ACCOUNT, f"account {OTHER_ACCOUNT}"),
        ({"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root"}, f"arn:aws:iam::{ACCOUNT}:root", "root"),
        ({}, "", "?"),
    ],
)
def test_principals(identity: dict[str, Any], principal: str, label: str) -> None:
    request = read(event(identity=identity))
    assert (request.principal, request.principal_label) == (principal, label)


def test_the_service_in_between_is_told_and_a_service_itself_has_none() -> None:
    assert read(event(service="s3.amazonaws.com")).service == "s3.amazonaws.com"
    assert read(event(identity=SERVICE)).service == ""


def test_an_alias_in_any_form_is_kept() -> None:
    for name in ("alias/orders", f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/orders"):
        assert read(event("Encrypt", parameters={"keyId": name})).alias == "alias/orders"
    assert read(event("Encrypt", parameters={"keyId": KEY})).alias == ""


def test_objects_of_s3_are_one_request_and_buckets_another() -> None:
    first, second = (read(event(context={"aws:s3:arn": f"arn:aws:s3:::lake/{number}"})) for number in (1, 2))
    bucket = read(event(context={"aws:s3:arn": "arn:aws:s3:::lake"}))
    assert first == second != bucket
    assert first.context_shape == {"aws:s3:arn": "arn:aws:s3:::lake/*"}
    assert bucket.context_shape == {"aws:s3:arn": "arn:aws:s3:::lake"}


def test_reencrypt_is_two_requests_each_with_its_context() -> None:
    parameters = {
        "sourceEncryptionContext": {"table": "orders"},
        "destinationEncryptionContext": {"table": "invoices"},
        "destinationKeyId": "alias/next",
    }
    record = event("ReEncrypt", keys=(KEY, OTHER_KEY), parameters=parameters)
    source, target = (each.request for each in requests_in(record))
    assert (source.operation, source.key_arn, source.context_label) == ("ReEncryptFrom", KEY, "table=orders")
    assert (target.operation, target.key_arn, target.context_label) == (
        "ReEncryptTo",
        OTHER_KEY,
        "table=invoices",
    )
    assert (source.alias, target.alias) == ("", "alias/next")


def test_what_a_refusal_says_and_that_its_context_is_not_known() -> None:
    request = read(denied("because no identity-based policy allows the kms:Decrypt action"))
    assert request.is_denied
    assert not request.is_answered
    assert request.refused_by == RefusedBy.IDENTITY
    assert request.context is None
    assert request.context_label == "?"
    deny = read(denied("with an explicit deny in a resource-based policy"))
    assert deny.refused_by == RefusedBy.KEY_POLICY_DENY
    assert read(denied("with an explicit deny in a service control policy")).refused_by == RefusedBy.OTHER


def test_a_key_is_found_in_the_message_where_the_record_names_none() -> None:
    assert read(denied(f"on resource: {KEY} because no resource-based policy", keys=())).key_arn == KEY


def test_what_kms_does_by_itself_and_other_services_are_no_requests() -> None:
    assert list(requests_in(event("RotateKey") | {"eventType": "AwsServiceEvent"})) == []
    assert list(requests_in(event() | {"eventSource": "s3.amazonaws.com"})) == []


def test_a_context_may_be_text_as_in_cloudtrail_lake() -> None:
    for text, shape in (
        ('{"table":"orders"}', {"table": "orders"}),
        ("{table=orders, tier=gold}", {"table": "orders", "tier": "gold"}),
        ("{}", {}),
        ("{table=a=b}", None),
        ("orders", None),
    ):
        assert read(event(parameters={"encryptionContext": text})).context_shape == shape


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from([KEY, "alias/x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60)
@given(st.data())
def test_no_record_is_too_odd(data: st.DataObject) -> None:
    record: dict[str, Any] = event("ReEncrypt", context={"a": "b"})
    for name in data.draw(st.lists(st.sampled_from(sorted(record)), max_size=4)):
        record[name] = data.draw(_JSON)
    for request, _ in requests_in(record, frozenset(RequestDetail)):
        assert isinstance(request.context_label, str)
        assert isinstance(hash(request), int)
    assert list(requests_in(data.draw(_JSON))) == []


def test_the_constraints_of_a_retired_grant_are_not_told() -> None:
    assert read(event("RetireGrant", parameters={"grantId": "0" * 64})).context is None
    assert read(event("RevokeGrant", parameters={"grantId": "0" * 64})).context == ()
