"""Textual's widgets for forms and editors, taking ``Content`` alone; see ``text_widgets``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from rich.console import RenderableType
from rich.segment import Segment
from rich.text import Text
from textual import widgets
from textual.strip import Strip
from textual.widgets import selection_list

from kms_tui.ui.base.safe_text import Content, harmless, safe_rich

T = TypeVar("T")


class Checkbox(widgets.Checkbox):
    """A compact check box, [x] or [ ]: Textual's own shows a cross either way, in another colour."""

    @property
    def _button(self) -> Content:
        return Content.styled(f"[{'x' if self.value else ' '}]", "$accent bold" if self.value else "")

    def __init__(self, label: Content, value: bool = False, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(label, value, id=id, compact=True)


class Select(widgets.Select[T]):
    """A compact list that drops down; typing goes to an entry.

    One of its values is always chosen, unless ``prompt`` is shown until somebody chooses.
    """

    def __init__(
        self,
        options: Iterable[tuple[Content, T]],
        *,
        value: T | None = None,
        prompt: str = "",
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(
            _searchable(options),
            prompt=prompt,
            value=widgets.Select.NULL if value is None else value,
            allow_blank=bool(prompt),
            id=id,
            classes=classes,
            compact=True,
        )

    def set_options(self, options: Iterable[tuple[Content, T]]) -> None:  # type: ignore[override]
        """Replace the options."""
        super().set_options(_searchable(options))


def _searchable(options: Iterable[tuple[Content, T]]) -> list[tuple[RenderableType, T]]:
    """Textual searches only Rich's texts for what is typed; it parses no markup in those either."""
    return [(safe_rich(shown.plain), value) for shown, value in options]


class Selection(selection_list.Selection[T]):
    """A line of a list of which any number can be chosen."""

    def __init__(self, prompt: Content, value: T, initial_state: bool = False) -> None:
        super().__init__(prompt, value, initial_state)


class SelectionList(widgets.SelectionList[T]):
    """A compact list of which any number can be chosen, each line with [x] or [ ].

    Textual's own draws a cross either way, in another colour. An entry takes one line.
    """

    def __init__(self, *selections: Selection[T], id: str | None = None) -> None:  # noqa: A002
        super().__init__(*selections, id=id, compact=True)

    def render_line(self, y: int) -> Strip:
        line = super().render_line(y)
        index = self.scroll_offset.y + y
        if index >= self.option_count:
            return line
        is_chosen = self.get_option_at_index(index).value in self.selected
        _, button, _, *rest = line
        mark = Segment(f"[{'x' if is_chosen else ' '}]", button.style)
        return Strip([mark, *rest])


class TextArea(widgets.TextArea):
    """Several lines of text; control characters are drawn harmless, and held as they are."""

    def get_line(self, line_index: int) -> Text:
        return Text(harmless(self.document.get_line(line_index)), end="", no_wrap=True)

    def on_unmount(self) -> None:
        """Stop watching the app's theme, which would keep this widget alive for ever."""
        watchers = getattr(self.app, "__watchers", {}).get("theme", [])
        watchers[:] = [watcher for watcher in watchers if watcher[0] is not self]


_LEAST_TYPED = 3


class CompletingArea(TextArea):
    """Offers the rest of a line that begins one of the known texts, or the ARN whose name it begins.

    Known texts come from policies, so they are shown, and taken, only where they are harmless as they are.
    """

    def __init__(self, text: str, known: Sequence[str] = (), **options: Any) -> None:
        self._known = sorted(each for each in known if harmless(each) == each)
        self._named = ""
        super().__init__(text, **options)

    def update_suggestion(self) -> None:
        row, column = self.cursor_location
        line = self.document.get_line(row)
        typed = line.strip()
        self._named = self.suggestion = ""
        if column < len(line) or len(typed) < _LEAST_TYPED:
            return
        if begun := next((each for each in self._known if each.startswith(typed) and each != typed), ""):
            self.suggestion = begun[len(typed) :]
        elif named := next((each for each in self._known if _is_named(each, typed)), ""):
            self._named, self.suggestion = named, f" → {named}"

    def action_cursor_right(self, select: bool = False) -> None:
        if not (self.suggestion and self._named):
            super().action_cursor_right(select)
            return
        row, column = self.cursor_location
        self.replace(self._named, (row, 0), (row, column))


def _is_named(arn: str, typed: str) -> bool:
    """Whether this begins "role/KeyAdmin" or "KeyAdmin" of an ARN, in any case."""
    resource = arn.rpartition(":")[2].casefold()
    names = resource, resource.rpartition("/")[2]
    return any(name.startswith(typed.casefold()) for name in names)
