"""The calls made so far: by whom, on what, with which encryption context, and how each ended."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

MAX_CALLS = 10_000
"""Calls that are kept, the newest."""


class JournalCall(NamedTuple):
    """One call as it arrived, whether or not a fault met it. No plaintext and no bytes of it are kept.

    ``keys`` are all names of its keys, an ARN first; ``error`` the code that was answered, "" for success.
    ``fault`` is what it met, as it would be ordered in JSON; None for nothing. ``params`` are those that
    CloudTrail would record.
    """

    at: datetime
    operation: str
    region: str
    principal: str
    keys: tuple[str, ...]
    encryption_context: Mapping[str, str]
    params: Mapping[str, Any]
    request_id: str
    fault: object = None
    error: str = ""


class CallJournal:
    """The newest calls; safe to use from several threads."""

    def __init__(self) -> None:
        self._calls: deque[JournalCall] = deque(maxlen=MAX_CALLS)
        self._lock = threading.Lock()

    def add(self, call: JournalCall) -> None:
        with self._lock:
            self._calls.append(call)

    def calls(self, operation: str = "", *, key: str = "", principal: str = "") -> list[JournalCall]:
        """The calls that fit, oldest first; "" is any."""
        with self._lock:
            found = list(self._calls)
        return [
            call
            for call in found
            if operation in ("", call.operation)
            and (not key or key in call.keys)
            and principal in ("", call.principal)
        ]

    def count(self, operation: str = "", *, key: str = "", principal: str = "") -> int:
        return len(self.calls(operation, key=key, principal=principal))

    @property
    def counts(self) -> Counter[str]:
        """Operation -> calls."""
        return Counter(call.operation for call in self.calls())

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()
