"""Yes or no, and yes by typing the name where there is no way back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import on
from textual.visual import Visual
from textual.widget import Widget

from kms_tui.ui.dialogs.base import Dialog
from kms_tui.ui.safe_text import Content
from kms_tui.ui.widgets.text_widgets import Input, Static


class Confirm(Dialog[bool]):
    """Asks before an act; with ``type_to_confirm`` one of these names must be typed exactly."""

    def __init__(
        self,
        title: str,
        sentences: Sequence[Content | Visual],
        *,
        confirm: str,
        danger: bool = False,
        type_to_confirm: Sequence[str] = (),
    ) -> None:
        super().__init__(title, confirm=confirm, danger=danger)
        self.sentences = sentences
        self.names = tuple(type_to_confirm)

    def compose_body(self) -> Iterable[Widget]:
        for sentence in self.sentences:
            yield Static(sentence, classes="dialog-line")
        if self.names:
            choices = Content(" or ").join([Content.styled(name, "$accent") for name in self.names])
            yield Static(Content("To confirm, type ") + choices, classes="dialog-line")
            yield Input(id="typed-name")

    @on(Input.Submitted, "#typed-name")
    def _submitted(self) -> None:
        self.confirm()

    def confirm(self) -> None:
        if self.names:
            field = self.query_one("#typed-name", Input)
            if field.value.strip() not in self.names:
                self.show_error("That is not the name shown above.")
                field.focus()
                return
        self.dismiss(True)
