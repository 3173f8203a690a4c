"""The limits of inputs, the check of a request before it is sent, and explanations of errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from kms_tui.atomic import AlreadyThereError, FileError
from kms_tui.crypto_ops.inputs import MAX_IN_MEMORY, FromFile, Input, InputError, InputField
from kms_tui.crypto_ops.request import NUMBER_OF_BYTES, OperationRequest, number_of_bytes
from kms_tui.crypto_ops.scratchpad_operations import Operation, OperationName, Role
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
from kms_tui.kms.keyspecs import (
    DIGEST,
    EXTERNAL_MU,
    KEY_SPECS,
    MAX_CIPHERTEXT,
    MAX_PLAINTEXT,
    RAW,
    SIGNING_ALGORITHMS,
    SYMMETRIC_DEFAULT,
)
from kms_tui.kms.model import Key

MAX_PUBLIC_KEY = 8192
"""PublicKeyType of the service model."""


class OverLimit(Enum):
    """What happens to an input over the limit."""

    REFUSED = auto()
    ENVELOPE = auto()
    """A data key encrypts it here, in the Encryption SDK's format; KMS encrypts the data key."""
    DIGEST = auto()
    """Its digest is signed instead; the signature is the same."""


@dataclass(frozen=True, slots=True)
class Limit:
    """KMS takes at most ``most`` bytes; with ``exact``, exactly that many."""

    most: int
    over: OverLimit = OverLimit.REFUSED
    exact: bool = False
    why: str = ""
    """For a refusal: a sentence about what to do instead."""


_CIPHERTEXT = Limit(MAX_CIPHERTEXT, why="KMS makes no ciphertext longer than that.")
_DIGEST_WORDS = {DIGEST: "digest", EXTERNAL_MU: "mu"}
_DECRYPTED = Limit(MAX_CIPHERTEXT, OverLimit.ENVELOPE)


def limit_of(operation: Operation, key: Key | None, settings: Mapping[str, str]) -> Limit | None:
    """The limit of the operation's main input; None without an input or without a described key."""
    algorithm = settings.get("algorithm", "")
    match operation.name:
        case OperationName.ENCRYPT | OperationName.ENCRYPT_OFFLINE:
            return _encryption(key, algorithm)
        case OperationName.DECRYPT:
            return _DECRYPTED
        case OperationName.RE_ENCRYPT | OperationName.DECAPSULATE:
            return _CIPHERTEXT
        case OperationName.SIGN | OperationName.VERIFY | OperationName.VERIFY_OFFLINE:
            return _signing(algorithm, settings.get("message_type", RAW))
        case OperationName.GENERATE_MAC | OperationName.VERIFY_MAC:
            return Limit(MAX_PLAINTEXT, why="A MAC takes whole messages; authenticate a digest instead.")
        case OperationName.DERIVE:
            return Limit(MAX_PUBLIC_KEY, why="No public key is that long.")
    return None


def _encryption(key: Key | None, algorithm: str) -> Limit | None:
    spec = KEY_SPECS.get(key.spec) if key else None
    if spec is None or algorithm not in spec.max_plaintext:
        return None
    if algorithm == SYMMETRIC_DEFAULT:
        return Limit(MAX_PLAINTEXT, OverLimit.ENVELOPE)
    why = "Envelope encryption, for any size, needs a symmetric key."
    return Limit(spec.max_plaintext[algorithm], why=why)


def _signing(algorithm: str, message_type: str) -> Limit | None:
    rules = SIGNING_ALGORITHMS.get(algorithm)
    if rules is None:
        return None
    if message_type != RAW:
        why = f"Choose RAW if this is the message, not its {_DIGEST_WORDS[message_type]}."
        return Limit(rules.digest_size, exact=True, why=why)
    if {DIGEST, EXTERNAL_MU} & set(rules.message_types):
        return Limit(MAX_PLAINTEXT, OverLimit.DIGEST)
    return Limit(MAX_PLAINTEXT, why=f"{algorithm} signs whole messages only.")


def check(request: OperationRequest) -> None:
    """Raise InputError for the first missing or invalid part."""
    check_for_command(request)
    operation = request.operation
    if request.role is None:
        return
    if request.given is None or request.given.size == 0:
        raise InputError(
            InputField.INPUT, f"The {request.role.noun} is empty.", next_step=_NEXT_STEPS[request.role]
        )
    limit = limit_of(operation, request.described_key, request.settings)
    decoded_later = request.role.is_binary and _is_small_file(request.given)
    if limit is not None and not decoded_later:
        check_size(request, limit, request.given.size)


def _is_small_file(given: Input) -> bool:
    """Whether the input is a file that may be text, whose size says little about the bytes in it."""
    return isinstance(given, FromFile) and given.size <= MAX_IN_MEMORY


def check_for_command(request: OperationRequest) -> None:
    """Raise InputError for the first missing or invalid part of a command: all but the main input."""
    operation = request.operation
    if operation.needs_key and request.key is None:
        raise InputError(InputField.KEY, f"{operation.title} needs a key.", next_step="Choose one.")
    _check_settings(request)
    if operation.name is OperationName.RE_ENCRYPT and request.destination is None:
        raise InputError(InputField.DESTINATION, "Choose the key to move the ciphertext to.")
    _check_second(request)


def check_size(request: OperationRequest, limit: Limit, size: int) -> None:
    """Raise InputError for an input of ``size`` bytes that KMS would refuse."""
    if limit.exact and size != limit.most:
        message_type = request.settings.get("message_type", "")
        raise InputError(
            InputField.INPUT,
            f"{request.algorithm} takes a {message_type} of {limit.most} bytes; here are {size:,}.",
            next_step=limit.why,
        )
    if size > limit.most and limit.over is OverLimit.REFUSED:
        noun = request.role.noun if request.role else "input"
        under = f" under {request.algorithm}" if request.algorithm and noun != "ciphertext" else ""
        raise InputError(
            InputField.INPUT,
            f"The {noun}{under} has at most {limit.most:,} bytes; here are {size:,}.",
            next_step=limit.why,
        )


def _check_settings(request: OperationRequest) -> None:
    for name in ("random_bytes", "number_of_bytes"):
        asked = name in request.operation.settings
        if name == "number_of_bytes":
            asked = asked and request.settings.get("data_key_spec") == NUMBER_OF_BYTES
        if asked:
            number_of_bytes(request.settings, name)


def _check_second(request: OperationRequest) -> None:
    if len(request.operation.roles) < 2:
        return
    role = request.operation.roles[1]
    if request.second is None or not request.second.size:
        raise InputError(InputField.SECOND, f"The {role.noun} is empty.", next_step=_NEXT_STEPS[role])
    if request.second.size > 2 * MAX_CIPHERTEXT:
        raise InputError(
            InputField.SECOND, f"No {role.noun} has {request.second.size:,} bytes; this is something else."
        )


_NEXT_STEPS = {
    Role.PLAINTEXT: "Type or paste it, or name a file.",
    Role.MESSAGE: "Type or paste it, or name a file.",
    Role.CIPHERTEXT: "Paste it in base64 or hex, or name a file.",
    Role.SIGNATURE: "Paste it in base64 or hex.",
    Role.MAC: "Paste it in base64 or hex.",
    Role.PUBLIC_KEY: "Paste the other side's public key: PEM, base64, JWK, SSH line, certificate.",
}


def takes_context(operation: Operation, algorithm: str) -> bool:
    """Whether the operation takes an encryption context: with symmetric keys only."""
    return operation.context and algorithm in ("", "SYMMETRIC_DEFAULT")


@dataclass(frozen=True, slots=True)
class ExplainedError:
    """A sentence for a person and the field that shows it; both texts are untrusted."""

    field: InputField
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
_FILE_FIELDS: Mapping[type[KmsTuiError], InputField] = {
    AlteredError: InputField.INPUT,
    CutShortError: InputField.INPUT,
    NotAMessageError: InputField.INPUT,
    PieceTooLargeError: InputField.INPUT,
    UncommittedError: InputField.INPUT,
    ContextMismatchError: InputField.CONTEXT,
    KeysRefusedError: InputField.KEY,
    AlreadyThereError: InputField.TARGET,
}
_HIDDEN_KEY_MESSAGES = (
    "The ciphertext refers to a customer master key that does not exist",
    "on the resource associated with this ciphertext because the resource does not exist",
)
"""KMS's old and new messages for a ciphertext whose key the caller may not know."""


def explain(error: KmsTuiError, request: OperationRequest) -> ExplainedError:
    """The error as it concerns this request; AWS's own words stay if they help."""
    if isinstance(error, InputError):
        return ExplainedError(error.field, str(error), error.next_step)
    if isinstance(error, ServiceError):
        return _of_service(error, request)
    if isinstance(error, FileError) and not isinstance(error, AlreadyThereError):
        written = request.target is not None and str(error).startswith(str(request.target))
        return ExplainedError(InputField.TARGET if written else InputField.INPUT, str(error), error.next_step)
    field = _FILE_FIELDS.get(type(error), InputField.RESULT)
    return ExplainedError(field, str(error), error.next_step)


def _of_service(error: ServiceError, request: OperationRequest) -> ExplainedError:
    if error.code == "InvalidCiphertextException":
        return _invalid_ciphertext(request)
    if error.code == "IncorrectKeyException":
        name = request.key.name if request.key else "this key"
        return ExplainedError(
            InputField.KEY,
            f"The ciphertext was not made under {name}.",
            "Remove the key: KMS finds it from the ciphertext.",
        )
    if error.denied and any(words in error.message for words in _HIDDEN_KEY_MESSAGES):
        return ExplainedError(
            InputField.INPUT,
            f"The key of this ciphertext is not in {request.region}, belongs to another account that does "
            "not let you use it, or is deleted.",
            "A ciphertext can be decrypted only in its own region: try the region where it was encrypted.",
        )
    in_destination = request.destination is not None and request.destination.key.arn in error.message
    if in_destination:
        return ExplainedError(InputField.DESTINATION, str(error), error.next_step)
    if error.code in _KEY_CODES or error.denied:
        return ExplainedError(InputField.KEY, str(error), error.next_step)
    return ExplainedError(InputField.RESULT, str(error), error.next_step)


def _invalid_ciphertext(request: OperationRequest) -> ExplainedError:
    if request.operation.name is OperationName.DECAPSULATE:
        return ExplainedError(
            InputField.INPUT, "The length of this ciphertext does not fit the key's spec.", "Paste it whole."
        )
    if request.algorithm not in ("", "SYMMETRIC_DEFAULT"):
        return ExplainedError(
            InputField.INPUT,
            f"This was not encrypted to this key with {request.algorithm}, or it was altered.",
            "Check the key and the algorithm: an RSA ciphertext names neither.",
        )
    given = "Its names and values must match exactly." if request.context else "None is given here."
    return ExplainedError(
        InputField.INPUT,
        "KMS cannot open this: the ciphertext was altered or cut, or its encryption context differs.",
        f"Check both. {given}",
    )
