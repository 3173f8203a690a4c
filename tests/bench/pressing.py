"""Pressing keys in a console without a terminal: the time until it is painted, and the longest block."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from textual import events
from textual.app import App
from textual.screen import Screen

from tests.ui.quiet import paints


class Response(NamedTuple):
    """Milliseconds from an act to the paint that showed it, or to the last one that it led to."""

    what: str
    repaint: float
    cpu: float
    """Of the event loop's thread."""
    block: float
    """The longest time for which the event loop did nothing else."""
    block_cpu: float

    def __str__(self) -> str:
        return (
            f"{self.what:<44} {self.repaint:5.0f} ms ({self.cpu:4.0f} of CPU), "
            f"longest block {self.block:4.0f} ms ({self.block_cpu:4.0f} of CPU)"
        )


class LoopWatch:
    """The longest time for which the event loop did nothing else, and the most CPU it took at one go.

    On a machine that is busy with other things the first says more about those.
    """

    def __init__(self) -> None:
        self._wall = self._cpu = 0.0
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            wall, cpu = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0.001)
            self._wall = max(self._wall, time.perf_counter() - wall - 0.001)
            self._cpu = max(self._cpu, time.thread_time() - cpu)

    def lap(self) -> tuple[float, float]:
        """Milliseconds since the last lap: of time, and of CPU."""
        lap = self._wall * 1000, self._cpu * 1000
        self._wall = self._cpu = 0.0
        return lap

    def stop(self) -> None:
        self._task.cancel()


class Presser:
    """Presses keys and waits for what they lead to."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._painted = self._painted_cpu = 0.0
        self._is_shown: Callable[[], bool] | None = None
        self._was_shown = False
        self.watch = LoopWatch()
        display = app._display

        def noting_paints(screen: Screen[Any], renderable: Any) -> None:
            display(screen, renderable)
            if not self._was_shown:
                self._painted, self._painted_cpu = time.perf_counter(), time.thread_time()
                self._was_shown = self._is_shown is not None and self._is_shown()

        app._display = noting_paints  # type: ignore[method-assign]

    async def press(
        self,
        key: str,
        what: str = "",
        character: str | None = None,
        *,
        shown: Callable[[], bool] | None = None,
    ) -> Response:
        post = partial(self._app.post_message, events.Key(key, character))
        return await self.act(post, f"{key:<12} {what}".strip(), shown=shown)

    async def act(
        self, act: Callable[[], object], what: str, *, shown: Callable[[], bool] | None = None
    ) -> Response:
        """``shown`` says whether what is painted shows the act; without it, the last paint counts."""
        await asyncio.sleep(0.003)
        self.watch.lap()
        began, cpu = time.perf_counter(), time.thread_time()
        self._painted, self._painted_cpu = began, cpu
        self._is_shown, self._was_shown = shown, False
        act()
        await quiet(self._app)
        await asyncio.sleep(0.002)
        return Response(
            what, (self._painted - began) * 1000, (self._painted_cpu - cpu) * 1000, *self.watch.lap()
        )


async def quiet(app: App[Any], seconds: float = 30.0) -> None:
    """Wait until every message is handled, no call is under way, and the screen shows it all."""
    loop: Any = asyncio.get_running_loop()
    end = loop.time() + seconds
    calm = 0
    while calm < 3 and loop.time() < end:
        await asyncio.sleep(0.001)
        # One may be that of the LoopWatch.
        at_work = len(loop._ready) > 1 or paints(app.screen) or _calls() or bool(app._batch_count)
        calm = 0 if at_work else calm + 1


def _calls() -> bool:
    return any(thread.name == "kms-tui call" for thread in threading.enumerate())
