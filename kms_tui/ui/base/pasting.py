"""Pastes are taken from the terminal whole, whatever they hold, and refused where they are too large.

Textual's parser reads a paste character by character, and takes what follows an ESC in it for pressed keys.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from textual import events
from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.constants import ESCAPE_DELAY
from textual.dom import DOMNode
from textual.message import Message

MOST_PASTED = 1_000_000
"""Characters kept of a paste: enough to know that it is too large."""
MOST_TAKEN = 100_000
"""Characters that a field takes: many times the API's limits; laying out much more takes seconds."""


class Pastes:
    """Separates pastes from the rest of the input; state of one terminal's parser."""

    def __init__(self) -> None:
        self._pasted: list[str] | None = None
        self._kept = 0
        self._end = ""
        """The last characters so far, which may begin the end marker of a paste."""
        self._held = ""
        """Characters that may begin a paste, until more come or ``ESCAPE_DELAY`` has passed."""
        self._held_at = 0.0

    def split(self, data: str) -> Iterator[str | events.Paste]:
        """Split what was read into typed texts and pastes."""
        data, self._held = self._held + data, ""
        while data:
            if self._pasted is None:
                before, start, data = data.partition(BRACKETED_PASTE_START)
                if start:
                    self._pasted, self._kept, self._end = [], 0, ""
                elif size := _begins_paste(before):
                    before, self._held, self._held_at = before[:-size], before[-size:], time.monotonic()
                if before:
                    yield before
            else:
                inside, end, data = (self._end + data).partition(BRACKETED_PASTE_END)
                if end:
                    self._keep(inside)
                    yield events.Paste("".join(self._pasted).replace("\x00", ""))
                    self._pasted = None
                else:
                    kept = len(BRACKETED_PASTE_END) - 1
                    self._keep(inside[:-kept] if len(inside) > kept else "")
                    self._end = inside[-kept:]
                    data = ""

    def overdue(self) -> str:
        """Characters held long enough: no paste begins there, they are pressed keys."""
        if self._held and time.monotonic() - self._held_at >= ESCAPE_DELAY:
            held, self._held = self._held, ""
            return held
        return ""

    def _keep(self, text: str) -> None:
        assert self._pasted is not None
        text = text[: MOST_PASTED - self._kept]
        self._kept += len(text)
        self._pasted.append(text)


def _begins_paste(text: str) -> int:
    """How many characters at the end may begin a paste; ESC alone is a key."""
    sizes = range(len(BRACKETED_PASTE_START) - 1, 1, -1)
    return next((size for size in sizes if text.endswith(BRACKETED_PASTE_START[:size])), 0)


def one_line(text: str) -> str:
    """A pasted text for a line: outer white space trimmed, its lines joined.

    What was one word that a terminal or a mail wrapped (an ARN, an id) is one word again; where a line has
    blanks of its own, the lines are joined by a blank.
    """
    lines = [line.strip() for line in text.strip().splitlines()]
    has_blanks = any(len(line.split()) > 1 for line in lines)
    return (" " if has_blanks else "").join(line for line in lines if line)


def is_too_long(field: DOMNode, text: str, most: int) -> bool:
    """Whether a text has more than ``most`` characters; if so, notify."""
    if len(text) <= max(most, 1):
        return False
    size = f"over {MOST_PASTED:,}" if len(text) >= MOST_PASTED else f"{len(text):,}"
    field.app.notify(
        f"This text has {size} characters, and there is room for {max(most, 0):,} more here. "
        "Nothing was pasted: save it to a file, and open that where a file is taken.",
        title="Too much to paste",
        severity="warning",
    )
    return True


_feed, _tick = XTermParser.feed, XTermParser.tick


def _pastes(parser: XTermParser) -> Pastes:
    found = vars(parser).setdefault("_kms_tui_pastes", Pastes())
    assert isinstance(found, Pastes)
    return found


def _feed_without_pastes(parser: XTermParser, data: str) -> Iterable[Message]:
    """The messages in what was read; "" ends the input."""
    if not data:
        yield from _feed(parser, data)
    for part in _pastes(parser).split(data):
        if isinstance(part, events.Paste):
            yield part
        else:
            yield from _feed(parser, part)


def _tick_without_pastes(parser: XTermParser) -> Iterable[Message]:
    if overdue := _pastes(parser).overdue():
        yield from _feed(parser, overdue)
    yield from _tick(parser)


XTermParser.feed = _feed_without_pastes  # type: ignore[assignment]
XTermParser.tick = _tick_without_pastes  # type: ignore[assignment]
