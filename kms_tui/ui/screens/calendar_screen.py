"""Calendar: coming deletions, expiries and rotations in the loaded Regions, soonest first."""

from __future__ import annotations

from calendar import month_abbr
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget

from kms_tui.evidence.calendar import (
    Calendar,
    CalendarEvent,
    DuePeriod,
    EventKind,
    KeyDates,
    calendar,
    due_period,
)
from kms_tui.export import Table
from kms_tui.inventory import FactName, Row
from kms_tui.inventory.cells import length_between, name, span, titled
from kms_tui.inventory.fact_reader import missing_of
from kms_tui.session import Session
from kms_tui.ui.actions.action_screen import ActionScreen, Chosen, action_bindings
from kms_tui.ui.actions.export_actions import export_list
from kms_tui.ui.base.host import KeysChanged
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import subject_of
from kms_tui.ui.base.words import counted, date_words
from kms_tui.ui.screens.inventory_screen import InventoryScreen
from kms_tui.ui.widgets.charts import columns
from kms_tui.ui.widgets.key_notes import is_listed, unlisted_words
from kms_tui.ui.widgets.line_table import LineTable, TableColumn, TableRow
from kms_tui.ui.widgets.text_widgets import Static

_COLUMNS = (
    TableColumn("WHEN", 14),
    TableColumn("DATE", 10),
    TableColumn("IN", 6),
    TableColumn("KEY", 20, weight=2),
    TableColumn("WHAT", 16, weight=1),
    TableColumn("REGION", 12),
)
_PERIOD_WORDS: Mapping[DuePeriod, str] = {
    DuePeriod.DUE: "due now",
    DuePeriod.TODAY: "today",
    DuePeriod.WEEK: "within a week",
    DuePeriod.MONTH: "within a month",
    DuePeriod.LATER: "later",
    DuePeriod.UNDATED: "no date yet",
}
_KIND_WORDS: Mapping[EventKind, tuple[str, str]] = {
    EventKind.DELETION: ("deleted", "danger"),
    EventKind.DELETION_AFTER_REPLICAS: ("deleted after its replicas", "danger"),
    EventKind.EXPIRY: ("material expires", "warning"),
    EventKind.ROTATION: ("rotates", "plain"),
}
_NOTHING = "Nothing is coming: no deletion, no expiry, no rotation."
_NOTHING_KNOWN = "Nothing is known to be coming; not all dates are known."
_missing = missing_of(FactName.DESCRIBED, FactName.ROTATION)


@dataclass(frozen=True, slots=True)
class CalendarLines:
    """The calendar, its table rows, the keys of these, and the keys of which dates are not read yet."""

    calendar: Calendar
    lines: Sequence[TableRow]
    rows: Mapping[str, Row]
    """Table row's key -> the key's row of the inventory."""
    missing: Sequence[Row]


class CalendarScreen(InventoryScreen[CalendarLines], ActionScreen):
    """Reads each key's description, and its rotation status where it can rotate, when it is opened."""

    HELP = (
        "Scheduled deletions, expiries of imported key material and automatic rotations of all loaded "
        "Regions, soonest first. U cancels the deletion under the cursor. Dates take a call a key or two, "
        "made politely when you open this; esc stops it. What you may not read is counted as not known. "
        "AWS-managed keys rotate every year, at a time that AWS does not tell."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,d", "jump", "Go to key", id="calendar.jump", tooltip="Show this key on the key list"),
        *action_bindings({"cancel-deletion"}),
        Binding(
            "w", "export", "Export", id="calendar.export", tooltip="Write this list: CSV, JSON, Markdown"
        ),
        Binding(
            "r",
            "refresh",
            "Refresh",
            id="calendar.refresh",
            tooltip="List and read everything again",
            show=False,
        ),
        Binding("escape", "stop", "Stop", id="calendar.stop", tooltip="Stop reading dates", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._found: CalendarLines | None = None
        self._consent = self._waits_for_consent = False
        """Consent to a reading that takes longer than a minute."""
        self._asked: set[str] = set()
        """The keys whose dates were asked for; after a refusal or a stop they are not asked for again."""

    def compose_body(self) -> Iterable[Widget]:
        with Vertical(classes="table-body"):
            yield Static(id="calendar-note")
            yield Static(id="calendar-year")
            yield LineTable(_COLUMNS)

    def session_opened(self, session: Session) -> None:
        self._asked.clear()
        self._consent = False
        self.query_one(LineTable).focus()
        super().session_opened(session)

    def on_screen_resume(self) -> None:
        self._asked.clear()
        super().on_screen_resume()

    @property
    def _current(self) -> Row | None:
        """The key of the event under the cursor."""
        return self._found.rows.get(self.query_one(LineTable).current) if self._found is not None else None

    def chosen(self) -> Chosen:
        row = self._current
        return lambda: [subject_of(row)] if row is not None else []

    # Reading and showing

    def compute_shown(self, session: Session, rows: Sequence[Row]) -> CalendarLines:
        ours = [row for row in rows if not row.aws and not row.gone]
        by_arn = {row.arn: row for row in ours}
        found = calendar(KeyDates(row.arn, row.described, row.rotation) for row in ours)
        return CalendarLines(
            found,
            _lines(found.events, by_arn, session.now()),
            {_line_key(event): by_arn[event.arn] for event in found.events},
            [row for row in ours if _missing(row) is not None],
        )

    def present(self, session: Session, found: CalendarLines) -> None:
        self._found = found
        self._read_missing(session, found)
        table = self.query_one(LineTable)
        table.empty = _NOTHING if _is_whole(session, found.calendar) else _NOTHING_KNOWN
        table.show_rows(found.lines)
        self.query_one("#calendar-year", Static).update(year_strip(found.calendar, session.now()))
        self.show_status(self._status(session, found.calendar))
        self._show_note(session, found)

    def _read_missing(self, session: Session, found: CalendarLines) -> None:
        new = {row.arn for row in found.missing} - self._asked
        self._waits_for_consent = bool(new) and not self._consent and _minutes(session, found) > 1
        if new and not self._waits_for_consent:
            self._asked |= new
            session.inventory.demand(found.missing, _missing)

    def _status(self, session: Session, found: Calendar) -> Content:
        counts = (
            (
                found.count(EventKind.DELETION, EventKind.DELETION_AFTER_REPLICAS),
                "deletion",
                "deletions",
                "$error",
            ),
            (found.count(EventKind.EXPIRY), "expiry", "expiries", "$warning"),
            (found.count(EventKind.ROTATION), "rotation", "rotations", ""),
        )
        parts = []
        if progress := self.progress_words():
            parts.append(safe(progress))
        elif session.inventory.busy:
            parts.append(Content("listing…"))
        elif found.unread:
            parts.append(Content(f"{counted(found.unread, 'key')} not read"))
        parts += [
            Content.styled(f"{count:,} {one if count == 1 else many}", colour)
            for count, one, many, colour in counts
            if count
        ]
        return Content(" · ").join(parts)

    def _show_note(self, session: Session, all_found: CalendarLines) -> None:
        """What may be missing from the list, and why."""
        found, parts = all_found.calendar, []
        if self._waits_for_consent:
            parts.append(
                f"Reading the dates of {counted(len(all_found.missing), 'key')} takes about "
                f"{_minutes(session, all_found):.0f} minutes: r starts it, esc stops it."
            )
        if stopped := session.inventory.stopped:
            parts.append(stopped.with_next_step)
        elif unlisted := unlisted_words(session.inventory):
            parts.append(unlisted)
        if found.refused_keys:
            parts.append(
                f"Not known: the dates of {counted(found.refused_keys, 'key')} that cannot be described."
            )
        if found.refused_rotations:
            keys = counted(found.refused_rotations, "key")
            parts.append(f"Not known: the next rotation of {keys}; reading that was refused or failed.")
        note = self.query_one("#calendar-note", Static)
        note.update(safe(" ".join(parts)))
        note.display = bool(parts)

    # Actions

    @on(LineTable.Selected)
    def action_jump(self) -> None:
        row = self._current
        if row is not None:
            self.start_action(partial(self.host.show_key, row.arn), description="go to a key")

    def action_stop(self) -> None:
        if self.session is not None:
            self.session.inventory.cancel_demand()

    def action_refresh(self) -> None:
        """List everything again, or start a reading that needs consent."""
        if self.session is None:
            return
        self._asked.clear()
        if self._waits_for_consent:
            self._waits_for_consent, self._consent = False, True
            self.recompute()
        else:
            self.session.inventory.refresh()

    @on(KeysChanged)
    def _ask_again(self) -> None:
        self._asked.clear()

    def action_export(self) -> None:
        self.start_action(self._export, description="export the calendar")

    async def _export(self) -> None:
        if self._found is not None and self.session is not None:
            table = partial(_exported, self._found, self.session.now())
            await export_list(self, "kms-tui-calendar", table)


_MONTHS = 12
_STRIP = (
    ("▲ deleted", EventKind.DELETION, "$error"),
    ("◆ expires", EventKind.EXPIRY, "$warning"),
    ("● rotates", EventKind.ROTATION, "$accent"),
)


def year_strip(found: Calendar, now: datetime) -> Content:
    """Twelve months from this one on, with a column and a count for each kind of event; empty without any.

    What is overdue stands in the first month, what comes after the twelve is counted behind them, and what
    has no date below them, so that the numbers of a kind add up to its count in the header.
    """
    today = now.astimezone()
    this_month = today.year * 12 + today.month - 1
    counts: Counter[tuple[EventKind, int]] = Counter()
    for event in found.events:
        if event.time is not None:
            time = event.time.astimezone()
            counts[event.kind, min(max(time.year * 12 + time.month - 1 - this_month, 0), _MONTHS)] += 1
    names = [month_abbr[(this_month + ahead) % 12 + 1] for ahead in range(_MONTHS)]
    if any(place == _MONTHS for _, place in counts):
        names.append("later")
    lines = [Content.styled(" " * 11 + "".join(f"{month:<5}" for month in names), "$foreground-muted")]
    most = max((number for (_, place), number in counts.items() if place < _MONTHS), default=0)
    for label, kind, colour in _STRIP:
        numbers = [counts[kind, place] for place in range(_MONTHS)]
        later = counts[kind, _MONTHS]
        if any(numbers) or later:
            cells = [
                columns([number], colour, most=most) + Content(f" {number:<3}" if number else " " * 4)
                for number in numbers
            ]
            line = Content.styled(f"{label:<11}", colour) + Content().join(cells)
            lines.append(line + Content(f"{later:,}") if later else line)
    if undated := found.count(EventKind.DELETION_AFTER_REPLICAS):
        words = f"{counted(undated, 'deletion')} without a date yet: a primary waits for its replicas"
        lines.append(Content.styled(words, "$foreground-muted"))
    return Content("\n").join(lines) if len(lines) > 1 else Content()


def _is_whole(session: Session, found: Calendar) -> bool:
    """Whether all dates of all keys are known."""
    missing = found.unread + found.refused_keys + found.refused_rotations
    return is_listed(session.inventory) and not missing


def _minutes(session: Session, found: CalendarLines) -> float:
    """Minutes that reading the missing dates takes at most: two calls a key at the polite rate."""
    return 2 * len(found.missing) / session.inventory.pace.demand / 60


def _line_key(event: CalendarEvent) -> str:
    return f"{event.kind} {event.arn}"


def _lines(events: Iterable[CalendarEvent], rows: Mapping[str, Row], now: datetime) -> list[TableRow]:
    """A row for each event; the first of a group says how soon it is."""
    shown, group = [], None
    for event in events:
        soon = due_period(event.time, now)
        head = _PERIOD_WORDS[soon] if soon is not group else ""
        group = soon
        ahead = span(length_between(event.time, now)) if event.time and event.time > now else ""
        shown.append(
            TableRow(
                _line_key(event),
                (
                    (head, "accent"),
                    date_words(event.time) if event.time else "",
                    (ahead, "quiet"),
                    (titled(rows[event.arn]), "strong"),
                    _KIND_WORDS[event.kind],
                    (rows[event.arn].region, "quiet"),
                ),
            )
        )
    return shown


def _exported(found: CalendarLines, now: datetime) -> Table:
    events = [(event, found.rows[_line_key(event)]) for event in found.calendar.events]
    rows = [
        (
            event.time.isoformat() if event.time else "",
            _PERIOD_WORDS[due_period(event.time, now)],
            event.kind,
            name(row),
            row.key_id,
            row.region,
            row.account,
        )
        for event, row in events
    ]
    title = f"What is coming to KMS keys, as of {date_words(now)}"
    return Table(title, ("time", "when", "what", "name", "key_id", "region", "account"), rows)
