"""What has been changed in this sitting, and can be taken back: newest first, many keys' changes as one."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kms_tui.backend.base import Backend
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.undo.reversals import REVERSALS, ApiCall


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One change that was made; ``undo`` are the calls that take it back, in their order.

    ``reason`` says why there are none ("" where there are).
    """

    time: datetime
    call: ApiCall
    undo: tuple[ApiCall, ...]
    reason: str
    backend: Backend = field(repr=False)
    """Where the change was made; calls on it are logged and counted, and not remembered."""

    @property
    def region(self) -> str:
        return self.backend.region

    def stands(self) -> bool:
        """Whether the change is still as it was made; True where that cannot be read. It asks the backend."""
        reversal = REVERSALS.get(self.call.operation)
        look = reversal.look(self.call.params) if reversal is not None else None
        if reversal is None or look is None:
            return True
        try:
            return reversal.stands(self.call.params, self.backend.call(look.operation, look.params))
        except ServiceError as error:
            return self.call.operation == "DeleteAlias" or error.code != "NotFoundException"
        except KmsTuiError:
            return True

    @property
    def note(self) -> str:
        """What is not the same again after it was taken back, or ""."""
        reversal = REVERSALS.get(self.call.operation)
        return reversal.note if reversal is not None else ""

    def take_back(self) -> tuple[Mapping[str, Any], ...]:
        """Make the undoing calls; their answers."""
        return tuple(self.backend.call(call.operation, call.params) for call in self.undo)


class History:
    """The changes of this sitting in groups; a group is taken back as one."""

    def __init__(self, limit: int = 1000) -> None:
        self._lock = threading.Lock()
        self._groups: list[list[Step]] = []
        self._limit = limit

    def append(self, step: Step) -> None:
        with self._lock:
            self._groups.append([step])
            del self._groups[: -self._limit]

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is appended within is one group."""
        with self._lock:
            before = set(map(id, self._groups))
        try:
            yield
        finally:
            with self._lock:
                new = [group for group in self._groups if id(group) not in before]
                if new:
                    self._groups = [group for group in self._groups if id(group) in before]
                    self._groups.append([step for group in new for step in group])

    def last(self) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
        """The steps that would be taken back next, newest first; and the later ones without a way back."""
        skipped: list[Step] = []
        with self._lock:
            for group in reversed(self._groups):
                steps = [step for step in reversed(group) if step.undo]
                if steps:
                    return tuple(steps), tuple(skipped)
                skipped += reversed(group)
        return (), tuple(skipped)

    def drop(self, step: Step) -> None:
        """Forget a step: it was taken back."""
        with self._lock:
            for group in self._groups:
                if step in group:
                    group.remove(step)
            self._groups = [group for group in self._groups if group]
