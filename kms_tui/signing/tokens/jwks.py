"""Sets of public keys (JWKS, RFC 7517): of KMS keys for verifiers, and the key that a token names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.arn import ALIAS_PREFIX
from kms_tui.kms.model import KeyState
from kms_tui.public_key import PublicKeyError
from kms_tui.signing.public_key_reading import ReadPublicKey, kids_of, of_jwk
from kms_tui.signing.tokens.jws_algorithms import JwsAlgorithm, algorithm_for, algorithms_of
from kms_tui.signing.tokens.token_errors import TokenError, TokenField
from kms_tui.signing.tokens.token_json import read_object
from kms_tui.signing.tokens.token_keys import TokenKey, open_token_key, spec_for_tokens
from kms_tui.signing.tokens.token_signing import KEY_ID, THUMBPRINT

_VERSION_MARKS = "-_/."
"""What stands between the name of an alias and a version: alias/tokens-2026, alias/tokens/v2."""


# Making one


@dataclass(frozen=True, slots=True)
class KeySet:
    """A JWKS, and what to know about it."""

    keys: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...] = ()
    """Which keys an alias stood for, and which were left out, why; untrusted."""

    def as_dict(self) -> dict[str, Any]:
        return {"keys": [dict(key) for key in self.keys]}


def key_set(
    kms: Kms,
    keys: Sequence[str] = (),
    aliases: Sequence[str] = (),
    *,
    kid: str = THUMBPRINT,
    algorithm: str = "",
) -> KeySet:
    """The public keys of KMS keys, each with ``kid``, ``alg`` and ``use``.

    One call of GetPublicKey each, and of DescribeKey for those behind an alias.

    An alias stands for its own key and for those of its versions: the aliases that continue its name after
    one of ``-_/.``. Asymmetric keys do not rotate in KMS: people make another key, and move or add an alias;
    to which keys an alias pointed before, KMS does not tell. Behind an alias, a key that is not enabled, or
    that signs no tokens, is left out with a note; one that is named itself is an error. ``kid`` is THUMBPRINT
    or KEY_ID; ``algorithm`` is for the keys that have it, as PS256 for RSA keys; TokenError if none has.
    """
    found: dict[str, Mapping[str, Any]] = {}
    notes: list[str] = []
    applied = not algorithm
    wanted = [(key, False) for key in keys]
    for alias in aliases:
        versions = _versions(kms, alias)
        wanted += [(each, True) for each in versions]
        notes.append(f"{alias} stands for {', '.join(versions)}.")
    for name, may_be_left_out in wanted:
        if may_be_left_out and (state := kms.describe(name).state) != KeyState.ENABLED:
            notes.append(f"Left out {name}: its key is in the state {state}.")
            continue
        try:
            opened = open_token_key(kms, name)
            jwk = _jwk(opened, kid, algorithm)
        except TokenError as error:
            if not may_be_left_out:
                raise
            notes.append(f"Left out {name}: {error}")
            continue
        applied = applied or bool(_jose(algorithm, opened))
        if opened.arn in found:
            notes.append(f"{name} is a key that is in the set already.")
        found[opened.arn] = jwk
    if not applied:
        raise TokenError(TokenField.ALGORITHM, f"None of these keys has the algorithm {algorithm}.")
    return KeySet(tuple(found.values()), tuple(notes))


def _jose(algorithm: str, key: TokenKey) -> str:
    """The JOSE name of an algorithm by either name, if the key has it; else ""."""
    return next((each.name for each in algorithms_of(key.spec) if algorithm in (each.name, each.kms)), "")


def _versions(kms: Kms, alias: str) -> list[str]:
    """The names of an alias and of its versions that have a key, in the order of the alphabet."""
    if not alias.startswith(ALIAS_PREFIX):
        raise TokenError(TokenField.ALIAS, f"{alias} is no alias: its name begins with {ALIAS_PREFIX}.")
    names = [each.name for each in kms.aliases() if each.target_key_id and _is_version(each.name, alias)]
    if not names:
        raise TokenError(TokenField.ALIAS, f"There is no alias {alias}, and none that continues its name.")
    return sorted(names)


def _is_version(name: str, alias: str) -> bool:
    rest = name.removeprefix(alias)
    return name == alias or (rest != name and rest[0] in _VERSION_MARKS)


def _jwk(key: TokenKey, kid: str, algorithm: str) -> Mapping[str, Any]:
    if key.public_key is None:
        raise TokenError(
            TokenField.KEY, f"{key.asked_as} is an HMAC key: it has no public key, and a JWKS is public."
        )
    chosen = algorithm_for(key.spec, key.asked_as, _jose(algorithm, key))
    named = key.key_id if kid == KEY_ID else key.thumbprint
    return {**key.public_key.jwk(), "kid": named, "alg": chosen.name, "use": "sig"}


# Choosing from one


def chosen_key(text: str, kid: str | None, algorithm: JwsAlgorithm) -> ReadPublicKey:
    """The key of a JWKS with this kid; without a kid the only one that the algorithm can use.

    TokenError names the kids that are there. Secret keys (oct) and keys for encryption are passed over.
    """
    document = read_object(text, "The JWKS", TokenField.JWKS)
    keys = [document] if "kty" in document else document.get("keys")
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise TokenError(TokenField.JWKS, 'This is no JWKS: it has no "keys", a list of objects.')
    if not keys:
        raise TokenError(TokenField.JWKS, "This JWKS has no keys.")
    if kid is not None:
        named = [key for key in keys if key.get("kid") == kid]
        if not named:
            raise TokenError(
                TokenField.JWKS,
                f"The JWKS has no key with the token's kid {kid[:128]}.",
                next_step=f"It has {kids_of(keys)}.",
            )
        if len(named) > 1:
            raise TokenError(TokenField.JWKS, f"The JWKS has {len(named)} keys with the kid {kid[:128]}.")
        return _read(named[0])
    fitting = [read for key in keys if (read := _fitting(key, algorithm)) is not None]
    if len(fitting) != 1:
        count = "no key" if not fitting else f"{len(fitting):,} keys"
        raise TokenError(
            TokenField.JWKS,
            f"The token names no kid, and the JWKS has {count} for {algorithm.name}.",
            next_step=f"It has {kids_of(keys)}: give one of them with --public-key.",
        )
    return fitting[0]


def _read(jwk: Mapping[str, Any]) -> ReadPublicKey:
    if jwk.get("use", "sig") != "sig":
        raise TokenError(TokenField.JWKS, "The key that the token names is not for signatures (use).")
    try:
        return of_jwk(jwk)
    except PublicKeyError as error:
        raise TokenError(TokenField.JWKS, str(error), next_step=error.next_step) from None


def _fitting(jwk: Mapping[str, Any], algorithm: JwsAlgorithm) -> ReadPublicKey | None:
    """The key, if the algorithm can use it."""
    if jwk.get("kty") == "oct" or jwk.get("use", "sig") != "sig":
        return None
    try:
        read = of_jwk(jwk)
        spec = spec_for_tokens(read.key)
    except (PublicKeyError, TokenError):
        return None
    if read.algorithm and read.algorithm != algorithm.name:
        return None
    return read if spec in algorithm.specs else None
