"""A KMS whose reads are from before the session's changes, for as long as a test wants."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.kms.operations import is_mutating


class Lagging(Wrapper):
    """Changes ``inner``; reads ``older``, an account of the same past, until ``caught_up`` is set."""

    def __init__(self, inner: Backend, older: Backend, caught_up: threading.Event | None = None) -> None:
        super().__init__(inner)
        self.older = older
        self.caught_up = caught_up or threading.Event()

    def around(self, inner: Backend) -> Lagging:
        return Lagging(inner, self.older.in_region(inner.region), self.caught_up)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if is_mutating(operation) or self.caught_up.is_set():
            return self.inner.call(operation, params)
        return self.older.call(operation, params)
