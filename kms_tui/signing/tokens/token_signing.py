"""Makes a token: from the texts of a form or of flags to header and claims, a preview, and the signature.

``prepare`` needs no call of KMS; ``sign`` is one.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kms_tui.signing.times import length_words, utc_text
from kms_tui.signing.tokens.claim_times import read_length, read_time
from kms_tui.signing.tokens.jws_algorithms import JwsAlgorithm, algorithm_for, require_size
from kms_tui.signing.tokens.token_errors import TokenError, TokenField
from kms_tui.signing.tokens.token_json import compact, read_object, read_value, require_utf8
from kms_tui.signing.tokens.token_keys import TokenKey
from kms_tui.signing.tokens.token_reading import MAX_TOKEN, pretty

THUMBPRINT, KEY_ID, NO_KID = "thumbprint", "key-id", "none"
"""The words for a kid: the RFC 7638 thumbprint, KMS's key id, no kid. Any other text is the kid itself."""
_LARGE = 8000
"""Characters of a header that common servers still take."""


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What a token is to say, as people give it; "" and () are nothing given."""

    claims: str = field(default="", repr=False)
    """A JSON object."""
    pairs: tuple[str, ...] = field(default=(), repr=False)
    """More claims: ``NAME=TEXT``, or ``NAME:=JSON`` for what is no text."""
    expires_in: str = ""
    issuer: str = ""
    subject: str = ""
    audience: tuple[str, ...] = ()
    kid: str = ""
    """THUMBPRINT, KEY_ID, NO_KID or a text; "" is the thumbprint, of an HMAC key the key id."""
    algorithm: str = ""
    """A name of JOSE or of KMS; "" is the key's default."""
    header: str = ""
    """A JSON object with more members of the header."""


@dataclass(frozen=True, slots=True)
class UnsignedToken:
    """Header and claims, ready to be signed."""

    key: TokenKey
    algorithm: JwsAlgorithm
    header: Mapping[str, Any]
    claims: Mapping[str, Any] = field(repr=False)
    notes: tuple[str, ...] = ()
    """What to know before signing: no expiry, expired already, too long for many servers."""

    def preview(self) -> tuple[str, ...]:
        """What will be signed, as lines; untrusted."""
        call = "GenerateMac" if self.algorithm.is_mac else "Sign"
        return (
            *f"Header: {pretty(self.header)}".splitlines(),
            *f"Claims: {pretty(self.claims)}".splitlines(),
            f"Signed with {self.algorithm.name} by {self.key.arn}: one call of {call}.",
            *self.notes,
        )


def prepare(request: TokenRequest, key: TokenKey, now: datetime) -> UnsignedToken:
    """Header and claims of a request. TokenError names the field at fault; KMS is not called."""
    algorithm = algorithm_for(key.spec, key.asked_as, request.algorithm)
    claims = _claims(request, now)
    header = _header(request, key, algorithm)
    from kms_tui.signing.tokens.jose import check_header

    check_header(header, algorithm)
    size = len(_segment(header)) + 1 + len(_segment(claims))
    if size > MAX_TOKEN:
        raise TokenError(
            TokenField.CLAIMS, f"A token has at most {MAX_TOKEN:,} characters; this one would have {size:,}."
        )
    require_size(algorithm, size)
    return UnsignedToken(key, algorithm, header, claims, _notes(claims, size, now))


def sign(token: UnsignedToken) -> str:
    """The token in its compact form. One call of KMS; its errors pass."""
    from kms_tui.signing.tokens.jose import serialize

    return serialize(
        token.header,
        compact(token.claims).encode(),
        token.algorithm,
        lambda signing_input: token.key.sign(signing_input, token.algorithm),
    )


def _segment(value: Mapping[str, Any]) -> bytes:
    return base64.urlsafe_b64encode(compact(value).encode()).rstrip(b"=")


def _claims(request: TokenRequest, now: datetime) -> dict[str, Any]:
    claims: dict[str, Any] = {}
    if request.claims.strip():
        claims = read_object(request.claims, "The claims", TokenField.CLAIMS)
    for name, value in _given(request, now, dated="iat" in claims):
        if name in claims:
            raise TokenError(TokenField.CLAIM, f"The claim {name} is given twice.")
        claims[name] = value
    if not claims and not request.claims.strip():
        raise TokenError(TokenField.CLAIMS, "There are no claims: a token says something about someone.")
    require_utf8(claims, "The text of the claims", TokenField.CLAIMS)
    _check_claims(claims)
    return claims


def _given(request: TokenRequest, now: datetime, *, dated: bool) -> Sequence[tuple[str, Any]]:
    """The claims that fields of their own give; ``dated`` where the token has its iat already."""
    audience = request.audience[0] if len(request.audience) == 1 else list(request.audience)
    fields = (("iss", request.issuer), ("sub", request.subject), ("aud", audience))
    given: list[tuple[str, Any]] = [(name, value) for name, value in fields if value]
    given += [_pair(text) for text in request.pairs]
    if request.expires_in:
        length = read_length(request.expires_in, TokenField.EXPIRES_IN, "The time until the token expires")
        if not length:
            raise TokenError(TokenField.EXPIRES_IN, "The token would expire the moment that it is signed.")
        issued = int(now.timestamp())
        if not dated and not any(name == "iat" for name, _ in given):
            given.append(("iat", issued))
        given.append(("exp", issued + int(length.total_seconds())))
    return given


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    is_json = name.endswith(":")  # a name may have colons, as https://example.com/roles has
    name = name.removesuffix(":")
    if not equals or not name:
        raise TokenError(
            TokenField.CLAIM, "A claim is NAME=TEXT, or NAME:=JSON for a number, true, a list or an object."
        )
    return name, read_value(value, f"The claim {name[:64]}", TokenField.CLAIM) if is_json else value


def _check_claims(claims: Mapping[str, Any]) -> None:
    """The registered claims (RFC 7519, section 4.1) have their types, and the times their order."""
    for name in ("iss", "sub", "jti"):
        if name in claims and not isinstance(claims[name], str):
            raise TokenError(TokenField.CLAIMS, f"The claim {name} is no text.")
    audience = claims.get("aud", "")
    if not isinstance(audience, str) and not (
        isinstance(audience, list) and all(isinstance(each, str) for each in audience)
    ):
        raise TokenError(TokenField.CLAIMS, "The claim aud is neither a text nor a list of texts.")
    expiry, begin, _ = (read_time(claims, name, TokenField.CLAIMS) for name in ("exp", "nbf", "iat"))
    if expiry and begin and expiry <= begin:
        raise TokenError(
            TokenField.CLAIMS, "The token would never be valid: it expires (exp) before it begins (nbf)."
        )


def _header(request: TokenRequest, key: TokenKey, algorithm: JwsAlgorithm) -> dict[str, Any]:
    more: dict[str, Any] = {}
    if request.header.strip():
        more = read_object(request.header, "The header", TokenField.HEADER)
    for name in ("crit", "b64", "enc", "zip"):
        if name in more:
            raise TokenError(TokenField.HEADER, f"The header member {name} is not made here.")
    if more.get("alg", algorithm.name) != algorithm.name:
        raise TokenError(
            TokenField.HEADER,
            f"The header says another alg than {algorithm.name}, which the token is signed with.",
            next_step="Leave alg out of the header, and choose the algorithm.",
        )
    if request.kid and "kid" in more:
        raise TokenError(TokenField.KID, "The kid is given twice: also in the header.")
    kid = _kid(request.kid, key)
    named = {"kid": kid} if kid and "kid" not in more else {}
    return {"alg": algorithm.name, "typ": "JWT", **named, **more}


def _kid(asked: str, key: TokenKey) -> str:
    """The kid that is asked for; "" for none."""
    if asked == THUMBPRINT and not key.thumbprint:
        raise TokenError(
            TokenField.KID,
            f"{key.asked_as} is an HMAC key: its thumbprint would need its bytes, which KMS gives nobody.",
            next_step="Use the key id, or a text of your own.",
        )
    kids = {"": key.thumbprint or key.key_id, THUMBPRINT: key.thumbprint, KEY_ID: key.key_id, NO_KID: ""}
    kid = kids.get(asked, asked)
    require_utf8(kid, "The kid", TokenField.KID)
    return kid


def _notes(claims: Mapping[str, Any], size: int, now: datetime) -> tuple[str, ...]:
    notes = []
    expiry = read_time(claims, "exp", TokenField.CLAIMS)
    if expiry is None:
        notes.append("The token has no expiry (exp): it is good for as long as the key is trusted.")
    elif expiry <= now:
        notes.append(f"The token is expired already: {length_words(now - expiry)} ago, {utc_text(expiry)}.")
    if size > _LARGE:
        notes.append(f"The token is long: many servers refuse headers over {_LARGE:,} characters.")
    return tuple(notes)
