"""Signals: the ones that end a program are the same way out as ``q``, and after a stop everything is painted.

Textual hears of none but SIGTSTP and SIGCONT: killed by another, it leaves the terminal in the alternate
screen, without echo and with the mouse reported.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Any

from textual.app import App
from textual.drivers._writer_thread import WriterThread


def listen(app: App[Any]) -> None:
    """Obey signals from now on; to be called on the event loop, once the terminal is the app's."""
    app.app_resume_signal.subscribe(app, lambda _: repaint(app))
    if app.is_headless or sys.platform == "win32":
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, app.exit)
    signal.signal(signal.SIGCONT, lambda *_: _go_on(app))


def _write(thread: WriterThread) -> None:
    """Write what is queued; once the terminal is gone, take it all the same, or the app waits for ever."""
    is_there = True
    while (text := thread._queue.get()) is not None:
        try:
            if is_there:
                thread._file.write(text)
                if thread._queue.empty():
                    thread._file.flush()
        except OSError:
            is_there = False


WriterThread.run = _write  # type: ignore[assignment]


def repaint(app: App[Any]) -> None:
    """Paint every cell: another program may have written over them."""
    app.screen.refresh(layout=True)


def _go_on(app: App[Any]) -> None:
    """Take the terminal again; of SIGSTOP nobody was told, so it was not given up before."""
    driver: Any = app._driver
    if not driver._must_signal_resume:
        if not driver._auto_restart:
            return  # another program has it
        driver.suspend_application_mode()
        driver._must_signal_resume = True
    driver.resume_application_mode()
