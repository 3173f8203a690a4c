"""Choosing one of the keys that fit, by a part of its name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import OptionList

from kms_tui.kms.keyspecs import spec_title
from kms_tui.kms.model import KeyState
from kms_tui.ui.acts.base import Subject
from kms_tui.ui.dialogs.base import Dialog
from kms_tui.ui.safe_text import Content, column, safe
from kms_tui.ui.widgets.text_widgets import Button, Input, Option, Static
from kms_tui.ui.words import STATE_WORDS

_MOST = 500
"""Keys listed at once; typing narrows them down."""


class _Filter(Input):
    """Down goes to the keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "to_keys", "To the keys", id="choose-key.down", tooltip="Go to the keys"),
    ]

    def action_to_keys(self) -> None:
        self.screen.query_one(OptionList).focus()


class ChooseKey(Dialog[Subject]):
    """Answers with one of ``subjects``; ``lead`` says which are offered, and why no others."""

    initial_focus = "#key-filter"
    dialog_classes = "-list"

    def __init__(self, title: str, subjects: Sequence[Subject], lead: Content) -> None:
        super().__init__(title)
        self.subjects = subjects
        self.lead = lead
        self._shown: Sequence[Subject] = ()

    def compose_body(self) -> Iterable[Widget]:
        yield Static(self.lead, classes="dialog-line")
        yield _Filter(placeholder="part of an alias, a key id, a spec", id="key-filter")
        yield OptionList(id="choices", compact=True)

    def compose_buttons(self) -> Iterable[Widget]:
        yield Button(Content("Cancel"), id="cancel")

    def on_mount(self) -> None:
        self._fill()

    @on(Input.Changed, "#key-filter")
    def _fill(self) -> None:
        words = self.query_one("#key-filter", Input).value.lower().split()
        matching = [each for each in self.subjects if all(word in _haystack(each) for word in words)]
        self._shown = matching[:_MOST]
        choices = self.query_one("#choices", OptionList)
        choices.set_options(Option(_line(each)) for each in self._shown)
        choices.highlighted = 0 if self._shown else None
        self.show_error("" if self._shown else "No key that fits matches.")

    @on(Input.Submitted, "#key-filter")
    def _submitted(self) -> None:
        index = self.query_one("#choices", OptionList).highlighted
        if index is not None:
            self.dismiss(self._shown[index])

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._shown[event.option_index])


def _haystack(subject: Subject) -> str:
    spec = spec_title(subject.key.spec) if subject.key is not None else ""
    return f"{' '.join(subject.aliases)} {subject.key_id} {spec}".lower()


def _line(subject: Subject) -> Content:
    name = safe(column(subject.name, 38))
    if subject.key is None:
        return name + Content.styled("  not read yet", "$foreground-muted")
    enabled = subject.key.state == KeyState.ENABLED
    state = STATE_WORDS.get(subject.key.state, subject.key.state)
    spec = column(spec_title(subject.key.spec), 12)
    return name + Content(f"  {spec}") + safe(state).stylize("$foreground-muted" if enabled else "$warning")
