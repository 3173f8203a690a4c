"""A short list to choose one entry from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import on
from textual.visual import Visual
from textual.widget import Widget
from textual.widgets import OptionList

from kms_tui.ui.dialogs.base import Dialog
from kms_tui.ui.safe_text import Content
from kms_tui.ui.widgets.text_widgets import Button, Option


class Choose(Dialog[int]):
    """Answers with the index of the chosen entry; an entry may be shown but not offered."""

    initial_focus = "#choices"
    dialog_classes = "-list"

    def __init__(
        self, title: str, entries: Sequence[Content | Visual], *, disabled: frozenset[int] = frozenset()
    ) -> None:
        super().__init__(title)
        self.entries = entries
        self.not_offered = disabled

    def compose_body(self) -> Iterable[Widget]:
        yield OptionList(
            *(Option(entry, disabled=index in self.not_offered) for index, entry in enumerate(self.entries)),
            id="choices",
            compact=True,
        )

    def compose_buttons(self) -> Iterable[Widget]:
        yield Button(Content("Cancel"), id="cancel")

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_index)
