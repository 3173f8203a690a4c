"""Tells listeners what changed, at most 20 times a second however fast answers arrive."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

INTERVAL = 0.05
"""Seconds between two deliveries."""
_GATHERING = 0.005
"""Seconds from the first change of a quiet time to its delivery: the rows of one page arrive together."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since the last delivery."""

    rows: frozenset[str] = frozenset()
    """Keys of rows that are new or of which a fact changed."""
    listing: bool = False
    """A region's listing began, grew, ended or failed."""
    progress: bool = False
    """The progress of a demand moved."""


Listener = Callable[[Changes], object]


def spawn_daemon(run: Callable[[], None]) -> None:
    threading.Thread(target=run, name="kms-tui notify", daemon=True).start()


class Coalescer:
    """Gathers changes from any thread; delivers soon after a quiet time, else every ``interval`` seconds.

    ``spawn`` starts the delivering loop; one that does nothing leaves delivery to ``flush``.
    """

    def __init__(
        self, spawn: Callable[[Callable[[], None]], None] = spawn_daemon, *, interval: float = INTERVAL
    ) -> None:
        self._spawn = spawn
        self._interval = interval
        self._pending = threading.Condition()
        self._rows: set[str] = set()
        self._listing = self._progress = False
        self._listeners: tuple[Listener, ...] = ()
        self._delivering = threading.RLock()
        self._deliveries = 0
        self._started = False
        self._closed = threading.Event()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Add a listener, called on a thread of the coalescer's own; call the result to remove it."""
        with self._pending:
            self._listeners = (*self._listeners, listener)

        def forget() -> None:
            with self._pending:
                self._listeners = tuple(each for each in self._listeners if each is not listener)

        return forget

    def note(self, *rows: str, listing: bool = False, progress: bool = False) -> None:
        with self._pending:
            self._rows.update(rows)
            self._listing |= listing
            self._progress |= progress
            if not self._started:
                self._started = True
                self._spawn(self._deliver_for_ever)
            self._pending.notify()

    def flush(self) -> int:
        """Deliver what is pending, on this thread; return the number of deliveries so far.

        Waits for a delivery on another thread to end.
        """
        with self._delivering:
            with self._pending:
                changes = Changes(frozenset(self._rows), self._listing, self._progress)
                self._rows.clear()
                self._listing = self._progress = False
                listeners = self._listeners
            if changes != Changes():
                self._deliveries += 1
                for listener in listeners:
                    listener(changes)
            return self._deliveries

    def close(self) -> None:
        """Deliver nothing more."""
        self._closed.set()
        with self._pending:
            self._listeners = ()
            self._pending.notify_all()

    def _deliver_for_ever(self) -> None:
        while not self._closed.is_set():
            with self._pending:
                while not (self._rows or self._listing or self._progress or self._closed.is_set()):
                    self._pending.wait()
            self._closed.wait(_GATHERING)
            # That a listing began is told at little cost, and its first rows should not wait for it.
            pause = self._interval if self._rows else _GATHERING
            self.flush()
            self._closed.wait(pause)
