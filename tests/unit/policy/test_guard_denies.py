"""Deny statements beside a whole root statement: whom they cover, and what is left."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

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
    judged,
    policy,
    rules,
    verdict,
    with_root,
)

USER = f"arn:aws:iam::{ACCOUNT}:user/alice"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/i-1234"

UNCONDITIONAL: list[tuple[Any, str]] = [
    ("*", "refuse"),
    ({"AWS": "*"}, "refuse"),
    (ROOT, "refuse"),
    (ACCOUNT, "refuse"),
    ([OTHER, ACCOUNT], "refuse"),
    ([APP, ROOT], "refuse"),
    (APP, "ok"),
    ([APP, USER, SESSION], "ok"),
    (OTHER, "ok"),
    (f"arn:aws:iam::{OTHER}:root", "ok"),
    ({"Service": "s3.amazonaws.com"}, "ok"),
    ({"Federated": "accounts.google.com"}, "ok"),
    ({"AWS": APP, "Service": "s3.amazonaws.com"}, "ok"),
    ({"Service": "s3.amazonaws.com", "AWS": "*"}, "refuse"),
    ("AROAEXAMPLEROLEID12345", "warn"),
]


@pytest.mark.parametrize(("principal", "expected"), UNCONDITIONAL)
def test_a_deny_of_everything_covers_whom_it_names(principal: Any, expected: str) -> None:
    assert verdict(with_root(deny(principal=principal))) == expected


ACTIONS: list[tuple[Any, str]] = [
    ("*", "refuse"),
    ("kms:*", "refuse"),
    ("KMS:PUTKEYPOLICY", "refuse"),
    ("kms:Put*", "refuse"),
    ("kms:?utKeyPolicy", "refuse"),
    ("kms:*Policy", "refuse"),
    (["kms:Decrypt", "kms:PutKeyPolicy"], "refuse"),
    ("kms:[P]utKeyPolicy", "warn"),
    ("kms:Decrypt", "warn"),
    ("kms:CreateGrant", "warn"),
    ("kms:*Grant*", "warn"),
    ("kms:TagResource", "warn"),
    ("kms:CancelKeyDeletion", "warn"),
    ("kms:DescribeKey", "warn"),
    ("kms:Get*", "warn"),
    ("kms:ScheduleKeyDeletion", "ok"),
    ("kms:Disable*", "ok"),
    ("kms:Delete*", "ok"),
    (["kms:ScheduleKeyDeletion", "kms:DisableKeyRotation"], "ok"),
    ("kms:CreateKey", "ok"),
    ("s3:*", "warn"),
    ("kms:NoSuchAction", "warn"),
    ([], "warn"),
    (None, "warn"),
]


@pytest.mark.parametrize(("action", "expected"), ACTIONS)
def test_a_deny_to_everyone_is_judged_by_its_actions(action: Any, expected: str) -> None:
    assert verdict(with_root(deny(action=action))) == expected


NOT_ACTIONS: list[tuple[Any, str]] = [
    ("kms:*", "ok"),
    ("*", "ok"),
    ("s3:*", "refuse"),
    ("kms:Describe*", "refuse"),
    (["kms:Put*"], "warn"),
    (["kms:PutKeyPolicy", "kms:*Key*", "kms:*Grant*"], "warn"),
    ("kms:GetKeyPolicy", "refuse"),
]


@pytest.mark.parametrize(("listed", "expected"), NOT_ACTIONS)
def test_a_deny_with_not_action_denies_all_but_the_listed(listed: Any, expected: str) -> None:
    assert verdict(with_root(deny(action=None, NotAction=listed))) == expected


RESOURCES: list[tuple[Shape, str]] = [
    ({"Resource": KEY}, "refuse"),
    ({"Resource": "arn:aws:kms:*:*:key/*"}, "refuse"),
    ({"Resource": ["arn:aws:s3:::b", KEY]}, "refuse"),
    ({"Resource": f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/*"}, "warn"),
    ({"Resource": KEY.replace("us-east-1", "eu-west-1")}, "warn"),
    ({"Resource": []}, "warn"),
    ({"Resource": None}, "warn"),
    ({"Resource": None, "NotResource": KEY}, "warn"),
    ({"Resource": None, "NotResource": "*"}, "warn"),
    ({"Resource": None, "NotResource": "arn:aws:s3:::*"}, "refuse"),
]


@pytest.mark.parametrize(("extra", "expected"), RESOURCES)
def test_a_deny_counts_where_its_resource_is_this_key(extra: Shape, expected: str) -> None:
    assert verdict(with_root(deny(**extra))) == expected


NOT_PRINCIPALS: list[tuple[Any, str]] = [
    (ROOT, "warn"),
    (ACCOUNT, "warn"),
    ([ROOT, ADMIN], "warn"),
    ([ACCOUNT, USER], "warn"),
    (ADMIN, "refuse"),
    ([ADMIN, SESSION], "refuse"),
    (OTHER, "refuse"),
    ([f"arn:aws:iam::{OTHER}:root", ADMIN], "refuse"),
    ({"Service": "s3.amazonaws.com"}, "refuse"),
    ("*", "warn"),
    ({"AWS": ROOT, "Service": "s3.amazonaws.com"}, "warn"),
]


@pytest.mark.parametrize(("spared", "expected"), NOT_PRINCIPALS)
def test_not_principal_spares_the_account_only_if_it_lists_it(spared: Any, expected: str) -> None:
    who = spared if isinstance(spared, dict) or spared == "*" else {"AWS": spared}
    statement = deny(NotPrincipal=who)
    del statement["Principal"]
    assert verdict(with_root(statement)) == expected
    assert "not-principal" in rules(with_root(statement))


def test_not_principal_on_use_alone_leaves_control_but_is_warned_of() -> None:
    statement = deny(action="kms:Decrypt", NotPrincipal={"AWS": APP})
    del statement["Principal"]
    assert verdict(with_root(statement)) == "warn"


HARMLESS: list[Shape] = [
    {"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}},
    {"StringNotEquals": {"kms:CallerAccount": [OTHER, ACCOUNT]}},
    {"StringNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:*"}},
    {"ArnEquals": {"aws:PrincipalArn": APP}},
    {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/contractor/*"}},
    {"StringLike": {"aws:userid": "AROAEXAMPLEID:*"}},
    {"Bool": {"aws:SecureTransport": "false"}},
    {"BoolIfExists": {"aws:SecureTransport": "false"}},
    {"Bool": {"aws:PrincipalIsAWSService": "true"}},
    {"Bool": {"aws:ViaAWSService": "true"}},
    {"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}},
    {"StringEquals": {"kms:ViaService": "ec2.us-east-1.amazonaws.com"}},
    {"StringNotEquals": {"kms:ViaService": "x"}, "Null": {"kms:ViaService": "false"}},
    {"StringNotEquals": {"aws:SourceAccount": ACCOUNT}, "Null": {"aws:SourceAccount": False}},
    {"StringNotEqualsIfExists": {"aws:SourceAccount": OTHER}, "Bool": {"aws:PrincipalIsAWSService": "true"}},
    {"ForAnyValue:StringEquals": {"aws:CalledVia": "cloudformation.amazonaws.com"}},
    {"ForAnyValue:StringNotEquals": {"kms:EncryptionContextKeys": "app"}},
    {"Bool": {"kms:GrantIsForAWSResource": "false"}},
    {"Bool": {"kms:BypassPolicyLockoutSafetyCheck": "true"}},
    {"Null": {"kms:ViaService": "false"}},
    {"Null": {"aws:PrincipalArn": "true"}},
    {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}},
    {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
    {"StringEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}},
    {"StringEquals": {"aws:PrincipalTag/team": "contractor"}},
    {"StringLike": {"aws:UserAgent": "*curl*"}},
    {"DateLessThan": {"aws:CurrentTime": "2020-01-01"}},
    {"DateLessThan": {"aws:TokenIssueTime": "2020-01-01"}},
    {"StringEquals": {"aws:PrincipalAccount": []}},
    {"StringEquals": {"aws:PrincipalType": "Anonymous"}},
    {"StringEquals": {"kms:PolicyName": "AWS_RAM"}},
    {"StringEquals": {"aws:username": "alice"}},
]


@pytest.mark.parametrize("condition", HARMLESS)
def test_a_conditional_deny_that_spares_plain_requests_is_sound(condition: Shape) -> None:
    assert verdict(with_root(deny(condition))) == "ok"


NARROWING: list[Shape] = [
    {"ArnNotEquals": {"aws:PrincipalArn": ADMIN}},
    {"ArnNotLike": {"aws:PrincipalArn": [f"arn:aws:iam::{ACCOUNT}:role/*", ROOT]}},
    {"StringNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*Admin*"}},
    {"ArnNotEquals": {"aws:PrincipalArn": ROOT}},
    {"ArnEquals": {"aws:PrincipalArn": ROOT}},
    {"StringEquals": {"aws:PrincipalType": "Account"}},
    {"StringNotEquals": {"aws:PrincipalType": "Account"}},
    {"StringNotLike": {"aws:userid": ["AROAEXAMPLEID:*", ACCOUNT]}},
    {"StringNotLike": {"aws:userid": "*:alice"}},
    {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
    {
        "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"},
        "Bool": {"aws:PrincipalIsAWSService": "false"},
    },
    {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
    {"ForAllValues:StringNotLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/*"}},
    {"StringNotEquals": {"aws:PrincipalTag/team": "security"}},
    {"Null": {"aws:PrincipalTag/team": "true"}},
    {"NotIpAddress": {"aws:SourceIp": "198.51.100.0/24"}},
    {"NotIpAddress": {"aws:SourceIp": ["10.0.0.0/8", "198.51.100.0/24"]}},
    {"NotIpAddressIfExists": {"aws:SourceIp": "198.51.100.0/24"}},
    {
        "NotIpAddress": {"aws:SourceIp": "198.51.100.0/24"},
        "StringNotEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"},
    },
    {"StringNotEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}},
    {"StringNotEqualsIfExists": {"aws:SourceVpc": "vpc-1a2b3c4d"}},
    {"Null": {"aws:SourceVpce": "true"}},
    {"Bool": {"aws:MultiFactorAuthPresent": "false"}},
    {"Null": {"aws:MultiFactorAuthAge": "true"}},
    {"NumericGreaterThan": {"aws:MultiFactorAuthAge": "3600"}},
    {"NumericGreaterThanIfExists": {"aws:MultiFactorAuthAge": "3600"}},
    {"Bool": {"aws:ViaAWSService": "false"}},
    {"DateGreaterThan": {"aws:CurrentTime": "2099-01-01"}},
    {"DateLessThan": {"aws:TokenIssueTime": "2099-01-01"}},
    {"Null": {"kms:BypassPolicyLockoutSafetyCheck": "true"}},
    {"StringNotLike": {"aws:UserAgent": "*Console*"}},
    {"StringEquals": {"aws:PrincipalOrgld": "o-a1b2c3d4e5"}},
]


@pytest.mark.parametrize("condition", NARROWING)
def test_a_conditional_deny_that_leaves_special_circumstances_is_warned_of(condition: Shape) -> None:
    assert verdict(with_root(deny(condition))) == "warn"


FATAL: list[Shape] = [
    {},
    {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}},
    {"StringNotEquals": {"aws:PrincipalAccount": OTHER}},
    {"StringNotEquals": {"aws:PrincipalAccount": []}},
    {"StringLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:*"}},
    {"StringLike": {"aws:PrincipalArn": "*"}},
    {"StringNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}},
    {"ArnNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{OTHER}:role/KeyAdmin"}},
    {"ArnNotEquals": {"aws:PrincipalArn": f"arn:aws:sts::{ACCOUNT}:assumed-role/KeyAdmin/alice"}},
    {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/*"}},
    {"StringNotLike": {"aws:userid": "AROAEXAMPLEID:*"}},
    {"StringNotEquals": {"aws:userid": ["AROAEXAMPLEID:x", "AIDAEXAMPLEID"]}},
    {"Bool": {"aws:SecureTransport": "true"}},
    {"Bool": {"aws:PrincipalIsAWSService": "false"}},
    {"StringEquals": {"aws:RequestedRegion": "us-east-1"}},
    {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}},
    {"StringNotEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}},
    {"StringNotLike": {"kms:ViaService": "*"}},
    {"StringNotEquals": {"aws:SourceAccount": ACCOUNT}},
    {"StringNotEqualsIfExists": {"aws:SourceAccount": ACCOUNT}},
    {"ArnNotLike": {"aws:SourceArn": "arn:aws:s3:::*"}},
    {"ArnNotLikeIfExists": {"aws:SourceArn": "arn:aws:s3:::*"}},
    {"StringEqualsIfExists": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}},
    {"StringNotEquals": {"kms:EncryptionContext:app": "x"}},
    {"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": "app"}},
    {"ForAllValues:StringNotEquals": {"kms:EncryptionContextKeys": "app"}},
    {"BoolIfExists": {"kms:GrantIsForAWSResource": "false"}},
    {"Null": {"kms:ViaService": "true"}},
    {"Null": {"aws:SourceArn": True}},
    {"Null": {"aws:PrincipalArn": "false"}},
    {"ForAllValues:Null": {"kms:ViaService": "false"}},
    {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
    {"NotIpAddress": {"aws:SourceIp": "office"}},
    {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01"}},
    {"DateLessThan": {"aws:CurrentTime": "2099-01-01"}},
    {"DateNotEquals": {"aws:CurrentTime": "2020-01-01"}},
    {"NumericLessThan": {"aws:EpochTime": 4070908800}},
    {"StringNotEquals": {"aws:PrincipalOrgld": "o-a1b2c3d4e5"}},
    {"StringNotEquals": {"kms:PolicyName": "AWS_RAM"}},
    {"StringEquals": {"kms:PolicyName": "default"}},
    {"StringEquals": {"aws:PrincipalType": ["Account", "User", "AssumedRole"]}},
    {"StringNotEquals": {"aws:PrincipalType": "account"}},
]


@pytest.mark.parametrize("condition", FATAL)
def test_a_conditional_deny_that_no_request_escapes_is_a_lockout(condition: Shape) -> None:
    assert verdict(with_root(deny(condition, action="kms:PutKeyPolicy"))) == "refuse"


TOGETHER: list[tuple[list[Shape], str]] = [
    (
        [deny({"ArnEquals": {"aws:PrincipalArn": ROOT}}), deny({"ArnNotEquals": {"aws:PrincipalArn": ROOT}})],
        "refuse",
    ),
    (
        [deny({"StringEquals": {"aws:PrincipalType": kind}}) for kind in ("Account", "User", "AssumedRole")],
        "refuse",
    ),
    (
        [
            deny({"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
            deny({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}),
        ],
        "refuse",
    ),
    (
        [
            deny({"NotIpAddress": {"aws:SourceIp": "198.51.100.0/24"}}),
            deny({"StringNotEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}}),
        ],
        "refuse",
    ),
    (
        [
            deny({"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/Team*"}}),
            deny({"StringNotLike": {"aws:PrincipalArn": "*Admin"}}),
        ],
        "warn",
    ),
    (
        [
            deny({"ArnNotEquals": {"aws:PrincipalArn": [ADMIN, APP]}}),
            deny({"ArnEquals": {"aws:PrincipalArn": ADMIN}}),
        ],
        "warn",
    ),
    (
        [
            deny({"ArnNotEquals": {"aws:PrincipalArn": [ADMIN, APP]}}),
            deny({"ArnEquals": {"aws:PrincipalArn": ADMIN}}),
            deny(principal=APP),
        ],
        "refuse",
    ),
    ([deny({"ArnEquals": {"aws:PrincipalArn": APP}}), deny(principal=USER)], "ok"),
]


@pytest.mark.parametrize(("denies", "expected"), TOGETHER)
def test_several_denies_count_together(denies: list[Shape], expected: str) -> None:
    assert verdict(with_root(*denies)) == expected
    assert verdict(policy(*reversed(denies), allow())) == expected


USE = ["kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey*"]
ON_USE: list[tuple[Any, Shape | None, str]] = [
    (USE, None, "warn"),
    (USE, {"StringNotEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}, "ok"),
    (USE, {"StringNotEquals": {"kms:EncryptionContext:app": "x"}}, "ok"),
    (USE, {"Null": {"kms:EncryptionContextKeys": "true"}}, "ok"),
    (USE, {"Bool": {"aws:SecureTransport": "false"}}, "ok"),
    (USE, {"ArnNotEquals": {"aws:PrincipalArn": APP}}, "ok"),
    (USE, {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}, "ok"),
    (USE, {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}, "warn"),
    (USE, {"StringNotEquals": {"aws:SourceAccount": ACCOUNT}}, "warn"),
    ("kms:CreateGrant", {"Bool": {"kms:GrantIsForAWSResource": "false"}}, "ok"),
    ("kms:CreateGrant", {"BoolIfExists": {"kms:GrantIsForAWSResource": False}}, "ok"),
    ("kms:CreateGrant", {"Null": {"kms:GrantConstraintType": "true"}}, "ok"),
    (
        "kms:ScheduleKeyDeletion",
        {"NumericLessThan": {"kms:ScheduleKeyDeletionPendingWindowInDays": "30"}},
        "ok",
    ),
    ("kms:DescribeKey", {"StringNotEquals": {"kms:EncryptionContext:app": "x"}}, "warn"),
]


@pytest.mark.parametrize(("action", "condition", "expected"), ON_USE)
def test_a_deny_of_use_is_fine_where_some_use_remains(
    action: Any, condition: Shape | None, expected: str
) -> None:
    assert verdict(with_root(deny(condition, action=action))) == expected


def test_the_one_network_that_a_deny_leaves_out_is_found() -> None:
    """All addresses but 198.51.100.0/24, block by block; the gap lies right behind one of the blocks."""
    left = ipaddress.IPv4Network("198.51.100.0/24")
    blocks = [str(block) for block in ipaddress.IPv4Network("0.0.0.0/0").address_exclude(left)]
    assert verdict(with_root(deny({"IpAddress": {"aws:SourceIp": [*blocks, "::/0"]}}))) != "refuse"
    everything = {"IpAddress": {"aws:SourceIp": [*blocks, str(left), "::/0"]}}
    endpoint = {"Null": {"aws:SourceIp": "true"}}
    assert verdict(with_root(deny(everything), deny(endpoint))) == "refuse"


@pytest.mark.parametrize("element", ["Action", "NotAction"])
def test_a_finding_on_the_actions_points_at_their_element(element: str) -> None:
    actions = ["kms:Put*"] if element == "Action" else ["kms:Decrypt"]
    statement = allow()
    del statement["Action"]
    text = policy(statement | {element: actions})
    (found,) = (each for each in judged(text).findings if each.rule == "less-than-full-control")
    assert text.split("\n")[found.line - 1].strip().startswith(f'"{element}"')
