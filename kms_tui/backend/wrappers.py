"""What cuts across every call, each a small wrapper round a ``Backend``, good for all of them."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

from kms_tui.backend.base import Backend
from kms_tui.kms.errors import KmsTuiError, ReadOnlyError, ServiceError
from kms_tui.kms.model import CallerIdentity
from kms_tui.kms.operations import NOT_MUTATING, PRICED_BY_KEY, is_mutating
from kms_tui.kms.settling import Settling


class Wrapper(ABC):
    """A backend that passes everything but ``call`` through, and wraps the other regions alike."""

    def __init__(self, inner: Backend) -> None:
        self.inner = inner

    @property
    def account_id(self) -> str:
        return self.inner.account_id

    @property
    def region(self) -> str:
        return self.inner.region

    @property
    def partition(self) -> str:
        return self.inner.partition

    def caller(self) -> CallerIdentity:
        return self.inner.caller()

    def in_region(self, region: str) -> Self:
        return self.around(self.inner.in_region(region))

    @abstractmethod
    def around(self, inner: Backend) -> Self:
        """This wrapper, sharing what it has counted so far, round another backend."""

    @abstractmethod
    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]: ...


class ReadOnly(Wrapper):
    """Lets only the operations of ``NOT_MUTATING`` through; another raises ReadOnlyError and is not sent."""

    def around(self, inner: Backend) -> Self:
        return type(self)(inner)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if operation not in NOT_MUTATING:
            raise ReadOnlyError(operation)
        return self.inner.call(operation, params)


class Use(NamedTuple):
    """A call whose price depends on its key: as the answer names it, or else the request; "" without one."""

    operation: str
    key: str
    pair_spec: str = ""
    """KeyPairSpec of the calls that make a data key pair."""


class Meter:
    """How many calls of each operation were made in this session; of calls priced by key also on which key.

    Any number of threads count, and any may look.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.calls: Counter[str] = Counter()
        self._uses: Counter[Use] = Counter()

    def count(self, operation: str, use: Use | None = None) -> None:
        with self._lock:
            if use is not None:
                self._uses[use] += 1
            self.calls[operation] += 1

    @property
    def total(self) -> int:
        with self._lock:
            return self.calls.total()

    def so_far(self) -> tuple[Counter[str], Counter[Use]]:
        """The calls by operation, and those priced by key by their use, as of one moment."""
        with self._lock:
            return Counter(self.calls), Counter(self._uses)


class Metered(Wrapper):
    """Counts every call on a ``Meter`` that all regions share."""

    def __init__(self, inner: Backend, meter: Meter) -> None:
        super().__init__(inner)
        self.meter = meter

    def around(self, inner: Backend) -> Self:
        return type(self)(inner, self.meter)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        result: Mapping[str, Any] = {}
        try:
            result = self.inner.call(operation, params)
            return result
        finally:
            self.meter.count(operation, _use(operation, params, result))


def _use(operation: str, params: Mapping[str, Any], result: Mapping[str, Any]) -> Use | None:
    if operation not in PRICED_BY_KEY:
        return None
    key = str(result.get("KeyId") or params.get("KeyId") or "")
    return Use(operation, key, str(params.get("KeyPairSpec", "")))


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


class SessionLog:
    """The mutating calls of this session, oldest first; the oldest give way past ``limit``."""

    def __init__(self, limit: int = 10_000) -> None:
        self._lock = threading.Lock()
        self._entries: deque[LogEntry] = deque(maxlen=limit)

    def append(self, entry: LogEntry) -> None:
        with self._lock:
            self._entries.append(entry)

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
            self.log.append(LogEntry(self._now(), self.region, operation, _Params(params), error))


class Settled(Wrapper):
    """Lets no read that is older than a change of this session pass for a newer one; see ``Settling``.

    All regions share one ``Settling``.
    """

    def __init__(self, inner: Backend, settling: Settling) -> None:
        super().__init__(inner)
        self.settling = settling

    def around(self, inner: Backend) -> Self:
        return type(self)(inner, self.settling)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            answer = self.inner.call(operation, params)
        except ServiceError as error:
            if error.code != "NotFoundException":
                raise
            missing = self.settling.missing(self.region, operation, params)
            if missing is None:
                raise
            return missing
        if is_mutating(operation):
            self.settling.changed(self.region, operation, params, answer)
            return answer
        return self.settling.read(self.region, operation, params, answer)
