"""The question before a grant is taken back: whom it serves, and in which of two ways."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from textual import on
from textual.widget import Widget

from kms_tui.kms.model import Grant
from kms_tui.ui.details.grants import grant_rows
from kms_tui.ui.details.table import facts_table
from kms_tui.ui.dialogs.base import Dialog
from kms_tui.ui.safe_text import Content
from kms_tui.ui.widgets.text_widgets import Button, Static

Way = Literal["revoke", "retire"]


class TakeGrant(Dialog[Way]):
    """Revoke, as one who manages the key; or retire, as one whom the grant is for."""

    dialog_classes = "-list"

    def __init__(self, grant: Grant) -> None:
        super().__init__("Take this grant back?", confirm="Revoke", danger=True)
        self.grant = grant

    def compose_body(self) -> Iterable[Widget]:
        yield Static(facts_table(grant_rows(self.grant)), classes="dialog-line")
        yield Static(
            Content(
                "Calls that rely on it fail within five minutes; volumes and databases that a service opened "
                "with it may stop. It can only be given anew (undo does that), with another id. Revoke needs "
                "kms:RevokeGrant; retire is for those whom the grant names."
            ),
            classes="dialog-line",
        )

    def compose_buttons(self) -> Iterable[Widget]:
        cancel, confirm = super().compose_buttons()
        yield cancel
        yield Button(Content("Retire"), id="retire", variant="error")
        yield confirm

    @on(Button.Pressed, "#retire")
    def _retire(self) -> None:
        self.dismiss("retire")

    def confirm(self) -> None:
        self.dismiss("revoke")
