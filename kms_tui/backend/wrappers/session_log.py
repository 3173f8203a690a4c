"""The session log: each mutating call of KMS, each write of another service, and its outcome."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self

from kms_tui.backend.base import Backend, OffersWrites, Services, Wrapper
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.kms.operations import SECRET_MEMBERS, is_mutating, may_write


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
    service: str = "kms"
    """By botocore's name of it; of any other service ``params`` hold no secret."""


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
        entry = LogEntry(self._now(), self.region, operation, _Params(params), account=self.account_id)
        with _logged(self.log, entry, self._now):
            return self.inner.call(operation, params)


class RecordedWrites:
    """``Services`` that may write; each write goes to a ``SessionLog``, without secrets, with its outcome."""

    def __init__(self, inner: Services, log: SessionLog, account: str, now: Callable[[], datetime]) -> None:
        self._inner = inner
        self._log = log
        self._account = account
        self._now = now

    @property
    def region(self) -> str:
        return self._inner.region

    def offers(self, service: str) -> bool:
        return self._inner.offers(service)

    def in_region(self, region: str) -> RecordedWrites:
        return RecordedWrites(self._inner.in_region(region), self._log, self._account, self._now)

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if not may_write(service, operation):
            return self._inner.call(service, operation, params)
        told = _Params(without_secrets(service, operation, params))
        entry = LogEntry(self._now(), self.region, operation, told, account=self._account, service=service)
        with _logged(self._log, entry, self._now):
            return self._inner.call(service, operation, params)


def recorded_writes(
    services: Services | None, log: SessionLog, account: str, now: Callable[[], datetime]
) -> RecordedWrites | None:
    """The services where they may write, recorded; None where they cannot."""
    writing = services.writing() if isinstance(services, OffersWrites) else None
    return RecordedWrites(writing, log, account, now) if writing is not None else None


def without_secrets(service: str, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The params of a write, with a file's name of the AWS CLI in place of each secret."""
    secret = SECRET_MEMBERS.get((service, operation), frozenset())
    return {name: "file://INPUT" if name in secret else value for name, value in params.items()}


@contextmanager
def _logged(log: SessionLog, entry: LogEntry, now: Callable[[], datetime]) -> Iterator[None]:
    """Append an entry of now when the block ends, with the error that it raised."""
    error = ""
    try:
        yield
    except ServiceError as failure:
        error = failure.code
        raise
    except KmsTuiError as failure:
        error = type(failure).__name__
        raise
    finally:
        log.append(replace(entry, time=now(), error=error))
