"""Health: findings of the checks on all keys, each with its reason and advice."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Resize
from textual.widget import Widget

from kms_tui.evidence.health.examination import Examination
from kms_tui.evidence.health.examined import Settings
from kms_tui.evidence.health.formats.writers import WRITERS
from kms_tui.evidence.health.health_report import CheckTally, Gap, HealthFinding, Report
from kms_tui.kms.errors import KmsTuiError
from kms_tui.session import Session
from kms_tui.ui.actions.export_actions import export
from kms_tui.ui.base.background import start
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.base.words import counted
from kms_tui.ui.dialogs.form import Form, FormField
from kms_tui.ui.screens import health_words
from kms_tui.ui.screens.reading_screen import ASK_ABOVE, ReadingScreen
from kms_tui.ui.widgets.line_table import LineTable, TableColumn
from kms_tui.ui.widgets.text_widgets import Input, Static

_FINDINGS = (
    TableColumn("SEVERITY", 11),
    TableColumn("KEY", 18, weight=1),
    TableColumn("FINDING", 22),
    TableColumn("WHY", 19, weight=5),
)
_CHECKS = (
    TableColumn("CHECK", 27, weight=1),
    TableColumn("FOUND", 18, weight=1),
    TableColumn("NOT KNOWN", 14, weight=1),
    TableColumn("HUB", 5, weight=4),
)
_FORMATS = {"csv": "CSV", "json": "JSON", "md": "Markdown"}
_FINDINGS_OF_SEVERAL = (_FINDINGS[0], TableColumn("KEY", 30, weight=4), *_FINDINGS[2:])
"""With room for the account beside the key."""


class HealthScreen(ReadingScreen[Examination, Report]):
    """Two tables of one report: findings with unknowns, and checks."""

    HELP = (
        "Every customer key is checked, and the most severe findings come first. AWS-managed keys are left "
        "out. What could not be read is listed as not known, and is never a pass. Only what the "
        "checks need is read, each fact once, and nothing is read before this screen is opened; when a key "
        "was last used is read only when you ask for it (u). enter goes to the key."
    )
    AUTO_FOCUS = ""
    HEAD = "#health-head"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", id="health.filter", tooltip="Filter: high, kms.4, not known …"),
        Binding("enter", "begin", "Read", id="health.begin", tooltip="Read what the checks need"),
        Binding("v", "view", "Checks", id="health.view", tooltip="How each check went, or the findings"),
        Binding(
            "u", "unused", "Unused…", id="health.unused", tooltip="Find keys not used for some days, too"
        ),
        Binding("r", "refresh", "Read again", id="health.refresh", tooltip="List and read all of it again"),
        Binding("w", "export", "Export", id="health.export", tooltip="Write the report: CSV, JSON, Markdown"),
        Binding(
            "escape", "back", "Stop", id="health.back", tooltip="Stop reading; clear the filter", show=False
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._report: Report | None = None
        self._unused_days: int | None = None
        self._changes = 0
        """How many changes this session had made when the report was begun."""
        self._shown: dict[str, HealthFinding | Gap] = {}

    def compose_body(self) -> Iterable[Widget]:
        with Vertical(classes="table-body"):
            yield Static(id="health-head")
            yield Input(placeholder="/ to filter", id="table-filter")
            yield LineTable(_FINDINGS, empty="No finding matches.", id="findings")
            yield LineTable(_CHECKS, id="checks")
            yield Static(id="health-detail")

    # Examinations

    def session_opened(self, session: Session) -> None:
        self.cancel_reading()
        self._report, self._unused_days = None, None
        self._prepare()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        changed = self.session is not None and self.session.log.count != self._changes
        if changed and self._report is not None and self._reading is None:
            self._prepare()

    def _prepare(self, *, again: bool = False) -> None:
        session = self.session
        assert session is not None
        settings = Settings(self._unused_days, required_tags=self.host.config.required_tags)
        self._changes = session.log.count
        self.begin_reading(
            Examination(session.inventory, session.kms_for, settings, session.services_for), again=again
        )

    def cost_of(self, reading: Examination) -> Content | None:
        estimate = reading.estimate()
        if estimate.keys <= ASK_ABOVE or not estimate.total:
            return None
        return health_words.reading_cost(estimate)

    def run_reading(self, reading: Examination) -> Report:
        return reading.run()

    def show_found(self, found: Report) -> None:
        self._report = found
        self._show_report()

    def progress_of(self, reading: Examination) -> Content:
        return health_words.progress(reading.progress())

    def failure_words(self, error: KmsTuiError) -> Content:
        return health_words.failed(error)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("view", "export", "filter"):
            return self._report is not None
        return super().check_action(action, parameters)

    # Showing

    def _show_text(self, instead: Content) -> None:
        super()._show_text(instead)
        self.remove_class("-checks")

    def _show_report(self) -> None:
        report = self._report
        assert report is not None
        self.remove_class("-empty")
        self._show_head()
        checks = [health_words.check_row(tally) for tally in report.tallies]
        self.query_one("#checks", LineTable).show_rows(checks)
        self._view_checks(not (report.findings or report.gaps))
        self._fill()

    @on(Resize)
    def _show_head(self) -> None:
        if self._report is not None and not self.has_class("-empty"):
            head = health_words.head(self._report, self.size.width)
            self.query_one("#health-head", Static).update(head)

    @on(Input.Changed, "#table-filter")
    def _fill(self) -> None:
        if self._report is None:
            return
        words = self.query_one("#table-filter", Input).value.lower().split()
        self.set_class(bool(words) or self.query_one("#table-filter").has_focus, "-filtering")
        items = health_words.items(self._report)
        report, accounts = self._report, self._report.account_names
        self._shown = {
            key: item
            for key, item in items
            if health_words.matches(item, words, accounts.get(item.key.account, ""))
        }
        rows = [health_words.item_row(key, item, report) for key, item in self._shown.items()]
        table = self.query_one("#findings", LineTable)
        table.columns = _FINDINGS_OF_SEVERAL if accounts else _FINDINGS
        table.show_rows(rows)
        found = sum(isinstance(item, HealthFinding) for item in self._shown.values())
        total = len(self._report.findings)
        of_all = f"{found:,} of " if found < total else ""
        self.show_status(f"{of_all}{counted(total, 'finding')}")
        self._show_detail()

    def _view_checks(self, checks: bool) -> None:
        self.set_class(checks, "-checks")
        self._table.focus()
        self._show_detail()

    @property
    def _table(self) -> LineTable:
        return self.query_one("#checks" if self.has_class("-checks") else "#findings", LineTable)

    @on(LineTable.Highlighted)
    def _show_detail(self) -> None:
        detail = self.query_one("#health-detail", Static)
        if self.has_class("-checks"):
            tally = self._tally()
            detail.update(health_words.check_detail(tally) if tally is not None else None)
        else:
            item = self._shown.get(self._table.current)
            detail.update(health_words.item_detail(item) if item is not None else None)

    def _tally(self) -> CheckTally | None:
        tallies = self._report.tallies if self._report is not None else ()
        return next((tally for tally in tallies if tally.check.id == self._table.current), None)

    # Actions

    @on(LineTable.Selected, "#findings")
    def _go_to_key(self, event: LineTable.Selected) -> None:
        arn = self._shown[event.key].key.arn
        if arn:
            start(self, partial(self.host.show_key, arn), group="jump", description="go to a key")

    @on(LineTable.Selected, "#checks")
    def _filter_by_check(self, event: LineTable.Selected) -> None:
        self.query_one("#table-filter", Input).value = event.key
        self._view_checks(False)

    def action_view(self) -> None:
        self._view_checks(not self.has_class("-checks"))

    def action_refresh(self) -> None:
        """Read everything again; after a stop, read what is missing."""
        self._prepare(again=self._report is None or self._report.complete)

    def action_unused(self) -> None:
        start(self, self._ask_unused, group="ask", description="ask for a number of days")

    async def _ask_unused(self) -> None:
        days = FormField(
            "days", "Days", f"{self._unused_days or 90}", "leave empty to leave it out", _check_days
        )
        values = await self.ask(
            Form(
                "Find keys not used for so many days",
                [days],
                lambda _values: None,
                confirm="Find",
                lead=[Content("This calls GetKeyLastUsage for every enabled key: 5 keys a second, no more.")],
            )
        )
        if values is not None:
            self._unused_days = int(values["days"]) if values["days"].strip() else None
            self._prepare()

    def action_export(self) -> None:
        report = self._report
        if report is not None:
            formats = {end: (title, partial(WRITERS[end], report)) for end, title in _FORMATS.items()}
            work = partial(export, self, "kms-tui-health", formats)
            self.start_action(work, description="export the report")

    def action_filter(self) -> None:
        self._view_checks(False)
        self.add_class("-filtering")
        self.query_one("#table-filter").focus()

    @on(Input.Submitted, "#table-filter")
    def _filter_left(self) -> None:
        self._table.focus()
        self._fill()

    def action_back(self) -> None:
        field = self.query_one("#table-filter", Input)
        if self.stop_reading():
            return
        if field.has_focus:
            self._filter_left()
        elif self.has_class("-checks"):
            self._view_checks(False)
        else:
            field.value = ""


def _check_days(text: str) -> str:
    text = text.strip()
    if not text or (text.isascii() and text.isdigit() and 1 <= int(text) <= 36_500):
        return ""
    return "A number of days, such as 90."
