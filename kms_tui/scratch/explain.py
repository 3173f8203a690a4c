"""What an error means for the request that met it, and which field it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kms_tui.atomic import AlreadyThereError, FileError
from kms_tui.envelope.errors import (
    AlteredError,
    ContextMismatchError,
    CutShortError,
    KeysRefusedError,
    NotAMessageError,
    PieceTooLargeError,
    UncommittedError,
)
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.scratch.fields import Field, InputError
from kms_tui.scratch.operations import Name
from kms_tui.scratch.request import Request


@dataclass(frozen=True, slots=True)
class Problem:
    """A sentence for a person, and where it is shown; both texts are untrusted."""

    field: Field
    sentence: str
    next_step: str = ""

    @property
    def text(self) -> str:
        return f"{self.sentence} {self.next_step}".rstrip()


_KEY_CODES = frozenset(
    {
        "DisabledException",
        "KMSInvalidStateException",
        "NotFoundException",
        "InvalidKeyUsageException",
        "KeyUnavailableException",
        "InvalidArnException",
    }
)
_FILE_FIELDS: Mapping[type[KmsTuiError], Field] = {
    AlteredError: Field.INPUT,
    CutShortError: Field.INPUT,
    NotAMessageError: Field.INPUT,
    PieceTooLargeError: Field.INPUT,
    UncommittedError: Field.INPUT,
    ContextMismatchError: Field.CONTEXT,
    KeysRefusedError: Field.KEY,
    AlreadyThereError: Field.TARGET,
}
_ELSEWHERE = (
    "The ciphertext refers to a customer master key that does not exist",
    "on the resource associated with this ciphertext because the resource does not exist",
)
"""What KMS says of a ciphertext whose key the caller is not to know of, formerly and now."""


def explain(error: KmsTuiError, request: Request) -> Problem:
    """The problem as it concerns this request; AWS's own words stay wherever they say something."""
    if isinstance(error, InputError):
        return Problem(error.field, str(error), error.next_step)
    if isinstance(error, ServiceError):
        return _of_service(error, request)
    if isinstance(error, FileError) and not isinstance(error, AlreadyThereError):
        written = request.target is not None and str(error).startswith(str(request.target))
        return Problem(Field.TARGET if written else Field.INPUT, str(error), error.next_step)
    field = _FILE_FIELDS.get(type(error), Field.RESULT)
    return Problem(field, str(error), error.next_step)


def _of_service(error: ServiceError, request: Request) -> Problem:
    if error.code == "InvalidCiphertextException":
        return _invalid_ciphertext(request)
    if error.code == "IncorrectKeyException":
        name = request.key.name if request.key else "this key"
        return Problem(
            Field.KEY,
            f"The ciphertext was not made under {name}.",
            "Take the key away: KMS finds it from the ciphertext.",
        )
    if error.denied and any(words in error.message for words in _ELSEWHERE):
        return Problem(
            Field.INPUT,
            f"The key of this ciphertext is not in {request.region}, is of another account that does not let "
            "you use it, or is gone.",
            "A ciphertext opens in its own region only: try the region that it was made in.",
        )
    in_destination = request.destination is not None and request.destination.key.arn in error.message
    if in_destination:
        return Problem(Field.DESTINATION, str(error), error.next_step)
    if error.code in _KEY_CODES or error.denied:
        return Problem(Field.KEY, str(error), error.next_step)
    return Problem(Field.RESULT, str(error), error.next_step)


def _invalid_ciphertext(request: Request) -> Problem:
    if request.operation.name is Name.DECAPSULATE:
        return Problem(
            Field.INPUT, "This ciphertext has not the length that the key's spec gives.", "Paste it whole."
        )
    if request.algorithm not in ("", "SYMMETRIC_DEFAULT"):
        return Problem(
            Field.INPUT,
            f"This was not encrypted to this key with {request.algorithm}, or it was altered.",
            "Check the key and the algorithm: an RSA ciphertext names neither.",
        )
    given = "Its names and values count to the letter." if request.context else "None is given here."
    return Problem(
        Field.INPUT,
        "KMS cannot open this: the ciphertext was altered or cut, or its encryption context is another.",
        f"Check both. {given}",
    )
