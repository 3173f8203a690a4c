"""CreateKey, DescribeKey, ListKeys, UpdateKeyDescription, and how keys are named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kms_tui.kms.arn import is_key_id
from tests.contract.client import KmsClient
from tests.contract.specs import ALGORITHM_MEMBERS, ILLEGAL, LEGAL

OF_EACH_FAMILY = [
    ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
    ("RSA_2048", "SIGN_VERIFY"),
    ("ECC_NIST_P256", "KEY_AGREEMENT"),
    ("HMAC_256", "GENERATE_VERIFY_MAC"),
    ("ML_DSA_44", "SIGN_VERIFY"),
    ("ML_KEM_768", "ENCAPSULATE_DECAPSULATE"),
]
NOBODY = "11111111-2222-4333-8444-555555555555"


def test_a_new_key_is_an_enabled_symmetric_customer_key(kms: KmsClient) -> None:
    metadata = kms("CreateKey")["KeyMetadata"]
    assert is_key_id(metadata["KeyId"])
    assert metadata["Arn"] == kms.arn(metadata["KeyId"])
    assert metadata["AWSAccountId"] == kms.backend.account_id
    assert metadata["KeyManager"] == "CUSTOMER"
    assert metadata["KeyState"] == "Enabled"
    assert metadata["Enabled"] is True
    assert metadata["Origin"] == "AWS_KMS"
    assert metadata["Description"] == ""
    assert "DeletionDate" not in metadata


def test_a_new_key_tells_its_spec_and_usage(kms: KmsClient) -> None:
    metadata = kms("CreateKey")["KeyMetadata"]
    assert metadata["KeySpec"] == metadata["CustomerMasterKeySpec"] == "SYMMETRIC_DEFAULT"
    assert metadata["KeyUsage"] == "ENCRYPT_DECRYPT"


def test_a_new_key_is_of_one_region(kms: KmsClient) -> None:
    metadata = kms("CreateKey")["KeyMetadata"]
    assert metadata["MultiRegion"] is False
    assert "MultiRegionConfiguration" not in metadata


def test_a_new_key_was_made_just_now(kms: KmsClient) -> None:
    created = kms("CreateKey")["KeyMetadata"]["CreationDate"]
    assert abs(datetime.now(UTC) - created) < timedelta(minutes=1)


def test_a_symmetric_key_names_its_current_material(kms: KmsClient) -> None:
    material = kms("CreateKey")["KeyMetadata"]["CurrentKeyMaterialId"]
    assert len(material) == 64
    assert int(material, 16) >= 0


@pytest.mark.parametrize(("spec", "usage"), LEGAL, ids=map("-".join, LEGAL))
def test_a_legal_spec_and_usage_makes_a_key_with_its_algorithms(
    kms: KmsClient, spec: str, usage: str
) -> None:
    metadata = kms("CreateKey", KeySpec=spec, KeyUsage=usage)["KeyMetadata"]
    assert (metadata["KeySpec"], metadata["KeyUsage"]) == (spec, usage)
    member, algorithms = LEGAL[spec, usage]
    assert metadata[member] == algorithms
    assert not [other for other in ALGORITHM_MEMBERS - {member} if other in metadata]


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P256", "HMAC_256"])
def test_the_spec_is_told_under_its_old_name_too(kms: KmsClient, spec: str) -> None:
    usage = next(usage for legal, usage in LEGAL if legal == spec)
    metadata = kms("CreateKey", KeySpec=spec, KeyUsage=usage)["KeyMetadata"]
    assert metadata["CustomerMasterKeySpec"] == spec


@pytest.mark.parametrize(("spec", "usage"), OF_EACH_FAMILY, ids=map("-".join, OF_EACH_FAMILY))
def test_only_symmetric_keys_name_their_material(kms: KmsClient, spec: str, usage: str) -> None:
    metadata = kms("CreateKey", KeySpec=spec, KeyUsage=usage)["KeyMetadata"]
    assert ("CurrentKeyMaterialId" in metadata) is (spec == "SYMMETRIC_DEFAULT")


@pytest.mark.parametrize(("spec", "usage"), ILLEGAL, ids=map("-".join, ILLEGAL))
def test_a_usage_that_the_spec_cannot_have_is_refused(kms: KmsClient, spec: str, usage: str) -> None:
    kms.refused(
        "CreateKey",
        "ValidationException",
        f"KeyUsage {usage} is not compatible with KeySpec {spec}",
        KeySpec=spec,
        KeyUsage=usage,
    )


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P256", "HMAC_256", "ML_DSA_44"])
def test_every_spec_but_the_symmetric_needs_a_usage(kms: KmsClient, spec: str) -> None:
    kms.refused(
        "CreateKey",
        "ValidationException",
        "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
        KeySpec=spec,
    )


def test_the_old_name_of_the_spec_is_understood(kms: KmsClient) -> None:
    metadata = kms("CreateKey", CustomerMasterKeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")[
        "KeyMetadata"
    ]
    assert metadata["KeySpec"] == "HMAC_256"


@pytest.mark.parametrize(
    ("member", "value", "name"),
    [("KeySpec", "AES_256", "keySpec"), ("KeyUsage", "ANYTHING", "keyUsage"), ("Origin", "HOME", "origin")],
)
def test_a_value_outside_its_enum_is_refused_with_the_values_there_are(
    kms: KmsClient, member: str, value: str, name: str
) -> None:
    error = kms.refused("CreateKey", "ValidationException", **{member: value})
    assert error.message.startswith(
        f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: "
        "Member must satisfy enum value set: ["
    )


def test_a_description_is_kept(kms: KmsClient) -> None:
    text = "Orders, [/b] and \x1b[31m ✓"
    assert kms.describe(kms.key(Description=text))["Description"] == text


def test_a_description_of_8192_characters_is_the_longest(kms: KmsClient) -> None:
    key_id = kms.key(Description="x" * 8192)
    kms.refused("UpdateKeyDescription", "ValidationException", KeyId=key_id, Description="x" * 8193)
    kms.refused("CreateKey", "ValidationException", Description="x" * 8193)


@pytest.mark.parametrize("by", ["id", "arn"])
def test_a_description_can_be_changed(kms: KmsClient, by: str) -> None:
    key_id = kms.key(Description="before")
    reference = key_id if by == "id" else kms.arn(key_id)
    assert kms("UpdateKeyDescription", KeyId=reference, Description="after") == {}
    assert kms.describe(key_id)["Description"] == "after"


def test_a_description_can_be_emptied(kms: KmsClient) -> None:
    key_id = kms.key(Description="before")
    kms("UpdateKeyDescription", KeyId=key_id, Description="")
    assert kms.describe(key_id)["Description"] == ""


def test_a_key_can_be_named_in_four_ways(kms: KmsClient) -> None:
    key_id = kms.key()
    alias = kms.alias(key_id)
    for reference in (key_id, kms.arn(key_id), alias, kms.alias_arn(alias)):
        assert kms.describe(reference)["KeyId"] == key_id


def test_the_description_of_a_key_is_that_of_its_creation(kms: KmsClient) -> None:
    created = kms("CreateKey", Description="x")["KeyMetadata"]
    assert kms.describe(created["KeyId"]) == created


def test_a_key_id_that_names_no_key_is_not_found(kms: KmsClient) -> None:
    message = f"Key '{kms.arn(NOBODY)}' does not exist"
    kms.refused("DescribeKey", "NotFoundException", message, KeyId=NOBODY)


def test_an_arn_that_names_no_key_is_not_found(kms: KmsClient) -> None:
    message = f"Key '{kms.arn(NOBODY)}' does not exist"
    kms.refused("DescribeKey", "NotFoundException", message, KeyId=kms.arn(NOBODY))


@pytest.mark.parametrize("text", ["x", "orders-db", "mrk-1", "11111111222243338444555555555555"])
def test_a_text_that_is_no_key_id_is_not_found(kms: KmsClient, text: str) -> None:
    kms.refused("DescribeKey", "NotFoundException", f"Invalid keyId '{text}'", KeyId=text)


def test_an_arn_of_another_region_is_not_found(kms: KmsClient) -> None:
    elsewhere = kms.arn(kms.key()).replace(kms.backend.region, "us-west-2")
    kms.refused("DescribeKey", "NotFoundException", "Invalid arn us-west-2", KeyId=elsewhere)


def test_an_alias_that_does_not_exist_is_not_found(kms: KmsClient) -> None:
    message = f"Alias {kms.alias_arn('alias/none')} is not found."
    kms.refused("DescribeKey", "NotFoundException", message, KeyId="alias/none")


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("CreateAlias", {"AliasName": "alias/x", "TargetKeyId": NOBODY}),
        ("DisableKey", {"KeyId": NOBODY}),
        ("DisableKeyRotation", {"KeyId": NOBODY}),
        ("EnableKey", {"KeyId": NOBODY}),
        ("EnableKeyRotation", {"KeyId": NOBODY}),
        ("Encrypt", {"KeyId": NOBODY, "Plaintext": b"x"}),
        ("GetKeyPolicy", {"KeyId": NOBODY, "PolicyName": "default"}),
        ("GetKeyRotationStatus", {"KeyId": NOBODY}),
        ("ListAliases", {"KeyId": NOBODY}),
        ("ListKeyPolicies", {"KeyId": NOBODY}),
        ("ListKeyRotations", {"KeyId": NOBODY}),
        ("ListResourceTags", {"KeyId": NOBODY}),
        ("RotateKeyOnDemand", {"KeyId": NOBODY}),
        ("ScheduleKeyDeletion", {"KeyId": NOBODY}),
        ("TagResource", {"KeyId": NOBODY, "Tags": [{"TagKey": "a", "TagValue": "b"}]}),
        ("UntagResource", {"KeyId": NOBODY, "TagKeys": ["a"]}),
        ("UpdateKeyDescription", {"KeyId": NOBODY, "Description": ""}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_operation_on_a_key_needs_one_that_exists(
    kms: KmsClient, operation: str, params: dict[str, object]
) -> None:
    kms.refused(operation, "NotFoundException", f"Key '{kms.arn(NOBODY)}' does not exist", **params)


@pytest.mark.parametrize("operation", ["GetKeyPolicy", "EnableKeyRotation", "DisableKey", "ListResourceTags"])
def test_operations_on_the_key_itself_take_no_alias(kms: KmsClient, operation: str) -> None:
    alias = kms.alias(kms.key())
    kms.refused(operation, "InvalidArnException", KeyId=alias)


def test_keys_are_listed_with_their_arns(kms: KmsClient) -> None:
    made = {kms.key() for _ in range(3)}
    listed = kms.all("ListKeys", "Keys")
    assert made <= {key["KeyId"] for key in listed}
    assert all(key["KeyArn"] == kms.arn(key["KeyId"]) for key in listed)


def test_regions_hold_different_keys(kms: KmsClient) -> None:
    other = kms.in_region("us-west-2")
    key_id = kms.key()
    assert key_id not in {key["KeyId"] for key in other.all("ListKeys", "Keys")}
    other.refused("DescribeKey", "NotFoundException", KeyId=key_id)


def test_who_is_calling_is_of_the_account(kms: KmsClient) -> None:
    assert kms.backend.caller().account == kms.backend.account_id
    assert f"::{kms.backend.account_id}:" in kms.backend.caller().arn
