"""GetKeyPolicy, PutKeyPolicy, ListKeyPolicies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract.client import KmsClient


def root_of(kms: KmsClient) -> str:
    return f"arn:aws:iam::{kms.backend.account_id}:root"


def policy(kms: KmsClient, **changes: Any) -> str:
    """A policy of the root statement, with changes to the statement."""
    statement = {
        "Sid": "root",
        "Effect": "Allow",
        "Principal": {"AWS": root_of(kms)},
        "Action": "kms:*",
        "Resource": "*",
        **changes,
    }
    return json.dumps({"Version": "2012-10-17", "Id": "contract", "Statement": [statement]})


def read(kms: KmsClient, key_id: str) -> Any:
    return json.loads(kms("GetKeyPolicy", KeyId=key_id, PolicyName="default")["Policy"])


def test_a_key_made_without_a_policy_gives_the_account_full_access(kms: KmsClient) -> None:
    (statement,) = read(kms, kms.key())["Statement"]
    assert statement["Effect"] == "Allow"
    assert statement["Principal"] == {"AWS": root_of(kms)}
    assert statement["Action"] == "kms:*"
    assert statement["Resource"] == "*"


def test_a_key_keeps_the_policy_it_is_made_with(kms: KmsClient) -> None:
    text = policy(kms, Sid="given")
    assert read(kms, kms.key(Policy=text)) == json.loads(text)


@pytest.mark.parametrize("by", ["id", "arn"])
def test_a_policy_can_be_replaced(kms: KmsClient, by: str) -> None:
    key_id = kms.key()
    text = policy(kms, Sid="replaced")
    reference = key_id if by == "id" else kms.arn(key_id)
    assert kms("PutKeyPolicy", KeyId=reference, PolicyName="default", Policy=text) == {}
    assert read(kms, key_id) == json.loads(text)


def test_the_policys_name_may_be_left_out(kms: KmsClient) -> None:
    key_id = kms.key()
    kms("PutKeyPolicy", KeyId=key_id, Policy=policy(kms, Sid="unnamed"))
    answer = kms("GetKeyPolicy", KeyId=key_id)
    assert json.loads(answer["Policy"])["Statement"][0]["Sid"] == "unnamed"
    assert answer["PolicyName"] == "default"


def test_a_policy_beyond_ascii_is_kept(kms: KmsClient) -> None:
    key_id = kms.key()
    text = json.dumps(json.loads(policy(kms)) | {"Id": "schlüssel"}, ensure_ascii=False)
    kms("PutKeyPolicy", KeyId=key_id, PolicyName="default", Policy=text)
    assert read(kms, key_id)["Id"] == "schlüssel"


def test_there_is_one_policy_called_default(kms: KmsClient) -> None:
    assert kms("ListKeyPolicies", KeyId=kms.key())["PolicyNames"] == ["default"]


@pytest.mark.parametrize("text", ["{", "not json", '{"Version":"2012-10-17",}'])
def test_a_policy_that_is_not_json_is_refused_and_the_old_one_stays(kms: KmsClient, text: str) -> None:
    key_id = kms.key()
    before = read(kms, key_id)
    kms.refused(
        "PutKeyPolicy", "MalformedPolicyDocumentException", KeyId=key_id, PolicyName="default", Policy=text
    )
    assert read(kms, key_id) == before


def test_a_key_is_not_made_with_a_policy_that_is_not_json(kms: KmsClient) -> None:
    kms.refused("CreateKey", "MalformedPolicyDocumentException", Policy="{")
    assert kms.all("ListKeys", "Keys") == []


@pytest.mark.parametrize(
    "change",
    [
        {"Principal": {"AWS": "arn:aws:iam::999999999999:role/nobody-i-know/of"}},
        {"Action": "kms:Describe*"},
        {"Effect": "Deny"},
    ],
    ids=["another principal", "no PutKeyPolicy", "deny"],
)
def test_a_policy_by_which_the_caller_loses_the_key_is_refused(
    kms: KmsClient, change: dict[str, Any]
) -> None:
    kms.refused(
        "PutKeyPolicy",
        "MalformedPolicyDocumentException",
        "The new key policy will not allow you to update the key policy in the future.",
        KeyId=kms.key(),
        PolicyName="default",
        Policy=policy(kms, **change),
    )


def test_the_safety_check_can_be_bypassed(kms: KmsClient) -> None:
    key_id = kms.key()
    text = policy(kms, Action="kms:Describe*")
    kms("PutKeyPolicy", KeyId=key_id, PolicyName="default", Policy=text, BypassPolicyLockoutSafetyCheck=True)
    assert read(kms, key_id) == json.loads(text)


def test_rams_policy_is_rams(kms: KmsClient) -> None:
    key_id = kms.key()
    kms.refused(
        "PutKeyPolicy",
        "ValidationException",
        "The AWS_RAM policy can only be managed by the RAM service",
        KeyId=key_id,
        PolicyName="AWS_RAM",
        Policy=policy(kms),
    )
    kms.refused("GetKeyPolicy", "NotFoundException", KeyId=key_id, PolicyName="AWS_RAM")
