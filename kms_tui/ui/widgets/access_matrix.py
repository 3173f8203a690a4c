"""Who may do what with the key, by its policy and its grants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.coordinate import Coordinate
from textual.message import Message
from textual.widgets import DataTable

from kms_tui.kms.facts import Known
from kms_tui.kms.model import Grant
from kms_tui.kms.operations import Access
from kms_tui.policy import Document
from kms_tui.policy.access import AccessCell, AccessFacts, AccessRow
from kms_tui.policy.describe import condition
from kms_tui.ui.base.safe_text import Content, column, safe
from kms_tui.ui.base.words import fact_content
from kms_tui.ui.widgets.text_widgets import Static

_HEADS = {Access.ADMINISTER: "ADMIN", Access.USE: "USE", Access.GRANT: "GRANT", Access.READ: "READ"}
_CELL = 8
"""Cells of a column, if there is room; words that are longer widen theirs."""
_MARK = 8
_NARROWEST = 12
_ROOM_FOR_NAMES = 20
"""Cells for the names below which the columns beside them give way."""
_LOOKS = {"all": "bold", "–": "dim", "denied": "strike"}


class AccessMatrix(Vertical):
    """Principals and kinds of access; enter shows the statements and grants behind a cell."""

    DEFAULT_CSS = """
    AccessMatrix {
        height: auto;
        #access-who, #access-note { height: auto; }
        #access-who { margin: 0 0 1 0; }
        #access-note { margin: 1 0 0 0; color: $text-muted; }
        DataTable {
            height: auto; background: $background; overflow-x: hidden; overflow-y: hidden;
            & > .datatable--header { background: $background; color: $text-muted; text-style: none; }
            & > .datatable--cursor { background: $block-cursor-background; color: $foreground; }
            & > .datatable--header-cursor, & > .datatable--header-hover {
                background: $background; color: $text-muted;
            }
        }
    }
    """

    class Explained(Message):
        """A cell was chosen: the principal, and what gives it that access."""

        def __init__(self, title: str, text: str) -> None:
            super().__init__()
            self.title = title
            self.text = text

    def __init__(self) -> None:
        super().__init__()
        self._facts: AccessFacts | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="access-who")
        yield DataTable[Text](cursor_type="cell", zebra_stripes=False, cell_padding=0, show_row_labels=False)
        yield Static(id="access-note")

    @property
    def table(self) -> DataTable[Text]:
        return self.query_one(DataTable)

    def present(self, facts: AccessFacts | None) -> None:
        """Show the matrix; nothing where it is not known."""
        self._facts = facts
        self.display = facts is not None
        if facts is not None:
            who = Content.styled("Could still change the policy  ", "$foreground-muted")
            self.query_one("#access-who", Static).update(who + safe(facts.who_can_change))
            self.query_one("#access-note", Static).update(_note(facts))
        self._fill()

    @on(events.Resize)
    def _resized(self) -> None:
        self._fill()

    def _fill(self) -> None:
        table, facts = self.table, self._facts
        at = table.cursor_coordinate
        table.clear(columns=True)
        if facts is None:
            return
        mark_width = _MARK if any(map(_mark, facts.rows)) else 0
        room = self.size.width - mark_width - 1
        words = _words(facts.rows, room)
        widths = _widths(words, room)
        name_width = max(_NARROWEST, room - sum(widths))
        table.add_column(Text("PRINCIPAL"), width=name_width)
        for head, width in zip(_HEADS.values(), widths, strict=True):
            table.add_column(Text(head), width=width)
        if mark_width:
            table.add_column(Text(), width=mark_width)
        for row, told in zip(facts.rows, words, strict=True):
            cells = [Text(column(_label(row), name_width - 1) + " ")]
            cells += [Text(word, _LOOKS.get(word, "")) for word in told]
            table.add_row(*cells, *([Text(_mark(row))] if mark_width else []))
        table.cursor_coordinate = Coordinate(min(at.row, max(0, len(facts.rows) - 1)), at.column)

    @on(DataTable.CellSelected)
    def _selected(self, event: DataTable.CellSelected) -> None:
        event.stop()
        facts = self._facts
        if facts is None:
            return
        row = facts.rows[event.coordinate.row]
        kinds = list(_HEADS)
        chosen = event.coordinate.column - 1
        shown = [kinds[chosen]] if 0 <= chosen < len(kinds) else kinds
        text = "\n\n".join(explained(facts.document, row, shown))
        self.post_message(self.Explained(row.party.text, text))


def _note(facts: AccessFacts) -> Content:
    note = Content(
        "all, some: of the actions of its kind · if: under conditions · ✗: denied · outside: another "
        "account · enter shows the statements. What IAM policies give to principals of an account is in that "
        "account's row."
    )
    if isinstance(facts.grants, Known):
        return note
    error = fact_content(facts.grants, lambda _: Content())
    return Content.styled("Without the grants: ", "$warning") + error + Content("\n") + note


def _label(row: AccessRow) -> str:
    """The principal's name; the number of another account, which has a mark."""
    return row.party.account if row.outside and row.delegates else row.label


def _mark(row: AccessRow) -> str:
    if row.public:
        return "public"
    return "outside" if row.outside else ""


def _words(rows: Sequence[AccessRow], room: int) -> list[list[str]]:
    """The words of all cells, a list a row: short ones where the long ones leave no room for the names."""
    long = [[cell_words(row.cells[kind]) for kind in _HEADS] for row in rows]
    if sum(_widths(long, 0)) + _ROOM_FOR_NAMES <= room:
        return long
    return [[cell_words(row.cells[kind], short=True) for kind in _HEADS] for row in rows]


def _widths(words: Sequence[Sequence[str]], room: int) -> list[int]:
    """The width of each kind's column: as wide as its words where ``room`` is too narrow for all alike."""
    heads = list(_HEADS.values())
    own = [max(len(row[place]) for row in (heads, *words)) + 1 for place in range(len(heads))]
    alike = [max(_CELL, width) for width in own]
    return alike if sum(alike) + _ROOM_FOR_NAMES <= room else own


def cell_words(cell: AccessCell, *, short: bool = False) -> str:
    """What one principal may do of one kind, and how much of it is denied."""
    if cell.allowed:
        word = "all" if cell.is_full else "some"
        word = f"{word}+if" if cell.conditional else word
    elif cell.conditional:
        word = "if"
    else:
        word = ""
    denied = len(cell.denied)
    if cell.is_denied:
        return "denied"
    if denied:
        return f"{word} ✗{denied}".strip() if short else ", ".join(filter(None, (word, f"{denied} denied")))
    if cell.denied_sometimes and not word:
        return "✗ if" if short else "denied if"
    return word or "–"


def explained(document: Document, row: AccessRow, kinds: Sequence[Access]) -> Iterator[str]:
    """The actions, conditions, statements and grants that give a principal these kinds of access."""
    from kms_tui.ui.base.policy_words import formatted_statement

    statements: dict[int, str] = {}
    grants: dict[str, str] = {}
    for kind in kinds:
        cell = row.cells[kind]
        yield "\n".join(_summary(kind, cell))
        for statement in cell.statements:
            statements[statement.index] = f"{statement.label}\n{formatted_statement(document, statement)}"
        for grant in cell.grants:
            grants[grant.grant_id] = _grant(grant)
    if row.delegates:
        yield "An account delegates this to its IAM policies; its root user has it all."
    yield from statements.values()
    yield from grants.values()


def _summary(kind: Access, cell: AccessCell) -> Iterator[str]:
    if cell.is_empty:
        yield f"May {kind.value}: nothing"
    if cell.allowed:
        yield f"May {kind.value}: {', '.join(cell.allowed)}"
    if cell.conditional:
        yield f"May {kind.value} under conditions: {', '.join(cell.conditional)}"
    yield from (f"  if {condition(each.test, holds=each.wanted)}" for each in cell.conditions)
    if cell.denied:
        yield f"Denied: {', '.join(cell.denied)}"
    if cell.denied_sometimes:
        yield f"Denied under conditions: {', '.join(cell.denied_sometimes)}"


def _grant(grant: Grant) -> str:
    lines = [f"Grant {grant.name or grant.grant_id}", f"  {', '.join(grant.operations)}"]
    lines += [f"  only if {name}: {value}" for name, value in grant.constraints.items()]
    return "\n".join(lines)
