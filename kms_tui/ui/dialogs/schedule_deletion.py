"""The question before a key's deletion is scheduled: what is known of its use, and the gentler way first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from textual import on
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from kms_tui.backend.api import Kms
from kms_tui.evidence.prices import Prices
from kms_tui.kms.facts import LOADING
from kms_tui.ui.acts.base import Subject
from kms_tui.ui.acts.preflight import CHECKS, Check, saving
from kms_tui.ui.background import off_loop, start
from kms_tui.ui.details.table import facts_table
from kms_tui.ui.dialogs.base import Dialog
from kms_tui.ui.safe_text import safe
from kms_tui.ui.words import fact_content

MIN_WINDOW_DAYS, DEFAULT_WINDOW_DAYS, MAX_WINDOW_DAYS = 7, 30, 30


@dataclass(frozen=True, slots=True)
class Deletion:
    """Schedule the deletion after this many days."""

    window_days: int


@dataclass(frozen=True, slots=True)
class DisableInstead:
    """Disable the key, and see who misses it."""


class ScheduleDeletion(Dialog[Deletion | DisableInstead]):
    """Asks for the waiting period, and for the name to be typed: after it there is no way back.

    ``can_disable`` offers to disable the key instead.
    """

    initial_focus = "#cancel"

    def __init__(
        self, kms: Kms, subject: Subject, now: datetime, *, can_disable: bool, prices: Prices
    ) -> None:
        super().__init__(
            f"Schedule the deletion of {subject.name}?", confirm="Schedule deletion", danger=True
        )
        self.kms = kms
        self.subject = subject
        self.now = now
        self.can_disable = can_disable
        reading: Content = fact_content(LOADING, lambda value: Content())
        self._checks: Sequence[Check[Any]] = (*CHECKS, saving(prices))
        self._known = {check.label: reading for check in self._checks}

    def compose_body(self) -> Iterable[Widget]:
        yield Static(
            "Once deleted, nothing encrypted under it can be opened again, ever. Until then it cannot be "
            "used, and this can be cancelled.",
            classes="dialog-line",
        )
        yield Static(facts_table(self._known.items()), id="preflight", classes="dialog-line")
        yield Horizontal(
            Static(f"Waiting period in days, {MIN_WINDOW_DAYS} to {MAX_WINDOW_DAYS}"),
            Input(str(DEFAULT_WINDOW_DAYS), id="window", type="integer", compact=True),
            classes="dialog-row",
        )
        choices = Content(" or ").join([safe(name).stylize("$accent") for name in self.subject.confirm_names])
        yield Static(Content("To confirm, type ") + choices)
        yield Input(id="typed-name", compact=True)

    def compose_buttons(self) -> Iterable[Widget]:
        cancel, confirm = super().compose_buttons()
        yield cancel
        if self.can_disable:
            yield Button("Disable and watch", id="disable", variant="primary", compact=True)
        yield confirm

    def on_mount(self) -> None:
        start(self, self._read, group="preflight", description="read what is known of the key's use")

    async def _read(self) -> None:
        async def ask(label: str) -> None:
            check = next(check for check in self._checks if check.label == label)
            self._known[label] = await off_loop(lambda: check.ask(self.kms, self.subject, self.now))
            self.query_one("#preflight", Static).update(facts_table(self._known.items()))

        await asyncio.gather(*(ask(label) for label in self._known))

    @on(Button.Pressed, "#disable")
    def _disable(self) -> None:
        self.dismiss(DisableInstead())

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.confirm()

    def confirm(self) -> None:
        window, name = self.query_one("#window", Input), self.query_one("#typed-name", Input)
        days = int(window.value) if window.value.isdecimal() else 0
        if not MIN_WINDOW_DAYS <= days <= MAX_WINDOW_DAYS:
            self.show_error(f"The waiting period is {MIN_WINDOW_DAYS} to {MAX_WINDOW_DAYS} days.")
            window.focus()
        elif name.value.strip() not in self.subject.confirm_names:
            self.show_error("That is not the name shown above.")
            name.focus()
        else:
            self.dismiss(Deletion(days))
