"""What every tab of the details shares: it reads when it is looked at, and says what it could not read."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from typing import ClassVar, Generic, TypeVar

from textual.containers import VerticalScroll

from kms_tui.backend.api import Kms
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.facts import LOADING, Fact, Known, unreadable
from kms_tui.session import Session
from kms_tui.ui.acts.base import Subject
from kms_tui.ui.background import off_loop, start
from kms_tui.ui.details.pane import tab_id

T = TypeVar("T")
REST_SECONDS = 0.25
"""How long the cursor rests on a key before the details read anything about it."""


class DetailTab(VerticalScroll, Generic[T]):
    """One tab; ``read`` runs on a thread, ``present`` shows what it found."""

    TITLE: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__(id=tab_id(self.TITLE), can_focus=True)
        self.subject: Subject | None = None
        self.session: Session | None = None

    def show(self, session: Session, subject: Subject) -> None:
        """Show another key, or the same one again after a change."""
        same = self.subject is not None and self.subject.arn == subject.arn
        self.session, self.subject = session, subject
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
        if self.subject is subject:
            self.present(subject, fact)

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
