"""One key on a screen of its own, where the terminal is too narrow for list and details side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from kms_tui.session import Session
from kms_tui.ui.acts.base import Subject
from kms_tui.ui.acts.desk import Desk
from kms_tui.ui.details.pane import KeyDetails
from kms_tui.ui.details.subject import subject_of
from kms_tui.ui.messages import KeysChanged


class KeyScreen(Desk):
    """The details, with the same acts as on the list."""

    HELP = "Everything about one key. Each tab reads what it shows when you open it."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "Back", id="key.back", tooltip="Back to the list"),
        Binding("r", "refresh", "Refresh", id="key.refresh", tooltip="Read this key again", show=False),
    ]

    def __init__(self, subject: Subject, tab: str = "Overview") -> None:
        super().__init__()
        self._subject = subject
        self._tab = tab

    def compose_body(self) -> Iterable[Widget]:
        yield KeyDetails(self._tab)

    def session_opened(self, session: Session) -> None:
        details = self.query_one(KeyDetails)
        details.show(session, self._subject)
        details.focus_tabs()

    def subjects(self) -> Sequence[Subject]:
        """The key as the inventory knows it by now."""
        assert self.session is not None
        row = self.session.inventory.row(self._subject.arn)
        return [subject_of(row) if row is not None else self._subject]

    def action_refresh(self) -> None:
        self.post_message(KeysChanged(self._subject.key_id))

    @on(KeysChanged)
    def _keys_changed(self, message: KeysChanged) -> None:
        if self.session is not None:
            self.session.inventory.reread(*message.key_ids)
            self.query_one(KeyDetails).show(self.session, self._subject)
