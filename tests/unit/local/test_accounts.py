"""Two accounts in one store: what crosses between them, and by whose leave."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.loaders import Loader

from kms_tui.kms.errors import ServiceError
from kms_tui.kms.operations import Trait, has, names_with
from kms_tui.policy import Document, parse
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


_ABSENT = "00000000-0000-4000-8000-000000000000"
_ON_A_KEY = [name for name in _MODEL["operations"] if _takes_a_key(name)]
_USES: dict[str, dict[str, Any]] = {
    **_REQUIRED,
    "CreateGrant": {"GranteePrincipal": f"arn:aws:iam::{_OTHER}:root", "Operations": ["Encrypt"]},
    "Decapsulate": {"EncapsulationAlgorithm": "ML_KEM", "SharedSecretCiphertextBlob": b"x" * 768},
    "Decrypt": {"CiphertextBlob": b"x"},
    "DeriveSharedSecret": {"KeyAgreementAlgorithm": "ECDH", "PublicKey": b"x"},
    "Encapsulate": {"EncapsulationAlgorithm": "ML_KEM"},
    "Encrypt": {"Plaintext": b"x"},
    "GenerateDataKey": {"KeySpec": "AES_256"},
    "GenerateDataKeyPair": {"KeyPairSpec": "ECC_NIST_P256"},
    "GenerateDataKeyPairWithoutPlaintext": {"KeyPairSpec": "ECC_NIST_P256"},
    "GenerateDataKeyWithoutPlaintext": {"KeySpec": "AES_256"},
    "GenerateMac": {"MacAlgorithm": "HMAC_SHA_256", "Message": b"x"},
    "RetireGrant": {"GrantId": "0" * 64},
    "RevokeGrant": {"GrantId": "0" * 64},
    "Sign": {"SigningAlgorithm": "ECDSA_SHA_256", "Message": b"x"},
    "Verify": {"SigningAlgorithm": "ECDSA_SHA_256", "Message": b"x", "Signature": b"x"},
    "VerifyMac": {"MacAlgorithm": "HMAC_SHA_256", "Message": b"x", "Mac": b"x"},
}
_BY_TOKEN = [
    name
    for name in _ON_A_KEY
    if "InvalidGrantTokenException" in str(_MODEL["operations"][name].get("errors"))
    and "GrantTokens" in _MODEL["shapes"][f"{name}Request"]["members"]
]
_EVE = f"arn:aws:iam::{_OTHER}:user/eve"


def _answer(client: KmsClient, operation: str, reference: str, **params: Any) -> tuple[str, str]:
    """The code and the words with which a call on a key is refused, without the key's own name."""
    member = "TargetKeyId" if "Alias" in operation and operation != "ListAliases" else "KeyId"
    with pytest.raises(ServiceError) as caught:
        client.backend.call(operation, {member: reference, **_USES.get(operation, {}), **params})
    return caught.value.code, caught.value.message.replace(reference, "REFERENCE")


@pytest.mark.parametrize("iam", ["all", "none", "by spec"])
@pytest.mark.parametrize("operation", _ON_A_KEY)
def test_a_key_that_is_not_there_is_answered_as_one_that_is_forbidden(
    kms: KmsClient, client: Callable[..., KmsClient], operation: str, iam: str
) -> None:
    policies = {"all": (_identity({}),), "by spec": (_identity(_ONLY_HMAC),), "none": ()}[iam]
    eve = client(account_id=_OTHER, caller_arn=_EVE, iam_policies=policies)
    administrator = client(account_id=_OTHER)
    administrator("CreateAlias", AliasName="alias/ours", TargetKeyId=administrator.key())
    key_id = kms.key(MultiRegion=True)
    answers = {_answer(eve, operation, kms.arn(each)) for each in (key_id, _ABSENT)}
    assert len(answers) == 1
    code, message = answers.pop()
    assert code == "AccessDeniedException"
    if iam != "all" and "Alias" in operation:
        return  # refused for the want of an IAM policy, before the key is looked for
    assert "because the resource does not exist in this Region" in message
    if has(operation, Trait.TAKES_ALIAS):
        names = [kms.alias_arn(each) for each in (kms.alias(key_id), "alias/absent")]
        assert {_answer(eve, operation, name) for name in names} == {(code, message)}


@pytest.mark.parametrize("operation", _BY_TOKEN)
def test_a_grant_token_that_is_none_tells_nothing_of_the_key(
    kms: KmsClient, other: KmsClient, operation: str
) -> None:
    answers = {_answer(other, operation, kms.arn(each), GrantTokens=["x"]) for each in (kms.key(), _ABSENT)}
    assert answers == {("InvalidGrantTokenException", "")}


_ONLY_HMAC = {"StringEquals": {"kms:KeySpec": "HMAC_256"}}


def _identity(condition: dict[str, Any]) -> Document:
    """An IAM policy that allows all of KMS on a condition."""
    statement = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Condition": condition}
    return parse(json.dumps({"Version": "2012-10-17", "Statement": statement}), identity=True)


def test_a_key_that_lets_one_in_says_which_policy_of_ones_own_does_not(
    kms: KmsClient, client: Callable[..., KmsClient]
) -> None:
    arn = kms.arn(kms.key(Policy=_policy("kms:Encrypt")))
    eve = client(account_id=_OTHER, caller_arn=_EVE)
    error = eve.refused("Encrypt", "AccessDeniedException", KeyId=arn, Plaintext=b"x")
    assert "because no identity-based policy allows the kms:Encrypt action" in error.message


def test_an_own_key_that_is_not_there_is_not_found(kms: KmsClient) -> None:
    for reference in (_ABSENT, kms.arn(_ABSENT), "alias/absent", kms.alias_arn("alias/absent")):
        kms.refused("DescribeKey", "NotFoundException", KeyId=reference)


@pytest.mark.parametrize("member", ["SourceKeyId", "DestinationKeyId"])
def test_re_encryption_tells_nothing_of_another_accounts_keys(
    kms: KmsClient, other: KmsClient, member: str
) -> None:
    own = other.key()
    sealed = other("Encrypt", KeyId=own, Plaintext=b"x")["CiphertextBlob"]
    params = {"CiphertextBlob": sealed, "DestinationKeyId": own}
    answers = set()
    for key_id in (kms.key(), _ABSENT):
        with pytest.raises(ServiceError) as caught:
            other.backend.call("ReEncrypt", {**params, member: kms.arn(key_id)})
        answers.add((caught.value.code, caught.value.message))
    ((code, message),) = answers
    assert code == "AccessDeniedException"
    assert f"kms:ReEncrypt{'From' if member == 'SourceKeyId' else 'To'} on this resource" in message
