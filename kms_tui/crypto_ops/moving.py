"""Re-encrypt: by KMS where one region serves, else decrypted here and encrypted there."""

from __future__ import annotations

from dataclasses import replace

from kms_tui.backend.kms_facade import Kms
from kms_tui.crypto_ops.calls import OperationCall, call_of, direct, in_region, send, whole_input
from kms_tui.crypto_ops.inputs import InputError, InputField
from kms_tui.crypto_ops.request import Destination, OperationRequest
from kms_tui.crypto_ops.results import Result
from kms_tui.crypto_ops.sealing import is_message
from kms_tui.envelope.streams import Progress


def re_encrypt(request: OperationRequest, kms: Kms, watch: Progress) -> Result:
    """ReEncrypt, or the move across regions; in neither is the plaintext shown."""
    destination = request.destination
    assert destination is not None
    assert request.given is not None
    if is_message(request.given):
        raise InputError(
            InputField.INPUT,
            "This is an Encryption SDK message, which KMS cannot re-encrypt.",
            next_step="Decrypt it, and encrypt the result under the other key.",
        )
    if destination.key.region == request.region:
        return direct(request, kms, watch)
    if opens_there(request, destination):
        return _no_move_needed(destination)
    return _move(request, destination, kms)


def opens_there(request: OperationRequest, destination: Destination) -> bool:
    """Whether the ciphertext opens at the destination as it is: one multi-Region key, the same context."""
    return (
        request.key is not None
        and request.key.region != destination.key.region
        and request.key.serves_in(destination.key)
        and request.context == destination.context
    )


def _no_move_needed(destination: Destination) -> Result:
    return Result(
        sentence=f"No move is needed: {destination.key.name} is a multi-Region key, and this ciphertext "
        f"opens in {destination.key.region} as it is.",
        key_arn=destination.key.arn,
    )


def move_calls(
    request: OperationRequest, destination: Destination, ciphertext: bytes
) -> tuple[OperationCall, OperationCall]:
    """Decrypt here and Encrypt there; the second still lacks its Plaintext."""
    members = call_of(request).params
    decrypt = OperationCall(
        "Decrypt",
        {
            "CiphertextBlob": ciphertext,
            "KeyId": members["SourceKeyId"],
            "EncryptionContext": members["SourceEncryptionContext"],
            "EncryptionAlgorithm": members["SourceEncryptionAlgorithm"],
        },
        request.region,
    )
    encrypt = OperationCall(
        "Encrypt",
        {
            "KeyId": members["DestinationKeyId"],
            "Plaintext": b"",
            "EncryptionContext": members["DestinationEncryptionContext"],
            "EncryptionAlgorithm": members["DestinationEncryptionAlgorithm"],
        },
        destination.key.region,
    )
    return decrypt, encrypt


def _move(request: OperationRequest, destination: Destination, kms: Kms) -> Result:
    ciphertext = whole_input(request)
    assert ciphertext is not None
    decrypt, encrypt = move_calls(request, destination, ciphertext.reveal())
    opened = send(kms, decrypt)
    source = replace(destination.key, arn=opened.key_arn, region=request.region)
    if opens_there(replace(request, key=source), destination):
        return _no_move_needed(destination)
    plaintext = {"Plaintext": opened.parts[0].value.reveal()}
    sealed = send(in_region(kms, encrypt.region), replace(encrypt, params={**encrypt.params, **plaintext}))
    return replace(
        sealed,
        sentence=f"Moved from {decrypt.region} to {encrypt.region}.",
        steps=(
            f"Decrypted in {decrypt.region} under {opened.key_arn}.",
            f"Encrypted in {encrypt.region} under {sealed.key_arn}.",
            "Forgot the plaintext; it was not shown.",
        ),
    )
