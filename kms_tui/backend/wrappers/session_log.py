"""The session log: each mutating call and its outcome."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.kms.operations import is_mutating


class _Params(dict[str, Any]):
    """Call parameters whose repr shows no value."""

    def __repr__(self) -> str:
        return f"<{', '.join(self)}>"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One mutating call of the session; ``error`` is "" where it succeeded, else the error's code or type.

    ``params`` may hold secrets, so it stays out of the repr; whoever shows it leaves sensitive members out.
    """

    time: datetime
    region: str
    operation: str
    params: _Params
    error: str = ""
    account: str = ""
    """The 12 digits, or "" where they are not known."""


class SessionLog:
    """The mutating calls of this session, oldest first; the oldest give way past ``limit``."""

    def __init__(self, limit: int = 10_000) -> None:
        self._lock = threading.Lock()
        self._entries: deque[LogEntry] = deque(maxlen=limit)
        self._count = 0

    def append(self, entry: LogEntry) -> None:
        with self._lock:
            self._entries.append(entry)
            self._count += 1

    @property
    def count(self) -> int:
        """All entries so far, those too that have given way."""
        with self._lock:
            return self._count

    def numbered(self) -> tuple[tuple[int, LogEntry], ...]:
        """The entries with their numbers in the session, from 0."""
        with self._lock:
            return tuple(enumerate(self._entries, self._count - len(self._entries)))

    @property
    def entries(self) -> tuple[LogEntry, ...]:
        with self._lock:
            return tuple(self._entries)


class Recorded(Wrapper):
    """Writes each mutating call and its outcome to a ``SessionLog`` that all regions share."""

    def __init__(
        self, inner: Backend, log: SessionLog, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        super().__init__(inner)
        self.log = log
        self._now = now

    def around(self, inner: Backend) -> Self:
        return type(self)(inner, self.log, self._now)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if not is_mutating(operation):
            return self.inner.call(operation, params)
        error = ""
        try:
            return self.inner.call(operation, params)
        except ServiceError as failure:
            error = failure.code
            raise
        except KmsTuiError as failure:
            error = type(failure).__name__
            raise
        finally:
            self.log.append(
                LogEntry(self._now(), self.region, operation, _Params(params), error, self.account_id)
            )
