"""An offline account with one key of each kind that signs, and one of each other usage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from kms_tui.backend.base import Backend
from kms_tui.backend.kms_facade import Kms
from kms_tui.backend.local import open_store
from kms_tui.backend.local.local_backend import LocalBackend
from kms_tui.signing.signing_key import SigningKey, open_signing_key

SIGNING_SPECS = (
    "RSA_2048",
    "ECC_NIST_P256",
    "ECC_NIST_P384",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
    "ECC_NIST_EDWARDS25519",
    "ML_DSA_44",
    "ML_DSA_65",
    "ML_DSA_87",
)
OTHERS = {
    "SYMMETRIC_DEFAULT": "ENCRYPT_DECRYPT",
    "RSA_2048": "ENCRYPT_DECRYPT",
    "ECC_NIST_P256": "KEY_AGREEMENT",
    "ML_KEM_768": "ENCAPSULATE_DECAPSULATE",
    "HMAC_256": "GENERATE_VERIFY_MAC",
}


class CountedBackend:
    """A backend that notes the operations called."""

    def __init__(self, inner: Backend) -> None:
        self.inner = inner
        self.called: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        self.called.append(operation)
        return self.inner.call(operation, params)


@pytest.fixture(scope="session")
def signing_account() -> Iterator[Kms]:
    """Keys under aliases: ``alias/RSA_2048``, and ``alias/ENCRYPT_DECRYPT-RSA_2048`` for another usage."""
    with open_store(None) as store:
        kms = Kms(LocalBackend(store, account_id="111122223333", region="eu-west-1"))
        for spec in SIGNING_SPECS:
            made = kms.call("CreateKey", KeySpec=spec, KeyUsage="SIGN_VERIFY")
            kms.create_alias(f"alias/{spec}", made["KeyMetadata"]["KeyId"])
        for spec, usage in OTHERS.items():
            made = kms.call("CreateKey", KeySpec=spec, KeyUsage=usage)
            kms.create_alias(f"alias/{usage}-{spec}", made["KeyMetadata"]["KeyId"])
        yield kms


@pytest.fixture(params=SIGNING_SPECS)
def signing_key(request: pytest.FixtureRequest, signing_account: Kms) -> SigningKey:
    """Each key that signs, in turn."""
    return open_signing_key(signing_account, f"alias/{request.param}")


@pytest.fixture
def calls(signing_account: Kms) -> Iterator[list[str]]:
    """The operations called on the account's backend during the test."""
    counted = CountedBackend(signing_account.backend)
    signing_account.backend = counted
    yield counted.called
    signing_account.backend = counted.inner
