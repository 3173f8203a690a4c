"""Slow work off the event loop, on daemon threads of our own.

Textual's thread workers and asyncio's default executor hold the exit until a blocked call ends; a daemon
thread does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

from textual.dom import DOMNode
from textual.worker import WorkType

T = TypeVar("T")


def start(node: DOMNode, work: WorkType[None], *, group: str, description: str) -> None:
    """Start work of a screen or widget that awaits calls and answers; it replaces what runs in its group.

    ``description`` stands in logs and must hold nothing that a person typed: Textual's own would.
    """
    node.run_worker(work, group=group, exclusive=True, description=description)


async def off_loop(function: Callable[[], T]) -> T:
    """Run a blocking function on a daemon thread and await its result or its exception.

    Cancelling the await abandons the thread: what it returns is dropped.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.cancelled():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result: T | None = None
        error: BaseException | None = None
        try:
            result = function()
        except BaseException as raised:
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed: the program has quit
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name="kms-tui call", daemon=True).start()
    return await future
