"""Whether two policies mean the same, however they are written."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.policy.policy_meaning import Meaning, MeaningKind, compared_meaning
from tests.unit.policy.build import ACCOUNT, APP, KEY, OTHER, ROOT, Shape, allow, deny, policy, with_root

MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
SAME, OTHER_MEANING, UNDECIDED = MeaningKind.SAME, MeaningKind.OTHER, MeaningKind.UNDECIDED


def compare(old: str, new: str) -> Meaning:
    return compared_meaning(old, new, account_id=ACCOUNT, key_arn=KEY)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (with_root(allow(APP, ["kms:Encrypt"])), with_root(allow(APP, "kms:encrypt"))),
        (with_root(allow(APP, "kms:Decrypt")), policy(allow(APP, "kms:Decrypt"), allow())),
        (with_root(), policy(allow(Sid="Control"))),
        (policy(allow(ROOT)), policy(allow(ACCOUNT))),
        (policy(allow("*", "kms:Decrypt"), allow()), policy(allow({"AWS": "*"}, "kms:Decrypt"), allow())),
        (
            with_root(allow(APP, ["kms:Encrypt", "kms:Decrypt"])),
            with_root(allow(APP, "kms:Encrypt"), allow(APP, "kms:Decrypt")),
        ),
        (with_root(allow(APP, "kms:Decrypt")), with_root(allow(APP, "kms:Decrypt", Resource=KEY))),
        (with_root(allow(APP, ["kms:D*", "kms:Decrypt"])), with_root(allow(APP, "kms:D*"))),
        (
            with_root(deny(MFA, "kms:Decrypt", APP)),
            with_root(deny({"Bool": {"aws:MultiFactorAuthPresent": ["true"]}}, "kms:Decrypt", APP)),
        ),
    ],
)
def test_the_same_meaning_in_other_words(old: str, new: str) -> None:
    assert compare(old, new) == compare(new, old) == Meaning(SAME)


def test_white_space_and_the_order_of_members_are_the_same_text() -> None:
    text = with_root()
    assert compare(text, json.dumps(json.loads(text), sort_keys=True)).kind is MeaningKind.SAME_TEXT


@pytest.mark.parametrize(
    ("old", "new", "widens", "narrows"),
    [
        (with_root(), with_root(allow(APP, "kms:Decrypt")), True, False),
        (with_root(allow(APP, "kms:Decrypt")), with_root(), False, True),
        (with_root(deny(None, "kms:Decrypt", APP)), with_root(), True, False),
        (with_root(allow(APP, "kms:Decrypt")), with_root(allow(OTHER, "kms:Decrypt")), True, False),
        (with_root(allow(APP, "kms:Decrypt")), with_root(allow(APP, "kms:Decrypt", MFA)), False, True),
        (
            with_root(allow(APP, "kms:Decrypt", MFA)),
            with_root(allow(APP, "kms:Decrypt", {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}})),
            False,
            False,
        ),
        (
            with_root(allow(APP, "kms:Decrypt")),
            with_root(allow(APP, "kms:Decrypt", Resource=KEY[:-1])),
            False,
            True,
        ),
    ],
)
def test_another_meaning_says_who_gains_and_who_loses(
    old: str, new: str, widens: bool, narrows: bool
) -> None:
    found = compare(old, new)
    assert (found.kind, found.widens, found.narrows) == (OTHER_MEANING, widens, narrows)


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "[" * 100_000, '{"Version": "2012-10-17"}'])
def test_what_is_no_policy_is_not_decided(text: str) -> None:
    assert compare(text, with_root()).kind is compare(with_root(), text).kind is UNDECIDED


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # A Deny that refuses nothing but what grants allow.
        (policy(deny(None, "kms:Decrypt", APP)), policy(deny(None, "kms:Encrypt", APP))),
        # A condition that names one of an account's principals.
        (
            with_root(),
            with_root(allow(OTHER, "kms:Decrypt", {"StringEquals": {"aws:PrincipalArn": f"{APP}2"}})),
        ),
        (with_root(allow(APP, ["kms:D?crypt", "kms:D*crypt"])), with_root(allow(APP, "kms:D?crypt"))),
    ],
)
def test_statements_that_differ_are_never_told_to_mean_the_same(old: str, new: str) -> None:
    assert compare(old, new).kind is not SAME
    assert compare(new, old).kind is not SAME


def test_a_member_given_twice_is_no_json_that_equals_another() -> None:
    old = '{"Statement": [], "Statement": []}'
    assert compare(old, '{"Statement": []}').kind is UNDECIDED


def test_more_parties_than_are_compared_are_not_decided() -> None:
    roles = sorted(f"arn:aws:iam::{ACCOUNT}:role/r{number}" for number in range(250))
    first, *many = [allow(role, "kms:Decrypt") for role in roles]
    more = allow(roles[-1], ["kms:Decrypt", "kms:Encrypt"])
    assert compare(with_root(first, *many), with_root(first, *many[:-1], more)).kind is UNDECIDED
    narrower = compare(with_root(first, *many), with_root(*many[:-1], more))
    assert [effect.sentence for effect in narrower.effects] == ["role/r0 loses kms:Decrypt"]
    assert narrower.uncompared == 51
    assert not narrower.narrows


_STATEMENTS = st.lists(
    st.builds(
        lambda effect, who, actions, condition: {
            "Effect": effect,
            "Principal": {"AWS": who},
            "Action": actions,
            "Resource": "*",
            **({"Condition": condition} if condition else {}),
        },
        st.sampled_from(["Allow", "Deny"]),
        st.lists(st.sampled_from([ROOT, APP, OTHER]), min_size=1, max_size=3, unique=True),
        st.lists(
            st.sampled_from(["kms:Decrypt", "kms:Encrypt", "kms:*", "kms:Put*"]), min_size=1, max_size=3
        ),
        st.sampled_from([None, MFA]),
    ),
    min_size=1,
    max_size=4,
)


@given(_STATEMENTS, st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_shuffled_and_split_statements_mean_the_same(statements: list[Shape], chance: random.Random) -> None:
    split = [
        {**statement, "Action": action, "Sid": f"s{number}{action[4:].strip('*')}"}
        for number, statement in enumerate(statements)
        for action in statement["Action"]
    ]
    chance.shuffle(split)
    assert compare(policy(*statements), policy(*split)).kind is SAME
