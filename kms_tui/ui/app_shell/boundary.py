"""No answer and no key ends the console: what raises costs the one thing that was being done, and is told.

Calls have a boundary of their own, ``background.off_loop``. This is the other one, for everything on the
event loop: message handlers, actions, workers, timers, layout and painting.
"""

from __future__ import annotations

import time
import traceback
from pathlib import Path
from typing import Any

from textual import events
from textual.app import App
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.worker import WorkerFailed

from kms_tui.kms.errors import KmsTuiError
from kms_tui.ui.base.background import is_gone

_QUIET_SECONDS = 5.0
"""The same failure is told again only after so long: painting may fail many times a second."""
_PACKAGE = Path(__file__).parent.parent


class Boundary(App[None]):
    """An app that survives its handlers; until it has begun a failure ends it."""

    has_begun = False

    def __init__(self) -> None:
        super().__init__()
        self._told_last: tuple[str, float] = ("", 0.0)

    def contain(self, error: Exception) -> None:
        """Tell what failed, and go on."""
        if isinstance(error, WorkerFailed) and isinstance(error.error, Exception):
            error = error.error
        sentence, now = _sentence(error), time.monotonic()
        told, at = self._told_last
        if sentence != told or now - at > _QUIET_SECONDS:
            self._told_last = (sentence, now)
            self.notify(sentence, title="That did not work", severity="error", timeout=12)

    def _handle_exception(self, error: Exception) -> None:
        """Textual ends the program here; what fails because it ends already is nobody's concern."""
        if not self.has_begun:
            super()._handle_exception(error)
        elif not self._exit:
            self.contain(error)

    def _fatal_error(self) -> None:
        """Textual's report shows local variables, which may hold plaintext: print the stack alone."""
        from rich.traceback import Traceback

        self.bell()
        self.panic(Traceback(show_locals=False, width=None))


def _sentence(error: Exception) -> str:
    if isinstance(error, KmsTuiError):
        return f"{error}\n{error.next_step}".strip()
    return f"{type(error).__name__} {_place(error)}: it is given up, and the console goes on."


def _place(error: Exception) -> str:
    """Where in the console it happened; never what the error says, which may quote a secret."""
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
    """Textual stops a widget's messages for good once a handler of it has raised: it would be dead."""
    try:
        await _dispatch(pump, message)
    except Exception as error:
        app: App[Any] = pump.app
        if not isinstance(app, Boundary):
            raise
        if is_gone(pump):
            return
        app._handle_exception(error)
        if isinstance(message, events.Compose | events.Mount) and isinstance(pump, Screen):
            _close_half_made(app, pump)


def _close_half_made(app: Boundary, screen: Screen[Any]) -> None:
    """A screen that could not be made goes: it may lack the very widgets that would close it."""
    if len(app.screen_stack) > 1 and screen.is_current:
        screen.dismiss(None)


MessagePump._dispatch_message = _contained  # type: ignore[assignment]
