"""A list from which several entries are chosen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import SelectionList
from textual.widgets.selection_list import Selection

from kms_tui.ui.dialogs.base import Dialog
from kms_tui.ui.safe_text import safe


class ChooseMany(Dialog[tuple[str, ...]]):
    """Space chooses, enter goes on; at least one entry must be chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "confirm", "Go on", id="many.confirm", tooltip="Go on with what is chosen", priority=True
        ),
    ]
    initial_focus = "#choices"

    def __init__(self, title: str, entries: Sequence[str], chosen: Sequence[str], *, confirm: str) -> None:
        super().__init__(title, confirm=confirm)
        self.entries = entries
        self.chosen = frozenset(chosen)

    def compose_body(self) -> Iterable[Widget]:
        yield SelectionList[str](
            *(Selection(safe(entry), entry, entry in self.chosen) for entry in self.entries),
            id="choices",
            compact=True,
        )

    def action_confirm(self) -> None:
        if self.armed:
            if self.query_one("#cancel").has_focus:
                self.action_cancel()
            else:
                self.confirm()

    def confirm(self) -> None:
        choices: SelectionList[str] = self.query_one("#choices", SelectionList)
        selected = tuple(entry for entry in self.entries if entry in set(choices.selected))
        if selected:
            self.dismiss(selected)
        else:
            self.show_error("Choose at least one, with the space bar.")
