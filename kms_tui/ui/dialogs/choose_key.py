"""``KeyChoice``: a list of keys that typing narrows down; ``ChooseKey`` answers with one of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from textual.widget import Widget
from textual.widgets import OptionList

from kms_tui.kms.keyspecs import spec_title
from kms_tui.kms.model import KeyState
from kms_tui.ui.base.safe_text import Content, column, safe
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.base.words import STATE_WORDS
from kms_tui.ui.dialogs.filtered_choice import MOST_LINES, Answer, ChoiceFilter, FilteredChoice
from kms_tui.ui.widgets.text_widgets import Static

Offer = tuple[Content, Callable[[], None]]
"""A line of the list, and what choosing it does."""


class KeyChoice(FilteredChoice[Answer]):
    """A field, what is wrong with what is typed there, and the lines that it leaves, below ``lead``."""

    initial_focus = "#key-filter"
    dialog_classes = "-list"

    def __init__(self, title: str, lead: Content) -> None:
        super().__init__(title)
        self.lead = lead
        self._shown: Sequence[Offer] = ()

    @abstractmethod
    def offers(self, typed: str) -> Sequence[Offer]:
        """What can be chosen once this is typed; the first is chosen by enter."""

    def compose_body(self) -> Iterable[Widget]:
        yield Static(self.lead, classes="dialog-line")
        yield ChoiceFilter(placeholder=self.HINT, id="key-filter")
        yield Static(id="key-error", classes="field-error dialog-line")
        yield OptionList(id="choices", compact=True)

    def on_mount(self) -> None:
        self.fill()

    def show_key_error(self, sentence: str) -> None:
        """Show what is wrong below the field; what is typed stays."""
        line = self.query_one("#key-error", Static)
        line.update(safe(sentence))
        line.set_class(bool(sentence), "-shown")

    def fill(self) -> None:
        self._shown = self.offers(self.typed)[:MOST_LINES]
        self.show_lines([line for line, _ in self._shown])
        self.show_key_error("" if self._shown else "No key that fits matches.")

    def choose(self, index: int) -> None:
        _, chosen = self._shown[index]
        chosen()


class ChooseKey(KeyChoice[Subject]):
    """Answers with one of ``subjects``; ``lead`` says why these are offered."""

    def __init__(self, title: str, subjects: Sequence[Subject], lead: Content) -> None:
        super().__init__(title, lead)
        self.subjects = subjects

    def offers(self, typed: str) -> Sequence[Offer]:
        return [
            (key_line(each, each.name), partial(self._take, each))
            for each in matching_keys(self.subjects, typed)
        ]

    def _take(self, subject: Subject) -> None:
        self.dismiss(subject)


def matching_keys(subjects: Sequence[Subject], typed: str) -> Sequence[Subject]:
    """The first keys that each of the typed words is a part of."""
    words = typed.lower().split()
    return [each for each in subjects if all(word in _searched_text(each) for word in words)][:MOST_LINES]


def _searched_text(subject: Subject) -> str:
    spec = spec_title(subject.key.spec) if subject.key is not None else ""
    return f"{' '.join(subject.aliases)} {subject.key_id} {spec} {subject.account}".lower()


def key_line(subject: Subject, name: str) -> Content:
    """A key by its name, with its spec and state."""
    shown = safe(column(name, 38))
    if subject.key is None:
        return shown + Content.styled("  not read yet", "$foreground-muted")
    enabled = subject.key.state == KeyState.ENABLED
    state = STATE_WORDS.get(subject.key.state, subject.key.state)
    spec = column(spec_title(subject.key.spec), 12)
    return shown + Content(f"  {spec}") + safe(state).stylize("$foreground-muted" if enabled else "$warning")
