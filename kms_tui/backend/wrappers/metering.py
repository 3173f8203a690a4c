"""The session's count of API calls, by operation and, where the price depends on it, by key."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.kms.operations import Trait, has


class PricedCall(NamedTuple):
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
        self._uses: Counter[PricedCall] = Counter()

    def count(self, operation: str, use: PricedCall | None = None) -> None:
        with self._lock:
            if use is not None:
                self._uses[use] += 1
            self.calls[operation] += 1

    @property
    def total(self) -> int:
        with self._lock:
            return self.calls.total()

    def so_far(self) -> tuple[Counter[str], Counter[PricedCall]]:
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


def _use(operation: str, params: Mapping[str, Any], result: Mapping[str, Any]) -> PricedCall | None:
    if not has(operation, Trait.PRICED_BY_KEY):
        return None
    key = str(result.get("KeyId") or params.get("KeyId") or "")
    return PricedCall(operation, key, str(params.get("KeyPairSpec", "")))
