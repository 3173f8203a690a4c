"""Grant tokens that a person holds, sent with the calls that take them; no part of the stack of a session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.backend.service_model import service_model
from kms_tui.kms.model import Secret

MEMBER = "GrantTokens"


def takes_grant_tokens(operation: str) -> bool:
    """Whether an operation has the member GrantTokens, by the service model."""
    model = service_model()
    reference = model["operations"].get(operation, {}).get("input")
    return reference is not None and MEMBER in model["shapes"][reference["shape"]]["members"]


class WithGrantTokens(Wrapper):
    """Adds the tokens to each call that takes some."""

    def __init__(self, inner: Backend, tokens: Sequence[Secret]) -> None:
        super().__init__(inner)
        self.tokens = tuple(tokens)

    def around(self, inner: Backend) -> Self:
        return type(self)(inner, self.tokens)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if takes_grant_tokens(operation):
            params = {**params, MEMBER: [token.reveal().decode("ascii") for token in self.tokens]}
        return self.inner.call(operation, params)
