"""The progress of a long operation: bar, rate, time left."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

from textual.containers import Horizontal
from textual.timer import Timer
from textual.widgets import ProgressBar

from kms_tui.envelope.streams import Progress
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.widgets.text_widgets import Static

T = TypeVar("T")
_SHOW_AFTER = 0.3
"""Seconds until progress is shown, so that short operations do not flicker."""
_EVERY = 0.1
Words = Callable[[int, int | None, float], str]
"""Of the bytes done, their total and the seconds since the start."""
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def size_words(size: float) -> str:
    """ "17 bytes", "1.2 MB": decimal units, as disks and networks have them."""
    for unit in _UNITS[:-1]:
        if size < 1000:
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} {_UNITS[-1]}"


class RunProgress:
    """How far a run has come: the working thread writes it, the screen reads it, each attribute whole."""

    def __init__(self) -> None:
        self.done = 0
        self.total: int | None = None
        self.stop = Event()
        self.ended = Event()

    @property
    def is_reading(self) -> bool:
        """Whether the source is begun and not read to its end."""
        return bool(self.done) and self.total is not None and self.done < self.total

    def note(self, done: int, total: int | None) -> None:
        self.done, self.total = done, total

    def ending(self, work: Callable[[], T]) -> Callable[[], T]:
        """The work; ``ended`` is set when it ends in whatever way."""

        def run() -> T:
            try:
                return work()
            finally:
                self.ended.set()

        return run

    def reporter(self) -> Progress:
        return Progress(progress=self.note, cancelled=self.stop.is_set)


class RunProgressLine(Horizontal):
    """Hidden until an operation has taken ``_SHOW_AFTER`` seconds, and where ``words`` has none."""

    def __init__(self, words: Words | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(id="progress")
        self._progress_words = words or progress_words
        self._monotonic = monotonic
        self._bar = ProgressBar(show_percentage=False, show_eta=False)
        self._words = Static(id="progress-words")
        self._progress: RunProgress | None = None
        self._started = 0.0
        self._timer: Timer | None = None
        self.display = False

    def on_mount(self) -> None:
        self._timer = self.set_interval(_EVERY, self.refresh_progress, pause=True)

    def follow(self, progress: RunProgress) -> None:
        """Show the progress of this operation, until ``done``."""
        self._progress, self._started = progress, self._monotonic()
        if self._timer is not None:
            self._timer.resume()

    def done(self) -> None:
        self._progress = None
        self.display = False
        if self._timer is not None:
            self._timer.pause()

    def refresh_progress(self) -> None:
        progress = self._progress
        if progress is None:
            return
        seconds = self._monotonic() - self._started
        if seconds < _SHOW_AFTER:
            return
        words = self._progress_words(progress.done, progress.total, seconds)
        self.display = bool(words)
        if words and self._bar.parent is None:
            self.mount(self._bar, self._words)
        self._bar.update(total=progress.total, progress=progress.done)
        self._words.update(Content.styled(words, "$foreground-muted"))


def progress_words(done: int, total: int | None, seconds: float) -> str:
    """ "312.0 MB of 1.0 GB · 410.0 MB/s · 2 s left · esc cancels"."""
    if not done:
        return "working… · esc cancels"
    rate = done / seconds
    parts = [size_words(done) + (f" of {size_words(total)}" if total else ""), f"{size_words(rate)}/s"]
    if total and total > done:
        parts.append(f"{max(round((total - done) / rate), 1)} s left")
    return " · ".join([*parts, "esc cancels"])
