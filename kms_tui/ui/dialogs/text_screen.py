"""Texts to read: ``TextScreen`` for any text, ``HelpScreen`` for a screen's help and keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import Screen
from textual.widget import Widget

from kms_tui.ui.base.clipboard import copy_text
from kms_tui.ui.base.host import host_of
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.dialogs.modal import Modal
from kms_tui.ui.widgets.facts_table import FactsTable
from kms_tui.ui.widgets.text_widgets import Static


class TextScreen(Modal[None]):
    """A text to scroll and copy; untrusted, with controls made visible."""

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
        app = host_of(self)
        copy_text(app, self._text)
        app.notify("Copied.")


class HelpScreen(Modal[None]):
    """The help of the screen below it: its ``HELP``, and its bindings with their tooltips."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", "Close", id="help.close", tooltip="Close the help")
    ]

    def __init__(self, explained: Screen[object]) -> None:
        super().__init__()
        self._help = getattr(explained, "HELP", "")
        self._rows = list(_key_rows(explained))

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="-help"):
            yield Static(Content("Help"), id="dialog-title")
            with VerticalScroll(id="dialog-body"):
                yield from self._lines()

    def _lines(self) -> Iterable[Widget]:
        if self._help:
            yield Static(Content(self._help), classes="dialog-line")
        width = max((len(key) for key, _, _ in self._rows), default=0)
        title_width = max((len(title) for _, title, _ in self._rows), default=0)
        yield Static(
            FactsTable(
                (
                    Content.assemble((key.rjust(width), "$accent bold"), "  ", title.ljust(title_width)),
                    Content.styled(tooltip, "$foreground-muted"),
                )
                for key, title, tooltip in self._rows
            )
        )


def _key_rows(screen: Screen[object]) -> Iterable[tuple[str, str, str]]:
    """(keys, title, tooltip) of each action that the screen's keys reach; keys of one action together.

    The screen's keys come first, then those of the app, then those of the focused widget.
    """
    rows: dict[str, tuple[list[str], Binding, int]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.description and binding.tooltip and active.enabled:
            rank = 0 if active.node is screen else 1 if active.node is screen.app else 2
            keys, _, _ = rows.setdefault(binding.action, ([], binding, rank))
            keys.append(screen.app.get_key_display(binding))
    for keys, binding, _ in sorted(rows.values(), key=lambda row: row[2]):
        yield " ".join(keys), binding.description, binding.tooltip
