"""One multi-Region key in all its Regions, and what can be done about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from textual import on
from textual.widget import Widget

from kms_tui.kms.facts import Denied, Fact, Known
from kms_tui.kms.model import Key, KeyState
from kms_tui.ui.dialogs.base import Dialog
from kms_tui.ui.safe_text import Content
from kms_tui.ui.widgets.line_table import LineTable, TableColumn, TableRow
from kms_tui.ui.widgets.text_widgets import Button, Static
from kms_tui.ui.words import STATE_WORDS

_COLUMNS = (TableColumn("REGION", 18), TableColumn("ROLE", 9), TableColumn("STATE", 24, weight=1))


@dataclass(frozen=True, slots=True)
class RegionalKey:
    """The key as it is in one Region."""

    region: str
    is_primary: bool
    key: Fact[Key]


@dataclass(frozen=True, slots=True)
class Replicate:
    """Make a replica in another Region."""


@dataclass(frozen=True, slots=True)
class MakePrimary:
    """Make the replica of a Region the primary."""

    region: str


class RegionsDialog(Dialog[Replicate | MakePrimary]):
    """Shows the primary and its replicas with the state of each; ``may_change`` offers to change them."""

    initial_focus = "#regions"

    def __init__(self, title: str, keys: Sequence[RegionalKey], *, may_change: bool) -> None:
        super().__init__(title)
        self.keys = keys
        self.may_change = may_change

    def compose_body(self) -> Iterable[Widget]:
        yield LineTable(_COLUMNS, id="regions")
        yield Static()
        yield Static(
            Content(
                "What one encrypts, every other opens. Policy, aliases, tags, grants and state belong "
                "to each alone; rotation is the primary's."
            ),
            classes="muted",
        )

    def compose_buttons(self) -> Iterable[Widget]:
        yield Button(Content("Close"), id="cancel")
        if self.may_change:
            yield Button(Content("Make primary"), id="primary")
            yield Button(Content("Replicate…"), id="confirm", variant="primary")

    def on_mount(self) -> None:
        self.query_one(LineTable).show_rows([_row(each) for each in self.keys])

    @on(Button.Pressed, "#primary")
    def _make_primary(self) -> None:
        current = self.query_one(LineTable).current
        if any(each.region == current and each.is_primary for each in self.keys):
            self.show_error("That is the primary already: choose a replica with the arrow keys.")
            self.query_one(LineTable).focus()
        else:
            self.dismiss(MakePrimary(current))

    def confirm(self) -> None:
        self.dismiss(Replicate())


def _row(each: RegionalKey) -> TableRow:
    if isinstance(each.key, Known):
        state = each.key.value.state
        words = (STATE_WORDS.get(state, state), "good" if state == KeyState.ENABLED else "warning")
    elif isinstance(each.key, Denied):
        words = ("denied: you may not call DescribeKey there", "warning")
    else:
        words = ("not known", "warning")
    return TableRow(each.region, (each.region, "primary" if each.is_primary else "replica", words))
