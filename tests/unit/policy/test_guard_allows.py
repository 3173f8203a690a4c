"""Which statements keep the account in control: whom they name, for which actions, on which key."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kms_tui.policy import parse
from kms_tui.policy.guard import check, names_account
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

WHO: list[tuple[Any, str]] = [
    (ROOT, "ok"),
    (ACCOUNT, "ok"),
    ([ROOT], "ok"),
    ([ROOT, ADMIN], "ok"),
    ({"AWS": ROOT, "Service": "s3.amazonaws.com"}, "warn"),
    ("*", "warn"),
    ({"AWS": ["*", ROOT]}, "warn"),
    (ADMIN, "refuse"),
    ([ADMIN, APP], "refuse"),
    (f"arn:aws:iam::{OTHER}:root", "refuse"),
    (OTHER, "refuse"),
    (f"arn:aws:sts::{ACCOUNT}:assumed-role/Admin/alice", "refuse"),
    (f"arn:aws:sts::{ACCOUNT}:federated-user/alice", "refuse"),
    ("AIDAEXAMPLEUSER123456", "refuse"),
    ({"Service": "kms.amazonaws.com"}, "refuse"),
    ({"Federated": "cognito-identity.amazonaws.com"}, "refuse"),
    ({"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/Okta"}, "refuse"),
]


@pytest.mark.parametrize(("principal", "expected"), WHO)
def test_only_the_account_and_everyone_keep_control(principal: Any, expected: str) -> None:
    assert verdict(policy(allow(principal))) == expected


IMPOSSIBLE: list[Any] = [
    f"arn:aws:iam::{ACCOUNT}:role/*",
    f"arn:aws:iam::{ACCOUNT}:role/Adm?n",
    f"arn:aws:iam::{ACCOUNT}:user/*",
    f"arn:aws:iam::{ACCOUNT}:*",
    "arn:aws:iam::*:root",
    f"arn:aws:iam::{ACCOUNT}:group/Admins",
    f"arn:aws:iam::{ACCOUNT}:policy/Admin",
    f"arn:aws:iam::{ACCOUNT}:instance-profile/x",
    f"arn:aws:iam::{ACCOUNT}:saml-provider/Okta",
    f"arn:aws:iam::{ACCOUNT}:Root",
    f"arn:aws:iam::{ACCOUNT}:root/",
    f"arn:aws:iam::{ACCOUNT}:root\n",
    f" {ROOT}",
    f"arn:aws:iam:us-east-1:{ACCOUNT}:root",
    f"arn:aws:iam:{ACCOUNT}:root",
    f"arn:aws:sts::{ACCOUNT}:root",
    f"arn:aws:sts::{ACCOUNT}:assumed-role/Admin",
    f"arn:aws:sts::{ACCOUNT}:assumed-role/Admin/*",
    f"arn:aws:kms::{ACCOUNT}:root",
    f"arn:aws-cn:iam::{ACCOUNT}:root",
    f"arn:aws:iam::{ACCOUNT}:user/",
    f"arn:aws:iam::{ACCOUNT}:role/a b",
    f"arn:aws:iam::{ACCOUNT}:role/{'x' * 65}",
    "arn:aws:iam::1111-2222-3333:root",
    "arn:aws:iam::11112222333:root",
    "arn:aws:iam::1111222233334:root",
    "arn:aws:iam::${AWS::AccountId}:root",
    "arn:aws:iam::${aws:PrincipalAccount}:root",
    "1111-2222-3333",
    "11112222333",
    f"{ACCOUNT}\n",
    f"{ACCOUNT}:root",
    "AGPAEXAMPLEGROUP12345",
    "root",
    "",
    "**",
    ["*", ""],
    [ROOT, None],
    [ROOT, 111122223333],
    111122223333,
    True,
    None,
    [],
    {"Ref": "AWS::AccountId"},
    [[ROOT]],
]


@pytest.mark.parametrize("who", IMPOSSIBLE)
def test_an_impossible_principal_is_refused_even_beside_the_root_statement(who: Any) -> None:
    extra = {"Effect": "Allow", "Principal": {"AWS": who}, "Action": "kms:Decrypt", "Resource": "*"}
    assert verdict(with_root(extra)) == "refuse"
    assert verdict(with_root(extra | {"Effect": "Deny"})) == "refuse"


IMPOSSIBLE_SHAPES: list[Any] = [
    ROOT,
    ACCOUNT,
    "AWS:*",
    ["*"],
    [ROOT],
    {},
    None,
    7,
    True,
    {"AWS": "*", "Everyone": "*"},
    {"aws": ROOT},
    {"*": "*"},
    {"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"},
    {"Service": ROOT},
    {"Service": ACCOUNT},
    {"Service": "*"},
    {"Service": "cloudtrail"},
    {"Service": "logs.${AWS::Region}.amazonaws.com"},
    {"Service": "*.amazonaws.com"},
    {"Service": []},
    {"Federated": ROOT},
    {"Federated": "*"},
    {"AWS": "s3.amazonaws.com"},
]


@pytest.mark.parametrize("principal", IMPOSSIBLE_SHAPES)
def test_an_impossible_principal_element_is_refused(principal: Any) -> None:
    extra = {"Effect": "Allow", "Principal": principal, "Action": "kms:Decrypt", "Resource": "*"}
    assert verdict(with_root(extra)) == "refuse"


POSSIBLE: list[Any] = [
    APP,
    f"arn:aws:iam::{ACCOUNT}:role/service-role/team/App_1+2=3,4.5@6-7",
    f"arn:aws:iam::{ACCOUNT}:user/division/alice",
    f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
    f"arn:aws:sts::{ACCOUNT}:assumed-role/Admin/alice@example.com",
    f"arn:aws:sts::{ACCOUNT}:federated-user/alice",
    OTHER,
    f"arn:aws:iam::{OTHER}:role/Partner",
]


@pytest.mark.parametrize("who", POSSIBLE)
def test_a_possible_principal_of_a_use_statement_is_sound(who: str) -> None:
    assert verdict(with_root(allow(who, ["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey"]))) == "ok"


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-eusc"])
def test_the_partition_of_the_key_is_that_of_its_principals(partition: str) -> None:
    own = policy(allow(f"arn:{partition}:iam::{ACCOUNT}:root"))
    foreign = policy(allow(ACCOUNT), allow("arn:aws-xx:iam::444455556666:root", "kms:Decrypt"))
    key = KEY.replace("arn:aws:", f"arn:{partition}:")
    assert judged(own, partition=partition, key_arn=key, caller=None).verdict == "ok"
    assert judged(policy(allow(ACCOUNT)), partition=partition, key_arn=key, caller=None).verdict == "ok"
    assert judged(foreign, partition=partition, key_arn=key, caller=None).verdict == "refuse"


ACTIONS: list[tuple[Any, str]] = [
    ("kms:*", "ok"),
    ("KMS:*", "ok"),
    ("kMs:*", "ok"),
    ("*", "ok"),
    ("**", "ok"),
    ("kms:**", "ok"),
    ("kms:*?", "ok"),
    ("k?s:*", "ok"),
    (["kms:*"], "ok"),
    (["kms:*", "kms:Decrypt"], "ok"),
    (["kms:A*", "kms:*"], "warn"),
    (["kms:*", "s3:*"], "warn"),
    ("kms:PutKeyPolicy", "warn"),
    ("kms:Put*", "warn"),
    ("KMS:putkeypolicy", "warn"),
    (["kms:Get*", "kms:List*", "kms:Put*"], "warn"),
    ("kms:PutKeyPolic", "refuse"),
    ("kms:PutKeyPolicy ", "refuse"),
    ("kms: PutKeyPolicy", "refuse"),
    ("PutKeyPolicy", "refuse"),
    ("kms.PutKeyPolicy", "refuse"),
    ("kms:[P-Z]utKeyPolicy", "refuse"),
    ("kms:[a-z]*", "refuse"),
    ("kms:Put.*", "refuse"),
    ("kms:PutKey?olic?", "warn"),
    ("\u212ams:*", "refuse"),
    ("kms:Decrypt", "refuse"),
    ("s3:*", "refuse"),
    ("kms:", "refuse"),
    ("kms", "refuse"),
    ("", "refuse"),
    ([], "refuse"),
    (["kms:Put", "KeyPolicy"], "refuse"),
]


@pytest.mark.parametrize(("action", "expected"), ACTIONS)
def test_the_account_needs_put_key_policy_and_should_have_all(action: Any, expected: str) -> None:
    assert verdict(policy(allow(action=action))) == expected


@pytest.mark.parametrize("shape", [None, 7, True, {}, {"kms": "*"}, [None], [7], [["kms:*"]]])
@pytest.mark.parametrize("element", ["Action", "Resource", "NotAction", "NotResource"])
def test_an_action_or_resource_that_is_no_text_is_refused(element: str, shape: Any) -> None:
    extra: Shape = {"Effect": "Allow", "Principal": {"AWS": APP}, "Action": "kms:Decrypt", "Resource": "*"}
    del extra[element.removeprefix("Not")]
    extra[element] = shape
    assert verdict(with_root(extra)) == "refuse"


NOT_ACTIONS: list[tuple[Any, str]] = [
    ("s3:*", "warn"),
    ("kms:Decrypt", "warn"),
    (["kms:ScheduleKeyDeletion"], "warn"),
    ("kms:*", "refuse"),
    ("*", "refuse"),
    ("kms:put*", "refuse"),
    ("*Policy", "refuse"),
    ([], "refuse"),
]


@pytest.mark.parametrize(("listed", "expected"), NOT_ACTIONS)
def test_not_action_gives_all_but_the_listed(listed: Any, expected: str) -> None:
    assert verdict(policy(allow(action=None, NotAction=listed))) == expected


RESOURCES: list[tuple[Shape, str]] = [
    ({"Resource": "*"}, "ok"),
    ({"Resource": ["*"]}, "ok"),
    ({"Resource": KEY}, "ok"),
    ({"Resource": ["arn:aws:s3:::b", KEY]}, "ok"),
    ({"Resource": "arn:aws:kms:*:*:key/*"}, "ok"),
    ({"Resource": f"arn:aws:kms:us-east-1:{ACCOUNT}:*"}, "ok"),
    ({"Resource": "arn:aws:kms:*"}, "ok"),
    ({"Resource": KEY[:-1] + "?"}, "ok"),
    ({"Resource": "arn:aws:kms:*:${aws:PrincipalAccount}:key/*"}, "ok"),
    ({"Resource": KEY[:-1]}, "refuse"),
    ({"Resource": KEY.upper()}, "refuse"),
    ({"Resource": KEY.split("/")[1]}, "refuse"),
    ({"Resource": "key/*"}, "refuse"),
    ({"Resource": f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/app"}, "refuse"),
    ({"Resource": KEY.replace(ACCOUNT, OTHER)}, "refuse"),
    ({"Resource": KEY.replace("us-east-1", "us-west-2")}, "refuse"),
    ({"Resource": KEY.replace("arn:aws:", "arn:aws-cn:")}, "refuse"),
    ({"Resource": "arn:aws:kms:*:${aws:username}:key/*"}, "refuse"),
    ({"Resource": "arn:aws:s3:::*"}, "refuse"),
    ({"Resource": ""}, "refuse"),
    ({"Resource": []}, "refuse"),
    ({"Resource": None}, "refuse"),
    ({"Resource": None, "NotResource": "arn:aws:s3:::*"}, "ok"),
    ({"Resource": None, "NotResource": KEY}, "refuse"),
    ({"Resource": None, "NotResource": "*"}, "refuse"),
    ({"Resource": None, "NotResource": []}, "refuse"),
]


@pytest.mark.parametrize(("extra", "expected"), RESOURCES)
def test_the_root_statement_must_be_about_this_key(extra: Shape, expected: str) -> None:
    assert verdict(policy(allow(**extra))) == expected


UNKNOWN_KEY: list[tuple[Any, str]] = [
    ("*", "ok"),
    ("arn:aws:kms:*:*:key/*", "ok"),
    (f"arn:aws:kms:*:{ACCOUNT}:*", "ok"),
    (KEY, "warn"),
    (KEY.replace(ACCOUNT, OTHER), "refuse"),
    ("arn:aws:s3:::b", "refuse"),
    (f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/app", "refuse"),
]


@pytest.mark.parametrize(("resource", "expected"), UNKNOWN_KEY)
def test_without_the_keys_arn_a_resource_may_or_may_not_be_it(resource: str, expected: str) -> None:
    assert judged(policy(allow(Resource=resource)), key_arn=None).verdict == expected


def test_without_the_keys_arn_a_deny_of_some_key_counts_as_one_of_this_key() -> None:
    assert judged(with_root(deny(Resource=KEY)), key_arn=None).verdict == "refuse"


def test_the_union_of_several_account_statements_counts() -> None:
    administer = allow(action=["kms:Put*", "kms:Get*", "kms:List*", "kms:Describe*"])
    rest = allow(ACCOUNT, action=["kms:[", "kms:*"])
    assert verdict(policy(administer)) == "warn"
    assert "less-than-full-control" in rules(policy(administer))
    assert "less-than-full-control" not in rules(policy(administer, rest))


def test_full_control_for_everyone_of_the_account_is_enough_for_the_verdict() -> None:
    text = policy(allow("*", condition={"StringEquals": {"kms:CallerAccount": ACCOUNT}}))
    assert verdict(text) == "ok"
    assert not names_account(parse(text), ACCOUNT)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([allow()], True),
        ([allow(ACCOUNT, "kms:Decrypt")], True),
        ([allow(OTHER), allow("*")], False),
        ([deny(principal=ROOT), allow(ADMIN)], False),
    ],
)
def test_the_editor_asks_for_an_allow_that_names_the_account(statements: list[Shape], expected: bool) -> None:
    assert names_account(parse(policy(*statements)), ACCOUNT) is expected


def test_the_root_of_another_partition_is_not_the_account() -> None:
    document = parse(policy(allow(f"arn:aws-cn:iam::{ACCOUNT}:root")))
    assert not names_account(document, ACCOUNT, "aws")
    assert names_account(document, ACCOUNT, "aws-cn")
    assert names_account(document, ACCOUNT)


def test_no_text_that_is_no_policy_names_the_account() -> None:
    assert not names_account(parse(policy(allow())[:-1]), ACCOUNT)


@pytest.mark.parametrize("account", ["", "1111", "111122223333 ", "abc"])
def test_without_a_known_account_nothing_is_passed(account: str) -> None:
    result = check(policy(allow()), account_id=account, now=NOW)
    assert result.verdict == "refuse"
    assert result.findings[-1].rule == "no-account"


def test_version_2008_is_fine_and_none_is_warned_of() -> None:
    assert verdict(policy(allow(), version="2008-10-17")) == "ok"
    assert verdict(policy(allow(), version=None)) == "warn"


def test_one_statement_needs_no_list() -> None:
    assert verdict(json.dumps({"Version": "2012-10-17", "Statement": allow()})) == "ok"
