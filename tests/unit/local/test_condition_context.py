"""The condition keys that calls carry, seen through IAM policies that allow on one condition only."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from kms_tui.policy import parse
from tests.contract.client import KmsClient
from tests.unit.local.conftest import ACCOUNT, TestClock

_SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/i-0123"
_ADA = f"arn:aws:iam::{ACCOUNT}:user/ada"
_SHA_1 = "RSAES_OAEP_SHA_1"
_UNUSED = "kms:TrailingDaysWithoutKeyUsage"
Allowed = Callable[..., bool]


@pytest.fixture
def allowed(client: Callable[..., KmsClient]) -> Allowed:
    """Whether a call goes through on a condition: operator, condition key, value."""

    def judge(condition: tuple[str, str, Any], operation: str, *, caller: str = _ADA, **params: Any) -> bool:
        operator, name, value = condition
        statements = [
            {"Effect": "Allow", "NotAction": f"kms:{operation}*", "Resource": "*"},
            {
                "Effect": "Allow",
                "Action": f"kms:{operation}*",
                "Resource": "*",
                "Condition": {operator: {name: value}},
            },
        ]
        document = parse(json.dumps({"Version": "2012-10-17", "Statement": statements}), identity=True)
        assert document.is_valid, document.problems
        kms = client(caller_arn=caller, iam_policies=(document,))
        try:
            kms.backend.call(operation, params)
        except Exception as error:
            if "is not authorized to perform" in str(error):
                return False
            raise
        return True

    return judge


def _both(allowed: Allowed, name: str, good: str, bad: str, operation: str, **params: Any) -> None:
    assert allowed(("StringEquals", name, good), operation, **params)
    assert not allowed(("StringEquals", name, bad), operation, **params)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("kms:KeySpec", "SYMMETRIC_DEFAULT", "RSA_2048"),
        ("kms:CustomerMasterKeySpec", "SYMMETRIC_DEFAULT", "RSA_2048"),
        ("kms:KeyUsage", "ENCRYPT_DECRYPT", "SIGN_VERIFY"),
        ("kms:KeyOrigin", "AWS_KMS", "EXTERNAL"),
        ("kms:MultiRegion", "false", "true"),
        ("kms:CallerAccount", ACCOUNT, "444455556666"),
        ("aws:PrincipalArn", _ADA, f"arn:aws:iam::{ACCOUNT}:user/grace"),
        ("aws:PrincipalAccount", ACCOUNT, "444455556666"),
        ("aws:PrincipalType", "User", "AssumedRole"),
        ("aws:username", "ada", "grace"),
        ("aws:userid", "AIDA00000111122223333", "AIDA"),
        ("aws:ResourceTag/team", "red", "blue"),
        ("aws:RequestedRegion", "eu-west-1", "us-east-1"),
        ("aws:ResourceAccount", ACCOUNT, "444455556666"),
        ("aws:ViaAWSService", "false", "true"),
    ],
)
def test_every_call_on_a_key_tells_the_key_and_the_caller(
    kms: KmsClient, allowed: Allowed, name: str, good: str, bad: str
) -> None:
    key_id = kms.key(Tags=[{"TagKey": "team", "TagValue": "red"}])
    _both(allowed, name, good, bad, "DescribeKey", KeyId=key_id)


def test_a_session_is_told_as_its_role(kms: KmsClient, allowed: Allowed) -> None:
    key_id = kms.key()
    role = f"arn:aws:iam::{ACCOUNT}:role/app"
    for name, value in {
        "aws:PrincipalArn": role,
        "aws:PrincipalType": "AssumedRole",
        "aws:userid": "AROA00000111122223333:i-0123",
        "aws:MultiFactorAuthPresent": "false",
    }.items():
        assert allowed(("StringEquals", name, value), "DescribeKey", caller=_SESSION, KeyId=key_id), name
    assert not allowed(
        ("StringEquals", "aws:PrincipalArn", _SESSION), "DescribeKey", caller=_SESSION, KeyId=key_id
    )
    assert allowed(("Null", "aws:username", "true"), "DescribeKey", caller=_SESSION, KeyId=key_id)


@pytest.mark.parametrize("name", ["kms:ViaService", "aws:SourceIp", "aws:SourceVpce", "aws:PrincipalOrgID"])
def test_a_local_call_comes_through_nothing(kms: KmsClient, allowed: Allowed, name: str) -> None:
    assert allowed(("Null", name, "true"), "DescribeKey", KeyId=kms.key())


def test_the_time_is_the_stores_own(kms: KmsClient, allowed: Allowed, clock: TestClock) -> None:
    key_id = kms.key()
    before = ("DateLessThan", "aws:CurrentTime", "2026-03-03T00:00:00Z")
    assert allowed(before, "DescribeKey", KeyId=key_id)
    assert allowed(("NumericLessThan", "aws:EpochTime", "1772500000"), "DescribeKey", KeyId=key_id)
    clock.advance(days=1)
    assert not allowed(before, "DescribeKey", KeyId=key_id)


def test_aliases_are_the_keys_all_or_the_requests_one(kms: KmsClient, allowed: Allowed) -> None:
    key_id = kms.key()
    alias, other = kms.alias(key_id), kms.alias(key_id)
    of_key = ("ForAnyValue:StringEquals", "kms:ResourceAliases", other)
    assert allowed(of_key, "DescribeKey", KeyId=key_id)
    assert not allowed(of_key, "DescribeKey", KeyId=kms.key())
    of_request = ("StringEquals", "kms:RequestAlias", alias)
    assert allowed(of_request, "DescribeKey", KeyId=alias)
    assert allowed(of_request, "Encrypt", KeyId=kms.alias_arn(alias), Plaintext=b"x")
    assert not allowed(of_request, "DescribeKey", KeyId=other)
    assert not allowed(of_request, "DescribeKey", KeyId=key_id)


def test_the_encryption_context_is_told_by_pair_and_by_name(kms: KmsClient, allowed: Allowed) -> None:
    call: dict[str, Any] = {"KeyId": kms.key(), "Plaintext": b"x"}
    context = {"EncryptionContext": {"team": "red", "stage": "prod"}}
    pair = ("StringEquals", "kms:EncryptionContext:team", "red")
    assert allowed(pair, "Encrypt", **call, **context)
    assert not allowed(pair, "Encrypt", **call, EncryptionContext={"team": "blue"})
    assert not allowed(pair, "Encrypt", **call)
    only = ("ForAllValues:StringEquals", "kms:EncryptionContextKeys", ["team", "stage"])
    assert allowed(only, "Encrypt", **call, **context)
    assert not allowed(only, "Encrypt", **call, EncryptionContext={"team": "red", "more": "x"})
    assert allowed(("Null", "kms:EncryptionContextKeys", "true"), "Encrypt", **call)


def test_re_encryption_tells_each_side_its_own(kms: KmsClient, allowed: Allowed) -> None:
    first, second = kms.key(), kms.key()
    alias = kms.alias(first)
    sealed = kms("Encrypt", KeyId=first, Plaintext=b"x", EncryptionContext={"a": "1"})["CiphertextBlob"]
    call = {
        "CiphertextBlob": sealed,
        "SourceEncryptionContext": {"a": "1"},
        "DestinationEncryptionContext": {"a": "2"},
    }
    same = ("Bool", "kms:ReEncryptOnSameKey", "true")
    assert not allowed(same, "ReEncrypt", **call, DestinationKeyId=second)
    for reference in (first, kms.arn(first), alias, kms.alias_arn(alias)):
        assert allowed(same, "ReEncrypt", **call, DestinationKeyId=reference)
        assert allowed(same, "ReEncrypt", **call, SourceKeyId=reference, DestinationKeyId=first)
    either = ("StringEquals", "kms:EncryptionContext:a", ["1", "2"])
    assert allowed(either, "ReEncrypt", **call, DestinationKeyId=second)
    assert not allowed(
        ("StringEquals", "kms:EncryptionContext:a", "1"), "ReEncrypt", **call, DestinationKeyId=second
    )


@pytest.mark.parametrize(
    ("spec", "usage", "operation", "params", "name", "good", "bad"),
    [
        ("RSA_2048", "ENCRYPT_DECRYPT", "Encrypt", {"Plaintext": b"x", "EncryptionAlgorithm": _SHA_1},
         "kms:EncryptionAlgorithm", _SHA_1, "RSAES_OAEP_SHA_256"),
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "GenerateDataKey", {"KeySpec": "AES_256"},
         "kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_256"),
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "GenerateDataKeyPair", {"KeyPairSpec": "ECC_NIST_P256"},
         "kms:DataKeyPairSpec", "ECC_NIST_P256", "RSA_2048"),
        ("ECC_NIST_P256", "SIGN_VERIFY", "Sign", {"Message": b"x", "SigningAlgorithm": "ECDSA_SHA_256"},
         "kms:SigningAlgorithm", "ECDSA_SHA_256", "ECDSA_SHA_384"),
        ("ECC_NIST_P256", "SIGN_VERIFY", "Sign", {"Message": b"x", "SigningAlgorithm": "ECDSA_SHA_256"},
         "kms:MessageType", "RAW", "DIGEST"),
        ("HMAC_256", "GENERATE_VERIFY_MAC", "GenerateMac", {"Message": b"x", "MacAlgorithm": "HMAC_SHA_256"},
         "kms:MacAlgorithm", "HMAC_SHA_256", "HMAC_SHA_512"),
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "ScheduleKeyDeletion", {},
         "kms:ScheduleKeyDeletionPendingWindowInDays", "30", "7"),
        ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "EnableKeyRotation", {"RotationPeriodInDays": 90},
         "kms:RotationPeriodInDays", "90", "365"),
    ],
)  # fmt: skip
def test_a_request_tells_its_own_members(
    kms: KmsClient,
    allowed: Allowed,
    spec: str,
    usage: str,
    operation: str,
    params: dict[str, Any],
    name: str,
    good: str,
    bad: str,
) -> None:
    key_id = kms.key(KeySpec=spec, KeyUsage=usage)
    assert not allowed(("StringEquals", name, bad), operation, KeyId=key_id, **params)
    assert allowed(("StringEquals", name, good), operation, KeyId=key_id, **params)


@pytest.mark.parametrize(
    ("params", "name", "good", "bad"),
    [
        ({}, "kms:KeySpec", "SYMMETRIC_DEFAULT", "RSA_2048"),
        ({"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}, "kms:KeySpec", "HMAC_256", "HMAC_512"),
        ({"Origin": "EXTERNAL"}, "kms:KeyOrigin", "EXTERNAL", "AWS_KMS"),
        ({"MultiRegion": True}, "kms:MultiRegionKeyType", "PRIMARY", "REPLICA"),
        ({"BypassPolicyLockoutSafetyCheck": True}, "kms:BypassPolicyLockoutSafetyCheck", "true", "false"),
        ({"Tags": [{"TagKey": "team", "TagValue": "red"}]}, "aws:RequestTag/team", "red", "blue"),
    ],
)  # fmt: skip
def test_a_new_key_is_told_before_it_is_made(
    allowed: Allowed, params: dict[str, Any], name: str, good: str, bad: str
) -> None:
    _both(allowed, name, good, bad, "CreateKey", **params)


def test_the_names_of_tags_are_told_when_they_come_and_when_they_go(kms: KmsClient, allowed: Allowed) -> None:
    only_team = ("ForAllValues:StringEquals", "aws:TagKeys", "team")
    key_id = kms.key()
    assert allowed(only_team, "TagResource", KeyId=key_id, Tags=[{"TagKey": "team", "TagValue": "red"}])
    assert not allowed(only_team, "TagResource", KeyId=key_id, Tags=[{"TagKey": "x", "TagValue": ""}])
    assert allowed(only_team, "UntagResource", KeyId=key_id, TagKeys=["team"])
    assert not allowed(only_team, "UntagResource", KeyId=key_id, TagKeys=["team", "x"])


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("kms:GranteePrincipal", _SESSION, _ADA),
        ("kms:RetiringPrincipal", _ADA, _SESSION),
        ("kms:GrantConstraintType", "EncryptionContextEquals", "EncryptionContextSubset"),
        ("kms:GrantIsForAWSResource", "false", "true"),
        ("kms:EncryptionContext:team", "red", "blue"),
    ],
)
def test_a_grant_tells_what_it_would_be(
    kms: KmsClient, allowed: Allowed, name: str, good: str, bad: str
) -> None:
    params: dict[str, Any] = {
        "KeyId": kms.key(),
        "GranteePrincipal": _SESSION,
        "RetiringPrincipal": _ADA,
        "Operations": ["Encrypt", "Decrypt"],
        "Constraints": {"EncryptionContextEquals": {"team": "red"}},
    }
    _both(allowed, name, good, bad, "CreateGrant", **params)
    some = "ForAllValues:StringEquals"
    assert allowed((some, "kms:GrantOperations", ["Encrypt", "Decrypt"]), "CreateGrant", **params)
    assert not allowed((some, "kms:GrantOperations", ["Encrypt"]), "CreateGrant", **params)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("kms:GrantConstraintType", "EncryptionContextSubset", "EncryptionContextEquals"),
        ("kms:EncryptionContext:team", "red", "blue"),
        ("kms:EncryptionContextKeys", "team", "town"),
    ],
)
def test_retiring_a_grant_tells_its_constraints(
    kms: KmsClient, allowed: Allowed, name: str, good: str, bad: str
) -> None:
    key_id = kms.key()
    constraints = {"EncryptionContextSubset": {"team": "red"}}
    grant = {"KeyId": key_id, "GranteePrincipal": _SESSION, "Operations": ["Encrypt"]}
    for reference in ("GrantToken", "GrantId"):
        made = kms("CreateGrant", **grant, Constraints=constraints)
        params = {reference: made[reference]} | ({"KeyId": key_id} if reference == "GrantId" else {})
        operator = "ForAnyValue:StringEquals" if name.endswith("Keys") else "StringEquals"
        assert not allowed((operator, name, bad), "RetireGrant", **params)
        assert allowed((operator, name, good), "RetireGrant", **params)


def test_retiring_a_grant_without_constraints_tells_none(kms: KmsClient, allowed: Allowed) -> None:
    key_id = kms.key()
    grant = {"KeyId": key_id, "GranteePrincipal": _SESSION, "Operations": ["Encrypt"]}
    for name in ("kms:GrantConstraintType", "kms:EncryptionContextKeys"):
        token = kms("CreateGrant", **grant)["GrantToken"]
        assert not allowed(("Null", name, "false"), "RetireGrant", GrantToken=token)
        assert allowed(("Null", name, "true"), "RetireGrant", GrantToken=token)


def test_revoking_a_grant_tells_no_constraint(kms: KmsClient, allowed: Allowed) -> None:
    key_id = kms.key()
    grant_id = kms(
        "CreateGrant",
        KeyId=key_id,
        GranteePrincipal=_SESSION,
        Operations=["Encrypt"],
        Constraints={"EncryptionContextSubset": {"team": "red"}},
    )["GrantId"]
    for name in ("kms:GrantConstraintType", "kms:EncryptionContext:team"):
        assert not allowed(("Null", name, "false"), "RevokeGrant", KeyId=key_id, GrantId=grant_id)
    assert allowed(
        ("Bool", "kms:GrantIsForAWSResource", "false"), "RevokeGrant", KeyId=key_id, GrantId=grant_id
    )


@pytest.mark.parametrize("operation", ["DisableKey", "ScheduleKeyDeletion"])
def test_ending_a_keys_use_tells_how_long_it_was_not_used(
    kms: KmsClient, allowed: Allowed, clock: TestClock, operation: str
) -> None:
    def is_unused(days: int) -> bool:
        return allowed(("NumericGreaterThanEquals", _UNUSED, str(days)), operation, KeyId=key_id)

    key_id = kms.key()
    clock.advance(days=9, hours=23)
    assert not is_unused(10)
    kms("Encrypt", KeyId=key_id, Plaintext=b"x")
    clock.advance(days=1, hours=23)
    assert not is_unused(2)
    assert is_unused(1)


def test_switching_a_key_on_does_not_tell_its_use(kms: KmsClient, allowed: Allowed) -> None:
    key_id = kms.key()
    assert not allowed(("Null", _UNUSED, "false"), "EnableKey", KeyId=key_id)


def test_a_service_that_forwards_a_request_makes_grants_for_its_resource(
    kms: KmsClient, client: Callable[..., KmsClient]
) -> None:
    policy = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Action": "kms:CreateGrant",
                "Resource": "*",
                "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
            },
        }
    )
    grant: dict[str, Any] = {"KeyId": kms.key(), "GranteePrincipal": _SESSION, "Operations": ["Encrypt"]}
    policies: dict[str, Any] = {"caller_arn": _ADA, "iam_policies": (parse(policy, identity=True),)}
    client(**policies).refused("CreateGrant", "AccessDeniedException", **grant)
    client(**policies, context={"kms:ViaService": "rds.eu-west-1.amazonaws.com"})("CreateGrant", **grant)
