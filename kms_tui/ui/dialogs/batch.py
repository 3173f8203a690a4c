"""Many keys at once: what will be changed, then how each went."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import ClassVar

from textual import on
from textual.widget import Widget

from kms_tui.kms.errors import CredentialsError, KmsTuiError, ServiceError
from kms_tui.ui.acts.base import Subject
from kms_tui.ui.background import off_loop, start
from kms_tui.ui.dialogs.base import Dialog
from kms_tui.ui.safe_text import Content
from kms_tui.ui.widgets.line_table import LineTable, TableColumn, TableRow
from kms_tui.ui.widgets.text_widgets import Button, Static

_NAME = TableColumn("KEY", 22, weight=1)
_NOTE = TableColumn("", 30, weight=2)
_RESULT = TableColumn("RESULT", 30, weight=2)


class BatchConfirm(Dialog[bool]):
    """Asks before many keys are changed: counts them, and names each with what there is to say of it."""

    dialog_classes = "-list"

    def __init__(
        self,
        title: str,
        sentences: Sequence[Content],
        notes: Sequence[tuple[Subject, str]],
        *,
        confirm: str,
    ) -> None:
        super().__init__(title, confirm=confirm)
        self.sentences = sentences
        self.notes = notes

    def compose_body(self) -> Iterable[Widget]:
        for sentence in self.sentences:
            yield Static(sentence, classes="dialog-line")
        yield LineTable((_NAME, _NOTE), id="batch")

    def on_mount(self) -> None:
        self.query_one(LineTable).show_rows(
            [
                TableRow(subject.arn, (subject.name, (note, "warning" if note else "plain")))
                for subject, note in self.notes
            ]
        )

    def confirm(self) -> None:
        self.dismiss(True)


class Progress(Enum):
    """How far a batch has come with one key."""

    WAITING = ("waiting", "quiet")
    THROTTLED = ("throttled, goes on in a moment…", "warning")
    RUNNING = ("in progress…", "accent")
    DONE = ("done", "good")
    FAILED = ("failed", "danger")
    NOT_SENT = ("not sent", "warning")


@dataclass(slots=True)
class BatchItem:
    """One key of a batch."""

    subject: Subject
    progress: Progress = Progress.WAITING
    error: str = ""


class BatchRun(Dialog[None]):
    """Makes one change to each key in turn, shows how each went, and stays as the report.

    A failure hides none of the others; credentials that have expired end the run, since every further call
    would fail alike. A call that was throttled was not carried out, and is made again after each of
    ``PAUSES`` seconds. What is under way when it is stopped is awaited.
    """

    PAUSES: ClassVar[tuple[float, ...]] = (1.0, 2.0, 4.0, 8.0)

    initial_focus = "#batch"
    dialog_classes = "-list"

    def __init__(self, title: str, subjects: Sequence[Subject], change: Callable[[Subject], object]) -> None:
        super().__init__(title)
        self.items = [BatchItem(subject) for subject in subjects]
        self.change = change
        self.attempted: set[str] = set()
        """The ids of the keys for which a call was sent."""
        self._running = False
        self._stopping = False

    def compose_body(self) -> Iterable[Widget]:
        yield Static(id="batch-sum", classes="dialog-line")
        yield LineTable((_NAME, _RESULT), id="batch")

    def compose_buttons(self) -> Iterable[Widget]:
        yield Button(Content("Try the rest again"), id="again")
        yield Button(Content("Stop"), id="stop", variant="primary")

    def on_mount(self) -> None:
        self.go()

    def go(self) -> None:
        """Change every key that has not been changed yet."""
        self._stopping, self._running = False, True
        for item in self.items:
            if item.progress is not Progress.DONE:
                item.progress, item.error = Progress.WAITING, ""
        start(self, self._go, group="batch", description="change many keys")

    async def _go(self) -> None:
        for item in self.items:
            if item.progress is Progress.WAITING and not self._stopping:
                await self._change(item)
            elif item.progress is Progress.WAITING:
                item.progress = Progress.NOT_SENT
        self._running = False
        self._show()

    async def _change(self, item: BatchItem) -> None:
        self.attempted.add(item.subject.key_id)
        for pause in (*self.PAUSES, None):
            item.progress = Progress.RUNNING
            self._show()
            try:
                await off_loop(partial(self.change, item.subject))
            except KmsTuiError as error:
                throttled = isinstance(error, ServiceError) and error.throttled
                if throttled and pause is not None and not self._stopping:
                    item.progress = Progress.THROTTLED
                    self._show()
                    await asyncio.sleep(pause)
                    continue
                item.progress, item.error = Progress.FAILED, f"{error} {error.next_step}".strip()
                self._stopping = self._stopping or isinstance(error, CredentialsError)
            else:
                item.progress = Progress.DONE
            return

    def counted(self, progress: Progress) -> int:
        return sum(item.progress is progress for item in self.items)

    @property
    def summary(self) -> str:
        """ "3 of 5 done, 1 failed, 1 not sent"."""
        done = f"{self.counted(Progress.DONE):,} of {len(self.items):,} done"
        others = [
            (count, each) for each in (Progress.FAILED, Progress.NOT_SENT) if (count := self.counted(each))
        ]
        return ", ".join([done, *(f"{count:,} {each.value[0]}" for count, each in others)])

    def _show(self) -> None:
        self.query_one("#batch-sum", Static).update(Content(self.summary))
        table = self.query_one(LineTable)
        table.show_rows([_row(item) for item in self.items])
        under_way = (Progress.RUNNING, Progress.THROTTLED)
        running = next((item for item in self.items if item.progress in under_way), None)
        if running is not None:
            table.go_to(running.subject.arn)
        over = not self._running
        self.query_one("#again", Button).display = over and self.counted(Progress.DONE) < len(self.items)
        self.query_one("#stop", Button).label = "Stop" if self._running else "Close"
        self._explain()

    @on(LineTable.Highlighted)
    def _explain(self) -> None:
        """The whole of an error that the table has no room for."""
        current = self.query_one(LineTable).current
        error = next((item.error for item in self.items if item.subject.arn == current), "")
        self.show_error(error if not self._running else "")

    @on(Button.Pressed, "#again")
    def _again(self) -> None:
        self.go()

    @on(Button.Pressed, "#stop")
    def stop(self) -> None:
        """Send no further call; once none is under way, close."""
        if self._running:
            self._stopping = True
        else:
            self.dismiss(None)

    def action_cancel(self) -> None:
        if self.armed:
            self.stop()


def _row(item: BatchItem) -> TableRow:
    word, look = item.progress.value
    return TableRow(
        item.subject.arn, (item.subject.name, (f"{word}: {item.error}" if item.error else word, look))
    )
