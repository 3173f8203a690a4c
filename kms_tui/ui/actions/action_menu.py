"""``ActionMenu``: what can be done to the chosen keys, by group; typing filters, and refused ones say why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, NamedTuple

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import OptionList

from kms_tui.ui.actions.action_table import Group, KeyAction
from kms_tui.ui.base.safe_text import Content, column, safe
from kms_tui.ui.dialogs.dialog import Dialog
from kms_tui.ui.widgets.facts_table import FactsTable
from kms_tui.ui.widgets.text_widgets import Button, Input, Option

_TITLE_CELLS, _KEY_CELLS = 18, 4


class MenuEntry(NamedTuple):
    """An action as the menu shows it: its key for people, and why it is refused, or ""."""

    action: KeyAction
    key: str
    refusal: str

    def matches(self, words: Sequence[str]) -> bool:
        action = self.action
        text = f"{action.title} {action.tooltip} {action.group} {self.key}".lower()
        return all(word in text for word in words)


class _MenuFilter(Input):
    """A line whose up and down keys move in the menu below."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "screen.move(1)", show=False),
        Binding("up", "screen.move(-1)", show=False),
    ]


class ActionMenu(Dialog[KeyAction]):
    """Answers with an action that is not refused."""

    initial_focus = "#menu-filter"
    dialog_classes = "-list"
    DEFAULT_CSS = """
    ActionMenu #dialog { height: 90%; }
    ActionMenu #dialog-body { height: 1fr; max-height: 100%; overflow: hidden; }
    ActionMenu #choices {
        height: 1fr; max-height: 100%; background: $panel; border: none; padding: 0; scrollbar-gutter: stable;
    }
    """

    def __init__(self, title: str, entries: Sequence[MenuEntry]) -> None:
        super().__init__(title)
        self.entries = entries

    def compose_body(self) -> Iterable[Widget]:
        yield _MenuFilter(placeholder="type to filter", id="menu-filter")
        yield OptionList(id="choices", compact=True)

    def compose_buttons(self) -> Iterable[Widget]:
        yield Button(Content("Cancel"), id="cancel")

    def on_mount(self) -> None:
        self._fill()

    @property
    def choices(self) -> OptionList:
        return self.query_one("#choices", OptionList)

    @on(Input.Changed, "#menu-filter")
    def _fill(self) -> None:
        words = self.query_one("#menu-filter", Input).value.lower().split()
        choices = self.choices
        choices.set_options(_options([entry for entry in self.entries if entry.matches(words)]))
        offered = [index for index in range(choices.option_count) if not _is_disabled(choices, index)]
        choices.highlighted = offered[0] if offered else None
        self.show_error("" if choices.option_count else "No action matches.")

    def action_move(self, by: int) -> None:
        if by > 0:
            self.choices.action_cursor_down()
        else:
            self.choices.action_cursor_up()

    @on(Input.Submitted, "#menu-filter")
    def _submitted(self) -> None:
        if self.choices.highlighted is not None:
            self.choices.action_select()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(next(entry.action for entry in self.entries if entry.action.id == event.option_id))


def _options(entries: Sequence[MenuEntry]) -> Iterable[Option]:
    """The entries below the headings of their groups."""
    for group in Group:
        of_group = [entry for entry in entries if entry.action.group is group]
        if of_group:
            yield Option(Content.styled(group.value, "$accent bold"), disabled=True)
        for entry in of_group:
            yield Option(_line(entry), id=entry.action.id, disabled=bool(entry.refusal))


def _line(entry: MenuEntry) -> FactsTable:
    key = Content.styled(f"  {column(entry.key, _KEY_CELLS)}", "$accent bold")
    said = f"not now: {entry.refusal}" if entry.refusal else entry.action.tooltip
    title = key + safe(column(entry.action.title, _TITLE_CELLS))
    return FactsTable([(title, safe(said).stylize("$foreground-muted"))])


def _is_disabled(choices: OptionList, index: int) -> bool:
    return choices.get_option_at_index(index).disabled
