"""The root statement under a condition: always, sometimes or never true for the account's own requests."""

from __future__ import annotations

from typing import Any

import pytest

from kms_tui.policy.guard import check
from tests.unit.policy.build import (
    ACCOUNT,
    ADMIN,
    APP,
    KEY,
    NOW,
    OTHER,
    ROOT,
    allow,
    deny,
    judged,
    only_condition,
    policy,
    verdict,
)

ALWAYS: list[tuple[str, dict[str, Any]]] = [
    ("StringEquals", {"aws:PrincipalAccount": ACCOUNT}),
    ("StringEquals", {"AWS:principalaccount": ACCOUNT}),
    ("StringEquals", {"aws:PrincipalAccount": [OTHER, ACCOUNT]}),
    ("StringEquals", {"aws:PrincipalAccount": int(ACCOUNT)}),
    ("StringLike", {"aws:PrincipalAccount": "1111*"}),
    ("StringEqualsIgnoreCase", {"kms:CallerAccount": ACCOUNT}),
    ("StringEqualsIfExists", {"aws:PrincipalAccount": ACCOUNT}),
    ("StringNotEquals", {"aws:PrincipalAccount": OTHER}),
    ("StringEquals", {"kms:CallerAccount": ACCOUNT}),
    ("StringEquals", {"aws:ResourceAccount": ACCOUNT}),
    ("StringEquals", {"aws:RequestedRegion": "us-east-1"}),
    ("StringEquals", {"kms:PolicyName": "default"}),
    ("StringLike", {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:*"}),
    ("ArnLike", {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:*"}),
    ("ArnEquals", {"aws:PrincipalArn": "arn:aws:iam::*:*"}),
    ("StringNotLike", {"aws:PrincipalArn": f"arn:aws:iam::{OTHER}:*"}),
    ("ArnNotLike", {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/*"}),
    ("ArnNotEquals", {"aws:PrincipalArn": APP}),
    ("Bool", {"aws:SecureTransport": "true"}),
    ("Bool", {"aws:SecureTransport": True}),
    ("Bool", {"aws:SecureTransport": "TRUE"}),
    ("Bool", {"aws:PrincipalIsAWSService": "false"}),
    ("Bool", {"aws:ViaAWSService": "false"}),
    ("Bool", {"kms:MultiRegion": "false"}),
    ("BoolIfExists", {"kms:GrantIsForAWSResource": "true"}),
    ("Null", {"kms:ViaService": "true"}),
    ("Null", {"aws:SourceArn": True}),
    ("Null", {"aws:PrincipalArn": "false"}),
    ("Null", {"kms:BypassPolicyLockoutSafetyCheck": "true"}),
    ("Null", {"aws:CurrentTime": "false"}),
    ("StringNotEquals", {"kms:ViaService": "ec2.us-east-1.amazonaws.com"}),
    ("StringEqualsIfExists", {"aws:SourceAccount": OTHER}),
    ("StringNotEquals", {"aws:SourceAccount": OTHER}),
    ("ArnNotLike", {"aws:SourceArn": "arn:aws:s3:::*"}),
    ("DateGreaterThan", {"aws:CurrentTime": "2020-01-01T00:00:00Z"}),
    ("DateGreaterThan", {"aws:EpochTime": "1577836800"}),
    ("NumericGreaterThan", {"aws:EpochTime": 1577836800}),
    ("NotIpAddress", {"aws:SourceIp": "10.0.0.0/8"}),
    ("NotIpAddress", {"aws:SourceIp": "198.51.100.0/24"}),
    ("IpAddress", {"aws:SourceIp": "0.0.0.0/0"}),
    ("IpAddress", {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}),
    ("StringLike", {"aws:userid": "*"}),
    ("StringEquals", {"aws:PrincipalType": ["Account", "User", "AssumedRole"]}),
    ("StringNotEquals", {"aws:PrincipalType": "Anonymous"}),
]

SOMETIMES: list[tuple[str, dict[str, Any]]] = [
    ("Bool", {"aws:MultiFactorAuthPresent": "true"}),
    ("BoolIfExists", {"aws:MultiFactorAuthPresent": "true"}),
    ("Null", {"aws:MultiFactorAuthAge": "false"}),
    ("NumericLessThan", {"aws:MultiFactorAuthAge": "3600"}),
    ("NumericLessThanEquals", {"aws:MultiFactorAuthAge": 3600}),
    ("NumericLessThanIfExists", {"aws:MultiFactorAuthAge": "3600"}),
    ("StringEquals", {"aws:PrincipalType": "AssumedRole"}),
    ("StringEquals", {"aws:PrincipalType": "FederatedUser"}),
    ("StringNotEquals", {"aws:PrincipalType": "Account"}),
    ("ArnEquals", {"aws:PrincipalArn": ROOT}),
    ("StringEquals", {"aws:PrincipalArn": ADMIN}),
    ("ArnLike", {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}),
    ("ArnLike", {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*Admin*"}),
    ("ArnLike", {"aws:PrincipalArn": "arn:aws:iam::*:role/Admin"}),
    (
        "ArnLike",
        {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/aws-reserved/sso.amazonaws.com/*/Admin_*"},
    ),
    ("ArnLike", {"aws:PrincipalArn": f"arn:aws:sts::{ACCOUNT}:federated-user/alice"}),
    ("StringEquals", {"aws:userid": ACCOUNT}),
    ("StringLike", {"aws:userid": "*:alice"}),
    ("StringLike", {"aws:userid": "AROA*"}),
    ("StringLike", {"aws:username": "*"}),
    ("StringEquals", {"aws:PrincipalTag/team": "security"}),
    ("StringEquals", {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}),
    ("StringEqualsIfExists", {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}),
    ("StringEquals", {"kms:KeySpec": "SYMMETRIC_DEFAULT"}),
    ("StringEquals", {"kms:KeyOrigin": "AWS_KMS"}),
    ("StringEquals", {"aws:SourceVpce": "vpce-1a2b3c4d"}),
    ("StringLike", {"aws:SourceVpc": "vpc-*"}),
    ("Null", {"aws:SourceVpce": "false"}),
    ("IpAddress", {"aws:VpcSourceIp": "10.0.0.0/8"}),
    ("IpAddress", {"aws:SourceIp": ["10.0.0.0/8", "198.51.100.7"]}),
    ("NotIpAddress", {"aws:SourceIp": ["0.0.0.0/0"]}),
    ("StringLike", {"aws:UserAgent": "*Console*"}),
    ("StringEquals", {"aws:SourceIdentity": "alice"}),
    ("StringEquals", {"aws:FederatedProvider": "cognito-identity.amazonaws.com"}),
    ("ForAnyValue:StringEquals", {"aws:CalledVia": "cloudformation.amazonaws.com"}),
    ("Bool", {"aws:ViaAWSService": "true"}),
    ("Bool", {"kms:BypassPolicyLockoutSafetyCheck": "true"}),
    ("Null", {"aws:TokenIssueTime": "true"}),
    ("Null", {"aws:TokenIssueTime": "false"}),
    ("DateGreaterThan", {"aws:TokenIssueTime": "2020-01-01T00:00:00Z"}),
    ("DateLessThan", {"aws:CurrentTime": "2099-01-01T00:00:00Z"}),
    ("DateLessThanEquals", {"aws:CurrentTime": "2099-01-01"}),
    ("NumericLessThan", {"aws:EpochTime": 4070908800}),
    ("ForAllValues:StringEquals", {"aws:PrincipalTag/team": "security"}),
    ("ForAllValues:StringEquals", {"aws:TagKeys": "team"}),
    ("StringNotEquals", {"aws:PrincipalOrgld": "o-a1b2c3d4e5"}),
    ("Null", {"kms:NoSuchKey": "true"}),
    ("ArnEquals", {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"}),
    ("StringEquals", {"aws:PrincipalTag/team": "${aws:ResourceTag/team}"}),
    ("StringEquals", {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}),
]

NEVER: list[tuple[str, dict[str, Any]]] = [
    ("StringEquals", {"aws:PrincipalAccount": OTHER}),
    ("StringEquals", {"kms:CallerAccount": OTHER}),
    ("StringEquals", {"aws:PrincipalAccount": "1111*"}),
    ("StringEquals", {"aws:PrincipalAccount": f"{ACCOUNT} "}),
    ("StringNotEquals", {"aws:PrincipalAccount": ACCOUNT}),
    ("StringEquals", {"aws:PrincipalAccount": []}),
    ("ForAnyValue:StringEquals", {"aws:PrincipalAccount": []}),
    ("StringEquals", {"aws:ResourceAccount": OTHER}),
    ("StringEquals", {"aws:RequestedRegion": "eu-west-1"}),
    ("StringEquals", {"kms:PolicyName": "AWS_RAM"}),
    ("StringEquals", {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}),
    ("StringEquals", {"aws:PrincipalArn": ACCOUNT}),
    ("ArnEquals", {"aws:PrincipalArn": ACCOUNT}),
    ("ArnEquals", {"aws:PrincipalArn": f"arn:aws:iam::{OTHER}:role/Admin"}),
    ("ArnEquals", {"aws:PrincipalArn": f"arn:aws:sts::{ACCOUNT}:assumed-role/Admin/alice"}),
    ("ArnLike", {"aws:PrincipalArn": f"arn:aws:sts::{ACCOUNT}:assumed-role/Admin/*"}),
    ("ArnLike", {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/*"}),
    ("ArnEquals", {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/x.amazonaws.com/ForX"}),
    ("ArnLike", {"aws:PrincipalArn": "arn:aws:iam::*"}),
    ("ArnLike", {"aws:PrincipalArn": f"arn:aws-cn:iam::{ACCOUNT}:*"}),
    ("ArnLike", {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:group/*"}),
    ("StringLike", {"aws:userid": "AROAEXAMPLEID:*"}),
    ("StringEquals", {"aws:userid": "AIDACKCEVSQ6C2EXAMPLE"}),
    ("StringEquals", {"aws:PrincipalType": "assumedrole"}),
    ("StringEquals", {"aws:PrincipalType": "Anonymous"}),
    ("Bool", {"aws:SecureTransport": "false"}),
    ("Bool", {"aws:SecureTransport": "yes"}),
    ("Bool", {"aws:PrincipalIsAWSService": True}),
    ("Bool", {"aws:PrincipalArn": "true"}),
    ("Bool", {"kms:MultiRegion": "true"}),
    ("StringEquals", {"kms:ViaService": "ec2.us-east-1.amazonaws.com"}),
    ("StringLike", {"kms:ViaService": "*"}),
    ("StringEquals", {"aws:SourceAccount": ACCOUNT}),
    ("ArnLike", {"aws:SourceArn": "arn:aws:s3:::*"}),
    ("StringEquals", {"aws:SourceOrgID": "o-a1b2c3d4e5"}),
    ("StringEquals", {"kms:EncryptionContext:app": "x"}),
    ("ForAnyValue:StringEquals", {"kms:EncryptionContextKeys": "app"}),
    ("Bool", {"kms:GrantIsForAWSResource": "true"}),
    ("StringEquals", {"kms:KeySpec": "AES_1024"}),
    ("StringEquals", {"aws:RequestTag/env": "prod"}),
    ("StringEquals", {"kms:CallerAcount": ACCOUNT}),
    ("StringEquals", {"s3:prefix": "x"}),
    ("Null", {"aws:PrincipalArn": "true"}),
    ("Null", {"aws:PrincipalAccount": True}),
    ("Null", {"aws:CurrentTime": "true"}),
    ("Null", {"aws:SecureTransport": "true"}),
    ("Null", {"kms:ViaService": "false"}),
    ("Null", {"aws:SourceArn": "false"}),
    ("Null", {"aws:PrincipalArn": "maybe"}),
    ("ForAnyValue:Null", {"kms:ViaService": "true"}),
    ("DateLessThan", {"aws:CurrentTime": "2020-01-01T00:00:00Z"}),
    ("DateLessThan", {"aws:EpochTime": "1577836800"}),
    ("DateGreaterThan", {"aws:CurrentTime": "2099-01-01T00:00:00Z"}),
    ("DateGreaterThan", {"aws:CurrentTime": "soon"}),
    ("DateGreaterThan", {"aws:CurrentTime": "２０２０-01-01"}),
    ("DateLessThan", {"aws:TokenIssueTime": "2020-01-01T00:00:00Z"}),
    ("NumericLessThan", {"aws:MultiFactorAuthAge": "0"}),
    ("NumericGreaterThan", {"aws:MultiFactorAuthAge": "1e999"}),
    ("NumericEquals", {"aws:PrincipalAccount": "x"}),
    ("IpAddress", {"aws:SourceIp": ["10.0.0.0/8", "192.168.0.0/16"]}),
    ("IpAddress", {"aws:SourceIp": "127.0.0.1"}),
    ("IpAddress", {"aws:SourceIp": "fd00::/8"}),
    ("IpAddress", {"aws:SourceIp": "office"}),
    ("IpAddress", {"aws:SourceIp": "203.0.113.0/33"}),
    ("StringEquals", {"aws:username": "no/such name"}),
]


def _policy(condition: dict[str, Any]) -> str:
    return policy(allow(condition=condition))


@pytest.mark.parametrize(("operator", "keys"), ALWAYS)
def test_a_condition_that_every_request_meets_takes_nothing_from_the_account(
    operator: str, keys: dict[str, Any]
) -> None:
    assert verdict(_policy({operator: keys})) == "ok"


@pytest.mark.parametrize(("operator", "keys"), SOMETIMES)
def test_a_condition_that_some_requests_meet_is_warned_of(operator: str, keys: dict[str, Any]) -> None:
    assert verdict(_policy({operator: keys})) == "warn"


@pytest.mark.parametrize(("operator", "keys"), NEVER)
def test_a_condition_that_no_request_meets_is_a_lockout(operator: str, keys: dict[str, Any]) -> None:
    assert verdict(_policy({operator: keys})) == "refuse"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({}, "ok"),
        ({"StringEquals": {}}, "ok"),
        (
            {"StringEquals": {"aws:PrincipalArn": ADMIN}, "StringNotEquals": {"aws:PrincipalArn": ADMIN}},
            "refuse",
        ),
        (
            {
                "ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/Team*"},
                "StringLike": {"aws:PrincipalArn": "*Admin"},
            },
            "warn",
        ),
        (
            {
                "ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/Team*"},
                "StringLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:user/*"},
            },
            "refuse",
        ),
        ({"StringEquals": {"aws:PrincipalType": "Account", "aws:username": "alice"}}, "refuse"),
        ({"StringEquals": {"aws:PrincipalType": "Account", "aws:PrincipalTag/team": "x"}}, "refuse"),
        ({"StringEquals": {"aws:PrincipalType": "User", "aws:username": "alice"}}, "warn"),
        (
            {
                "IpAddress": {"aws:SourceIp": "203.0.113.0/24"},
                "StringEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"},
            },
            "refuse",
        ),
        (
            {
                "IpAddress": {"aws:SourceIp": "203.0.113.0/24"},
                "NotIpAddress": {"aws:SourceIp": "203.0.113.128/25"},
            },
            "warn",
        ),
        (
            {
                "IpAddress": {"aws:SourceIp": "203.0.113.128/25"},
                "NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"},
            },
            "refuse",
        ),
        (
            {
                "DateGreaterThan": {"aws:CurrentTime": "2020-01-01"},
                "DateLessThan": {"aws:CurrentTime": "2099-01-01"},
            },
            "warn",
        ),
        (
            {
                "DateGreaterThan": {"aws:CurrentTime": "2024-01-01"},
                "DateLessThan": {"aws:CurrentTime": "2025-01-01"},
            },
            "refuse",
        ),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}, "Null": {"aws:TokenIssueTime": "true"}}, "refuse"),
        (
            {
                "NumericLessThan": {"aws:MultiFactorAuthAge": "60"},
                "NumericGreaterThan": {"aws:MultiFactorAuthAge": "120"},
            },
            "refuse",
        ),
        (
            {"Bool": {"aws:MultiFactorAuthPresent": "false"}, "Null": {"aws:MultiFactorAuthAge": "false"}},
            "refuse",
        ),
    ],
)
def test_conditions_of_one_statement_must_hold_together(condition: dict[str, Any], expected: str) -> None:
    assert verdict(_policy(condition)) == expected


@pytest.mark.parametrize("version", ["2008-10-17", None])
def test_policy_variables_are_plain_text_in_the_old_version(version: str | None) -> None:
    condition = {"StringEquals": {"aws:username": "${aws:username}"}}
    assert verdict(policy(allow(condition=condition), version=version)) == "refuse"
    assert verdict(policy(allow(condition=condition))) == "warn"


ADMIN_BY_VARIABLE = "arn:aws:iam::${aws:PrincipalAccount}:role/KeyAdmin"


@pytest.mark.parametrize(
    ("denied", "expected"),
    [
        ({"StringNotEquals": {"aws:PrincipalArn": ADMIN_BY_VARIABLE}}, "warn"),
        ({"ArnNotLike": {"aws:PrincipalArn": ADMIN_BY_VARIABLE.replace("Key", "*")}}, "warn"),
        ({"ArnNotLike": {"aws:PrincipalArn": ADMIN_BY_VARIABLE.replace("Account", "Arn")}}, "refuse"),
        (
            {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/${{aws:PrincipalTag/team}}"}},
            "warn",
        ),
        ({"StringNotEquals": {"aws:PrincipalAccount": "${aws:ResourceAccount}"}}, "ok"),
        ({"StringNotEquals": {"aws:PrincipalAccount": "${kms:CallerAccount}"}}, "ok"),
        ({"StringEquals": {"aws:PrincipalAccount": "${aws:ResourceAccount}"}}, "refuse"),
        ({"StringNotEquals": {"aws:PrincipalAccount": "${aws:SourceAccount}"}}, "refuse"),
        ({"StringNotEquals": {"aws:PrincipalAccount": f"${{aws:SourceAccount, '{ACCOUNT}'}}"}}, "ok"),
    ],
)
def test_policy_variables_in_a_deny(denied: dict[str, Any], expected: str) -> None:
    assert verdict(policy(allow(), deny(denied))) == expected


def test_statements_with_complementary_conditions_cover_every_circumstance() -> None:
    with_mfa = allow(condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    without = allow(condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}})
    assert verdict(policy(with_mfa)) == "warn"
    assert verdict(policy(with_mfa, without)) == "ok"


def test_time_is_judged_from_the_moment_given() -> None:
    text = policy(allow(condition={"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}))
    before, after = 1_893_455_999.0, 1_893_456_001.0
    assert check(text, account_id=ACCOUNT, key_arn=KEY, now=before).verdict == "warn"
    assert check(text, account_id=ACCOUNT, key_arn=KEY, now=after).verdict == "refuse"
    assert before > NOW


def test_the_date_until_which_control_lasts_is_named() -> None:
    text = policy(allow(condition={"DateLessThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}}))
    (finding,) = (each for each in judged(text).findings if each.rule == "until-date")
    assert "until 2099-01-01T00:00:00Z" in finding.sentence


@pytest.mark.parametrize(
    ("operator", "template", "holds"),
    [
        ("ArnLike", "arn:*:${aws:PrincipalTag/t}", False),
        ("StringLike", "arn:*:${aws:PrincipalTag/t}", True),
        ("ArnLike", "arn:*:iam::*:${aws:PrincipalTag/t}", True),
        ("StringLike", "arn:aws:iam::*/${aws:PrincipalTag/t}", False),
        ("StringEquals", "arn:aws:iam::1:${aws:PrincipalTag/t}", True),
        ("StringEquals", "arn:aws:iam::*:${aws:PrincipalTag/t}", False),
        ("StringEqualsIgnoreCase", "ARN:aws:iam::1:${aws:PrincipalTag/t}", True),
        ("StringLike", "arn:aws:iam::1:role/${*}", False),
        ("StringLike", "arn:aws:iam::1:role/${aws:PrincipalTag/none, 'x'}", True),
        ("StringLike", "arn:aws:iam::1:role/${aws:PrincipalTag/none}", False),
    ],
)
def test_a_policy_variable_is_compared_as_its_operator_compares(
    operator: str, template: str, holds: bool
) -> None:
    test = only_condition({operator: {"aws:PrincipalArn": template}})
    assert test.holds(("arn:aws:iam::1:role/x",), {"aws:principaltag/t": "role/x"}.get) == holds


def test_what_a_variable_brings_is_no_wildcard() -> None:
    test = only_condition({"StringLike": {"aws:username": "a${aws:PrincipalTag/t}*"}})
    assert test.holds(("a*b",), {"aws:principaltag/t": "*"}.get)
    assert not test.holds(("axb",), {"aws:principaltag/t": "*"}.get)
    assert test.holds(("axb",), {"aws:principaltag/t": "x"}.get)
