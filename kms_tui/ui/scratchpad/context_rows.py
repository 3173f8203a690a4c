"""An encryption context as rows of name and value."""

from __future__ import annotations

from collections.abc import Mapping

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message

from kms_tui.crypto_ops.inputs import (
    CONTEXT_WARNING,
    InputError,
    InputField,
    Pair,
    context_from_json,
    context_from_rows,
)
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.scratchpad.pane_fields import ProblemLine, show_part
from kms_tui.ui.widgets.text_widgets import Button, Input, Static


class _PairInput(Input):
    """A pasted JSON object fills the rows instead of one cell."""

    class JsonPasted(Message):
        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def on_paste(self, event: events.Paste) -> None:
        if event.text.lstrip().startswith("{"):
            event.prevent_default()
            event.stop()
            self.post_message(self.JsonPasted(event.text))


class ContextRow(Horizontal):
    """One pair."""

    class Removed(Message):
        def __init__(self, row: ContextRow) -> None:
            super().__init__()
            self.row = row

    def __init__(self, pair: Pair) -> None:
        super().__init__(classes="pair")
        self.pair = pair
        self.name_input = _PairInput(pair[0], placeholder="name", classes="name")
        self.value_input = _PairInput(pair[1], placeholder="value", classes="value")

    def compose(self) -> ComposeResult:
        yield self.name_input
        yield Static(Content("="), classes="equals")
        yield self.value_input
        yield Button(Content("✕"), classes="remove", tooltip=Content("Remove this pair"))

    def set_pair(self, pair: Pair) -> None:
        self.pair = pair
        with self.prevent(Input.Changed):
            self.name_input.value, self.value_input.value = pair

    @on(Input.Changed)
    def _typed(self) -> None:
        self.pair = (self.name_input.value, self.value_input.value)

    @on(Button.Pressed)
    def _removed(self, event: Button.Pressed) -> None:
        event.stop()
        self.post_message(self.Removed(self))


class ContextRows(Vertical):
    """The rows, and the buttons below them."""

    class Changed(Message):
        """The pairs have changed."""

    class LastUsedAsked(Message):
        """The context last used with this key is to fill the rows."""

        def __init__(self, rows: ContextRows) -> None:
            super().__init__()
            self.rows = rows

    class JsonAsked(Message):
        """The context is to be entered as JSON."""

        def __init__(self, rows: ContextRows) -> None:
            super().__init__()
            self.rows = rows

    def __init__(self, widget_id: str, label: str, field: InputField) -> None:
        super().__init__(id=widget_id, classes="context")
        self.field = field
        self.problem = ProblemLine(self)
        self._label = label
        self._pairs = Vertical(classes="pairs")
        self._buttons = Horizontal(classes="pair-buttons")
        self._add = Button(Content("Add"), tooltip=Content("Add a name and a value"))
        self._json = Button(Content("JSON"), tooltip=Content("Paste the context as JSON"))
        self._last = Button(
            Content("Last used"), tooltip=Content("The encryption context that was last used with this key")
        )
        self._reminder = Static(Content(CONTEXT_WARNING), classes="reminder")
        self._all_rows: list[ContextRow] = []

    def compose(self) -> ComposeResult:
        with Horizontal(classes="row"):
            yield Static(Content(self._label), classes="label")
            with self._pairs, self._buttons:
                yield from (self._add, self._json)

    @property
    def _rows(self) -> list[ContextRow]:
        return [row for row in self._all_rows if row.display]

    @property
    def pairs(self) -> dict[str, str]:
        """The context; InputError where a row is wrong."""
        return context_from_rows([row.pair for row in self._rows], self.field)

    def set_pairs(self, pairs: Mapping[str, str]) -> None:
        """Replace all rows."""
        for row in self._all_rows[len(pairs) :]:
            row.display = False
        for row, pair in zip(self._all_rows, pairs.items(), strict=False):
            row.set_pair(pair)
            row.display = True
        for pair in list(pairs.items())[len(self._all_rows) :]:
            self._mount_row(pair)
        self._changed()

    def add(self) -> None:
        """A new row, with the focus in it."""
        row = self._mount_row(("", ""))
        self._changed()
        self.call_after_refresh(row.name_input.focus)

    def _mount_row(self, pair: Pair) -> ContextRow:
        row = ContextRow(pair)
        self._all_rows.append(row)
        self._pairs.mount(row, before=self._buttons)
        return row

    def _drop_row(self, row: ContextRow) -> None:
        self._all_rows.remove(row)
        row.remove()
        self._changed()

    def offer_last(self, last: Mapping[str, str]) -> None:
        """Offer the last context only where there is one."""
        show_part(self._last, bool(last), self._buttons)

    def _changed(self) -> None:
        self.problem.say("")
        show_part(self._reminder, bool(self._rows), self._pairs)
        self.post_message(self.Changed())

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._changed()

    @on(ContextRow.Removed)
    def _removed(self, event: ContextRow.Removed) -> None:
        event.stop()
        self._add.focus()
        self._drop_row(event.row)

    @on(_PairInput.JsonPasted)
    def _json_pasted(self, event: _PairInput.JsonPasted) -> None:
        event.stop()
        try:
            self.set_pairs(context_from_json(event.text))
        except InputError as error:
            self.problem.say(error.with_next_step)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button is self._add:
            self.add()
        elif event.button is self._json:
            self.post_message(self.JsonAsked(self))
        else:
            self.post_message(self.LastUsedAsked(self))
