"""Lists of any length, of which only the lines on screen are made and painted.

``VirtualList`` has a header, rows and a cursor; the key list and tables of lines are made of it. ``LineList``
has lines to read: no cursor, and a container scrolls it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual
from textual.widget import Widget

from kms_tui.ui.base.safe_text import Content

HEADER = 1
"""Lines above the rows."""
BAR = "▌"
"""In front of the row of the cursor, for those who see no colour."""

Styles = Callable[[str], Style]
"""The style of a part of a line ("warning", "accent"), on that line's background."""


def cursor_bindings(name: str, noun: str) -> list[BindingType]:
    """The keys that move the cursor, with ids that begin with ``name``; ``noun`` is what a row is called."""
    return [
        Binding(key, action, title, id=f"{name}.{each}", tooltip=tooltip, show=False)
        for key, action, title, each, tooltip in (
            ("up,k", "move(-1)", "Up", "up", f"One {noun} up"),
            ("down,j", "move(1)", "Down", "down", f"One {noun} down"),
            ("pageup", "page(-1)", "Page up", "page-up", "A screen up"),
            ("pagedown", "page(1)", "Page down", "page-down", "A screen down"),
            ("home,g", "jump(0)", "First", "first", f"The first {noun}"),
            ("end,G", "jump(-1)", "Last", "last", f"The last {noun}"),
        )
    ]


_RIGHT = 3
"""Textual's number of the right button."""


class VirtualList(ScrollView, can_focus=True):
    """Rows below a header, with a cursor by keyboard and mouse.

    A line is painted in parts, each a component class, on one of the backgrounds, which are component classes
    too; all of them begin with ``CLASS_PREFIX``.
    """

    CLASS_PREFIX: ClassVar[str]

    class MenuAsked(Message):
        """A click with the right button, which has put the cursor on its row."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.cursor = 0
        """The index of the row that the cursor is on."""
        self._style_cache: dict[tuple[str, str], Style] = {}

    # For subclasses

    @property
    @abstractmethod
    def row_count(self) -> int: ...

    @abstractmethod
    def line(self, y: int) -> tuple[list[Segment], str]:
        """The segments of a line on screen, and the background of the rest of it."""

    @abstractmethod
    def cursor_moved(self) -> None:
        """The cursor was put on a row, perhaps on the one where it was."""

    @abstractmethod
    def row_selected(self) -> None:
        """Enter, or a click on the row of the cursor."""

    def row_clicked(self, index: int, event: events.Click) -> None:
        """A click moves the cursor; on the row of the cursor it selects."""
        if index == self.cursor:
            self.action_select()
        else:
            self.move_to(index)

    def header_clicked(self, x: int) -> None:
        """A click above the rows."""

    @property
    def page(self) -> int:
        """How many rows fit on the screen."""
        return max(1, self.scrollable_content_region.height - HEADER)

    # Moving

    def action_move(self, by: int) -> None:
        self.move_to(self.cursor + by)

    def action_page(self, by: int) -> None:
        self.move_to(self.cursor + by * self.page)

    def action_jump(self, to: int) -> None:
        self.move_to(to if to >= 0 else self.row_count - 1)

    def action_select(self) -> None:
        if self.cursor < self.row_count:
            self.row_selected()

    def move_to(self, index: int) -> None:
        """Put the cursor on a row, or on the nearest that there is."""
        if not self.row_count:
            return
        before, self.cursor = self.cursor, max(0, min(index, self.row_count - 1))
        self.show_cursor()
        self.refresh_row(before)
        self.refresh_row(self.cursor)
        self.cursor_moved()

    def show_cursor(self) -> None:
        """Scroll as little as brings the cursor onto the screen."""
        top = round(self.scroll_y)
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor >= top + self.page:
            self.scroll_to(y=self.cursor - self.page + 1, animate=False)

    def on_click(self, event: events.Click) -> None:
        if event.y < HEADER:
            self.header_clicked(event.x)
            return
        index = self.row_at(event.y)
        if index is None:
            return
        if event.button == _RIGHT:
            self.move_to(index)
            self.post_message(self.MenuAsked())
        else:
            self.row_clicked(index, event)

    def row_at(self, y: int) -> int | None:
        """The index of the row on a line of the screen."""
        line = y - HEADER
        index = round(self.scroll_y) + line
        return index if 0 <= line < self.page and index < self.row_count else None

    # Painting

    def on_focus(self) -> None:
        self.refresh_row(self.cursor)

    def on_blur(self) -> None:
        self.refresh_row(self.cursor)

    def refresh_row(self, index: int) -> None:
        """Paint a row again, where it is on screen."""
        line = index - round(self.scroll_y)
        if 0 <= line < self.page:
            self.refresh(Region(0, line + HEADER, self.size.width, 1))

    def notify_style_update(self) -> None:
        self._style_cache.clear()
        super().notify_style_update()

    def styles_on(self, background: str) -> Styles:
        """The styles of the parts of a line on a background."""

        def style(part: str) -> Style:
            found = self._style_cache.get((background, part))
            if found is None:
                names = (f"{self.CLASS_PREFIX}--{background}", f"{self.CLASS_PREFIX}--{part}")
                found = self._style_cache[background, part] = self.blend(*names)
            return found

        return style

    def blend(self, background: str, part: str) -> Style:
        """The style of a component class on the background of another one."""
        return self.get_visual_style(background, part).rich_style

    def render_line(self, y: int) -> Strip:
        segments, background = self.line(y)
        used = sum(cell_len(segment.text) for segment in segments)
        width = self.scrollable_content_region.width
        padding = Segment(" " * max(0, width - used), self.styles_on(background)("plain"))
        return Strip([*segments, padding], max(used, width)).crop(0, width)


LazyLine = Content | Callable[[], Content]
"""A line, or what makes it when it is painted."""


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
