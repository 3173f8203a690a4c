"""A list from which several entries are chosen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import SelectionList

from kms_tui.ui.dialogs.base import Dialog
from kms_tui.ui.safe_text import Content, safe
from kms_tui.ui.widgets.form_widgets import Selection
from kms_tui.ui.widgets.text_widgets import Static


class ChooseMany(Dialog[tuple[str, ...]]):
    """Space chooses, ``a`` all or none, enter goes on; at least one entry must be chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "confirm", "Go on", id="many.confirm", tooltip="Go on with what is chosen", priority=True
        ),
        Binding("a", "all", "All", id="many.all", tooltip="Choose all of them, or none"),
    ]
    initial_focus = "#choices"

    def __init__(self, title: str, entries: Sequence[str], chosen: Sequence[str], *, confirm: str) -> None:
        super().__init__(title, confirm=confirm)
        self.entries = entries
        self.chosen = frozenset(chosen)

    def compose_body(self) -> Iterable[Widget]:
        yield SelectionList[str](*self._selections(self.chosen), id="choices", compact=True)
        yield Static(Content("space chooses one, a chooses all"), classes="muted")

    @property
    def choices(self) -> SelectionList[str]:
        choices: SelectionList[str] = self.query_one("#choices", SelectionList)
        return choices

    def offer(self, entries: Sequence[str]) -> None:
        """Offer other entries; what was chosen and is still among them stays chosen."""
        self.entries = entries
        chosen, highlighted = frozenset(self.choices.selected), self.choices.highlighted
        self.choices.clear_options()
        self.choices.add_options(self._selections(chosen))
        self.choices.highlighted = highlighted

    def _selections(self, chosen: frozenset[str]) -> list[Selection[str]]:
        return [Selection(safe(entry), entry, entry in chosen) for entry in self.entries]

    def action_all(self) -> None:
        if len(self.choices.selected) == len(self.entries):
            self.choices.deselect_all()
        else:
            self.choices.select_all()

    def action_confirm(self) -> None:
        if self.armed:
            if self.query_one("#cancel").has_focus:
                self.action_cancel()
            else:
                self.confirm()

    def confirm(self) -> None:
        selected = tuple(entry for entry in self.entries if entry in set(self.choices.selected))
        if selected:
            self.dismiss(selected)
        else:
            self.show_error("Choose at least one, with the space bar, or all with a.")
