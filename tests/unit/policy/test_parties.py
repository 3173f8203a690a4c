"""Whom a statement for everyone lets in by its conditions: rows of their own, and everyone without them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.kms.operations import Access
from kms_tui.policy import access, parse
from kms_tui.policy.guard import check
from kms_tui.policy.policy_diff import MAX_PARTIES, effect_changes, uncompared_parties
from kms_tui.ui.details.overview_tab import users_words
from kms_tui.ui.widgets.access_matrix import cell_words
from tests.unit.policy.build import ACCOUNT, APP, KEY, OTHER, Shape, allow, cases, deny, policy, with_root

ORG = "o-acme123456"
ROLES = "arn:aws:iam::*:role/app-*"


def equals(**values: Any) -> Shape:
    return {"StringEquals": {f"aws:{name}": value for name, value in values.items()}}


def to_everyone(condition: Shape) -> Shape:
    return allow("*", "kms:Decrypt", condition)


def found(*statements: Shape) -> list[tuple[str, str, str]]:
    """(label, what it may use, mark) of all rows but the account's."""
    rows = access.matrix(parse(with_root(*statements)), account_id=ACCOUNT, key_arn=KEY)[1:]
    marks = ["public" if row.public else "outside" if row.outside else "" for row in rows]
    return [
        (row.label, cell_words(row.cells[Access.USE]), mark) for row, mark in zip(rows, marks, strict=True)
    ]


CASES: dict[str, tuple[Shape, list[tuple[str, str, str]]]] = {
    "an account": (equals(PrincipalAccount=OTHER), [(f"account {OTHER}", "some", "outside")]),
    "the account that a stranger seems to be of": (
        equals(PrincipalAccount="999999999999"),
        [("account 999999999999", "some", "outside")],
    ),
    "the key's account and another": (
        equals(PrincipalAccount=[ACCOUNT, OTHER]),
        [("everyone", "if", ""), (f"account {OTHER}", "some", "outside")],
    ),
    "an organization": (equals(PrincipalOrgID=ORG), [(f"organization {ORG}", "some", "outside")]),
    "the key's organization": (
        equals(PrincipalOrgID="${aws:ResourceOrgID}"),
        [("the key's organization", "some", "outside")],
    ),
    "the key's organization, said of the key": (
        equals(ResourceOrgID="${aws:PrincipalOrgID}"),
        [("the key's organization", "some", "outside")],
    ),
    "a property of the key": (equals(ResourceOrgID=ORG), [("everyone", "if", "public")]),
    "a unit": (
        {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{ORG}/r-ab12/ou-ab12-11111111/*"}},
        [(f"{ORG}/r-ab12/ou-ab12-11111111", "some", "outside")],
    ),
    "a unit of the key's organization": (
        {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "${aws:ResourceOrgID}/*"}},
        [("the key's organization", "some", "outside")],
    ),
    "those in no organization too": (
        {"StringEqualsIfExists": {"aws:PrincipalOrgID": ORG}},
        [("everyone", "if", "public"), (f"organization {ORG}", "some", "outside")],
    ),
    "a service for an account": (equals(SourceAccount=OTHER), [(f"services for {OTHER}", "some", "outside")]),
    "a service for a resource of this account": (
        {**equals(SourceAccount=ACCOUNT), "ArnLike": {"aws:SourceArn": "arn:aws:s3:::logs-*"}},
        [("services for this account", "if", "")],
    ),
    "a service for an organization": (equals(SourceOrgID=ORG), [(f"services for {ORG}", "some", "outside")]),
    "a service": (equals(PrincipalServiceName="s3.amazonaws.com"), [("s3.amazonaws.com", "some", "")]),
    "all services": ({"Bool": {"aws:PrincipalIsAWSService": "true"}}, [("every AWS service", "some", "")]),
    "a role": ({"ArnEquals": {"aws:PrincipalArn": APP}}, [("role/app", "some", "")]),
    "roles of an account": (
        {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OTHER}:role/x-*"}},
        [(f"role/x-* of {OTHER}", "some", "outside")],
    ),
    "roles of any account": (
        {"ArnLike": {"aws:PrincipalArn": ROLES}},
        [("role/app-* of any account", "some", "public")],
    ),
    "such roles of this account": (
        {"ArnLike": {"aws:PrincipalArn": ROLES}, **equals(PrincipalAccount=ACCOUNT)},
        [("role/app-*", "some", "")],
    ),
    "such roles of an organization": (
        {"ArnLike": {"aws:PrincipalArn": ROLES}, **equals(PrincipalOrgID=ORG)},
        [("role/app-* of any account", "if", "outside")],
    ),
    "a root user": (
        {"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{OTHER}:root"}},
        [(f"root user of {OTHER}", "some", "outside")],
    ),
    "a unique id": (
        {"StringLike": {"aws:userid": "AROAJQABLZS4A3QDU576Q:*"}},
        [("AROAJQABLZS4A3QDU576Q", "some", "")],
    ),
    "users of a name": (equals(username="alice"), [("everyone", "if", "public")]),
    "a network": (equals(SourceVpce="vpce-1a2b3c4d"), [("everyone", "if", "outside")]),
    "nobody": (
        {"StringEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}},
        [("everyone", "–", "")],
    ),
}


@pytest.mark.parametrize(("condition", "expected"), CASES.values(), ids=CASES.keys())
def test_whom_a_condition_lets_in(condition: Shape, expected: list[tuple[str, str, str]]) -> None:
    assert found(to_everyone(condition)) == expected


def test_those_whom_a_deny_spares_have_rows_too() -> None:
    spared = deny({"StringNotEquals": {"aws:PrincipalOrgID": ORG}})
    assert found(allow("*", "kms:Decrypt"), spared) == [
        ("everyone", "denied if", ""),
        (f"organization {ORG}", "some", "outside"),
    ]
    assert [row[0] for row in found(spared)] == ["everyone"], "a Deny gives nothing"


def test_of_too_many_nobody_is_told_apart_and_nobody_is_left_out() -> None:
    for key, values in (
        ("PrincipalAccount", [f"{number:012d}" for number in range(1, 400)]),
        ("PrincipalOrgID", [f"o-acme{number:06d}" for number in range(400)]),
    ):
        assert found(to_everyone(equals(**{key: values}))) == [("everyone", "if", "outside")]
    assert found(allow("*", "kms:Sign"), to_everyone(equals(PrincipalOrgID=values))) == [
        ("everyone", "some+if", "public")
    ]


def test_parties_that_are_not_compared_are_counted() -> None:
    before, after = (
        parse(with_root()),
        parse(with_root(allow([f"{n:012d}" for n in range(1, 302)], "kms:Sign"))),
    )
    assert len(effect_changes(before, after, account_id=ACCOUNT, key_arn=KEY)) <= MAX_PARTIES
    assert uncompared_parties(before, after, account_id=ACCOUNT) == 302 - MAX_PARTIES
    assert uncompared_parties(before, before, account_id=ACCOUNT) == 0


def test_one_who_is_named_as_principal_too_has_one_row() -> None:
    assert found(allow(OTHER, "kms:Encrypt"), to_everyone(equals(PrincipalAccount=OTHER))) == [
        (f"account {OTHER}", "some", "outside")
    ]


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        ([to_everyone(equals(PrincipalAccount=OTHER))], f"account {OTHER} may use it by the policy"),
        (
            [to_everyone(equals(PrincipalOrgID=ORG))],
            f"everyone in organization {ORG} may use it by the policy",
        ),
        (
            [allow(APP, "kms:Decrypt"), to_everyone(equals(PrincipalOrgID=ORG))],
            f"everyone in organization {ORG} and one principal may use it by the policy",
        ),
        (
            [to_everyone({"ArnLike": {"aws:PrincipalArn": ROLES}, **equals(PrincipalOrgID=ORG)})],
            "role/app-* of any account may use it under conditions, by the policy",
        ),
        (
            [to_everyone(equals(SourceVpce="vpce-1a2b3c4d"))],
            "anyone who meets its conditions may use it under conditions, by the policy",
        ),
        ([to_everyone({"ArnLike": {"aws:PrincipalArn": ROLES}})], "anyone may use it"),
        ([], "nobody else may use it by the policy"),
    ],
)
def test_the_overview_names_them(statements: list[Shape], words: str) -> None:
    rows = access.matrix(parse(with_root(*statements)), account_id=ACCOUNT, key_arn=KEY)
    assert users_words(rows, with_grants=False) == words


def test_the_changes_in_effect_name_them() -> None:
    before, after = with_root(), with_root(to_everyone(equals(PrincipalOrgID=ORG)))
    changes = effect_changes(parse(before), parse(after), account_id=ACCOUNT, key_arn=KEY)
    assert [each.party.label for each in changes if "kms:Decrypt" in each.sentence] == [f"organization {ORG}"]


def test_the_matrix_and_the_guard_agree_on_what_is_public() -> None:
    for case in cases("guide_cases.jsonl"):
        document = parse(case["policy"])
        if not document.is_valid:
            continue
        account, partition, key_arn = case["account"], case["partition"], case["key_arn"]
        rows = access.matrix(document, account_id=account, partition=partition, key_arn=key_arn or "")
        result = check(case["policy"], account_id=account, partition=partition, key_arn=key_arn)
        rules = {finding.rule for finding in result.findings}
        assert any(row.public for row in rows) == bool(rules & {"public", "public-via-service"}), case["id"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Allow", "Deny"]),
            st.sampled_from(["StringEquals", "StringNotLike", "ArnLike", "ForAnyValue:StringLike", "Null"]),
            st.sampled_from(["PrincipalArn", "PrincipalOrgID", "PrincipalOrgPaths", "SourceArn", "userid"]),
            st.sampled_from(
                [APP, ROLES, ORG, f"{ORG}/*", OTHER, "*", "?", "${", "${aws:userid}", "true", ""]
            ),
        ),
        max_size=3,
    )
)
@settings(max_examples=60, deadline=None)
def test_any_conditions_make_rows_of_which_each_has_its_own_text(
    drawn: list[tuple[str, str, str, str]],
) -> None:
    statements = [
        {**allow("*", "kms:Decrypt", {operator: {f"aws:{key}": value}}), "Effect": effect}
        for effect, operator, key, value in drawn
    ]
    rows = access.matrix(parse(policy(allow(), *statements)), account_id=ACCOUNT, key_arn=KEY)
    texts = [row.party.text for row in rows]
    assert len(set(texts)) == len(texts)
