"""DeriveSharedSecret, and ML-KEM's Encapsulate and Decapsulate."""

from __future__ import annotations

from typing import cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, mlkem
from cryptography.hazmat.primitives.serialization import load_der_public_key

from kms_tui.backend.local.crypto.recipients import judge_recipient, secret_members
from kms_tui.backend.local.engine.call import Call, JsonShape
from kms_tui.backend.local.keys.key_lookup import key_for, load_current_material
from kms_tui.backend.local.store.key_rows import KeyRow
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.model import KeyUsage

MlKemPrivateKey = mlkem.MLKEM768PrivateKey | mlkem.MLKEM1024PrivateKey


def derive_shared_secret(call: Call) -> JsonShape:
    algorithm = call.params["KeyAgreementAlgorithm"]
    judge_recipient(call)
    key = key_for(call, call.params["KeyId"], KeyUsage.KEY_AGREEMENT, algorithm)
    private_key = cast(ec.EllipticCurvePrivateKey, load_current_material(call, key)[1])
    peer = _public_key(call, private_key.curve)
    call.dry_run()
    call.used(key)
    return {
        "KeyId": call.arn(key),
        **secret_members(call, "SharedSecret", private_key.exchange(ec.ECDH(), peer)),
        "KeyAgreementAlgorithm": algorithm,
        "KeyOrigin": key.origin,
    }


def _public_key(call: Call, curve: ec.EllipticCurve) -> ec.EllipticCurvePublicKey:
    """The peer's key; ValidationException for bytes that are no key, or one of another curve."""
    try:
        peer = load_der_public_key(call.params["PublicKey"])
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ServiceError("ValidationException", "") from error
    if not isinstance(peer, ec.EllipticCurvePublicKey) or peer.curve.name != curve.name:
        raise ServiceError("ValidationException", "")
    return peer


def encapsulate(call: Call) -> JsonShape:
    key, private_key = _kem(call)
    call.dry_run()
    secret, ciphertext = private_key.public_key().encapsulate()
    call.used(key)
    return {
        "KeyId": call.arn(key),
        "SharedSecret": secret,
        "SharedSecretCiphertextBlob": ciphertext,
        "EncapsulationAlgorithm": call.params["EncapsulationAlgorithm"],
    }


def decapsulate(call: Call) -> JsonShape:
    key, private_key = _kem(call)
    try:
        # Of the right length any ciphertext gives a secret: implicit rejection (FIPS 203).
        secret = private_key.decapsulate(call.params["SharedSecretCiphertextBlob"])
    except ValueError as error:
        raise ServiceError("InvalidCiphertextException", "") from error
    call.dry_run()
    call.used(key)
    return {
        "KeyId": call.arn(key),
        "SharedSecret": secret,
        "EncapsulationAlgorithm": call.params["EncapsulationAlgorithm"],
    }


def _kem(call: Call) -> tuple[KeyRow, MlKemPrivateKey]:
    algorithm = call.params["EncapsulationAlgorithm"]
    key = key_for(call, call.params["KeyId"], KeyUsage.ENCAPSULATE_DECAPSULATE, algorithm)
    return key, cast(MlKemPrivateKey, load_current_material(call, key)[1])


OPERATIONS = {
    "DeriveSharedSecret": derive_shared_secret,
    "Encapsulate": encapsulate,
    "Decapsulate": decapsulate,
}
