"""Screens that are worked out from all rows of the inventory, and again whenever those change."""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, TypeVar

from textual import on
from textual.message import Message

from kms_tui.inventory import Row
from kms_tui.session import Session
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.host import KeysChanged
from kms_tui.ui.mode_screen import ModeScreen

T = TypeVar("T")
_PAUSE = 0.2
"""Seconds between two workings-out while answers keep arriving; at least as long as one takes."""


class InventoryScreen(ModeScreen, Generic[T]):
    """``work_out`` runs on a thread, however many rows there are; ``present`` shows what it gave."""

    class _Changed(Message):
        bubble = False

    def __init__(self) -> None:
        super().__init__()
        self._forget: Callable[[], None] = lambda: None
        self._stale = False
        self._working = False

    def session_opened(self, session: Session) -> None:
        self._forget()
        self._forget = session.inventory.listen(lambda _: self.post_message(self._Changed()))
        self.work_again()

    def on_unmount(self) -> None:
        self._forget()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self.work_again()

    @on(_Changed)
    def work_again(self) -> None:
        """Work everything out anew, once the present working-out has ended."""
        self._stale = True
        if self.session is not None and self.is_current and not self._working:
            self._working = True
            start(self, partial(self._work, self.session), group="work out", description="work it out")

    @on(KeysChanged)
    def _reread(self, message: KeysChanged) -> None:
        if self.session is not None:
            self.session.inventory.reread(*message.key_ids)

    async def _work(self, session: Session) -> None:
        try:
            while self._stale and session is self.session:
                self._stale, began = False, time.monotonic()
                rows = session.inventory.rows()
                self.present(session, await off_loop(partial(self.work_out, session, rows)))
                if self._stale:
                    await asyncio.sleep(max(_PAUSE, time.monotonic() - began))
        finally:
            self._working = False

    @abstractmethod
    def work_out(self, session: Session, rows: Sequence[Row]) -> T:
        """Runs on a thread: what there is to show."""

    @abstractmethod
    def present(self, session: Session, found: T) -> None:
        """Show it."""

    def progress_words(self) -> str:
        """How far the reading of facts has come, and why it waits where it does; "" where nothing is read."""
        progress = self.session.inventory.progress() if self.session is not None else None
        if progress is None:
            return ""
        left = f", about {progress.seconds:.0f} s left" if progress.seconds >= 1 else ""
        waits = f" ({progress.trouble})" if progress.trouble else ""
        return f"reading {progress.done:,} of {progress.total:,}{left}{waits}"
