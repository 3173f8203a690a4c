"""Reads typed text, files and encryption contexts; errors name the field."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from kms_tui.atomic import file_errors
from kms_tui.crypto_ops.scratchpad_operations import Role
from kms_tui.formats import Format, FormatError, decode, detect, members_once, readings
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.model import Secret

TYPED_FORMATS = (Format.TEXT, Format.BASE64, Format.BASE64URL, Format.HEX)
"""The formats of typed text."""
MAX_IN_MEMORY = 1 << 20
"""Files of at most this many bytes are read whole; larger ones are streamed."""

_LIKE_HEX = re.compile(r"\s*(?:0x)?[0-9a-fA-F:\s]+\Z")
_PLAIN_FORMS = ("DER", "DER in base64", "DER in base64url", "DER in hex")


TAKEN_FROM = "Taken from"
"""The label of an input's origin."""


@dataclass(frozen=True, slots=True)
class Entered:
    """Bytes that were typed, pasted or taken from another operation's output."""

    data: Secret
    origin: str = ""
    """What the bytes were taken out of, where it was more than a text in a format; untrusted."""

    @property
    def size(self) -> int:
        return len(self.data)


@dataclass(frozen=True, slots=True)
class FromFile:
    """A file, read when the operation runs."""

    path: Path
    size: int
    """Bytes, when the file was chosen."""


Input = Entered | FromFile


def detected_format(text: str, role: Role, exact: int | None = None) -> Format:
    """The format of typed text, unless the user chooses one.

    ``exact`` is the required number of bytes, as for a digest: a format with that number comes first, since
    the 64 hex digits of a SHA-256 are 32 bytes.
    """
    if role.is_binary and "-----BEGIN" in text:
        return Format.TEXT  # and not base64url, whose digits dashes are
    if exact is not None:
        for form in readings(text):
            if len(decode(text, form)) == exact:
                return form
    return detect(text.strip() if role.is_binary else text, expect_binary=role.is_binary)


def other_formats(text: str, form: Format) -> tuple[Format, ...]:
    """The other formats that fit the text."""
    return tuple(reading for reading in readings(text) if reading is not form)


def read_text(text: str, form: Format, role: Role) -> Entered:
    """The bytes of typed text; FormatError names the place of an error, or what the text is instead.

    A public key is read in any form. A ciphertext, a signature or a MAC is taken out of KMS's answer, of
    quotes, or of a sops file.
    """
    if role is Role.PUBLIC_KEY:
        return _public_key(text, form)
    if not role.is_binary:
        return Entered(Secret(decode(text, form)))
    from kms_tui.crypto_ops.pasted_inputs import refuse_structures, take  # the first rows do without

    if form is not Format.TEXT:
        data = decode(text, form)
        refuse_structures(data, role)
        return Entered(Secret(data))
    taken = take(text, role)
    if taken is not None:
        return Entered(Secret(taken.data), taken.origin)
    raise FormatError(
        f"This is not a {role.noun} in base64 or hex. {_why_not(text)}",
        0,
        next_step="Paste it whole, or name a file.",
    )


def _public_key(text: str | bytes, form: Format) -> Entered:
    """The key as a SubjectPublicKeyInfo. Bytes that are unknown here go to KMS as they are."""
    from kms_tui.public_key import PublicKeyError
    from kms_tui.signing.public_key_reading import SecretGivenError, read_public_key

    try:
        read = read_public_key(text)
    except PublicKeyError as error:
        if form is Format.TEXT or isinstance(error, SecretGivenError):
            raise FormatError(str(error), 0, next_step=error.next_step) from None
        return Entered(Secret(decode(text, form)))
    return Entered(Secret(read.key.der), "" if read.form in _PLAIN_FORMS else read.form)


def _why_not(text: str) -> str:
    """The fault of text that fits no binary format, by the format that it resembles most."""
    form = Format.HEX if _LIKE_HEX.match(text) else Format.BASE64
    try:
        decode(text, form)
    except FormatError as error:
        return f"As {form.value}: {error}"
    return ""


def file_input(path: Path) -> FromFile:
    """A file as an input; FileError if it does not exist or is not a regular, readable file."""
    with file_errors(path, "read"):
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(0, "it is a directory")
        if not stat.S_ISREG(found.st_mode):
            raise OSError(0, "it is not a regular file")
        if not os.access(path, os.R_OK):
            raise PermissionError(0, "you may not read it")
    return FromFile(path, found.st_size)


def read_whole(given: Input, role: Role, most: int = MAX_IN_MEMORY) -> Secret:
    """The bytes of an input of at most ``most`` bytes; a file is not read further.

    A small file with a binary input is decoded like typed text, since the AWS CLI's output is often saved so.
    InputError for text that holds something else.
    """
    if isinstance(given, Entered):
        return given.data
    with file_errors(given.path, "read"), given.path.open("rb") as file:
        content = file.read(most + 1)
    if role.is_binary and len(content) <= MAX_IN_MEMORY:
        try:
            return _decoded(content, role)
        except FormatError as error:
            field = InputField.SECOND if role in (Role.SIGNATURE, Role.MAC) else InputField.INPUT
            raise InputError(field, str(error), next_step=error.next_step) from error
    return Secret(content)


def _decoded(content: bytes, role: Role) -> Secret:
    from kms_tui.crypto_ops.pasted_inputs import refuse_structures

    if detect(content) is not Format.TEXT:
        if role is Role.PUBLIC_KEY:
            return _public_key(content, Format.BINARY).data
        refuse_structures(content, role)
        return Secret(content)
    text = content.decode().strip()
    return read_text(text, detected_format(text, role), role).data if text else Secret(content)


class InputField(Enum):
    """The field of the scratchpad that an error belongs to."""

    KEY = auto()
    INPUT = auto()
    SECOND = auto()
    """The signature or MAC to verify."""
    SETTINGS = auto()
    CONTEXT = auto()
    DESTINATION = auto()
    DESTINATION_CONTEXT = auto()
    TARGET = auto()
    """The file that the result is written to."""
    RESULT = auto()
    """No field: shown in the result's place."""


class InputError(KmsTuiError):
    """An input cannot be used; ``field`` says which, the sentence why. Nothing was sent."""

    def __init__(self, field: InputField, sentence: str, *, next_step: str = "") -> None:
        super().__init__(sentence, next_step=next_step)
        self.field = field


Pair = tuple[str, str]
CONTEXT_WARNING = "CloudTrail logs it in plain text: no secrets here."
"""The warning beside every encryption context (developer guide, encryption context)."""


def context_from_rows(rows: Sequence[Pair], field: InputField = InputField.CONTEXT) -> dict[str, str]:
    """The context of the rows, without empty ones. InputError names the faulty row."""
    context: dict[str, str] = {}
    for number, (name, value) in enumerate(rows, 1):
        if not name and not value:
            continue
        if not name:
            raise InputError(field, f"Row {number} of the context has a value but no name.")
        if name in context:
            raise InputError(field, f"The context has the name {name} twice; use each name once.")
        context[name] = value
    return context


def context_from_json(text: str) -> dict[str, str]:
    """The context of a JSON object of strings; else InputError."""
    try:
        document = json.loads(text, object_pairs_hook=members_once)
    except json.JSONDecodeError as error:
        raise InputError(
            InputField.CONTEXT, f"This is not JSON: line {error.lineno}, column {error.colno}: {error.msg}."
        ) from error
    except ValueError as error:
        raise InputError(InputField.CONTEXT, f"This JSON cannot be used: {error}.") from error
    if not isinstance(document, dict):
        raise InputError(InputField.CONTEXT, 'A context is a JSON object, like {"tenant": "42"}.')
    for name, value in document.items():
        if not isinstance(value, str):
            raise InputError(
                InputField.CONTEXT,
                f"The value of {name} is not a string; KMS takes strings only.",
                next_step='Put it in quotes: {"tenant": "42"}.',
            )
    return document


def context_text(context: Mapping[str, str]) -> str:
    """ "tenant=42, table=orders", or "none"."""
    return ", ".join(f"{name}={value}" for name, value in context.items()) or "none"
