"""Two accounts in one store: what crosses between them, and by whose leave."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.loaders import Loader

from kms_tui.kms.operations import Trait, has, names_with
from tests.contract.client import KmsClient

_OTHER = "444455556666"


def _policy(*actions: str) -> str:
    statements = [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
            "Action": allowed,
            "Resource": "*",
        }
        for account, allowed in (("111122223333", "kms:*"), (_OTHER, list(actions)))
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture
def other(client: Callable[..., KmsClient]) -> KmsClient:
    return client(account_id=_OTHER)


def _refused(other: KmsClient, operation: str, arn: str, **params: Any) -> None:
    other.refused(
        operation,
        "AccessDeniedException",
        f"User: arn:aws:iam::{_OTHER}:user/administrator is not authorized to perform: kms:{operation} on "
        "this resource because the resource does not exist in this Region, no resource-based policies "
        "allow access, or a resource-based policy explicitly denies access",
        KeyId=arn,
        **params,
    )


def test_another_account_uses_a_key_if_its_policy_lets_it(kms: KmsClient, other: KmsClient) -> None:
    arn = kms.arn(kms.key(Policy=_policy("kms:Encrypt", "kms:DescribeKey")))
    sealed = other("Encrypt", KeyId=arn, Plaintext=b"x")["CiphertextBlob"]
    assert other.describe(arn)["AWSAccountId"] == "111122223333"
    _refused(other, "Decrypt", arn, CiphertextBlob=sealed)
    assert kms("Decrypt", CiphertextBlob=sealed)["Plaintext"] == b"x"


def test_a_ciphertext_names_the_account_of_its_key(kms: KmsClient, other: KmsClient) -> None:
    arn = kms.arn(kms.key(Policy=_policy("kms:Decrypt")))
    sealed = kms("Encrypt", KeyId=arn, Plaintext=b"x")["CiphertextBlob"]
    for meant in ({}, {"KeyId": arn}, {"KeyId": arn.rpartition("/")[2]}):
        opened = other("Decrypt", CiphertextBlob=sealed, **meant)
        assert (opened["Plaintext"], opened["KeyId"]) == (b"x", arn)


def test_an_alias_arn_reaches_another_account(kms: KmsClient, other: KmsClient) -> None:
    alias = kms.alias(kms.key(Policy=_policy("kms:*")))
    assert other.describe(kms.alias_arn(alias))["AWSAccountId"] == "111122223333"
    other.refused("DescribeKey", "NotFoundException", KeyId=alias)


_MODEL = Loader().load_service_model("kms", "service-2")


def _cross_account_use(operation: str) -> str:
    """ "Yes", "No" …, as the service model's documentation has it."""
    found = re.search(r"Cross-account use</b>:\s*(\w+)", _MODEL["operations"][operation]["documentation"])
    return found[1] if found else ""


def _takes_a_key(operation: str) -> bool:
    request = _MODEL["shapes"][_MODEL["operations"][operation]["input"]["shape"]]
    return bool({"KeyId", "TargetKeyId"} & request["members"].keys())


_STAYING = [name for name in _MODEL["operations"] if _cross_account_use(name) == "No" and _takes_a_key(name)]
_REQUIRED: dict[str, dict[str, Any]] = {
    "CreateAlias": {"AliasName": "alias/theirs"},
    "GetParametersForImport": {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"},
    "ImportKeyMaterial": {
        "ImportToken": b"x",
        "EncryptedKeyMaterial": b"x",
        "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
    },
    "PutKeyPolicy": {"Policy": "{}"},
    "ReplicateKey": {"ReplicaRegion": "us-east-1"},
    "TagResource": {"Tags": [{"TagKey": "a", "TagValue": "b"}]},
    "UntagResource": {"TagKeys": ["a"]},
    "UpdateAlias": {"AliasName": "alias/ours"},
    "UpdateKeyDescription": {"Description": "theirs"},
    "UpdatePrimaryRegion": {"PrimaryRegion": "us-east-1"},
}


@pytest.mark.parametrize("operation", _STAYING)
def test_management_stays_in_the_account_whatever_the_policy_says(
    kms: KmsClient, other: KmsClient, operation: str
) -> None:
    arn = kms.arn(kms.key(Policy=_policy("kms:*"), MultiRegion=True))
    other("CreateAlias", AliasName="alias/ours", TargetKeyId=other.key())
    before = kms.describe(arn)
    member = "TargetKeyId" if "Alias" in operation and operation != "ListAliases" else "KeyId"
    error = other.refused(operation, "AccessDeniedException", **{member: arn}, **_REQUIRED.get(operation, {}))
    assert "on this resource because the resource does not exist in this Region" in error.message
    assert kms.describe(arn) == before


def test_what_crosses_accounts_is_what_the_service_model_says() -> None:
    crossing = {name for name in _MODEL["operations"] if _cross_account_use(name) == "Yes"}
    assert crossing == {name for name in names_with(Trait.CROSS_ACCOUNT) if not has(name, Trait.NO_OPERATION)}


def test_an_account_without_leave_has_none(kms: KmsClient, other: KmsClient) -> None:
    arn = kms.arn(kms.key())
    _refused(other, "DescribeKey", arn)
    _refused(other, "Encrypt", arn, Plaintext=b"x")
    assert other("ListKeys")["Keys"] == []
