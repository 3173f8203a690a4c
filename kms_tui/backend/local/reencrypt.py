"""ReEncrypt: out of one ciphertext into another, without the plaintext leaving."""

from __future__ import annotations

from kms_tui.backend.local.call import Call, JsonShape
from kms_tui.backend.local.encryption import open_ciphertext, require_fitting, seal
from kms_tui.backend.local.usage import key_of, require_algorithm
from kms_tui.kms.keyspecs import SYMMETRIC_DEFAULT
from kms_tui.kms.model import KeyUsage


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


OPERATIONS = {"ReEncrypt": re_encrypt}
