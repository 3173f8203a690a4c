"""The questions of a campaign: what is about to be written, and who still uses the old key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import ClassVar

from textual import on
from textual.widget import Widget

from kms_tui.campaigns.campaign import CampaignItem, left_by
from kms_tui.campaigns.journal import Journal
from kms_tui.campaigns.later_uses import DELAY, LaterUse, LaterUses, later_uses
from kms_tui.evidence.activity import Trail
from kms_tui.kms.arn import key_account, key_region
from kms_tui.kms.errors import KmsTuiError
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.base.words import counted
from kms_tui.ui.dialogs.dialog import Dialog
from kms_tui.ui.dialogs.text_screen import TextScreen
from kms_tui.ui.screens.campaign_begin import Preparation
from kms_tui.ui.screens.campaign_words import item_name
from kms_tui.ui.widgets.form_widgets import Checkbox
from kms_tui.ui.widgets.line_table import LineTable, MadeRows, TableColumn, TableRow
from kms_tui.ui.widgets.text_widgets import Button, Static

_AT_ONCE = 20
"""Items whose writes are read before those of the next ones."""
_WRITES = (TableColumn("RESOURCE", 22, weight=1), TableColumn("WRITE, AS A COMMAND", 40, weight=3))
_USES = (
    TableColumn("WHO", 16, weight=2),
    TableColumn("OPERATION", 16),
    TableColumn("CONTEXT", 12, weight=2),
    TableColumn("COUNT", 6, right=True),
    TableColumn("LAST (UTC)", 11),
)
_LEFT_SHOWN = 6
"""Sentences on what is left out; the plan below the dialog has the others too."""


class CarryOutDialog(Dialog[Journal]):
    """Shows every write before the first, and answers with the journal that is to be carried out."""

    HELP: ClassVar[str] = (
        "What is about to be written, in its order, and what is left out. enter on a line of the list shows "
        "the whole command; secrets stand in none. Nothing is sent before the button on the right. Each "
        "write is noted before it is sent, and read back after it."
    )

    def __init__(self, prepared: Preparation, old: Subject, new: Subject | None) -> None:
        """``new`` is None where a key is made first."""
        name = old.name
        is_resumed = prepared.journal is not None
        title = f"Go on moving everything off {name}?" if is_resumed else f"Move everything off {name}?"
        super().__init__(title, confirm="Go on" if is_resumed else "Carry out")
        self.prepared = prepared
        self._old = old
        self._new = new
        self._lines: list[tuple[str, str]] = []
        """(resource, command) of the writes that were read so far, without those of aliases to be added."""
        self._of_aliases: list[tuple[str, str]] = []
        self._is_read = False

    def compose_body(self) -> Iterable[Widget]:
        prepared, plan = self.prepared, self.prepared.plan
        yield Static(id="counts", classes="dialog-line")
        if prepared.aliases:
            yield Checkbox(Content("Repoint its aliases too, last"), id="aliases")
        obstacles = plan.obstacles if plan is not None else ()
        for obstacle in obstacles:
            yield Static(safe(f"✗ In the way: {obstacle.sentence}").stylize("$error"), classes="dialog-line")
        if obstacles:
            yield Checkbox(Content("What is in the way was removed, or does not matter"), id="despite")
        yield Static(id="reading")
        yield LineTable(_WRITES, empty="Nothing is written.", id="writes")
        yield Static(id="whole", classes="dialog-line")
        yield Static(id="left", classes="dialog-line")

    def on_mount(self) -> None:
        self._show()
        start(self, self._read, group="writes", description="read what would be written")

    async def _read(self) -> None:
        """Make the commands, some items at a time: those that repeat what is there are read for it."""
        prepared = self.prepared
        self._lines += [("the new key", line) for line in prepared.making_lines()]
        items = prepared.items(aliases=False)
        try:
            for first in range(0, len(items), _AT_ONCE):
                some = items[first : first + _AT_ONCE]
                self._lines += await off_loop(partial(_listed, prepared, some))
                self._show()
            self._of_aliases = await off_loop(partial(_listed, prepared, prepared.aliases))
        except KmsTuiError as error:
            self.show_error(error.with_next_step)
        self._is_read = True
        self._show()
        if not self.query_one("#writes").has_focus:
            # What came in above what was in sight has moved it.
            self.call_after_refresh(self.query_one("#dialog-body").scroll_home, animate=False)

    @property
    def _repoints(self) -> bool:
        return any(box.value for box in self.query("#aliases").results(Checkbox))

    @on(Checkbox.Changed)
    def _show(self) -> None:
        items = self.prepared.items(aliases=self._repoints)
        self.query_one("#counts", Static).update(
            Content("\n").join(_count_lines(self._old, self._new, items))
        )
        self.query_one("#left", Static).update(_left_words(self.prepared, aliases=self._repoints))
        lines = [*self._lines, *(self._of_aliases if self._repoints else ())]
        reading = counted(len(lines), "write") + ("" if self._is_read else ", reading on…")
        self.query_one("#reading", Static).update(Content.styled(reading, "$foreground-muted"))
        rows = MadeRows([*enumerate(lines)], _write_row, key=lambda each: str(each[0]))
        self.query_one("#writes", LineTable).show_rows(rows)
        self._show_whole()

    @on(LineTable.Highlighted)
    def _show_whole(self) -> None:
        _, line = self._current()
        self.query_one("#whole", Static).update(safe(line).stylize("$foreground-muted"))

    def _current(self) -> tuple[str, str]:
        key = self.query_one("#writes", LineTable).current
        lines = [*self._lines, *self._of_aliases]
        return lines[int(key)] if key else ("", "")

    @on(LineTable.Selected)
    def _open(self) -> None:
        self.app.push_screen(TextScreen(*self._current()))

    def confirm(self) -> None:
        if self.is_calling:
            return
        despite = self.query("#despite").results(Checkbox)
        if any(not box.value for box in despite):
            self.show_error("Something is in the way. Say first that it was removed, or does not matter.")
            self.query_one("#despite").focus()
            return
        if not self.prepared.items(aliases=self._repoints) and not self.prepared.makes_key:
            self.show_error("Nothing would be done.")
            return
        self.show_error("")
        start(self, self._begin, group="begin", description="begin a campaign")

    async def _begin(self) -> None:
        try:
            journal = await self.call(partial(self.prepared.begin, aliases=self._repoints))
        except KmsTuiError as error:
            self.show_error(error.with_next_step)
        else:
            self.dismiss(journal)


def _listed(prepared: Preparation, items: Sequence[CampaignItem]) -> list[tuple[str, str]]:
    """(what is written, the command) of each write of some items; it blocks."""
    return [(item_name(item), line) for item in items for line in prepared.lines_of(item)]


def _write_row(each: tuple[int, tuple[str, str]]) -> TableRow:
    number, (resource, line) = each
    return TableRow(str(number), ((resource, "strong"), (line, "plain")))


def _count_lines(old: Subject, new: Subject | None, items: Sequence[CampaignItem]) -> Iterator[Content]:
    """Where to, with the account where that is another one, and how many of each kind."""
    if new is None:
        yield Content("To a new key like it, which is made first.")
    else:
        is_elsewhere = key_account(new.arn) != key_account(old.arn)
        account = f" of account {key_account(new.arn)}" if is_elsewhere else ""
        shown_account = safe(account).stylize("$foreground-muted")
        yield Content("To ") + safe(new.name).stylize("bold") + safe(f" {new.key_id}") + shown_account
    counts = Counter(item.use.kind for item in items)
    said = " · ".join(f"{kind} {count:,}" for kind, count in counts.items())
    yield safe(f"{counted(len(items), 'item')}: {said}" if items else "No item.")


def _left_words(prepared: Preparation, *, aliases: bool) -> Content:
    """What is not moved."""
    plan, journal = prepared.plan, prepared.journal
    if plan is not None:
        left = left_by(plan, aliases=aliases)
    else:
        left = journal.campaign.head.left if journal is not None else ()
    if not left:
        return Content()
    lines = [Content.styled("Not part of it:", "$foreground-muted")]
    lines += [safe(f"  {sentence}").stylize("$foreground-muted") for sentence in left[:_LEFT_SHOWN]]
    if more := len(left) - _LEFT_SHOWN:
        lines += [Content.styled(f"  and {more:,} more", "$foreground-muted")] if more > 0 else []
    return Content("\n").join(lines)


class LaterUsesDialog(Dialog[None]):
    """Who used the old key since a moment, by CloudTrail; ``found`` is None until that was read."""

    HELP: ClassVar[str] = (
        "Each caller that used the old key since its first resource was moved, with the operation, the "
        "encryption context, how often and when last. A use shows up to 15 minutes late. Whoever stands here "
        "fails once the key is disabled."
    )

    def __init__(self, trail: Trail, arn: str, name: str, since: datetime, now: datetime) -> None:
        super().__init__(f"Who still uses {name}?")
        self._trail = trail
        self._arn = arn
        self._since = since
        self._now = now
        self._is_open = True
        self.found: LaterUses | None = None

    def compose_body(self) -> Iterable[Widget]:
        yield Static(Content("Reading CloudTrail…"), id="uses-head", classes="dialog-line")
        yield LineTable(_USES, empty="No use.", id="later-uses")

    def compose_buttons(self) -> Iterable[Widget]:
        yield Button(Content("Close"), id="cancel")

    def on_mount(self) -> None:
        start(self, self._read, group="later-uses", description="read who uses the old key")

    def on_unmount(self) -> None:
        self._is_open = False

    async def _read(self) -> None:
        read = partial(
            later_uses,
            self._trail,
            self._arn,
            key_region(self._arn),
            self._since,
            self._now,
            lambda: self._is_open,
        )
        try:
            found = await off_loop(read)
        except KmsTuiError as error:
            self.query_one("#uses-head", Static).update(safe(error.with_next_step).stylize("$warning"))
            return
        self.found = found
        words = Content("\n").join(uses_words(found, is_live=self._trail.is_live))
        self.query_one("#uses-head", Static).update(words)
        rows = MadeRows([*enumerate(found.uses)], _use_row, key=lambda each: str(each[0]))
        self.query_one("#later-uses", LineTable).show_rows(rows)


def uses_words(found: LaterUses, *, is_live: bool) -> Iterator[Content]:
    """How many used it since when, whether that is all, and how late it may be."""
    since = f"since {found.since:%Y-%m-%d %H:%M} UTC"
    if found.uses:
        uses = sum(use.count for use in found.uses)
        callers = len({use.who for use in found.uses})
        said = f"✗ {counted(uses, 'use')} by {counted(callers, 'caller')} {since}."
        yield Content.styled(said, "$error")
    else:
        yield Content.styled(f"✓ No use {since}.", "$success" if found.is_complete else "")
    if not found.is_complete:
        yield Content.styled("? Not all events were read: there may be more.", "$warning")
    minutes = int(DELAY.total_seconds() // 60)
    late = "The trail is live." if is_live else f"CloudTrail tells a use up to {minutes} minutes late."
    yield Content.styled(late, "$foreground-muted")


def _use_row(each: tuple[int, LaterUse]) -> TableRow:
    number, use = each
    context = ", ".join(f"{name}={value}" for name, value in use.context)
    operation = f"{use.operation} ✗" if use.refused == use.count else use.operation
    last = f"{use.last:%m-%d %H:%M}" if use.last is not None else "–"
    return TableRow(
        str(number),
        ((use.who, "strong"), operation, (context or "–", "quiet"), f"{use.count:,}", (last, "quiet")),
    )
