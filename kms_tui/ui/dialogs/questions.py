"""Generic questions: one of a list, yes or no, a secret."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import on
from textual.visual import Visual
from textual.widget import Widget
from textual.widgets import OptionList

from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.dialogs.dialog import Dialog
from kms_tui.ui.widgets.text_widgets import Button, Input, Option, SecretInput, Static


class Choose(Dialog[int]):
    """One of a list; answers with its index. ``disabled`` entries are shown but cannot be chosen."""

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


class Confirm(Dialog[bool]):
    """Yes or no; with ``type_to_confirm`` one of these names must be typed.

    ``above`` and ``below`` are widgets round the sentences, such as what is still being read.
    """

    def __init__(
        self,
        title: str,
        sentences: Sequence[Content | Visual],
        *,
        confirm: str,
        danger: bool = False,
        type_to_confirm: Sequence[str] = (),
        above: Sequence[Widget] = (),
        below: Sequence[Widget] = (),
    ) -> None:
        super().__init__(title, confirm=confirm, danger=danger)
        self.above = above
        self.sentences = sentences
        self.names = tuple(type_to_confirm)
        self.below = below
        if self.names:
            self.initial_focus = "#typed-name"

    def compose_body(self) -> Iterable[Widget]:
        yield from self.above
        for sentence in self.sentences:
            yield Static(sentence, classes="dialog-line")
        yield from self.below

    def compose_confirmation(self) -> Iterable[Widget]:
        if self.names:
            choices = Content(" or ").join([Content.styled(name, "$accent") for name in self.names])
            yield Static(Content("To confirm, type ") + choices)
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


class AskSecret(Dialog[str]):
    """One secret line, such as an MFA code; it is never shown and cannot be copied."""

    initial_focus = "#secret"

    def __init__(self, question: str) -> None:
        super().__init__("A secret is needed", confirm="Go on")
        self.question = question

    def compose_body(self) -> Iterable[Widget]:
        yield Static(safe(self.question), classes="dialog-line")
        yield SecretInput(id="secret")

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.confirm()

    def confirm(self) -> None:
        self.dismiss(self.query_one("#secret", Input).value)
