"""What can be said of a request before anything is sent."""

from __future__ import annotations

from kms_tui.kms.keyspecs import MAX_CIPHERTEXT
from kms_tui.scratch.fields import Field, InputError
from kms_tui.scratch.limits import Beyond, Limit, limit_of
from kms_tui.scratch.operations import Name, Operation, Role
from kms_tui.scratch.request import Request
from kms_tui.scratch.settings import NUMBER_OF_BYTES, number_of_bytes


def check(request: Request) -> None:
    """Raise InputError for the first thing that is missing or cannot be right."""
    check_for_command(request)
    operation = request.operation
    if request.role is None:
        return
    if request.given is None or request.given.size == 0:
        raise InputError(Field.INPUT, f"The {request.role.noun} is empty.", next_step=_ASK[request.role])
    limit = limit_of(operation, request.described_key, request.settings)
    if limit is not None:
        check_size(request, limit, request.given.size)


def check_for_command(request: Request) -> None:
    """Raise InputError for what a command for the request needs: all of it but the main input."""
    operation = request.operation
    if operation.needs_key and request.key is None:
        raise InputError(Field.KEY, f"{operation.title} needs a key.", next_step="Choose one.")
    _check_settings(request)
    if operation.name is Name.RE_ENCRYPT and request.destination is None:
        raise InputError(Field.DESTINATION, "Choose the key to move the ciphertext to.")
    _check_second(request)


def check_size(request: Request, limit: Limit, size: int) -> None:
    """InputError where an input of ``size`` bytes is one that KMS would refuse."""
    if limit.exact and size != limit.most:
        message_type = request.settings.get("message_type", "")
        raise InputError(
            Field.INPUT,
            f"{request.algorithm} takes a {message_type} of {limit.most} bytes; here are {size:,}.",
            next_step=limit.why,
        )
    if size > limit.most and limit.beyond is Beyond.REFUSED:
        noun = request.role.noun if request.role else "input"
        under = f" under {request.algorithm}" if request.algorithm and noun != "ciphertext" else ""
        raise InputError(
            Field.INPUT,
            f"The {noun}{under} has at most {limit.most:,} bytes; here are {size:,}.",
            next_step=limit.why,
        )


def _check_settings(request: Request) -> None:
    for name in ("random_bytes", "number_of_bytes"):
        asked = name in request.operation.settings
        if name == "number_of_bytes":
            asked = asked and request.settings.get("data_key_spec") == NUMBER_OF_BYTES
        if asked:
            number_of_bytes(request.settings, name)


def _check_second(request: Request) -> None:
    if len(request.operation.roles) < 2:
        return
    role = request.operation.roles[1]
    if request.second is None or not request.second.size:
        raise InputError(Field.SECOND, f"The {role.noun} is empty.", next_step=_ASK[role])
    if request.second.size > 2 * MAX_CIPHERTEXT:
        raise InputError(
            Field.SECOND, f"No {role.noun} has {request.second.size:,} bytes; here is something else."
        )


_ASK = {
    Role.PLAINTEXT: "Type or paste it, or name a file.",
    Role.MESSAGE: "Type or paste it, or name a file.",
    Role.CIPHERTEXT: "Paste it in base64 or hex, or name a file.",
    Role.SIGNATURE: "Paste it in base64 or hex.",
    Role.MAC: "Paste it in base64 or hex.",
    Role.PUBLIC_KEY: "Paste the other side's public key: PEM, or DER in base64.",
}


def takes_context(operation: Operation, algorithm: str) -> bool:
    """Whether an encryption context can be given: with symmetric keys only."""
    return operation.context and algorithm in ("", "SYMMETRIC_DEFAULT")
