"""Replays: what is refused, allowed, depends or stays, and the reason in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.evidence.change_replay import (
    AliasRepointing,
    GrantRemoval,
    KeyAccess,
    KeyChange,
    PolicyChange,
    ReplayResult,
    StateChange,
    details_for,
    replay,
)
from kms_tui.evidence.change_replay.replay_formats import WRITERS
from kms_tui.evidence.request_history.coverage_words import coverage_sentence
from kms_tui.evidence.request_history.event_records import requests_in
from kms_tui.evidence.request_history.history_source import HistoryQuery, HistoryReading, RequestHistory
from kms_tui.evidence.request_history.recorded_request import RequestDetail
from kms_tui.kms.model import Grant, KeyState
from kms_tui.policy import parse
from tests.unit.evidence.request_history.trail_events import (
    ACCOUNT,
    KEY,
    NOW,
    OTHER_ACCOUNT,
    OTHER_KEY,
    PARTNER,
    REGION,
    SERVICE,
    denied,
    event,
    role,
    user,
)

Statement = dict[str, Any]
_IAM = f"arn:aws:iam::{ACCOUNT}"
ROOT: Statement = {
    "Sid": "Root",
    "Effect": "Allow",
    "Principal": {"AWS": f"{_IAM}:root"},
    "Action": "kms:*",
    "Resource": "*",
}
ADMIN: Statement = {**ROOT, "Sid": "Admin", "Principal": {"AWS": f"{_IAM}:user/ada"}}
ORDERS = {"StringEquals": {"kms:EncryptionContext:table": "orders"}}


def allow(sid: str, *roles: str, action: Any = "kms:Decrypt", **more: Any) -> Statement:
    principals = [f"{_IAM}:role/{name}" for name in roles]
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": principals},
        "Action": action,
        "Resource": "*",
        **more,
    }


def deny(sid: str, condition: Mapping[str, Any], action: str = "kms:*") -> Statement:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": "*",
        "Condition": condition,
    }


def policy(*statements: Statement) -> Any:
    return parse(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))


def access(*statements: Statement, grants: tuple[Grant, ...] = (), key: str = KEY) -> KeyAccess:
    return KeyAccess(key, policy(*statements), grants)


def history(*records: dict[str, Any], details: frozenset[RequestDetail] = frozenset()) -> RequestHistory:
    reading = HistoryReading(HistoryQuery(NOW - timedelta(days=90), NOW, KEY, details), "a test")
    for record in records:
        reading.add(requests_in(record, details))
    reading.finish()
    return reading.snapshot()


def told(result: ReplayResult) -> dict[str, list[tuple[str, str]]]:
    """Effect -> callers and reasons."""
    parts = {"refused": result.refused, "allowed": result.allowed, "undecided": result.undecided}
    return {
        name: [(each.request.principal_label, each.reason) for each in found]
        for name, found in parts.items()
        if found
    }


def change(before: KeyAccess, *after: Statement) -> tuple[KeyAccess, KeyChange]:
    return before, PolicyChange(policy(*after))


APP, BATCH = role("app"), role("batch")


def test_a_statement_that_is_gone_refuses_those_whom_it_alone_let_in() -> None:
    past = history(event(context={"table": "orders"}), event(identity=BATCH), event(identity=user("ada")))
    result = replay(
        past, *change(access(ADMIN, allow("App", "app"), allow("B", "batch")), ADMIN, allow("B", "batch"))
    )
    assert told(result) == {"refused": [("role/app", "statement 2 (Sid App) is gone")]}
    assert result.unchanged == 2


def test_what_the_account_delegates_stays_if_the_iam_policies_gave_it_before() -> None:
    result = replay(history(event()), *change(access(ROOT, allow("B", "batch")), ROOT))
    assert told(result) == {}
    assert result.unchanged == 1


def test_without_its_statement_a_caller_may_still_have_iam_policies() -> None:
    result = replay(history(event()), *change(access(ROOT, allow("App", "app")), ROOT))
    assert told(result) == {
        "undecided": [("role/app", "statement 2 (Sid App) is gone; depends on the IAM policies of role/app")]
    }


IDENTITY: dict[str, Any] = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": KEY}


def identity(*statements: Statement) -> Any:
    return parse(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}), identity=True)


@pytest.mark.parametrize(
    ("documents", "effect"),
    [
        ([identity(IDENTITY)], []),
        ([], ["refused"]),
        ([identity({**IDENTITY, "Resource": OTHER_KEY})], ["refused"]),
        ([identity({**IDENTITY, "Condition": ORDERS})], []),
        (
            [identity({**IDENTITY, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}})],
            ["undecided"],
        ),
        ([identity({**IDENTITY, "Effect": "Deny"})], ["undecided"]),
    ],
)
def test_iam_policies_that_are_known_decide(documents: list[Any], effect: list[str]) -> None:
    past = history(event(context={"table": "orders"}))
    before, after = change(access(ROOT, allow("App", "app")), ROOT)
    principal = f"{_IAM}:role/app"
    assert replay(past, before, after).unread_callers == (principal,)
    result = replay(past, before, after, {principal: documents})
    assert list(told(result)) == effect
    assert result.unread_callers == ()


def test_iam_policies_of_the_new_key_are_other_than_those_of_the_old() -> None:
    past = history(event("Encrypt", parameters={"keyId": "alias/orders"}))
    repointing = AliasRepointing("alias/orders", access(ROOT, key=OTHER_KEY))
    for resource, effect in ((KEY, ["refused"]), (OTHER_KEY, ["undecided"]), ("*", [])):
        known = {f"{_IAM}:role/app": [identity({**IDENTITY, "Action": "kms:*", "Resource": resource})]}
        assert list(told(replay(past, access(ROOT), repointing, known))) == effect, resource


def test_a_role_that_is_named_afterwards_needs_no_iam_policies() -> None:
    result = replay(history(event()), *change(access(ROOT), ADMIN, allow("App", "app")))
    assert told(result) == {}


def test_a_new_deny_that_matches_is_named() -> None:
    past = history(event(context={"table": "orders"}), event(context={"table": "invoices"}))
    before = access(ROOT)
    after = deny("Orders", {"StringEquals": {"kms:EncryptionContext:table": "invoices"}})
    result = replay(past, *change(before, ROOT, after))
    assert told(result) == {"refused": [("role/app", "the new Deny in statement 2 (Sid Orders) matches")]}
    assert result.refused[0].request.context_label == "table=invoices"


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        (allow("App", "batch"), "statement 2 (Sid App) no longer names role/app"),
        (allow("App", "app", action="kms:Encrypt"), "statement 2 (Sid App) no longer has kms:Decrypt"),
        (
            allow("App", "app", Condition={"StringEquals": {"kms:EncryptionContext:table": "invoices"}}),
            'statement 2 (Sid App) now asks that kms:EncryptionContext:table is "invoices"',
        ),
        (
            allow("App", "app", Condition={"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}),
            'statement 2 (Sid App) now asks that kms:ViaService is "s3.eu-west-1.amazonaws.com"',
        ),
        ({**allow("App", "app"), "Resource": OTHER_KEY}, "statement 2 (Sid App) no longer covers the key"),
        ({**allow("App", "app"), "Effect": "Deny"}, "the Deny in statement 2 (Sid App) matches"),
    ],
)
def test_what_changed_in_a_statement_is_named(new: Statement, reason: str) -> None:
    before = access(ADMIN, allow("App", "app"))
    result = replay(history(event(context={"table": "orders"})), *change(before, ADMIN, new))
    assert told(result) == {"refused": [("role/app", reason)]}


def test_a_condition_that_the_record_does_not_tell_is_named_as_missing() -> None:
    before = access(ADMIN, allow("App", "app"))
    after = allow("App", "app", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}})
    result = replay(history(event()), *change(before, ADMIN, after))
    ((_, reason),) = told(result)["undecided"]
    assert reason.endswith("depends on aws:PrincipalOrgID")


def test_a_condition_that_stays_is_the_same_fact_before_and_after() -> None:
    org = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
    before = access(ADMIN, allow("App", "app", "batch", Condition=org))
    result = replay(history(event()), *change(before, ADMIN, allow("New", "app", Condition=org)))
    assert told(result) == {}


def test_via_service_endpoint_and_alias_are_read_out_of_the_record() -> None:
    past = history(
        event(service="s3.amazonaws.com"),
        event(vpcEndpointId="vpce-1"),
        event("Encrypt", parameters={"keyId": "alias/orders"}),
    )
    before = access(ADMIN, allow("App", "app", action="kms:*"))
    for key, value, refused in (
        ("kms:ViaService", "s3.eu-west-1.amazonaws.com", 2),
        ("kms:RequestAlias", "alias/orders", 2),
        ("aws:SourceVpce", "vpce-1", 1),
    ):
        now = allow("App", "app", action="kms:*", Condition={"StringEquals": {key: value}})
        result = replay(past, *change(before, ADMIN, now))
        assert sum(each.count for each in result.refused) == refused, key


def test_addresses_are_asked_for_where_a_policy_has_them() -> None:
    office = {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/24"}}
    before, after = change(access(ROOT), ROOT, deny("Office", office))
    details = frozenset(details_for(before, after))
    assert details == {RequestDetail.ADDRESS}
    past = history(event(), event(sourceIPAddress="198.51.100.7"), details=details)
    assert told(replay(past, before, after)) == {
        "refused": [("role/app", "the new Deny in statement 2 (Sid Office) matches")]
    }
    assert told(replay(history(event()), before, after))["undecided"][0][1].endswith(
        "depends on aws:SourceIp"
    )


def test_sessions_are_asked_for_where_a_policy_names_one() -> None:
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/job-1"
    named = {**ROOT, "Sid": "Job", "Principal": {"AWS": session}}
    before, after = change(access(ADMIN, named), ADMIN)
    details = frozenset(details_for(before, after))
    assert details == {RequestDetail.SESSION}
    past = history(
        event(identity=role("app", "job-1")), event(identity=role("app", "job-2")), details=details
    )
    result = replay(past, before, after)
    assert [each.request.principal for each in result.refused] == [session]
    assert result.unchanged == 1


@pytest.mark.parametrize("pattern", ["arn:aws:s3:::lake/*", "arn:aws:s3:::l*", "*"])
def test_objects_of_a_bucket_meet_a_pattern_of_the_bucket(pattern: str) -> None:
    past = history(event(context={"aws:s3:arn": "arn:aws:s3:::lake/a/b"}))
    lake = {"StringLike": {"kms:EncryptionContext:aws:s3:arn": pattern}}
    before = access(ADMIN, allow("App", "app"))
    assert told(replay(past, *change(before, ADMIN, allow("App", "app", Condition=lake)))) == {}


@pytest.mark.parametrize(
    ("pattern", "effect"),
    [
        ("arn:aws:s3:::pond/*", "refused"),
        ("arn:aws:s3:::lake/a/*", "undecided"),
        ("arn:aws:s3:::lake", "refused"),
        ("*/b", "undecided"),
    ],
)
def test_objects_of_a_bucket_and_other_patterns(pattern: str, effect: str) -> None:
    past = history(event(context={"aws:s3:arn": "arn:aws:s3:::lake/a/b"}))
    lake = {"StringLike": {"kms:EncryptionContext:aws:s3:arn": pattern}}
    result = replay(
        past, *change(access(ADMIN, allow("App", "app")), ADMIN, allow("App", "app", Condition=lake))
    )
    assert list(told(result)) == [effect]


def test_a_request_of_an_older_policy_is_not_claimed() -> None:
    result = replay(history(event()), *change(access(ADMIN), ADMIN, allow("B", "app", action="kms:Encrypt")))
    assert told(result) == {}
    result = replay(history(event()), *change(access(ADMIN), ADMIN, allow("App", "app")))
    ((_, reason),) = told(result)["undecided"]
    assert "older policies" in reason


def test_what_was_refused_and_is_let_in_now_is_allowed() -> None:
    past = history(
        denied("because no resource-based policy allows the kms:Decrypt action"),
        denied("with an explicit deny in a service control policy", identity=BATCH),
    )
    result = replay(past, *change(access(ADMIN), ADMIN, allow("Both", "app", "batch")))
    assert told(result) == {"allowed": [("role/app", "statement 2 (Sid Both) allows it")]}


def test_a_deny_that_no_longer_matches_allows() -> None:
    block = {"StringEquals": {"aws:PrincipalArn": f"{_IAM}:role/app"}}
    past = history(denied("with an explicit deny in a resource-based policy"))
    before = access(ADMIN, allow("App", "app"), deny("Block", block))
    result = replay(past, *change(before, ADMIN, allow("App", "app")))
    assert told(result) == {
        "allowed": [("role/app", "the Deny in statement 3 (Sid Block) no longer matches")]
    }


def test_a_refusal_by_iam_policies_stays_while_only_they_could_allow() -> None:
    past = history(denied("because no identity-based policy allows the kms:Decrypt action"))
    assert told(replay(past, *change(access(ADMIN), ADMIN, ROOT))) == {}


def test_a_refusal_whose_context_is_not_told_depends_on_it() -> None:
    past = history(denied("because no resource-based policy allows the kms:Decrypt action"))
    result = replay(past, *change(access(ADMIN), ADMIN, allow("App", "app", Condition=ORDERS)))
    ((_, reason),) = told(result)["undecided"]
    assert reason.endswith("depends on kms:EncryptionContext:table")


def test_what_failed_for_other_reasons_is_counted_and_not_judged() -> None:
    past = history(event(error="InvalidCiphertextException"), event(error="ThrottlingException"))
    result = replay(past, *change(access(ADMIN, allow("App", "app")), ADMIN))
    assert (told(result), result.failed, result.judged) == ({}, 2, 0)


def test_a_dry_run_counts_as_answered() -> None:
    past = history(event(error="DryRunOperationException"))
    assert "refused" in told(replay(past, *change(access(ADMIN, allow("App", "app")), ADMIN)))


def grant(grant_id: str, grantee: str, *operations: str, **constraints: Any) -> Grant:
    return Grant(grant_id, KEY, grantee, operations, f"name-{grant_id}", constraints=constraints)


def test_a_grant_that_is_gone_refuses_those_whom_it_alone_let_in() -> None:
    grants = (grant("g1", f"{_IAM}:role/app", "Decrypt"), grant("g2", f"{_IAM}:role/batch", "Decrypt"))
    past = history(event(), event(identity=BATCH), event("Encrypt", identity=user("ada")))
    result = replay(past, access(ADMIN, grants=grants), GrantRemoval("g1"))
    assert told(result) == {"refused": [("role/app", "grant name-g1 is gone")]}


def test_the_constraints_of_a_grant_are_judged() -> None:
    orders = {"EncryptionContextSubset": {"table": "orders"}}
    grants = (
        grant("g1", f"{_IAM}:role/app", "Decrypt", **orders),
        grant("g2", f"{_IAM}:role/app", "Decrypt", EncryptionContextEquals={"table": "invoices"}),
    )
    past = history(event(context={"table": "orders", "tier": "gold"}), event(context={"table": "invoices"}))
    result = replay(past, access(ADMIN, grants=grants), GrantRemoval("g1"))
    assert [each.request.context_label for each in result.refused] == ["table=orders, tier=gold"]
    assert result.unchanged == 1


def test_volumes_are_used_by_aws_own_role_under_a_grant() -> None:
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/aws:ec2-infrastructure/i-0123456789abcdef0"
    grants = (grant("g1", session, "Decrypt", EncryptionContextSubset={"aws:ebs:id": "vol-1"}),)
    before = access(ADMIN, grants=grants)
    removal = GrantRemoval("g1")
    details = frozenset(details_for(before, removal))
    caller = {"type": "AssumedRole", "arn": session, "accountId": ACCOUNT}
    past = history(
        event(identity=caller, context={"aws:ebs:id": "vol-1"}, service="ec2-frontend-api.amazonaws.com"),
        details=details,
    )
    result = replay(past, before, removal)
    assert told(result) == {
        "refused": [("assumed-role/aws:ec2-infrastructure/i-0123456789abcdef0", "grant name-g1 is gone")]
    }
    assert told(replay(past, *change(before, ADMIN, allow("New", "batch")))) == {}


def test_a_service_that_kms_does_not_name_like_that_is_left_open() -> None:
    past = history(event(service="AWS Internal"), event(service="something-else.amazonaws.com"))
    via = {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}
    result = replay(
        past, *change(access(ADMIN, allow("App", "app")), ADMIN, allow("App", "app", Condition=via))
    )
    assert [each.reason.endswith("depends on kms:ViaService") for each in result.undecided] == [True, True]


def test_another_account_is_known_by_its_number_alone() -> None:
    partner = f"arn:aws:iam::{OTHER_ACCOUNT}"
    whole = {**ROOT, "Sid": "Partner", "Principal": {"AWS": f"{partner}:root"}}
    one = {**ROOT, "Sid": "Partner", "Principal": {"AWS": f"{partner}:role/importer"}}
    past = history(event(identity=PARTNER))
    assert told(replay(past, *change(access(ADMIN, whole), ADMIN))) == {
        "refused": [(f"account {OTHER_ACCOUNT}", "statement 2 (Sid Partner) is gone")]
    }
    ((_, reason),) = told(replay(past, *change(access(ADMIN, whole), ADMIN, one)))["undecided"]
    assert f"depends on which principal of account {OTHER_ACCOUNT} called" in reason
    # Only the importer can have been answered before.
    assert told(replay(past, *change(access(ADMIN, one), ADMIN, whole))) == {}


def test_services_are_callers_of_their_own() -> None:
    logs = {**ROOT, "Sid": "Logs", "Principal": {"Service": "logs.amazonaws.com"}}
    result = replay(history(event(identity=SERVICE)), *change(access(ADMIN, logs), ADMIN))
    assert told(result) == {"refused": [("logs.amazonaws.com", "statement 2 (Sid Logs) is gone")]}


def test_a_principal_of_another_account_that_is_dropped_is_refused() -> None:
    def partner(*names: str) -> Statement:
        return allow("Partner") | {"Principal": {"AWS": [f"arn:aws:iam::{OTHER_ACCOUNT}:{n}" for n in names]}}

    past = history(event(identity=PARTNER))
    both = access(ADMIN, partner("role/importer", "role/reader"))
    assert list(told(replay(past, *change(both, ADMIN)))) == ["refused"]
    assert list(told(replay(past, *change(both, ADMIN, partner("role/reader"))))) == ["undecided"]
    # Nothing names the account before or after: whatever let it in is gone already.
    assert told(replay(past, *change(access(ADMIN), ADMIN, allow("App", "app")))) == {}


@pytest.mark.parametrize("recorded", ["logs.amazonaws.com", f"logs.{REGION}.amazonaws.com"])
@pytest.mark.parametrize("named", ["logs.amazonaws.com", f"logs.{REGION}.amazonaws.com"])
def test_a_service_is_the_same_with_and_without_the_region_in_its_name(recorded: str, named: str) -> None:
    logs = {**ROOT, "Sid": "Logs", "Principal": {"Service": named}}
    past = history(event(identity={**SERVICE, "invokedBy": recorded}))
    assert list(told(replay(past, *change(access(ADMIN, logs), ADMIN)))) == ["refused"]
    assert told(replay(past, *change(access(ADMIN, logs), logs, ADMIN))) == {}
    elsewhere = {**logs, "Principal": {"Service": "logs.us-east-1.amazonaws.com"}}
    ((_, reason),) = told(replay(past, *change(access(ADMIN, logs), ADMIN, elsewhere)))["refused"]
    assert reason == f"statement 2 (Sid Logs) no longer names {named}"


def test_a_caller_that_the_record_does_not_tell_is_undecided() -> None:
    past = history(event(identity={"type": "Unknown", "principalId": "x:y"}))
    assert told(replay(past, *change(access(ADMIN, allow("App", "app")), ADMIN))) == {
        "undecided": [("x:y", "the record does not tell who called")]
    }


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (KeyState.DISABLED, "the key is disabled (DisabledException)"),
        (KeyState.PENDING_DELETION, "the key is pending deletion (KMSInvalidStateException)"),
    ],
)
def test_a_state_refuses_cryptography_and_lets_look(state: KeyState, reason: str) -> None:
    past = history(
        event(),
        event("DescribeKey"),
        event("ReEncrypt", keys=(KEY, OTHER_KEY)),
        denied("because no identity-based policy allows the kms:Decrypt action"),
    )
    result = replay(past, access(ROOT), StateChange(state))
    assert {each.request.operation for each in result.refused} == {"Decrypt", "ReEncryptFrom"}
    assert {each.reason for each in result.refused} == {reason}
    assert result.unchanged == 2


def test_an_alias_takes_its_requests_to_another_key() -> None:
    by_alias = {"keyId": "alias/orders"}
    past = history(
        event("Encrypt", parameters=by_alias),
        event("Encrypt", BATCH, parameters=by_alias),
        event("Decrypt", parameters=by_alias),
        event("Decrypt"),
        event("Encrypt", parameters={"keyId": KEY}),
    )
    target = access(ADMIN, allow("New", "app", action="kms:Encrypt"), key=OTHER_KEY)
    result = replay(past, access(ROOT), AliasRepointing("alias/orders", target))
    found = {(each.request.principal_label, each.request.operation): each.reason for each in result.refused}
    assert found.keys() == {("role/batch", "Encrypt"), ("role/app", "Decrypt")}
    assert "IncorrectKeyException" in found["role/app", "Decrypt"]
    assert found["role/batch", "Encrypt"] == "the new key's policy does not let it in"
    assert result.unchanged == 3
    assert result.coverage.notes == ()
    another = replay(past, access(ROOT), AliasRepointing("alias/archive", target))
    assert (another.refused, another.unchanged) == ((), 5)
    assert another.coverage.notes == ("No request that was seen names the key by alias/archive.",)


def test_the_new_key_of_an_alias_may_be_another_to_iam_policies() -> None:
    past = history(event("Encrypt", parameters={"keyId": "alias/orders"}))
    target = access(ROOT, key=OTHER_KEY)
    ((_, reason),) = told(replay(past, access(ROOT), AliasRepointing("alias/orders", target)))["undecided"]
    assert reason.endswith("depends on the IAM policies of role/app")


def test_the_sentence_of_the_issue() -> None:
    records = [event(context={"table": "orders"}, age=timedelta(hours=2))] * 1204
    result = replay(
        history(*records), *change(access(ADMIN, allow("A", "b"), allow("", "app")), ADMIN, allow("A", "b"))
    )
    (found,) = result.refused
    assert found.sentence(NOW) == (
        "role/app · Decrypt · table=orders · 1,204 calls, last 2 h ago: statement 3 is gone"
    )


def test_requests_that_differ_in_nothing_shown_are_one() -> None:
    past = history(event(vpcEndpointId="vpce-1"), event(vpcEndpointId="vpce-2", age=timedelta(days=2)))
    (found,) = replay(past, *change(access(ADMIN, allow("App", "app")), ADMIN)).refused
    assert (found.count, found.last) == (2, NOW - timedelta(hours=1))


@pytest.mark.parametrize("form", list(WRITERS))
def test_all_formats_have_the_requests_and_what_is_covered(form: str) -> None:
    hostile = "\x1b]0;x\x07\u202e|<b>"
    past = history(event(context={"table": hostile}), event(identity=BATCH))
    result = replay(past, *change(access(ADMIN, allow("App", "app", "batch")), ADMIN))
    text = WRITERS[form](result, NOW)
    assert text.endswith("\n")
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "app" in text
    assert "statement 2 (Sid App) is gone" in text.replace("\\", "")
    if form == "json":
        shape = json.loads(text)
        assert shape["covers"] == {
            "from": "2026-08-22T12:00:00Z",
            "to": "2026-11-20T12:00:00Z",
            "events": 2,
            "complete": True,
            "source": "a test",
            "notes": [],
        }
        assert {tuple(each) for each in shape["refused"]} == {
            ("principal", "operation", "context", "count", "last", "reason", "service")
        }
        assert shape["refused"][0]["context"] == {"table": hostile}
    else:
        assert "2 calls would be refused" in text
        assert "The last 90 days (2 events): a test." in text


def test_an_incomplete_coverage_says_how_much_was_seen() -> None:
    reading = HistoryReading(HistoryQuery(NOW - timedelta(days=90), NOW, KEY), "CloudTrail's LookupEvents")
    assert coverage_sentence(reading.snapshot().coverage) == (
        "Nothing of the last 90 days was seen (0 events): CloudTrail's LookupEvents."
    )
    reading.seen(NOW - timedelta(hours=3))
    assert coverage_sentence(reading.snapshot().coverage).startswith("The last 3 h of 90 days (0 events)")


_STATEMENTS = st.lists(
    st.sampled_from(
        [
            ROOT,
            ADMIN,
            allow("App", "app"),
            allow("Orders", "app", "batch", Condition=ORDERS),
            allow("Org", "batch", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}}),
            deny("NotOrders", {"StringNotEquals": {"kms:EncryptionContext:table": "orders"}}),
            deny("Org", {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}),
        ]
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda statement: json.dumps(statement),
)


@settings(max_examples=60)
@given(_STATEMENTS, _STATEMENTS)
def test_every_call_is_in_one_part_and_no_change_changes_nothing(
    before: list[Statement], after: list[Statement]
) -> None:
    past = history(
        event(context={"table": "orders"}),
        event(identity=BATCH),
        event(identity=user("ada")),
        event(identity=PARTNER),
        denied("because no resource-based policy allows the kms:Decrypt action", identity=BATCH),
    )
    result = replay(past, access(*before), PolicyChange(policy(*after)))
    parts = (*result.refused, *result.allowed, *result.undecided)
    assert sum(each.count for each in parts) + result.unchanged == 5
    same = replay(past, access(*before), PolicyChange(policy(*reversed(before))))
    assert same.unchanged == 5


@settings(max_examples=60)
@given(_STATEMENTS, _STATEMENTS)
def test_undoing_a_change_refuses_nothing_that_it_lets_in(
    before: list[Statement], after: list[Statement]
) -> None:
    """What is refused after the change is, for a key that has the new policy, answered under an older one."""
    past = history(event(context={"table": "orders"}), event(identity=BATCH))
    there = replay(past, access(*before), PolicyChange(policy(*after)))
    back = replay(past, access(*after), PolicyChange(policy(*before)))
    refused = {each.request for each in there.refused}
    assert not refused & {each.request for each in back.refused}
