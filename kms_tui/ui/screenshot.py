"""The console drawn into an SVG file, without a terminal."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from kms_tui.atomic import SHARED, atomic_file
from kms_tui.ui.app import KmsApp


def draw(app: KmsApp, path: Path, *, keys: tuple[str, ...] = (), size: tuple[int, int] = (160, 48)) -> None:
    """Run the app until it has nothing left to load, press ``keys``, and write what it shows.

    ``size`` is columns and rows. Raises FileError where the file cannot be written; then a
    former one stays.
    """

    async def pilot_once(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        for key in keys:
            await pilot.press(key)
            await settle(pilot)
        drawn.append(app.export_screenshot(title="kms-tui"))
        app.exit()

    drawn: list[str] = []
    app.run(headless=True, size=size, auto_pilot=pilot_once)
    for picture in drawn:
        with atomic_file(path, overwrite=True, mode=SHARED) as file:
            file.write(picture.encode())


async def settle(pilot: Pilot[Any], *, seconds: float = 120.0) -> None:
    """Wait until nothing runs and all that was read is shown; TimeoutError after ``seconds``."""
    app = pilot.app
    assert isinstance(app, KmsApp)
    shown = -1
    async with asyncio.timeout(seconds):
        while True:
            while app.busy:
                await asyncio.sleep(0.005)
            told = app.session.inventory.flush() if app.session is not None else 0
            await pilot.pause()
            if told == shown and not app.busy:
                return
            shown = told
