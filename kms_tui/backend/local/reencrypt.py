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
    source, plaintext, source_material = open_ciphertext(
        call,
        params.get("SourceKeyId"),
        source_algorithm,
        params.get("SourceEncryptionContext", {}),
        "sourceKeyId",
        "ReEncryptFrom",
    )
    key = key_of(call, params["DestinationKeyId"], KeyUsage.ENCRYPT_DECRYPT, "ReEncryptTo")
    require_algorithm(key, algorithm)
    require_fitting(key, algorithm, plaintext, context)
    call.dry_run()
    ciphertext, material = seal(call, key, algorithm, plaintext, context)
    call.used(source)
    call.used(key)
    answer = {
        "CiphertextBlob": ciphertext,
        "SourceKeyId": call.arn(source),
        "KeyId": call.arn(key),
        "SourceEncryptionAlgorithm": source_algorithm,
        "DestinationEncryptionAlgorithm": algorithm,
    }
    if source_material is not None:
        answer["SourceKeyMaterialId"] = source_material
    if material is not None:
        answer["DestinationKeyMaterialId"] = material
    return answer


OPERATIONS = {"ReEncrypt": re_encrypt}
