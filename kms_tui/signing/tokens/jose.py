"""joserfc makes and checks compact JWS; the signatures themselves come from elsewhere: KMS, or a public key.

Slow to import (0.1 s): import late.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from joserfc import jws
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import OctKey

from kms_tui.signing.tokens.jws_algorithms import JwsAlgorithm
from kms_tui.signing.tokens.token_errors import TokenError, TokenField
from kms_tui.signing.tokens.token_reading import MAX_TOKEN, Token

Sign = Callable[[bytes], bytes]
"""The signing input -> the signature, in the form of JWS."""
Verify = Callable[[bytes, bytes], bool]
"""The signing input and the signature -> whether it is good."""


class _Elsewhere(OctKey):
    """A key whose bytes are not here: joserfc takes only keys of its own classes."""

    def __init__(self) -> None:
        super().__init__(b"", b"")


class _Delegated(JWSAlgModel):
    """An algorithm whose work a function does."""

    def __init__(self, name: str, sign: Sign | None, verify: Verify | None) -> None:
        self.name = name
        self.description = name
        self._sign, self._verify = sign, verify

    def check_key(self, key: Any) -> None:
        assert isinstance(key, _Elsewhere)

    def sign(self, msg: bytes, key: Any) -> bytes:
        assert self._sign is not None
        return self._sign(msg)

    def verify(self, msg: bytes, sig: bytes, key: Any) -> bool:
        assert self._verify is not None
        return self._verify(msg, sig)


class _OneAlgorithm(jws.JWSRegistry):
    """A registry with one algorithm, and with our limit on sizes; headers may have members of their own."""

    max_header_length = max_payload_length = max_signature_length = MAX_TOKEN

    def __init__(self, algorithm: _Delegated) -> None:
        super().__init__(algorithms=[algorithm.name], strict_check_header=False)
        self.algorithms = {algorithm.name: algorithm}


def serialize(header: Mapping[str, Any], payload: bytes, algorithm: JwsAlgorithm, sign: Sign) -> str:
    """The compact JWS. TokenError for a header that RFC 7515 does not allow; errors of ``sign`` pass."""
    registry = _OneAlgorithm(_Delegated(algorithm.name, sign, None))
    try:
        return jws.serialize_compact(dict(header), payload, _Elsewhere(), registry=registry)
    except JoseError as error:
        raise TokenError(TokenField.HEADER, f"The header cannot be used: {error.description}.") from None


def check_header(header: Mapping[str, Any], algorithm: JwsAlgorithm) -> None:
    """TokenError for a header that RFC 7515 does not allow."""
    registry = _OneAlgorithm(_Delegated(algorithm.name, None, None))
    try:
        registry.check_header(dict(header))
    except JoseError as error:
        raise TokenError(TokenField.HEADER, f"The header cannot be used: {error.description}.") from None


def verifies(token: Token, algorithm: JwsAlgorithm, verify: Verify) -> bool:
    """Whether the token's signature is good. TokenError for a header that RFC 7515 does not allow."""
    registry = _OneAlgorithm(_Delegated(algorithm.name, None, verify))
    try:
        jws.deserialize_compact(token.compact, _Elsewhere(), registry=registry)
    except BadSignatureError:
        return False
    except JoseError as error:
        raise TokenError(TokenField.TOKEN, f"The header is not valid: {error.description}.") from None
    return True
