"""Ask before the deletion of one key or of many is scheduled, and offer to disable instead."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from textual import on
from textual.containers import Horizontal
from textual.widget import Widget

from kms_tui.backend.kms_facade import Kms
from kms_tui.evidence.cost import Prices
from kms_tui.evidence.scans import Scans
from kms_tui.kms.facts import LOADING
from kms_tui.ui.actions.batch import NO_KEYS, BatchSelection
from kms_tui.ui.actions.deletion_facts import (
    DELETION_FACTS,
    USED_BY,
    DeletionFact,
    KeyUse,
    monthly_saving,
    use_counts,
    used_by,
)
from kms_tui.ui.actions.state_actions import cannot_disable
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.base.words import fact_content
from kms_tui.ui.details.scan_words import TICK_SECONDS
from kms_tui.ui.dialogs.dialog import Dialog
from kms_tui.ui.widgets.facts_table import FactsTable
from kms_tui.ui.widgets.line_table import LineTable, MadeRows, TableColumn, TableRow
from kms_tui.ui.widgets.text_widgets import Button, Input, Static

MIN_WINDOW_DAYS, DEFAULT_WINDOW_DAYS, MAX_WINDOW_DAYS = 7, 30, 30


@dataclass(frozen=True, slots=True)
class Deletion:
    """Schedule the deletion after this many days."""

    window_days: int


@dataclass(frozen=True, slots=True)
class DisableInstead:
    """Disable the key, and watch who misses it."""


class _DeletionQuestion(Dialog[Deletion | DisableInstead]):
    """Asks for the waiting period and for one of ``names``, below ``warnings`` and what subclasses tell.

    ``can_disable`` offers to disable instead.
    """

    typed_id: ClassVar[str]
    typed_word: ClassVar[str]

    def __init__(
        self, title: str, names: Sequence[str], *, can_disable: bool, warnings: Sequence[Widget]
    ) -> None:
        super().__init__(title, confirm="Schedule deletion", danger=True)
        self.names = names
        self.warnings = warnings
        self.can_disable = can_disable
        self.initial_focus = f"#{self.typed_id}"

    def compose_body(self) -> Iterable[Widget]:
        return self.warnings

    def compose_confirmation(self) -> Iterable[Widget]:
        yield Horizontal(
            Static(Content(f"Waiting period in days, {MIN_WINDOW_DAYS} to {MAX_WINDOW_DAYS}")),
            Input(str(DEFAULT_WINDOW_DAYS), id="window", type="integer"),
            classes="dialog-row",
        )
        choices = Content(" or ").join([safe(name).stylize("$accent") for name in self.names])
        yield Static(Content("To confirm, type ") + choices)
        yield Input(id=self.typed_id)

    def compose_buttons(self) -> Iterable[Widget]:
        cancel, confirm = super().compose_buttons()
        yield cancel
        if self.can_disable:
            yield Button(Content("Disable and watch"), id="disable", variant="primary")
        yield confirm

    @on(Button.Pressed, "#disable")
    def _disable(self) -> None:
        self.dismiss(DisableInstead())

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.confirm()

    def confirm(self) -> None:
        window, typed = self.query_one("#window", Input), self.query_one(f"#{self.typed_id}", Input)
        days = int(window.value) if window.value.isdecimal() else 0
        if not MIN_WINDOW_DAYS <= days <= MAX_WINDOW_DAYS:
            self.show_error(f"The waiting period is {MIN_WINDOW_DAYS} to {MAX_WINDOW_DAYS} days.")
            window.focus()
        elif typed.value.strip() not in self.names:
            self.show_error(f"That is not the {self.typed_word} shown above.")
            typed.focus()
        else:
            self.dismiss(Deletion(days))


class ScheduleDeletion(_DeletionQuestion):
    """Shows what is known of the key's use, and asks for the waiting period and for the key's name.

    ``can_disable`` offers to disable the key instead; ``refused`` says which uses of the disabled key were
    refused, ``affected`` shows whose uses would be. A scan of the Region can be started and stopped here.
    """

    typed_id, typed_word = "typed-name", "name"

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
        affected: Sequence[Widget] = (),
        warnings: Sequence[Widget] = (),
    ) -> None:
        super().__init__(
            f"Schedule the deletion of {subject.name}?",
            subject.confirm_names,
            can_disable=can_disable,
            warnings=warnings,
        )
        self.kms = kms
        self.subject = subject
        self.now = now
        self.scans = scans
        self.affected = affected
        reading: Content = fact_content(LOADING, lambda value: Content())
        self._checks: Sequence[DeletionFact[Any]] = (*DELETION_FACTS, monthly_saving(prices))
        self._known = {"While off": refused} if refused is not None else {}
        self._known |= {check.label: reading for check in self._checks}
        self._known[USED_BY] = used_by(scans, subject, now)

    def compose_body(self) -> Iterable[Widget]:
        yield from super().compose_body()
        yield Static(
            Content(
                "Once deleted, nothing encrypted under it can be decrypted again, ever. Until then it cannot "
                "be used, and this can be cancelled."
            ),
            classes="dialog-line",
        )
        yield Static(FactsTable(self._known.items()), id="preflight", classes="dialog-line")
        yield from self.affected

    def compose_buttons(self) -> Iterable[Widget]:
        if self.scans.is_offered:
            yield Button(Content("Scan"), id="scan")
        yield from super().compose_buttons()

    def on_mount(self) -> None:
        start(self, self._read, group="preflight", description="read what is known of the key's use")
        self._follow_scan()

    async def _read(self) -> None:
        async def ask(check: DeletionFact[Any]) -> None:
            content = await off_loop(lambda: check.ask(self.kms, self.subject, self.now))
            self._show_fact(check.label, content)

        await asyncio.gather(*(ask(check) for check in self._checks))

    def _show_fact(self, label: str, content: Content) -> None:
        self._known[label] = content
        self.query_one("#preflight", Static).update(FactsTable(self._known.items()))

    def _follow_scan(self) -> None:
        async def follow() -> None:
            while self.scans.is_running(self.subject.region):
                self._show_scan("Stop")
                await asyncio.sleep(TICK_SECONDS)
            self._show_scan("Scan")

        start(self, follow, group="scan", description="follow a scan")

    def _show_scan(self, offer: str) -> None:
        self._show_fact(USED_BY, used_by(self.scans, self.subject, self.now))
        for button in self.query("#scan").results(Button):
            button.label = offer

    @on(Button.Pressed, "#scan")
    def _scan(self) -> None:
        """Start a scan of the Region, or stop the one under way."""
        if self.scans.is_running(self.subject.region):
            self.scans.cancel(self.subject.region)
        else:
            self.scans.start(self.subject.region)
        self._follow_scan()


_COLUMNS = (TableColumn("KEY", 22, weight=1), TableColumn("WHO MAY MISS IT", 40, weight=3))


class ScheduleDeletions(_DeletionQuestion):
    """Reads the use of each key in turn, and asks for a phrase with their number.

    ``kms_for`` gives the façade of a key's Region; ``pause`` is in seconds, between two keys, for
    GetKeyLastUsage's quota.
    """

    dialog_classes = "-list"
    typed_id, typed_word = "typed-phrase", "phrase"

    def __init__(
        self,
        chosen: BatchSelection,
        kms_for: Callable[[Subject], Kms],
        now: datetime,
        *,
        pause: float,
        warnings: Sequence[Widget] = (),
    ) -> None:
        count = len(chosen.possible)
        keys = f"{count} key{'' if count == 1 else 's'}"
        super().__init__(
            f"Schedule the deletion of {keys}?",
            (f"delete {keys}",),
            can_disable=any(not cannot_disable(subject) for subject in chosen.possible),
            warnings=warnings,
        )
        self.chosen = chosen
        self.kms_for = kms_for
        self.now = now
        self.pause = pause
        self.uses: dict[str, KeyUse] = {}
        """By ARN, as far as read."""

    def compose_body(self) -> Iterable[Widget]:
        yield from super().compose_body()
        yield Static(Content.styled(self.chosen.counts, "bold"))
        yield Static(
            Content(
                "Once deleted, nothing encrypted under them can be decrypted again, ever. Until then they "
                "cannot be used, and each deletion can be cancelled."
            ),
            classes="dialog-line",
        )
        yield Static(id="tally")
        yield LineTable(_COLUMNS, id="uses")

    def on_mount(self) -> None:
        self._show()
        start(self, self._read, group="preflight", description="read what is known of the keys' use")

    def on_unmount(self) -> None:
        self.chosen = NO_KEYS

    async def _read(self) -> None:
        for number, subject in enumerate(self.chosen.possible):
            if number:
                await asyncio.sleep(self.pause)
            self.uses[subject.arn] = await off_loop(partial(self._uses_of, subject))
            self._show()

    def _uses_of(self, subject: Subject) -> KeyUse:
        return KeyUse.read(self.kms_for(subject), subject)

    def _show(self) -> None:
        self.query_one(LineTable).show_rows(MadeRows(self.chosen.subjects, self._row))
        counts = use_counts(self.uses.values(), len(self.chosen.possible), self.now)
        self.query_one("#tally", Static).update(Content(counts))

    def _row(self, subject: Subject) -> TableRow:
        note, uses = self.chosen.notes.get(subject.arn, ""), self.uses.get(subject.arn)
        if subject.arn in self.chosen.left_out:
            words, look = note, "quiet"
        elif uses is None:
            words, look = "reading…", "quiet"
        else:
            warn = uses.is_recent(self.now) or uses.has_grants or uses.replicas or uses.is_unknown
            words, look = uses.words(self.now), "warning" if warn else "plain"
            words = f"{words}; {note}" if note else words
        return TableRow(subject.arn, (subject.name, (words, look)))
