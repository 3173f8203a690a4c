"""Keeping the garbage collector from stopping everything in a large account.

Rows live as long as the session. Left alone, the collector walks 100,000 of them again and again as they
come, 0.1 to 0.2 s each time, and walks every list of them that a keystroke makes.
"""

from __future__ import annotations

import gc

EVERY = 5_000
"""After so many changes to rows, those that are there are set aside."""
_THRESHOLDS = (20_000, 20, 20)


class Collector:
    """Counts changes; does nothing in an account of ordinary size."""

    def __init__(self) -> None:
        self._changes = 0
        self._before: tuple[int, int, int] | None = None

    def count(self) -> None:
        self._changes += 1
        if self._changes % EVERY == 0:
            if self._before is None:
                self._before = gc.get_threshold()
                gc.set_threshold(*_THRESHOLDS)
            gc.freeze()

    def close(self) -> None:
        """Let the collector have everything again."""
        if self._before is not None:
            gc.set_threshold(*self._before)
            gc.unfreeze()
            self._before = None
