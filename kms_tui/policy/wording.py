"""Pieces of sentences about a policy: what comes from the policy is shown short, quoted and printable."""

from __future__ import annotations

from collections.abc import Sequence

MAX_QUOTED = 80


def printable(text: str) -> str:
    """The text with all that a terminal might act on, cannot show, or shows like a Latin letter, as its
    escape.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char.isprintable() and char <= "\xff" else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()


def quoted(text: str) -> str:
    """The text in double quotes, at most 80 characters of it."""
    return f'"{shortened(printable(text[: MAX_QUOTED + 1]))}"'


def shortened(text: str) -> str:
    return text if len(text) <= MAX_QUOTED else text[: MAX_QUOTED - 1] + "…"


def listed(items: Sequence[str], limit: int = 4, word: str = "and") -> str:
    """``a, b and c``; ``a, b, c, d and 3 more`` past the limit."""
    if len(items) > limit:
        items = [*items[:limit], f"{len(items) - limit} more"]
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {word} {items[-1]}"
