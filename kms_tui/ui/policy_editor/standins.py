"""Characters that must not reach the terminal, each replaced by one that may, and back again unchanged.

A text area passes controls through to the terminal, splits lines at more than line feeds, and cannot encode
a lone surrogate. So it is given another text of the same length: every such character, and every private-use
one of the original, has a private-use character as its stand-in. ``meant`` undoes ``shown``.
"""

from __future__ import annotations

from itertools import chain

from kms_tui.ui.base.safe_text import visible

_POOL = chain(range(0xF0000, 0xFFFFE), range(0x100000, 0x10FFFE), range(0xE000, 0xF900))
POOL = tuple(map(chr, _POOL))
_IN_POOL = frozenset(POOL)
_KEPT = frozenset("\t\n")
UNSHOWABLE = "\ufffd"
"""What stands on the screen for a character that has no picture of its own."""


class Standins:
    """The stand-ins of one text area; they stay the same for as long as it lives."""

    def __init__(self) -> None:
        self._free = iter(POOL)
        self._stand_in: dict[int, str] = {}
        self._meant: dict[int, str] = {}
        self._glyphs: dict[int, str] = {}

    def shown(self, text: str) -> str:
        """The text with stand-ins, as long as the original."""
        if text.isascii() and text.isprintable():
            return text
        for char in set(text) - _KEPT:
            if ord(char) not in self._stand_in and (char in _IN_POOL or visible(char) != char):
                self._learn(char)
        return text.translate(self._stand_in)

    def _learn(self, char: str) -> None:
        stand_in, picture = next(self._free), visible(char)
        self._stand_in[ord(char)] = stand_in
        self._meant[ord(stand_in)] = char
        self._glyphs[ord(stand_in)] = picture if len(picture) == 1 and char not in _IN_POOL else UNSHOWABLE

    def meant(self, text: str) -> str:
        """The original of a text with stand-ins."""
        return text.translate(self._meant) if self._meant else text

    def pictured(self, line: str) -> str:
        """A line with stand-ins as the terminal may see it, as long as before."""
        return line.translate(self._glyphs)
