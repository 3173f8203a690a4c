"""Encrypt, Decrypt and ReEncrypt, by symmetric and RSA keys, and what every encryption shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kms_tui.backend.local.authorization.decision import denied_elsewhere
from kms_tui.backend.local.crypto.recipients import judge_recipient, secret_members
from kms_tui.backend.local.engine import ciphertext_blob
from kms_tui.backend.local.engine.call import Call, JsonShape
from kms_tui.backend.local.engine.key_states import require_state
from kms_tui.backend.local.engine.request_validation import validation_error
from kms_tui.backend.local.keys.key_lookup import (
    find_key,
    key_for,
    key_of,
    load_current_material,
    require_algorithm,
    require_usage,
)
from kms_tui.backend.local.store.key_rows import KeyRow, key_by_id
from kms_tui.backend.local.store.stored_material import material_by_id
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.keyspecs import KEY_SPECS, SYMMETRIC_DEFAULT
from kms_tui.kms.model import KeyUsage

_OAEP = {
    algorithm: padding.OAEP(padding.MGF1(digest), digest, None)
    for algorithm, digest in (("RSAES_OAEP_SHA_1", hashes.SHA1()), ("RSAES_OAEP_SHA_256", hashes.SHA256()))
}


@dataclass(frozen=True, slots=True)
class DecryptedCiphertext:
    """A decrypted ciphertext; ``material_id`` of a symmetric key only. Empty where a dry run had none."""

    key: KeyRow
    plaintext: bytes = field(repr=False)
    material_id: str | None


def encrypt(call: Call) -> JsonShape:
    params = call.params
    algorithm = params.get("EncryptionAlgorithm", SYMMETRIC_DEFAULT)
    context = params.get("EncryptionContext", {})
    key = key_for(call, params["KeyId"], KeyUsage.ENCRYPT_DECRYPT, algorithm)
    require_fitting(key, algorithm, params["Plaintext"], context)
    call.dry_run()
    ciphertext, _ = seal(call, key, algorithm, params["Plaintext"], context)
    call.used(key)
    return {"CiphertextBlob": ciphertext, "KeyId": call.arn(key), "EncryptionAlgorithm": algorithm}


def decrypt(call: Call) -> JsonShape:
    params = call.params
    judge_recipient(call)
    algorithm = params.get("EncryptionAlgorithm", SYMMETRIC_DEFAULT)
    opened = open_ciphertext(
        call, params.get("KeyId"), algorithm, params.get("EncryptionContext", {}), "keyId", "Decrypt"
    )
    call.dry_run()
    call.used(opened.key)
    answer = {"KeyId": call.arn(opened.key), "EncryptionAlgorithm": algorithm}
    answer |= secret_members(call, "Plaintext", opened.plaintext)
    if opened.material_id is not None:
        answer["KeyMaterialId"] = opened.material_id
    return answer


def require_fitting(key: KeyRow, algorithm: str, plaintext: bytes, context: Mapping[str, str]) -> None:
    """ValidationException for a plaintext too long, or an encryption context for a key that takes none."""
    largest = KEY_SPECS[key.spec].max_plaintext[algorithm]
    if len(plaintext) > largest:
        raise ServiceError(
            "ValidationException",
            f"Algorithm {algorithm} and key spec {key.spec} cannot encrypt data larger than {largest} bytes.",
        )
    _require_context_fits(algorithm, context)


def _require_context_fits(algorithm: str, context: Mapping[str, str]) -> None:
    if context and algorithm != SYMMETRIC_DEFAULT:
        raise ServiceError(
            "ValidationException", f"EncryptionContext is not supported with algorithm {algorithm}."
        )


def seal(
    call: Call, key: KeyRow, algorithm: str, plaintext: bytes, context: Mapping[str, str]
) -> tuple[bytes, str | None]:
    """The ciphertext and, of a symmetric key, the id of the material that made it."""
    material, loaded = load_current_material(call, key)
    if algorithm == SYMMETRIC_DEFAULT:
        cipher = cast(AESGCM, loaded)
        sealed = ciphertext_blob.seal(
            cipher, key.account, key.key_id, material.material_id, plaintext, context
        )
        return sealed, material.material_id
    return cast(rsa.RSAPrivateKey, loaded).public_key().encrypt(plaintext, _OAEP[algorithm]), None


def open_ciphertext(
    call: Call,
    reference: str | None,
    algorithm: str,
    context: Mapping[str, str],
    key_member: str,
    action: str,
) -> DecryptedCiphertext:
    """Decrypt the call's CiphertextBlob by the key of ``reference``, or else by the one that it names.

    ``key_member`` is the request's member for that key in the service's spelling, ``action`` what the
    caller must be allowed. A dry run may leave the ciphertext out.
    """
    ciphertext: bytes | None = call.params.get("CiphertextBlob")
    if call.params.get("DryRun") and "IGNORE_CIPHERTEXT" in call.params.get("DryRunModifiers", ()):
        ciphertext = None
    elif ciphertext is None:
        raise validation_error(
            ["Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null"]
        )
    if reference is None and (ciphertext is None or algorithm != SYMMETRIC_DEFAULT):
        raise validation_error(
            [f"Value null at '{key_member}' failed to satisfy constraint: Member must not be null"]
        )
    parsed = ciphertext_blob.parse(ciphertext) if ciphertext is not None else None
    # The short id of another account's key will do, as the ciphertext says whose it is (Decrypt).
    named = parsed is not None and parsed.account != call.scope.account and parsed.key_id == reference
    if reference is not None and not named:
        key = find_key(call, reference, action)
        if parsed and (parsed.account, parsed.key_id) != (key.account, key.key_id):
            raise ServiceError(
                "IncorrectKeyException",
                "The key ID in the request does not identify a CMK that can perform this operation.",
            )
    else:
        key = _key_named_by(call, parsed, action)
    require_usage(call, key, KeyUsage.ENCRYPT_DECRYPT)
    if parsed is None and ciphertext is not None and algorithm == SYMMETRIC_DEFAULT:
        raise _invalid_ciphertext()
    require_state(call, key)
    require_algorithm(key, algorithm)
    _require_context_fits(algorithm, context)
    if ciphertext is None:
        return DecryptedCiphertext(key, b"", None)
    if algorithm != SYMMETRIC_DEFAULT:
        return DecryptedCiphertext(key, _open_rsa(call, key, algorithm, ciphertext), None)
    return _open_symmetric(call, key, parsed, context)


def _key_named_by(call: Call, parsed: ciphertext_blob.Ciphertext | None, action: str) -> KeyRow:
    if parsed is None:
        raise _invalid_ciphertext()
    if key_by_id(call.store, parsed.account, call.scope.region, parsed.key_id) is None:
        raise denied_elsewhere(call, f"kms:{action}")
    return find_key(
        call,
        f"arn:{call.scope.partition}:kms:{call.scope.region}:{parsed.account}:key/{parsed.key_id}",
        action,
    )


def _open_symmetric(
    call: Call, key: KeyRow, parsed: ciphertext_blob.Ciphertext | None, context: Mapping[str, str]
) -> DecryptedCiphertext:
    material = material_by_id(call.store, key, parsed.material_id) if parsed else None
    if parsed is None or material is None:
        raise _invalid_ciphertext()
    plaintext = parsed.open(cast(AESGCM, call.keyring.load(key, material)), context)
    if plaintext is None:
        raise _invalid_ciphertext()
    return DecryptedCiphertext(key, plaintext, material.material_id)


def _open_rsa(call: Call, key: KeyRow, algorithm: str, ciphertext: bytes) -> bytes:
    private_key = cast(rsa.RSAPrivateKey, load_current_material(call, key)[1])
    try:
        return private_key.decrypt(ciphertext, _OAEP[algorithm])
    except ValueError as error:
        raise _invalid_ciphertext() from error


def _invalid_ciphertext() -> ServiceError:
    return ServiceError("InvalidCiphertextException", "")


def re_encrypt(call: Call) -> JsonShape:
    params = call.params
    source_algorithm = params.get("SourceEncryptionAlgorithm", SYMMETRIC_DEFAULT)
    algorithm = params.get("DestinationEncryptionAlgorithm", SYMMETRIC_DEFAULT)
    context = params.get("DestinationEncryptionContext", {})
    opened = open_ciphertext(
        call,
        params.get("SourceKeyId"),
        source_algorithm,
        params.get("SourceEncryptionContext", {}),
        "sourceKeyId",
        "ReEncryptFrom",
    )
    key = key_of(call, params["DestinationKeyId"], KeyUsage.ENCRYPT_DECRYPT, "ReEncryptTo")
    require_algorithm(key, algorithm)
    require_fitting(key, algorithm, opened.plaintext, context)
    call.dry_run()
    ciphertext, material = seal(call, key, algorithm, opened.plaintext, context)
    call.used(opened.key)
    call.used(key)
    answer = {
        "CiphertextBlob": ciphertext,
        "SourceKeyId": call.arn(opened.key),
        "KeyId": call.arn(key),
        "SourceEncryptionAlgorithm": source_algorithm,
        "DestinationEncryptionAlgorithm": algorithm,
    }
    if opened.material_id is not None:
        answer["SourceKeyMaterialId"] = opened.material_id
    if material is not None:
        answer["DestinationKeyMaterialId"] = material
    return answer


OPERATIONS = {"Encrypt": encrypt, "Decrypt": decrypt, "ReEncrypt": re_encrypt}
