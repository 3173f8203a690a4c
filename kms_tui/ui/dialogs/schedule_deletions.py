"""The question before the deletion of many keys is scheduled: who may miss which, and how many they are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial

from textual import on
from textual.containers import Horizontal
from textual.widget import Widget

from kms_tui.backend.kms_facade import Kms
from kms_tui.ui.acts.base import Subject
from kms_tui.ui.acts.many import Chosen
from kms_tui.ui.acts.preflight_many import Uses, tally
from kms_tui.ui.acts.state import cannot_disable
from kms_tui.ui.background import off_loop, start
from kms_tui.ui.dialogs.base import Dialog
from kms_tui.ui.dialogs.schedule_deletion import (
    DEFAULT_WINDOW_DAYS,
    MAX_WINDOW_DAYS,
    MIN_WINDOW_DAYS,
    Deletion,
    DisableInstead,
)
from kms_tui.ui.safe_text import Content
from kms_tui.ui.widgets.entry import Input
from kms_tui.ui.widgets.line_table import LineTable, TableColumn, TableRow
from kms_tui.ui.widgets.plain import Button, Static

_COLUMNS = (TableColumn("KEY", 22, weight=1), TableColumn("WHO MAY MISS IT", 40, weight=3))


class ScheduleDeletions(Dialog[Deletion | DisableInstead]):
    """Reads the use of each key in turn, and asks for a phrase with their number to be typed.

    ``kms_for`` gives the façade of a key's region; ``pause`` is the time in seconds between two keys, for
    the sake of GetKeyLastUsage's quota.
    """

    dialog_classes = "-list"

    def __init__(
        self, chosen: Chosen, kms_for: Callable[[Subject], Kms], now: datetime, *, pause: float
    ) -> None:
        count = len(chosen.left)
        self.phrase = f"delete {count} key{'' if count == 1 else 's'}"
        super().__init__(
            f"Schedule the deletion of {self.phrase.removeprefix('delete ')}?",
            confirm="Schedule deletion",
            danger=True,
        )
        self.chosen = chosen
        self.kms_for = kms_for
        self.now = now
        self.pause = pause
        self.uses: dict[str, Uses] = {}
        """By ARN, as far as they have been read."""

    def compose_body(self) -> Iterable[Widget]:
        yield Static(Content.styled(self.chosen.counts, "bold"))
        yield Static(
            Content(
                "Once deleted, nothing encrypted under them can be opened again, ever. Until then they "
                "cannot be used, and each deletion can be cancelled."
            ),
            classes="dialog-line",
        )
        yield Static(id="tally")
        yield LineTable(_COLUMNS, id="uses")
        yield Horizontal(
            Static(Content(f"Waiting period in days, {MIN_WINDOW_DAYS} to {MAX_WINDOW_DAYS}")),
            Input(str(DEFAULT_WINDOW_DAYS), id="window", type="integer"),
            classes="dialog-row",
        )
        yield Static(Content("To confirm, type ") + Content.styled(self.phrase, "$accent"))
        yield Input(id="typed-phrase")

    def compose_buttons(self) -> Iterable[Widget]:
        cancel, confirm = super().compose_buttons()
        yield cancel
        if any(not cannot_disable(subject) for subject in self.chosen.left):
            yield Button(Content("Disable and watch"), id="disable", variant="primary")
        yield confirm

    def on_mount(self) -> None:
        self._show()
        start(self, self._read, group="preflight", description="read what is known of the keys' use")

    async def _read(self) -> None:
        for number, subject in enumerate(self.chosen.left):
            if number:
                await asyncio.sleep(self.pause)
            self.uses[subject.arn] = await off_loop(partial(self._uses_of, subject))
            self._show()

    def _uses_of(self, subject: Subject) -> Uses:
        return Uses.read(self.kms_for(subject), subject)

    def _show(self) -> None:
        left = {subject.arn for subject in self.chosen.left}
        rows = []
        for subject, note in self.chosen.notes:
            uses = self.uses.get(subject.arn)
            if subject.arn not in left:
                words, look = note, "quiet"
            elif uses is None:
                words, look = "reading…", "quiet"
            else:
                warn = uses.is_recent(self.now) or uses.has_grants or uses.replicas or uses.is_unknown
                words, look = uses.words(self.now), "warning" if warn else "plain"
                words = f"{words}; {note}" if note else words
            rows.append(TableRow(subject.arn, (subject.name, (words, look))))
        self.query_one(LineTable).show_rows(rows)
        self.query_one("#tally", Static).update(Content(tally(self.uses.values(), len(left), self.now)))

    @on(Button.Pressed, "#disable")
    def _disable(self) -> None:
        self.dismiss(DisableInstead())

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.confirm()

    def confirm(self) -> None:
        window, typed = self.query_one("#window", Input), self.query_one("#typed-phrase", Input)
        days = int(window.value) if window.value.isdecimal() else 0
        if not MIN_WINDOW_DAYS <= days <= MAX_WINDOW_DAYS:
            self.show_error(f"The waiting period is {MIN_WINDOW_DAYS} to {MAX_WINDOW_DAYS} days.")
            window.focus()
        elif typed.value.strip() != self.phrase:
            self.show_error("That is not the phrase shown above.")
            typed.focus()
        else:
            self.dismiss(Deletion(days))
