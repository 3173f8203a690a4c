"""Custom key stores as a state machine: create, connect, use, disconnect, update, delete."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.client import KmsClient

EXTERNAL: dict[str, Any] = {
    "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
    "XksProxyUriEndpoint": "https://proxy.example.com",
    "XksProxyUriPath": "/contract/kms/xks/v1",
    "XksProxyConnectivity": "PUBLIC_ENDPOINT",
    "XksProxyAuthenticationCredential": {
        "AccessKeyId": "ABCDE23456723EXAMPLE",
        "RawSecretAccessKey": "DXjSUawnel2fr6SKC7G25CNxTyWKE5PF9XX6H/u9pSo=",
    },
}
CLOUD_HSM: dict[str, Any] = {
    "CustomKeyStoreType": "AWS_CLOUDHSM",
    "CloudHsmClusterId": "cluster-2a23b4cdefg",
    "KeyStorePassword": "kmsPswd123",
    "TrustAnchorCertificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
}
KINDS = {"external": EXTERNAL, "CloudHSM": CLOUD_HSM}
NOBODY = "cks-1234567890abcdef0"


def store(kms: KmsClient, kind: str = "external", name: str = "contract") -> str:
    made = kms("CreateCustomKeyStore", CustomKeyStoreName=name, **KINDS[kind])
    return str(made["CustomKeyStoreId"])


def connected(kms: KmsClient, kind: str = "external") -> str:
    store_id = store(kms, kind)
    kms("ConnectCustomKeyStore", CustomKeyStoreId=store_id)
    return store_id


def entry(kms: KmsClient, store_id: str) -> Any:
    (found,) = kms("DescribeCustomKeyStores", CustomKeyStoreId=store_id)["CustomKeyStores"]
    return found


def key_in(kms: KmsClient, store_id: str, kind: str = "external") -> str:
    origin = {"external": {"Origin": "EXTERNAL_KEY_STORE", "XksKeyId": "bb8562717f809024"}}.get(
        kind, {"Origin": "AWS_CLOUDHSM"}
    )
    return kms.key(CustomKeyStoreId=store_id, **origin)


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_store_is_disconnected(kms: KmsClient, kind: str) -> None:
    store_id = store(kms, kind)
    assert store_id.startswith("cks-")
    found = entry(kms, store_id)
    assert found["CustomKeyStoreName"] == "contract"
    assert found["CustomKeyStoreType"] == KINDS[kind]["CustomKeyStoreType"]
    assert found["ConnectionState"] == "DISCONNECTED"


def test_a_store_is_found_by_its_name(kms: KmsClient) -> None:
    store_id = store(kms)
    store(kms, "CloudHSM", "other")
    (found,) = kms("DescribeCustomKeyStores", CustomKeyStoreName="contract")["CustomKeyStores"]
    assert found["CustomKeyStoreId"] == store_id
    assert len(kms.all("DescribeCustomKeyStores", "CustomKeyStores")) == 2


def test_no_secret_of_a_store_is_shown(kms: KmsClient) -> None:
    found = entry(kms, store(kms))
    assert "RawSecretAccessKey" not in repr(found)
    assert EXTERNAL["XksProxyAuthenticationCredential"]["RawSecretAccessKey"] not in repr(found)


def test_a_stores_name_is_taken_once(kms: KmsClient) -> None:
    store(kms)
    kms.refused(
        "CreateCustomKeyStore", "CustomKeyStoreNameInUseException", CustomKeyStoreName="contract", **CLOUD_HSM
    )


@pytest.mark.parametrize("missing", ["XksProxyUriEndpoint", "XksProxyAuthenticationCredential"])
def test_an_external_store_needs_its_proxy(kms: KmsClient, missing: str) -> None:
    given = {member: value for member, value in EXTERNAL.items() if member != missing}
    kms.refused("CreateCustomKeyStore", "ValidationException", CustomKeyStoreName="contract", **given)


@pytest.mark.parametrize(
    "operation",
    ["ConnectCustomKeyStore", "DisconnectCustomKeyStore", "DeleteCustomKeyStore", "UpdateCustomKeyStore"],
)
def test_a_store_that_does_not_exist_is_not_found(kms: KmsClient, operation: str) -> None:
    kms.refused(operation, "CustomKeyStoreNotFoundException", CustomKeyStoreId=NOBODY)


@pytest.mark.parametrize("kind", KINDS)
def test_a_connected_store_holds_keys(kms: KmsClient, kind: str) -> None:
    store_id = connected(kms, kind)
    assert entry(kms, store_id)["ConnectionState"] == "CONNECTED"
    key_id = key_in(kms, store_id, kind)
    metadata = kms.describe(key_id)
    assert metadata["CustomKeyStoreId"] == store_id
    assert metadata["KeyState"] == "Enabled"
    blob = kms("Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    assert kms("Decrypt", CiphertextBlob=blob)["Plaintext"] == b"x"


def test_a_disconnected_store_takes_no_keys(kms: KmsClient) -> None:
    kms.refused(
        "CreateKey",
        "CustomKeyStoreInvalidStateException",
        CustomKeyStoreId=store(kms),
        Origin="EXTERNAL_KEY_STORE",
        XksKeyId="bb8562717f809024",
    )


def test_a_key_of_a_disconnected_store_is_unavailable(kms: KmsClient) -> None:
    store_id = connected(kms)
    key_id = key_in(kms, store_id)
    kms("DisconnectCustomKeyStore", CustomKeyStoreId=store_id)
    assert entry(kms, store_id)["ConnectionState"] == "DISCONNECTED"
    assert kms.describe(key_id)["KeyState"] == "Unavailable"
    message = f"{kms.arn(key_id)} is unavailable."
    kms.refused("Encrypt", "KMSInvalidStateException", message, KeyId=key_id, Plaintext=b"x")
    kms("ConnectCustomKeyStore", CustomKeyStoreId=store_id)
    assert kms.describe(key_id)["KeyState"] == "Enabled"


@pytest.mark.parametrize("operation", ["GetKeyRotationStatus", "EnableKeyRotation", "RotateKeyOnDemand"])
def test_a_key_of_a_store_does_not_rotate(kms: KmsClient, operation: str) -> None:
    kms.refused(operation, "UnsupportedOperationException", KeyId=key_in(kms, connected(kms)))


def test_a_store_can_be_renamed(kms: KmsClient) -> None:
    store_id = store(kms)
    kms("UpdateCustomKeyStore", CustomKeyStoreId=store_id, NewCustomKeyStoreName="renamed")
    assert entry(kms, store_id)["CustomKeyStoreName"] == "renamed"


def test_a_connected_store_is_not_deleted(kms: KmsClient) -> None:
    kms.refused(
        "DeleteCustomKeyStore", "CustomKeyStoreInvalidStateException", CustomKeyStoreId=connected(kms)
    )


def test_a_store_with_keys_is_not_deleted(kms: KmsClient) -> None:
    store_id = connected(kms)
    key_in(kms, store_id)
    kms("DisconnectCustomKeyStore", CustomKeyStoreId=store_id)
    kms.refused("DeleteCustomKeyStore", "CustomKeyStoreHasCMKsException", CustomKeyStoreId=store_id)


def test_an_empty_disconnected_store_is_deleted(kms: KmsClient) -> None:
    store_id = store(kms)
    assert kms("DeleteCustomKeyStore", CustomKeyStoreId=store_id) == {}
    assert kms.all("DescribeCustomKeyStores", "CustomKeyStores") == []


def test_stores_are_paged(kms: KmsClient) -> None:
    made = [store(kms, "external", "first"), store(kms, "CloudHSM", "second")]
    pages = list(kms.pages("DescribeCustomKeyStores", Limit=1))
    assert sorted(entry["CustomKeyStoreId"] for page in pages for entry in page["CustomKeyStores"]) == sorted(
        made
    )
