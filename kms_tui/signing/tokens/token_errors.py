"""What can be wrong about a token or about what is asked of one, with the field that it belongs to."""

from __future__ import annotations

from enum import StrEnum

from kms_tui.kms.errors import KmsTuiError


class TokenField(StrEnum):
    """A field of a form; with two dashes in front of its value it is the flag of the command."""

    KEY = "key"
    CLAIMS = "claims"
    CLAIM = "claim"
    EXPIRES_IN = "expires-in"
    KID = "kid"
    ALGORITHM = "algorithm"
    HEADER = "header"
    TOKEN = "token"
    AT = "at"
    LEEWAY = "leeway"
    PUBLIC_KEY = "public-key"
    JWKS = "jwks"
    ALIAS = "alias"


class TokenError(KmsTuiError):
    """A token cannot be made or judged as asked; ``field`` says what is wrong. Nothing was signed.

    The sentence repeats names of members and algorithms (untrusted), never the values of claims.
    """

    def __init__(self, field: TokenField, sentence: str, *, next_step: str = "") -> None:
        super().__init__(sentence, next_step=next_step)
        self.field = field
