"""The line that shows a chosen key, and opens the list to choose another."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.message import Message

from kms_tui.crypto_ops.request import ChosenKey
from kms_tui.kms.keyspecs import spec_title
from kms_tui.kms.model import KeyState
from kms_tui.ui.safe_text import Content, safe
from kms_tui.ui.scratchpad.lines import Line, ProblemLine
from kms_tui.ui.widgets.plain import Static
from kms_tui.ui.words import STATE_WORDS


class KeyLine(Static, can_focus=True):
    """Enter, or a click, asks for another key."""

    BINDINGS = [
        Binding("enter,space", "ask", "Choose", id="key-field.choose", tooltip="Choose a key"),
    ]

    class Asked(Message):
        """Somebody wants to choose a key."""

    def action_ask(self) -> None:
        self.post_message(self.Asked())

    def on_click(self) -> None:
        self.action_ask()


class KeyField(Vertical):
    """A key, or why there is none."""

    class Asked(Message):
        """Somebody wants to choose another key here."""

        def __init__(self, field: KeyField) -> None:
            super().__init__()
            self.field = field

    def __init__(self, widget_id: str, label: str) -> None:
        super().__init__(id=widget_id, classes="key-field")
        self.line = KeyLine(classes="key-line")
        self.note = Line(classes="note")
        self.problem = ProblemLine()
        self._label = label

    def compose(self) -> ComposeResult:
        with Horizontal(classes="row"):
            yield Static(Content(self._label), classes="label")
            yield self.line
        yield self.note
        yield self.problem

    def show(self, chosen: ChosenKey | None, *, home: str, absent: str) -> None:
        """The key; its region where it is not ``home``, its state where it is not enabled."""
        self.line.update(_key_content(chosen, home) if chosen else _absent(absent))
        self.problem.say("")

    @on(KeyLine.Asked)
    def _line_asked(self, event: KeyLine.Asked) -> None:
        event.stop()
        self.post_message(self.Asked(self))


def _absent(words: str) -> Content:
    return Content.styled(words, "$foreground-muted")


def _key_content(chosen: ChosenKey, home: str) -> Content:
    parts = [safe(chosen.name).stylize("bold")]
    key = chosen.key
    if key is not None:
        parts.append(Content.styled(spec_title(key.spec), "$foreground-muted"))
    if chosen.region != home:
        parts.append(safe(chosen.region))
    if key is not None and key.state != KeyState.ENABLED:
        parts.append(Content.styled(STATE_WORDS.get(key.state, key.state), "$warning"))
    return Content.styled("  ·  ", "$foreground-muted").join(parts)
