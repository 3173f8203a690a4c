"""The last page before a key is made: its policy, and the same as commands."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from textual.containers import VerticalScroll
from textual.widget import Widget

from kms_tui.kms.errors import KmsTuiError
from kms_tui.ui.background import start
from kms_tui.ui.dialogs.base import Dialog
from kms_tui.ui.safe_text import Content, safe
from kms_tui.ui.widgets.text_widgets import Button, Static


class ReviewKey(Dialog[bool]):
    """Makes the key when confirmed; what was refused is said here, and Back keeps all that was entered."""

    initial_focus = "#review"
    dialog_classes = "-list"

    def __init__(
        self, title: str, summary: str, policy: str, script: str, make: Callable[[], object]
    ) -> None:
        super().__init__(title, confirm="Create key")
        self.summary = summary
        self.policy = policy
        self.script = script
        self.make = make

    def compose_body(self) -> Iterable[Widget]:
        yield VerticalScroll(
            Static(safe(self.summary)),
            Static(Content("Its policy"), classes="section"),
            Static(safe(self.policy, newlines=True)),
            Static(Content("The same as commands"), classes="section"),
            Static(safe(self.script, newlines=True)),
            id="review",
            can_focus=True,
        )

    def compose_buttons(self) -> Iterable[Widget]:
        yield Button(Content("Back"), id="cancel")
        yield Button(Content(self.confirm_label), id="confirm", variant="primary")

    def confirm(self) -> None:
        if not self.is_calling:
            start(self, self._make, group="make", description="create the key")

    async def _make(self) -> None:
        self.show_error("")
        try:
            await self.call(self.make)
        except KmsTuiError as error:
            self.show_error(f"{error} {error.next_step}".strip())
        else:
            self.dismiss(True)
