"""``DetailTab``: a tab reads when it is shown, and says what could not be read."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.errors import AnswerError
from kms_tui.kms.facts import LOADING, Fact, Failed, read_fact
from kms_tui.session import Session
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.base.subject import Subject, kms_for
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.widgets.text_widgets import Static

T = TypeVar("T")
REST_SECONDS = 0.25
"""Seconds that the cursor rests on a key before its details are read."""


class DetailTab(VerticalScroll, Generic[T]):
    """One tab; ``read`` runs on a thread, ``present`` shows what it found."""

    TITLE: ClassVar[str] = ""
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = ()
    """The actions that change what is shown: an id of ACTIONS, and what its key does, in a word or two."""

    def __init__(self) -> None:
        super().__init__(id=tab_id(self.TITLE), can_focus=True)
        self.subject: Subject | None = None
        self.session: Session | None = None
        self.section = ""
        """The id of the widget to scroll to once the fact is shown, or ""."""

    def compose_hint(self) -> ComposeResult:
        """The line that says which keys change what is shown."""
        yield Static(classes="hint")

    def hints(self, subject: Subject) -> Sequence[tuple[str, str]]:
        """Those of HINTS that apply to this key."""
        return self.HINTS

    def _hint(self, subject: Subject) -> Content:
        screen = self.screen
        return (
            screen.action_hints(self.hints(subject), subject) if isinstance(screen, ModeScreen) else Content()
        )

    def show(self, session: Session, subject: Subject) -> None:
        """Show another key, or the same one again after a change."""
        same = self.subject is not None and self.subject.arn == subject.arn
        self.session, self.subject = session, subject
        for line in self.query(".hint").results(Static):
            hint = self._hint(subject)
            line.display = bool(hint)
            line.update(hint)
        if not same:
            self.scroll_home(animate=False)
            self.present(subject, LOADING)
        start(
            self,
            partial(self._load, session, subject, rest=not same),
            group="read",
            description=f"read {self.TITLE}",
        )

    async def _load(self, session: Session, subject: Subject, *, rest: bool) -> None:
        if rest:
            await asyncio.sleep(REST_SECONDS)
        kms = kms_for(session, subject)
        fact = await off_loop(lambda: read_fact(lambda: self.read(kms, subject)))
        if self.subject is not subject:
            return
        try:
            self.present(subject, fact)
        except Exception as error:  # the answer has members of other types than the API promises
            self.present(subject, Failed(AnswerError.of(error)))
        if self.section:
            widget, self.section = self.query_one(f"#{self.section}"), ""
            self.call_after_refresh(self.scroll_to_widget, widget, top=True, animate=False)

    @abstractmethod
    def read(self, kms: Kms, subject: Subject) -> T:
        """Ask the backend; runs on a thread and may raise KmsTuiError."""

    @abstractmethod
    def present(self, subject: Subject, fact: Fact[T]) -> None:
        """Show what is known."""


def tab_id(title: str) -> str:
    """The id of a tab's widget."""
    return f"tab-{title.lower().replace(' ', '-')}"
