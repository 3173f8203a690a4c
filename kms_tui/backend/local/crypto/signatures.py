"""Signatures and MACs: Sign, Verify, GetPublicKey, GenerateMac and VerifyMac."""

from __future__ import annotations

import hmac
from typing import Any, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from kms_tui.backend.local.crypto import ed25519ph
from kms_tui.backend.local.engine.call import Call, JsonShape
from kms_tui.backend.local.keys.key_lookup import key_for, key_in_state, load_current_material
from kms_tui.backend.local.keys.key_metadata import ALGORITHM_MEMBERS, algorithms_of, spec_members
from kms_tui.backend.local.store.key_material import public_bytes
from kms_tui.backend.local.store.key_rows import KeyRow
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.keyspecs import DIGEST, EXTERNAL_MU, KEY_SPECS, RAW, SIGNING_ALGORITHMS
from kms_tui.kms.model import KeyUsage

_HASHES = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
_ED25519, _PREHASHED = "ECC_NIST_EDWARDS25519", "ED25519_PH_SHA_512"

MlDsaPrivateKey = mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey


def sign(call: Call) -> JsonShape:
    algorithm = call.params["SigningAlgorithm"]
    key, private_key = _signer(call)
    call.dry_run()
    message, message_type = call.params["Message"], call.params.get("MessageType", RAW)
    if message_type == EXTERNAL_MU:
        signature = cast(MlDsaPrivateKey, private_key).sign_mu(message)
    elif algorithm == _PREHASHED:
        signature = ed25519ph.sign(cast(ed25519.Ed25519PrivateKey, private_key), message)
    else:
        signature = cast(Any, private_key).sign(message, *_scheme(private_key, algorithm, message_type))
    call.used(key)
    return {"KeyId": call.arn(key), "Signature": signature, "SigningAlgorithm": algorithm}


def verify(call: Call) -> JsonShape:
    algorithm = call.params["SigningAlgorithm"]
    key, private_key = _signer(call)
    message, message_type = call.params["Message"], call.params.get("MessageType", RAW)
    signature = call.params["Signature"]
    try:
        if message_type == EXTERNAL_MU:
            cast(MlDsaPrivateKey, private_key).public_key().verify_mu(signature, message)
        elif algorithm == _PREHASHED:
            ed25519ph.verify(cast(ed25519.Ed25519PrivateKey, private_key).public_key(), signature, message)
        else:
            scheme = _scheme(private_key, algorithm, message_type)
            cast(Any, private_key.public_key()).verify(signature, message, *scheme)
    except (InvalidSignature, ValueError) as error:
        raise ServiceError("KMSInvalidSignatureException", "") from error
    call.dry_run()
    call.used(key)
    return {"KeyId": call.arn(key), "SignatureValid": True, "SigningAlgorithm": algorithm}


def _signer(call: Call) -> tuple[KeyRow, PrivateKeyTypes]:
    """The key, and its private key, of a request whose algorithm, message type and message fit together."""
    algorithm = call.params["SigningAlgorithm"]
    key = key_for(call, call.params["KeyId"], KeyUsage.SIGN_VERIFY, algorithm)
    _require_message_fits(key, algorithm, call.params.get("MessageType", RAW), call.params["Message"])
    return key, cast(PrivateKeyTypes, load_current_material(call, key)[1])


def _require_message_fits(key: KeyRow, algorithm: str, message_type: str, message: bytes) -> None:
    rules = SIGNING_ALGORITHMS[algorithm]
    if message_type not in rules.message_types:
        # Of one key spec alone it is the algorithm that decides.
        with_what = f"algorithm {algorithm}" if key.spec == _ED25519 else f"key spec {key.spec}"
        raise ServiceError(
            "ValidationException", f"Message type {message_type} is incompatible with {with_what}."
        )
    if message_type in (DIGEST, EXTERNAL_MU) and len(message) != rules.digest_size:
        raise ServiceError("ValidationException", f"Digest is invalid length for algorithm {algorithm}.")


def _scheme(private_key: PrivateKeyTypes, algorithm: str, message_type: str) -> tuple[Any, ...]:
    """The library's further arguments beside the message; none for Ed25519 and ML-DSA."""
    if isinstance(private_key, ec.EllipticCurvePrivateKey):
        return (ec.ECDSA(_digest(algorithm, message_type)),)
    if isinstance(private_key, rsa.RSAPrivateKey):
        return _padding(algorithm), _digest(algorithm, message_type)
    return ()


def _digest(algorithm: str, message_type: str) -> hashes.HashAlgorithm | Prehashed:
    digest = _HASHES[SIGNING_ALGORITHMS[algorithm].digest]
    return Prehashed(digest) if message_type == DIGEST else digest


def _padding(algorithm: str) -> padding.AsymmetricPadding:
    if algorithm.startswith("RSASSA_PSS"):
        digest = _HASHES[SIGNING_ALGORITHMS[algorithm].digest]
        return padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH)
    return padding.PKCS1v15()


def get_public_key(call: Call) -> JsonShape:
    key = key_in_state(call, call.params["KeyId"])
    if not KEY_SPECS[key.spec].is_asymmetric:
        raise ServiceError("UnsupportedOperationException", "")
    return {
        "KeyId": call.arn(key),
        "PublicKey": public_bytes(cast(PrivateKeyTypes, load_current_material(call, key)[1])),
        **spec_members(key),
        "KeyUsage": key.usage,
        ALGORITHM_MEMBERS[key.usage]: algorithms_of(key),
    }


def generate_mac(call: Call) -> JsonShape:
    key, mac = _mac(call)
    return {"Mac": mac, **_answer(call, key)}


def verify_mac(call: Call) -> JsonShape:
    key, mac = _mac(call)
    if not hmac.compare_digest(mac, call.params["Mac"]):
        raise ServiceError("KMSInvalidMacException", "")
    return {"MacValid": True, **_answer(call, key)}


def _mac(call: Call) -> tuple[KeyRow, bytes]:
    algorithm = call.params["MacAlgorithm"]
    key = key_for(call, call.params["KeyId"], KeyUsage.GENERATE_VERIFY_MAC, algorithm)
    secret = cast(bytes, load_current_material(call, key)[1])
    hash_name = algorithm.removeprefix("HMAC_").replace("SHA_", "sha")
    return key, hmac.digest(secret, call.params["Message"], hash_name)


def _answer(call: Call, key: KeyRow) -> JsonShape:
    call.dry_run()
    call.used(key)
    return {"MacAlgorithm": call.params["MacAlgorithm"], "KeyId": call.arn(key)}


OPERATIONS = {
    "Sign": sign,
    "Verify": verify,
    "GetPublicKey": get_public_key,
    "GenerateMac": generate_mac,
    "VerifyMac": verify_mac,
}
