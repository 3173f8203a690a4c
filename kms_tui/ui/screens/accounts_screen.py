"""Accounts: those that are listed together, what is known of each, and the one to work in."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.events import Resize
from textual.widget import Widget

from kms_tui.accounts.account import Account
from kms_tui.counts import in_words
from kms_tui.export import Table
from kms_tui.inventory import Row
from kms_tui.inventory.cells import span
from kms_tui.inventory.listing import Region, unlisted
from kms_tui.session import Session
from kms_tui.ui.actions.export_actions import export_list
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.words import counted
from kms_tui.ui.screens.inventory_screen import InventoryScreen
from kms_tui.ui.widgets.line_table import LineTable, TableColumn, TableRow
from kms_tui.ui.widgets.text_widgets import Input, Static

_COLUMNS = (
    TableColumn("", 1),
    TableColumn("ACCOUNT", 18, weight=2),
    TableColumn("ID", 12),
    TableColumn("KEYS", 8, right=True),
    TableColumn("ATTENTION", 9, right=True),
    TableColumn("STATE", 24, weight=4),
)
_ROOM_FOR_REASONS = 110
"""Cells of the screen from which on each line has its reason too."""
_CURRENT, _UNKNOWN = "●", "–"
_PLAIN_NAME = re.compile(r"[\w.-]+")
_LISTING, _LISTED, _IN_PART, _FAILED = "listing…", "listed", "listed in part", "not listed"
_LOOKS = {_LISTING: "quiet", _LISTED: "good", _IN_PART: "warning", _FAILED: "danger"}


@dataclass(frozen=True, slots=True)
class AccountState:
    """An account's customer keys, how many of them need attention, and how far it is listed.

    ``error`` says why it is not listed whole, a line for each reason. Untrusted.
    """

    account: Account
    keys: int
    attention: int
    listed: str
    error: str

    @property
    def brief(self) -> str:
        """How far it is listed, and whether it may be changed."""
        return f"{self.listed}{' · read-only' if self.account.read_only else ''}"

    @property
    def words(self) -> str:
        """The same, with the reason."""
        return " · ".join([self.brief, *self.error.splitlines()])


class AccountsScreen(InventoryScreen[list[AccountState]]):
    """Opened from every screen of a session of several accounts."""

    HELP = (
        "The accounts that are listed together, as --accounts names them. One that cannot be opened or "
        "listed says why, and hides no other. The account marked ● is the one to work in: there keys are "
        "created, and Aliases and the custom key stores are its own. What is done to a key is done in the "
        "key's account, with that account's credentials, whichever is marked."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", "Back", id="accounts.back", tooltip="Clear the filter; then go back"),
        Binding("slash", "filter", "Filter", id="accounts.filter", tooltip="Filter by name, id or state"),
        Binding("enter,d", "keys", "Its keys", id="accounts.keys", tooltip="Filter the key list by it"),
        Binding(
            "space",
            "choose",
            "Work in it",
            id="accounts.choose",
            tooltip="Make it the account in which keys are created, and whose aliases are shown",
        ),
        Binding("r", "refresh", "Refresh", id="accounts.refresh", tooltip="List all accounts again"),
        Binding("w", "export", "Export", id="accounts.export", tooltip="Write the list to a file"),
    ]
    DEFAULT_CSS = """
    AccountsScreen #account-reason {
        height: auto;
        max-height: 60%;
        margin: 1 0 0 0;
        padding: 0 2;
        scrollbar-size-vertical: 1;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._states: dict[str, AccountState] = {}

    def compose_body(self) -> Iterable[Widget]:
        with Vertical(classes="table-body"):
            yield Input(placeholder="/ to filter: name, id, state", id="table-filter")
            yield LineTable(_COLUMNS, empty="No account matches.")
            with VerticalScroll(id="account-reason"):
                yield Static(id="account-error")

    def session_opened(self, session: Session) -> None:
        self.query_one(LineTable).focus()
        super().session_opened(session)

    def account_chosen(self, session: Session) -> None:
        self.recompute()

    def compute_shown(self, session: Session, rows: Sequence[Row]) -> list[AccountState]:
        keys: Counter[object] = Counter()
        attention: Counter[object] = Counter()
        for row in rows:
            if row.place is not None and not row.row_class.aws and not row.row_class.gone:
                keys[row.place.account] += 1
                attention[row.place.account] += bool(row.row_class.health.findings)
        regions: defaultdict[object, list[Region]] = defaultdict(list)
        for region in session.inventory.regions:
            regions[region.account].append(region)
        return [
            AccountState(account, keys[account], attention[account], *_listed(regions[account]))
            for account in session.accounts
        ]

    def present(self, session: Session, found: list[AccountState]) -> None:
        self._states = {str(number): state for number, state in enumerate(found)}
        self._show_matching()
        failed = sum(state.listed in (_FAILED, _IN_PART) for state in found)
        keys = sum(state.keys for state in found)
        words = [Content(counted(len(found), "account"))]
        words += [Content.styled(f"{failed:,} not whole", "$error")] if failed else []
        self.show_status(Content(" · ").join([*words, Content(counted(keys, "customer key"))]))

    @on(Resize)
    @on(Input.Changed, "#table-filter")
    def _show_matching(self) -> None:
        if self.session is None:
            return
        words, current = self.query_one("#table-filter", Input).value.lower().split(), self.session.current
        self.query_one(LineTable).show_rows(
            [
                _row(key, state, current, with_reason=self.size.width >= _ROOM_FOR_REASONS)
                for key, state in self._states.items()
                if all(word in f"{state.account.title} {state.words}".lower() for word in words)
            ]
        )
        self._show_error()

    @on(Input.Submitted, "#table-filter")
    def _filter_left(self) -> None:
        self.query_one(LineTable).focus()

    @property
    def _current(self) -> AccountState | None:
        return self._states.get(self.query_one(LineTable).current)

    @on(LineTable.Highlighted)
    def _show_error(self) -> None:
        """Say in full why the account under the cursor is not listed whole."""
        state = self._current
        error = state.error if state is not None else ""
        self.query_one("#account-error", Static).update(
            safe(error).stylize("$error") if error else self._source_words()
        )

    def _source_words(self) -> Content:
        """Where the list is from, where AWS Config was asked."""
        aggregate = self.session.inventory.aggregate if self.session is not None else None
        if aggregate is None or self.session is None:
            return Content()
        if aggregate.error is not None:
            return safe(f"AWS Config's aggregator: {aggregate.error} KMS lists the rest.").stylize("$warning")
        if aggregate.aggregator is None or aggregate.oldest is None:
            return Content()
        age = f"{span(self.session.now() - aggregate.oldest)} ago"
        words = f"By AWS Config's aggregator {aggregate.aggregator.name}, its oldest record {age}. "
        return safe(words + "Keys on screen are read from KMS.").stylize("$foreground-muted")

    def action_filter(self) -> None:
        self.query_one("#table-filter").focus()

    def action_back(self) -> None:
        field, table = self.query_one("#table-filter", Input), self.query_one(LineTable)
        if not table.has_focus:
            table.focus()
        elif field.value:
            field.value = ""
        else:
            self.app.pop_screen()

    @on(LineTable.Selected)
    def action_keys(self) -> None:
        if (state := self._current) is not None:
            work = partial(self.host.show_keys, f"account:{_filter_value(state.account)}")
            self.start_action(work, description="show an account's keys")

    def action_choose(self) -> None:
        if (state := self._current) is not None:
            self.start_action(partial(self._choose, state.account), description="work in an account")

    async def _choose(self, account: Account) -> None:
        if await self.attempt(account.opened, doing=f"open account {account.name}") is not None:
            self.host.choose_account(account)
            self.host.notify(f"Keys are created in {account.title} now, and Aliases are its own.")

    def action_refresh(self) -> None:
        if self.session is not None:
            self.session.inventory.refresh()

    def action_export(self) -> None:
        self.start_action(self._export, description="export the accounts")

    async def _export(self) -> None:
        states = list(self._states.values())
        await export_list(self, "kms-tui-accounts", lambda: _table(states))


def _listed(regions: Sequence[Region]) -> tuple[str, str]:
    """How far an account is listed, and why it is not whole."""
    broken = unlisted(regions)
    if any(region.busy for region in regions):
        return _LISTING, ""
    if not broken:
        return _LISTED, ""
    failed = sum(region.error is not None for region in regions)
    of_error: defaultdict[str, list[str]] = defaultdict(list)
    for each in broken:
        of_error[str(each.region.error)].append(each.region.name)
    if failed == len(regions):
        return _FAILED, "\n".join(of_error)
    return _IN_PART, "\n".join(f"{in_words(names)}: {error}" for error, names in of_error.items())


def _row(key: str, state: AccountState, current: Account, *, with_reason: bool) -> TableRow:
    """Without its reason an account's state is that alone: the reason is below, for the one at the cursor."""
    account, unknown = state.account, state.listed is _FAILED and not state.keys
    return TableRow(
        key,
        (
            (_CURRENT if account is current else "", "accent"),
            (account.name, "strong"),
            (account.id, "quiet"),
            (_UNKNOWN, "quiet") if unknown else f"{state.keys:,}",
            (_UNKNOWN, "quiet")
            if unknown
            else (f"{state.attention:,}", "warning" if state.attention else "quiet"),
            (state.words if with_reason else state.brief, _LOOKS[state.listed]),
        ),
    )


def _filter_value(account: Account) -> str:
    """The account's name, or its id where the name cannot stand in a filter as it is."""
    return account.name if _PLAIN_NAME.fullmatch(account.name) or not account.id else account.id


def _table(states: Sequence[AccountState]) -> Table:
    columns = ("account", "id", "keys", "attention", "state", "error")
    rows = [
        (
            each.account.name,
            each.account.id,
            str(each.keys),
            str(each.attention),
            each.listed,
            " ".join(each.error.splitlines()),
        )
        for each in states
    ]
    return Table("Accounts", columns, rows)
