"""Read-only sessions: nothing that changes a key leaves the program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.kms.errors import ReadOnlyError
from kms_tui.kms.operations import NOT_MUTATING


class ReadOnly(Wrapper):
    """Lets only the operations of ``NOT_MUTATING`` through; another raises ReadOnlyError and is not sent."""

    def around(self, inner: Backend) -> Self:
        return type(self)(inner)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if operation not in NOT_MUTATING:
            raise ReadOnlyError(operation)
        return self.inner.call(operation, params)
