"""``InventoryScreen``: a screen computed from all rows of the inventory, again whenever those change."""

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
"""Seconds between two computations while answers arrive; a longer computation waits as long as it took."""


class InventoryScreen(ModeScreen, Generic[T]):
    """``compute_shown`` computes on a thread what ``present`` then shows."""

    class _Changed(Message):
        bubble = False

    def __init__(self) -> None:
        super().__init__()
        self._forget: Callable[[], None] = lambda: None
        self._is_stale = False
        self._is_computing = False

    def session_opened(self, session: Session) -> None:
        self._forget()
        self._forget = session.inventory.listen(lambda _: self.post_message(self._Changed()))
        self.recompute()

    def on_unmount(self) -> None:
        self._forget()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self.recompute()

    @on(_Changed)
    def recompute(self) -> None:
        """Compute everything again, after the computation under way."""
        self._is_stale = True
        if self.session is not None and self.is_current and not self._is_computing:
            self._is_computing = True
            start(
                self,
                partial(self._compute, self.session),
                group="compute",
                description="compute what to show",
            )

    @on(KeysChanged)
    def _reread(self, message: KeysChanged) -> None:
        if self.session is not None:
            self.session.reread(*message.key_ids)

    async def _compute(self, session: Session) -> None:
        try:
            while self._is_stale and session is self.session:
                self._is_stale, began = False, time.monotonic()
                rows = session.inventory.rows()
                self.present(session, await off_loop(partial(self.compute_shown, session, rows)))
                if self._is_stale:
                    await asyncio.sleep(max(_PAUSE, time.monotonic() - began))
        finally:
            self._is_computing = False

    @abstractmethod
    def compute_shown(self, session: Session, rows: Sequence[Row]) -> T:
        """What to show; runs on a thread."""

    @abstractmethod
    def present(self, session: Session, found: T) -> None:
        """Show what ``compute_shown`` returned."""

    def progress_words(self) -> str:
        """The progress of reading facts, and why it waits; "" where nothing is read."""
        progress = self.session.inventory.progress() if self.session is not None else None
        if progress is None:
            return ""
        left = f", about {progress.seconds:.0f} s left" if progress.seconds >= 1 else ""
        waits = f" ({progress.error})" if progress.error else ""
        return f"reading {progress.done:,} of {progress.total:,}{left}{waits}"
