"""The question before a key's deletion is scheduled: what is known of its use, and the gentler way first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from textual import on
from textual.containers import Horizontal
from textual.widget import Widget

from kms_tui.backend.kms_facade import Kms
from kms_tui.evidence.cost import Prices
from kms_tui.evidence.scans import Scans
from kms_tui.kms.facts import LOADING
from kms_tui.ui.acts.base import Subject
from kms_tui.ui.acts.preflight import CHECKS, USED_BY, Check, saving, used_by
from kms_tui.ui.background import off_loop, start
from kms_tui.ui.details.table import facts_table
from kms_tui.ui.dialogs.base import Dialog
from kms_tui.ui.safe_text import Content, safe
from kms_tui.ui.scan_words import TICK_SECONDS
from kms_tui.ui.widgets.entry import Input
from kms_tui.ui.widgets.plain import Button, Static
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

    ``can_disable`` offers to disable the key instead; ``refused`` is what a watch on the disabled key has
    found. What a scan of the region found is shown, and a scan can be made from here.
    """

    initial_focus = "#cancel"

    def __init__(
        self,
        kms: Kms,
        subject: Subject,
        now: datetime,
        scans: Scans,
        *,
        can_disable: bool,
        prices: Prices,
        refused: Content | None = None,
    ) -> None:
        super().__init__(
            f"Schedule the deletion of {subject.name}?", confirm="Schedule deletion", danger=True
        )
        self.kms = kms
        self.subject = subject
        self.now = now
        self.scans = scans
        self.can_disable = can_disable
        reading: Content = fact_content(LOADING, lambda value: Content())
        self._checks: Sequence[Check[Any]] = (*CHECKS, saving(prices))
        self._known = {"While off": refused} if refused is not None else {}
        self._known |= {check.label: reading for check in self._checks}
        self._known[USED_BY] = used_by(scans, subject, now)

    def compose_body(self) -> Iterable[Widget]:
        yield Static(
            Content(
                "Once deleted, nothing encrypted under it can be opened again, ever. Until then it cannot be "
                "used, and this can be cancelled."
            ),
            classes="dialog-line",
        )
        yield Static(facts_table(self._known.items()), id="preflight", classes="dialog-line")
        yield Horizontal(
            Static(Content(f"Waiting period in days, {MIN_WINDOW_DAYS} to {MAX_WINDOW_DAYS}")),
            Input(str(DEFAULT_WINDOW_DAYS), id="window", type="integer"),
            classes="dialog-row",
        )
        choices = Content(" or ").join([safe(name).stylize("$accent") for name in self.subject.confirm_names])
        yield Static(Content("To confirm, type ") + choices)
        yield Input(id="typed-name")

    def compose_buttons(self) -> Iterable[Widget]:
        cancel, confirm = super().compose_buttons()
        if self.scans.is_offered:
            yield Button(Content("Scan"), id="scan")
        yield cancel
        if self.can_disable:
            yield Button(Content("Disable and watch"), id="disable", variant="primary")
        yield confirm

    def on_mount(self) -> None:
        start(self, self._read, group="preflight", description="read what is known of the key's use")
        self._follow_scan()

    async def _read(self) -> None:
        async def ask(check: Check[Any]) -> None:
            content = await off_loop(lambda: check.ask(self.kms, self.subject, self.now))
            self._tell(check.label, content)

        await asyncio.gather(*(ask(check) for check in self._checks))

    def _tell(self, label: str, content: Content) -> None:
        self._known[label] = content
        self.query_one("#preflight", Static).update(facts_table(self._known.items()))

    def _follow_scan(self) -> None:
        async def follow() -> None:
            while self.scans.is_running(self.subject.region):
                self._tell_scan("Stop")
                await asyncio.sleep(TICK_SECONDS)
            self._tell_scan("Scan")

        start(self, follow, group="scan", description="follow a scan")

    def _tell_scan(self, offer: str) -> None:
        self._tell(USED_BY, used_by(self.scans, self.subject, self.now))
        for button in self.query("#scan").results(Button):
            button.label = offer

    @on(Button.Pressed, "#scan")
    def _scan(self) -> None:
        """Scan the region; on a scan under way, stop it."""
        if self.scans.is_running(self.subject.region):
            self.scans.cancel(self.subject.region)
        else:
            self.scans.start(self.subject.region)
        self._follow_scan()

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
