"""Data keys and data key pairs, with their plaintext and without, and random bytes."""

from __future__ import annotations

import os

from kms_tui.backend.local.crypto.encryption import seal
from kms_tui.backend.local.crypto.recipients import judge_recipient, secret_members
from kms_tui.backend.local.engine.call import Call, JsonShape
from kms_tui.backend.local.key_stores.key_store_rows import IN_KEY_STORES, key_store, require_connected
from kms_tui.backend.local.key_stores.key_store_settings import CLOUD_HSM
from kms_tui.backend.local.keys.key_lookup import key_of
from kms_tui.backend.local.keys.key_rotation import wrong_origin
from kms_tui.backend.local.store.key_material import SUPPORTED, generate_material, public_der
from kms_tui.backend.local.store.key_rows import KeyRow
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.keyspecs import SYMMETRIC_DEFAULT
from kms_tui.kms.model import KeyUsage

_SIZES = {"AES_128": 16, "AES_256": 32}


def generate_data_key(call: Call) -> JsonShape:
    return _data_key(call, with_plaintext=True)


def generate_data_key_without_plaintext(call: Call) -> JsonShape:
    return _data_key(call, with_plaintext=False)


def generate_data_key_pair(call: Call) -> JsonShape:
    return _data_key_pair(call, with_plaintext=True)


def generate_data_key_pair_without_plaintext(call: Call) -> JsonShape:
    return _data_key_pair(call, with_plaintext=False)


def _data_key(call: Call, *, with_plaintext: bool) -> JsonShape:
    params = call.params
    if ("KeySpec" in params) == ("NumberOfBytes" in params):
        raise ServiceError("ValidationException", "Please specify either number of bytes or key spec.")
    judge_recipient(call)
    key = _sealing_key(call)
    call.dry_run()
    plaintext = os.urandom(_SIZES[params["KeySpec"]] if "KeySpec" in params else params["NumberOfBytes"])
    ciphertext, material_id = _seal(call, key, plaintext)
    answer = {"CiphertextBlob": ciphertext, "KeyId": call.arn(key), "KeyMaterialId": material_id}
    return answer | (secret_members(call, "Plaintext", plaintext) if with_plaintext else {})


def _data_key_pair(call: Call, *, with_plaintext: bool) -> JsonShape:
    spec = call.params["KeyPairSpec"]
    judge_recipient(call)
    key = _sealing_key(call)
    if key.origin in IN_KEY_STORES:
        raise wrong_origin(call, key)
    if spec not in SUPPORTED:
        raise ServiceError(
            "UnsupportedOperationException",
            f"KeyPairSpec {spec} is not supported here: the cryptography library of this machine lacks it.",
        )
    call.dry_run()
    private_key = generate_material(spec)
    ciphertext, material_id = _seal(call, key, private_key)
    answer = {
        "PrivateKeyCiphertextBlob": ciphertext,
        "PublicKey": public_der(spec, private_key),
        "KeyId": call.arn(key),
        "KeyPairSpec": spec,
        "KeyMaterialId": material_id,
    }
    return answer | (secret_members(call, "PrivateKeyPlaintext", private_key) if with_plaintext else {})


def _sealing_key(call: Call) -> KeyRow:
    key = key_of(call, call.params["KeyId"], KeyUsage.ENCRYPT_DECRYPT)
    if key.spec != SYMMETRIC_DEFAULT:
        raise ServiceError(
            "InvalidKeyUsageException", "You cannot generate a data key with an asymmetric CMK"
        )
    return key


def _seal(call: Call, key: KeyRow, plaintext: bytes) -> tuple[bytes, str | None]:
    context = call.params.get("EncryptionContext", {})
    sealed = seal(call, key, SYMMETRIC_DEFAULT, plaintext, context)
    call.used(key)
    return sealed


def generate_random(call: Call) -> JsonShape:
    judge_recipient(call)
    call.authorize(call, None, "kms:GenerateRandom")
    if "NumberOfBytes" not in call.params:
        raise ServiceError("ValidationException", "NumberOfBytes is required.")
    if "CustomKeyStoreId" in call.params:
        found = key_store(call, call.params["CustomKeyStoreId"])
        if found.kind != CLOUD_HSM:
            raise ServiceError(
                "UnsupportedOperationException", "GenerateRandom is not supported in an external key store."
            )
        require_connected(found)
    return secret_members(call, "Plaintext", os.urandom(call.params["NumberOfBytes"]))


OPERATIONS = {
    "GenerateDataKey": generate_data_key,
    "GenerateDataKeyWithoutPlaintext": generate_data_key_without_plaintext,
    "GenerateDataKeyPair": generate_data_key_pair,
    "GenerateDataKeyPairWithoutPlaintext": generate_data_key_pair_without_plaintext,
    "GenerateRandom": generate_random,
}
