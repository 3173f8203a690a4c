"""The parts that the scratchpad's panes are made of: notes, a chosen key, a table of facts, a path."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.reactive import reactive
from textual.suggester import Suggester
from textual.widget import Widget

from kms_tui.atomic import typed_path
from kms_tui.crypto_ops.request import ChosenKey
from kms_tui.kms.keyspecs import spec_title
from kms_tui.kms.model import KeyState
from kms_tui.ui.base.background import off_loop
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.words import STATE_WORDS
from kms_tui.ui.widgets.text_widgets import Input, Static


def show_part(part: Widget, shown: bool, pane: Widget, *, before: Sequence[Widget] = ()) -> None:
    """Show or hide a part of a pane, which is mounted when it is first shown.

    It comes before the first of these that is mounted, else last.
    """
    if shown and part.parent is None:
        pane.mount(part, before=next((each for each in before if each.parent is pane), None))
    part.display = shown


class NoteLine(Static):
    """One untrusted sentence of a pane, hidden while empty; it comes before ``below``, else last."""

    def __init__(self, pane: Widget, classes: str = "note", *, below: Sequence[Widget] = ()) -> None:
        super().__init__(classes=classes)
        self._pane = pane
        self._below = below

    def say(self, sentence: str) -> None:
        self.update(safe(sentence))
        show_part(self, bool(sentence), self._pane, before=self._below)


class ProblemLine(NoteLine):
    """The problem of a pane, below it; ``soft`` while its field is perhaps still being typed."""

    def __init__(self, pane: Widget) -> None:
        super().__init__(pane, "problem")

    def say(self, sentence: str, *, soft: bool = False) -> None:
        super().say(sentence)
        self.set_class(soft, "-soft")


class KeyLine(Static, can_focus=True):
    """Enter, or a click, asks for another key."""

    BINDINGS = [Binding("enter,space", "ask", "Choose", id="key-field.choose", tooltip="Choose a key")]

    class Asked(Message):
        """A key is to be chosen."""

    def action_ask(self) -> None:
        self.post_message(self.Asked())

    def on_click(self) -> None:
        self.action_ask()


class KeyField(Vertical):
    """The chosen key, or why there is none."""

    class Asked(Message):
        """Another key is to be chosen here."""

        def __init__(self, field: KeyField) -> None:
            super().__init__()
            self.field = field

    def __init__(self, widget_id: str, label: str) -> None:
        super().__init__(id=widget_id, classes="key-field")
        self.line = KeyLine(classes="key-line")
        self.problem = ProblemLine(self)
        self.note = NoteLine(self, below=[self.problem])
        self._label = label

    def compose(self) -> ComposeResult:
        with Horizontal(classes="row"):
            yield Static(Content(self._label), classes="label")
            yield self.line

    def show(self, chosen: ChosenKey | None, *, home: str, absent: str) -> None:
        """The key; its account where several are listed, its region where it is not ``home``, its state where
        it is not enabled.
        """
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
    if chosen.account_name:
        parts.append(safe(chosen.account_name))
    if chosen.region != home:
        parts.append(safe(chosen.region))
    if key is not None and key.state != KeyState.ENABLED:
        parts.append(Content.styled(STATE_WORDS.get(key.state, key.state), "$warning"))
    return Content.styled("  ·  ", "$foreground-muted").join(parts)


Rows = tuple[tuple[str, str], ...]
"""(label, value) pairs; the values are untrusted."""


class FactTable(Vertical):
    """Hidden while it has no rows."""

    rows: reactive[Rows] = reactive((), recompose=True)

    def compose(self) -> ComposeResult:
        for label, value in self.rows:
            with Horizontal(classes="row"):
                yield Static(safe(label), classes="label")
                yield Static(safe(value), classes="value")

    def watch_rows(self) -> None:
        self.display = bool(self.rows)

    def show(self, rows: Iterable[tuple[str, str]]) -> None:
        if self.parent is None:  # it composes them as it is mounted
            self.set_reactive(FactTable.rows, tuple(rows))
            self.watch_rows()
        else:
            self.rows = tuple(rows)


_MOST_NAMES = 20_000
"""Entries of a folder that completion looks at."""


def complete_path(text: str) -> str | None:
    """The text completed to the first name in its folder that begins with it; None where no name does."""
    folder, _, start = text.rpartition("/")
    if not start:
        return None
    parent = typed_path(f"{folder}/" if "/" in text else ".")
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        names = sorted(_names(entries, start))
        if names:
            return text + names[0][len(start) :]
    return None


def _names(entries: Iterable[os.DirEntry[str]], start: str) -> Iterable[str]:
    for entry in islice(entries, _MOST_NAMES):
        if entry.name.startswith(start) and entry.name.isprintable():
            yield f"{entry.name}/" if entry.is_dir() else entry.name


class _PathSuggester(Suggester):
    async def get_suggestion(self, value: str) -> str | None:
        return await off_loop(lambda: complete_path(value))


class PathInput(Input):
    """Completes with the right arrow, as the shell does with tab."""

    def __init__(self, widget_id: str, placeholder: str) -> None:
        suggester = _PathSuggester(use_cache=False, case_sensitive=True)
        super().__init__(id=widget_id, placeholder=placeholder, suggester=suggester)

    @property
    def path(self) -> Path | None:
        return typed_path(self.value) if self.value.strip() else None
