"""A progress bar on standard error, by tqdm: as wide as the terminal, in ASCII where blocks have no encoding.

Where standard error is no terminal it draws nothing.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from kms_tui.visible import visible

if TYPE_CHECKING:
    from tqdm import tqdm

_KNOWN = "{desc}{percentage:3.0f}% {bar} {n_fmt}{unit} of {total_fmt}{unit}, {remaining} left"
_UNKNOWN = "{desc}{n_fmt}{unit} in {elapsed}"
_LONGEST = 60
"""Characters of the words before the bar."""
_SECONDS = 0.1
"""Between two drawings."""


class ProgressBar:
    """``is_bytes`` counts in KiB, MiB …; else things are counted, in words that the caller gives."""

    def __init__(self, *, is_bytes: bool = False) -> None:
        self._is_bytes = is_bytes
        self._bar: tqdm[Any] | None = None
        self._is_shown = sys.stderr.isatty()
        self._drawn = 0.0

    def update(self, done: int, total: int | None = None, words: str = "") -> None:
        """Draw that ``done`` of ``total`` are done (None or 0: nobody knows), at most ten times a second.

        ``words`` say what is done; they may be untrusted.
        """
        if not self._is_shown:
            return
        now = time.monotonic()
        if self._bar is not None and now - self._drawn < _SECONDS:
            return
        self._drawn = now
        bar = self._bar if self._bar is not None else self._begin()
        bar.total = total or None
        bar.bar_format = _KNOWN if total else _UNKNOWN
        bar.n = done
        text = visible(words)[:_LONGEST]
        bar.set_description_str(f"{text}: " if text else "", refresh=False)
        bar.refresh()

    def clear(self) -> None:
        """Take the bar away, so that something else can be printed."""
        if self._bar is not None:
            self._bar.clear()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _begin(self) -> tqdm[Any]:
        from tqdm import tqdm

        tqdm.monitor_interval = 0  # no thread beside ours
        self._bar = tqdm(
            total=None,
            bar_format=" ",  # it draws once as it is made
            unit="B" if self._is_bytes else "",
            unit_scale=self._is_bytes,
            unit_divisor=1024,
            dynamic_ncols=True,
            leave=False,
            file=sys.stderr,
        )
        return self._bar
