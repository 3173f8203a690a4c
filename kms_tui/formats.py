"""Converts between bytes and text, and reads JSON members: without loss and without silent guesses."""

from __future__ import annotations

import base64
import codecs
import json
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import Any

from kms_tui.kms.errors import KmsTuiError


class Format(StrEnum):
    """The forms of bytes; BINARY is bytes as they are, only in a file or a pipe."""

    TEXT = "text"
    HEX = "hex"
    BASE64 = "base64"
    BASE64URL = "base64url"
    BINARY = "binary"


class FormatError(KmsTuiError):
    """Content is not in its format; ``position`` counts from 0, in characters or bytes.

    The sentence never repeats the content, which may be secret.
    """

    def __init__(self, sentence: str, position: int, *, next_step: str = "") -> None:
        super().__init__(sentence, next_step=next_step)
        self.position = position


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_NOT_HEX = re.compile(r"[^0-9a-fA-F\s:]", re.ASCII)
_HEX_GROUP = re.compile(r"[0-9a-fA-F]+")
_SPACE = re.compile(r"\s+", re.ASCII)
_ALPHABETS = {
    Format.BASE64: re.compile(r"[^A-Za-z0-9+/=\s]", re.ASCII),
    Format.BASE64URL: re.compile(r"[^A-Za-z0-9_=\s-]", re.ASCII),
}
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PROBE = 256
"""Bytes that are searched for the zeros of UTF-16."""
_MOST_OF_NAME = 60
"""Characters of a member's name that an error shows."""
_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_DIGIT_VALUES = {
    digit: value for extra in ("+/", "-_") for value, digit in enumerate(_DIGITS + extra)
}  # both alphabets give their last two digits the values 62 and 63


def detect(content: str | bytes, *, expect_binary: bool = False) -> Format:
    """The most likely form; ``expect_binary`` for a ciphertext, a signature or a key.

    Typed text is otherwise TEXT, even if it could be hex or base64, as many passwords could. Bytes that are
    not text are BINARY.
    """
    if isinstance(content, bytes):
        if not is_text(content):
            return Format.BINARY
        content = content.decode()
    return readings(content)[0] if expect_binary else Format.TEXT


def readings(text: str) -> tuple[Format, ...]:
    """Every format that fits the text, the most specific first; TEXT is always among them."""
    if not text.strip():
        return (Format.TEXT,)
    return (*filter(lambda form: _reads(text, form), _DECODERS), Format.TEXT)


def _reads(text: str, form: Format) -> bool:
    try:
        _DECODERS[form](text)
    except FormatError:
        return False
    return True


def decode(content: str | bytes, form: Format) -> bytes:
    """The bytes of content in this format; FormatError names the first wrong position.

    White space is ignored in hex and base64, colons and a leading 0x in hex. Nothing else is lenient: padding
    must be right and unused bits zero, so that ``encode`` restores the text.
    """
    if form is Format.BINARY:
        if isinstance(content, str):
            raise FormatError("Binary content cannot be typed.", 0, next_step="Choose hex, base64 or a file.")
        return content
    if isinstance(content, bytes):
        if form is Format.TEXT:
            return content
        content = _utf8(content)
    if form is Format.TEXT:
        return _to_utf8(content)
    return _DECODERS[form](content)


def encode(data: bytes, form: Format) -> str:
    """Bytes in a format; BINARY as a hex dump.

    Raises FormatError for TEXT if ``is_text`` is false, with the offset of the first wrong byte.
    """
    return _ENCODERS[form](data)


def encoding_of(start: bytes) -> str:
    """The encoding of a text by its beginning: by a byte order mark, or by the zeros between UTF-16 letters;
    else UTF-8.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return encoding
    even, odd = start[:_PROBE:2], start[1:_PROBE:2]
    if odd and not any(odd):
        return "utf-16-le"
    return "utf-16-be" if even and not any(even) else "utf-8"


def is_text(data: bytes) -> bool:
    """Whether the bytes are UTF-8 with no control character but tab, line feed and carriage return."""
    try:
        return _CONTROL.search(data.decode()) is None
    except UnicodeDecodeError:
        return False


def hex_dump(data: bytes, *, start: int = 0, narrow: bool = False) -> Iterator[str]:
    """Lines of ``offset  16 bytes  |ASCII|`` as hexdump -C writes them; ``start`` is the first offset.

    With ``narrow`` a line has 8 bytes, and 46 characters instead of 78.
    """
    width = 8 if narrow else 16
    for offset in range(0, len(data), width):
        row = data[offset : offset + width]
        pairs = "  ".join(f"{row[eight : eight + 8].hex(' '):<23}" for eight in range(0, width, 8))
        shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
        yield f"{start + offset:08x}  {pairs}  |{shown}|"


def pem(label: str, der: bytes) -> str:
    """DER between a BEGIN and an END line, in lines of 64 characters (RFC 7468)."""
    body = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"


def members_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """``object_pairs_hook`` of JSON; ValueError for a member given twice, where ``json`` keeps one."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = json.dumps(next(name for name in names if names.count(name) > 1))
        shown = twice if len(twice) <= _MOST_OF_NAME else f"{twice[:_MOST_OF_NAME]}…"
        raise ValueError(f"the member {shown} is given twice in one object")
    return found


def _utf8(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise FormatError(f"Byte {error.start + 1} is not UTF-8 text.", error.start) from None


def _to_utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:  # a lone surrogate: what a terminal makes of bytes that are no UTF-8
        raise FormatError(f"Character {error.start + 1} cannot be written as UTF-8.", error.start) from None


def _as_text(data: bytes) -> str:
    text = _utf8(data)
    control = _CONTROL.search(text)
    if control:
        position = len(text[: control.start()].encode())
        raise FormatError(
            f"Byte {position + 1} is a control character, so this is not shown as text.", position
        )
    return text


def _from_hex(text: str) -> bytes:
    digits = text
    prefix = len(text) - len(text.lstrip())
    if text[prefix : prefix + 2].lower() == "0x":
        digits = f"{' ' * (prefix + 2)}{text[prefix + 2 :]}"
    wrong = _NOT_HEX.search(digits)
    if wrong:
        raise FormatError(f"Character {wrong.start() + 1} is not a hex digit.", wrong.start())
    groups = list(_HEX_GROUP.finditer(digits))
    for group in groups:
        if len(group[0]) % 2:
            raise FormatError(
                f"Hex has two digits a byte; there is one missing or too many at character {group.end()}.",
                group.end() - 1,
            )
    return bytes.fromhex("".join(group[0] for group in groups))


def _from_base64(text: str) -> bytes:
    packed = _base64_digits(text, Format.BASE64)
    if len(packed) % 4:
        raise FormatError(
            f"Base64 comes in groups of 4 characters; here are {len(packed):,}: some are missing.",
            len(text.rstrip()),
        )
    return base64.b64decode(packed)


def _from_base64url(text: str) -> bytes:
    packed = _base64_digits(text, Format.BASE64URL)
    bare = packed.rstrip("=")
    padded = bare + "=" * (-len(bare) % 4)
    if len(bare) % 4 == 1 or (packed != bare and packed != padded):
        raise FormatError(
            f"Base64url never has {len(packed):,} characters: it was cut, or its = are wrong.",
            len(text.rstrip()),
        )
    return base64.urlsafe_b64decode(padded)


def _base64_digits(text: str, form: Format) -> str:
    """The characters without white space, after checking the alphabet, the padding and the unused bits."""
    wrong = _ALPHABETS[form].search(text)
    if wrong:
        raise FormatError(f"Character {wrong.start() + 1} is not in the {form} alphabet.", wrong.start())
    bare = text.rstrip(" \t\r\n\f\v=")
    padding = text[len(bare) :].count("=")
    inside = bare.find("=")
    if inside >= 0 or padding > 2:
        position = inside if inside >= 0 else text.index("=", len(bare))
        raise FormatError(f"The = at character {position + 1} is not at the end, or one too many.", position)
    digits = _SPACE.sub("", bare)
    unused = {2: 0b1111, 3: 0b11}.get(len(digits) % 4, 0)
    if unused & _DIGIT_VALUES.get(digits[-1:], 0):
        raise FormatError(
            f"Character {len(bare)} holds bits that belong to no byte: it was cut or altered.", len(bare) - 1
        )
    return digits + "=" * padding


_DECODERS: dict[Format, Callable[[str], bytes]] = {
    Format.HEX: _from_hex,
    Format.BASE64: _from_base64,
    Format.BASE64URL: _from_base64url,
}

_ENCODERS: dict[Format, Callable[[bytes], str]] = {
    Format.TEXT: _as_text,
    Format.HEX: bytes.hex,
    Format.BASE64: lambda data: base64.b64encode(data).decode(),
    Format.BASE64URL: lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode(),
    Format.BINARY: lambda data: "\n".join(hex_dump(data)),
}
