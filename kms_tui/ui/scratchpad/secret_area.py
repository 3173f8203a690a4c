"""``SecretArea``: a text area for input that may be secret, and is always untrusted."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.message import Message
from textual.timer import Timer

from kms_tui.formats import is_text
from kms_tui.kms.model import Secret
from kms_tui.ui.base.clipboard import copy_secret, paste_text
from kms_tui.ui.base.host import host_of
from kms_tui.ui.base.pasting import MOST_TAKEN, is_too_long
from kms_tui.ui.widgets.form_widgets import TextArea

DOT = "•"


class SecretArea(TextArea):
    """Shows each character that a terminal would obey or hide as a harmless one.

    A secret is shown as dots, except while somebody works in the area: from focus, or an edit, to the loss of
    focus, another screen on top, or ``HIDE_SECONDS`` without a key.
    """

    HIDE_SECONDS = 60.0

    class ControlsPasted(Message):
        """``text`` is the text with a paste of control characters, which the area did not take."""

        def __init__(self, area: SecretArea, text: str) -> None:
            super().__init__()
            self.area = area
            self.text = text

        @property
        def control(self) -> SecretArea:
            return self.area

    def __init__(self, *, secret: bool, placeholder: str) -> None:
        super().__init__(
            compact=True, tab_behavior="focus", placeholder=placeholder, highlight_cursor_line=False
        )
        self.secret = secret
        self._worked_on = False
        self._hiding: Timer | None = None

    def on_mount(self) -> None:
        self._hiding = self.set_interval(self.HIDE_SECONDS, self.hide, pause=True)

    @property
    def masked(self) -> bool:
        return self.secret and not self._worked_on

    def hide(self) -> None:
        """Show dots until the person works in the area again."""
        self._show(False)

    def _show(self, shown: bool) -> None:
        if self._hiding is not None:
            self._hiding.reset()
            (self._hiding.resume if shown else self._hiding.pause)()
        if shown != self._worked_on:
            self._worked_on = shown
            self.notify_style_update()
            self.refresh()

    def on_focus(self) -> None:
        self._show(True)

    def on_blur(self) -> None:
        self._show(False)

    def on_key(self) -> None:
        self._show(True)

    def get_line(self, line_index: int) -> Text:
        if not self.masked:
            return super().get_line(line_index)
        return Text(DOT * len(self.document.get_line(line_index)), end="", no_wrap=True)

    def on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self._take(event.text)

    def action_paste(self) -> None:
        """Paste from this machine's clipboard, or what was last copied here where there is none."""
        text = paste_text(host_of(self))
        if not is_too_long(self, text, MOST_TAKEN):
            self._take(text)

    def _take(self, text: str) -> None:
        if is_text(text.encode(errors="replace")):
            result = self.replace(text, *self.selection, maintain_selection_offset=False)
            self.move_cursor(result.end_location)
            self._show(True)
            return
        start, end = sorted(self.selection)
        before = self.get_text_range((0, 0), start)
        after = self.get_text_range(end, self.document.end)
        self.post_message(self.ControlsPasted(self, before + text + after))

    def action_copy(self) -> None:
        if self.secret and self.selected_text:
            self._copy(self.selected_text)
        else:
            super().action_copy()

    def action_cut(self) -> None:
        cut = self.selected_text or f"{self.document.get_line(self.cursor_location[0])}\n"
        if not self.secret:
            super().action_cut()
            return
        if self.selection.is_empty:
            self.action_delete_line()
        else:
            self.delete(*self.selection, maintain_selection_offset=False)
        self._copy(cut)

    def _copy(self, text: str) -> None:
        app = host_of(self)
        copy_secret(app, Secret(text.encode()), text, seconds=app.config.clipboard_seconds)
