"""Changed since: what of the account's keys differs from a snapshot, the dangerous first."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget

from kms_tui.export import ExportFormat, render
from kms_tui.fact_files.change_formats import WRITERS, changes_table, covered
from kms_tui.fact_files.changes import ChangeKind, KeyChange
from kms_tui.fact_files.fact_collection import FactCollection
from kms_tui.fact_files.fact_comparison import FactChanges, compared
from kms_tui.fact_files.fact_file import FactFile
from kms_tui.kms.errors import KmsTuiError
from kms_tui.session import Session
from kms_tui.ui.actions.export_actions import Make, export
from kms_tui.ui.base.background import start
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.base.words import counted
from kms_tui.ui.screens import changes_words
from kms_tui.ui.screens.reading_screen import ASK_ABOVE, ReadingScreen
from kms_tui.ui.widgets.line_table import LineTable, TableColumn
from kms_tui.ui.widgets.text_widgets import Input, Static

_COLUMNS = (
    TableColumn("SEVERITY", 11),
    TableColumn("CHANGE", 19),
    TableColumn("KEY", 18, weight=1),
    TableColumn("WHAT", 19, weight=4),
)


class ChangesScreen(ReadingScreen[FactCollection, FactChanges]):
    """Opened with a snapshot and the name of its file; it reads the account when it opens."""

    HELP = (
        "What has changed since the snapshot was written: the dangerous first, by kind. Policies and grants "
        "are compared by what they mean. What was not known then, or is not now, is listed as not known, and "
        "is never a change. All facts of the keys are read again for it, AWS-managed keys described only. "
        "enter goes to the key."
    )
    AUTO_FOCUS = ""
    HEAD = "#changes-head"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", "Back", id="changes.back", tooltip="Stop reading; then back to the list"),
        Binding("slash", "filter", "Filter", id="changes.filter", tooltip="Filter: high, policy, a key …"),
        Binding("enter", "begin", "Read", id="changes.begin", tooltip="Read the facts of all keys"),
        Binding("r", "refresh", "Read again", id="changes.refresh", tooltip="Read and compare again"),
        Binding("w", "export", "Export", id="changes.export", tooltip="Write all: CSV, JSON, Markdown"),
    ]

    DEFAULT_CSS = """
    ChangesScreen {
        LineTable { min-height: 4; }
        #changes-head { height: auto; max-height: 8; padding: 0 2 1 2; }
        #changes-detail { height: auto; max-height: 9; padding: 0 2; border-top: hkey $border; }
        &.-narrow #table-filter { display: none; }
        &.-narrow.-filtering #table-filter { display: block; }
        &.-empty LineTable, &.-empty #table-filter, &.-empty #changes-detail { display: none; }
    }
    """

    def __init__(self, since: FactFile, file_name: str) -> None:
        super().__init__()
        self._since = since
        self._file = file_name
        self._changes: FactChanges | None = None
        self._shown: dict[str, changes_words.Item] = {}

    def compose_body(self) -> Iterable[Widget]:
        with Vertical(classes="table-body"):
            yield Static(id="changes-head")
            yield Input(placeholder="/ to filter", id="table-filter")
            yield LineTable(_COLUMNS, empty="No change matches.")
            yield Static(id="changes-detail")

    # Reading

    def session_opened(self, session: Session) -> None:
        self._changes = None
        self.begin_reading(FactCollection(session.inventory, session.kms, session.kms_for), again=True)

    def cost_of(self, reading: FactCollection) -> Content | None:
        calls = reading.calls_left()
        return changes_words.reading_cost(calls) if calls.keys > ASK_ABOVE else None

    def run_reading(self, reading: FactCollection) -> FactChanges:
        return compared(self._since, reading.run())

    def show_found(self, found: FactChanges) -> None:
        self._changes = found
        self._show_changes(found)

    def progress_of(self, reading: FactCollection) -> Content:
        return changes_words.progress(reading.progress())

    def failure_words(self, error: KmsTuiError) -> Content:
        return changes_words.failed(error)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("export", "filter"):
            return self._changes is not None
        return super().check_action(action, parameters)

    # Showing

    def _show_changes(self, changes: FactChanges) -> None:
        self.remove_class("-empty")
        head = changes_words.headline(changes, self._file, [*covered(changes)])
        self.query_one("#changes-head", Static).update(head)
        self._fill()
        self.query_one(LineTable).focus()

    @on(Input.Changed, "#table-filter")
    def _fill(self) -> None:
        changes = self._changes
        if changes is None:
            return
        field = self.query_one("#table-filter", Input)
        words = field.value.lower().split()
        self.set_class(bool(words) or field.has_focus, "-filtering")
        items = changes_words.items(changes)
        self._shown = {key: item for key, item in items if changes_words.matches(item, words)}
        several = len({place.region for place in changes.places}) > 1
        known = self.session.accounts if self.session is not None else ()
        accounts = {each.id: each.name for each in known if each.name} if len(known) > 1 else {}
        rows = [
            changes_words.item_row(key, item, several=several, accounts=accounts)
            for key, item in self._shown.items()
        ]
        self.query_one(LineTable).show_rows(rows)
        found = sum(isinstance(item, KeyChange) for item in self._shown.values())
        total = len(changes.changes)
        of_all = f"{found:,} of " if found < total else ""
        self.show_status(f"{of_all}{counted(total, 'change')}")
        self._show_detail()

    @on(LineTable.Highlighted)
    def _show_detail(self) -> None:
        item = self._shown.get(self.query_one(LineTable).current)
        detail = changes_words.item_detail(item) if item is not None else None
        self.query_one("#changes-detail", Static).update(detail)

    # Actions

    @on(LineTable.Selected)
    def _go_to_key(self, event: LineTable.Selected) -> None:
        item = self._shown[event.key]
        if item.key is None:
            return
        if isinstance(item, KeyChange) and item.kind is ChangeKind.KEY_GONE:
            self.host.notify("That key is not there any more.", severity="warning")
            return
        start(self, partial(self.host.show_key, item.key.arn), group="jump", description="go to a key")

    def action_refresh(self) -> None:
        if self.session is not None:
            self.session_opened(self.session)

    def action_export(self) -> None:
        changes = self._changes
        if changes is not None:
            formats: dict[str, tuple[str, Make]] = {
                "md": ("Markdown", partial(WRITERS["md"], changes)),
                "json": ("JSON", partial(WRITERS["json"], changes)),
                "csv": ("CSV", lambda: render(changes_table(changes), ExportFormat.CSV)),
            }
            work = partial(export, self, "kms-tui-changes", formats)
            self.start_action(work, description="export the changes")

    def action_filter(self) -> None:
        self.add_class("-filtering")
        self.query_one("#table-filter").focus()

    @on(Input.Submitted, "#table-filter")
    def _filter_left(self) -> None:
        self.query_one(LineTable).focus()
        self._fill()

    def action_back(self) -> None:
        field = self.query_one("#table-filter", Input)
        if self.stop_reading():
            return
        if field.has_focus:
            self._filter_left()
        elif field.value:
            field.value = ""
        else:
            self.app.pop_screen()
