"""What ends the console: no exception does, and a signal does as ``q`` would.

``Boundary`` contains what is raised on the event loop: in message handlers, actions, workers, timers, layout
and painting. Blocking calls have a boundary of their own, ``background.off_loop``. Of signals, Textual
handles SIGTSTP and SIGCONT alone: any other would leave the terminal in the alternate screen, without echo
and with mouse reports on.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from textual import events
from textual.app import App
from textual.drivers._writer_thread import WriterThread
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.worker import WorkerFailed

from kms_tui.kms.errors import KmsTuiError
from kms_tui.ui.base.background import is_closed

_QUIET_SECONDS = 5.0
"""How long the same failure is not notified again: painting may fail many times a second."""
_PACKAGE = Path(__file__).parents[2]


class Boundary(App[None]):
    """An app that survives exceptions in its handlers; before it has begun, one ends it."""

    has_begun = False

    def __init__(self) -> None:
        super().__init__()
        self._told_last: tuple[str, float] = ("", 0.0)

    def contain(self, error: Exception) -> None:
        """Notify of a failure, and go on."""
        if isinstance(error, WorkerFailed) and isinstance(error.error, Exception):
            error = error.error
        sentence, now = _sentence(error), time.monotonic()
        told, at = self._told_last
        if sentence != told or now - at > _QUIET_SECONDS:
            self._told_last = (sentence, now)
            self.notify(sentence, title="That did not work", severity="error", timeout=12)

    def _handle_exception(self, error: Exception) -> None:
        """Textual ends the program here. A failure while it ends already is ignored."""
        if not self.has_begun:
            super()._handle_exception(error)
        elif not self._exit:
            self.contain(error)

    def _fatal_error(self) -> None:
        """Print the stack alone: Textual's report shows local variables, which may hold plaintext."""
        from rich.traceback import Traceback

        self.bell()
        self.panic(Traceback(show_locals=False, width=None))


def _sentence(error: Exception) -> str:
    if isinstance(error, KmsTuiError):
        return f"{error}\n{error.next_step}".strip()
    return f"{type(error).__name__} {_place(error)}: it is given up, and the console goes on."


def _place(error: Exception) -> str:
    """Where in our code it happened; the error's message is left out, since it may quote a secret."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(_PACKAGE) and frame.filename != __file__
    ]
    if not frames:
        return "outside our own code"
    return f"in {Path(frames[-1].filename).relative_to(_PACKAGE).as_posix()}, line {frames[-1].lineno}"


_dispatch = MessagePump._dispatch_message


async def _contained(pump: MessagePump, message: Message) -> None:
    """Contain a handler's exception: Textual would deliver no further message to its widget."""
    try:
        await _dispatch(pump, message)
    except Exception as error:
        app: App[Any] = pump.app
        if not isinstance(app, Boundary):
            raise
        if is_closed(pump):
            return
        app._handle_exception(error)
        if isinstance(message, events.Compose | events.Mount) and isinstance(pump, Screen):
            _close_half_made(app, pump)


def _close_half_made(app: Boundary, screen: Screen[Any]) -> None:
    """Close a screen whose widgets could not be made: it may lack those that would close it."""
    if len(app.screen_stack) > 1 and screen.is_current:
        screen.dismiss(None)


MessagePump._dispatch_message = _contained  # type: ignore[assignment]


def listen(app: App[Any]) -> None:
    """Handle signals from now on; call it on the event loop, once the app has the terminal."""
    app.app_resume_signal.subscribe(app, lambda _: repaint(app))
    if app.is_headless or sys.platform == "win32":
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, app.exit)
    signal.signal(signal.SIGCONT, lambda *_: _go_on(app))


def _write(thread: WriterThread) -> None:
    """Write what is queued; drain the queue even when the terminal is gone, or the app waits for ever."""
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
    """Paint every cell: another program may have overwritten them."""
    app.screen.refresh(layout=True)


def _go_on(app: App[Any]) -> None:
    """Take the terminal again. SIGSTOP cannot be caught, so the terminal was not given up before."""
    driver: Any = app._driver
    if not driver._must_signal_resume:
        if not driver._auto_restart:
            return  # another program has it
        driver.suspend_application_mode()
        driver._must_signal_resume = True
    driver.resume_application_mode()
