"""An account with every kind of key, in three Regions, as code has to hold it; the clock stands still."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from kms_tui.as_code.key_definition import KeyReading, ReadKeys
from kms_tui.backend.kms_facade import Kms
from kms_tui.testing import LocalKms

ACCOUNT = "111122223333"
REGIONS = ("eu-central-1", "eu-west-1", "us-east-1")
SEED = Path(__file__).parent / "data" / "seeds" / "as-code.yaml"
NOW = datetime(2026, 11, 30, tzinfo=UTC)
_CLOUD_HSM = {
    "CustomKeyStoreName": "hsm",
    "CloudHsmClusterId": "cluster-2a23b4cdefg",
    "KeyStorePassword": "kmsPswd123",
    "TrustAnchorCertificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
}
_EXTERNAL = {
    "CustomKeyStoreName": "xks",
    "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
    "XksProxyUriEndpoint": "https://proxy.example.com",
    "XksProxyUriPath": "/a/kms/xks/v1",
    "XksProxyConnectivity": "PUBLIC_ENDPOINT",
    "XksProxyAuthenticationCredential": {
        "AccessKeyId": "ABCDE23456723EXAMPLE",
        "RawSecretAccessKey": "DXjSUawnel2fr6SKC7G25CNxTyWKE5PF9XX6H/u9pSo=",
    },
}


def account(*, key_stores: bool = True) -> LocalKms:
    """The account, also with a key in either kind of custom key store."""
    kms = LocalKms(SEED, now=NOW)
    if key_stores:
        call = kms.backend.call
        for settings, members in (
            (_CLOUD_HSM, {"Origin": "AWS_CLOUDHSM"}),
            (_EXTERNAL, {"Origin": "EXTERNAL_KEY_STORE", "XksKeyId": "bb8562717f809024"}),
        ):
            store_id = call("CreateCustomKeyStore", settings)["CustomKeyStoreId"]
            call("ConnectCustomKeyStore", {"CustomKeyStoreId": store_id})
            made: Any = call("CreateKey", {"CustomKeyStoreId": store_id, **members})
            name = f"alias/in-{settings['CustomKeyStoreName']}"
            call("CreateAlias", {"AliasName": name, "TargetKeyId": made["KeyMetadata"]["KeyId"]})
    return kms


def all_keys(kms: Kms, regions: Sequence[str] = REGIONS) -> list[str]:
    """The ARNs of every key in the Regions."""
    return [ref.arn for region in regions for page in kms.in_region(region).key_pages() for ref in page]


@lru_cache
def read(*references: str, grants: bool = True) -> ReadKeys:
    """Some keys of the account, or all of them."""
    kms = Kms(account().backend)
    return KeyReading(references or all_keys(kms), kms.in_region_of, grants=grants).read()
