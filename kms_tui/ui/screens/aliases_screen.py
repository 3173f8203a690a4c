"""Aliases: every alias of the Region, the key that it points at, and that key's state."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from functools import partial
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget

from kms_tui.export import Table
from kms_tui.inventory import Row
from kms_tui.inventory.listing import Region
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.facts import Denied, Failed, Known
from kms_tui.kms.keyspecs import spec_title
from kms_tui.kms.model import Alias
from kms_tui.session import Session
from kms_tui.ui.actions import alias_actions
from kms_tui.ui.actions.export_actions import export_list
from kms_tui.ui.actions.viewing_actions import copy_name
from kms_tui.ui.base.background import start
from kms_tui.ui.base.host import KeysChanged
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.base.subject import Subject, subject_of
from kms_tui.ui.base.words import STATE_WORDS, date_words
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.widgets.line_table import LineTable, TableColumn, TableRow
from kms_tui.ui.widgets.text_widgets import Input

_COLUMNS = (
    TableColumn("ALIAS", 24, weight=3),
    TableColumn("POINTS AT", 22, weight=2),
    TableColumn("SPEC", 10),
    TableColumn("STATE", 16),
    TableColumn("CHANGED", 10),
)
_DANGLING = ("key not found", "warning")


class AliasesScreen(ModeScreen):
    """One table; words mark AWS's own aliases and those without a key."""

    HELP = (
        "Every alias of this region. AWS-managed names come last and cannot be changed; a name whose key is "
        "not there says so. Repointing changes which key new data is encrypted under; what is encrypted "
        "already still needs the key it was encrypted under."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", id="aliases.filter", tooltip="Filter as you type"),
        Binding(
            "a", "create", "New alias", id="aliases.create", tooltip="Give a key another name (CreateAlias)"
        ),
        Binding(
            "A",
            "repoint",
            "Repoint",
            id="aliases.repoint",
            tooltip="Point the alias at another key (UpdateAlias)",
        ),
        Binding(
            "minus", "delete", "Delete", id="aliases.delete", tooltip="Take the alias away (DeleteAlias)"
        ),
        Binding("enter,d", "jump", "Go to key", id="aliases.jump", tooltip="Show its key on the key list"),
        Binding("c", "copy", "Copy", id="aliases.copy", tooltip="Copy the alias, with its prefix"),
        Binding(
            "w",
            "export",
            "Export",
            id="aliases.export",
            tooltip="Write the list as it is filtered: CSV, JSON, Markdown",
            show=False,
        ),
        Binding(
            "r", "refresh", "Refresh", id="aliases.refresh", tooltip="List the aliases again", show=False
        ),
        Binding("escape", "back", "Back", id="aliases.back", tooltip="Clear the filter", show=False),
    ]
    _CHANGES: ClassVar[frozenset[str]] = frozenset({"create", "repoint", "delete"})

    def __init__(self) -> None:
        super().__init__()
        self._aliases: dict[str, Alias] = {}
        self._is_listed = self._is_listing = False

    def compose_body(self) -> Iterable[Widget]:
        with Vertical(classes="table-body"):
            yield Input(placeholder="/ to filter", id="table-filter")
            yield LineTable(_COLUMNS, empty="No alias matches.")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in self._CHANGES and self.session is not None and self.session.current.read_only:
            return False
        return super().check_action(action, parameters)

    def session_opened(self, session: Session) -> None:
        self._aliases.clear()
        self._is_listed = False
        self.query_one(LineTable).focus()
        self.action_refresh()

    def _place(self, session: Session) -> Region:
        """The Region whose aliases are shown: that of the current account."""
        return session.inventory.region(session.kms.region, session.current)

    def account_chosen(self, session: Session) -> None:
        self.session_opened(session)

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self.session is not None:
            self._show()

    def action_refresh(self) -> None:
        start(self, self._list, group="list", description="list the aliases")

    async def _list(self) -> None:
        session = self.session
        assert session is not None
        self._is_listing = True
        self.show_status("listing…")
        try:
            aliases = await self.attempt(session.kms.aliases, doing="list the aliases")
        finally:
            self._is_listing = False
        if aliases is not None:
            self._aliases = {alias.name: alias for alias in aliases}
            self._is_listed = True
        self._show()

    # The table

    @on(Input.Changed, "#table-filter")
    def _show(self) -> None:
        if self.session is None:
            return
        shown, table = self._matching(), self.query_one(LineTable)
        table.empty = "No alias matches." if self._aliases else "No alias." if self._is_listed else ""
        table.show_rows([line for _, _, line in shown])
        aws = sum(alias.is_aws for alias, _, _ in shown)
        if not self._is_listed:
            self.show_status("listing…" if self._is_listing else "not listed: r tries again")
            return
        mine = len(shown) - aws
        words = f"{mine:,} {'alias' if mine == 1 else 'aliases'} · {aws:,} of AWS"
        if len(shown) < len(self._aliases):
            words = f"{len(shown):,} of {len(self._aliases):,} aliases"
        if len(self.session.inventory.regions) > 1:
            words += f" · of {self._place(self.session).title} alone"
        status = Content(words)
        if dangling := sum(_DANGLING in line.cells for _, _, line in shown):
            status += Content.styled(f" · {dangling:,} without their key", "$warning")
        self.show_status(status)

    def _matching(self) -> list[tuple[Alias, Row | None, TableRow]]:
        """Each alias that matches the filter, with its key and its table row."""
        words = self.query_one("#table-filter", Input).value.lower().split()
        targets = self._targets()
        ordered = sorted(self._aliases.values(), key=lambda alias: (alias.is_aws, alias.name))
        found = [(alias, targets.get(alias.target_key_id)) for alias in ordered]
        shown = [(alias, row, self._row(alias, row)) for alias, row in found]
        return [each for each in shown if all(word in _searched_text(each[2]) for word in words)]

    def _row(self, alias: Alias, row: Row | None) -> TableRow:
        key = row.key if row is not None else None
        return TableRow(
            alias.name,
            (
                (alias.short_name, "quiet" if alias.is_aws else "strong"),
                (alias.target_key_id or "–", "quiet"),
                spec_title(key.spec) if key is not None else "",
                self._state(alias, row),
                (date_words(alias.updated) if alias.updated else "", "quiet"),
            ),
        )

    def _state(self, alias: Alias, row: Row | None) -> tuple[str, str]:
        """The state of an alias's key in words, and its look."""
        if not alias.target_key_id:
            return "no key yet", "quiet"
        assert self.session is not None
        words = self.session.current.pending.words(self.session.kms.region, alias.target_key_id)
        if f"alias {alias.short_name}" in words.split(", "):
            return "propagating", "accent"
        if row is None:
            if self.session.inventory.busy:
                return "listing…", "quiet"
            is_listed = isinstance(self._place(self.session).keys, Known)
            return _DANGLING if is_listed else ("not known", "warning")
        if row.gone or _is_missing(row):
            return _DANGLING
        if isinstance(row.described, Denied | Failed):
            return "denied" if isinstance(row.described, Denied) else "not known", "warning"
        word = STATE_WORDS.get(row.key.state, row.key.state) if row.key is not None else ""
        return word.partition(":")[0], "quiet" if word in ("enabled", "") else "warning"

    def _targets(self) -> dict[str, Row]:
        """Key id -> key, of this Region."""
        assert self.session is not None
        place = self._place(self.session)
        return {row.key_id: row for row in self.session.inventory.rows() if row.place is place}

    def action_export(self) -> None:
        self.start_action(self._export, description="export the aliases")

    async def _export(self) -> None:
        session = self.session
        if session is None:
            return
        shown = [(alias, row, self._state(alias, row)[0]) for alias, row, _ in self._matching()]
        region = session.kms.region

        def table() -> Table:
            rows = [_exported(alias, row, state) for alias, row, state in shown]
            return Table(f"Aliases of {region}", _EXPORTED, rows)

        await export_list(self, "kms-tui-aliases", table)

    # Actions

    def _current(self) -> tuple[Alias, Subject] | None:
        alias = self._aliases.get(self.query_one(LineTable).current)
        if alias is None or self.session is None:
            return None
        row = self._targets().get(alias.target_key_id)
        if row is not None:
            subject = subject_of(row)
            return alias, Subject(
                subject.key_id, subject.arn, subject.region, (alias.short_name,), subject.key
            )
        region = self.session.kms.region
        return alias, Subject(alias.target_key_id, alias.arn, region, (alias.short_name,), None)

    def _do(self, run: Callable[[ModeScreen, Sequence[Subject]], Coroutine[Any, Any, None]]) -> None:
        current = self._current()
        if current is None:
            return
        alias, subject = current
        if alias.is_aws:
            self.host.notify("AWS manages this alias: it can be viewed, not changed.", severity="warning")
            return
        self.start_action(partial(self._run, run, subject), description="change an alias")

    async def _run(
        self, run: Callable[[ModeScreen, Sequence[Subject]], Coroutine[Any, Any, None]], subject: Subject
    ) -> None:
        if await self.confirm_protected("Change an alias", [subject]):
            await run(self, [subject])

    def action_repoint(self) -> None:
        self._do(alias_actions.repoint_alias)

    def action_delete(self) -> None:
        self._do(alias_actions.delete_alias)

    def action_create(self) -> None:
        self._do(alias_actions.create_alias)

    @on(LineTable.Selected)
    def action_jump(self) -> None:
        """Go to the key that the alias points at; a predefined alias may have none."""
        current = self._current()
        if current is None:
            return
        row = self._targets().get(current[0].target_key_id)
        if row is None:
            self.host.notify(f"{current[0].name} points at no key of the list.", severity="warning")
        else:
            self.start_action(partial(self.host.show_key, row.arn), description="go to a key")

    def action_copy(self) -> None:
        current = self._current()
        if current is not None:
            copy_name(self, "Alias", current[0].name)

    def action_filter(self) -> None:
        self.query_one("#table-filter").focus()

    def action_back(self) -> None:
        field, table = self.query_one("#table-filter", Input), self.query_one(LineTable)
        if not table.has_focus:
            table.focus()
        else:
            field.value = ""

    @on(Input.Submitted, "#table-filter")
    def _filter_left(self) -> None:
        self.query_one(LineTable).focus()

    @on(KeysChanged)
    def _changed(self, message: KeysChanged) -> None:
        assert self.session is not None
        self.session.reread(*message.key_ids)
        self.action_refresh()


_EXPORTED = ("alias", "key_id", "spec", "state", "created", "updated", "arn")


def _exported(alias: Alias, row: Row | None, state: str) -> tuple[str, ...]:
    spec = row.key.spec if row is not None and row.key is not None else ""
    times = [moment.isoformat() if moment else "" for moment in (alias.created, alias.updated)]
    return (alias.name, alias.target_key_id, spec, state, *times, alias.arn)


def _is_missing(row: Row) -> bool:
    """Whether KMS knows no such key: the row stands for the alias alone."""
    error = row.described.error if isinstance(row.described, Failed) else None
    return isinstance(error, ServiceError) and error.code == "NotFoundException"


def _searched_text(row: TableRow) -> str:
    """The text that the filter searches: the whole row, and the alias with its prefix."""
    cells = (cell if isinstance(cell, str) else cell[0] for cell in row.cells)
    return " ".join([row.key, *cells]).lower()
