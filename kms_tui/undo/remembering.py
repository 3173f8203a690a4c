"""A wrapper that looks at what is there before each change, so that the change can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.operations import is_mutating
from kms_tui.undo.history import History, Step
from kms_tui.undo.reversals import REVERSALS, ApiCall

NO_WAY_BACK = "AWS has no way back from it"
UNREADABLE = "what was there before could not be read"
NOTHING_CHANGED = "it changed nothing"
_NAMES = ("KeyId", "AliasName", "CustomKeyStoreId")
_CHANGES_NOTHING = frozenset({"GetParametersForImport"})
"""Not a reading operation, as it makes an import token, but it leaves the key as it was."""


class Remembering(Wrapper):
    """Appends each change that succeeded to a ``History`` that all regions share.

    A reading call goes ahead of a change that can be taken back. Where it is refused the change is made all
    the same, and has no way back.
    """

    def __init__(self, inner: Backend, history: History, now: Callable[[], datetime]) -> None:
        super().__init__(inner)
        self.history = history
        self._now = now

    def around(self, inner: Backend) -> Remembering:
        return Remembering(inner, self.history, self._now)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if not is_mutating(operation) or operation in _CHANGES_NOTHING:
            return self.inner.call(operation, params)
        # Other parameters may be secrets, and only a way back needs them.
        kept = params if operation in REVERSALS else {name: params[name] for name in _NAMES if name in params}
        change = ApiCall(operation, dict(kept))
        undo, reason = self._way_back(change)
        answer = self.inner.call(operation, params)
        by_answer = REVERSALS[operation].by_answer if undo else None
        if by_answer is not None:
            undo = by_answer(params, answer)
        self.history.append(Step(self._now(), change, undo, reason, self.inner))
        return answer

    def _way_back(self, change: ApiCall) -> tuple[tuple[ApiCall, ...], str]:
        reversal = REVERSALS.get(change.operation)
        if reversal is None:
            return (), NO_WAY_BACK
        look = reversal.look(change.params)
        if look is None:
            return (), NO_WAY_BACK
        try:
            undo = reversal.inverse(change.params, self.inner.call(look.operation, look.params))
        except (KmsTuiError, LookupError, TypeError, AttributeError):
            return (), UNREADABLE
        return undo, "" if undo else NOTHING_CHANGED
