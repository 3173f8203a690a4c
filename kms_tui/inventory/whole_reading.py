"""Reads facts of every row of an inventory, and waits: for reports and lists that must be whole."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kms_tui.inventory.fact_reader import Missing, ReadingProgress
from kms_tui.inventory.live_list import Inventory
from kms_tui.inventory.row import FactName, Row

_POLL_SECONDS = 0.5
"""Seconds between checks whether reading has ended, if the inventory reports nothing."""
_STALL_SECONDS = 120.0
"""Seconds without an answer after which the rest counts as not known."""


class WholeReading:
    """One reading, on a thread that may block. ``missing`` gives the next fact to read of a row, or None.

    ``usage`` says that GetKeyLastUsage may be among the facts.
    """

    def __init__(
        self,
        inventory: Inventory,
        missing: Missing,
        *,
        usage: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inventory = inventory
        self._missing = missing
        self._usage = usage
        self._clock = clock
        self._wake = threading.Event()
        self.cancelled = threading.Event()
        """Set by ``cancel``, or once KMS gave no answer for too long."""
        self.unanswered = ""
        """Why reading ended early: KMS gave no answer for too long; or ""."""

    def cancel(self) -> None:
        """Stop waiting and reading; what is not read stays unread."""
        self.cancelled.set()
        self._wake.set()

    def wake(self) -> None:
        """Have ``wait`` look again."""
        self._wake.set()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """The block within which ``wait`` hears of the inventory's changes."""
        forget = self._inventory.listen(lambda _changes: self._wake.set())
        try:
            yield
        finally:
            forget()

    def wait(self, holds: Callable[[], bool]) -> None:
        """Block until ``holds``, or the reading is cancelled, or credentials are missing."""
        while not holds() and not self.cancelled.is_set() and self._inventory.stopped is None:
            self._wake.wait(_POLL_SECONDS)
            self._wake.clear()

    def wait_for_listing(self) -> None:
        """Block until every region is listed."""
        self.wait(lambda: not self._inventory.busy)

    def check_listing(self) -> None:
        """KmsTuiError if credentials are missing or no key is visible: nothing at all would look healthy."""
        if self._inventory.stopped is not None:
            raise self._inventory.stopped
        for region in self._inventory.regions:
            if region.error is not None and not len(self._inventory):
                raise region.error

    def read(self) -> None:
        """Make the inventory read every missing fact; a filter's demand may replace ours."""
        while not self.cancelled.is_set():
            rows = [row for row in self._inventory.rows() if self._missing(row) is not None]
            if not rows:
                return
            self._inventory.demand(rows, self._missing_unless_cancelled, usage=self._usage)
            self._follow_demand()

    def _missing_unless_cancelled(self, row: Row) -> FactName | None:
        """Nothing once cancelled: workers go on with the demand until this thread has withdrawn it."""
        return None if self.cancelled.is_set() else self._missing(row)

    def _follow_demand(self) -> None:
        stall = _StallDetector(self._clock)

        def over() -> bool:
            return not self._inventory.demanding or stall.is_stalled(self._inventory.progress())

        self.wait(over)
        if self._inventory.stopped is not None:
            raise self._inventory.stopped
        if self._inventory.demanding:
            self._inventory.cancel_demand()
            self.unanswered = stall.reason
            self.cancelled.set()


class _StallDetector:
    """Notices that a demand has stopped moving."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._done = -1
        self._moved = clock()
        self.reason = ""
        """Why there was no answer, or ""."""

    def is_stalled(self, progress: ReadingProgress | None) -> bool:
        if progress is None or progress.done != self._done:
            self._done, self._moved = (progress.done if progress else -1), self._clock()
            return False
        if self._clock() - self._moved < _STALL_SECONDS:
            return False
        self.reason = progress.error or f"no answer for {_STALL_SECONDS:.0f} seconds"
        return True
