"""Custom key stores: what each kind takes, what no two share, and what their keys can do when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kms_tui.backend.local import Store
from tests.contract.client import KmsClient
from tests.unit.local.conftest import START, TestClock

_PASSWORD, _SECRET = "kmsPswd123", "DXjSUawnel2fr6SKC7G25CNxTyWKE5PF9XX6H/u9pSo="
_CLOUD_HSM: dict[str, Any] = {
    "CustomKeyStoreName": "hsm",
    "CloudHsmClusterId": "cluster-2a23b4cdefg",
    "KeyStorePassword": _PASSWORD,
    "TrustAnchorCertificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
}
_EXTERNAL: dict[str, Any] = {
    "CustomKeyStoreName": "xks",
    "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
    "XksProxyUriEndpoint": "https://proxy.example.com",
    "XksProxyUriPath": "/a/kms/xks/v1",
    "XksProxyConnectivity": "PUBLIC_ENDPOINT",
    "XksProxyAuthenticationCredential": {
        "AccessKeyId": "ABCDE23456723EXAMPLE",
        "RawSecretAccessKey": _SECRET,
    },
}
_CREDENTIAL = {"XksProxyAuthenticationCredential": _EXTERNAL["XksProxyAuthenticationCredential"]}
_SERVICE = "com.amazonaws.vpce.eu-west-1.vpce-svc-0123456789abcdef0"
_BY_SERVICE = {
    **_EXTERNAL,
    "CustomKeyStoreName": "vpc",
    "XksProxyUriEndpoint": "https://private.example.com",
    "XksProxyConnectivity": "VPC_ENDPOINT_SERVICE",
    "XksProxyVpcEndpointServiceName": _SERVICE,
}
_XKS = {"Origin": "EXTERNAL_KEY_STORE", "XksKeyId": "bb8562717f809024"}


def _create(kms: KmsClient, settings: dict[str, Any], **changes: Any) -> str:
    return str(kms("CreateCustomKeyStore", **{**settings, **changes})["CustomKeyStoreId"])


def _connected(kms: KmsClient, settings: dict[str, Any]) -> str:
    store_id = _create(kms, settings)
    kms("ConnectCustomKeyStore", CustomKeyStoreId=store_id)
    return store_id


def _entry(kms: KmsClient, store_id: str) -> Any:
    (entry,) = kms("DescribeCustomKeyStores", CustomKeyStoreId=store_id)["CustomKeyStores"]
    return entry


def test_a_cloud_hsm_store_is_described_by_its_cluster(kms: KmsClient, clock: TestClock) -> None:
    store_id = _create(kms, _CLOUD_HSM)
    assert _entry(kms, store_id) == {
        "CustomKeyStoreId": store_id,
        "CustomKeyStoreName": "hsm",
        "CustomKeyStoreType": "AWS_CLOUDHSM",
        "ConnectionState": "DISCONNECTED",
        "CreationDate": START,
        "CloudHsmClusterId": _CLOUD_HSM["CloudHsmClusterId"],
        "TrustAnchorCertificate": _CLOUD_HSM["TrustAnchorCertificate"],
    }
    assert len(store_id) == len("cks-1234567890abcdef0")


def test_an_external_store_is_described_by_its_proxy(kms: KmsClient) -> None:
    entry = _entry(kms, _create(kms, _BY_SERVICE))
    assert entry["XksProxyConfiguration"] == {
        "Connectivity": "VPC_ENDPOINT_SERVICE",
        "AccessKeyId": "ABCDE23456723EXAMPLE",
        "UriEndpoint": "https://private.example.com",
        "UriPath": "/a/kms/xks/v1",
        "VpcEndpointServiceName": _SERVICE,
    }
    assert "CloudHsmClusterId" not in entry


def test_passwords_and_secrets_are_not_kept(kms: KmsClient, store: Store) -> None:
    first, second = _create(kms, _CLOUD_HSM), _create(kms, _EXTERNAL)
    kms("UpdateCustomKeyStore", CustomKeyStoreId=first, KeyStorePassword=_PASSWORD + "2")
    credential = _EXTERNAL["XksProxyAuthenticationCredential"]
    kms("UpdateCustomKeyStore", CustomKeyStoreId=second, XksProxyAuthenticationCredential=credential)
    rows = store.rows("SELECT * FROM custom_key_stores") + store.rows("SELECT * FROM events")
    assert _PASSWORD not in repr(rows)
    assert _SECRET not in repr(rows)


@pytest.mark.parametrize("settings", [_CLOUD_HSM, _EXTERNAL], ids=["hsm", "xks"])
def test_every_member_of_its_kind_is_required(kms: KmsClient, settings: dict[str, Any]) -> None:
    for name in set(settings) - {"CustomKeyStoreName", "CustomKeyStoreType"}:
        given = {member: value for member, value in settings.items() if member != name}
        refusal = kms.refused("CreateCustomKeyStore", "ValidationException", **given)
        assert refusal.message.startswith(f"{name} is required")


@pytest.mark.parametrize(
    ("settings", "changes"),
    [
        (_CLOUD_HSM, {"XksProxyUriPath": "/a/kms/xks/v1"}),
        (_EXTERNAL, {"CloudHsmClusterId": "cluster-2a23b4cdefg"}),
        (_EXTERNAL, {"XksProxyConnectivity": "VPC_ENDPOINT_SERVICE"}),
        (_EXTERNAL, {"XksProxyVpcEndpointServiceName": _SERVICE}),
    ],
)
def test_members_of_another_kind_are_refused(
    kms: KmsClient, settings: dict[str, Any], changes: dict[str, str]
) -> None:
    kms.refused("CreateCustomKeyStore", "ValidationException", **{**settings, **changes})


@pytest.mark.parametrize(
    ("settings", "changes", "code"),
    [
        (_CLOUD_HSM, {}, "CustomKeyStoreNameInUseException"),
        (_CLOUD_HSM, {"CustomKeyStoreName": "n"}, "CloudHsmClusterInUseException"),
        (_EXTERNAL, {"CustomKeyStoreName": "n"}, "XksProxyUriInUseException"),
        (_BY_SERVICE, {"CustomKeyStoreName": "n"}, "XksProxyVpcEndpointServiceInUseException"),
        (
            _EXTERNAL,
            {
                "CustomKeyStoreName": "n",
                "XksProxyUriEndpoint": "https://private.example.com",
                "XksProxyUriPath": "/b/kms/xks/v1",
            },
            "XksProxyUriEndpointInUseException",
        ),
    ],
)
def test_what_one_store_has_no_other_takes(
    kms: KmsClient, settings: dict[str, Any], changes: dict[str, str], code: str
) -> None:
    for taken in (_CLOUD_HSM, _EXTERNAL, _BY_SERVICE):
        _create(kms, taken)
    kms.refused("CreateCustomKeyStore", code, **{**settings, **changes})
    assert _create(kms.in_region("us-east-1"), settings)


def test_public_endpoints_are_shared_by_path(kms: KmsClient) -> None:
    _create(kms, _EXTERNAL)
    assert _create(kms, _EXTERNAL, CustomKeyStoreName="n", XksProxyUriPath="/b/kms/xks/v1")


def test_a_region_has_ten_stores_at_most(kms: KmsClient) -> None:
    for number in range(10):
        _create(kms, _EXTERNAL, CustomKeyStoreName=f"n{number}", XksProxyUriPath=f"/{number}/kms/xks/v1")
    kms.refused("CreateCustomKeyStore", "LimitExceededException", **_CLOUD_HSM)
    pages = list(kms.pages("DescribeCustomKeyStores", Limit=4))
    assert [len(page["CustomKeyStores"]) for page in pages] == [4, 4, 2]
    names = [entry["CustomKeyStoreName"] for page in pages for entry in page["CustomKeyStores"]]
    assert names == [f"n{number}" for number in range(10)]


def test_stores_are_described_by_id_or_name_or_all(kms: KmsClient) -> None:
    assert kms("DescribeCustomKeyStores") == {"CustomKeyStores": [], "Truncated": False}
    store_id = _create(kms, _CLOUD_HSM)
    by_name = kms("DescribeCustomKeyStores", CustomKeyStoreName="hsm")["CustomKeyStores"]
    assert by_name == [_entry(kms, store_id)]
    for unknown in ({"CustomKeyStoreId": "cks-0"}, {"CustomKeyStoreName": "x"}):
        kms.refused("DescribeCustomKeyStores", "CustomKeyStoreNotFoundException", **unknown)
    kms.refused(
        "DescribeCustomKeyStores", "ValidationException", CustomKeyStoreId=store_id, CustomKeyStoreName="hsm"
    )
    kms.in_region("us-east-1").refused(
        "DescribeCustomKeyStores", "CustomKeyStoreNotFoundException", CustomKeyStoreId=store_id
    )


def test_a_store_is_connected_and_disconnected(kms: KmsClient) -> None:
    store_id = _create(kms, _CLOUD_HSM)
    kms.refused("DisconnectCustomKeyStore", "CustomKeyStoreInvalidStateException", CustomKeyStoreId=store_id)
    for _ in range(2):
        assert kms("ConnectCustomKeyStore", CustomKeyStoreId=store_id) == {}
        assert _entry(kms, store_id)["ConnectionState"] == "CONNECTED"
    assert kms("DisconnectCustomKeyStore", CustomKeyStoreId=store_id) == {}
    assert _entry(kms, store_id)["ConnectionState"] == "DISCONNECTED"


def test_a_cloud_hsm_key_says_where_it_is(kms: KmsClient) -> None:
    store_id = _connected(kms, _CLOUD_HSM)
    metadata = kms.describe(kms.key(CustomKeyStoreId=store_id, Origin="AWS_CLOUDHSM"))
    assert metadata["CustomKeyStoreId"] == store_id
    assert metadata["CloudHsmClusterId"] == _CLOUD_HSM["CloudHsmClusterId"]
    assert metadata["Origin"] == "AWS_CLOUDHSM"
    assert not {"XksKeyConfiguration", "CurrentKeyMaterialId"} & set(metadata)


def test_an_external_key_names_the_key_outside(kms: KmsClient) -> None:
    store_id = _connected(kms, _EXTERNAL)
    metadata = kms.describe(kms.key(CustomKeyStoreId=store_id, **_XKS))
    assert metadata["XksKeyConfiguration"] == {"Id": _XKS["XksKeyId"]}
    assert "CloudHsmClusterId" not in metadata
    kms.refused("CreateKey", "XksKeyAlreadyInUseException", CustomKeyStoreId=store_id, **_XKS)
    assert kms.key(CustomKeyStoreId=store_id, **{**_XKS, "XksKeyId": "another"})


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"Origin": "AWS_CLOUDHSM", "KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
         "UnsupportedOperationException"),
        ({"Origin": "AWS_CLOUDHSM", "MultiRegion": True}, "UnsupportedOperationException"),
        ({"Origin": "AWS_CLOUDHSM", "XksKeyId": "x"}, "ValidationException"),
        ({"Origin": "EXTERNAL_KEY_STORE", "XksKeyId": "x"}, "ValidationException"),
        ({"Origin": "EXTERNAL_KEY_STORE"}, "ValidationException"),
        ({"Origin": "AWS_KMS"}, "ValidationException"),
        ({"Origin": "EXTERNAL"}, "ValidationException"),
        ({}, "ValidationException"),
        ({"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": None}, "ValidationException"),
        ({"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": "cks-0"}, "CustomKeyStoreNotFoundException"),
    ],
)  # fmt: skip
def test_a_key_that_the_store_cannot_hold_is_refused(
    kms: KmsClient, params: dict[str, Any], code: str
) -> None:
    store_id = _connected(kms, _CLOUD_HSM)
    kms.refused("CreateKey", code, **{"CustomKeyStoreId": store_id, **params})
    assert kms("ListKeys")["Keys"] == []


def test_keys_follow_the_connection_of_their_store(kms: KmsClient) -> None:
    store_id, other = _connected(kms, _CLOUD_HSM), _connected(kms, _EXTERNAL)
    key_id = kms.key(CustomKeyStoreId=store_id, Origin="AWS_CLOUDHSM")
    elsewhere = kms.key(CustomKeyStoreId=other, **_XKS)
    sealed = kms("Encrypt", KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    kms("DisconnectCustomKeyStore", CustomKeyStoreId=store_id)
    metadata = kms.describe(key_id)
    assert (metadata["KeyState"], metadata["Enabled"]) == ("Unavailable", False)
    assert kms.describe(elsewhere)["KeyState"] == "Enabled"
    words = f"{kms.arn(key_id)} is unavailable."
    kms.refused("Decrypt", "KMSInvalidStateException", words, CiphertextBlob=sealed)
    kms.refused(
        "CreateKey", "CustomKeyStoreInvalidStateException", CustomKeyStoreId=store_id, Origin="AWS_CLOUDHSM"
    )
    kms("DisableKey", KeyId=key_id)
    assert kms.describe(key_id)["KeyState"] == "Unavailable"
    kms("ConnectCustomKeyStore", CustomKeyStoreId=store_id)
    assert kms.describe(key_id)["KeyState"] == "Disabled"
    kms("EnableKey", KeyId=key_id)
    assert kms("Decrypt", CiphertextBlob=sealed)["Plaintext"] == b"x"


def test_keys_of_a_store_make_data_keys_but_no_pairs(kms: KmsClient) -> None:
    key_id = kms.key(CustomKeyStoreId=_connected(kms, _CLOUD_HSM), Origin="AWS_CLOUDHSM")
    assert kms("GenerateDataKey", KeyId=key_id, KeySpec="AES_256")["KeyId"] == kms.arn(key_id)
    words = f"{kms.arn(key_id)} origin is AWS_CLOUDHSM which is not valid for this operation."
    pair = "GenerateDataKeyPair"
    kms.refused(pair, "UnsupportedOperationException", words, KeyId=key_id, KeyPairSpec="ECC_NIST_P256")


def test_a_deletion_goes_on_while_the_store_is_disconnected(kms: KmsClient, clock: TestClock) -> None:
    store_id = _connected(kms, _CLOUD_HSM)
    key_id = kms.key(CustomKeyStoreId=store_id, Origin="AWS_CLOUDHSM")
    kms("ScheduleKeyDeletion", KeyId=key_id, PendingWindowInDays=7)
    kms("DisconnectCustomKeyStore", CustomKeyStoreId=store_id)
    assert kms.describe(key_id)["KeyState"] == "PendingDeletion"
    kms.refused("DeleteCustomKeyStore", "CustomKeyStoreHasCMKsException", CustomKeyStoreId=store_id)
    clock.advance(days=7)
    kms("DeleteCustomKeyStore", CustomKeyStoreId=store_id)
    kms.refused("DescribeCustomKeyStores", "CustomKeyStoreNotFoundException", CustomKeyStoreId=store_id)


@pytest.mark.parametrize(
    "operation", ["EnableKeyRotation", "GetKeyRotationStatus", "RotateKeyOnDemand", "ListKeyRotations"]
)
def test_keys_of_a_store_do_not_rotate_here(kms: KmsClient, operation: str) -> None:
    key_id = kms.key(CustomKeyStoreId=_connected(kms, _CLOUD_HSM), Origin="AWS_CLOUDHSM")
    kms.refused(
        operation,
        "UnsupportedOperationException",
        f"{kms.arn(key_id)} origin is AWS_CLOUDHSM which is not valid for this operation.",
        KeyId=key_id,
    )


@pytest.mark.parametrize(
    ("settings", "changes", "while_connected"),
    [
        (_CLOUD_HSM, {"NewCustomKeyStoreName": "n"}, True),
        (_CLOUD_HSM, {"KeyStorePassword": "another1"}, False),
        (_CLOUD_HSM, {"CloudHsmClusterId": "cluster-3a23b4cdefg"}, False),
        (_EXTERNAL, {"NewCustomKeyStoreName": "n"}, True),
        (_EXTERNAL, {"XksProxyUriPath": "/b/kms/xks/v1"}, True),
        (_EXTERNAL, _CREDENTIAL, True),
        (_EXTERNAL, {"XksProxyUriEndpoint": "https://b.example.com"}, False),
    ],
)  # fmt: skip
def test_most_settings_change_while_disconnected_only(
    kms: KmsClient, settings: dict[str, Any], changes: dict[str, Any], while_connected: bool
) -> None:
    store_id = _connected(kms, settings)
    if while_connected:
        kms("UpdateCustomKeyStore", CustomKeyStoreId=store_id, **changes)
    else:
        kms.refused(
            "UpdateCustomKeyStore",
            "CustomKeyStoreInvalidStateException",
            CustomKeyStoreId=store_id,
            **changes,
        )
    kms("DisconnectCustomKeyStore", CustomKeyStoreId=store_id)
    assert kms("UpdateCustomKeyStore", CustomKeyStoreId=store_id, **changes) == {}


def test_a_proxy_moves_from_an_endpoint_service_to_the_public_and_back(kms: KmsClient) -> None:
    store_id = _create(kms, _BY_SERVICE)
    kms(
        "UpdateCustomKeyStore",
        CustomKeyStoreId=store_id,
        XksProxyConnectivity="PUBLIC_ENDPOINT",
        XksProxyUriEndpoint="https://public.example.com",
    )
    assert "VpcEndpointServiceName" not in _entry(kms, store_id)["XksProxyConfiguration"]
    by_service = {"XksProxyConnectivity": "VPC_ENDPOINT_SERVICE"}
    kms.refused("UpdateCustomKeyStore", "ValidationException", CustomKeyStoreId=store_id, **by_service)
    kms(
        "UpdateCustomKeyStore",
        CustomKeyStoreId=store_id,
        XksProxyVpcEndpointServiceName=_SERVICE,
        **by_service,
    )
    assert _entry(kms, store_id)["XksProxyConfiguration"]["VpcEndpointServiceName"] == _SERVICE


def test_an_update_takes_nothing_that_is_taken_or_of_another_kind(kms: KmsClient) -> None:
    hsm, xks, _ = _create(kms, _CLOUD_HSM), _create(kms, _EXTERNAL), _create(kms, _BY_SERVICE)
    update = "UpdateCustomKeyStore"
    kms.refused(update, "ValidationException", CustomKeyStoreId=hsm, XksProxyUriPath="/b/kms/xks/v1")
    kms.refused(update, "CustomKeyStoreNameInUseException", CustomKeyStoreId=hsm, NewCustomKeyStoreName="xks")
    kms.refused(
        update,
        "XksProxyUriInUseException",
        CustomKeyStoreId=xks,
        XksProxyUriEndpoint="https://private.example.com",
    )
    kms(update, CustomKeyStoreId=hsm, NewCustomKeyStoreName="hsm")


def test_random_bytes_come_from_a_connected_cluster_only(kms: KmsClient) -> None:
    hsm, xks = _create(kms, _CLOUD_HSM), _connected(kms, _EXTERNAL)
    call: dict[str, Any] = {"NumberOfBytes": 8}
    for store_id, code in (
        (hsm, "CustomKeyStoreInvalidStateException"),
        (xks, "UnsupportedOperationException"),
        ("cks-0", "CustomKeyStoreNotFoundException"),
    ):
        kms.refused("GenerateRandom", code, CustomKeyStoreId=store_id, **call)
    kms("ConnectCustomKeyStore", CustomKeyStoreId=hsm)
    assert len(kms("GenerateRandom", CustomKeyStoreId=hsm, **call)["Plaintext"]) == 8


def test_key_stores_are_a_matter_of_iam_alone(client: Callable[..., KmsClient]) -> None:
    ada = client(caller_arn="arn:aws:iam::111122223333:user/ada")
    store_id = {"CustomKeyStoreId": "cks-0"}
    for operation, params in {
        "CreateCustomKeyStore": _CLOUD_HSM,
        "DescribeCustomKeyStores": {},
        "UpdateCustomKeyStore": store_id,
        "DeleteCustomKeyStore": store_id,
        "ConnectCustomKeyStore": store_id,
        "DisconnectCustomKeyStore": store_id,
    }.items():
        refusal = ada.refused(operation, "AccessDeniedException", **params)
        assert f"kms:{operation} on resource: * because no identity-based policy" in refusal.message
