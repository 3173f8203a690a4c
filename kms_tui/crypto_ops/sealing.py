"""Encrypt, Decrypt and re-encrypt, by KMS itself or, over its limit, by envelope encryption."""

from __future__ import annotations

import io
from dataclasses import replace

from kms_tui.atomic import PRIVATE, atomic_file, file_errors
from kms_tui.backend.kms_facade import Kms
from kms_tui.crypto_ops.calls import OperationCall, call_of, direct, in_region, send, whole_input
from kms_tui.crypto_ops.check import OverLimit, limit_of
from kms_tui.crypto_ops.inputs import (
    MAX_IN_MEMORY,
    TAKEN_FROM,
    Entered,
    FromFile,
    Input,
    InputError,
    InputField,
    context_text,
)
from kms_tui.crypto_ops.request import Destination, OperationRequest
from kms_tui.crypto_ops.results import Fact, Part, Result, blob, plain
from kms_tui.envelope.streams import Progress, ProgressStep
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.keyspecs import CIPHERTEXT_STARTS, MAX_CIPHERTEXT
from kms_tui.kms.model import Secret

_STARTS = (b"\x01\x80", b"\x02")
"""The first bytes of Encryption SDK messages; other input does not need the slow import of the SDK."""


def encrypt(request: OperationRequest, kms: Kms, progress: Progress) -> Result:
    """Encrypt; over KMS's limit, and into a file, in the Encryption SDK's format."""
    assert request.given is not None
    if is_enveloped(request):
        return _written(request, _seal(request, kms, progress))
    return _written(request, direct(request, kms, progress))


def decrypt(request: OperationRequest, kms: Kms, progress: Progress) -> Result:
    """Decrypt a KMS ciphertext or an Encryption SDK message; the first bytes tell which."""
    assert request.given is not None
    if is_message(request.given):
        return _written(request, _open(request, kms, progress))
    data = whole_input(request) if request.given.size <= MAX_IN_MEMORY else None
    if data is None or len(data) > MAX_CIPHERTEXT:
        raise InputError(
            InputField.INPUT,
            f"This is not an Encryption SDK message; {request.given.size:,} bytes are too long for KMS.",
        )
    return _written(request, send(kms, call_of(request, data)))


def is_enveloped(request: OperationRequest) -> bool:
    """Whether Encrypt uses envelope encryption: over KMS's limit, and into a file."""
    limit = limit_of(request.operation, request.described_key, request.settings)
    if request.given is None or limit is None or limit.over is not OverLimit.ENVELOPE:
        return False
    return request.target is not None or request.given.size > limit.most


def is_message(given: Input) -> bool:
    """Whether an input begins like an Encryption SDK message; FileError if it cannot be read."""
    if isinstance(given, FromFile):
        from kms_tui.envelope.files import open_source
        from kms_tui.envelope.header import message_in

        with open_source(given.path) as (stream, _):
            return message_in(stream)[0] is not None
    start = given.data.reveal()[:4]
    if not start.startswith(_STARTS):
        return False
    from kms_tui.envelope.header import looks_like_message

    return looks_like_message(start)


def _written(request: OperationRequest, result: Result) -> Result:
    """Write the output to the target file, if there is one and it is not written yet; only its owner may read
    it.
    """
    if request.target is None or not result.parts:
        return result
    part = result.parts[0]
    with atomic_file(request.target, overwrite=request.overwrite, mode=PRIVATE) as file:
        file.write(part.value.reveal())
    sentence = f"{result.sentence} {len(part):,} bytes written to {request.target}.".lstrip()
    return replace(result, parts=(), sentence=sentence)


def _seal(request: OperationRequest, kms: Kms, progress: Progress) -> Result:
    from kms_tui.envelope.files import seal_file
    from kms_tui.envelope.message import seal

    assert request.key is not None
    progress, steps = _recording_steps(progress)
    parts: tuple[Part, ...] = ()
    keys, backend = [request.key.arn], kms.backend
    if isinstance(request.given, FromFile) and request.target is not None:
        sealed = seal_file(
            request.given.path,
            request.target,
            backend=backend,
            keys=keys,
            context=request.context,
            overwrite=request.overwrite,
            progress=progress,
        )
        sentence = f"{sealed.message_size:,} bytes written to {request.target}."
    else:
        data, message = _in_memory(request), io.BytesIO()
        sealed = seal(
            io.BytesIO(data.reveal()),
            message,
            backend=backend,
            keys=keys,
            context=request.context,
            total=len(data),
            progress=progress,
        )
        parts, sentence = (blob("Sealed message", message.getvalue()),), ""
    return Result(
        parts=parts,
        facts=(Fact("Format", "AWS Encryption SDK message"), Fact("Suite", sealed.info.suite)),
        steps=tuple(steps),
        sentence=f"Envelope encryption, as KMS itself encrypts up to 4,096 bytes. {sentence}".rstrip(),
        key_arn=request.key.arn,
    )


def _open(request: OperationRequest, kms: Kms, progress: Progress) -> Result:
    from kms_tui.envelope.files import unseal_file
    from kms_tui.envelope.header import message_in
    from kms_tui.envelope.message import unseal

    progress, steps = _recording_steps(progress)
    parts: tuple[Part, ...] = ()
    if isinstance(request.given, FromFile) and request.target is not None:
        opened = unseal_file(
            request.given.path,
            request.target,
            backend=kms.backend,
            context=request.context,
            overwrite=request.overwrite,
            progress=progress,
        )
        sentence = f"{opened.plaintext_size:,} bytes written to {request.target}."
    else:
        data, plaintext = _in_memory(request), io.BytesIO()
        message, _ = message_in(io.BytesIO(data.reveal()))
        assert message is not None  # is_message has found one
        opened = unseal(message, plaintext, backend=kms.backend, context=request.context, progress=progress)
        parts, sentence = (plain("Plaintext", plaintext.getvalue()),), ""
    return Result(
        parts=parts,
        facts=(
            Fact("Format", "AWS Encryption SDK message"),
            Fact("Suite", opened.info.suite),
            Fact("Context", context_text(opened.info.context)),
        ),
        steps=tuple(steps),
        sentence=sentence,
        key_arn=opened.key_arn,
    )


def _in_memory(request: OperationRequest) -> Secret:
    if isinstance(request.given, Entered):
        return request.given.data
    assert request.given is not None
    if request.given.size > MAX_IN_MEMORY:
        raise InputError(
            InputField.TARGET,
            f"A result of {request.given.size:,} bytes is too long to be shown.",
            next_step="Name the file to write it to.",
        )
    with file_errors(request.given.path, "read"):
        return Secret(request.given.path.read_bytes())


def _recording_steps(progress: Progress) -> tuple[Progress, list[str]]:
    """The progress, with the steps' sentences added to a list."""
    steps: list[str] = []

    def note(step: ProgressStep) -> None:
        steps.append(step.sentence)
        progress.step(step)

    return replace(progress, step=note), steps


_RSA_SIZES = {256: "RSA_2048", 384: "RSA_3072", 512: "RSA_4096"}


def ciphertext_facts(given: Entered) -> tuple[Fact, ...]:
    """Facts about a ciphertext, all untrusted; slow the first time."""
    origin = (Fact(TAKEN_FROM, given.origin),) if given.origin else ()
    return (*origin, *_facts_of_bytes(given))


def _facts_of_bytes(given: Entered) -> tuple[Fact, ...]:
    data = given.data.reveal()
    if is_message(given):
        return _of_message(data)
    from kms_tui.backend.local.engine import ciphertext_blob

    parsed = ciphertext_blob.parse(data)
    if parsed is not None:
        return (Fact("Key", parsed.key_id), Fact("Account", f"{parsed.account}, offline"))
    if data.startswith(CIPHERTEXT_STARTS):
        return (Fact("Format", "as AWS KMS makes it with a symmetric key, which only KMS can name"),)
    if len(data) in _RSA_SIZES:
        return (Fact("Format", f"as long as one of {_RSA_SIZES[len(data)]}; it would not name its key"),)
    return ()


def _of_message(data: bytes) -> tuple[Fact, ...]:
    from kms_tui.envelope.header import describe

    try:
        info = describe(data)
    except KmsTuiError as error:
        return (Fact("Format", str(error)),)
    return (
        Fact("Format", "AWS Encryption SDK message"),
        *(Fact("Key", key.name) for key in info.keys),
        Fact("Suite", info.suite),
        Fact("Context", context_text(info.context)),
    )


def re_encrypt(request: OperationRequest, kms: Kms, progress: Progress) -> Result:
    """ReEncrypt, or a move across regions; neither shows the plaintext."""
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
        return direct(request, kms, progress)
    if opens_at_destination(request, destination):
        return _no_move_needed(destination)
    return _move(request, destination, kms)


def opens_at_destination(request: OperationRequest, destination: Destination) -> bool:
    """Whether the destination can decrypt the ciphertext as it is: one multi-Region key, same context."""
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
    """Decrypt in one region and Encrypt in the other; the second call still needs its Plaintext."""
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
    if opens_at_destination(replace(request, key=source), destination):
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
