"""Beside control: public access, outside administration, services for anyone, the caller's loss."""

from __future__ import annotations

from typing import Any

import pytest

from kms_tui.policy.guard import outside_access
from tests.unit.policy.build import (
    ACCOUNT,
    ADMIN,
    APP,
    KEY,
    NOW,
    OTHER,
    ROOT,
    Shape,
    allow,
    deny,
    judged,
    policy,
    rules,
    verdict,
    with_root,
)

USE = ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*", "kms:DescribeKey"]
EC2 = "ec2.us-east-1.amazonaws.com"

LIMITED: list[Shape] = [
    {"StringEquals": {"kms:CallerAccount": ACCOUNT}},
    {"StringEquals": {"kms:CallerAccount": [ACCOUNT, OTHER]}},
    {"StringEquals": {"kms:CallerAccount": ACCOUNT, "kms:ViaService": EC2}},
    {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}},
    {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
    {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/*"}},
    {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}},
    {"StringEquals": {"aws:PrincipalArn": f"arn:aws:iam::{OTHER}:role/Partner"}},
    {"StringLike": {"aws:userid": "AROAEXAMPLEID:*"}},
    {"StringEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}},
    {"StringEquals": {"aws:SourceVpc": "vpc-1a2b3c4d"}},
    {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}},
    {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    {"ArnLike": {"aws:SourceArn": f"arn:aws:s3:*:{ACCOUNT}:*"}},
    {"StringEquals": {"kms:NoSuchKey": "x"}},
    {"StringEquals": {"aws:username": "ada", "aws:PrincipalAccount": ACCOUNT}},
    {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:user/*"}},
    {"StringEquals": {"aws:PrincipalServiceName": "s3.amazonaws.com", "aws:SourceAccount": ACCOUNT}},
]

UNLIMITED: list[Shape | None] = [
    None,
    {},
    {"Bool": {"aws:SecureTransport": "true"}},
    {"StringEquals": {"kms:ViaService": EC2}},
    {"StringLike": {"kms:ViaService": "ec2.*.amazonaws.com"}},
    {"StringEquals": {"kms:EncryptionContext:app": "x"}},
    {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    {"StringEquals": {"aws:PrincipalTag/team": "x"}},
    {"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}},
    {"StringNotEquals": {"kms:CallerAccount": OTHER}},
    {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
    {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Admin"}},
    {"StringLike": {"aws:PrincipalArn": "*"}},
    {"StringLike": {"aws:PrincipalAccount": "*"}},
    {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}},
    {"NotIpAddress": {"aws:SourceIp": "198.51.100.0/24"}},
    {"StringLike": {"aws:UserAgent": "*aws-cli*"}},
    {"DateLessThan": {"aws:CurrentTime": "2099-01-01"}},
    {"Bool": {"aws:PrincipalIsAWSService": "true"}},
    {"Null": {"aws:PrincipalOrgID": "false"}},
    {"ArnLike": {"aws:SourceArn": "*"}},
    {"StringEquals": {"aws:username": "ada"}},
    {"StringLike": {"aws:userid": "AIDA*"}},
    {"StringEquals": {"aws:PrincipalType": "User"}},
    {"StringEquals": {"aws:PrincipalType": "Account"}},
    {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/ada"}},
    {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}},
    {"StringEquals": {"aws:PrincipalServiceName": "s3.amazonaws.com"}},
    {"ForAnyValue:StringEquals": {"aws:PrincipalServiceNamesList": "s3.amazonaws.com"}},
]


@pytest.mark.parametrize("condition", LIMITED)
def test_everyone_behind_a_limit_is_not_public(condition: Shape) -> None:
    found = rules(with_root(allow("*", USE, condition)))
    assert not found & {"public", "public-via-service"}


@pytest.mark.parametrize("condition", UNLIMITED)
def test_everyone_without_a_limit_is_public(condition: Shape | None) -> None:
    text = with_root(allow("*", USE, condition))
    assert verdict(text) == "warn"
    assert rules(text) & {"public", "public-via-service"}


def test_via_service_alone_is_told_apart() -> None:
    assert "public-via-service" in rules(
        with_root(allow("*", USE, {"StringEquals": {"kms:ViaService": EC2}}))
    )


@pytest.mark.parametrize(
    ("denied", "expected"),
    [
        ({"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}}, "ok"),
        ({"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}, "warn"),
        ({"Bool": {"aws:SecureTransport": "false"}}, "warn"),
    ],
)
def test_a_deny_can_take_public_access_away(denied: Shape, expected: str) -> None:
    assert verdict(with_root(allow("*", USE), deny(denied))) == expected


OUTSIDE: list[tuple[Any, Any, Shape | None, str]] = [
    (OTHER, USE, None, "ok"),
    (f"arn:aws:iam::{OTHER}:root", USE, None, "ok"),
    (OTHER, ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"], None, "ok"),
    (OTHER, ["kms:DescribeKey", "kms:GetKeyPolicy"], None, "ok"),
    (OTHER, ["kms:Describe*", "kms:Get*", "kms:List*"], None, "ok"),
    (OTHER, "kms:*", None, "warn"),
    (OTHER, "kms:PutKeyPolicy", None, "warn"),
    (OTHER, "kms:Put*", None, "warn"),
    (f"arn:aws:iam::{OTHER}:role/Ops", ["kms:Enable*", "kms:Disable*"], None, "warn"),
    (f"arn:aws:sts::{OTHER}:assumed-role/Ops/xy", "kms:TagResource", None, "warn"),
    (OTHER, "kms:*", {"StringEquals": {"kms:CallerAccount": ACCOUNT}}, "ok"),
    (OTHER, "kms:*", {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}, "warn"),
    (OTHER, "kms:*", {"StringEquals": {"aws:SourceAccount": OTHER}}, "ok"),
    ([APP, OTHER], "kms:ScheduleKeyDeletion", None, "warn"),
    ("*", "kms:*", {"StringEquals": {"kms:CallerAccount": ACCOUNT}}, "ok"),
    ("*", "kms:*", {"StringEquals": {"kms:CallerAccount": OTHER}}, "warn"),
    ("*", "kms:*", {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}, "warn"),
    ("*", USE, {"StringEquals": {"kms:CallerAccount": OTHER}}, "ok"),
    (OTHER, "kms:*", {"StringEquals": {"aws:PrincipalType": "User"}}, "warn"),
    (OTHER, "kms:*", {"StringEquals": {"aws:username": "ada"}}, "warn"),
    ("*", "kms:*", {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OTHER}:role/Ops*"}}, "warn"),
    ("*", "kms:*", {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/Ops*"}}, "ok"),
]


@pytest.mark.parametrize(("who", "action", "condition", "expected"), OUTSIDE)
def test_administration_from_outside_is_warned_of(
    who: Any, action: Any, condition: Shape | None, expected: str
) -> None:
    text = with_root(allow(who, action, condition))
    assert verdict(text) == expected
    assert ("external-administration" in rules(text)) == (expected == "warn")


def test_denied_administration_from_outside_is_none() -> None:
    assert verdict(with_root(allow(OTHER, "kms:*"), deny(principal=OTHER))) == "ok"


BOUND: list[Shape] = [
    {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    {"StringEquals": {"aws:SourceAccount": OTHER}},
    {"StringLike": {"aws:SourceAccount": f"{ACCOUNT[:11]}?"}},
    {"ArnEquals": {"aws:SourceArn": f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/t"}},
    {"ArnLike": {"aws:SourceArn": f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/*"}},
    {"StringLike": {"aws:SourceArn": f"arn:aws:*:*:{ACCOUNT}:*"}},
    {"StringEquals": {"aws:SourceArn": "arn:aws:s3:::my-bucket"}},
    {"StringEquals": {"aws:SourceOrgID": "o-a1b2c3d4e5"}},
    {"ForAnyValue:StringLike": {"aws:SourceOrgPaths": "o-a1b2c3d4e5/*"}},
    {"StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/*"}},
    {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:us-east-1:{ACCOUNT}:*"}},
    {"StringEquals": {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::my-bucket"}},
]

UNBOUND: list[Shape | None] = [
    None,
    {"Bool": {"aws:SecureTransport": "true"}},
    {"StringEqualsIfExists": {"aws:SourceAccount": ACCOUNT}},
    {"StringNotEquals": {"aws:SourceAccount": OTHER}},
    {"ArnLike": {"aws:SourceArn": "arn:aws:cloudtrail:*:*:trail/*"}},
    {"ArnLike": {"aws:SourceArn": "*"}},
    {"StringLike": {"aws:SourceAccount": "*"}},
    {"Null": {"aws:SourceArn": "false"}},
    {"Null": {"kms:EncryptionContext:aws:ses:rule-name": "false"}},
    {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}},
    {"StringEquals": {"aws:ResourceAccount": ACCOUNT}},
    {"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "app"}},
]


@pytest.mark.parametrize("condition", BOUND)
def test_a_service_bound_to_a_source_is_sound(condition: Shape) -> None:
    assert verdict(with_root(allow({"Service": "cloudtrail.amazonaws.com"}, USE, condition))) == "ok"


@pytest.mark.parametrize("condition", UNBOUND)
def test_a_service_that_anyone_can_put_to_work_is_warned_of(condition: Shape | None) -> None:
    text = with_root(allow({"Service": "cloudtrail.amazonaws.com"}, USE, condition))
    assert verdict(text) == "warn"
    assert "unbound-service" in rules(text)


@pytest.mark.parametrize("action", ["kms:DescribeKey", ["kms:Describe*", "kms:Get*", "kms:List*"]])
def test_a_service_that_only_reads_needs_no_source(action: Any) -> None:
    assert verdict(with_root(allow({"Service": "dynamodb.amazonaws.com"}, action))) == "ok"


def test_a_service_bound_by_a_deny_is_sound() -> None:
    service = {"Service": "sns.amazonaws.com"}
    bound = deny({"StringNotEquals": {"aws:SourceAccount": ACCOUNT}}, action="kms:*", principal=service)
    assert verdict(with_root(allow(service, USE), bound)) == "ok"


LOSSES: list[tuple[Shape, str, bool]] = [
    (deny(principal=ADMIN), ADMIN, True),
    (deny(principal=ADMIN), APP, False),
    (deny(principal=ADMIN), f"arn:aws:sts::{ACCOUNT}:assumed-role/KeyAdmin/alice", True),
    (deny(principal=ADMIN), f"arn:aws:sts::{ACCOUNT}:assumed-role/Other/alice", False),
    (deny(principal=ADMIN, action="kms:Decrypt"), ADMIN, False),
    (deny(principal=f"arn:aws:sts::{ACCOUNT}:assumed-role/KeyAdmin/alice"), ADMIN, False),
    (
        deny(principal=f"arn:aws:sts::{ACCOUNT}:assumed-role/KeyAdmin/alice"),
        f"arn:aws:sts::{ACCOUNT}:assumed-role/KeyAdmin/alice",
        True,
    ),
    (deny({"ArnEquals": {"aws:PrincipalArn": ADMIN}}), ADMIN, True),
    (deny({"ArnLike": {"aws:PrincipalArn": f"{ADMIN[:-5]}*"}}), ADMIN, True),
    (deny({"ArnNotEquals": {"aws:PrincipalArn": ADMIN}}), ADMIN, False),
    (deny({"ArnNotEquals": {"aws:PrincipalArn": ADMIN}}), APP, True),
    (
        deny({"ArnNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/ops/KeyAdmin"}}),
        f"arn:aws:sts::{ACCOUNT}:assumed-role/KeyAdmin/alice",
        False,
    ),
    (deny({"StringEquals": {"aws:PrincipalType": "Account"}}), ROOT, True),
    (deny({"StringEquals": {"aws:PrincipalType": "Account"}}), ACCOUNT, True),
    (deny({"Bool": {"aws:MultiFactorAuthPresent": "false"}}), ADMIN, False),
    (deny({"StringNotLike": {"aws:userid": ["AROAEXAMPLEID:*", ACCOUNT]}}), ADMIN, False),
    (deny({"StringEquals": {"aws:username": "alice"}}), f"arn:aws:iam::{ACCOUNT}:user/alice", True),
    (deny(action="kms:Decrypt"), f"arn:aws:iam::{OTHER}:role/KeyAdmin", True),
]


@pytest.mark.parametrize(("extra", "caller", "loses"), LOSSES)
def test_the_callers_own_loss_is_warned_of(extra: Shape, caller: str, loses: bool) -> None:
    result = judged(with_root(extra), caller=caller)
    found = {finding.rule for finding in result.findings}
    assert ("caller-loses-access" in found) == loses
    assert result.verdict == "warn" if loses else result.verdict in ("ok", "warn")


def test_a_caller_named_by_the_policy_keeps_access_without_the_account() -> None:
    text = policy(allow(condition={"StringEquals": {"aws:PrincipalType": "Account"}}), allow(ADMIN))
    assert "caller-loses-access" not in {finding.rule for finding in judged(text).findings}
    assert "caller-loses-access" in {finding.rule for finding in judged(text, caller=APP).findings}


@pytest.mark.parametrize("caller", ["", "nobody", "arn:aws:iam::x:root", "*", "\udc80", "AROAEXAMPLEID12345"])
def test_a_caller_that_cannot_be_read_changes_nothing(caller: str) -> None:
    assert judged(with_root(), caller=caller).verdict == "ok"


def test_ineffective_statements_grant_nothing_to_the_public() -> None:
    statement = allow("*", USE, Resource=f"{KEY}x")
    assert verdict(with_root(statement)) == "warn"
    assert "public" not in rules(with_root(statement))


def outside(text: str) -> dict[str, set[str]]:
    """Who of other accounts gets which actions, without their prefix."""
    given = outside_access(text, account_id=ACCOUNT, key_arn=KEY, now=NOW)
    return {reach.who: {action.name.removeprefix("kms:") for action in reach.actions} for reach in given}


@pytest.mark.parametrize(
    ("principal", "condition", "who"),
    [
        (f"arn:aws:iam::{OTHER}:root", None, f"account {OTHER}"),
        (f"arn:aws:iam::{OTHER}:role/Partner", None, "role/Partner"),
        ("*", {"StringEquals": {"kms:CallerAccount": OTHER}}, f"account {OTHER}"),
        ("*", {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}, "anyone who meets its conditions"),
    ],
)
def test_use_from_outside_is_told_with_what_works_across_accounts(
    principal: str, condition: Shape | None, who: str
) -> None:
    text = with_root(allow(principal, ["kms:Decrypt", "kms:ListGrants", "kms:PutKeyPolicy"], condition))
    assert outside(text) == {who: {"Decrypt", "ListGrants"}}


@pytest.mark.parametrize(
    "statements",
    [
        [allow(APP, USE)],
        [allow("*", USE)],
        [allow("*", USE, {"StringEquals": {"kms:CallerAccount": ACCOUNT}})],
        [allow(f"arn:aws:iam::{OTHER}:root", "kms:PutKeyPolicy")],
        [allow(f"arn:aws:iam::{OTHER}:root", USE), deny(principal=f"arn:aws:iam::{OTHER}:root")],
    ],
)
def test_what_is_public_denied_or_the_accounts_own_is_not_use_from_outside(statements: list[Shape]) -> None:
    assert outside(with_root(*statements)) == {}
    assert outside("{") == {}


def test_a_text_that_is_no_policy_gives_nothing_to_other_accounts() -> None:
    text = with_root(allow(OTHER, "kms:Decrypt"))
    assert outside_access(text, account_id=ACCOUNT, now=NOW)
    assert outside_access(text.replace('"Allow"', '"Permit"', 1), account_id=ACCOUNT, now=NOW) == ()
