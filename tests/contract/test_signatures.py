"""Sign, Verify and GetPublicKey, checked with a library that is not KMS's."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import load_der_public_key

from tests.contract.client import KmsClient
from tests.contract.specs import ALGORITHM_MEMBERS, LEGAL

HASHES: dict[str, hashes.HashAlgorithm] = {
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}
DIGESTS = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}
MESSAGE = b"the message"

SIGNING = [
    (spec, algorithm)
    for (spec, usage), (_, algorithms) in LEGAL.items()
    if usage == "SIGN_VERIFY" and spec not in ("RSA_3072", "RSA_4096")
    for algorithm in algorithms
]
RAW = [(spec, algorithm) for spec, algorithm in SIGNING if algorithm != "ED25519_PH_SHA_512"]
HASHED = [(spec, algorithm) for spec, algorithm in RAW if algorithm.startswith(("RSASSA", "ECDSA"))]
PUBLIC = [(spec, usage) for spec, usage in LEGAL if spec.startswith(("RSA_2048", "ECC", "ML"))]


def digest(algorithm: str) -> bytes:
    return DIGESTS[algorithm[-3:]](MESSAGE).digest()


def verified_elsewhere(public: Any, algorithm: str, signature: bytes) -> bool:
    """Whether ``cryptography`` takes the signature for one of MESSAGE."""
    chosen = HASHES[algorithm[-3:]]
    try:
        if isinstance(public, rsa.RSAPublicKey):
            scheme: padding.AsymmetricPadding = padding.PKCS1v15()
            if "PSS" in algorithm:
                scheme = padding.PSS(padding.MGF1(chosen), padding.PSS.DIGEST_LENGTH)
            public.verify(signature, MESSAGE, scheme, chosen)
        elif isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(signature, MESSAGE, ec.ECDSA(chosen))
        else:
            public.verify(signature, MESSAGE)
    except InvalidSignature:
        return False
    return True


def signer(kms: KmsClient, spec: str) -> str:
    return kms.key(KeySpec=spec, KeyUsage="SIGN_VERIFY")


def sign(kms: KmsClient, key_id: str, algorithm: str, message: bytes = MESSAGE, **params: Any) -> bytes:
    signature: bytes = kms("Sign", KeyId=key_id, Message=message, SigningAlgorithm=algorithm, **params)[
        "Signature"
    ]
    return signature


@pytest.mark.parametrize(("spec", "algorithm"), RAW, ids=map("-".join, RAW))
def test_a_message_is_signed_and_verified(kms: KmsClient, spec: str, algorithm: str) -> None:
    key_id = signer(kms, spec)
    signed = kms("Sign", KeyId=kms.alias(key_id), Message=MESSAGE, SigningAlgorithm=algorithm)
    assert signed["KeyId"] == kms.arn(key_id)
    assert signed["SigningAlgorithm"] == algorithm
    verified = kms(
        "Verify", KeyId=key_id, Message=MESSAGE, Signature=signed["Signature"], SigningAlgorithm=algorithm
    )
    assert verified["SignatureValid"] is True
    assert verified["KeyId"] == kms.arn(key_id)


ELSEWHERE = [(spec, algorithm) for spec, algorithm in RAW if not spec.startswith("ML")]


@pytest.mark.parametrize(("spec", "algorithm"), ELSEWHERE, ids=map("-".join, ELSEWHERE))
def test_a_signature_verifies_outside_of_kms(kms: KmsClient, spec: str, algorithm: str) -> None:
    key_id = signer(kms, spec)
    public = load_der_public_key(kms("GetPublicKey", KeyId=key_id)["PublicKey"])
    assert verified_elsewhere(public, algorithm, sign(kms, key_id, algorithm))


@pytest.mark.parametrize(("spec", "algorithm"), HASHED, ids=map("-".join, HASHED))
def test_a_digest_is_signed_as_its_message_is(kms: KmsClient, spec: str, algorithm: str) -> None:
    key_id = signer(kms, spec)
    of_digest = sign(kms, key_id, algorithm, digest(algorithm), MessageType="DIGEST")
    public = load_der_public_key(kms("GetPublicKey", KeyId=key_id)["PublicKey"])
    assert verified_elsewhere(public, algorithm, of_digest)
    given: dict[str, Any] = {"KeyId": key_id, "SigningAlgorithm": algorithm}
    kms("Verify", Message=MESSAGE, Signature=of_digest, **given)
    of_message = sign(kms, key_id, algorithm)
    kms("Verify", Message=digest(algorithm), MessageType="DIGEST", Signature=of_message, **given)


@pytest.mark.parametrize(("spec", "algorithm"), HASHED, ids=map("-".join, HASHED))
@pytest.mark.parametrize("operation", ["Sign", "Verify"])
def test_a_digest_of_the_wrong_length_is_refused(
    kms: KmsClient, spec: str, algorithm: str, operation: str
) -> None:
    given: dict[str, Any] = {"Signature": bytes(64)} if operation == "Verify" else {}
    kms.refused(
        operation,
        "ValidationException",
        f"Digest is invalid length for algorithm {algorithm}.",
        KeyId=signer(kms, spec),
        Message=digest(algorithm)[:-1],
        MessageType="DIGEST",
        SigningAlgorithm=algorithm,
        **given,
    )


@pytest.mark.parametrize(("spec", "algorithm"), RAW, ids=map("-".join, RAW))
@pytest.mark.parametrize("what", ["message", "signature", "garbage"])
def test_a_bad_signature_is_an_error_and_never_a_false(
    kms: KmsClient, spec: str, algorithm: str, what: str
) -> None:
    key_id = signer(kms, spec)
    signature = sign(kms, key_id, algorithm)
    tampered = signature[:-1] + bytes([signature[-1] ^ 1])
    kms.refused(
        "Verify",
        "KMSInvalidSignatureException",
        KeyId=key_id,
        Message=b"another message" if what == "message" else MESSAGE,
        Signature={"message": signature, "signature": tampered, "garbage": b"garbage"}[what],
        SigningAlgorithm=algorithm,
    )


def test_a_signature_of_another_key_is_bad(kms: KmsClient) -> None:
    first, second = signer(kms, "ECC_NIST_P256"), signer(kms, "ECC_NIST_P256")
    kms.refused(
        "Verify",
        "KMSInvalidSignatureException",
        KeyId=second,
        Message=MESSAGE,
        Signature=sign(kms, first, "ECDSA_SHA_256"),
        SigningAlgorithm="ECDSA_SHA_256",
    )


MISMATCHED = [
    ("ECC_NIST_P256", "ECDSA_SHA_384"),
    ("ECC_NIST_P256", "RSASSA_PSS_SHA_256"),
    ("RSA_2048", "ECDSA_SHA_256"),
    ("ECC_NIST_EDWARDS25519", "ECDSA_SHA_256"),
    ("ML_DSA_44", "ED25519_SHA_512"),
]


@pytest.mark.parametrize(("spec", "algorithm"), MISMATCHED, ids=map("-".join, MISMATCHED))
@pytest.mark.parametrize("operation", ["Sign", "Verify"])
def test_an_algorithm_of_another_spec_is_refused(
    kms: KmsClient, spec: str, algorithm: str, operation: str
) -> None:
    given: dict[str, Any] = {"Signature": bytes(64)} if operation == "Verify" else {}
    kms.refused(
        operation,
        "InvalidKeyUsageException",
        f"Algorithm {algorithm} is incompatible with key spec {spec}.",
        KeyId=signer(kms, spec),
        Message=MESSAGE,
        SigningAlgorithm=algorithm,
        **given,
    )


@pytest.mark.parametrize("size", [1, 4096])
def test_raw_messages_up_to_4096_bytes_are_signed(kms: KmsClient, size: int) -> None:
    sign(kms, signer(kms, "ECC_NIST_P256"), "ECDSA_SHA_256", bytes(size))


def test_a_longer_raw_message_is_refused(kms: KmsClient) -> None:
    kms.refused(
        "Sign",
        "ValidationException",
        KeyId=signer(kms, "ECC_NIST_P256"),
        Message=bytes(4097),
        SigningAlgorithm="ECDSA_SHA_256",
    )


def test_ed25519ph_takes_a_digest_of_64_bytes_only(kms: KmsClient) -> None:
    key_id = signer(kms, "ECC_NIST_EDWARDS25519")
    kms.refused(
        "Sign",
        "ValidationException",
        KeyId=key_id,
        Message=MESSAGE,
        MessageType="RAW",
        SigningAlgorithm="ED25519_PH_SHA_512",
    )


def test_a_digest_is_signed_and_verified_by_ed25519ph(kms: KmsClient) -> None:
    signing = {
        "KeyId": signer(kms, "ECC_NIST_EDWARDS25519"),
        "SigningAlgorithm": "ED25519_PH_SHA_512",
        "MessageType": "DIGEST",
    }
    digested = hashlib.sha512(MESSAGE).digest()
    signature = kms("Sign", Message=digested, **signing)["Signature"]
    assert kms("Verify", Message=digested, Signature=signature, **signing)["SignatureValid"]
    other = hashlib.sha512(b"another").digest()
    kms.refused("Verify", "KMSInvalidSignatureException", Message=other, Signature=signature, **signing)


def test_ed25519_takes_no_digest(kms: KmsClient) -> None:
    key_id = signer(kms, "ECC_NIST_EDWARDS25519")
    kms.refused(
        "Sign",
        "ValidationException",
        KeyId=key_id,
        Message=bytes(64),
        MessageType="DIGEST",
        SigningAlgorithm="ED25519_SHA_512",
    )


def test_ed25519_signatures_are_deterministic_and_64_bytes(kms: KmsClient) -> None:
    key_id = signer(kms, "ECC_NIST_EDWARDS25519")
    first, second = (sign(kms, key_id, "ED25519_SHA_512") for _ in range(2))
    assert first == second
    assert len(first) == 64
    public = load_der_public_key(kms("GetPublicKey", KeyId=key_id)["PublicKey"])
    assert isinstance(public, ed25519.Ed25519PublicKey)


@pytest.mark.parametrize(
    ("spec", "size"), [("ML_DSA_44", 2420), ("ML_DSA_65", 3309), ("ML_DSA_87", 4627)], ids=str
)
def test_ml_dsa_signatures_have_their_length(kms: KmsClient, spec: str, size: int) -> None:
    assert len(sign(kms, signer(kms, spec), "ML_DSA_SHAKE_256")) == size


def test_an_external_mu_is_signed_as_its_message_is(kms: KmsClient) -> None:
    key_id = signer(kms, "ML_DSA_44")
    public = kms("GetPublicKey", KeyId=key_id)["PublicKey"]
    raw_public = public[-1312:]
    tr = hashlib.shake_256(raw_public).digest(64)
    mu = hashlib.shake_256(tr + b"\0\0" + MESSAGE).digest(64)
    signature = sign(kms, key_id, "ML_DSA_SHAKE_256", mu, MessageType="EXTERNAL_MU")
    kms(
        "Verify",
        KeyId=key_id,
        Message=MESSAGE,
        MessageType="RAW",
        Signature=signature,
        SigningAlgorithm="ML_DSA_SHAKE_256",
    )


@pytest.mark.parametrize("size", [32, 63, 65])
def test_an_external_mu_of_another_length_is_refused(kms: KmsClient, size: int) -> None:
    kms.refused(
        "Sign",
        "ValidationException",
        KeyId=signer(kms, "ML_DSA_44"),
        Message=bytes(size),
        MessageType="EXTERNAL_MU",
        SigningAlgorithm="ML_DSA_SHAKE_256",
    )


@pytest.mark.parametrize("operation", ["Sign", "Verify"])
def test_a_key_of_another_usage_does_not_sign(kms: KmsClient, operation: str) -> None:
    key_id = kms.key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    given: dict[str, Any] = {"Signature": bytes(256)} if operation == "Verify" else {}
    kms.refused(
        operation,
        "InvalidKeyUsageException",
        f"{kms.arn(key_id)} key usage is ENCRYPT_DECRYPT which is not valid for {operation}.",
        KeyId=key_id,
        Message=MESSAGE,
        SigningAlgorithm="RSASSA_PSS_SHA_256",
        **given,
    )


def test_a_disabled_key_does_not_sign(kms: KmsClient) -> None:
    key_id = signer(kms, "ECC_NIST_P256")
    kms("DisableKey", KeyId=key_id)
    kms.refused(
        "Sign",
        "DisabledException",
        f"{kms.arn(key_id)} is disabled.",
        KeyId=key_id,
        Message=MESSAGE,
        SigningAlgorithm="ECDSA_SHA_256",
    )


@pytest.mark.parametrize(("spec", "usage"), PUBLIC, ids=map("-".join, PUBLIC))
def test_a_public_key_can_be_downloaded_and_loaded(kms: KmsClient, spec: str, usage: str) -> None:
    key_id = kms.key(KeySpec=spec, KeyUsage=usage)
    answer = kms("GetPublicKey", KeyId=kms.alias(key_id))
    load_der_public_key(answer["PublicKey"])
    assert answer["KeyId"] == kms.arn(key_id)
    assert (answer["KeySpec"], answer["KeyUsage"]) == (spec, usage)
    member, algorithms = LEGAL[spec, usage]
    assert answer[member] == algorithms
    assert not [other for other in ALGORITHM_MEMBERS - {member} if other in answer]


def test_a_public_key_stays_the_same(kms: KmsClient) -> None:
    key_id = signer(kms, "ECC_NIST_P256")
    first, second = (kms("GetPublicKey", KeyId=key_id)["PublicKey"] for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("spec", "usage"), [("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), ("HMAC_256", "GENERATE_VERIFY_MAC")]
)
def test_a_key_without_a_public_key_says_so(kms: KmsClient, spec: str, usage: str) -> None:
    key_id = kms.key(KeySpec=spec, KeyUsage=usage)
    kms.refused("GetPublicKey", "UnsupportedOperationException", KeyId=key_id)


def test_a_public_key_encrypts_outside_what_kms_decrypts(kms: KmsClient) -> None:
    key_id = kms.key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    public = load_der_public_key(kms("GetPublicKey", KeyId=key_id)["PublicKey"])
    assert isinstance(public, rsa.RSAPublicKey)
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    opened = kms(
        "Decrypt",
        CiphertextBlob=public.encrypt(b"from outside", oaep),
        KeyId=key_id,
        EncryptionAlgorithm="RSAES_OAEP_SHA_256",
    )
    assert opened["Plaintext"] == b"from outside"


def test_a_digest_signed_by_kms_verifies_as_prehashed(kms: KmsClient) -> None:
    key_id = signer(kms, "ECC_NIST_P256")
    signature = sign(kms, key_id, "ECDSA_SHA_256", digest("ECDSA_SHA_256"), MessageType="DIGEST")
    public = load_der_public_key(kms("GetPublicKey", KeyId=key_id)["PublicKey"])
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(signature, digest("ECDSA_SHA_256"), ec.ECDSA(Prehashed(hashes.SHA256())))
