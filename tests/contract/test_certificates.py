"""Certificates of keys of every backend, moto's too: keys, answers and signatures that others wrote."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from moto.kms.utils import ECDSAPrivateKey, RSAPrivateKey

from kms_tui.backend.base import Backend
from kms_tui.backend.kms_facade import Kms
from kms_tui.signing.certificates.certificate_builders import unsigned_request, unsigned_self_signed
from kms_tui.signing.certificates.certificate_fields import FieldTexts, read_fields
from kms_tui.signing.certificates.issuing import unsigned_issued
from kms_tui.signing.certificates.revocation_lists import unsigned_revocation_list
from kms_tui.signing.signing_key import SigningError, SigningKey, open_signing_key

SPECS = ("RSA_2048", "ECC_NIST_P256")
NOW = datetime.now(UTC)
ROOT = FieldTexts(subject="CN=Root", is_ca=True)


def signing_key(backend: Backend, spec: str) -> SigningKey:
    made = backend.call("CreateKey", {"KeySpec": spec, "KeyUsage": "SIGN_VERIFY"})
    return open_signing_key(Kms(backend), made["KeyMetadata"]["KeyId"])


@pytest.fixture
def digests_are_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto signs a digest as if it was a message (see ``moto_departures``); here it signs it as KMS does."""
    prehashed = Prehashed(hashes.SHA256())

    def sign(self: Any, message: bytes, signing_algorithm: str) -> bytes:
        if isinstance(self, RSAPrivateKey):
            return self.private_key.sign(message, padding.PKCS1v15(), prehashed)
        return self.private_key.sign(message, ec.ECDSA(prehashed))  # type: ignore[no-any-return]

    for kind in (RSAPrivateKey, ECDSAPrivateKey):
        monkeypatch.setattr(kind, "sign", sign)


@pytest.mark.usefixtures("digests_are_signed")
@pytest.mark.parametrize("spec", SPECS)
def test_a_small_ca(backend: Backend, spec: str) -> None:
    key, web = signing_key(backend, spec), signing_key(backend, "ECC_NIST_P256")
    root = unsigned_self_signed(key, read_fields(ROOT, NOW)).sign()
    request = unsigned_request(web, read_fields(FieldTexts(subject="CN=web.example.com"), NOW)).sign()
    fields = read_fields(FieldTexts(dns="web.example.com"), NOW)
    issued = unsigned_issued(key, root, request, fields, NOW).sign()
    listed = unsigned_revocation_list(key, root, [], days=1, number=1, now=NOW).sign()
    root.verify_directly_issued_by(root)
    issued.verify_directly_issued_by(root)
    assert issued.public_key() == request.public_key()
    assert request.is_signature_valid
    public: Any = root.public_key()
    assert listed.is_signature_valid(public)


@pytest.mark.parametrize("spec", SPECS)
def test_an_endpoint_that_signs_otherwise_is_found_out(moto_backend: Backend, spec: str) -> None:
    """moto hashes the digest once more, so what it signs is no certificate."""
    key = signing_key(moto_backend, spec)
    with pytest.raises(SigningError, match="does not verify with the public key: it is not used"):
        unsigned_self_signed(key, read_fields(ROOT, NOW)).sign()
