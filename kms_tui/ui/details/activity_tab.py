"""Activity: who used this key, when, from where, and how it ended, newest first."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize

from kms_tui.backend.kms_facade import Kms
from kms_tui.evidence.activity import EventHistory, KeepGoing, Trail, of_key
from kms_tui.evidence.events import FIELDS, Purpose, UsageEvent, matching
from kms_tui.kms.errors import KmsTuiError, ServiceError, UnavailableError
from kms_tui.kms.facts import Denied, Fact, Failed, Known, unreadable
from kms_tui.session import Session
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.host import host_of
from kms_tui.ui.base.safe_text import Content, column, fit, safe, visible
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.base.words import counted, date_words, fact_content
from kms_tui.ui.details.detail_tab import DetailTab
from kms_tui.ui.widgets.charts import columns
from kms_tui.ui.widgets.facts_table import FactsTable
from kms_tui.ui.widgets.line_table import LineTable, TableColumn, TableRow
from kms_tui.ui.widgets.text_widgets import Input, Static

_COLUMNS = (
    TableColumn("WHEN", 11),
    TableColumn("WHO", 12),
    TableColumn("CALL", 15, weight=1),
    TableColumn("RESULT", 12),
    TableColumn("FROM", 0, weight=6),
)
_CLOUDTRAIL = "CloudTrail: 90 days, up to 15 minutes late, and only events that name the key"
_LOW, _LOW_LINES, _HIGH_LINES = 20, 1, 3
"""Below _LOW lines the tab gives one line to a refusal's text, else three."""
_CALLERS = 3
"""Callers that are named in the line above the table; the others are counted."""


class ActivityTab(DetailTab[EventHistory]):
    """Reads CloudTrail when opened, and further back as the cursor reaches the end; enter shows the event."""

    TITLE = "Activity"
    DEFAULT_CSS = """
    ActivityTab {
        overflow-y: hidden;
        #activity-filter { background: $background; display: none; }
        #activity-filter.-used { display: block; }
        #activity-summary { text-wrap: nowrap; text-overflow: ellipsis; }
        LineTable { margin: 1 0; }
        #activity-days { height: auto; margin: 1 0 0 0; }
        #activity-source { color: $text-muted; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", id="activity.filter", tooltip="Filter the events as you type"),
        Binding("plus", "more", "More", id="activity.more", tooltip="Read older events", show=False),
        Binding(
            "v", "looks", "Reads too", id="activity.looks", tooltip="Show calls that only read, or hide them"
        ),
        Binding("h", "explain", "Explain", id="activity.explain", tooltip="Say why this call was denied"),
        Binding("r", "refresh", "Read again", id="activity.refresh", tooltip="Read what is new", show=False),
        Binding(
            "escape", "back", "Back", id="activity.back", tooltip="Clear the filter, go back", show=False
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.can_focus = False
        self._trail: Trail | None = None
        self._events: EventHistory | None = None
        self._error: KmsTuiError | None = None
        self._with_reads = False
        self._shown: dict[str, UsageEvent] = {}

    def compose(self) -> ComposeResult:
        yield Static(id="activity-summary")
        yield Input(
            placeholder=f"/ to filter: words, {', '.join(f'{name}:' for name in FIELDS)}",
            id="activity-filter",
        )
        yield Static(id="activity-days")
        yield LineTable(_COLUMNS, empty="No event to show.")
        yield Static(id="activity-event")
        yield Static(id="activity-source")

    # Reading

    def show(self, session: Session, subject: Subject) -> None:
        if self.subject is None or self.subject.arn != subject.arn or self.session is not session:
            self._error = None
            monitor = session.account_of(subject.arn).refusal_monitor
            self._trail = monitor.trail if monitor is not None else None
            self._events = (
                of_key(self._trail, subject.arn, subject.region, session.now())
                if self._trail is not None
                else None
            )
        super().show(session, subject)

    def read(self, kms: Kms, subject: Subject) -> EventHistory:
        """The newest page; for the same key only new events of a local trail are read again."""
        trail, events = self._trail, self._events
        if trail is None or events is None:
            raise UnavailableError("CloudTrail")
        if trail.is_live:
            events.refresh(lambda: self._events is events)
        elif not events.has_begun:
            events.more(lambda: self._events is events)
        return events

    def action_more(self) -> None:
        if self._events is not None and not self._events.is_complete:
            self._read_further(self._events.more)

    def action_refresh(self) -> None:
        if self._events is not None:
            self._read_further(self._events.refresh)

    def _read_further(self, step: Callable[[KeepGoing], object]) -> None:
        self._show_source("reading…")
        start(self, partial(self._read_more, self._events, step), group="read", description="read events")

    async def _read_more(self, events: EventHistory | None, step: Callable[[KeepGoing], object]) -> None:
        self._error = None
        try:
            await off_loop(lambda: step(lambda: self._events is events))
        except KmsTuiError as error:
            self._error = error
        if self._events is events:
            self._show()

    # Showing

    def present(self, subject: Subject, fact: Fact[EventHistory]) -> None:
        known = isinstance(fact, Known)
        for widget in self.query("LineTable, #activity-event, #activity-source"):
            widget.display = known
        if known:
            self._show()
            return
        self._shown = {}
        absent = isinstance(fact, Failed) and isinstance(fact.error, UnavailableError)
        content = (
            safe(str(fact.error)) if absent and isinstance(fact, Failed) else fact_content(fact, _nothing)
        )
        if isinstance(fact, Denied | Failed) and fact.error.next_step:
            content += Content("\n") + safe(fact.error.next_step).stylize("$foreground-muted")
        self.query_one("#activity-summary", Static).update(content)

    @on(Input.Changed, "#activity-filter")
    def _show(self) -> None:
        events = self._events.events if self._events is not None else []
        seen = events if self._with_reads else [event for event in events if not _is_read(event)]
        found = matching(self.query_one("#activity-filter", Input).value, seen)
        self._shown = {event.key: event for event in found}
        self.query_one("#activity-summary", Static).update(
            summary(found, len(seen), hides=len(seen) < len(events), since=self._read_since())
        )
        self._show_days(found)
        self.query_one(LineTable).show_rows([_row(event) for event in found])
        self._show_source()
        self._explain()

    def _read_since(self) -> datetime | None:
        """The moment back to which events are read; None while none are."""
        events = self._events
        if events is None or not events.has_begun:
            return None
        if events.is_complete:
            return events.since
        return min((event.time for event in events.events if event.time is not None), default=None)

    def _show_source(self, doing: str = "") -> None:
        """Say where events come from, how late they may be, and how far back they are read."""
        events, trail = self._events, self._trail
        if events is None or trail is None:
            return
        live = trail.is_live
        parts = ["This store's own record" if live else _CLOUDTRAIL]
        if doing:
            parts.append(doing)
        elif events.is_complete:
            parts.append("all of it is here")
        elif (since := self._read_since()) is not None:
            parts.append(f"read back to {date_words(since)}, + reads on")
        line = Content(" · ".join(parts))
        if self._error is not None:
            line = _error_content(self._error) + Content("\n") + line
        self.query_one("#activity-source", Static).update(line)

    def _show_days(self, found: Sequence[UsageEvent]) -> None:
        """Calls a day by caller; not where there is little room."""
        session = self.session
        days = self.query_one("#activity-days", Static)
        room = self.size.height >= _LOW and session is not None
        lines = day_lines(found, session.now(), self.size.width) if room and session is not None else []
        days.update(Content("\n").join(lines))
        days.display = bool(lines)

    @on(LineTable.Highlighted)
    def _moved(self) -> None:
        self._explain()
        rows, table = self.query_one(LineTable).rows, self.query_one(LineTable)
        if rows and table.current == rows[-1].key and table.has_focus and self._error is None:
            self.action_more()

    def _explain(self) -> None:
        """Show what the table has no room for."""
        event = self._current()
        self.refresh_bindings()
        line = self.query_one("#activity-event", Static)
        room = _LOW_LINES if self.size.height < _LOW else _HIGH_LINES
        # The same height for every event, so that the table does not move.
        line.styles.height = len(_LABELS) - 1 + room
        width = max(1, self.size.width - max(map(len, _LABELS)) - 2)
        rows = _facts(event, self.subject) if event is not None and self.subject is not None else {}
        line.update(
            FactsTable(
                (label, _within(text, width, room if label == _REFUSED else 1))
                for label, text in rows.items()
                if text
            )
        )

    @on(Resize)
    def _resized(self) -> None:
        self._show_days(list(self._shown.values()))
        self._explain()

    @on(LineTable.Selected)
    def _selected(self, message: LineTable.Selected) -> None:
        from kms_tui.ui.dialogs.text_screen import TextScreen

        event = self._shown[message.key]
        self.app.push_screen(TextScreen(f"{event.operation} by {event.who}", event.raw))

    def action_explain(self) -> None:
        event = self._current()
        if event is not None:
            host_of(self).open_screen("explain", event.raw)

    def _current(self) -> UsageEvent | None:
        return self._shown.get(self.query_one(LineTable).current)

    # Filter

    def action_filter(self) -> None:
        line = self.query_one("#activity-filter", Input)
        line.add_class("-used")
        line.focus()

    def action_looks(self) -> None:
        self._with_reads = not self._with_reads
        self._show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a filter, esc belongs to the screen; only refused calls are explained."""
        if action == "explain":
            event = self._current()
            return event is not None and event.is_refused
        if action == "back":
            return self.query_one("#activity-filter", Input).has_class("-used")
        return super().check_action(action, parameters)

    def action_back(self) -> None:
        line = self.query_one("#activity-filter", Input)
        line.value = ""
        line.remove_class("-used")
        self.query_one(LineTable).focus()

    @on(Input.Submitted, "#activity-filter")
    def _filter_left(self) -> None:
        self.query_one(LineTable).focus()


def _nothing(_: object) -> Content:
    return Content()


def _is_read(event: UsageEvent) -> bool:
    return event.purpose is Purpose.LOOK and not event.is_refused


def summary(found: Sequence[UsageEvent], seen: int, *, hides: bool, since: datetime | None = None) -> Content:
    """How many calls, by whom, and how many of them were refused.

    Of ``seen`` events ``found`` are shown; they are read back to ``since``, so that none refused says so of
    that time. None: nothing is read.
    """
    is_filtered = len(found) < seen
    count = f"{len(found):,} of {counted(seen, 'call')}" if is_filtered else counted(seen, "call")
    callers = Counter(event.who for event in found).most_common()
    named = ", ".join(f"{who} {number:,}" for who, number in callers[:_CALLERS])
    more = f" and {len(callers) - _CALLERS} more" if len(callers) > _CALLERS else ""
    parts = [Content(count)]
    if refused := sum(event.is_refused for event in found):
        parts.append(Content.styled(f"{refused:,} refused", "$error"))
    elif since is not None:
        parts.append(
            Content("none of these refused" if is_filtered else f"no refusals since {date_words(since)}")
        )
    if named:
        parts.append(safe(f"{named}{more}"))
    if hides:
        parts.append(Content.styled("reads hidden", "$foreground-muted"))
    return Content(" · ").join(parts)


_LABEL, _FEWEST_DAYS = 13, 14


def day_lines(found: Sequence[UsageEvent], now: datetime, width: int) -> list[Content]:
    """A column for each day (or several, over a long time) up to today, in a line for each of the most
    frequent callers. What has a refused call is red, and has a line of its own.

    None without an event that has a time.
    """
    dated = [(event, event.time.astimezone().date()) for event in found if event.time is not None]
    if not dated:
        return []
    today = now.astimezone().date()
    first = min(*(day for _, day in dated), today - timedelta(days=_FEWEST_DAYS - 1))
    span = max((today - first).days, 0) + 1
    step = -(-span // max(width - _LABEL - 8, _FEWEST_DAYS))
    size = -(-span // step)
    placed = [(event, min((day - first).days // step, size - 1)) for event, day in dated]
    callers = Counter(event.who for event, _ in placed).most_common(_CALLERS)
    rows = [(who, [pair for pair in placed if pair[0].who == who]) for who, _ in callers]
    most = max(max(Counter(place for _, place in pairs).values()) for _, pairs in rows)
    lines = [_day_line(who, pairs, size, most) for who, pairs in rows]
    if refused := [pair for pair in placed if pair[0].is_refused]:
        lines.append(_day_line("refused", refused, size, most).stylize("$error", 0, _LABEL))
    ends = f"{first:%m-%d}".ljust(size - 5) + f"{today:%m-%d}"
    unit = f"  a column is {step} days" if step > 1 else ""
    return [*lines, Content.styled(" " * _LABEL + ends + unit, "$foreground-muted")]


def _day_line(label: str, pairs: Sequence[tuple[UsageEvent, int]], size: int, most: int) -> Content:
    """The calls of ``size`` columns; each event comes with its column."""
    calls = Counter(place for _, place in pairs)
    refused = {place for event, place in pairs if event.is_refused}
    cells = [
        columns([calls[place]], "$error" if place in refused else "$accent", most=most)
        for place in range(size)
    ]
    return safe(column(label, _LABEL)) + Content().join(cells) + Content(f" {len(pairs):,}")


def _row(event: UsageEvent) -> TableRow:
    when = f"{event.time.astimezone():%m-%d %H:%M}" if event.time is not None else "?"
    look = "danger" if event.is_refused else "quiet" if event.is_readable else "warning"
    return TableRow(
        event.key,
        ((when, "quiet"), event.who, event.operation, (event.result, look), (event.address, "quiet")),
    )


_REFUSED = "Refused"
_LABELS = ("By", _REFUSED, "From", "Context")


def _facts(event: UsageEvent, subject: Subject) -> dict[str, str]:
    message = event.message.replace(subject.arn, subject.name).replace(event.principal or "\0", event.who)
    texts = (
        _principal(event),
        ": ".join(part for part in (event.error, message) if part),
        " · ".join(part for part in (event.address, event.agent) if part) or "not told",
        ", ".join(f"{name}={value}" for name, value in event.context),
    )
    return dict(zip(_LABELS, texts, strict=True))


def _within(text: str, width: int, lines: int) -> Content:
    """Untrusted text in at most ``lines`` lines."""
    if len(text) <= width or lines == 1:
        return Content(fit(text, width))
    wrapped = textwrap.wrap(visible(text), width)
    return Content("\n".join([*wrapped[: lines - 1], fit(" ".join(wrapped[lines - 1 :]), width)]))


def _principal(event: UsageEvent) -> str:
    """The principal without the prefix that every ARN has."""
    parts = event.principal.split(":", 5)
    return f"{parts[5]} of {parts[4]}" if len(parts) == 6 and parts[4] else event.principal or event.who


def _error_content(error: KmsTuiError) -> Content:
    if isinstance(error, ServiceError) and error.throttled:
        return Content.styled(
            "CloudTrail is throttling: it takes 2 requests a second from the whole account. + tries again.",
            "$warning",
        )
    return fact_content(unreadable(error), _nothing)
