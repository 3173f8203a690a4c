"""One secret line: an MFA code, a passphrase. It is never shown, and cannot be copied from here."""

from __future__ import annotations

from collections.abc import Iterable

from textual import on
from textual.widget import Widget

from kms_tui.ui.dialogs.base import Dialog
from kms_tui.ui.safe_text import safe
from kms_tui.ui.widgets.text_widgets import Input, Static


class _SecretInput(Input):
    def action_copy(self) -> None:
        """Textual would copy the secret."""

    def action_cut(self) -> None:
        """Textual would copy the secret."""


class AskSecret(Dialog[str]):
    """Answers with what was typed."""

    initial_focus = "#secret"

    def __init__(self, question: str) -> None:
        super().__init__("A secret is needed", confirm="Go on")
        self.question = question

    def compose_body(self) -> Iterable[Widget]:
        yield Static(safe(self.question), classes="dialog-line")
        yield _SecretInput(password=True, id="secret")

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.confirm()

    def confirm(self) -> None:
        self.dismiss(self.query_one("#secret", Input).value)
