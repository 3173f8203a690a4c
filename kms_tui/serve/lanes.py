"""Where a call runs: at once, or on a thread, so that none waits for a slow one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kms_tui.kms.errors import ServiceError
from kms_tui.kms.operations import Trait, has
from kms_tui.serve.http_messages import HttpResponse

_ALGORITHM_MEMBERS = ("EncryptionAlgorithm", "SourceEncryptionAlgorithm", "DestinationEncryptionAlgorithm")


def is_quick(operation: str, params: Mapping[str, Any]) -> bool:
    """Whether handing a call to a thread costs more than it takes."""
    return has(operation, Trait.QUICK) and all(
        params.get(member, "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT" for member in _ALGORITHM_MEMBERS
    )


def makes_keys(operation: str) -> bool:
    """Whether a call may look for RSA primes, which takes seconds of a processor."""
    return has(operation, Trait.MAKES_KEY)


class Lane:
    """Some threads with a bounded queue; raises ThrottlingException when it is full. One loop uses it."""

    def __init__(self, name: str, threads: int, waiting: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=f"kms-tui {name}")
        self._limit = threads + waiting
        self._under_way = 0

    async def run(self, work: Callable[[], HttpResponse]) -> HttpResponse:
        if self._under_way >= self._limit:
            raise ServiceError("ThrottlingException", "Rate exceeded")
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, work)
        finally:
            self._under_way -= 1

    def close(self) -> None:
        """Drop what has not begun; does not wait for what has."""
        self._executor.shutdown(wait=False, cancel_futures=True)
