"""Plain ciphertexts of KMS as files hold them: bytes, base64, hex, and the JSON of ``aws kms``.

What is written back has the form of what was read: line breaks and their kind, alphabet, padding, quotes,
spaces around it, and the other members of the JSON.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kms_tui.envelope.sops_file import top_level
from kms_tui.kms.keyspecs import CIPHERTEXT_STARTS, MAX_CIPHERTEXT

_LONGEST = 4 * MAX_CIPHERTEXT
"""Characters of a text that can be a ciphertext's."""
_SHORTEST = 40
"""Bytes: a symmetric ciphertext has a nonce, a tag, and names its key."""
_BLOBS = ("CiphertextBlob", "PrivateKeyCiphertextBlob")
_TEXT = re.compile(r"[A-Za-z0-9+/_=\s-]+")
_QUOTES = "\"'`"
_HEX = re.compile(r"[0-9a-f\s]+|[0-9A-F\s]+")


@dataclass(frozen=True, slots=True)
class PlainCiphertext:
    """``rewritten`` makes the content of the file with another ciphertext, under the key of an ARN."""

    form: str
    data: bytes
    rewritten: Callable[[bytes, str], bytes]


def plain_ciphertext(content: bytes, *, expected: bool) -> PlainCiphertext | None:
    """The ciphertext in a file's whole content; None for other content.

    Without ``expected`` it must begin as those of KMS have begun for years; with it, KMS judges any bytes.
    """
    for read in (_of_json, _of_text, _of_bytes):
        found = read(content)
        if found is not None and _may_be_ciphertext(found.data, expected):
            return found
    return None


def _may_be_ciphertext(data: bytes, expected: bool) -> bool:
    if not _SHORTEST <= len(data) <= MAX_CIPHERTEXT:
        return False
    from kms_tui.backend.local.engine import ciphertext_blob  # the offline KMS is not needed on AWS

    return expected or data.startswith(CIPHERTEXT_STARTS) or ciphertext_blob.parse(data) is not None


def _of_bytes(content: bytes) -> PlainCiphertext:
    return PlainCiphertext("binary", content, lambda new, _: new)


def _of_text(content: bytes) -> PlainCiphertext | None:
    if len(content) > _LONGEST:
        return None
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    body = text.strip("\ufeff \t\r\n")
    if len(body) > 1 and body[0] == body[-1] and body[0] in _QUOTES:
        body = body[1:-1]
    if not _TEXT.fullmatch(body):
        return None
    before, _, after = text.partition(body)
    coded = _of_digits(body)
    if coded is None:
        return None
    form, data, encoded = coded
    return PlainCiphertext(
        form, data, lambda new, _: f"{before}{_wrapped_like(body, encoded(new))}{after}".encode()
    )


def _of_digits(body: str) -> tuple[str, bytes, Callable[[bytes], str]] | None:
    digits = "".join(body.split())
    if len(digits) % 2 == 0 and _HEX.fullmatch(digits):
        data = bytes.fromhex(digits)
        if _may_be_ciphertext(data, expected=False):
            upper = digits != digits.lower()
            return "hex", data, lambda new: new.hex().upper() if upper else new.hex()
    is_url_safe = "-" in digits or "_" in digits
    is_padded = digits.endswith("=") or len(digits) % 4 == 0
    try:
        data = binascii.a2b_base64(
            digits.replace("-", "+").replace("_", "/") + ("" if is_padded else "=" * (-len(digits) % 4)),
            strict_mode=True,
        )
    except ValueError:
        return None

    def encoded(new: bytes) -> str:
        text = (base64.urlsafe_b64encode if is_url_safe else base64.b64encode)(new).decode()
        return text if is_padded else text.rstrip("=")

    return "base64url" if is_url_safe else "base64", data, encoded


def _wrapped_like(body: str, digits: str) -> str:
    """The digits in lines as long as the first one of ``body``, and with its line breaks."""
    first, *rest = body.split("\n")
    if not rest:
        return digits
    width, end = len(first.rstrip("\r")), "\r\n" if first.endswith("\r") else "\n"
    return end.join(digits[start : start + width] for start in range(0, len(digits), max(width, 1)))


def _of_json(content: bytes) -> PlainCiphertext | None:
    if not content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") or len(content) > 4 * _LONGEST:
        return None
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    members = top_level(text)
    name = next((name for name in _BLOBS if name in members), None)
    if name is None:
        return None
    start, end = members[name]
    coded = _of_digits(text[start + 1 : end - 1]) if text[start] == '"' else None
    if coded is None:
        return None
    _, data, encoded = coded

    def rewritten(new: bytes, arn: str) -> bytes:
        edits = {(start + 1, end - 1): encoded(new)}
        return _edited(text, edits | ({members["KeyId"]: f'"{arn}"'} if "KeyId" in members else {}))

    return PlainCiphertext(f"JSON, {name}", data, rewritten)


def _edited(text: str, edits: Mapping[tuple[int, int], str]) -> bytes:
    parts, position = [], 0
    for (start, end), value in sorted(edits.items()):
        parts += [text[position:start], value]
        position = end
    return "".join([*parts, text[position:]]).encode()
