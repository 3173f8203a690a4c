"""KMS keys sign for the builders of ``cryptography``, with one call of Sign each."""

from __future__ import annotations

import base64
import copy
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kms_tui.backend.kms_facade import Kms
from kms_tui.public_key import PublicKey
from kms_tui.signing.certificates.unsigned import digest_of
from kms_tui.signing.kms_private_keys import (
    KmsEcPrivateKey,
    KmsMlDsa44PrivateKey,
    KmsRsaPrivateKey,
    private_key,
)
from kms_tui.signing.signing_key import SigningError, SigningKey, default_algorithm, open_signing_key

NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "orders")])
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def test_each_kind_signs_a_certificate_of_its_own(signing_key: SigningKey) -> None:
    made: Any = private_key(signing_key)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .public_key(made.public_key())
        .serial_number(7)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(made, digest_of(default_algorithm(signing_key)))
    )
    certificate.verify_directly_issued_by(certificate)


def test_each_kind_signs_a_request_with_one_call(signing_account: Kms, calls: list[str]) -> None:
    key = open_signing_key(signing_account, "alias/ML_DSA_65")
    made: Any = private_key(key)
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(NAME)
        .sign(made, digest_of(default_algorithm(key)))
    )
    assert request.is_signature_valid
    assert calls == ["GetPublicKey", "Sign"]


def test_a_message_of_any_size_is_signed_by_its_digest(signing_key: SigningKey) -> None:
    algorithm, message = default_algorithm(signing_key), b"m" * 10_000
    if algorithm == "ED25519_SHA_512":
        with pytest.raises(SigningError, match="signs whole messages of at most 4,096 bytes"):
            signing_key.sign_message(message, algorithm)
        message = message[:4096]
    signature = signing_key.sign_message(message, algorithm)
    assert signing_key.public_key.verify(message, signature, algorithm)


def test_a_signature_that_does_not_verify_is_not_used(signing_account: Kms) -> None:
    """As moto 5.2 answers for a digest."""
    key = open_signing_key(signing_account, "alias/ECC_NIST_P256")
    other = open_signing_key(signing_account, "alias/ECC_SECG_P256K1")
    wrong = replace(key, asked_as=other.asked_as)
    with pytest.raises(SigningError, match="does not verify with the public key"):
        wrong.sign_message(b"m", "ECDSA_SHA_256")


def test_rsa_signs_with_pss_and_takes_a_digest(signing_account: Kms) -> None:
    key = private_key(open_signing_key(signing_account, "alias/RSA_2048"))
    assert isinstance(key, KmsRsaPrivateKey)
    pss = padding.PSS(padding.MGF1(hashes.SHA384()), padding.PSS.DIGEST_LENGTH)
    key.public_key().verify(key.sign(b"m", pss, hashes.SHA384()), b"m", pss, hashes.SHA384())
    digest = hashes.Hash(hashes.SHA512())
    digest.update(b"m")
    signature = key.sign(digest.finalize(), padding.PKCS1v15(), Prehashed(hashes.SHA512()))
    key.public_key().verify(signature, b"m", padding.PKCS1v15(), hashes.SHA512())


@pytest.mark.parametrize(
    ("chosen", "made", "sentence"),
    [
        (padding.PKCS1v15(), hashes.SHA1(), "does not sign with RSASSA_PKCS1_V1_5_SHA_1"),
        (padding.PKCS1v15(), hashes.SHA3_256(), "does not sign with RSASSA_PKCS1_V1_5_SHA_3"),
        (padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH), hashes.SHA256(), "salt"),
        (padding.PSS(padding.MGF1(hashes.SHA512()), 32), hashes.SHA256(), "mask"),
        (padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None), hashes.SHA256(), "not with"),
    ],
)
def test_what_kms_would_refuse_is_refused_before_the_call(
    signing_account: Kms, calls: list[str], chosen: Any, made: Any, sentence: str
) -> None:
    key = private_key(open_signing_key(signing_account, "alias/RSA_2048"))
    assert isinstance(key, KmsRsaPrivateKey)
    with pytest.raises(SigningError, match=sentence):
        key.sign(b"m", chosen, made)
    assert calls == ["GetPublicKey"]


def test_a_curve_has_one_hash(signing_account: Kms) -> None:
    key = private_key(open_signing_key(signing_account, "alias/ECC_NIST_P384"))
    assert isinstance(key, KmsEcPrivateKey)
    key.public_key().verify(key.sign(b"m", ec.ECDSA(hashes.SHA384())), b"m", ec.ECDSA(hashes.SHA384()))
    with pytest.raises(SigningError, match="does not sign with ECDSA_SHA_256"):
        key.sign(b"m", ec.ECDSA(hashes.SHA256()))


def test_ml_dsa_signs_with_a_context(signing_account: Kms) -> None:
    key = private_key(open_signing_key(signing_account, "alias/ML_DSA_44"))
    assert isinstance(key, KmsMlDsa44PrivateKey)
    key.public_key().verify(key.sign(b"m", b"context"), b"m", b"context")


def test_the_private_key_never_leaves_kms(signing_key: SigningKey) -> None:
    key: Any = private_key(signing_key)
    with pytest.raises(SigningError, match="never leaves KMS"):
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert copy.deepcopy(key) is key
    assert signing_key.arn in repr(key)


@pytest.mark.parametrize(
    ("alias", "sentence"),
    [
        ("ENCRYPT_DECRYPT-SYMMETRIC_DEFAULT", "is a symmetric key"),
        ("GENERATE_VERIFY_MAC-HMAC_256", "is a symmetric key"),
        ("ENCRYPT_DECRYPT-RSA_2048", "usage ENCRYPT_DECRYPT: it encrypts"),
        ("KEY_AGREEMENT-ECC_NIST_P256", "usage KEY_AGREEMENT: it agrees on secrets"),
        ("ENCAPSULATE_DECAPSULATE-ML_KEM_768", "it encapsulates keys"),
    ],
)
def test_a_key_of_another_usage_signs_nothing(signing_account: Kms, alias: str, sentence: str) -> None:
    with pytest.raises(SigningError, match=sentence):
        open_signing_key(signing_account, f"alias/{alias}")


class _AnswersSign:
    """A backend of a Region that has SM2, which the offline KMS lacks."""

    region = "cn-north-1"

    def __init__(self) -> None:
        self.asked: list[Mapping[str, Any]] = []

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        assert operation == "Sign"
        self.asked.append(params)
        return {"Signature": b"signature"}


def test_sm2_signs_whole_messages_since_its_digest_is_not_made_here() -> None:
    backend: Any = _AnswersSign()
    der = base64.b64decode(
        "MFkwEwYHKoZIzj0CAQYIKoEcz1UBgi0DQgAEMsSuGV8fGZkERmp/OcY4vjBGbXSZR8vhv4QXprH0A/C8NzaineP2vOMhUyrQ59DGdAIQ"
        "UkDgUwxKVOkhOfDioA=="
    )
    key = SigningKey(Kms(backend), "arn", "alias/sm2", PublicKey(der, "SM2"), ("SM2DSA",))
    assert key.sign_message(b"short", "SM2DSA") == b"signature"
    assert [(each["Message"], each["MessageType"]) for each in backend.asked] == [(b"short", "RAW")]
    with pytest.raises(SigningError, match="whole messages of at most 4,096 bytes"):
        key.sign_message(bytes(4097), "SM2DSA")
    assert len(backend.asked) == 1
