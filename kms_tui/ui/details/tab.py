"""What every tab of the details shares: it reads when it is looked at, and says what it could not read."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.errors import AnswerError, KmsTuiError
from kms_tui.kms.facts import LOADING, Fact, Failed, Known, unreadable
from kms_tui.session import Session
from kms_tui.ui.acts.base import Subject
from kms_tui.ui.background import off_loop, start
from kms_tui.ui.details.pane import tab_id
from kms_tui.ui.keymap import shown_key
from kms_tui.ui.safe_text import Content, safe
from kms_tui.ui.widgets.plain import Static

T = TypeVar("T")
REST_SECONDS = 0.25
"""How long the cursor rests on a key before the details read anything about it."""


class DetailTab(VerticalScroll, Generic[T]):
    """One tab; ``read`` runs on a thread, ``present`` shows what it found."""

    TITLE: ClassVar[str] = ""
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = ()
    """The acts that change what is shown: an id of ACTS, and what its key does, in a word or two."""

    def __init__(self) -> None:
        super().__init__(id=tab_id(self.TITLE), can_focus=True)
        self.subject: Subject | None = None
        self.session: Session | None = None

    def compose_hint(self) -> ComposeResult:
        """The line that says which keys change what is shown."""
        yield Static(classes="hint")

    def hints(self, subject: Subject) -> Sequence[tuple[str, str]]:
        """Those of HINTS that are about this kind of key."""
        return self.HINTS

    def _hint(self, session: Session, subject: Subject) -> Content:
        """The keys that are offered for this key; below them, why others are not."""
        from kms_tui.ui.acts.table import ACTS

        acts = [
            (ACTS[act_id], words)
            for act_id, words in self.hints(subject)
            if not (session.read_only and ACTS[act_id].mutating)
        ]
        reasons = {act.id: act.refusal(subject) for act, _ in acts}
        offered = [
            Content.styled(shown_key(self.app, f"act.{act.id}", act.key), "$accent bold")
            + Content(f" {words}")
            for act, words in acts
            if not reasons[act.id]
        ]
        lines = [Content(" · ").join(offered)] if offered else []
        lines += [safe(f"{why[:1].upper()}{why[1:]}.") for why in dict.fromkeys(reasons.values()) if why]
        return Content("\n").join(lines)

    def show(self, session: Session, subject: Subject) -> None:
        """Show another key, or the same one again after a change."""
        same = self.subject is not None and self.subject.arn == subject.arn
        self.session, self.subject = session, subject
        for line in self.query(".hint").results(Static):
            hint = self._hint(session, subject)
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

    def forget(self) -> None:
        """Show the next key from scratch even if it is the same."""
        self.subject = None

    async def _load(self, session: Session, subject: Subject, *, rest: bool) -> None:
        if rest:
            await asyncio.sleep(REST_SECONDS)
        kms = session.kms.in_region(subject.region) if subject.region != session.kms.region else session.kms
        fact = await off_loop(lambda: read_fact(lambda: self.read(kms, subject)))
        if self.subject is not subject:
            return
        try:
            self.present(subject, fact)
        except Exception as error:  # it came whole, with members of another type than the API promises
            self.present(subject, Failed(AnswerError.of(error)))

    @abstractmethod
    def read(self, kms: Kms, subject: Subject) -> T:
        """Ask the backend; runs on a thread of its own and may raise KmsTuiError."""

    @abstractmethod
    def present(self, subject: Subject, fact: Fact[T]) -> None:
        """Show what is known by now."""


def read_fact(read: Callable[[], T]) -> Fact[T]:
    """What a blocking read knows, or why it does not."""
    try:
        return Known(read())
    except KmsTuiError as error:
        return unreadable(error)
    except Exception as error:
        return Failed(AnswerError.of(error))
