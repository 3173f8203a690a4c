"""The one way for text that others wrote (descriptions, tags, aliases, errors, plaintext) to the screen.

Markup is never parsed, and whatever a terminal would obey or hide is shown instead (``kms_tui.visible``).
"""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from rich.text import Text
from textual.content import Content

from kms_tui.visible import visible

__all__ = ["ELLIPSIS", "column", "fit", "safe", "safe_rich", "visible"]

ELLIPSIS = "…"


def safe(text: str, *, newlines: bool = False) -> Content:
    """``text`` as Textual content without markup, made visible."""
    return Content(visible(text, newlines=newlines))


def safe_rich(text: str, *, newlines: bool = False) -> Text:
    """``text`` as Rich text without markup, made visible; for the widgets that take no Content."""
    return Text(visible(text, newlines=newlines))


def fit(text: str, width: int) -> str:
    """``text`` made visible and cut to at most ``width`` terminal cells, ending in ``…`` where cut."""
    text = visible(text)
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + ELLIPSIS


def column(text: str, width: int, *, right: bool = False) -> str:
    """``text`` made visible in exactly ``width`` terminal cells: cut, or padded on the other side."""
    text = fit(text, width)
    padding = " " * (max(width, 0) - cell_len(text))
    return padding + text if right else text + padding
