"""Log: the calls of this session that changed something, each as an ``aws`` command."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget

from kms_tui.backend.wrappers.session_log import LogEntry
from kms_tui.export import Table
from kms_tui.kms.operations import CRYPTOGRAPHIC, is_mutating
from kms_tui.session import Session
from kms_tui.ui.actions.export_actions import export, table_formats
from kms_tui.ui.actions.viewing_actions import copy_name
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.base.words import counted
from kms_tui.ui.dialogs.text_screen import TextScreen
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.widgets.line_table import LineTable, TableColumn, TableRow

_COLUMNS = (
    TableColumn("TIME", 8),
    TableColumn("REGION", 14),
    TableColumn("RESULT", 12, weight=1),
    TableColumn("CALL", 40, weight=6),
)
_ACCOUNT = TableColumn("ACCOUNT", 16)


class LogScreen(ModeScreen):
    """Mutating calls, newest first; reads are counted, not listed."""

    HELP = (
        "Every call of this session that changed something, or tried to, with the aws command that does "
        "the same. Members that AWS marks as sensitive are left out. Reads are counted above."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "Copy command", id="log.copy", tooltip="Copy the aws command of this call"),
        Binding(
            "w",
            "export",
            "Export",
            id="log.export",
            tooltip="Write all calls to a file: shell script, CSV, JSON, Markdown",
        ),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[str, tuple[LogEntry, str]] = {}

    def compose_body(self) -> Iterable[Widget]:
        with Vertical(classes="table-body"):
            yield LineTable(_COLUMNS, empty="Nothing has been changed in this session.")

    def session_opened(self, session: Session) -> None:
        self._lines.clear()
        table = self.query_one(LineTable)
        table.columns = (_COLUMNS[0], *([_ACCOUNT] if session.has_several_accounts else []), *_COLUMNS[1:])
        table.focus()
        self._refresh_log()

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        self._refresh_log()

    def _refresh_log(self) -> None:
        if self.session is not None:
            start(self, partial(self._show, self.session), group="log", description="show the log")

    async def _show(self, session: Session) -> None:
        entries = {str(number): entry for number, entry in session.log.numbered()}
        new = {key: entry for key, entry in entries.items() if key not in self._lines}
        lines = await off_loop(lambda: [_command(session, each) for each in new.values()])
        self._lines |= dict(zip(new, zip(new.values(), lines, strict=True), strict=True))
        for key in self._lines.keys() - entries.keys():
            del self._lines[key]
        self.query_one(LineTable).show_rows(
            [_row(key, entry, line, session) for key, (entry, line) in reversed(self._lines.items())]
        )
        self.show_status(status_words(list(entries.values()), session.meter.so_far()[0], session.log.count))

    @on(LineTable.Selected)
    def _selected(self, event: LineTable.Selected) -> None:
        entry, line = self._lines[event.key]
        self.app.push_screen(TextScreen(f"{entry.operation} in {entry.region}", line))

    def action_copy(self) -> None:
        current = self._lines.get(self.query_one(LineTable).current)
        if current is not None:
            copy_name(self, "The command is", current[1])

    def action_export(self) -> None:
        self.start_action(self._export, description="export the log")

    async def _export(self) -> None:
        calls = list(self._lines.values())
        formats = {"sh": ("Shell script", lambda: _script(calls)), **table_formats(lambda: _table(calls))}
        await export(self, "kms-tui-session", formats)


def status_words(entries: Sequence[LogEntry], calls: Mapping[str, int], count: int) -> Content:
    """How many changes, failed ones apart, and how many other calls; uses of keys are no reads.

    ``count`` is that of all entries so far; the log keeps the newest.
    """
    failed = sum(bool(entry.error) for entry in entries)
    uses = sum(count for operation, count in calls.items() if operation in CRYPTOGRAPHIC)
    reads = sum(count for operation, count in calls.items() if not is_mutating(operation)) - uses
    parts = [counted(len(entries) - failed, "change")]
    parts += [f"{failed:,} failed"] if failed else []
    parts += [counted(uses, "use") + " of keys"] if uses else []
    parts += [f"{count - len(entries):,} older not kept"] if count > len(entries) else []
    return Content(" · ".join([*parts, counted(reads, "read")]))


def _script(calls: Sequence[tuple[LogEntry, str]]) -> str:
    lines = ["#!/bin/sh", "# What kms-tui changed, oldest first; failed calls are commented out."]
    lines += [f"# {entry.error}: {line}" if entry.error else line for entry, line in calls]
    return "\n".join(lines) + "\n"


def _table(calls: Sequence[tuple[LogEntry, str]]) -> Table:
    rows = [
        (
            entry.time.isoformat(timespec="seconds"),
            entry.account,
            entry.region,
            entry.operation,
            entry.error or "done",
            line,
        )
        for entry, line in calls
    ]
    columns = ("time", "account", "region", "operation", "result", "command")
    return Table("What kms-tui changed, oldest first", columns, rows)


def _command(session: Session, entry: LogEntry) -> str:
    """The command for a call, with the profile of its account and the endpoint of the connection."""
    from kms_tui.command_text import aws_cli, service_line

    account = session.account_with(entry.account)
    line = (aws_cli if entry.service == "kms" else partial(service_line, entry.service))(
        entry.operation,
        entry.params,
        region=entry.region,
        profile=account.profile,
        endpoint_url=session.connection.endpoint_url or "",
    )
    return line + session.account_note(account)


def _row(key: str, entry: LogEntry, line: str, session: Session) -> TableRow:
    account = session.account_with(entry.account).name if session.has_several_accounts else ""
    return TableRow(
        key,
        (
            (entry.time.astimezone().strftime("%H:%M:%S"), "quiet"),
            *([(account, "quiet")] if account else []),
            (entry.region, "quiet"),
            (entry.error, "danger") if entry.error else ("done", "good"),
            line,
        ),
    )
