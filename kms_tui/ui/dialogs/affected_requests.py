"""``AffectedRequests``: whose recorded requests a change would refuse, in the question before the change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical

from kms_tui.backend.kms_facade import Kms
from kms_tui.evidence.activity import WINDOW, Trail
from kms_tui.evidence.change_replay import (
    AffectedRequest,
    AliasRepointing,
    GrantRemoval,
    KeyAccess,
    KeyChange,
    PolicyChange,
    ReplayResult,
    StateChange,
    details_for,
    replay,
)
from kms_tui.evidence.change_replay.key_changes import facts_of
from kms_tui.evidence.change_replay.replay_result import coverage_sentence
from kms_tui.evidence.request_history.event_lookup import EventLookup
from kms_tui.evidence.request_history.history_source import HistoryQuery, HistoryReading
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.model import KeyState
from kms_tui.policy import parse
from kms_tui.session import Session
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.widgets.text_widgets import Button, Static

_SHOW_SECONDS = 0.5
"""How often what was read so far is judged and shown."""
_OWN_READS = timedelta(seconds=1)
"""Leaves out what the question itself reads of the key."""
_MOST = 4
"""Rows for one reason; the others are counted."""

ChangeOf = Callable[[Kms, Subject], tuple[KeyAccess, KeyChange]]
"""What decides about a key's requests, and the change; it reads from KMS and blocks."""


def key_access(kms: Kms, subject: Subject, policy: str | None = None) -> KeyAccess:
    """The key's policy (unless it is given), grants and facts. Raises the errors of these three reads."""
    text = kms.key_policy(subject.key_id) if policy is None else policy
    grants = tuple(kms.grants(subject.key_id))
    facts = facts_of(kms.describe(subject.key_id))
    return KeyAccess(subject.arn, parse(text, partition=kms.partition), grants, facts)


def policy_change(old: str, new: str) -> ChangeOf:
    """PutKeyPolicy."""

    def change_of(kms: Kms, subject: Subject) -> tuple[KeyAccess, KeyChange]:
        change = PolicyChange(parse(new, partition=kms.partition))
        return key_access(kms, subject, old), change

    return change_of


def grant_removal(grant_id: str) -> ChangeOf:
    """RevokeGrant or RetireGrant."""
    return lambda kms, subject: (key_access(kms, subject), GrantRemoval(grant_id))


def state_change(state: KeyState) -> ChangeOf:
    """DisableKey or ScheduleKeyDeletion, before which nothing else of the key matters."""
    return lambda _, subject: (KeyAccess(subject.arn, parse("{}")), StateChange(state))


def alias_repointing(alias: str, target: Subject) -> ChangeOf:
    """UpdateAlias; ``alias`` without its prefix."""

    def change_of(kms: Kms, subject: Subject) -> tuple[KeyAccess, KeyChange]:
        change = AliasRepointing(f"alias/{alias}", key_access(kms, target))
        return key_access(kms, subject), change

    return change_of


class AffectedRequests(Vertical):
    """Reads the record of the key's requests from the newest back while the question is open.

    What was read so far is judged and shown; closing the question ends the reading.
    """

    DEFAULT_CSS = """
    AffectedRequests {
        height: auto;
        margin: 0 0 1 0;
        #affected { height: auto; }
        #stop-reading { margin: 0; display: none; }
        &.-reading #stop-reading { display: block; }
    }
    """

    def __init__(self, trail: Trail, kms: Kms, subject: Subject, now: datetime, change_of: ChangeOf) -> None:
        super().__init__(id="affected-requests")
        self._source = EventLookup(trail, subject.region)
        self._change_of = partial(change_of, kms, subject)
        self._arn = subject.arn
        self._now = now
        self._reading: HistoryReading | None = None
        self.result: ReplayResult | None = None
        """The result so far; None until something was judged."""

    def compose(self) -> ComposeResult:
        yield Static(_head("reading what lies with the key…"), id="affected")
        yield Button(Content("Stop reading"), id="stop-reading")

    def on_mount(self) -> None:
        start(self, self._follow, group="affected", description="replay recorded requests")

    def on_unmount(self) -> None:
        self._stop()

    @on(Button.Pressed, "#stop-reading")
    def _stop(self) -> None:
        if self._reading is not None:
            self._reading.cancel()

    async def _follow(self) -> None:
        try:
            access, change = await off_loop(self._change_of)
            details = await off_loop(partial(details_for, access, change))
            until = self._now - _OWN_READS
            query = HistoryQuery(until - WINDOW, until, self._arn, details)
            self._reading = reading = HistoryReading(query, self._source.name)
            self.add_class("-reading")
            judge = partial(self._judge, reading, access, change)
            read = asyncio.ensure_future(off_loop(partial(self._source.read, reading)))
            try:
                while not read.done():
                    await asyncio.wait({read}, timeout=_SHOW_SECONDS)
                    self._show(await off_loop(judge), is_reading=not read.done())
                read.result()
            finally:
                reading.cancel()
                read.cancel()
        except KmsTuiError as error:
            self._show_error(error)
        self.remove_class("-reading")

    def _judge(self, reading: HistoryReading, access: KeyAccess, change: KeyChange) -> ReplayResult:
        return replay(reading.snapshot(), access, change)

    def _show(self, result: ReplayResult, *, is_reading: bool) -> None:
        self.result = result
        lines = result_lines(result, self._now, is_reading=is_reading)
        self.query_one("#affected", Static).update(Content("\n").join(lines))

    def _show_error(self, error: KmsTuiError) -> None:
        said = safe(f"? Not known: {error} {error.next_step}".rstrip()).stylize("$warning")
        known = self.query_one("#affected", Static).content if self.result is not None else _head("")
        assert isinstance(known, Content)
        self.query_one("#affected", Static).update(known + Content("\n") + said)


def affected_requests(
    session: Session, kms: Kms, subjects: Sequence[Subject], change_of: ChangeOf
) -> list[AffectedRequests]:
    """The section for a question about one key; none for several, and where there is no record to read."""
    monitor = session.refusal_monitor
    if len(subjects) != 1 or monitor is None:
        return []
    return [AffectedRequests(monitor.trail, kms, subjects[0], session.now(), change_of)]


def _head(note: str) -> Content:
    return Content.styled("Whom it affects", "$accent bold") + safe(f"  {note}").stylize("$foreground-muted")


_PARTS = (
    ("refused", "✗", "would be refused", "$error"),
    ("undecided", "?", "depends", "$warning"),
    ("allowed", "+", "newly allowed", "$success"),
)


def result_lines(result: ReplayResult, now: datetime, *, is_reading: bool) -> Iterator[Content]:
    """What was seen, then for each reason the requests, and what stays as it is."""
    yield _head(("reading on: " if is_reading else "") + coverage_sentence(result.coverage))
    for name, sign, word, colour in _PARTS:
        rows: Sequence[AffectedRequest] = getattr(result, name)
        for reason in dict.fromkeys(row.reason for row in rows):
            of_reason = [row for row in rows if row.reason == reason]
            yield Content.styled(f"{sign} {word}: ", f"{colour} bold") + safe(reason)
            yield from (safe(f"  {row.calls(now)}") for row in of_reason[:_MOST])
            if len(of_reason) > _MOST:
                yield Content(f"  and {_counted(of_reason[_MOST:])}")
    if result.unchanged:
        stay = f"✓ {result.unchanged:,} recorded calls stay as they are."
        yield Content.styled(stay, "$foreground-muted")
    elif not (result.refused or result.undecided or result.allowed) and not is_reading:
        yield Content.styled("No recorded call is affected.", "$foreground-muted")
    for note in result.coverage.notes:
        yield safe(note).stylize("$foreground-muted")


def _counted(rows: Iterable[AffectedRequest]) -> str:
    rows = list(rows)
    return f"{len(rows):,} more with {sum(row.count for row in rows):,} calls"
