"""``FilteredChoice``: a dialog with a list of keys, and a field that narrows it down as one types."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar, TypeVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import OptionList

from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.dialogs.dialog import Dialog
from kms_tui.ui.widgets.text_widgets import Button, Input, Option

Answer = TypeVar("Answer")
MOST_LINES = 500
"""Lines at most; typing narrows them down."""


class ChoiceFilter(Input):
    """Down goes to the list, enter takes the line that is marked there."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "to_keys", "To the keys", id="choose-key.down", tooltip="Go to the keys")
    ]

    def action_to_keys(self) -> None:
        self.screen.query_one(OptionList).focus()


class FilteredChoice(Dialog[Answer]):
    """A body has one ``ChoiceFilter`` and one ``OptionList``, which ``fill`` shows anew as one types."""

    HINT: ClassVar[str] = "part of an alias, a key id, a spec"

    @abstractmethod
    def fill(self) -> None:
        """Show what is left of the list by what is typed, with ``show_lines``."""

    @abstractmethod
    def choose(self, index: int) -> None:
        """A line of the list was chosen."""

    def explain_no_line(self) -> None:
        """Enter found no line to take: say why, unless the list says so already."""

    @property
    def typed(self) -> str:
        return self.query_one(ChoiceFilter).value

    def show_lines(self, lines: Sequence[Content]) -> None:
        """Show the lines, the first of which enter takes."""
        choices = self.query_one(OptionList)
        choices.set_options(map(Option, lines))
        choices.highlighted = 0 if lines else None

    def compose_buttons(self) -> Iterable[Widget]:
        yield Button(Content("Cancel"), id="cancel")

    @on(Input.Changed, "ChoiceFilter")
    def _filtered(self) -> None:
        self.fill()

    @on(Input.Submitted, "ChoiceFilter")
    def _submitted(self) -> None:
        index = self.query_one(OptionList).highlighted
        if index is not None:
            self.choose(index)
        else:
            self.explain_no_line()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.choose(event.option_index)
