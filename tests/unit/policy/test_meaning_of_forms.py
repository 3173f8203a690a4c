"""Policies of one meaning, written in many ways, and of another."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kms_tui.policy.policy_meaning import MeaningKind, compared_meaning

_ACCOUNT = "111122223333"
_ROOT = f"arn:aws:iam::{_ACCOUNT}:root"
_APP = f"arn:aws:iam::{_ACCOUNT}:role/app"


def statement(**elements: Any) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"AWS": _APP},
        "Action": "kms:Decrypt",
        "Resource": "*",
        **elements,
    }


def policy(*statements: dict[str, Any], **members: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **members})


_OWNER = statement(Principal={"AWS": _ROOT}, Action="kms:*")
_SECURE = {"Bool": {"aws:SecureTransport": "true"}}


def same(one: str, other: str) -> bool:
    found, back = (
        compared_meaning(*texts, account_id=_ACCOUNT).kind in (MeaningKind.SAME_TEXT, MeaningKind.SAME)
        for texts in ((one, other), (other, one))
    )
    assert found is back
    return found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (policy(_OWNER), policy(_OWNER, Id="named")),
        (policy(_OWNER), policy({**_OWNER, "Sid": "Owner"})),
        (policy(_OWNER), json.dumps({"Version": "2012-10-17", "Statement": _OWNER}, indent=3)),
        (policy(_OWNER), policy({**_OWNER, "Principal": {"AWS": [_ACCOUNT]}})),
        (policy(_OWNER), policy({**_OWNER, "Action": ["KMS:*"], "Resource": ["*"]})),
        (policy(_OWNER), policy({**_OWNER, "Action": ["kms:*", "kms:Encrypt"]})),
        (policy(_OWNER), policy(_OWNER, _OWNER)),
        (policy(_OWNER), policy(_OWNER, Version="2008-10-17")),
        (policy(_OWNER, statement()), policy(statement(), _OWNER)),
        (policy(_OWNER, statement(Principal="*")), policy(_OWNER, statement(Principal={"AWS": ["*"]}))),
        (
            policy(_OWNER, statement(Action=["kms:Encrypt", "kms:Decrypt"], Condition=_SECURE)),
            policy(statement(Condition=_SECURE), _OWNER, statement(Action="kms:encrypt", Condition=_SECURE)),
        ),
        (
            policy(_OWNER, statement(Condition=_SECURE)),
            policy(_OWNER, statement(Condition={"Bool": {"AWS:securetransport": [True]}})),
        ),
        (
            policy(_OWNER, statement(Condition={"NumericLessThan": {"aws:MultiFactorAuthAge": 3600}})),
            policy(_OWNER, statement(Condition={"NumericLessThan": {"aws:MultiFactorAuthAge": ["3600.0"]}})),
        ),
        (
            policy(_OWNER, statement(Condition={"StringLike": {"kms:EncryptionContext:a": ["x", "y"]}})),
            policy(_OWNER, statement(Condition={"StringLike": {"kms:EncryptionContext:a": ["y", "x"]}})),
        ),
        ("no policy", "no policy"),
    ],
)
def test_what_means_the_same_is_the_same(one: str, other: str) -> None:
    assert same(one, other)


_VARIABLE = {"StringEquals": {"kms:EncryptionContext:a": "${aws:username}"}}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (policy(_OWNER), policy(_OWNER, statement())),
        (policy(_OWNER, statement()), policy(_OWNER, statement(Effect="Deny"))),
        (policy(_OWNER, statement()), policy(_OWNER, statement(Condition=_SECURE))),
        (
            policy(_OWNER, statement(Condition=_SECURE)),
            policy(_OWNER, statement(Condition={"BoolIfExists": {"aws:SecureTransport": "true"}})),
        ),
        (
            policy(_OWNER, statement(Condition={"StringEquals": {"kms:EncryptionContext:a": "x"}})),
            policy(_OWNER, statement(Condition={"StringEquals": {"kms:EncryptionContext:a": "X"}})),
        ),
        (
            policy(_OWNER, statement(Condition={"StringEquals": {"kms:EncryptionContext:a": "1.0"}})),
            policy(_OWNER, statement(Condition={"StringEquals": {"kms:EncryptionContext:a": "1"}})),
        ),
        (
            policy(_OWNER, statement(Condition=_VARIABLE)),
            policy(_OWNER, statement(Condition=_VARIABLE), Version="2008-10-17"),
        ),
        (
            policy(_OWNER, statement(Effect="Deny", NotAction="kms:Decrypt")),
            policy(_OWNER, statement(Effect="Deny", NotAction=["kms:Decrypt", "kms:Encrypt"])),
        ),
        # The conditions of two statements may not change places.
        (
            policy(
                _OWNER,
                statement(
                    Condition={**_SECURE, "StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}
                ),
                statement(Condition={"StringEquals": {"kms:CallerAccount": _ACCOUNT}}),
            ),
            policy(
                _OWNER,
                statement(Condition=_SECURE),
                statement(
                    Condition={
                        "StringEquals": {
                            "kms:ViaService": "s3.eu-west-1.amazonaws.com",
                            "kms:CallerAccount": _ACCOUNT,
                        }
                    }
                ),
            ),
        ),
        (
            policy(_OWNER, statement(Condition={"StringEquals": {"kms:EncryptionContext:a": "\u00e9"}})),
            policy(_OWNER, statement(Condition={"StringEquals": {"kms:EncryptionContext:a": "e\u0301"}})),
        ),
        (policy(_OWNER), "no policy"),
        ("no policy", "another"),
        (policy(_OWNER), '{"Version": "a", "Version": "b", "Statement": []}'),
        (policy(_OWNER), "[" * 100_000),
        ('{"Statement": [{"Principal": 1}]}', '{"Statement": [{"Principal": 2}]}'),
        ('{"Statement": {"Condition": []}}', '{"Statement": [[]]}'),
    ],
)
def test_what_differs_in_meaning_is_not_the_same(one: str, other: str) -> None:
    assert not same(one, other)
