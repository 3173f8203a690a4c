"""Reads typed text, files and encryption contexts; errors name the field."""

from __future__ import annotations

import base64
import binascii
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
from kms_tui.formats import Format, FormatError, decode, detect, readings
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.keyspecs import MAX_CIPHERTEXT
from kms_tui.kms.model import Secret

TYPED_FORMATS = (Format.TEXT, Format.BASE64, Format.BASE64URL, Format.HEX)
"""The formats of typed text."""
MAX_IN_MEMORY = 1 << 20
"""Files of at most this many bytes are read whole; larger ones are streamed."""

_LIKE_HEX = re.compile(r"\s*(?:0x)?[0-9a-fA-F:\s]+\Z")
_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]*)-----END PUBLIC KEY-----\s*\Z")


@dataclass(frozen=True, slots=True)
class Entered:
    """Bytes that were typed, pasted or taken from another operation's output."""

    data: Secret

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
    if exact is not None:
        for form in readings(text):
            if len(decode(text, form)) == exact:
                return form
    return detect(text.strip() if role.is_binary else text, expect_binary=role.is_binary)


def other_formats(text: str, form: Format) -> tuple[Format, ...]:
    """The other formats that fit the text."""
    return tuple(reading for reading in readings(text) if reading is not form)


def read_text(text: str, form: Format, role: Role) -> Entered:
    """The bytes of typed text; FormatError names the place of an error."""
    if role is Role.PUBLIC_KEY and text.lstrip().startswith("-----BEGIN"):
        return Entered(Secret(_from_pem(text.strip())))
    if role.is_binary and form is Format.TEXT:
        raise FormatError(
            f"This is not a {role.noun} in base64 or hex. {_why_not(text)}",
            0,
            next_step="Paste it whole, or name a file.",
        )
    return Entered(Secret(decode(text, form)))


def _why_not(text: str) -> str:
    """The fault of text that fits no binary format, by the format that it resembles most."""
    form = Format.HEX if _LIKE_HEX.match(text) else Format.BASE64
    try:
        decode(text, form)
    except FormatError as error:
        return f"As {form.value}: {error}"
    return ""


def _from_pem(text: str) -> bytes:
    body = _PEM.match(text)
    if body is None:
        raise FormatError(
            "This PEM text is not one PUBLIC KEY block.", 0, next_step="Paste it whole, with BEGIN and END."
        )
    try:
        return base64.b64decode("".join(body[1].split()), validate=True)
    except binascii.Error as error:
        raise FormatError("The PEM block is not base64 all through.", 0) from error


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

    A small file with a binary input in base64, hex or PEM is decoded, since the AWS CLI's output is often
    saved so.
    """
    if isinstance(given, Entered):
        return given.data
    with file_errors(given.path, "read"), given.path.open("rb") as file:
        content = file.read(most + 1)
    if role.is_binary and len(content) <= 4 * MAX_CIPHERTEXT:
        return Secret(_decoded(content, role))
    return Secret(content)


def _decoded(content: bytes, role: Role) -> bytes:
    if detect(content) is not Format.TEXT:
        return content
    text = content.decode().strip()
    form = detected_format(text, role)
    is_pem = role is Role.PUBLIC_KEY and text.startswith("-----BEGIN")
    return content if form is Format.TEXT and not is_pem else read_text(text, form, role).data.reveal()


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
        document = json.loads(text, object_pairs_hook=_without_duplicates)
    except json.JSONDecodeError as error:
        raise InputError(
            InputField.CONTEXT, f"This is not JSON: line {error.lineno}, column {error.colno}: {error.msg}."
        ) from error
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


def _without_duplicates(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    document: dict[str, object] = {}
    for name, value in pairs:
        if name in document:
            raise InputError(InputField.CONTEXT, f"The JSON has the name {name} twice; use each name once.")
        document[name] = value
    return document


def context_text(context: Mapping[str, str]) -> str:
    """ "tenant=42, table=orders", or "none"."""
    return ", ".join(f"{name}={value}" for name, value in context.items()) or "none"
