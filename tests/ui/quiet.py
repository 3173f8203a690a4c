"""When the console has nothing left to do."""

from __future__ import annotations

import asyncio
from typing import Any

from textual._context import active_app
from textual.app import App
from textual.screen import Screen

_MOST_FRAMES = 20
"""What a screen has left to paint after so many frames waits for something outside the event loop."""
_MOST_PAUSES = 2000
"""Pauses of 5 ms for widgets that are being mounted."""


async def quiet(min_sleep: float = 0.0, max_sleep: float = 0.0) -> None:
    """Wait until each message is handled, and what it led to, and the screen shows it.

    Stands in for Textual's ``wait_for_idle``, which takes a process that gets no CPU for one that needs none,
    and sleeps for 20 ms at a time.
    """
    loop: Any = asyncio.get_running_loop()
    app: App[Any] = active_app.get()
    frames = pauses = 0
    while frames < _MOST_FRAMES and pauses < _MOST_PAUSES:
        await asyncio.sleep(0)
        while loop._ready:
            await asyncio.sleep(0)
        if not (app.is_running and app.screen_stack):
            return
        if app._batch_count:  # nothing is painted until what is being mounted is there
            pauses += 1
            await asyncio.sleep(0.005)
        elif paints(app.screen):
            frames += 1
            app.screen._on_timer_update()
        else:
            return


def paints(screen: Screen[Any]) -> bool:
    """Whether the screen waits for its next frame."""
    return bool(
        screen._callbacks
        or screen._dirty_widgets
        or screen._layout_required
        or screen._scroll_required
        or screen._repaint_required
        or screen._recompose_required
    )
