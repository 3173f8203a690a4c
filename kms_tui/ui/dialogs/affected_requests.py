"""``AffectedRequests``: whose recorded requests a change would refuse, in the question before the change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import chain, islice
from types import MappingProxyType

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical

from kms_tui.backend.base import Services
from kms_tui.backend.kms_facade import Kms
from kms_tui.denials.replay_reading import read_access, read_callers
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
from kms_tui.evidence.request_history.coverage_words import coverage_sentence
from kms_tui.evidence.request_history.event_lookup import source_of
from kms_tui.evidence.request_history.history_source import HistoryQuery, HistoryReading
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.model import KeyState
from kms_tui.policy import Document, parse
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
_MOST_REASONS = 12
"""Reasons that are told apart; thousands (an IAM policy for each caller) would not be read."""


@dataclass(frozen=True, slots=True)
class ReplayedChange:
    """What decides about a key's requests, the change, and sentences about what could not be read."""

    access: KeyAccess
    change: KeyChange
    notes: Sequence[str] = ()


ChangeOf = Callable[[Kms, Subject], ReplayedChange]
"""Reads from KMS, and blocks. Raises the errors of DescribeKey and GetKeyPolicy."""


def policy_change(old: str, new: str) -> ChangeOf:
    """PutKeyPolicy."""

    def change_of(kms: Kms, subject: Subject) -> ReplayedChange:
        before, after = parse(old, partition=kms.partition), parse(new, partition=kms.partition)
        access, notes = read_access(kms, subject.key_id, before)
        return ReplayedChange(access, PolicyChange(after), notes)

    return change_of


def grant_removal(grant_id: str) -> ChangeOf:
    """RevokeGrant or RetireGrant."""

    def change_of(kms: Kms, subject: Subject) -> ReplayedChange:
        access, notes = read_access(kms, subject.key_id)
        return ReplayedChange(access, GrantRemoval(grant_id), notes)

    return change_of


def state_change(state: KeyState) -> ChangeOf:
    """DisableKey or ScheduleKeyDeletion, before which nothing else of the key matters."""
    return lambda _, subject: ReplayedChange(KeyAccess(subject.arn, parse("{}")), StateChange(state))


def alias_repointing(alias: str, target: Subject) -> ChangeOf:
    """UpdateAlias; ``alias`` without its prefix."""

    def change_of(kms: Kms, subject: Subject) -> ReplayedChange:
        access, notes = read_access(kms, subject.key_id)
        then, more = read_access(kms, target.key_id)
        return ReplayedChange(access, AliasRepointing(f"alias/{alias}", then), (*notes, *more))

    return change_of


class AffectedRequests(Vertical):
    """Reads the record of the key's requests from the newest back while the question is open.

    What was read so far is judged and shown; closing the question ends the reading. The IAM policies of
    callers on which the answer depends are read on the button, at once where nothing answers but this store.
    """

    DEFAULT_CSS = """
    AffectedRequests {
        height: auto;
        margin: 0 0 1 0;
        #affected { height: auto; }
        #stop-reading, #read-callers { display: none; }
        &.-reading #stop-reading, &.-depends #read-callers { display: block; }
    }
    """

    def __init__(
        self,
        trail: Trail,
        kms: Kms,
        services: Services | None,
        subject: Subject,
        now: datetime,
        change_of: ChangeOf,
    ) -> None:
        super().__init__(id="affected-requests")
        self._source = source_of(trail, subject.region)
        self._is_live = trail.is_live
        self._kms = kms
        self._services = services
        self._change_of = partial(change_of, kms, subject)
        self._arn = subject.arn
        self._now = now
        self._reading: HistoryReading | None = None
        self._replayed: ReplayedChange | None = None
        self.result: ReplayResult | None = None
        """The result so far; None until something was judged."""

    def compose(self) -> ComposeResult:
        yield Static(_head("reading what lies with the key…"), id="affected")
        yield Button(Content("Stop reading"), id="stop-reading")
        yield Button(Content("Read the callers' IAM policies"), id="read-callers")

    def on_mount(self) -> None:
        start(self, self._follow, group="affected", description="replay recorded requests")

    def on_unmount(self) -> None:
        self._stop()

    @on(Button.Pressed, "#stop-reading")
    def _stop(self) -> None:
        if self._reading is not None:
            self._reading.cancel()

    @on(Button.Pressed, "#read-callers")
    def _read_callers(self) -> None:
        start(self, self._judge_by_callers, group="affected", description="read IAM policies")

    async def _follow(self) -> None:
        try:
            self._replayed = replayed = await off_loop(self._change_of)
            details = await off_loop(partial(details_for, replayed.access, replayed.change))
            until = self._now - _OWN_READS
            query = HistoryQuery(until - WINDOW, until, self._arn, details)
            self._reading = reading = HistoryReading(query, self._source.name)
            for note in replayed.notes:
                reading.note(note)
            self.add_class("-reading")
            await self._judge_while_reading(reading, replayed)
            if self.result is not None and self.result.unread_callers:
                if self._is_live:
                    await self._judge_by_callers()
                else:
                    self.add_class("-depends")
        except KmsTuiError as error:
            self._show_error(error)
        self._hide("-reading")

    def _hide(self, button_class: str) -> None:
        """Hide the button that a class shows; the focus goes from it to Cancel."""
        has_focus = any(button.has_focus for button in self.query(Button))
        self.remove_class(button_class)
        if has_focus:
            self.screen.query_one("#cancel").focus()

    async def _judge_while_reading(self, reading: HistoryReading, replayed: ReplayedChange) -> None:
        read = asyncio.ensure_future(off_loop(partial(self._source.read, reading)))
        try:
            while not read.done():
                await asyncio.wait({read}, timeout=_SHOW_SECONDS)
                judging = partial(_judged, reading, replayed)
                self._show(await off_loop(judging), is_reading=not read.done())
            read.result()
        finally:
            reading.cancel()
            read.cancel()

    async def _judge_by_callers(self) -> None:
        """Judge again, by the IAM policies of the callers on which the answer depends."""
        assert self._reading is not None
        assert self._replayed is not None
        assert self.result is not None
        self._hide("-depends")
        callers = await off_loop(partial(read_callers, self._kms, self._services, self.result.unread_callers))
        result = await off_loop(partial(_judged, self._reading, self._replayed, callers))
        self._show(result, is_reading=False)

    def _show(self, result: ReplayResult, *, is_reading: bool) -> None:
        self.result = result
        lines = result_lines(result, self._now, is_reading=is_reading)
        self.query_one("#affected", Static).update(Content("\n").join(lines))

    def _show_error(self, error: KmsTuiError) -> None:
        said = safe(f"? Not known: {error.with_next_step}").stylize("$warning")
        known = self.query_one("#affected", Static).content if self.result is not None else _head("")
        assert isinstance(known, Content)
        self.query_one("#affected", Static).update(known + Content("\n") + said)


def _judged(
    reading: HistoryReading,
    replayed: ReplayedChange,
    callers: Mapping[str, Sequence[Document]] = MappingProxyType({}),
) -> ReplayResult:
    return replay(reading.snapshot(), replayed.access, replayed.change, callers)


def affected_requests(
    session: Session, kms: Kms, subjects: Sequence[Subject], change_of: ChangeOf
) -> list[AffectedRequests]:
    """The section for a question about one key; none for several, and where there is no record to read."""
    if len(subjects) != 1:
        return []
    (subject,) = subjects
    account = session.account_of(subject.arn)
    monitor = account.refusal_monitor
    if monitor is None:
        return []
    return [AffectedRequests(monitor.trail, kms, account.services(), subject, session.now(), change_of)]


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
        by_reason: dict[str, list[AffectedRequest]] = {}
        for row in getattr(result, name):
            by_reason.setdefault(row.reason, []).append(row)
        for reason, of_reason in islice(by_reason.items(), _MOST_REASONS):
            yield Content.styled(f"{sign} {word}: ", f"{colour} bold") + safe(reason)
            yield from (safe(f"  {row.calls(now)}") for row in of_reason[:_MOST])
            if len(of_reason) > _MOST:
                yield Content(f"  and {_counted(of_reason[_MOST:])}")
        if len(by_reason) > _MOST_REASONS:
            others = list(islice(by_reason.values(), _MOST_REASONS, None))
            reasons = "1 other reason" if len(others) == 1 else f"{len(others):,} other reasons"
            counted = _counted(chain.from_iterable(others))
            yield Content.styled(f"{sign} {word}: ", f"{colour} bold") + Content(f"{counted}, for {reasons}")
    if result.unchanged:
        stay = f"✓ {result.unchanged:,} recorded calls stay as they are."
        yield Content.styled(stay, "$foreground-muted")
    elif not (result.refused or result.undecided or result.allowed or is_reading):
        if result.coverage.complete:
            yield Content.styled("No recorded call is affected.", "$foreground-muted")
        elif result.coverage.since is not None:
            yield Content.styled("No call of those seen is affected.", "$foreground-muted")
    for note in result.coverage.notes:
        yield safe(note).stylize("$foreground-muted")


def _counted(rows: Iterable[AffectedRequest]) -> str:
    rows = list(rows)
    return f"{len(rows):,} more with {sum(row.count for row in rows):,} calls"
