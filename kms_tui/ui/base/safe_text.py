"""``Content``: the only text that widgets take, so that untrusted text cannot reach the screen unescaped.

Markup is never parsed, and whatever a terminal would obey or hide is made visible (``kms_tui.visible``).
``Content`` is the only text that the console's widgets take (``kms_tui.ui.widgets.text_widgets``).
``OnlyText`` is the second line of defence, for typed text that Textual's own widgets draw.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Self

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.text import Text
from textual import content
from textual.color import Color
from textual.content import Span
from textual.filter import LineFilter
from textual.style import Style

from kms_tui.visible import HIDDEN, visible

__all__ = [
    "ELLIPSIS",
    "Content",
    "OnlyText",
    "Span",
    "column",
    "fit",
    "harmless",
    "safe",
    "safe_rich",
    "visible",
]

ELLIPSIS = "…"
_UNSHOWABLE = "·"
_HIDDEN = re.compile(f"[{HIDDEN}]")

Part = content.Content | str


class Content(content.Content):
    """Styled text in which every control and invisible character is made visible; line ends stay.

    ``spans`` count in the text as made visible.
    """

    def __init__(
        self,
        text: str = "",
        spans: list[Span] | None = None,
        cell_length: int | None = None,
        strip_control_codes: bool = True,
    ) -> None:
        shown = visible(text, newlines=True)
        super().__init__(shown, spans, cell_length if shown == text else None, strip_control_codes)

    @classmethod
    def of(cls, part: Part) -> Self:
        """The same text and styles, made visible; a Content stays as it is."""
        if isinstance(part, cls):
            return part
        return cls(part) if isinstance(part, str) else cls(part.plain, list(part.spans))

    @classmethod
    def styled(
        cls,
        text: str,
        style: Style | str = "",
        cell_length: int | None = None,
        strip_control_codes: bool = True,
    ) -> Self:
        shown = visible(text, newlines=True)
        return cls(shown, [Span(0, len(shown), style)] if style and shown else None)

    @classmethod
    def assemble(
        cls, *parts: Part | tuple[str, str | Style], end: str = "", strip_control_codes: bool = True
    ) -> Self:
        pieces = [cls.styled(*part) if isinstance(part, tuple) else cls.of(part) for part in parts]
        return cls().join([*pieces, cls(end)])

    def __add__(self, other: Part) -> Self:
        return self._own(super().__add__(self.of(other)))

    def join(self, lines: Iterable[Part]) -> Self:
        return self._own(super().join([self.of(line) for line in lines]))

    def stylize(self, style: Style | str, start: int = 0, end: int | None = None) -> Self:
        return self._own(super().stylize(style, start, end))

    def truncate(self, max_width: int, *, ellipsis: bool = False, pad: bool = False) -> Self:
        return self._own(super().truncate(max_width, ellipsis=ellipsis, pad=pad))

    def extend_right(self, count: int, character: str = " ") -> Self:
        return self._own(super().extend_right(count, character))

    def _own(self, made: content.Content) -> Self:
        """Textual's result from safe contents, as a Content."""
        return type(self)(made.plain, list(made.spans), made._cell_length)


class OnlyText(LineFilter):
    """Blanks every control and invisible character in painted lines, without moving anything."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if not any(_HIDDEN.search(segment.text) for segment in segments):
            return segments
        return [
            Segment(_HIDDEN.sub(_blank, segment.text), segment.style, segment.control) for segment in segments
        ]


def _blank(match: re.Match[str]) -> str:
    return " " * cell_len(match[0])


def safe(text: str, *, newlines: bool = False) -> Content:
    """``text`` as content without markup, made visible; on one line unless ``newlines``."""
    return Content(visible(text, newlines=newlines))


def safe_rich(text: str, *, newlines: bool = False) -> Text:
    """``text`` as Rich text without markup, made visible; for the widgets that take no Content."""
    return Text(visible(text, newlines=newlines))


def harmless(line: str) -> str:
    """``line`` with each control or invisible character as one printable one; a tab stays a tab.

    For editable text: one character for one, so that the cursor fits.
    """
    if line.isascii() and line.isprintable():
        return line
    return _HIDDEN.sub(_shown, line)


def _shown(match: re.Match[str]) -> str:
    if match[0] == "\t":
        return match[0]
    spelled = visible(match[0])
    return spelled if len(spelled) == 1 else _UNSHOWABLE


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
