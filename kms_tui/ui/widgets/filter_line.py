"""``FilterLine``: filters as one types, completes, and shows what it cannot understand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.suggester import Suggester

from kms_tui.inventory.filters import complete
from kms_tui.ui.base.safe_text import safe
from kms_tui.ui.widgets.text_widgets import Input, Static

_HINT = "/ to filter: words, {} …"


class _Completion(Suggester):
    """The first candidate for the end of the line: of the filter language, or of this account's values."""

    def __init__(self, known: Callable[[], Mapping[str, Iterable[str]]]) -> None:
        super().__init__(use_cache=False)
        self._known = known

    async def get_suggestion(self, value: str) -> str | None:
        if not value or value.endswith(" "):
            return None
        candidates = complete(value, len(value), self._known())
        if not candidates:
            return None
        first = candidates[0]
        return value[: first.start] + first.text


class FilterInput(Input):
    """Enter and down go to the list, tab completes, Esc clears."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,enter", "leave", "To the list", id="filter.leave", tooltip="Go to the keys that match"),
        Binding(
            "tab",
            "complete",
            "Complete",
            id="filter.complete",
            tooltip="Take what is suggested; without a suggestion, go on",
        ),
        Binding("escape", "clear", "Clear", id="filter.clear", tooltip="Clear the filter, then leave it"),
    ]

    class Left(Message):
        """The focus goes to the list."""

    def action_leave(self) -> None:
        self.post_message(self.Left())

    def action_complete(self) -> None:
        before = self.value
        if self.cursor_position == len(before):
            self.action_cursor_right()  # takes the suggestion at the end of the line
        if self.value == before:
            self.screen.focus_next()

    def action_clear(self) -> None:
        if self.value:
            self.value = ""
        else:
            self.post_message(self.Left())


class FilterLine(Vertical):
    """The input and, below it, a note: an error in the filter, or what it waits for."""

    class Changed(Message):
        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self) -> None:
        super().__init__()
        self.known: Callable[[], Mapping[str, Iterable[str]]] = dict
        """Gives the values of fields as they occur in this account: regions, tags."""

    def compose(self) -> ComposeResult:
        yield FilterInput(
            placeholder=_HINT.format("state:disabled, spec:rsa, tag:team=payments"),
            suggester=_Completion(lambda: self.known()),
            select_on_focus=False,
        )
        yield Static(id="filter-note")

    def hint_at_accounts(self) -> None:
        """Name the field for accounts where nothing is typed."""
        self.input.placeholder = _HINT.format("account:payments, state:disabled, spec:rsa")

    @property
    def input(self) -> FilterInput:
        return self.query_one(FilterInput)

    @property
    def is_note(self) -> bool:
        """Whether a note is shown that is no error."""
        note = self.query_one("#filter-note")
        return note.has_class("-shown") and not note.has_class("-error")

    @property
    def is_error(self) -> bool:
        """Whether the note says what is wrong with the filter."""
        return self.query_one("#filter-note").has_class("-error")

    def show_note(self, sentence: str, *, error: bool = False) -> None:
        note = self.query_one("#filter-note", Static)
        note.update(safe(sentence))
        note.set_class(bool(sentence), "-shown")
        note.set_class(error, "-error")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value))
