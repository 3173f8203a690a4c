"""``LineList``: any number of lines to read, of which only those on screen are made and drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.geometry import Size
from textual.strip import Strip
from textual.visual import Visual
from textual.widget import Widget

from kms_tui.ui.base.safe_text import Content

LazyLine = Content | Callable[[], Content]
"""A line, or what makes it when it is drawn."""


class LineList(Widget):
    """As high as its lines are many, for a scrolling container; a line too long ends in an ellipsis."""

    DEFAULT_CSS = "LineList { height: auto; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._lines: Sequence[LazyLine] = ()

    def show_lines(self, lines: Sequence[LazyLine]) -> None:
        """Replace the lines; each is one row and safe to show."""
        self._lines = lines
        self.refresh(layout=True)

    @property
    def text(self) -> str:
        """All lines as plain text."""
        return "\n".join(self._line(index).plain for index in range(len(self._lines)))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        line = self._line(y).truncate(width, ellipsis=True) if y < len(self._lines) else Content()
        strips = Visual.to_strips(self, line, width, 1, self.visual_style, pad=True)
        return strips[0] if strips else Strip.blank(width, self.visual_style.rich_style)

    def _line(self, index: int) -> Content:
        line = self._lines[index]
        return line if isinstance(line, Content) else line()
