"""The four alias operations."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kms_tui.backend.local import LocalBackend
from kms_tui.kms.errors import ServiceError
from tests.contract.client import KmsClient
from tests.unit.local.conftest import START, TestClock


def test_an_alias_names_its_key_by_name_and_by_arn(kms: KmsClient) -> None:
    key_id = kms.key()
    kms("CreateAlias", AliasName="alias/a/b_c-D", TargetKeyId=key_id)
    assert kms.describe("alias/a/b_c-D")["KeyId"] == key_id
    assert kms.describe(kms.alias_arn("alias/a/b_c-D"))["KeyId"] == key_id


def test_the_target_may_be_given_by_its_arn(kms: KmsClient) -> None:
    key_id = kms.key()
    kms("CreateAlias", AliasName="alias/x", TargetKeyId=kms.arn(key_id))
    assert kms.describe("alias/x")["KeyId"] == key_id


def test_aliases_are_listed_with_their_keys_and_dates(kms: KmsClient, clock: TestClock) -> None:
    key_id = kms.key()
    kms("CreateAlias", AliasName="alias/x", TargetKeyId=key_id)
    clock.advance(hours=1)
    other = kms.key()
    kms("UpdateAlias", AliasName="alias/x", TargetKeyId=other)
    assert kms("ListAliases", KeyId=other)["Aliases"] == [
        {
            "AliasName": "alias/x",
            "AliasArn": kms.alias_arn("alias/x"),
            "TargetKeyId": other,
            "CreationDate": START,
            "LastUpdatedDate": START + timedelta(hours=1),
        }
    ]
    assert kms("ListAliases", KeyId=kms.arn(key_id))["Aliases"] == []


def test_a_fresh_region_lists_predefined_aliases_without_a_key(kms: KmsClient) -> None:
    aliases = kms.all("ListAliases", "Aliases")
    assert {"alias/aws/s3", "alias/aws/ebs", "alias/aws/rds"} <= {alias["AliasName"] for alias in aliases}
    assert all(set(alias) == {"AliasName", "AliasArn"} for alias in aliases)
    assert kms("ListKeys")["Keys"] == []


def test_describing_a_predefined_alias_makes_its_key_once(kms: KmsClient) -> None:
    metadata = kms.describe("alias/aws/s3")
    assert (metadata["KeyManager"], metadata["KeyState"]) == ("AWS", "Enabled")
    assert kms.describe("alias/aws/s3") == metadata
    (alias,) = [a for a in kms.all("ListAliases", "Aliases") if a["AliasName"] == "alias/aws/s3"]
    assert alias["TargetKeyId"] == metadata["KeyId"]
    assert len(kms("ListKeys")["Keys"]) == 1


def test_pages_hold_own_and_predefined_aliases_in_order_and_once(kms: KmsClient) -> None:
    key_id = kms.key()
    for name in ("alias/a", "alias/aws-like", "alias/b", "alias/zzz"):
        kms("CreateAlias", AliasName=name, TargetKeyId=key_id)
    kms.describe("alias/aws/ebs")
    whole = [alias["AliasName"] for alias in kms("ListAliases", Limit=100)["Aliases"]]
    paged = [alias["AliasName"] for alias in kms.all("ListAliases", "Aliases", Limit=3)]
    assert whole == paged == sorted(set(whole))
    assert {"alias/a", "alias/aws-like", "alias/aws/ebs", "alias/b", "alias/zzz"} <= set(whole)


def test_pages_of_one_keys_aliases(kms: KmsClient) -> None:
    key_id = kms.key()
    names = sorted(kms.alias(key_id) for _ in range(5))
    listed = kms.all("ListAliases", "Aliases", KeyId=key_id, Limit=2)
    assert [alias["AliasName"] for alias in listed] == names


def test_a_page_has_at_most_a_hundred_aliases(kms: KmsClient) -> None:
    kms.refused(
        "ListAliases",
        "ValidationException",
        "1 validation error detected: Value '101' at 'limit' failed to satisfy constraint: "
        "Member must have value less than or equal to 100",
        Limit=101,
    )


def test_an_alias_is_taken_once_in_a_region(kms: KmsClient) -> None:
    key_id = kms.key()
    kms("CreateAlias", AliasName="alias/x", TargetKeyId=key_id)
    kms.refused(
        "CreateAlias",
        "AlreadyExistsException",
        f"An alias with the name {kms.alias_arn('alias/x')} already exists",
        AliasName="alias/x",
        TargetKeyId=key_id,
    )
    elsewhere = kms.in_region("us-east-1")
    elsewhere("CreateAlias", AliasName="alias/x", TargetKeyId=elsewhere.key())


@pytest.mark.parametrize("operation", ["CreateAlias", "UpdateAlias"])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "x",
            'Alias must start with the prefix "alias/". Please see '
            "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
        ),
        ("alias/a:b", "alias/a:b contains invalid characters for an alias"),
        (
            "alias/a b",
            "1 validation error detected: Value 'alias/a b' at 'aliasName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$",
        ),
        (
            "alias/" + "a" * 251,
            f"1 validation error detected: Value 'alias/{'a' * 251}' at 'aliasName' failed to satisfy "
            "constraint: Member must have length less than or equal to 256",
        ),
    ],
)
def test_names_outside_the_rules_are_refused(kms: KmsClient, operation: str, name: str, message: str) -> None:
    kms.refused(operation, "ValidationException", message, AliasName=name, TargetKeyId=kms.key())


@pytest.mark.parametrize("operation", ["CreateAlias", "UpdateAlias", "DeleteAlias"])
def test_the_names_of_aws_are_reserved(backend: LocalBackend, kms: KmsClient, operation: str) -> None:
    params = {"AliasName": "alias/aws/s3"}
    if operation != "DeleteAlias":
        params["TargetKeyId"] = kms.key()
    with pytest.raises(ServiceError) as caught:
        backend.call(operation, params)
    assert caught.value.code == "NotAuthorizedException"


def test_an_alias_of_an_alias_is_refused(kms: KmsClient) -> None:
    alias = kms.alias(kms.key())
    kms.refused(
        "CreateAlias",
        "ValidationException",
        "Aliases must refer to keys. Not aliases",
        AliasName="alias/y",
        TargetKeyId=alias,
    )


def test_a_key_has_fifty_aliases_at_most(kms: KmsClient) -> None:
    key_id = kms.key()
    for _ in range(50):
        kms.alias(key_id)
    kms.refused("CreateAlias", "LimitExceededException", AliasName="alias/more", TargetKeyId=key_id)
    alias = kms.alias(kms.key())
    kms.refused("UpdateAlias", "LimitExceededException", AliasName=alias, TargetKeyId=key_id)


@pytest.mark.parametrize("operation", ["UpdateAlias", "DeleteAlias"])
def test_an_alias_that_is_not_there_is_not_found(kms: KmsClient, operation: str) -> None:
    target = {"TargetKeyId": kms.key()} if operation == "UpdateAlias" else {}
    kms.refused(
        operation,
        "NotFoundException",
        f"Alias {kms.alias_arn('alias/none')} is not found.",
        AliasName="alias/none",
        **target,
    )


def test_a_deleted_alias_is_gone_and_its_key_stays(kms: KmsClient) -> None:
    key_id = kms.key()
    alias = kms.alias(key_id)
    kms("DeleteAlias", AliasName=alias)
    kms.refused("DescribeKey", "NotFoundException", KeyId=alias)
    assert kms.describe(key_id)["Enabled"]


@pytest.mark.parametrize(
    "other",
    [
        {"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"},
        {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
    ],
)
def test_an_alias_moves_to_a_key_of_the_same_kind_only(kms: KmsClient, other: dict[str, str]) -> None:
    key_id = kms.key()
    alias = kms.alias(key_id)
    kms.refused("UpdateAlias", "ValidationException", AliasName=alias, TargetKeyId=kms.key(**other))
    assert kms.describe(alias)["KeyId"] == key_id


def test_an_alias_moves_between_kinds_of_asymmetric_signing_keys(kms: KmsClient) -> None:
    alias = kms.alias(kms.key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY"))
    successor = kms.key(KeySpec="ML_DSA_44", KeyUsage="SIGN_VERIFY")
    kms("UpdateAlias", AliasName=alias, TargetKeyId=successor)
    assert kms.describe(alias)["KeyId"] == successor


def test_an_alias_can_leave_a_key_that_is_pending_deletion_but_not_come_to_it(kms: KmsClient) -> None:
    doomed, safe = kms.key(), kms.key()
    alias = kms.alias(doomed)
    kms("ScheduleKeyDeletion", KeyId=doomed)
    kms("UpdateAlias", AliasName=alias, TargetKeyId=safe)
    kms.refused(
        "UpdateAlias",
        "KMSInvalidStateException",
        f"{kms.arn(doomed)} is pending deletion.",
        AliasName=alias,
        TargetKeyId=doomed,
    )


@pytest.mark.parametrize(
    "operation", ["EnableKey", "GetKeyPolicy", "ListResourceTags", "GetKeyRotationStatus"]
)
def test_management_takes_no_alias(kms: KmsClient, operation: str) -> None:
    alias = kms.alias(kms.key())
    for reference in (alias, kms.alias_arn(alias)):
        kms.refused(
            operation,
            "InvalidArnException",
            "Key Aliases are not supported for this operation.",
            KeyId=reference,
        )
