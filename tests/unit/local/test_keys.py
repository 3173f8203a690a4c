"""CreateKey, DescribeKey, ListKeys, UpdateKeyDescription, EnableKey, DisableKey and deletion."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from kms_tui.backend.local import LocalBackend
from kms_tui.backend.local.keys import key_creation
from kms_tui.backend.local.store.key_material import SUPPORTED
from kms_tui.kms.keyspecs import KEY_SPECS
from tests.contract.client import KmsClient
from tests.unit.local.conftest import START, TestClock

_LEGAL = [
    (spec.name, usage) for spec in KEY_SPECS.values() for usage in spec.usages if spec.name in SUPPORTED
]


def test_a_key_without_parameters_is_a_symmetric_encryption_key(kms: KmsClient) -> None:
    metadata = kms("CreateKey")["KeyMetadata"]
    key_id = metadata["KeyId"]
    material_id = metadata.pop("CurrentKeyMaterialId")
    assert metadata == {
        "AWSAccountId": "111122223333",
        "KeyId": key_id,
        "Arn": f"arn:aws:kms:eu-west-1:111122223333:key/{key_id}",
        "CreationDate": START,
        "Enabled": True,
        "Description": "",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": "Enabled",
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": False,
    }
    assert len(material_id) == 64
    assert kms.describe(key_id) == {**metadata, "CurrentKeyMaterialId": material_id}


@pytest.mark.parametrize(("spec", "usage"), _LEGAL)
def test_every_spec_that_the_library_can_do_makes_a_key_of_each_usage(
    kms: KmsClient, spec: str, usage: str
) -> None:
    metadata = kms("CreateKey", KeySpec=spec, KeyUsage=usage)["KeyMetadata"]
    assert (metadata["KeySpec"], metadata["KeyUsage"]) == (spec, usage)
    listed = [value for name, value in metadata.items() if name.endswith("Algorithms")]
    assert len(listed) == 1
    assert listed[0]
    assert ("CurrentKeyMaterialId" in metadata) == (spec == "SYMMETRIC_DEFAULT")


def test_the_old_name_of_the_key_spec_works_alone_only(kms: KmsClient) -> None:
    metadata = kms("CreateKey", CustomerMasterKeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")[
        "KeyMetadata"
    ]
    assert metadata["KeySpec"] == "HMAC_256"
    kms.refused(
        "CreateKey",
        "ValidationException",
        "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. "
        "CustomerMasterKeySpec is deprecated.",
        KeySpec="HMAC_256",
        CustomerMasterKeySpec="HMAC_256",
        KeyUsage="GENERATE_VERIFY_MAC",
    )


def test_asymmetric_and_hmac_keys_need_a_usage(kms: KmsClient) -> None:
    kms.refused(
        "CreateKey",
        "ValidationException",
        "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
        KeySpec="RSA_2048",
    )


@pytest.mark.parametrize(
    ("spec", "usage"),
    [
        ("SYMMETRIC_DEFAULT", "SIGN_VERIFY"),
        ("RSA_2048", "KEY_AGREEMENT"),
        ("ECC_NIST_P256", "ENCRYPT_DECRYPT"),
        ("ECC_SECG_P256K1", "KEY_AGREEMENT"),
        ("ECC_NIST_EDWARDS25519", "KEY_AGREEMENT"),
        ("HMAC_256", "ENCRYPT_DECRYPT"),
        ("ML_DSA_44", "ENCAPSULATE_DECAPSULATE"),
        ("ML_KEM_768", "SIGN_VERIFY"),
    ],
)
def test_a_usage_that_does_not_fit_the_spec_is_refused(kms: KmsClient, spec: str, usage: str) -> None:
    kms.refused(
        "CreateKey",
        "ValidationException",
        f"KeyUsage {usage} is not compatible with KeySpec {spec}",
        KeySpec=spec,
        KeyUsage=usage,
    )


@pytest.mark.parametrize(
    ("spec", "usage"), [("SM2", "SIGN_VERIFY"), ("ML_KEM_512", "ENCAPSULATE_DECAPSULATE")]
)
def test_what_cannot_be_made_here_is_refused_saying_so(kms: KmsClient, spec: str, usage: str) -> None:
    refusal = kms.refused("CreateKey", "UnsupportedOperationException", KeySpec=spec, KeyUsage=usage)
    assert spec in refusal.message


def test_a_key_for_imported_material_waits_for_it(kms: KmsClient) -> None:
    metadata = kms("CreateKey", Origin="EXTERNAL")["KeyMetadata"]
    assert metadata["KeyState"] == "PendingImport"
    assert not metadata["Enabled"]
    assert not {"CurrentKeyMaterialId", "ExpirationModel", "ValidTo"} & set(metadata)


def test_a_multi_region_key_is_its_own_primary(kms: KmsClient) -> None:
    metadata = kms("CreateKey", MultiRegion=True)["KeyMetadata"]
    assert metadata["KeyId"].startswith("mrk-")
    assert len(metadata["KeyId"]) == 36
    assert metadata["MultiRegionConfiguration"] == {
        "MultiRegionKeyType": "PRIMARY",
        "PrimaryKey": {"Arn": metadata["Arn"], "Region": "eu-west-1"},
        "ReplicaKeys": [],
    }


def test_keys_are_listed_in_pages_in_the_order_of_their_ids(kms: KmsClient) -> None:
    ids = sorted(kms.key() for _ in range(7))
    pages = list(kms.pages("ListKeys", Limit=3))
    assert [len(page["Keys"]) for page in pages] == [3, 3, 1]
    listed = [key for page in pages for key in page["Keys"]]
    assert listed == [{"KeyId": key_id, "KeyArn": kms.arn(key_id)} for key_id in ids]


def test_a_page_has_a_hundred_keys_unless_told(kms: KmsClient) -> None:
    for _ in range(101):
        kms.key()
    assert [len(page["Keys"]) for page in kms.pages("ListKeys")] == [100, 1]
    assert len(kms("ListKeys", Limit=1000)["Keys"]) == 101


def test_keys_shared_by_other_accounts_are_listed_on_their_own(kms: KmsClient) -> None:
    key_id = kms.key()
    assert kms("ListKeys", ResourceOwners=["OTHER_ACCOUNTS_VIA_RAM"])["Keys"] == []
    both = kms("ListKeys", ResourceOwners=["OTHER_ACCOUNTS_VIA_RAM", "SELF"])["Keys"]
    assert [key["KeyId"] for key in both] == [key_id]


@pytest.mark.parametrize("marker", ["x", "AAAA", "bm90aGluZw==", "{}", " "])
def test_a_marker_that_no_list_gave_is_refused(kms: KmsClient, marker: str) -> None:
    kms.refused("ListKeys", "InvalidMarkerException", Marker=marker)


def test_a_marker_is_good_for_its_own_list_only(kms: KmsClient) -> None:
    for _ in range(2):
        kms.alias(kms.key())
    marker = kms("ListKeys", Limit=1)["NextMarker"]
    kms.refused("ListAliases", "InvalidMarkerException", Marker=marker)
    kms.in_region("us-east-1").refused("ListKeys", "InvalidMarkerException", Marker=marker)


def test_regions_and_accounts_do_not_see_each_others_keys(kms: KmsClient) -> None:
    key_id = kms.key()
    elsewhere = kms.in_region("us-east-1")
    assert elsewhere("ListKeys")["Keys"] == []
    elsewhere.refused(
        "DescribeKey",
        "NotFoundException",
        f"Key 'arn:aws:kms:us-east-1:111122223333:key/{key_id}' does not exist",
        KeyId=key_id,
    )
    elsewhere.refused("DescribeKey", "NotFoundException", "Invalid arn eu-west-1", KeyId=kms.arn(key_id))


@pytest.mark.parametrize("reference", ["x", "1234", "mrk-12"])
def test_what_is_no_key_id_is_an_invalid_key_id(kms: KmsClient, reference: str) -> None:
    kms.refused("DescribeKey", "NotFoundException", f"Invalid keyId '{reference}'", KeyId=reference)
    arn = kms.arn(reference)
    kms.refused("DescribeKey", "NotFoundException", f"Invalid keyId {reference}", KeyId=arn)


def test_key_ids_are_case_sensitive(kms: KmsClient) -> None:
    other = kms.key().upper()
    words = f"Key '{kms.arn(other)}' does not exist"
    kms.refused("DescribeKey", "NotFoundException", words, KeyId=other)


@pytest.mark.parametrize(
    "reference",
    [
        "arn:aws:kms",
        "arn:aws:s3:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:kms:eu-west-1:111122223333:grant/1234abcd-12ab-34cd-56ef-1234567890ab",
    ],
)
def test_an_arn_of_something_else_is_an_invalid_arn(kms: KmsClient, reference: str) -> None:
    kms.refused("DescribeKey", "InvalidArnException", KeyId=reference)


def test_an_account_has_only_so_many_keys_in_a_region(
    kms: KmsClient, client: Callable[..., KmsClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_creation, "MAX_KEYS", 3)
    kms.describe("alias/aws/s3")
    primary, gone = kms.key(MultiRegion=True), kms.key()
    kms("ScheduleKeyDeletion", KeyId=gone)
    kms.key()
    words = "Key quota for this account in this region is 3 but the current usage is 3."
    kms.refused("CreateKey", "LimitExceededException", words)
    elsewhere = client(region="us-east-1")
    for _ in range(3):
        elsewhere.key()
    kms.refused("ReplicateKey", "LimitExceededException", words, KeyId=primary, ReplicaRegion="us-east-1")
    client(account_id="444455556666").key()


def test_a_description_is_changed(kms: KmsClient) -> None:
    key_id = kms.key(Description="before")
    assert kms("UpdateKeyDescription", KeyId=key_id, Description="after") == {}
    assert kms.describe(key_id)["Description"] == "after"


def test_keys_are_switched_off_and_on_as_often_as_one_likes(kms: KmsClient) -> None:
    key_id = kms.key()
    for operation, state in (
        ("DisableKey", "Disabled"),
        ("DisableKey", "Disabled"),
        ("EnableKey", "Enabled"),
        ("EnableKey", "Enabled"),
    ):
        kms(operation, KeyId=key_id)
        metadata = kms.describe(key_id)
        assert (metadata["KeyState"], metadata["Enabled"]) == (state, state == "Enabled")


def test_deletion_waits_for_its_window(kms: KmsClient, clock: TestClock) -> None:
    key_id = kms.key()
    alias = kms.alias(key_id)
    answer = kms("ScheduleKeyDeletion", KeyId=key_id, PendingWindowInDays=7)
    gone = START + timedelta(days=7)
    assert answer == {
        "KeyId": kms.arn(key_id),
        "KeyState": "PendingDeletion",
        "DeletionDate": gone,
        "PendingWindowInDays": 7,
    }
    metadata = kms.describe(key_id)
    assert (metadata["KeyState"], metadata["Enabled"]) == ("PendingDeletion", False)
    assert metadata["DeletionDate"] == gone
    clock.advance(days=7, milliseconds=-1)
    assert kms.describe(alias)["KeyState"] == "PendingDeletion"
    clock.advance(milliseconds=1)
    kms.refused("DescribeKey", "NotFoundException", KeyId=key_id)
    kms.refused(
        "DescribeKey", "NotFoundException", f"Alias {kms.alias_arn(alias)} is not found.", KeyId=alias
    )
    assert kms("ListKeys")["Keys"] == []


def test_a_window_is_thirty_days_unless_told(kms: KmsClient) -> None:
    answer = kms("ScheduleKeyDeletion", KeyId=kms.key())
    assert answer["PendingWindowInDays"] == 30
    assert answer["DeletionDate"] == START + timedelta(days=30)


@pytest.mark.parametrize("days", [1, 6, 31, 365])
def test_a_window_outside_of_7_to_30_days_is_refused(kms: KmsClient, days: int) -> None:
    key_id = kms.key()
    kms.refused("ScheduleKeyDeletion", "ValidationException", KeyId=key_id, PendingWindowInDays=days)
    assert kms.describe(key_id)["KeyState"] == "Enabled"


def test_a_cancelled_deletion_leaves_the_key_disabled(kms: KmsClient, clock: TestClock) -> None:
    key_id = kms.key()
    kms("ScheduleKeyDeletion", KeyId=key_id)
    assert kms("CancelKeyDeletion", KeyId=key_id) == {"KeyId": kms.arn(key_id)}
    metadata = kms.describe(key_id)
    assert metadata["KeyState"] == "Disabled"
    assert "DeletionDate" not in metadata
    clock.advance(days=31)
    kms("EnableKey", KeyId=key_id)
    assert kms.describe(key_id)["Enabled"]


def test_a_cancelled_deletion_of_a_key_without_material_still_waits_for_it(kms: KmsClient) -> None:
    key_id = kms.key(Origin="EXTERNAL")
    kms("ScheduleKeyDeletion", KeyId=key_id)
    kms("CancelKeyDeletion", KeyId=key_id)
    assert kms.describe(key_id)["KeyState"] == "PendingImport"


def test_the_caller_is_the_administrator_unless_told(backend: LocalBackend) -> None:
    caller = backend.caller()
    assert caller.account == "111122223333"
    assert caller.arn == "arn:aws:iam::111122223333:user/administrator"


def test_an_operation_that_kms_does_not_have_is_unknown(kms: KmsClient, backend: LocalBackend) -> None:
    from kms_tui.kms.errors import ServiceError

    with pytest.raises(ServiceError) as caught:
        backend.call("FrobnicateKey", {})
    assert caught.value.code == "UnknownOperationException"
