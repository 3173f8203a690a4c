"""What changes from one policy to another: by statement, by line, in effect."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.policy import parse, policy_diff
from kms_tui.policy.policy_diff import StatementChangeKind
from tests.unit.policy.build import (
    ACCOUNT,
    ADMIN,
    APP,
    KEY,
    OTHER,
    RELAXED,
    ROOT,
    Shape,
    allow,
    deny,
    policy,
    with_root,
)
from tests.unit.policy.work import counted

USE = ["kms:Encrypt", "kms:Decrypt"]


def changes(old: list[Shape], new: list[Shape]) -> list[tuple[str, str]]:
    found = policy_diff.statement_changes(parse(policy(*old)), parse(policy(*new)))
    return [(change.kind.value, change.label) for change in found]


ONE, TWO, THREE = (allow(APP, action, Sid=sid) for sid, action in zip("abc", (*USE, "kms:Sign"), strict=True))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([ONE, TWO], [ONE, TWO], [("same", "a"), ("same", "b")]),
        ([ONE], [ONE, TWO], [("same", "a"), ("added", "b")]),
        ([ONE, TWO], [TWO], [("same", "b"), ("removed", "a")]),
        ([ONE], [ONE | {"Action": "kms:*"}], [("changed", "a")]),
        ([ONE, TWO, THREE], [THREE, ONE, TWO], [("moved", "c"), ("same", "a"), ("same", "b")]),
        ([ONE, TWO], [TWO, ONE | {"Effect": "Deny"}], [("same", "b"), ("changed", "a")]),
        ([allow(APP, "kms:Sign")], [allow(APP, "kms:Verify")], [("changed", "statement 1")]),
        (
            [allow(APP, "kms:Sign")],
            [deny(action="kms:Verify")],
            [("added", "statement 1"), ("removed", "statement 1")],
        ),
        ([ONE, ONE], [ONE], [("same", "a"), ("removed", "a")]),
    ],
)
def test_statements_are_told_apart(
    old: list[Shape], new: list[Shape], expected: list[tuple[str, str]]
) -> None:
    assert changes(old, new) == expected


def test_a_changed_statement_names_its_changed_elements() -> None:
    new = ONE | {"Action": "kms:*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}
    (change,) = policy_diff.statement_changes(parse(policy(ONE)), parse(policy(new)))
    assert change.elements == ("Action", "Condition")


def test_formatting_and_the_order_of_elements_change_no_statement() -> None:
    text = policy(ONE, TWO)
    document = json.loads(text)
    document["Statement"] = [dict(reversed(each.items())) for each in document["Statement"]]
    found = policy_diff.statement_changes(parse(text), parse(json.dumps(document)))
    assert [change.kind for change in found] == [StatementChangeKind.SAME, StatementChangeKind.SAME]


def test_texts_that_are_no_policy_have_no_statements() -> None:
    assert policy_diff.statement_changes(parse("{"), parse("")) == ()


lines = st.lists(st.sampled_from(["a", "b", "", "}", "long line"]), max_size=14).map("\n".join)


@given(lines, lines, st.integers(0, 4))
@settings(RELAXED, max_examples=250)
def test_a_unified_diff_turns_the_old_text_into_the_new(old: str, new: str, context: int) -> None:
    before, after = old.split("\n"), []
    position = 0
    for line in policy_diff.unified(old, new, context):
        if line.startswith("@@"):
            start = int(line.split()[1][1:].split(",")[0]) - 1
            after += before[position:start]
            position = start
        elif line[0] == "+":
            after.append(line[1:])
        else:
            assert before[position] == line[1:]
            position += 1
            if line[0] == " ":
                after.append(line[1:])
    assert "\n".join([*after, *before[position:]]) == new


def test_a_unified_diff_shows_what_surrounds_a_change() -> None:
    old = "\n".join("abcdefghijklmn")
    assert policy_diff.unified(old, old.replace("g", "G"), 2) == [
        "@@ -5,5 +5,5 @@",
        " e",
        " f",
        "-g",
        "+G",
        " h",
        " i",
    ]
    assert policy_diff.unified(old, old) == []


def test_hostile_texts_are_compared_with_little_work() -> None:
    old = "\n".join(str(number % 7) for number in range(30_000))
    new = "\n".join(str(number % 5) for number in range(30_000))
    lines, found = counted(lambda: policy_diff.unified(old, new))
    assert found
    assert lines < 40 * 30_000
    many = [allow(APP, f"kms:A{number}", Sid=str(number)) for number in range(700)]
    before, after = parse(policy(*many)), parse(policy(*reversed(many)))
    lines, _changes = counted(lambda: policy_diff.statement_changes(before, after))
    assert lines < 1_000_000


def effects(old: str, new: str) -> list[str]:
    found = policy_diff.effect_changes(parse(old), parse(new), account_id=ACCOUNT, key_arn=KEY)
    return [change.sentence for change in found]


MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
IP = {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (with_root(), with_root(), ["root keeps kms:*"]),
        (
            with_root(),
            with_root(allow(APP, "kms:Decrypt")),
            ["root keeps kms:*", "role/app gains kms:Decrypt"],
        ),
        (
            with_root(allow(APP, USE)),
            with_root(allow(APP, "kms:Decrypt")),
            ["root keeps kms:*", "role/app loses kms:Encrypt"],
        ),
        (
            with_root(allow(APP, "kms:Decrypt")),
            with_root(allow(APP, "kms:Decrypt", MFA)),
            ["root keeps kms:*", "role/app keeps kms:Decrypt only under conditions"],
        ),
        (
            with_root(allow(APP, "kms:Decrypt", MFA)),
            with_root(allow(APP, "kms:Decrypt")),
            ["root keeps kms:*", "role/app now has kms:Decrypt without conditions"],
        ),
        (
            with_root(allow(APP, "kms:Decrypt", MFA)),
            with_root(allow(APP, "kms:Decrypt", {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}})),
            ["root keeps kms:*", "role/app has kms:Decrypt under other conditions"],
        ),
        (
            with_root(allow(APP, "kms:Decrypt", MFA | IP)),
            with_root(allow(APP, "kms:Decrypt", MFA), allow(APP, "kms:Decrypt", IP)),
            ["root keeps kms:*", "role/app has kms:Decrypt under other conditions"],
        ),
        (
            with_root(allow(APP, "kms:Decrypt", MFA)),
            with_root(allow(APP, "kms:Decrypt", MFA), allow(APP, USE, MFA)),
            ["root keeps kms:*", "role/app gains kms:Encrypt under conditions"],
        ),
        (
            with_root(),
            with_root(allow(APP, "kms:Decrypt", MFA)),
            ["root keeps kms:*", "role/app gains kms:Decrypt under conditions"],
        ),
        (
            with_root(allow(APP, "kms:Decrypt")),
            with_root(allow(APP, "kms:Decrypt"), deny(principal=APP, action="kms:Decrypt")),
            ["root keeps kms:*", "role/app is denied kms:Decrypt"],
        ),
        (
            with_root(deny(principal=APP, action="kms:Decrypt")),
            with_root(),
            ["root keeps kms:*", "role/app is no longer denied kms:Decrypt"],
        ),
        (
            with_root(deny(MFA, principal=APP, action="kms:Decrypt")),
            with_root(),
            ["root keeps kms:*", "role/app is no longer denied kms:Decrypt under conditions"],
        ),
        (with_root(), policy(allow(ADMIN)), ["root loses kms:*", "role/KeyAdmin gains kms:*"]),
        (with_root(), with_root(deny(MFA)), ["root keeps kms:* only under conditions"]),
        (
            with_root(),
            with_root(allow("*", "kms:Decrypt")),
            ["root keeps kms:*", "everyone gains kms:Decrypt"],
        ),
        (
            with_root(allow("*", "kms:Decrypt", {"StringEquals": {"kms:CallerAccount": ACCOUNT}})),
            with_root(),
            ["root keeps kms:*", "everyone loses kms:Decrypt"],
        ),
        (
            with_root(),
            with_root(allow({"Service": "s3.amazonaws.com"}, "kms:Decrypt")),
            ["root keeps kms:*", "s3.amazonaws.com gains kms:Decrypt"],
        ),
        (
            with_root(),
            with_root(allow(OTHER, USE)),
            ["root keeps kms:*", f"account {OTHER} gains kms:Decrypt and kms:Encrypt"],
        ),
        (
            with_root(),
            with_root(allow(f"arn:aws:iam::{OTHER}:role/Partner", "kms:Decrypt")),
            ["root keeps kms:*", f"role/Partner of {OTHER} gains kms:Decrypt"],
        ),
        (
            with_root(),
            with_root(allow("AROAEXAMPLEID12345", "kms:Decrypt")),
            ["root keeps kms:*", "AROAEXAMPLEID12345 gains kms:Decrypt"],
        ),
        (with_root(allow(APP, ["kms:Encrypt"])), with_root(allow(APP, "kms:encrypt")), ["root keeps kms:*"]),
    ],
)
def test_effects_are_told_in_sentences(old: str, new: str, expected: list[str]) -> None:
    assert effects(old, new) == expected


def test_many_actions_are_told_in_short() -> None:
    (_, sentence) = effects(with_root(), with_root(allow(APP, "kms:Get*")))
    assert sentence == (
        "role/app gains kms:GetKeyLastUsage, kms:GetKeyPolicy, kms:GetKeyRotationStatus, "
        "kms:GetParametersForImport and 1 more"
    )


@pytest.mark.parametrize(
    ("old", "new", "widens"),
    [
        (with_root(), with_root(allow(APP, "kms:Decrypt")), True),
        (with_root(allow(APP, "kms:Decrypt")), with_root(), False),
        (with_root(deny(principal=APP)), with_root(), True),
        (with_root(), with_root(deny(MFA, principal=APP)), False),
    ],
)
def test_a_change_says_whether_it_widens(old: str, new: str, widens: bool) -> None:
    found = policy_diff.effect_changes(parse(old), parse(new), account_id=ACCOUNT, key_arn=KEY)
    assert {change.widens for change in found if change.party.text == APP} == {widens}


def test_the_order_of_statements_has_no_effect() -> None:
    statements: list[Any] = [allow(), allow(APP, USE), deny(principal=ADMIN), allow(ROOT, "kms:Decrypt")]
    assert effects(policy(*statements), policy(*reversed(statements))) == ["root keeps kms:*"]
