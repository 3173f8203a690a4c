"""Principals and what they may do, from policy and grants; and who could still change the policy."""

from __future__ import annotations

from typing import Any

import pytest

from kms_tui.kms.model import Grant
from kms_tui.kms.operations import Access
from kms_tui.policy import access, parse
from kms_tui.policy.access import AccessRow
from kms_tui.ui.widgets.access_matrix import cell_words
from tests.unit.policy.build import ACCOUNT, ADMIN, APP, KEY, OTHER, Shape, allow, deny, policy, with_root

USE = ["kms:Encrypt", "kms:Decrypt"]
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def rows(text: str, *grants: Grant) -> dict[str, AccessRow]:
    found = access.matrix(parse(text), grants, account_id=ACCOUNT, key_arn=KEY)
    return {row.label: row for row in found}


def grant(grantee: str, *operations: str, **constraints: Any) -> Grant:
    return Grant("g-1", KEY, grantee, operations, constraints=constraints)


def test_the_account_has_a_row_of_its_own() -> None:
    found = rows(with_root())
    assert list(found) == ["root"]
    assert all(found["root"].cells[column].is_full for column in access.COLUMNS)
    assert found["root"].delegates
    assert not found["root"].outside


def test_an_account_that_is_not_named_has_nothing() -> None:
    assert all(cell.is_empty for cell in rows(policy(allow(ADMIN)))["root"].cells.values())


def test_what_comes_through_the_account_is_not_shown_for_each_principal() -> None:
    row = rows(with_root(allow(APP, USE)))["role/app"]
    assert row.cells[Access.USE].allowed == ("kms:Decrypt", "kms:Encrypt")
    assert row.cells[Access.ADMINISTER].is_empty
    assert [statement.index for statement in row.cells[Access.USE].statements] == [1]
    assert not row.cells[Access.USE].is_full


@pytest.mark.parametrize(
    ("action", "column"),
    [
        ("kms:PutKeyPolicy", Access.ADMINISTER),
        ("kms:Sign", Access.USE),
        ("kms:CreateGrant", Access.GRANT),
        ("kms:DescribeKey", Access.READ),
    ],
)
def test_each_action_counts_in_its_column(action: str, column: Access) -> None:
    cells = rows(with_root(allow(APP, action)))["role/app"].cells
    assert [name for name, cell in cells.items() if not cell.is_empty] == [column]


def test_marks() -> None:
    text = with_root(
        allow("*", "kms:Decrypt", MFA),
        allow(OTHER, USE),
        allow(f"arn:aws:iam::{OTHER}:role/Partner", USE),
        allow({"Service": "s3.amazonaws.com"}, USE),
    )
    found = rows(text)
    assert list(found) == [
        "root",
        "everyone",
        "s3.amazonaws.com",
        f"account {OTHER}",
        f"role/Partner of {OTHER}",
    ]
    assert [label for label, row in found.items() if row.public] == ["everyone"]
    assert [label for label, row in found.items() if row.outside] == [
        f"account {OTHER}",
        f"role/Partner of {OTHER}",
    ]
    assert [label for label, row in found.items() if row.is_conditional] == ["everyone"]
    (condition,) = found["everyone"].cells[Access.USE].conditions
    assert condition.test.key_text == "aws:MultiFactorAuthPresent"


def test_a_denied_action_is_told() -> None:
    cell = rows(with_root(allow(APP, USE), deny(principal=APP, action="kms:Decrypt")))["role/app"].cells[
        Access.USE
    ]
    assert (cell.allowed, cell.denied) == (("kms:Encrypt",), ("kms:Decrypt",))
    assert [statement.index for statement in cell.statements] == [1, 2]


WORDS: list[tuple[list[Shape], str, str]] = [
    ([allow(APP, USE)], "some", "some"),
    ([allow(APP)], "all", "all"),
    ([allow(APP), deny(principal=APP, action="kms:Decrypt")], "some, 1 denied", "some ✗1"),
    ([allow(APP, USE, MFA), deny(principal=APP, action=USE[:1])], "if, 1 denied", "if ✗1"),
    ([deny(principal=APP, action=USE)], "2 denied", "✗2"),
    ([deny(principal=APP)], "denied", "denied"),
    ([deny(principal=APP, action=USE, condition=MFA)], "denied if", "✗ if"),
    ([allow(APP, "kms:Encrypt"), deny(principal=APP, action="kms:Decrypt", condition=MFA)], "some", "some"),
    ([allow(APP, "kms:DescribeKey")], "–", "–"),
]


@pytest.mark.parametrize(("statements", "words", "short"), WORDS)
def test_a_cell_says_how_much_is_denied(statements: list[Shape], words: str, short: str) -> None:
    cell = rows(with_root(*statements))["role/app"].cells[Access.USE]
    assert (cell_words(cell), cell_words(cell, short=True)) == (words, short)


def test_what_a_grant_gives_and_a_deny_stops_under_conditions_is_conditional() -> None:
    text = with_root(deny(principal=APP, action="kms:Decrypt", condition=MFA))
    cell = rows(text, grant(APP, "Decrypt"))["role/app"].cells[Access.USE]
    assert (cell.allowed, cell.conditional, cell.denied_sometimes) == ((), ("kms:Decrypt",), ())


def test_grants_count() -> None:
    given = grant(APP, "Decrypt", "DescribeKey")
    row = rows(with_root(), given)["role/app"]
    assert row.cells[Access.USE].allowed == ("kms:Decrypt",)
    assert row.cells[Access.READ].allowed == ("kms:DescribeKey",)
    assert row.cells[Access.USE].grants == (given,)


def test_a_grant_with_constraints_is_conditional() -> None:
    cell = rows(with_root(), grant(APP, "Decrypt", EncryptionContextEquals={"a": "b"}))["role/app"].cells[
        Access.USE
    ]
    assert (cell.allowed, cell.conditional) == ((), ("kms:Decrypt",))
    assert cell.is_conditional


def test_an_encryption_context_limits_only_the_actions_that_have_one() -> None:
    limited = grant(APP, "Decrypt", "DescribeKey", "RetireGrant", EncryptionContextSubset={"a": "b"})
    cells = rows(with_root(), limited)["role/app"].cells
    assert cells[Access.USE].conditional == ("kms:Decrypt",)
    assert cells[Access.READ].allowed == ("kms:DescribeKey",)
    assert cells[Access.GRANT].allowed == ("kms:RetireGrant",)


def test_a_deny_outranks_a_grant() -> None:
    cell = rows(with_root(deny(principal=APP)), grant(APP, "Decrypt"))["role/app"].cells[Access.USE]
    assert cell.allowed == ()
    assert "kms:Decrypt" in cell.denied


@pytest.mark.parametrize(
    "grantee", ["s3.amazonaws.com", f"arn:aws:sts::{ACCOUNT}:assumed-role/app/i-1", OTHER]
)
def test_any_grantee_has_a_row(grantee: str) -> None:
    found = access.matrix(parse(with_root()), [grant(grantee, "Decrypt")], account_id=ACCOUNT)
    assert [bool(row.cells[Access.USE].grants) for row in found] == [False, True]


def test_a_grantee_that_cannot_be_read_is_left_out() -> None:
    assert list(rows(with_root(), grant("?", "Decrypt"))) == ["root"]


@pytest.mark.parametrize(
    ("condition", "public"),
    [
        ({"StringEquals": {"kms:CallerAccount": ACCOUNT}}, False),
        (
            {"StringEquals": {"kms:CallerAccount": ACCOUNT, "kms:ViaService": "s3.eu-west-1.amazonaws.com"}},
            False,
        ),
        ({"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}, True),
    ],
)
def test_everyone_of_the_account_is_everyone_under_a_condition(
    condition: dict[str, Any], public: bool
) -> None:
    row = rows(with_root(allow("*", USE, condition)))["everyone"]
    assert row.cells[Access.USE].is_conditional
    assert row.public is public


def test_everyone_in_the_account_keeps_what_others_are_denied() -> None:
    outsiders = {"StringNotEquals": {"kms:CallerAccount": ACCOUNT}}
    text = with_root(allow("*", USE), {**allow("*", "kms:*", outsiders), "Effect": "Deny"})
    row = rows(text)["everyone"]
    assert row.cells[Access.USE].is_conditional
    assert not row.public


def test_the_users_of_a_key_are_counted() -> None:
    text = with_root(allow([APP, ADMIN], USE), allow(f"{APP}2", "kms:DescribeKey"))
    found = access.matrix(parse(text), [grant(f"{APP}3", "Decrypt")], account_id=ACCOUNT)
    assert access.users_of(found) == 3


def test_another_account_is_a_user_of_a_key_and_its_own_is_none() -> None:
    found = access.matrix(parse(with_root(allow(OTHER, USE))), account_id=ACCOUNT)
    assert access.users_of(found) == 1


WHO: list[tuple[list[Shape], str]] = [
    ([allow()], "The account (its root user and IAM administrators)."),
    ([allow(), allow(ADMIN)], "The account (its root user and IAM administrators), and role/KeyAdmin."),
    (
        [allow(), allow(ADMIN, condition=MFA)],
        "The account (its root user and IAM administrators), and role/KeyAdmin under conditions.",
    ),
    ([allow(), allow(OTHER)], "The account (its root user and IAM administrators)."),
    ([allow(ADMIN), allow(APP)], "Only role/KeyAdmin and role/app, no longer the account itself."),
    ([allow(), deny()], "Nobody in the account."),
    ([allow(condition={"StringEquals": {"aws:PrincipalType": "Account"}})], "The root user alone."),
    ([allow(condition=MFA)], "The account, under conditions."),
    ([allow(condition={"DateLessThan": {"aws:CurrentTime": "2999-01-01"}})], "The account, for some time."),
]


@pytest.mark.parametrize(("statements", "expected"), WHO)
def test_who_could_still_change_the_policy(statements: list[Shape], expected: str) -> None:
    assert access.who_can_change(parse(policy(*statements)), account_id=ACCOUNT, key_arn=KEY) == expected


def test_of_a_broken_policy_nobody_can_tell() -> None:
    assert "cannot be read" in access.who_can_change(parse("{"), account_id=ACCOUNT)
