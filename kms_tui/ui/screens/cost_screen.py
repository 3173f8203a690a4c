"""Cost: what the keys cost a month, what deleting the marked ones saves, what this session's calls cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from kms_tui.evidence.cost import (
    AccountCost,
    MonthlyCost,
    PricedKey,
    Prices,
    account_cost,
    money,
    monthly_cost,
)
from kms_tui.export import Table
from kms_tui.inventory import FactName, Row
from kms_tui.inventory.cells import name, spec, titled
from kms_tui.inventory.fact_reader import missing_of
from kms_tui.kms.facts import Denied, Failed, Known
from kms_tui.session import Session
from kms_tui.ui.actions.export_actions import export_list
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.words import counted
from kms_tui.ui.screens.inventory_screen import InventoryScreen
from kms_tui.ui.widgets.charts import BarRow, bars, beside
from kms_tui.ui.widgets.key_line import MARK
from kms_tui.ui.widgets.key_notes import is_listed, unlisted_words
from kms_tui.ui.widgets.line_table import LineTable, TableColumn, TableRow
from kms_tui.ui.widgets.screen_bars import TopBar, calls_words
from kms_tui.ui.widgets.text_widgets import Static


@dataclass(frozen=True, slots=True)
class Costs:
    """The account's keys with their costs, the most expensive first, and the savings of the marked ones."""

    account: AccountCost
    keys: Sequence[tuple[Row, MonthlyCost | None]]
    """None where a key is not described."""
    marked: AccountCost
    marked_keys: int
    replicas_left: int
    """Replicas of marked primaries that are not marked, and stay charged."""
    refused: int
    """Keys whose rotations are denied or failed, and would be charged."""
    undescribed: int
    """Keys whose description is denied or failed."""

    @property
    def at_least(self) -> Costs:
        """The same, where keys may be missing from the list."""
        month = replace(self.account.month, at_least=True)
        return replace(self, account=replace(self.account, month=month))


def costs_of(rows: Iterable[Row], marks: Collection[str], prices: Prices) -> Costs:
    """What the cost screen shows; AWS-managed keys are left out."""
    ours = [row for row in rows if not row.aws and not row.gone]
    keys = [(row, monthly_cost(row.key, _rotations(row), prices) if row.key else None) for row in ours]
    keys.sort(key=lambda entry: (-(entry[1].dollars if entry[1] else 0.0), entry[0].sort_name))
    marked = [row for row in ours if row.arn in marks]
    return Costs(
        account_cost([_priced(row) for row in ours], prices),
        keys,
        account_cost([_priced(row) for row in marked], prices),
        len(marked),
        len({arn for row in marked for arn in _replicas(row)} - set(marks)),
        sum(
            isinstance(row.rotations, Denied | Failed)
            for row, cost in keys
            if cost is not None and cost.at_least
        ),
        sum(isinstance(row.described, Denied | Failed) for row in ours),
    )


def _priced(row: Row) -> PricedKey:
    return PricedKey(row.key, _rotations(row))


def _rotations(row: Row) -> int | None:
    return row.rotations.value if isinstance(row.rotations, Known) else None


def _replicas(row: Row) -> Sequence[str]:
    multi = row.key.multi_region if row.key is not None else None
    return multi.replica_arns if multi is not None and multi.is_primary else ()


_COLUMNS = (
    TableColumn("", 1),
    TableColumn("KEY", 19, weight=2),
    TableColumn("A MONTH", 15, right=True),
    TableColumn("FOR", 24, weight=3),
    TableColumn("REGION", 12),
)
_FACTS = ("account", "pending", "unknown", "marked", "calls", "prices")
_LABELS = {
    "account": "Keys",
    "pending": "Not charged",
    "unknown": "Not known",
    "marked": "Marked",
    "calls": "This session",
    "prices": "Prices",
}


class CostScreen(InventoryScreen[tuple[Costs, Sequence[TableRow]]]):
    """Opened from the key list, with its marks."""

    HELP = (
        "What the customer keys of the loaded Regions cost a month. Each of a key's first two rotations adds "
        "to its price; how often a key rotated takes a call a key (ListKeyRotations), so it is read when you "
        "ask for it, and until then the sum says 'at least'. A key costs nothing from the day on which its "
        "deletion is scheduled. AWS's other charges (CloudHSM clusters, the calls of your applications) are "
        "not in the sum."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", id="cost.back", tooltip="Stop reading, then back to the list"),
        Binding(
            "r",
            "read",
            "Read rotations",
            id="cost.read",
            tooltip="Ask how often each key rotated: a call a key (ListKeyRotations)",
        ),
        Binding("enter,d", "jump", "Go to key", id="cost.jump", tooltip="Show this key on the key list"),
        Binding("w", "export", "Export", id="cost.export", tooltip="Write this list: CSV, JSON, Markdown"),
    ]

    def __init__(self, marks: Collection[str]) -> None:
        super().__init__()
        self._marks = frozenset(marks)
        self._costs: Costs | None = None

    def compose_body(self) -> Iterable[Widget]:
        with Vertical(classes="table-body"):
            with Vertical(id="cost-facts"):
                for fact in _FACTS:
                    yield Horizontal(
                        Static(Content(_LABELS[fact]), classes="fact-label"),
                        Static(id=f"cost-{fact}", classes="fact-value"),
                        classes="fact",
                        id=f"for-{fact}",
                    )
            yield Static(id="cost-bars")
            yield LineTable(_COLUMNS, empty="No customer key is listed.")

    def session_opened(self, session: Session) -> None:
        self.query_one(LineTable).focus()
        super().session_opened(session)

    def compute_shown(self, session: Session, rows: Sequence[Row]) -> tuple[Costs, Sequence[TableRow]]:
        costs = costs_of(rows, self._marks, self.prices)
        return costs, [self._line(row, cost) for row, cost in costs.keys]

    def present(self, session: Session, found: tuple[Costs, Sequence[TableRow]]) -> None:
        self._costs, lines = found
        if not is_listed(session.inventory):
            self._costs = self._costs.at_least
        words = _words(self._costs, self.prices, unlisted_words(session.inventory))
        words["calls"] = Content(calls_words(session, self.prices))
        for fact in _FACTS:
            value = words.get(fact)
            self.query_one(f"#cost-{fact}", Static).update(value)
            self.query_one(f"#for-{fact}").display = value is not None
        self.query_one("#cost-bars", Static).update(cost_bars(self._costs))
        table = self.query_one(LineTable)
        on_top = not table.rows or table.current == table.rows[0].key
        table.show_rows(lines)
        if on_top:
            table.action_jump(0)
        month = self._costs.account.month
        year = replace(month, dollars=12 * month.dollars)
        self.show_status(safe(self.progress_words() or f"{year} a year"))
        self.query_one(TopBar).refresh_session()

    def _line(self, row: Row, cost: MonthlyCost | None) -> TableRow:
        price = (str(cost), "plain" if cost.dollars else "quiet") if cost else ("not known", "warning")
        return TableRow(
            row.arn,
            (
                (MARK if row.arn in self._marks else "", "accent"),
                (titled(row), "strong"),
                price,
                (cost.reason if cost else "it cannot be described", "quiet"),
                (row.region, "quiet"),
            ),
        )

    # Actions

    def action_back(self) -> None:
        assert self.session is not None
        if self.session.inventory.progress() is not None:
            self.session.inventory.cancel_demand()
        else:
            self.app.pop_screen()

    def action_read(self) -> None:
        if self._costs is None or self.session is None:
            return
        missing = missing_of(FactName.DESCRIBED, FactName.ROTATIONS)
        rows = [row for row, _ in self._costs.keys if missing(row) is not None]
        if rows:
            self.session.inventory.demand(rows, missing)
        else:
            self.host.notify("How often each key rotated is read already, where that is allowed.")

    @on(LineTable.Selected)
    def action_jump(self) -> None:
        if key := self.query_one(LineTable).current:
            self.start_action(partial(self.host.show_key, key), description="go to a key")

    def action_export(self) -> None:
        self.start_action(self._export, description="export the costs")

    async def _export(self) -> None:
        if self._costs is not None:
            table = partial(_table, self._costs, self._marks, self.prices)
            await export_list(self, "kms-tui-cost", table)


_MOST_GROUPS = 4
"""Groups of keys that have a bar; the others are one together."""


def cost_bars(costs: Costs) -> Content:
    """The cost of a month by key spec and, for several, by account or else by Region, as bars."""
    charged = [(row, cost.dollars) for row, cost in costs.keys if cost is not None and cost.dollars]
    by_spec = _by(charged, lambda row: spec(row).text)
    for place in (attrgetter("account_title"), attrgetter("region")):
        if len({place(row) for row, _ in charged}) > 1:
            return beside(by_spec, _by(charged, place))
    return Content("\n").join(by_spec)


def _by(charged: Iterable[tuple[Row, float]], group: Callable[[Row], str]) -> list[Content]:
    sums: Counter[str] = Counter()
    for row, dollars in charged:
        sums[group(row)] += dollars  # type: ignore[assignment]
    ranked = sums.most_common()
    shown = ranked[: _MOST_GROUPS if len(ranked) > _MOST_GROUPS + 1 else None]
    if others := ranked[len(shown) :]:
        shown.append((f"{len(others)} others", sum(dollars for _, dollars in others)))
    rows = [BarRow(label, dollars, money(dollars)) for label, dollars in shown]
    return bars(rows, label_width=14, width=24)


def _words(costs: Costs, prices: Prices, unlisted: str) -> dict[str, Content]:
    """The lines above the table, by their ids; a fact that does not apply has none.

    ``unlisted`` says which Regions are not listed whole.
    """
    account, marked = costs.account, costs.marked
    keys = counted(account.charged, "key")
    rotations = f" and {counted(account.rotations, 'rotation')}" if account.rotations else ""
    words = {
        "account": Content.styled(f"{account.month} a month", "bold") + Content(f" for {keys}{rotations}"),
        "prices": safe(
            f"of {prices.date}, US dollars: {money(prices.key_month)} a key, "
            f"{money(prices.requests)} per 10,000 calls; [prices] in the configuration changes them"
        ),
    }
    if account.pending:
        words["pending"] = Content(
            f"{account.pending:,} whose deletion is scheduled; {account.if_kept} a month if that is cancelled"
        )
    if unknown := "; ".join(filter(None, (unlisted, _unknown(costs)))):
        words["unknown"] = safe(unknown).stylize("$warning")
    if costs.marked_keys:
        saves = f"deleting the {counted(costs.marked_keys, 'key')} marked would save {marked.month} a month"
        words["marked"] = Content.styled(saves, "$accent") + Content(
            ", from the day on which the deletion is scheduled"
            + (f"; {marked.pending:,} of them free already" if marked.pending else "")
            + (f"; {counted(costs.replicas_left, 'replica')} not marked" if costs.replicas_left else "")
        )
    return words


def _unknown(costs: Costs) -> str:
    account = costs.account
    parts = []
    if unread := account.unread - costs.refused:
        parts.append(f"how often {counted(unread, 'key')} rotated: r reads it, {counted(unread, 'call')}")
    if costs.refused:
        parts.append(f"how often {counted(costs.refused, 'key')} rotated: reading that was refused or failed")
    if unread := account.unknown - costs.undescribed:
        parts.append(f"what {counted(unread, 'key')} cost: r reads it, {counted(unread, 'call')} or more")
    if costs.undescribed:
        parts.append(f"what {counted(costs.undescribed, 'key')} cost: reading that was refused or failed")
    return "; ".join(parts)


def _table(costs: Costs, marks: Collection[str], prices: Prices) -> Table:
    rows = [
        (
            name(row),
            row.key_id,
            row.region,
            row.account,
            f"{cost.dollars:.2f}" if cost else "not known",
            "yes" if cost is None or cost.at_least else "",
            cost.reason if cost else "",
            "yes" if row.arn in marks else "",
        )
        for row, cost in costs.keys
    ]
    columns = ("name", "key_id", "region", "account", "dollars_a_month", "at_least", "reason", "marked")
    return Table(f"Monthly cost of KMS keys, by the prices of {prices.date}", columns, rows)
