"""Sign, Verify and GetPublicKey, held to openssl and to the published key where that can judge."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from kms_tui.backend.local.crypto import ed25519ph
from kms_tui.backend.local.store.key_material import SUPPORTED
from kms_tui.kms.keyspecs import KEY_SPECS, SIGNING_ALGORITHMS
from kms_tui.kms.model import KeyUsage
from tests.contract.client import KmsClient

_LARGE = {"RSA_3072", "RSA_4096"}
_PAIRS = [
    (spec.name, algorithm)
    for spec in KEY_SPECS.values()
    if spec.name in SUPPORTED - _LARGE
    for algorithm in spec.algorithms.get(KeyUsage.SIGN_VERIFY, ())
    if algorithm != "ED25519_PH_SHA_512"
]
_DIGESTIBLE = [(spec, algorithm) for spec, algorithm in _PAIRS if SIGNING_ALGORITHMS[algorithm].digest]


def _signer(kms: KmsClient, spec: str, algorithm: str) -> dict[str, Any]:
    return {"KeyId": kms.key(KeySpec=spec, KeyUsage="SIGN_VERIFY"), "SigningAlgorithm": algorithm}


@pytest.mark.parametrize(("spec", "algorithm"), _PAIRS)
def test_a_signature_verifies_and_a_changed_one_or_message_does_not(
    kms: KmsClient, spec: str, algorithm: str
) -> None:
    signer = _signer(kms, spec, algorithm)
    arn = kms.arn(signer["KeyId"])
    answer = kms("Sign", Message=b"message", **signer)
    signature = answer["Signature"]
    assert answer == {"KeyId": arn, "Signature": signature, "SigningAlgorithm": algorithm}
    valid = {"KeyId": arn, "SignatureValid": True, "SigningAlgorithm": algorithm}
    assert kms("Verify", Message=b"message", Signature=signature, **signer) == valid
    broken = bytes([*signature[:-1], signature[-1] ^ 1])
    for message, attempt in ((b"messagf", signature), (b"message", broken), (b"message", b"x")):
        kms.refused(
            "Verify", "KMSInvalidSignatureException", "", Message=message, Signature=attempt, **signer
        )


@pytest.mark.parametrize(("spec", "algorithm"), _DIGESTIBLE)
def test_a_signature_of_the_digest_is_one_of_the_message(kms: KmsClient, spec: str, algorithm: str) -> None:
    signer = _signer(kms, spec, algorithm)
    digest = hashlib.new(SIGNING_ALGORITHMS[algorithm].digest, b"message").digest()
    signature = kms("Sign", Message=digest, MessageType="DIGEST", **signer)["Signature"]
    assert kms("Verify", Message=b"message", Signature=signature, **signer)["SignatureValid"]
    signature = kms("Sign", Message=b"message", **signer)["Signature"]
    assert kms("Verify", Message=digest, MessageType="DIGEST", Signature=signature, **signer)[
        "SignatureValid"
    ]
    for wrong in (digest[:-1], digest + b"x"):
        kms.refused(
            "Sign",
            "ValidationException",
            f"Digest is invalid length for algorithm {algorithm}.",
            Message=wrong,
            MessageType="DIGEST",
            **signer,
        )


def _public(kms: KmsClient, key_id: str) -> Any:
    return load_der_public_key(kms("GetPublicKey", KeyId=key_id)["PublicKey"])


def test_the_published_keys_verify_what_was_signed(kms: KmsClient) -> None:
    message = b"for everybody to check"

    def signed(spec: str, algorithm: str) -> tuple[Any, bytes]:
        signer = _signer(kms, spec, algorithm)
        return _public(kms, signer["KeyId"]), kms("Sign", Message=message, **signer)["Signature"]

    key, signature = signed("RSA_2048", "RSASSA_PSS_SHA_384")
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(signature, message, padding.PSS(padding.MGF1(hashes.SHA384()), 48), hashes.SHA384())
    key, signature = signed("ECC_SECG_P256K1", "ECDSA_SHA_256")
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    key, signature = signed("ECC_NIST_EDWARDS25519", "ED25519_SHA_512")
    assert isinstance(key, ed25519.Ed25519PublicKey)
    key.verify(signature, message)
    key, signature = signed("ML_DSA_65", "ML_DSA_SHAKE_256")
    assert isinstance(key, mldsa.MLDSA65PublicKey)
    key.verify(signature, message)


@pytest.mark.parametrize(
    ("spec", "algorithm", "options"),
    [
        ("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_256", ["-sha256"]),
        (
            "RSA_2048",
            "RSASSA_PSS_SHA_512",
            ["-sha512", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:64"],
        ),
        ("ECC_NIST_P256", "ECDSA_SHA_256", ["-sha256"]),
        ("ECC_NIST_P384", "ECDSA_SHA_384", ["-sha384"]),
        ("ECC_NIST_P521", "ECDSA_SHA_512", ["-sha512"]),
        ("ECC_SECG_P256K1", "ECDSA_SHA_256", ["-sha256"]),
    ],
)
def test_openssl_accepts_the_signatures(
    kms: KmsClient, tmp_path: Path, spec: str, algorithm: str, options: list[str]
) -> None:
    signer = _signer(kms, spec, algorithm)
    files = {
        "key": kms("GetPublicKey", KeyId=signer["KeyId"])["PublicKey"],
        "message": b"message",
        "signature": kms("Sign", Message=b"message", **signer)["Signature"],
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    command = ["openssl", "dgst", *options, "-keyform", "DER", "-verify", "key", "-signature", "signature"]
    done = subprocess.run([*command, "message"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "Verified OK", done.stderr


@pytest.mark.parametrize("spec", ["ML_DSA_44", "ML_DSA_65", "ML_DSA_87"])
def test_an_external_mu_signs_the_message_that_it_stands_for(kms: KmsClient, spec: str) -> None:
    signer = _signer(kms, spec, "ML_DSA_SHAKE_256")
    public = kms("GetPublicKey", KeyId=signer["KeyId"])["PublicKey"]
    raw: Any = load_der_public_key(public)
    # FIPS 204: mu = SHAKE256(SHAKE256(public key, 64) || 0 || 0 || message, 64) without a context.
    tr = hashlib.shake_256(raw.public_bytes_raw()).digest(64)
    mu = hashlib.shake_256(tr + b"\0\0" + b"message").digest(64)
    signature = kms("Sign", Message=mu, MessageType="EXTERNAL_MU", **signer)["Signature"]
    assert kms("Verify", Message=b"message", Signature=signature, **signer)["SignatureValid"]
    signature = kms("Sign", Message=b"message", **signer)["Signature"]
    checked = kms("Verify", Message=mu, MessageType="EXTERNAL_MU", Signature=signature, **signer)
    assert checked["SignatureValid"]
    kms.refused("Sign", "ValidationException", Message=mu[:-1], MessageType="EXTERNAL_MU", **signer)


@pytest.mark.parametrize(
    ("spec", "algorithm", "message_type", "with_what"),
    [
        ("ECC_NIST_EDWARDS25519", "ED25519_SHA_512", "DIGEST", "algorithm ED25519_SHA_512"),
        ("ECC_NIST_EDWARDS25519", "ED25519_PH_SHA_512", "RAW", "algorithm ED25519_PH_SHA_512"),
        ("ML_DSA_44", "ML_DSA_SHAKE_256", "DIGEST", "key spec ML_DSA_44"),
        ("ECC_NIST_P256", "ECDSA_SHA_256", "EXTERNAL_MU", "key spec ECC_NIST_P256"),
    ],
)
def test_a_message_type_that_the_algorithm_does_not_take_is_refused(
    kms: KmsClient, spec: str, algorithm: str, message_type: str, with_what: str
) -> None:
    kms.refused(
        "Sign",
        "ValidationException",
        f"Message type {message_type} is incompatible with {with_what}.",
        Message=bytes(64),
        MessageType=message_type,
        **_signer(kms, spec, algorithm),
    )


def test_prehashed_ed25519_signs_the_digest_and_nothing_else(kms: KmsClient) -> None:
    signer = _signer(kms, "ECC_NIST_EDWARDS25519", "ED25519_PH_SHA_512") | {"MessageType": "DIGEST"}
    digest = hashlib.sha512(b"message").digest()
    answer = kms("Sign", Message=digest, **signer)
    signature = answer["Signature"]
    assert answer["SigningAlgorithm"] == "ED25519_PH_SHA_512"
    assert kms("Sign", Message=digest, **signer)["Signature"] == signature
    assert kms("Verify", Message=digest, Signature=signature, **signer)["SignatureValid"]
    pure = kms("Sign", Message=digest, KeyId=signer["KeyId"], SigningAlgorithm="ED25519_SHA_512")["Signature"]
    broken = bytes([*signature[:-1], signature[-1] ^ 1])
    for message, attempt in (
        (hashlib.sha512(b"messagf").digest(), signature),
        (digest, broken),
        (digest, pure),
        (digest, signature[:-1]),
        (digest, signature + b"x"),
    ):
        kms.refused(
            "Verify", "KMSInvalidSignatureException", "", Message=message, Signature=attempt, **signer
        )
    kms.refused("Sign", "ValidationException", Message=digest[:-1], **signer)


def test_prehashed_ed25519_is_that_of_the_rfc() -> None:
    """The example of RFC 8032, section 7.3."""
    secret = bytes.fromhex("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42")
    signature = bytes.fromhex(
        "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41"
        "31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406"
    )
    key = ed25519.Ed25519PrivateKey.from_private_bytes(secret)
    assert ed25519ph.sign(key, b"abc") == signature
    ed25519ph.verify(key.public_key(), signature, b"abc")
    with pytest.raises(InvalidSignature):
        ed25519ph.verify(key.public_key(), signature, b"abd")


def test_the_symmetric_algorithm_passes_validation_and_fits_no_key(kms: KmsClient) -> None:
    kms.refused(
        "Sign",
        "InvalidKeyUsageException",
        "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec ECC_NIST_P256.",
        Message=b"x",
        **_signer(kms, "ECC_NIST_P256", "SYMMETRIC_DEFAULT"),
    )


def test_an_algorithm_of_another_spec_is_refused(kms: KmsClient) -> None:
    kms.refused(
        "Sign",
        "InvalidKeyUsageException",
        "Algorithm RSASSA_PSS_SHA_256 is incompatible with key spec ECC_NIST_P256.",
        Message=b"x",
        **_signer(kms, "ECC_NIST_P256", "RSASSA_PSS_SHA_256"),
    )


def test_an_encryption_key_does_not_sign(kms: KmsClient) -> None:
    key_id = kms.key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    for operation, more in (("Sign", {}), ("Verify", {"Signature": b"x"})):
        kms.refused(
            operation,
            "InvalidKeyUsageException",
            f"{kms.arn(key_id)} key usage is ENCRYPT_DECRYPT which is not valid for {operation}.",
            KeyId=key_id,
            Message=b"x",
            SigningAlgorithm="RSASSA_PSS_SHA_256",
            **more,
        )


def test_a_message_has_4096_bytes_at_most(kms: KmsClient) -> None:
    signer = _signer(kms, "ECC_NIST_P256", "ECDSA_SHA_256")
    kms("Sign", Message=bytes(4096), **signer)
    kms.refused(
        "Sign",
        "ValidationException",
        "1 validation error detected: Value at 'message' failed to satisfy constraint: "
        "Member must have length less than or equal to 4096",
        Message=bytes(4097),
        **signer,
    )


def test_a_dry_run_signs_nothing(kms: KmsClient) -> None:
    signer = _signer(kms, "ECC_NIST_P256", "ECDSA_SHA_256")
    kms.refused("Sign", "DryRunOperationException", Message=b"x", DryRun=True, **signer)
    signature = kms("Sign", Message=b"x", **signer)["Signature"]
    verified = {"Message": b"x", "DryRun": True, **signer}
    kms.refused("Verify", "DryRunOperationException", Signature=signature, **verified)
    kms.refused("Verify", "KMSInvalidSignatureException", "", Signature=b"x", **verified)


def test_a_public_key_comes_with_what_it_is_for(kms: KmsClient) -> None:
    key_id = kms.key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    answer = kms("GetPublicKey", KeyId=kms.alias(key_id))
    public = answer["PublicKey"]
    assert answer == {
        "KeyId": kms.arn(key_id),
        "PublicKey": public,
        "CustomerMasterKeySpec": "RSA_2048",
        "KeySpec": "RSA_2048",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "EncryptionAlgorithms": ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"],
    }
    loaded: Any = load_der_public_key(public)
    sealed = loaded.encrypt(b"x", padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None))
    opened = kms("Decrypt", KeyId=key_id, CiphertextBlob=sealed, EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    assert opened["Plaintext"] == b"x"


@pytest.mark.parametrize("params", [{}, {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}])
def test_secret_keys_have_no_public_key(kms: KmsClient, params: dict[str, str]) -> None:
    kms.refused("GetPublicKey", "UnsupportedOperationException", KeyId=kms.key(**params))
