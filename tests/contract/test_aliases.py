"""CreateAlias, UpdateAlias, DeleteAlias, ListAliases, and AWS's own aliases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kms_tui.kms.errors import ServiceError
from tests.contract.client import KmsClient


def own(kms: KmsClient) -> dict[str, str]:
    """The region's aliases that are not AWS's: name -> key id."""
    return {
        alias["AliasName"]: alias["TargetKeyId"]
        for alias in kms.all("ListAliases", "Aliases")
        if not alias["AliasName"].startswith("alias/aws/")
    }


def test_an_alias_is_listed_with_its_key(kms: KmsClient) -> None:
    key_id = kms.key()
    assert kms("CreateAlias", AliasName="alias/orders/db-1_A", TargetKeyId=key_id) == {}
    assert own(kms) == {"alias/orders/db-1_A": key_id}


def test_an_alias_entry_tells_its_arn(kms: KmsClient) -> None:
    key_id = kms.key()
    alias = kms.alias(key_id)
    (entry,) = kms("ListAliases", KeyId=key_id)["Aliases"]
    assert entry["AliasArn"] == kms.alias_arn(alias)


def test_an_alias_entry_tells_when_it_was_made(kms: KmsClient) -> None:
    key_id = kms.key()
    kms.alias(key_id)
    (entry,) = kms("ListAliases", KeyId=key_id)["Aliases"]
    for member in ("CreationDate", "LastUpdatedDate"):
        assert abs(datetime.now(UTC) - entry[member]) < timedelta(minutes=1)


def test_aliases_of_one_key_are_listed_by_id_and_arn(kms: KmsClient) -> None:
    key_id, other = kms.key(), kms.key()
    mine = {kms.alias(key_id), kms.alias(key_id)}
    kms.alias(other)
    for reference in (key_id, kms.arn(key_id)):
        listed = kms.all("ListAliases", "Aliases", KeyId=reference)
        assert {entry["AliasName"] for entry in listed} == mine


def test_aliases_of_one_key_are_not_listed_by_alias(kms: KmsClient) -> None:
    alias = kms.alias(kms.key())
    with pytest.raises(ServiceError):
        kms("ListAliases", KeyId=alias)


def test_an_alias_name_is_taken_once(kms: KmsClient) -> None:
    alias = kms.alias(kms.key())
    message = f"An alias with the name {kms.alias_arn(alias)} already exists"
    kms.refused("CreateAlias", "AlreadyExistsException", message, AliasName=alias, TargetKeyId=kms.key())


def test_an_alias_name_is_free_in_another_region(kms: KmsClient) -> None:
    alias = kms.alias(kms.key())
    other = kms.in_region("us-west-2")
    other("CreateAlias", AliasName=alias, TargetKeyId=other.key())


@pytest.mark.parametrize("name", ["orders", "Alias/orders", "aliases/orders"])
def test_an_alias_needs_its_prefix(kms: KmsClient, name: str) -> None:
    error = kms.refused("CreateAlias", "ValidationException", AliasName=name, TargetKeyId=kms.key())
    assert error.message.startswith('Alias must start with the prefix "alias/".')


@pytest.mark.parametrize("name", ["alias/or ders", "alias/ordérs", "alias/orders!", "alias/a.b", "alias/a\n"])
def test_an_alias_has_letters_digits_and_few_signs(kms: KmsClient, name: str) -> None:
    kms.refused("CreateAlias", "ValidationException", AliasName=name, TargetKeyId=kms.key())


def test_an_alias_of_256_characters_is_the_longest(kms: KmsClient) -> None:
    key_id = kms.key()
    kms("CreateAlias", AliasName="alias/" + "x" * 250, TargetKeyId=key_id)
    kms.refused("CreateAlias", "ValidationException", AliasName="alias/" + "y" * 251, TargetKeyId=key_id)


def test_names_of_awss_own_are_reserved(kms: KmsClient) -> None:
    with pytest.raises(ServiceError):
        kms("CreateAlias", AliasName="alias/aws/mine", TargetKeyId=kms.key())
    assert own(kms) == {}


def test_an_alias_of_an_alias_is_refused(kms: KmsClient) -> None:
    alias = kms.alias(kms.key())
    with pytest.raises(ServiceError):
        kms("CreateAlias", AliasName="alias/second", TargetKeyId=alias)


def test_a_key_has_fifty_aliases_at_most(kms: KmsClient) -> None:
    key_id = kms.key()
    for _ in range(50):
        kms.alias(key_id)
    kms.refused("CreateAlias", "LimitExceededException", AliasName="alias/fifty-first", TargetKeyId=key_id)


def test_an_alias_can_be_repointed(kms: KmsClient) -> None:
    before, after = kms.key(), kms.key()
    alias = kms.alias(before)
    assert kms("UpdateAlias", AliasName=alias, TargetKeyId=kms.arn(after)) == {}
    assert own(kms) == {alias: after}
    assert kms.describe(alias)["KeyId"] == after


def test_an_alias_that_does_not_exist_cannot_be_repointed(kms: KmsClient) -> None:
    message = f"Alias {kms.alias_arn('alias/none')} is not found."
    kms.refused("UpdateAlias", "NotFoundException", message, AliasName="alias/none", TargetKeyId=kms.key())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"}),
        (
            {"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"},
            {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"},
        ),
        (
            {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
            {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"},
        ),
    ],
    ids=["family", "usage", "both"],
)
def test_an_alias_stays_with_its_kind_of_key(
    kms: KmsClient, before: dict[str, str], after: dict[str, str]
) -> None:
    key_id = kms.key(**before)
    alias = kms.alias(key_id)
    kms.refused("UpdateAlias", "ValidationException", AliasName=alias, TargetKeyId=kms.key(**after))
    assert own(kms) == {alias: key_id}


def test_an_alias_moves_between_specs_of_one_kind(kms: KmsClient) -> None:
    alias = kms.alias(kms.key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY"))
    after = kms.key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    kms("UpdateAlias", AliasName=alias, TargetKeyId=after)
    assert kms.describe(alias)["KeyId"] == after


def test_a_deleted_alias_is_gone_and_its_key_is_not(kms: KmsClient) -> None:
    key_id = kms.key()
    alias = kms.alias(key_id)
    assert kms("DeleteAlias", AliasName=alias) == {}
    assert own(kms) == {}
    assert kms.describe(key_id)["KeyState"] == "Enabled"


def test_an_alias_that_does_not_exist_cannot_be_deleted(kms: KmsClient) -> None:
    message = f"Alias {kms.alias_arn('alias/none')} is not found."
    kms.refused("DeleteAlias", "NotFoundException", message, AliasName="alias/none")


def test_a_fresh_region_has_awss_own_aliases(kms: KmsClient) -> None:
    names = {alias["AliasName"] for alias in kms.all("ListAliases", "Aliases")}
    assert {"alias/aws/s3", "alias/aws/ebs", "alias/aws/rds"} <= names


def test_awss_own_aliases_have_no_key_until_one_is_needed(kms: KmsClient) -> None:
    entry = next(a for a in kms.all("ListAliases", "Aliases") if a["AliasName"] == "alias/aws/s3")
    assert "TargetKeyId" not in entry
    assert kms.all("ListKeys", "Keys") == []


def test_describing_one_of_awss_own_aliases_makes_its_key(kms: KmsClient) -> None:
    metadata = kms.describe("alias/aws/s3")
    assert metadata["KeyManager"] == "AWS"
    assert metadata["KeyState"] == "Enabled"
    entry = next(a for a in kms.all("ListAliases", "Aliases") if a["AliasName"] == "alias/aws/s3")
    assert entry["TargetKeyId"] == metadata["KeyId"]


def test_an_aws_managed_key_rotates(kms: KmsClient) -> None:
    key_id = kms.describe("alias/aws/s3")["KeyId"]
    assert kms("GetKeyRotationStatus", KeyId=key_id)["KeyRotationEnabled"] is True


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("DisableKey", {}),
        ("DisableKeyRotation", {}),
        ("ScheduleKeyDeletion", {}),
        ("UpdateKeyDescription", {"Description": "mine"}),
        ("PutKeyPolicy", {"Policy": "{}"}),
        ("TagResource", {"Tags": [{"TagKey": "a", "TagValue": "b"}]}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_aws_managed_key_cannot_be_changed(
    kms: KmsClient, operation: str, params: dict[str, object]
) -> None:
    before = kms.describe("alias/aws/s3")
    with pytest.raises(ServiceError):
        kms(operation, KeyId=before["KeyId"], **params)
    assert kms.describe("alias/aws/s3") == before


def test_one_of_awss_own_aliases_cannot_be_deleted(kms: KmsClient) -> None:
    with pytest.raises(ServiceError):
        kms("DeleteAlias", AliasName="alias/aws/s3")
