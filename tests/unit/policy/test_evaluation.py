"""May this principal do this action on this key, in this context?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kms_tui.policy import AccessRequest, Caller, Decision, Effect, Via, evaluate, parse
from kms_tui.policy.authorization import Authorization, LayerEffect, authorize_request
from kms_tui.policy.describe import condition as in_words
from kms_tui.policy.layers import UNLIMITED, Layer, read_policy
from tests.unit.policy.build import (
    ACCOUNT,
    ADMIN,
    APP,
    KEY,
    OTHER,
    ROOT,
    Shape,
    allow,
    deny,
    policy,
    with_root,
)

USER = f"arn:aws:iam::{ACCOUNT}:user/alice"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/i-1234"
PARTNER = f"arn:aws:iam::{OTHER}:role/Partner"


def asked(
    text: str, caller: str = APP, action: str = "kms:Decrypt", complete: bool = True, **context: Any
) -> Decision:
    named = {key.replace("__", ":").replace("_", "-"): value for key, value in context.items()}
    return evaluate(parse(text), AccessRequest(Caller.parse(caller), action, KEY, named, complete))


def may(text: str, caller: str = APP, action: str = "kms:Decrypt", **context: Any) -> str:
    return asked(text, caller, action, **context).effect.value


@pytest.mark.parametrize(
    ("principal", "caller", "via"),
    [
        (APP, APP, Via.CALLER),
        (APP, SESSION, Via.CALLER),
        (SESSION, SESSION, Via.CALLER),
        (SESSION, APP, None),
        (SESSION, SESSION + "x", None),
        (APP, ADMIN, None),
        (USER, USER, Via.CALLER),
        (USER, f"arn:aws:iam::{ACCOUNT}:role/alice", None),
        (f"arn:aws:iam::{ACCOUNT}:role/team/app", SESSION, Via.CALLER),
        (f"arn:aws:iam::{ACCOUNT}:role/team/app", APP, None),
        (f"arn:aws:iam::{OTHER}:role/app", SESSION, None),
        (ROOT, APP, Via.ACCOUNT),
        (ACCOUNT, SESSION, Via.ACCOUNT),
        (ACCOUNT, USER, Via.ACCOUNT),
        (ROOT, ROOT, Via.CALLER),
        (ROOT, ACCOUNT, Via.CALLER),
        (OTHER, APP, None),
        (OTHER, PARTNER, Via.ACCOUNT),
        ("*", APP, Via.EVERYONE),
        ("*", PARTNER, Via.EVERYONE),
        ("*", "s3.amazonaws.com", Via.EVERYONE),
        ([ROOT, APP], APP, Via.CALLER),
        ([ROOT, "*"], APP, Via.EVERYONE),
        ({"Service": "s3.amazonaws.com"}, "s3.amazonaws.com", Via.CALLER),
        ({"Service": "S3.amazonaws.com"}, "s3.amazonaws.com", Via.CALLER),
        ({"Service": "s3.amazonaws.com"}, "sns.amazonaws.com", None),
        ({"Service": "s3.amazonaws.com"}, APP, None),
        (
            f"arn:aws:sts::{ACCOUNT}:federated-user/bob",
            f"arn:aws:sts::{ACCOUNT}:federated-user/bob",
            Via.CALLER,
        ),
        ("AROAEXAMPLEID12345", APP, None),
    ],
)
def test_how_a_statement_names_a_caller(principal: Any, caller: str, via: Via | None) -> None:
    decision = asked(policy(allow(principal, "kms:Decrypt")), caller)
    assert decision.via == via
    assert decision.effect == (Effect.ALLOW if via else Effect.NO_STATEMENT)
    denied = asked(with_root(allow("*"), deny(principal=principal)), caller).effect
    assert denied == (Effect.DENY if via else Effect.ALLOW)


def test_a_unique_id_names_whoever_has_it() -> None:
    text = policy(allow("AROAEXAMPLEID12345", "kms:Decrypt"))
    assert may(text, aws__userid="AROAEXAMPLEID12345:i-1234") == "allow"
    assert may(text, aws__userid="AROAEXAMPLEID99999:i-1234") == "no statement"


@pytest.mark.parametrize(
    ("spared", "caller", "effect"),
    [
        ([ROOT, APP], SESSION, "allow"),
        ([ROOT, APP], APP, "allow"),
        ([ROOT, APP], ADMIN, "deny"),
        ([APP], APP, "deny"),
        ([ROOT], ROOT, "allow"),
        ([ROOT], APP, "deny"),
        (["*"], ADMIN, "allow"),
        ([OTHER], APP, "deny"),
    ],
)
def test_not_principal_spares_only_the_listed_with_their_account(
    spared: list[str], caller: str, effect: str
) -> None:
    statement = deny(NotPrincipal={"AWS": spared})
    del statement["Principal"]
    assert may(policy(allow("*"), statement), caller) == effect


def test_a_deny_wins_over_any_allow() -> None:
    text = with_root(allow(APP), deny(principal=APP, action="kms:Decrypt"))
    decision = asked(text)
    assert decision.effect is Effect.DENY
    assert [statement.index for statement in decision.statements] == [2]
    assert asked(text, action="kms:Encrypt").is_allowed


@pytest.mark.parametrize(
    ("extra", "action", "effect"),
    [
        ({}, "kms:decrypt", "allow"),
        ({}, "kms:NoSuchAction", "no statement"),
        ({"Action": "kms:ReEncrypt*"}, "kms:ReEncryptFrom", "allow"),
        ({"Action": "kms:ReEncrypt"}, "kms:ReEncryptFrom", "no statement"),
        ({"Action": None}, "kms:Decrypt", "no statement"),
        ({"Action": None, "NotAction": "kms:Put*"}, "kms:Decrypt", "allow"),
        ({"Action": None, "NotAction": "kms:Put*"}, "kms:PutKeyPolicy", "no statement"),
        ({"Resource": None}, "kms:Decrypt", "no statement"),
        ({"Resource": KEY}, "kms:Decrypt", "allow"),
        ({"Resource": KEY + "x"}, "kms:Decrypt", "no statement"),
        ({"Resource": None, "NotResource": KEY}, "kms:Decrypt", "no statement"),
        ({"Resource": None, "NotResource": "arn:aws:s3:::*"}, "kms:Decrypt", "allow"),
        ({"Resource": "arn:aws:kms:*:${aws:PrincipalAccount}:key/*"}, "kms:Decrypt", "allow"),
        ({"Resource": "arn:aws:kms:*:${aws:username}:key/*"}, "kms:Decrypt", "no statement"),
    ],
)
def test_actions_and_resources_of_a_statement(extra: Shape, action: str, effect: str) -> None:
    statement = {name: value for name, value in (allow(APP) | extra).items() if value is not None}
    assert may(policy(statement), action=action) == effect


OPERATORS: list[tuple[str, Any, Any, bool]] = [
    ("StringEquals", "x", "x", True),
    ("StringEquals", "x", "X", False),
    ("StringEquals", ["x", "y"], "y", True),
    ("StringEquals", "x*", "xy", False),
    ("StringEquals", "x", None, False),
    ("StringEqualsIfExists", "x", None, True),
    ("StringEqualsIfExists", "x", "y", False),
    ("StringNotEquals", ["x", "y"], "y", False),
    ("StringNotEquals", ["x", "y"], "z", True),
    ("StringNotEquals", "x", None, True),
    ("StringNotEqualsIfExists", "x", None, True),
    ("StringEqualsIgnoreCase", "x", "X", True),
    ("StringNotEqualsIgnoreCase", "x", "X", False),
    ("StringLike", "a*c?", "abbcd", True),
    ("StringLike", "a[bc]", "ab", False),
    ("StringNotLike", "a*", "abc", False),
    ("StringLike", "${*}", "*", True),
    ("StringLike", "${*}", "x", False),
    ("StringLike", "${?}${$}", "?$", True),
    ("NumericEquals", "7", "7.0", True),
    ("NumericNotEquals", "7", "8", True),
    ("NumericLessThan", "7", "6.5", True),
    ("NumericLessThanEquals", 7, "7", True),
    ("NumericGreaterThan", ["9", "5"], "6", True),
    ("NumericGreaterThanEquals", "7", "6", False),
    ("NumericLessThan", "seven", "6", False),
    ("NumericLessThan", "7", "six", False),
    ("NumericEquals", "７", "7", False),
    ("DateLessThan", "2030-01-01", "2029-12-31T23:59:59Z", True),
    ("DateLessThan", "2030-01-01T00:00:00+02:00", "2029-12-31T22:30:00Z", False),
    ("DateLessThan", "1893456000", "2029-12-31T23:59:59Z", True),
    ("DateGreaterThan", "2030-02-30", "2031-01-01", False),
    ("DateEquals", "2030-01-01T00:00:00Z", "1893456000", True),
    ("DateNotEquals", "2030-01-01", "2031", True),
    ("DateGreaterThanEquals", "2030", "2030-01-01T00:00:00.5Z", True),
    ("Bool", True, "true", True),
    ("Bool", "TRUE", "true", True),
    ("Bool", "false", "true", False),
    ("Bool", "1", "1", False),
    ("Bool", "true", None, False),
    ("BoolIfExists", "true", None, True),
    ("BinaryEquals", "aGVsbG8=", "hello", True),
    ("BinaryEquals", "!", "!", False),
    ("IpAddress", "198.51.100.0/24", "198.51.100.7", True),
    ("IpAddress", "198.51.100.7", "198.51.100.7", True),
    ("IpAddress", "198.51.100.9/24", "198.51.100.7", True),
    ("IpAddress", ["10.0.0.0/9", "10.64.0.0/10", "2001:db8::/32"], "2001:db8::1", True),
    ("IpAddress", "198.51.100.0/24", "2001:db8::1", False),
    ("NotIpAddress", "198.51.100.0/24", "198.51.101.7", True),
    ("IpAddress", "everywhere", "198.51.100.7", False),
    ("IpAddress", "0.0.0.0/0", "nowhere", False),
    ("ArnEquals", "arn:aws:s3:::b*", "arn:aws:s3:::bucket", True),
    ("ArnLike", "arn:aws:*:::b*", "arn:aws:s3:us-east-1::bucket", False),
    ("ArnLike", "arn:aws:x:*:1:a/*", "arn:aws:x:r:9:s:1:a/b", False),
    ("StringLike", "arn:aws:x:*:1:a/*", "arn:aws:x:r:9:s:1:a/b", True),
    ("ArnLike", "*", "arn:aws:s3:::b", True),
    ("ArnLike", "arn:aws:s3:*", "arn:aws:s3:::b", False),
    ("ArnNotLike", "arn:aws:s3:::b*", "arn:aws:s3:::c", True),
    ("ArnNotEquals", "arn:aws:s3:::b", None, True),
    ("Null", "true", None, True),
    ("Null", "true", "x", False),
    ("Null", False, "x", True),
    ("Null", "no", "x", False),
    ("ForAllValues:Null", "false", None, True),
    ("ForAnyValue:Null", "true", None, False),
    ("ForAnyValue:StringEquals", ["x", "y"], ["y", "z"], True),
    ("ForAnyValue:StringEquals", ["x", "y"], ["z"], False),
    ("ForAnyValue:StringEquals", "x", None, False),
    ("ForAnyValue:StringNotEquals", "x", None, False),
    ("ForAnyValue:StringNotEquals", "x", ["x", "z"], True),
    ("ForAnyValue:StringNotEquals", "x", ["x"], False),
    ("ForAnyValue:StringEqualsIfExists", "x", None, True),
    ("ForAllValues:StringEquals", ["x", "y"], ["y", "x"], True),
    ("ForAllValues:StringEquals", ["x", "y"], ["y", "z"], False),
    ("ForAllValues:StringEquals", "x", [], True),
    ("ForAllValues:StringEquals", "x", None, True),
    ("ForAllValues:StringNotEquals", "x", ["y", "x"], False),
    ("ForAllValues:StringNotLike", "x*", ["y", "z"], True),
    ("StringEquals", "x", ["y", "x"], True),
    ("StringNotEquals", "x", ["y", "x"], False),
    ("StringEquals", [], "x", False),
    ("StringNotEquals", [], "x", True),
    ("StringEqualsIfExists", [], None, True),
    ("ForAllValues:StringEquals", [], None, True),
    ("ForAllValues:StringEquals", [], ["x"], False),
]


@pytest.mark.parametrize(("operator", "wanted", "given", "holds"), OPERATORS)
def test_condition_operators(operator: str, wanted: Any, given: Any, holds: bool) -> None:
    text = policy(allow(APP, condition={operator: {"aws:SourceIdentity": wanted}}))
    decision = asked(text, aws__SourceIdentity=given)
    assert decision.is_allowed == holds
    assert in_words(parse(text).statements[0].conditions[0]).isprintable()


@pytest.mark.parametrize(
    ("value", "context", "holds"),
    [
        ("${aws:username}", {"aws:SourceIdentity": "alice"}, True),
        ("${AWS:UserName}", {"aws:SourceIdentity": "alice"}, True),
        ("${aws:username}*", {"aws:SourceIdentity": "alicex"}, True),
        ("*/${aws:username}", {"aws:SourceIdentity": "home/alice"}, True),
        ("${aws:PrincipalTag/team}", {"aws:SourceIdentity": "x"}, False),
        ("${aws:PrincipalTag/team, 'x'}", {"aws:SourceIdentity": "x"}, True),
        ("${aws:PrincipalTag/team,'x'}", {"aws:SourceIdentity": "x"}, True),
        ("${aws:PrincipalTag/team, 'x'}", {"aws:SourceIdentity": "y", "aws:PrincipalTag/team": "y"}, True),
        ("${aws:PrincipalTag/team}", {"aws:SourceIdentity": "a*b", "aws:PrincipalTag/team": "a*b"}, True),
        ("${aws:PrincipalTag/team}", {"aws:SourceIdentity": "axb", "aws:PrincipalTag/team": "a*b"}, False),
        ("${aws:CalledVia}", {"aws:SourceIdentity": "x", "aws:CalledVia": ["x", "y"]}, False),
        ("${aws:username", {"aws:SourceIdentity": "${aws:username"}, True),
        ("$aws:username", {"aws:SourceIdentity": "$aws:username"}, True),
        ("${}", {"aws:SourceIdentity": "x"}, False),
    ],
)
def test_policy_variables(value: str, context: dict[str, Any], holds: bool) -> None:
    condition = {"StringLike": {"aws:SourceIdentity": value}}
    request = AccessRequest(Caller.parse(USER), "kms:Decrypt", KEY, context, complete=True)
    assert evaluate(parse(policy(allow(USER, condition=condition))), request).is_allowed == holds
    negated = {"StringNotLike": {"aws:SourceIdentity": value}}
    assert evaluate(parse(policy(allow(USER, condition=negated))), request).is_allowed != holds


def test_policy_variables_in_arns_are_compared_part_by_part() -> None:
    condition = {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::${aws:username}-*"}}
    document = parse(policy(allow(USER, condition=condition)))
    for arn, expected in (("arn:aws:s3:::alice-logs", True), ("arn:aws:s3:::bob-logs", False)):
        request = AccessRequest(Caller.parse(USER), "kms:Decrypt", KEY, {"aws:SourceArn": arn}, complete=True)
        assert evaluate(document, request).is_allowed is expected


@pytest.mark.parametrize(
    ("caller", "condition", "holds"),
    [
        (SESSION, {"ArnEquals": {"aws:PrincipalArn": APP}}, True),
        (SESSION, {"ArnEquals": {"aws:PrincipalArn": SESSION}}, False),
        (SESSION, {"StringEquals": {"aws:PrincipalType": "AssumedRole"}}, True),
        (USER, {"StringEquals": {"aws:PrincipalType": "User", "aws:username": "alice"}}, True),
        (ROOT, {"StringEquals": {"aws:PrincipalType": "Account", "aws:userid": ACCOUNT}}, True),
        (ROOT, {"ArnEquals": {"aws:PrincipalArn": ROOT}}, True),
        (PARTNER, {"StringEquals": {"kms:CallerAccount": OTHER, "aws:PrincipalAccount": OTHER}}, True),
        (APP, {"Null": {"aws:username": "true"}}, True),
        (APP, {"StringEquals": {"aws:ResourceAccount": ACCOUNT, "aws:RequestedRegion": "us-east-1"}}, True),
        (APP, {"Bool": {"aws:SecureTransport": "true", "kms:MultiRegion": "false"}}, True),
        ("s3.amazonaws.com", {"Bool": {"aws:PrincipalIsAWSService": "true"}}, True),
        ("s3.amazonaws.com", {"Null": {"aws:PrincipalArn": "true"}}, True),
        (f"arn:aws:sts::{ACCOUNT}:federated-user/bob", {"StringLike": {"aws:PrincipalArn": "*/bob"}}, True),
    ],
)
def test_what_follows_from_the_caller_and_the_key_is_known(
    caller: str, condition: Shape, holds: bool
) -> None:
    assert asked(policy(allow("*", condition=condition)), caller).is_allowed == holds


def test_the_policy_name_is_known_where_policies_are_read_and_written() -> None:
    text = policy(allow(APP, condition={"StringEquals": {"kms:PolicyName": "default"}}))
    assert may(text, action="kms:PutKeyPolicy") == "allow"
    assert may(text, action="kms:GetKeyPolicy") == "allow"
    assert may(text, action="kms:Decrypt") == "no statement"


def test_every_request_has_a_time_and_says_whether_a_service_forwards_it() -> None:
    until = policy(allow(APP, condition={"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}))
    assert may(until) == "depends"
    assert may(until, aws__CurrentTime="2026-11-29T00:00:00Z") == "allow"
    itself = policy(allow(APP, condition={"Bool": {"aws:ViaAWSService": "false"}}))
    through = {"kms__ViaService": "s3.us-east-1.amazonaws.com"}
    assert may(itself) == "allow"
    assert may(itself, **through) == "no statement"
    assert may(itself, aws__ViaAWSService="false", **through) == "allow"
    assert may(itself, complete=False) == "depends"
    service = policy(
        allow({"Service": "s3.amazonaws.com"}, condition={"Bool": {"aws:ViaAWSService": "false"}})
    )
    assert may(service, "s3.amazonaws.com", **through) == "allow"


@pytest.mark.parametrize(
    ("condition", "effect"),
    [
        ({"Null": {"kms:EncryptionContextKeys": "true"}}, "allow"),
        ({"Null": {"kms:EncryptionContextKeys": "false"}}, "no statement"),
        ({"ForAnyValue:StringEqualsIfExists": {"kms:EncryptionContextKeys": "a"}}, "allow"),
        ({"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "a"}}, "no statement"),
        ({"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": "a"}}, "allow"),
    ],
)
def test_a_key_without_values_is_absent(condition: Shape, effect: str) -> None:
    assert may(policy(allow(APP, condition=condition)), kms__EncryptionContextKeys=[]) == effect


def test_an_open_question_depends_on_named_conditions() -> None:
    condition = {
        "Bool": {"aws:MultiFactorAuthPresent": "true"},
        "IpAddress": {"aws:SourceIp": "198.51.100.0/24"},
    }
    decision = asked(policy(allow(APP, condition=condition)), complete=False, aws__SourceIp="198.51.100.7")
    assert decision.effect is Effect.DEPENDS
    assert decision.via is Via.CALLER
    ((found,),) = (decision.conditions,)
    assert (found.test.key_text, found.wanted) == ("aws:MultiFactorAuthPresent", True)


def test_a_deny_that_may_apply_leaves_the_question_open() -> None:
    text = policy(allow(APP), deny({"NotIpAddress": {"aws:SourceIp": "198.51.100.0/24"}}))
    decision = asked(text, complete=False)
    assert decision.effect is Effect.DEPENDS
    assert [(found.test.key_text, found.wanted) for found in decision.conditions] == [("aws:SourceIp", False)]
    assert may(text, aws__SourceIp="198.51.100.7") == "allow"
    assert may(text, aws__SourceIp="203.0.113.7") == "deny"


def test_a_deny_without_any_allow_is_no_open_question() -> None:
    assert may(
        policy(allow(ADMIN), deny({"Bool": {"aws:MultiFactorAuthPresent": "false"}})), complete=False
    ) == ("no statement")


def test_a_sure_allow_outranks_a_conditional_one() -> None:
    text = with_root(allow(APP, condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}))
    decision = asked(text, complete=False)
    assert (decision.effect, decision.via) == (Effect.ALLOW, Via.ACCOUNT)


def test_a_key_that_does_not_exist_is_always_absent() -> None:
    text = policy(allow(APP, condition={"StringEquals": {"kms:NoSuchKey": "x"}}))
    assert may(text, complete=False) == "no statement"


def test_a_variable_of_an_open_key_leaves_the_question_open() -> None:
    text = policy(
        allow(APP, condition={"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalTag/home}"}})
    )
    assert may(text, complete=False) == "depends"
    assert may(text, complete=False, **{"aws__PrincipalTag/home": ACCOUNT}) == "allow"


def test_a_broken_policy_decides_nothing() -> None:
    assert may(policy(allow())[:-1]) == "no statement"
    assert may(with_root({"Effect": "Deny"})) == "no statement"


IAM_ALLOW = policy({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"})
IAM_OTHER_KEY = policy({"Effect": "Allow", "Action": "kms:Decrypt", "Resource": KEY + "x"})
IAM_DENY = policy({"Effect": "Deny", "Action": "kms:*", "Resource": "arn:aws:kms:*:*:key/*"})

AUTHORIZATIONS: list[tuple[str, str, list[str], bool]] = [
    (with_root(), APP, [], False),
    (with_root(), APP, [IAM_ALLOW], True),
    (with_root(), APP, [IAM_OTHER_KEY], False),
    (with_root(), APP, [IAM_OTHER_KEY, IAM_ALLOW], True),
    (with_root(), APP, [IAM_ALLOW, IAM_DENY], False),
    (with_root(), ROOT, [], True),
    (with_root(allow(APP, "kms:Decrypt")), APP, [], True),
    (with_root(allow(APP, "kms:Decrypt")), SESSION, [], True),
    (with_root(allow(APP, "kms:Decrypt")), APP, [IAM_DENY], False),
    (with_root(deny(principal=APP)), APP, [IAM_ALLOW], False),
    (policy(allow("*", "kms:Decrypt")), APP, [], True),
    (policy(allow(ADMIN)), APP, [IAM_ALLOW], False),
    (with_root(allow(PARTNER, "kms:Decrypt")), PARTNER, [], False),
    (with_root(allow(PARTNER, "kms:Decrypt")), PARTNER, [IAM_ALLOW], True),
    (with_root(allow(OTHER, "kms:Decrypt")), PARTNER, [IAM_ALLOW], True),
    (with_root(allow(OTHER, "kms:Decrypt")), PARTNER, [], False),
    (with_root(), PARTNER, [IAM_ALLOW], False),
    (policy(allow("*", "kms:Decrypt")), PARTNER, [], False),
    (policy(allow({"Service": "s3.amazonaws.com"}, "kms:Decrypt")), "s3.amazonaws.com", [], True),
    (with_root(), "s3.amazonaws.com", [IAM_ALLOW], False),
]


@pytest.mark.parametrize(("key_policy", "caller", "identity", "allowed"), AUTHORIZATIONS)
def test_key_policy_and_iam_policy_decide_together(
    key_policy: str, caller: str, identity: list[str], allowed: bool
) -> None:
    assert _authorized(key_policy, caller, identity, "kms:Decrypt").is_allowed is allowed


def _authorized(key_policy: str, caller: str, identity: list[str], action: str) -> Authorization:
    request = AccessRequest(Caller.parse(caller), action, KEY, complete=True)
    policies = tuple(read_policy(Layer.IDENTITY, "iam", text) for text in identity)
    named = read_policy(Layer.KEY_POLICY, "key policy", key_policy)
    return authorize_request(request, replace(UNLIMITED, key_policy=named, grants=(), identity=policies))


def test_another_account_gets_only_what_works_across_accounts() -> None:
    everything = policy({"Effect": "Allow", "Action": "kms:*", "Resource": "*"})
    text = with_root(allow(OTHER, "kms:*"))
    assert _authorized(text, PARTNER, [everything], "kms:DescribeKey").is_allowed
    assert not _authorized(text, PARTNER, [everything], "kms:PutKeyPolicy").is_allowed


@pytest.mark.parametrize(
    ("key_policy", "identity", "layer", "effect"),
    [
        (with_root(deny(principal=APP)), [IAM_DENY], Layer.KEY_POLICY, LayerEffect.EXPLICIT_DENY),
        (with_root(), [IAM_DENY], Layer.IDENTITY, LayerEffect.EXPLICIT_DENY),
        (with_root(), [], Layer.IDENTITY, LayerEffect.IMPLICIT_DENY),
        (policy(allow(ADMIN)), [IAM_ALLOW], Layer.KEY_POLICY, LayerEffect.IMPLICIT_DENY),
    ],
)
def test_the_policy_that_denies_is_named(
    key_policy: str, identity: list[str], layer: Layer, effect: LayerEffect
) -> None:
    decisive = _authorized(key_policy, APP, identity, "kms:Decrypt").decisive
    assert decisive is not None
    assert (decisive.layer, decisive.effect) == (layer, effect)


@pytest.mark.parametrize(
    "text", ["", "*", "AROAEXAMPLEID12345", "alice", "arn:aws:iam::1:root", f"{APP}*", "\udc80"]
)
def test_what_cannot_call_is_no_caller(text: str) -> None:
    with pytest.raises(ValueError, match="not a principal"):
        Caller.parse(text)
