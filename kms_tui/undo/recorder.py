"""The changes of this session, and the wrapper that records the state before each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.kms.arn import key_id_of
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.kms.operations import Trait, has, is_mutating
from kms_tui.undo.reversals import REVERSALS, SECRET_MEMBERS, ApiCall

SKIPPED = "it was skipped"


@dataclass(frozen=True, slots=True, eq=False)
class UndoStep:
    """One change; ``undo`` are the calls that undo it, in order.

    ``reason`` says why there are none, or is "".
    """

    time: datetime
    call: ApiCall
    undo: tuple[ApiCall, ...]
    reason: str
    backend: Backend = field(repr=False)
    """The backend of the change; its calls are logged and counted, and not recorded for undo."""
    _left: list[ApiCall] = field(init=False, repr=False)
    """The undo calls still to be made."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_left", list(self.undo))

    @property
    def region(self) -> str:
        return self.backend.region

    def is_in_effect(self) -> bool:
        """Whether the change is still in effect; True if that cannot be read. Calls the backend."""
        reversal = REVERSALS.get(self.call.operation)
        read_call = reversal.read_call(self.call.params) if reversal is not None else None
        if reversal is None or read_call is None:
            return True
        try:
            return reversal.is_in_effect(
                self.call.params, self.backend.call(read_call.operation, read_call.params)
            )
        except ServiceError as error:
            return self.call.operation == "DeleteAlias" or error.code != "NotFoundException"
        except (KmsTuiError, LookupError, TypeError, AttributeError):
            return True

    @property
    def note(self) -> str:
        """What undo does not restore, or ""."""
        reversal = REVERSALS.get(self.call.operation)
        return reversal.note if reversal is not None else ""

    @property
    def target(self) -> str:
        """The changed object: a key id, an alias name, or the id (of a new one the name) of a key store."""
        named = (self.call.params[name] for name in _NAMES if self.call.params.get(name))
        return key_id_of(str(next(named, "")))

    def undo_calls(self) -> tuple[Mapping[str, Any], ...]:
        """Make the remaining undo calls and return their answers.

        If a deletion is already cancelled, CancelKeyDeletion may fail; the call after it is still made.
        """
        answers = []
        while self._left:
            call = self._left[0]
            try:
                answers.append(self._undo_with(call).call(call.operation, call.params))
            except ServiceError as error:
                needless = call.operation == "CancelKeyDeletion" and error.code == "KMSInvalidStateException"
                if not needless or len(self._left) == 1:
                    raise
            self._left.pop(0)
        return tuple(answers)

    def _undo_with(self, call: ApiCall) -> Backend:
        return self.backend.in_region(call.region) if call.region else self.backend


class UndoHistory:
    """The changes of this session in groups; a group is undone together."""

    def __init__(self, limit: int = 1000) -> None:
        self._lock = threading.Lock()
        self._groups: list[list[UndoStep]] = []
        self._limit = limit
        self._collecting = 0
        """Open blocks of ``together``; nothing is dropped meanwhile."""

    def append(self, step: UndoStep) -> None:
        with self._lock:
            self._groups.append([step])
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        if not self._collecting:
            del self._groups[: -self._limit]

    @contextmanager
    def together(self) -> Iterator[None]:
        """Steps appended within are one group."""
        with self._lock:
            self._collecting += 1
            before = {id(group): group for group in self._groups}
        try:
            yield
        finally:
            with self._lock:
                new = [group for group in self._groups if id(group) not in before]
                if new:
                    self._groups = [group for group in self._groups if id(group) in before]
                    self._groups.append([step for group in new for step in group])
                self._collecting -= 1
                self._forget_oldest()

    def last(self) -> tuple[tuple[UndoStep, ...], tuple[UndoStep, ...]]:
        """The steps to undo next, newest first; and later ones that cannot be undone."""
        skipped: list[UndoStep] = []
        with self._lock:
            for group in reversed(self._groups):
                steps = [step for step in reversed(group) if step.undo]
                if steps:
                    return tuple(steps), tuple(skipped)
                skipped += reversed(group)
        return (), tuple(skipped)

    def later(self, step: UndoStep) -> tuple[UndoStep, ...]:
        """Later changes of this session to the same target, oldest first."""
        with self._lock:
            steps = [each for group in self._groups for each in group]
        after = steps[steps.index(step) + 1 :] if step in steps else []
        return tuple(each for each in after if (each.target, each.region) == (step.target, step.region))

    def skip(self, step: UndoStep) -> None:
        """Offer this step no more, so that the one before it can be undone."""
        left = replace(step, undo=(), reason=SKIPPED)
        with self._lock:
            self._groups = [[left if each is step else each for each in group] for group in self._groups]

    def drop(self, step: UndoStep) -> None:
        """Remove a step that was undone."""
        with self._lock:
            for group in self._groups:
                if step in group:
                    group.remove(step)
            self._groups = [group for group in self._groups if group]


NO_WAY_BACK = "AWS cannot undo it"
NEVER_TOLD = "AWS never tells the secret that was there before"
UNREADABLE = "the state before it could not be read"
NOTHING_CHANGED = "it changed nothing"
_NAMES = ("AliasName", "KeyId", "CustomKeyStoreId", "CustomKeyStoreName")


_ALREADY_READ: ContextVar[tuple[ApiCall, Mapping[str, Any]] | None] = ContextVar("already read", default=None)


@contextmanager
def already_read(read: ApiCall, answer: Mapping[str, Any]) -> Iterator[None]:
    """Changes made inside, on this thread, use this answer as the state before instead of reading it again.

    For a caller that has just read the state, and changes it only if it is as expected.
    """
    token = _ALREADY_READ.set((read, answer))
    try:
        yield
    finally:
        _ALREADY_READ.reset(token)


_NOT_OFFERED: ContextVar[str] = ContextVar("not offered for undo", default="")


@contextmanager
def not_undone(reason: str) -> Iterator[None]:
    """Changes made inside, on this thread, are not offered for undo, for this reason.

    For a caller that keeps an account of its own of what it changed, which undo would make untrue.
    """
    token = _NOT_OFFERED.set(reason)
    try:
        yield
    finally:
        _NOT_OFFERED.reset(token)


class UndoRecorder(Wrapper):
    """Appends each successful change to an ``UndoHistory`` that all regions share.

    Before a change that can be undone it reads the current state. If that fails, the change is made anyway
    and cannot be undone.
    """

    def __init__(self, inner: Backend, history: UndoHistory, now: Callable[[], datetime]) -> None:
        super().__init__(inner)
        self.history = history
        self._now = now

    def around(self, inner: Backend) -> UndoRecorder:
        return UndoRecorder(inner, self.history, self._now)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if not is_mutating(operation) or has(operation, Trait.HARMLESS):
            return self.inner.call(operation, params)
        # Other parameters may be secrets, and only undo needs them.
        known = params.keys() - SECRET_MEMBERS if operation in REVERSALS else _NAMES
        change = ApiCall(operation, {name: params[name] for name in params if name in known})
        undo, reason = self._way_back(change, params)
        answer = self.inner.call(operation, params)
        by_answer = REVERSALS[operation].by_answer if undo else None
        if by_answer is not None:
            undo = by_answer(params, answer)
        self.history.append(UndoStep(self._now(), change, undo, reason, self.inner))
        return answer

    def _way_back(self, change: ApiCall, params: Mapping[str, Any]) -> tuple[tuple[ApiCall, ...], str]:
        if reason := _NOT_OFFERED.get():
            return (), reason
        reversal = REVERSALS.get(change.operation)
        if reversal is None:
            return (), NO_WAY_BACK
        if reversal.never_told & params.keys():
            return (), NEVER_TOLD
        read_call = reversal.read_call(change.params)
        if read_call is None:
            return (), NO_WAY_BACK
        try:
            read, answer = _ALREADY_READ.get() or (None, {})
            before = answer if read == read_call else self.inner.call(read_call.operation, read_call.params)
            undo = reversal.inverse(change.params, before)
        except (KmsTuiError, LookupError, TypeError, AttributeError):
            return (), UNREADABLE
        return undo, "" if undo else NOTHING_CHANGED
