"""Driving the console: press, look, and ask the backend what it now holds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from textual.pilot import Pilot

from kms_tui.backend.base import Backend
from kms_tui.ui.app import KmsApp
from kms_tui.ui.screenshot import settle as settled
from kms_tui.ui.widgets.key_list import KeyList

__all__ = ["Script", "drive", "go_to", "notifications", "press", "resize", "settled", "state_of"]

Script = Callable[[Pilot[Any]], Awaitable[None]]


def drive(app: KmsApp, script: Script, *, size: tuple[int, int] = (160, 48)) -> None:
    """Run a script of key presses on the settled console."""

    async def run() -> None:
        async with app.run_test(size=size, notifications=True) as pilot:
            await settled(pilot)
            await script(pilot)
            if app.screen_stack:
                app.screen._compositor.render_strips()  # what the script leaves on the screen can be painted

    asyncio.run(run())


async def press(pilot: Pilot[Any], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settled(pilot)


async def resize(pilot: Pilot[Any], width: int, height: int) -> None:
    """Give the terminal another size, and have it followed at once: Textual waits for more of them."""
    await pilot.resize_terminal(width, height)
    pilot.app._check_resize()
    await pilot.pause()


async def go_to(pilot: Pilot[Any], alias: str) -> str:
    """Put the cursor on the key of an alias; its key id."""
    key_list = pilot.app.screen.query_one(KeyList)
    row = next(row for row in key_list.rows if alias in row.aliases)
    assert key_list.go_to(row.arn)
    await settled(pilot)
    return row.key_id


def state_of(backend: Backend, key_id: str) -> str:
    return str(backend.call("DescribeKey", {"KeyId": key_id})["KeyMetadata"]["KeyState"])


def notifications(app: KmsApp) -> str:
    return "\n".join(f"{note.title} {note.message}" for note in app._notifications)
