"""Slow work off the event loop, on daemon threads of our own; and timers that go off.

Textual's thread workers and asyncio's default executor hold the exit until a blocked call ends; a daemon
thread does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from textual.dom import DOMNode, NoScreen
from textual.message_pump import MessagePump
from textual.timer import Timer
from textual.widget import Widget
from textual.worker import Worker, WorkType

from kms_tui.kms.errors import AnswerError, KmsTuiError

T = TypeVar("T")


def start(
    node: DOMNode, work: Callable[[], Awaitable[None]], *, group: str, description: str
) -> Worker[None]:
    """Start work of a screen or widget that awaits calls and answers; it replaces what runs in its group.

    An exception after its screen was left is ignored. ``description`` stands in logs and must hold nothing
    that a person typed, which Textual's default would.
    """

    async def while_shown() -> None:
        try:
            await work()
        except Exception:
            if not is_closed(node):
                raise

    guarded: WorkType[None] = while_shown
    return node.run_worker(guarded, group=group, exclusive=True, description=description)


def is_closed(node: MessagePump) -> bool:
    """Whether the node's screen was closed, or the app ends, which closes its parts one by one."""
    if not isinstance(node, Widget):
        return False
    if not node.app.is_running:
        return True
    try:
        screen = node.screen
    except NoScreen:
        return True
    stacks = node.app._screen_stacks.values()
    return not any(screen in screens for screens in stacks)


async def off_loop(function: Callable[[], T]) -> T:
    """Run a blocking function on a daemon thread and await its result.

    Every failure becomes a KmsTuiError, whatever shape an answer had. Cancelling the await abandons the
    thread and drops its result.
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
        except KmsTuiError as raised:
            error = raised
        except Exception as raised:
            error = AnswerError.of(raised)
        except BaseException as raised:
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed: the program has quit
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name="kms-tui call", daemon=True).start()
    return await future


_make_timer = Timer.__init__


def _make_timer_that_goes_off(timer: Timer, *args: Any, **options: Any) -> None:
    """Textual skips what a timer missed. A one-shot timer whose thread gets no CPU right after its start, for
    as long as its interval, would be skipped for good: what waits for it would wait for ever.
    """
    if options.get("repeat") == 0:
        options["skip"] = False
    _make_timer(timer, *args, **options)


Timer.__init__ = _make_timer_that_goes_off  # type: ignore[method-assign,assignment]
