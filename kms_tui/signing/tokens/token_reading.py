"""Takes a token apart, in whatever wrapping it was pasted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kms_tui.formats import Format, FormatError, decode
from kms_tui.signing.tokens.token_errors import TokenError, TokenField
from kms_tui.signing.tokens.token_json import read_object

MAX_TOKEN = 1 << 20
"""Characters of a token that is read or made; servers take headers of some 8,000."""
_UNDERSTOOD = frozenset({"b64"})
"""Extensions that ``crit`` may name (RFC 7797, with its value true)."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token taken apart; header and claims are untrusted until it is verified."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any] = field(repr=False)
    compact: str = field(repr=False)
    """header.claims.signature, without what was around it."""
    signature: bytes = field(repr=False)
    notes: tuple[str, ...] = ()
    """What was taken off, for people: "Bearer", white space."""

    @property
    def algorithm(self) -> str:
        return str(self.header["alg"])

    @property
    def key_id(self) -> str | None:
        return self.header.get("kid")

    @property
    def signing_input(self) -> bytes:
        return self.compact.rpartition(".")[0].encode()


def read_token(text: str) -> Token:
    """The token in a text: bare, quoted, wrapped, after ``Bearer``, in an OAuth answer, or a JSON JWS.

    TokenError, in one sentence, for everything that is no signed token.
    """
    if len(text) > MAX_TOKEN:
        raise _error(f"This is too long for a token: {len(text):,} characters, of at most {MAX_TOKEN:,}.")
    bare, notes = _unwrapped(text)
    parts = bare.split(".")
    if len(parts) == 5:
        raise _error(
            "This is an encrypted token (JWE): it has five parts, and its claims are sealed.",
            next_step="Only who holds the key that it was encrypted to can open it.",
        )
    if len(parts) != 3:
        raise _error(f"This is no token: it has {len(parts):,} of the three parts that dots separate.")
    header = read_object(_text_of(parts[0], "header"), "The header", TokenField.TOKEN)
    _check_header(header)
    if not parts[1]:
        raise _error("The claims are not in this token: its payload is detached (RFC 7515, appendix F).")
    claims = read_object(_text_of(parts[1], "payload"), "The payload", TokenField.TOKEN)
    return Token(header, claims, bare, _bytes_of(parts[2], "signature"), notes)


def _error(sentence: str, next_step: str = "") -> TokenError:
    return TokenError(TokenField.TOKEN, sentence, next_step=next_step)


_SPACE = re.compile(r"\s+")
_BEARER = re.compile(r"(?:authorization\s*:\s*)?(?:bearer|dpop)\s+", re.IGNORECASE)
_MEMBERS = ("access_token", "id_token", "token", "jwt", "client_assertion", "assertion")


def _unwrapped(text: str) -> tuple[str, tuple[str, ...]]:
    """The compact token, and what was around it."""
    notes: list[str] = []
    bare = text.lstrip("\ufeff").strip()
    if not bare:
        raise _error("There is no token: the text is empty.")
    for _ in range(2):  # quotes around Bearer, or Bearer before quotes
        if bare[0] in "\"'`" and bare[-1] == bare[0] and len(bare) > 1:
            bare = bare[1:-1].strip()
            notes.append("quotes")
        begun = _BEARER.match(bare)
        if begun is not None:
            bare = bare[begun.end() :].strip()
            notes.append("Bearer")
        if not bare:
            raise _error("There is no token: only what stands before one.")
    if bare.startswith("{"):
        bare = _of_json(bare)
        notes.append("JSON")
    packed = _SPACE.sub("", bare.replace("\\n", ""))
    if packed != bare:
        notes.append("line breaks or spaces")
    return packed, tuple(dict.fromkeys(notes))


def _of_json(text: str) -> str:
    """The token in an OAuth answer, or of a JWS in JSON serialization with one signature."""
    answer = read_object(text, "This text", TokenField.TOKEN)
    if "ciphertext" in answer:
        raise _error("This is an encrypted token (JWE) in JSON: its claims are sealed.")
    if "payload" not in answer:
        held = [value for name in _MEMBERS if isinstance(value := answer.get(name), str)]
        if len(held) != 1:
            found = "no token" if not held else f"{len(held)} tokens"
            raise _error(
                f"This JSON object holds {found}.", "Give the token itself, header.claims.signature."
            )
        return held[0]
    signatures = answer.get("signatures", [answer])
    if not isinstance(signatures, list) or len(signatures) != 1 or not isinstance(signatures[0], dict):
        raise _error("This JWS in JSON has not one signature; a token has one.")
    only = signatures[0]
    if only.get("header"):
        raise _error("This JWS in JSON has an unprotected header, which no token has.")
    parts = (only.get("protected"), answer["payload"], only.get("signature"))
    if not all(isinstance(part, str) for part in parts):
        raise _error("This JWS in JSON lacks its protected header, payload or signature.")
    return ".".join(map(str, parts))


def _check_header(header: Mapping[str, Any]) -> None:
    """The members that decide how a token is read (RFC 7515, section 4.1; RFC 7797)."""
    if not isinstance(header.get("alg"), str) or not header["alg"]:
        raise _error("The header has no alg, so it does not say how the token is signed.")
    if "enc" in header:
        raise _error("The header is one of an encrypted token (JWE).")
    for name in ("kid", "typ", "cty"):
        if name in header and not isinstance(header[name], str):
            raise _error(f"The {name} in the header is no text.")
    if header.get("b64", True) is not True:
        raise _error("The header says b64: false; a token's payload is always base64url (RFC 7797).")
    if "crit" not in header:
        return
    names = header["crit"]
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise _error("The crit in the header is not a list of names.")
    unknown = [name for name in names if name not in _UNDERSTOOD or name not in header]
    if unknown:
        raise _error(
            f"The header's crit asks that {', '.join(unknown)[:128]} be understood, which is not known here: "
            "such a token must be refused."
        )


def _bytes_of(part: str, what: str) -> bytes:
    try:
        if "=" in part:
            raise FormatError("It ends in =, which tokens leave out.", part.index("="))
        return decode(part, Format.BASE64URL)
    except FormatError as error:
        raise _error(f"The {what} is not base64url. {error}", "Paste the token whole.") from None


def _text_of(part: str, what: str) -> str:
    try:
        return _bytes_of(part, what).decode()
    except UnicodeDecodeError:
        raise _error(f"The {what} is not UTF-8 text, so this is no token with claims.") from None


def pretty(value: Mapping[str, Any]) -> str:
    """A header or claims as people read them; untrusted."""
    return json.dumps(value, ensure_ascii=False, indent=2)
