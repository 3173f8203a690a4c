"""Policies as aws_iam_policy_document, and those that it could not say as they are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kms_tui.as_code.policy_documents import policy_document
from kms_tui.as_code.terraform import FILE, terraform
from tests.as_code_account import read

_STATEMENT: dict[str, Any] = {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}


def written(policy: object) -> str | None:
    block = policy_document("orders", policy if isinstance(policy, str) else json.dumps(policy), {})
    return None if block is None else str(block)


def test_every_element_has_its_argument() -> None:
    statement = {
        "Sid": "Some",
        "Effect": "Deny",
        "NotPrincipal": {"AWS": ["a", "b"], "Service": "s"},
        "NotAction": "kms:D*",
        "Resource": ["*"],
        "Condition": {"Bool": {"aws:SecureTransport": False}, "NumericEquals": {"a": [1, "2"], "b": "${c}"}},
    }
    assert written({"Version": "2008-10-17", "Id": "x", "Statement": [_STATEMENT, statement]}) == (
        'data "aws_iam_policy_document" "orders" {\n'
        '  policy_id = "x"\n'
        '  version   = "2008-10-17"\n\n'
        "  statement {\n"
        '    effect    = "Allow"\n'
        '    actions   = ["kms:*"]\n'
        '    resources = ["*"]\n\n'
        "    principals {\n"
        '      type        = "*"\n'
        '      identifiers = ["*"]\n'
        "    }\n"
        "  }\n\n"
        "  statement {\n"
        '    sid         = "Some"\n'
        '    effect      = "Deny"\n'
        '    not_actions = ["kms:D*"]\n'
        '    resources   = ["*"]\n\n'
        "    not_principals {\n"
        '      type        = "AWS"\n'
        '      identifiers = ["a", "b"]\n'
        "    }\n\n"
        "    not_principals {\n"
        '      type        = "Service"\n'
        '      identifiers = ["s"]\n'
        "    }\n\n"
        "    condition {\n"
        '      test     = "Bool"\n'
        '      variable = "aws:SecureTransport"\n'
        '      values   = ["false"]\n'
        "    }\n\n"
        "    condition {\n"
        '      test     = "NumericEquals"\n'
        '      variable = "a"\n'
        '      values   = ["1", "2"]\n'
        "    }\n\n"
        "    condition {\n"
        '      test     = "NumericEquals"\n'
        '      variable = "b"\n'
        '      values   = ["$${c}"]\n'
        "    }\n"
        "  }\n"
        "}\n"
    )


def _policy(**changes: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{**_STATEMENT, **changes}]}


@pytest.mark.parametrize(
    "policy",
    [
        "no JSON",
        {"Statement": [_STATEMENT]},
        {**_policy(), "Version": "2020-01-01"},
        {**_policy(), "Other": 1},
        {**_policy(), "Id": 7},
        {"Version": "2012-10-17"},
        {"Version": "2012-10-17", "Statement": []},
        {"Version": "2012-10-17", "Statement": [{**_STATEMENT, "Sid": "a"}, {**_STATEMENT, "Sid": "a"}]},
        {"Version": "2012-10-17", "Statement": ["x"]},
        _policy(Resource=[]),
        _policy(Action=[1]),
        _policy(Principal={}),
        _policy(Principal=["*"]),
        _policy(Other="x"),
        _policy(Condition=[]),
        _policy(Condition={"Bool": []}),
        _policy(Condition={"Bool": {"a": []}}),
        _policy(Condition={"Bool": {"a": None}}),
        _policy(Condition={"NumericEquals": {"a": 1.5}}),
        _policy(Condition={"StringLike": {"a": "&{aws:username}"}}),
    ],
)
def test_what_a_document_could_not_say_is_none(policy: object) -> None:
    assert written(policy) is None


def test_a_key_refers_to_its_document_or_its_note_says_why_not() -> None:
    key = "1234abcd-12ab-34cd-56ef-000000000003"
    code = terraform(read("alias/rsa", key).definitions, policy_documents=True)
    text = code.files[FILE]
    assert "policy                   = data.aws_iam_policy_document.rsa.json" in text
    assert text.count("data ") == 1
    assert code.notes == (
        f"{key}: its policy is no aws_iam_policy_document, which could not say it as it is.",
    )
