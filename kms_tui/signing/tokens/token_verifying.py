"""Judges a token: its signature, its times, whom it is for and from, each in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from kms_tui.public_key import PublicKey
from kms_tui.signing.times import length_words, utc_text
from kms_tui.signing.tokens.claim_times import read_time
from kms_tui.signing.tokens.jwks import chosen_key
from kms_tui.signing.tokens.jws_algorithms import JWS_ALGORITHMS, JwsAlgorithm, algorithms_of, title_of
from kms_tui.signing.tokens.token_errors import TokenError, TokenField
from kms_tui.signing.tokens.token_keys import TokenKey, kms_form, spec_for_tokens
from kms_tui.signing.tokens.token_reading import Token

_LONGEST = 128
"""Characters of a claim that a sentence repeats."""


class CheckState(StrEnum):
    """What a check found."""

    GOOD = "good"
    BAD = "bad"
    NOTE = "note"
    """Nothing to judge, but to know."""


@dataclass(frozen=True, slots=True)
class TokenCheck:
    """One thing that was looked at; the sentence is untrusted."""

    name: str
    """signature, expiry, not before, issued, audience, issuer."""
    state: CheckState
    sentence: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What the token is held against; "" is not asked."""

    now: datetime
    leeway: timedelta = timedelta(0)
    audience: str = ""
    issuer: str = ""


@dataclass(frozen=True, slots=True)
class TokenVerdict:
    """A token and all that was found about it."""

    token: Token
    checks: tuple[TokenCheck, ...]

    @property
    def valid(self) -> bool:
        """Whether the signature was found good, and nothing bad."""
        states = [check.state for check in self.checks]
        signed = any(check.name == "signature" and check.state is CheckState.GOOD for check in self.checks)
        return signed and CheckState.BAD not in states

    def as_dict(self) -> dict[str, Any]:
        """For programs: ``valid``, ``header``, ``claims`` and ``checks``."""
        return {
            "valid": self.valid,
            "header": dict(self.token.header),
            "claims": dict(self.token.claims),
            "checks": [
                {"name": check.name, "state": check.state.value, "sentence": check.sentence}
                for check in self.checks
            ],
        }


SignatureJudge = Callable[[Token], TokenCheck]


def verify(token: Token, signature: SignatureJudge, expected: Expected) -> TokenVerdict:
    """Everything about a token. Errors of reading keys pass; what is wrong about the token is a check."""
    return TokenVerdict(token, (signature(token), *claim_checks(token.claims, expected)))


def unchecked(token: Token) -> TokenCheck:
    """The signature of a token that is only taken apart."""
    return TokenCheck("signature", CheckState.NOTE, f"Not checked: the token says {token.algorithm}.")


def with_kms(key: TokenKey) -> SignatureJudge:
    """By one call of KMS's Verify or VerifyMac."""

    def check(token: Token) -> TokenCheck:
        return _checked(token, key.spec, key.asked_as, "KMS says so", key.verify)

    return check


def with_public_key(key: PublicKey, name: str) -> SignatureJudge:
    """Here, with a public key; ``name`` says which ("the public key in k.pem"), untrusted."""
    spec = spec_for_tokens(key)

    def verify_here(signing_input: bytes, signature: bytes, algorithm: JwsAlgorithm) -> bool:
        good = kms_form(signature, spec)
        return good is not None and key.verify(signing_input, good, algorithm.kms)

    def check(token: Token) -> TokenCheck:
        return _checked(token, spec, name, "checked here", verify_here)

    return check


def with_jwks(text: str) -> SignatureJudge:
    """Here, with the key of a JWKS that the token's kid names.

    TokenError, field JWKS, for a text that is no JWKS, or that has not the one key that is asked for.
    """

    def check(token: Token) -> TokenCheck:
        algorithm = _algorithm_of(token)
        if isinstance(algorithm, TokenCheck):
            return algorithm
        if algorithm.is_mac:
            return _bad_signature(_confused(algorithm, "a JWKS"))
        read = chosen_key(text, token.key_id, algorithm)
        if read.algorithm and read.algorithm != algorithm.name:
            return _bad_signature(
                f"The token says {algorithm.name}, and its key in the JWKS is for {read.algorithm} alone."
            )
        named = f"the key {read.key_id} of the JWKS" if read.key_id else "the key of the JWKS"
        return with_public_key(read.key, named)(token)

    return check


def _bad_signature(sentence: str) -> TokenCheck:
    return TokenCheck("signature", CheckState.BAD, sentence)


def _algorithm_of(token: Token) -> JwsAlgorithm | TokenCheck:
    found = JWS_ALGORITHMS.get(token.algorithm)
    if found is not None:
        return found
    if token.algorithm.lower() == "none":
        return _bad_signature("The token says alg none: nobody signed it, and anybody can have made it.")
    return _bad_signature(f"The token says alg {token.algorithm[:64]}, which no key of KMS has.")


def _confused(algorithm: JwsAlgorithm, what: str) -> str:
    return (
        f"The token says {algorithm.name}, a MAC with a shared secret, and {what} holds none: who made the "
        "token so may hope that the public key is taken for a secret."
    )


def _checked(
    token: Token,
    spec: str,
    name: str,
    how: str,
    verify_signature: Callable[[bytes, bytes, JwsAlgorithm], bool],
) -> TokenCheck:
    algorithm = _algorithm_of(token)
    if isinstance(algorithm, TokenCheck):
        return algorithm
    if spec not in algorithm.specs:
        if algorithm.is_mac and not spec.startswith("HMAC"):
            return _bad_signature(_confused(algorithm, name))
        offered = ", ".join(each.name for each in algorithms_of(spec)) or "nothing that tokens have"
        return _bad_signature(
            f"The token says {algorithm.name}, but {name} is {title_of(spec)}, which has {offered}."
        )
    from kms_tui.signing.tokens.jose import verifies

    try:
        good = verifies(
            token, algorithm, lambda data, signature: verify_signature(data, signature, algorithm)
        )
    except TokenError as error:
        if error.field is not TokenField.TOKEN:
            raise
        return _bad_signature(str(error))
    if good:
        return TokenCheck(
            "signature", CheckState.GOOD, f"Good: made with {name} and {algorithm.name}; {how}."
        )
    return _bad_signature(
        f"Not good: it was not made of this header and these claims with {name} and {algorithm.name}."
    )


# The claims


def claim_checks(claims: Mapping[str, Any], expected: Expected) -> tuple[TokenCheck, ...]:
    """The registered claims, judged (RFC 7519, section 4.1)."""
    return (*_times(claims, expected), *_audience(claims, expected), *_issuer(claims, expected))


def _times(claims: Mapping[str, Any], expected: Expected) -> Iterator[TokenCheck]:
    read: dict[str, datetime] = {}
    for name, judge, title in (
        ("exp", _expiry, "expiry"),
        ("nbf", _beginning, "not before"),
        ("iat", _issue, "issued"),
    ):
        try:
            moment = read_time(claims, name, TokenField.TOKEN)
        except TokenError as error:
            yield TokenCheck(title, CheckState.BAD, str(error))
            continue
        if moment is not None:
            read[name] = moment
            yield TokenCheck(title, *judge(moment, expected))
        elif name == "exp":
            yield TokenCheck(
                title, CheckState.NOTE, "It has no expiry: it is good for as long as its key is trusted."
            )
    if "exp" in read and "nbf" in read and read["exp"] <= read["nbf"]:
        yield TokenCheck("expiry", CheckState.BAD, "It was never valid: it expires before it begins.")


def _expiry(moment: datetime, expected: Expected) -> tuple[CheckState, str]:
    left = moment - expected.now
    words, when = length_words(left), utc_text(moment)
    if left > timedelta(0):
        return CheckState.GOOD, f"It expires in {words}: {when}."
    if left + expected.leeway > timedelta(0):
        return (
            CheckState.GOOD,
            f"It expired {words} ago, which the leeway of {length_words(expected.leeway)} allows.",
        )
    return CheckState.BAD, f"It expired {words} ago: {when}."


def _beginning(moment: datetime, expected: Expected) -> tuple[CheckState, str]:
    ahead = moment - expected.now
    words, when = length_words(ahead), utc_text(moment)
    if ahead <= timedelta(0):
        return CheckState.GOOD, f"It is valid since {words}: {when}."
    if ahead <= expected.leeway:
        return (
            CheckState.GOOD,
            f"It is valid in {words}, which the leeway of {length_words(expected.leeway)} allows.",
        )
    return CheckState.BAD, f"It is not valid for another {words}: {when}."


def _issue(moment: datetime, expected: Expected) -> tuple[CheckState, str]:
    ahead = moment - expected.now
    when = utc_text(moment)
    if ahead > expected.leeway:
        return (
            CheckState.NOTE,
            f"It says that it was issued {length_words(ahead)} from now: {when}. A clock is wrong.",
        )
    return CheckState.NOTE, f"It was issued {length_words(ahead)} ago: {when}."


def _audience(claims: Mapping[str, Any], expected: Expected) -> Iterator[TokenCheck]:
    audience = claims.get("aud")
    if audience is None:
        if expected.audience:
            yield TokenCheck(
                "audience", CheckState.BAD, f"It names no audience, and {expected.audience} is asked for."
            )
        return
    named = [audience] if isinstance(audience, str) else audience
    if not isinstance(named, list) or not all(isinstance(each, str) for each in named):
        yield TokenCheck("audience", CheckState.BAD, "Its aud is neither a text nor a list of texts.")
        return
    words = _clipped(", ".join(named)) or "nobody"
    if not expected.audience:
        yield TokenCheck("audience", CheckState.NOTE, f"It is for {words}; no audience was asked for.")
    elif expected.audience in named:
        yield TokenCheck("audience", CheckState.GOOD, f"It is for {expected.audience}.")
    else:
        yield TokenCheck("audience", CheckState.BAD, f"It is for {words}, not for {expected.audience}.")


def _issuer(claims: Mapping[str, Any], expected: Expected) -> Iterator[TokenCheck]:
    issuer = claims.get("iss")
    if issuer is None:
        if expected.issuer:
            yield TokenCheck(
                "issuer", CheckState.BAD, f"It names no issuer, and {expected.issuer} is asked for."
            )
    elif not isinstance(issuer, str):
        yield TokenCheck("issuer", CheckState.BAD, "Its iss is no text.")
    elif not expected.issuer:
        yield TokenCheck(
            "issuer", CheckState.NOTE, f"It is from {_clipped(issuer)}; no issuer was asked for."
        )
    elif expected.issuer == issuer:
        yield TokenCheck("issuer", CheckState.GOOD, f"It is from {issuer}.")
    else:
        yield TokenCheck(
            "issuer", CheckState.BAD, f"It is from {_clipped(issuer)}, not from {expected.issuer}."
        )


def _clipped(text: str) -> str:
    """A text for a sentence: a claim may have a million characters."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
