"""One change to one key or to many: confirm it, make it, and show how each key went."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import ClassVar

from textual import on
from textual.widget import Widget

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.errors import CredentialsError, KmsTuiError, ServiceError
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.host import KeysChanged
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.base.subject import Reason, Subject, in_read_only_account
from kms_tui.ui.base.words import counted
from kms_tui.ui.dialogs.dialog import Dialog
from kms_tui.ui.dialogs.questions import Confirm
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.widgets.line_table import LineTable, MadeRows, TableColumn, TableRow
from kms_tui.ui.widgets.text_widgets import Button, Static

_NAME = TableColumn("KEY", 22, weight=1)
_NOTE = TableColumn("", 30, weight=2)
_RESULT = TableColumn("RESULT", 30, weight=2)


class BatchConfirm(Dialog[bool]):
    """Asks before many keys are changed; counts them, and names each with its note."""

    dialog_classes = "-list"

    def __init__(
        self,
        title: str,
        sentences: Sequence[Content],
        chosen: BatchSelection,
        *,
        confirm: str,
        above: Sequence[Widget] = (),
    ) -> None:
        super().__init__(title, confirm=confirm)
        self.above = above
        self.sentences = sentences
        self.chosen = chosen

    def compose_body(self) -> Iterable[Widget]:
        yield from self.above
        for sentence in self.sentences:
            yield Static(sentence, classes="dialog-line")
        yield LineTable((_NAME, _NOTE), id="batch")

    def on_mount(self) -> None:
        self.query_one(LineTable).show_rows(MadeRows(self.chosen.subjects, self._row))

    def on_unmount(self) -> None:
        self.chosen = NO_KEYS

    def _row(self, subject: Subject) -> TableRow:
        note = self.chosen.notes.get(subject.arn, "")
        return TableRow(subject.arn, (subject.title, (note, "warning" if note else "plain")))

    def confirm(self) -> None:
        self.dismiss(True)


class BatchStatus(Enum):
    """The state of one key of a batch: what the table says, and its look."""

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
    progress: BatchStatus = BatchStatus.WAITING
    error: str = ""


class BatchRun(Dialog[None]):
    """Makes one change to each key in turn, shows how each went, and stays open as the report.

    Expired credentials end the run, where all keys are of one account; any other failure does not. A
    throttled call is made again after each of ``PAUSES`` seconds. Stopping waits for the call under way.
    """

    PAUSES: ClassVar[tuple[float, ...]] = (1.0, 2.0, 4.0, 8.0)

    initial_focus = "#batch"
    dialog_classes = "-list"

    def __init__(self, title: str, subjects: Sequence[Subject], change: Callable[[Subject], object]) -> None:
        super().__init__(title)
        self.items = [BatchItem(subject) for subject in subjects]
        self._counts = Counter({BatchStatus.WAITING: len(subjects)})
        self._at: int | None = None
        """The index of the item under way."""
        self.change = change
        self.attempted: set[str] = set()
        """The ids of the keys for which a call was sent."""
        self._is_changing = False
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
        self._stopping, self._is_changing = False, True
        for item in self.items:
            if item.progress is not BatchStatus.DONE:
                self._set(item, BatchStatus.WAITING)
        start(self, self._go, group="batch", description="change many keys")

    async def _go(self) -> None:
        for index, item in enumerate(self.items):
            if item.progress is BatchStatus.WAITING and not self._stopping:
                self._at = index
                await self._change(item)
            elif item.progress is BatchStatus.WAITING:
                self._set(item, BatchStatus.NOT_SENT)
        self._is_changing, self._at = False, None
        self._show()

    async def _change(self, item: BatchItem) -> None:
        self.attempted.add(item.subject.key_id)
        for pause in (*self.PAUSES, None):
            self._set(item, BatchStatus.RUNNING)
            self._show()
            try:
                await off_loop(partial(self.change, item.subject))
            except KmsTuiError as error:
                throttled = isinstance(error, ServiceError) and error.throttled
                if throttled and pause is not None and not self._stopping:
                    self._set(item, BatchStatus.THROTTLED)
                    self._show()
                    await asyncio.sleep(pause)
                    continue
                self._set(item, BatchStatus.FAILED, error.with_next_step)
                if isinstance(error, CredentialsError) and self._is_of_one_account:
                    self._stopping = True
            else:
                self._set(item, BatchStatus.DONE)
            return

    @property
    def _is_of_one_account(self) -> bool:
        return len({item.subject.account for item in self.items}) == 1

    def _set(self, item: BatchItem, progress: BatchStatus, error: str = "") -> None:
        self._counts[item.progress] -= 1
        self._counts[progress] += 1
        item.progress, item.error = progress, error

    def counted(self, progress: BatchStatus) -> int:
        return self._counts[progress]

    @property
    def summary(self) -> str:
        """ "3 of 5 done, 1 failed, 1 not sent"."""
        done = f"{self.counted(BatchStatus.DONE):,} of {len(self.items):,} done"
        others = [
            (count, each)
            for each in (BatchStatus.FAILED, BatchStatus.NOT_SENT)
            if (count := self.counted(each))
        ]
        return ", ".join([done, *(f"{count:,} {each.value[0]}" for count, each in others)])

    def _show(self) -> None:
        self.query_one("#batch-sum", Static).update(Content(self.summary))
        table = self.query_one(LineTable)
        table.show_rows(MadeRows(self.items, _row))
        if self._at is not None:
            table.move_to(self._at)
        over = not self._is_changing
        self.query_one("#again", Button).display = over and self.counted(BatchStatus.DONE) < len(self.items)
        self.query_one("#stop", Button).label = "Stop" if self._is_changing else "Close"
        self._show_keys()
        self._explain()

    @on(LineTable.Highlighted)
    def _explain(self) -> None:
        """Show the whole error of the row under the cursor."""
        at = self.query_one(LineTable).cursor
        self.show_error(self.items[at].error if not self._is_changing and at < len(self.items) else "")

    @on(Button.Pressed, "#again")
    def _again(self) -> None:
        self.go()

    @on(Button.Pressed, "#stop")
    def stop(self) -> None:
        """Send no further call; once none is under way, close."""
        if self._is_changing:
            self._stopping = True
        else:
            self.dismiss(None)

    def action_cancel(self) -> None:
        if self.armed:
            self.stop()


def _row(item: BatchItem) -> TableRow:
    word, look = item.progress.value
    return TableRow(
        item.subject.arn, (item.subject.title, (f"{word}: {item.error}" if item.error else word, look))
    )


async def confirm_change(
    screen: ModeScreen,
    subjects: Sequence[Subject],
    verb: str,
    sentences: Sequence[Content] = (),
    *,
    confirm: str,
    refusal: Callable[[Subject], Reason],
    above: Callable[[Sequence[Subject]], Sequence[Widget]] = lambda changed: (),
    below: Sequence[Widget] = (),
) -> Sequence[Subject]:
    """The keys to change; none where the person declined.

    One key is asked about only where there are ``sentences``. Many are always asked about: their number, how
    many of them the filter hides, each by its name, and which are left out because of ``refusal``.
    ``verb`` is followed by the key's name or the number of keys ("Disable"); what ``above`` makes for
    the keys to change stands above the sentences, ``below`` under those of the question about one key.
    """
    if len(subjects) == 1:
        if not sentences:
            return subjects
        title = f"{verb} {subjects[0].name}?"
        dialog = Confirm(title, sentences, confirm=confirm, above=above(subjects), below=below)
        return subjects if await screen.ask(dialog) else ()
    chosen = await select_possible(screen, subjects, refusal)
    left = chosen.possible
    counts = Content.styled(chosen.counts, "bold")
    title = f"{verb} {counted(len(left), 'key')}?"
    many = BatchConfirm(title, [counts, *sentences], chosen, confirm=confirm, above=above(left))
    return left if await screen.ask(many) else ()


@dataclass(frozen=True, slots=True)
class BatchSelection:
    """Of marked keys: those that an action is possible for, notes on some, and the counts in words."""

    possible: tuple[Subject, ...]
    left_out: frozenset[str]
    """The ARNs of the others."""
    subjects: tuple[Subject, ...]
    """All of them by name, those with a note first."""
    notes: Mapping[str, str]
    """By ARN."""
    counts: str


NO_KEYS = BatchSelection((), frozenset(), (), {}, "")
"""What a dialog holds once it is closed: Textual keeps it for a while, and there may be 100,000."""


async def select_possible(
    screen: ModeScreen, subjects: Sequence[Subject], refusal: Callable[[Subject], Reason]
) -> BatchSelection:
    """Leave out keys that ``refusal`` has a reason for, and note those that the filter hides."""
    return await off_loop(partial(_select_possible, subjects, refusal, screen.hidden_by_filter()))


def _select_possible(
    subjects: Sequence[Subject], refusal: Callable[[Subject], Reason], hidden: frozenset[str]
) -> BatchSelection:
    # No object for each key beside its subject: the collector walks them while the event loop waits.
    ordered = sorted(subjects, key=lambda subject: subject.name)
    refused = {
        subject.arn: reason
        for subject in ordered
        if (reason := in_read_only_account(subject) or refusal(subject))
    }
    notes = {
        subject.arn: note
        for subject in ordered
        if (note := _note(refused.get(subject.arn, ""), subject.arn in hidden))
    }
    left = tuple(subject for subject in ordered if subject.arn not in refused)
    ordered.sort(key=lambda subject: subject.arn not in notes)
    return BatchSelection(left, frozenset(refused), tuple(ordered), notes, _counts(subjects, left, hidden))


def _counts(subjects: Sequence[Subject], left: Sequence[Subject], hidden: frozenset[str]) -> str:
    parts = [f"{len(subjects):,} keys are marked"]
    if out_of_sight := sum(subject.arn in hidden for subject in subjects):
        parts.append(f"{out_of_sight:,} of them hidden by the filter")
    if left_out := len(subjects) - len(left):
        parts.append(f"{left_out:,} left out")
    return ", ".join(parts) + "."


def _note(reason: Reason, hidden: bool) -> str:
    if reason:
        return f"left out: {reason}"
    return "hidden by the filter" if hidden else ""


async def change_each(
    screen: ModeScreen,
    subjects: Sequence[Subject],
    change: Callable[[Kms, Subject], object],
    *,
    doing: str,
    done: str | Callable[[Subject], str],
) -> None:
    """Make one mutating call for each key, and say how each went.

    ``doing`` stands before a name where the call failed ("disable"), ``done`` after it where it succeeded
    ("is disabled"); as a function it may depend on the call's answer.
    """
    if len(subjects) == 1:
        (subject,) = subjects
        kms = screen.kms_for(subject)
        if await screen.succeeds(partial(change, kms, subject), doing=f"{doing} {subject.name}"):
            words = done if isinstance(done, str) else done(subject)
            screen.changed([subject], f"{subject.name} {words}.")
        else:
            # Our cached state was stale; re-read.
            screen.post_message(KeysChanged(subject.key_id))
    elif subjects:
        title = f"{doing[0].upper()}{doing[1:]} {len(subjects):,} keys"
        run = BatchRun(title, subjects, lambda subject: change(screen.kms_for(subject), subject))
        assert screen.session is not None
        with screen.session.history.together():
            await screen.ask(run)
        if run.counted(BatchStatus.DONE) == len(run.items):
            screen.host.notify_change(f"{run.summary}.", title=title)
        else:
            screen.host.notify(f"{run.summary}.", title=title, severity="warning")
        if run.attempted:
            screen.post_message(KeysChanged(*sorted(run.attempted)))
