"""A one-shot timer goes off, however late its thread gets CPU after its start."""

from __future__ import annotations

import asyncio
import itertools
import sys

import pytest
from textual import _time
from textual.app import App

import kms_tui.ui.base.background  # noqa: F401  it makes timers go off


def test_a_timer_that_is_late_from_its_start_goes_off(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = itertools.count()
    get_time = _time.get_time

    def late() -> float:
        """For the one timer the time of its start, and then a second later."""
        timer = sys._getframe(1).f_locals.get("self")
        return get_time() + bool(next(asked)) if getattr(timer, "name", "") == "late" else get_time()

    async def run() -> None:
        gone_off = asyncio.Event()
        app: App[None] = App()
        async with app.run_test():
            monkeypatch.setattr(_time, "get_time", late)
            app.set_timer(0.05, gone_off.set, name="late")
            async with asyncio.timeout(5):
                await gone_off.wait()
            assert next(asked) > 1

    asyncio.run(run())
