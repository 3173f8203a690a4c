"""A request as text that someone else can run."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace

from kms_tui.crypto_ops.calls import OperationCall, call_of, with_second_read
from kms_tui.crypto_ops.check import OverLimit, limit_of
from kms_tui.crypto_ops.request import OperationRequest
from kms_tui.crypto_ops.scratchpad_operations import OPERATIONS, OperationName
from kms_tui.crypto_ops.sealing import is_enveloped, move_calls
from kms_tui.kms.keyspecs import SIGNING_ALGORITHMS
from kms_tui.kms.model import Secret


@dataclass(frozen=True, slots=True)
class CommandConnection:
    """The connection of a command; "" is left out."""

    profile: str = ""
    endpoint_url: str = ""


def shell_line(request: OperationRequest, where: CommandConnection) -> str:
    """``aws kms …``, or ``kms-tui encrypt`` for an input over KMS's limit. Slow the first time.

    The input is in a file named INPUT. Raises InputError for a setting that is not valid.
    """
    if request.operation.name is OperationName.ENCRYPT and is_enveloped(request):
        return _envelope_line(request, where)
    calls = _calls(with_second_read(request))
    if len(calls) == 1:
        return _aws(calls[0], where)
    decrypt, encrypt = calls
    opened = f"{_aws(decrypt, where)} --query Plaintext --output text | base64 -d"
    return f"{opened} | {_aws(encrypt, where, input_file='/dev/stdin')}"


def python_code(request: OperationRequest, where: CommandConnection) -> str:
    """Python with boto3; for an envelope, the call that creates its data key. Slow the first time."""
    if request.operation.name is OperationName.ENCRYPT and is_enveloped(request):
        request = replace(
            request, operation=OPERATIONS[OperationName.DATA_KEY], settings={"data_key_spec": "AES_256"}
        )
    calls = _calls(with_second_read(request))
    if len(calls) == 1:
        return _boto3(calls[0], where)
    decrypt, encrypt = calls
    second = _boto3(encrypt, where).replace("Path('INPUT').read_bytes()", "answer['Plaintext']")
    return f"{_boto3(decrypt, where)}\n{second}"


def input_note(request: OperationRequest) -> str:
    """The content of the file INPUT, if it is not the input itself; else ""."""
    if not _digest_type(request):
        return ""
    digest = SIGNING_ALGORITHMS[request.algorithm].digest
    return f"INPUT is the message's {digest.upper().replace('SHA', 'SHA-') if digest else 'mu'}, in binary."


def _calls(request: OperationRequest) -> tuple[OperationCall, ...]:
    """The API calls of a request, with an empty main input."""
    destination = request.destination
    if destination is not None and destination.key.region != request.region:
        return move_calls(request, destination, b"")
    return (call_of(request, Secret(b""), message_type=_digest_type(request)),)


def _digest_type(request: OperationRequest) -> str:
    """The message type for a message too long for Sign or Verify; "" for others."""
    limit = limit_of(request.operation, request.described_key, request.settings)
    if limit is None or limit.over is not OverLimit.DIGEST or request.operation.api == "GetPublicKey":
        return ""
    if request.given is None or request.given.size <= limit.most:
        return ""
    return SIGNING_ALGORITHMS[request.algorithm].message_types[-1]


def _aws(call: OperationCall, where: CommandConnection, input_file: str = "INPUT") -> str:
    from kms_tui.command_text import aws_cli

    return aws_cli(
        call.operation,
        call.given,
        region=call.region,
        profile=where.profile,
        endpoint_url=where.endpoint_url,
        input_file=input_file,
    )


def _boto3(call: OperationCall, where: CommandConnection) -> str:
    from kms_tui.command_text import boto3_code

    return boto3_code(
        call.operation, call.given, region=call.region, profile=where.profile, endpoint_url=where.endpoint_url
    )


def _envelope_line(request: OperationRequest, where: CommandConnection) -> str:
    words = ["kms-tui", "encrypt", "INPUT", "-o", "OUTPUT"]
    words += ["--key", request.key.arn if request.key else ""]
    for name, value in request.context.items():
        words += ["--context", f"{name}={value}"]
    for flag, value in (
        ("--region", request.region),
        ("--profile", where.profile),
        ("--endpoint-url", where.endpoint_url),
    ):
        if value:
            words += [flag, value]
    return shlex.join(words)
