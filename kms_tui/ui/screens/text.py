"""A text to read, scroll and copy: raw JSON, a report, an event."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen

from kms_tui.ui.clipboard import copy_text
from kms_tui.ui.safe_text import Content, safe
from kms_tui.ui.widgets.text_widgets import Static

if TYPE_CHECKING:
    from kms_tui.ui.app import KmsApp


class TextScreen(ModalScreen[None]):
    """Shows untrusted text as it is, controls made visible."""

    HELP: ClassVar[str] = "A text to read and to copy; the arrow keys and page up and down scroll it."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Close", id="text.close", tooltip="Close this text"),
        Binding("c", "copy", "Copy", id="text.copy", tooltip="Copy the whole text"),
        Binding("question_mark,f1", "app.help", "Help", id="text.help", tooltip="Explain this text's keys"),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="-help"):
            yield Static(safe(self._title), id="dialog-title")
            with VerticalScroll(id="dialog-body"):
                yield Static(safe(self._text, newlines=True))
            yield Static(Content("c copies it · esc closes"), classes="muted")

    def action_copy(self) -> None:
        app = cast("KmsApp", self.app)
        copy_text(app, self._text)
        app.notify("Copied.")
