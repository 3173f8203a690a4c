"""Recipient: answers whose secret only an attested enclave or instance can read.

Source: the developer guide (cryptographic-attestation). What it takes to read documents is imported with the
first one.
"""

from __future__ import annotations

from kms_tui.backend.local.attestation.attestations import AttestationError
from kms_tui.backend.local.engine.call import Call, JsonShape
from kms_tui.kms.errors import ServiceError

_ALGORITHM = "RSAES_OAEP_SHA_256"


def judge_recipient(call: Call) -> None:
    """Note what the request's Recipient attests, before policies are asked; nothing where it has none.

    ValidationException for a document that is not believed.
    """
    recipient = call.params.get("Recipient")
    if recipient is None:
        return
    for member in ("KeyEncryptionAlgorithm", "AttestationDocument"):
        if member not in recipient:
            raise _refusal(f"it has no {member}")
    from kms_tui.backend.local.attestation.attestation_documents import read_attestation

    try:
        call.attestation = read_attestation(
            recipient["AttestationDocument"], call.attestation_trust, call.now
        )
    except AttestationError as error:
        raise _refusal(f"the attestation document is not believed, as {error}") from error


def _refusal(reason: str) -> ServiceError:
    return ServiceError("ValidationException", f"Recipient is refused: {reason}.")


def secret_members(call: Call, member: str, secret: bytes) -> JsonShape:
    """What an answer has of a secret: itself as ``member``, or what an attested recipient alone can read."""
    if call.attestation is None:
        return {member: secret}
    from kms_tui.backend.local.attestation.enveloped_data import enveloped

    return {"CiphertextForRecipient": enveloped(secret, call.attestation.public_key)}
