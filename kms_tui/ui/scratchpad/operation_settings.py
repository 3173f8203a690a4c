"""The operations that the chosen key offers, and the settings of the chosen one: a row each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import OptionList

from kms_tui.crypto_ops.request import ActiveSetting
from kms_tui.crypto_ops.scratchpad_operations import OPERATIONS, Operation, OperationName
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.scratchpad.pane_fields import ProblemLine
from kms_tui.ui.widgets.form_widgets import Select
from kms_tui.ui.widgets.text_widgets import Input, Option, Static


def _options(ready: ActiveSetting) -> list[tuple[Content, str]]:
    return [(safe(choice.title), choice.value) for choice in ready.choices]


_NEW_FIELDS: tuple[Callable[[ActiveSetting], Widget], ...] = (
    lambda ready: Input(ready.value, classes="number"),
    lambda ready: Static(safe(ready.choices[0].title), classes="only"),
    lambda ready: Select(_options(ready), value=ready.value),
)
"""Of a setting without choices, with one, and with several."""


class SettingRow(Horizontal):
    """One setting: a list where there is a choice, plain text where there is one, else a number."""

    class Changed(Message):
        """Another value was chosen or typed."""

        def __init__(self, name: str, value: str) -> None:
            super().__init__()
            self.name = name
            self.value = value

    def __init__(self, ready: ActiveSetting) -> None:
        super().__init__(classes="row setting")
        self.setting = ready.setting
        self._choices = ready.choices
        self._fields: dict[int, Widget] = {}
        self.field = self._field_for(ready)

    def compose(self) -> ComposeResult:
        yield Static(Content(self.setting.label), classes="label")
        yield self.field

    def _field_for(self, ready: ActiveSetting) -> Widget:
        """The row's field of the kind that these choices need."""
        kind = min(len(ready.choices), len(_NEW_FIELDS) - 1)
        if kind not in self._fields:
            self._fields[kind] = _NEW_FIELDS[kind](ready)
        return self._fields[kind]

    async def show(self, ready: ActiveSetting) -> None:
        """Show the setting as it is now; a field that is new is mounted."""
        field = self.field = self._field_for(ready)
        if field.parent is None:
            await self.mount(field)
        for each in self._fields.values():
            each.display = each is field
        with self.prevent(Select.Changed, Input.Changed):
            if isinstance(field, Static):
                field.update(safe(ready.choices[0].title))
            elif isinstance(field, Select):
                if ready.choices != self._choices:
                    field.set_options(_options(ready))
                field.value = ready.value
            elif isinstance(field, Input):
                field.value = ready.value
        self._choices = ready.choices

    @on(Select.Changed)
    def _chosen(self, event: Select.Changed) -> None:
        event.stop()
        if any(choice.value == event.value for choice in self._choices):
            self.post_message(self.Changed(self.setting.name, str(event.value)))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(self.setting.name, event.value))


class SettingsPane(Vertical):
    """The settings of the chosen operation; ``values`` keeps those of all operations."""

    class Changed(Message):
        """A setting has changed."""

    def __init__(self, ready: Sequence[ActiveSetting]) -> None:
        super().__init__(id="settings")
        self.values: dict[str, str] = {}
        self.problem = ProblemLine(self)
        self._rows: dict[str, SettingRow] = {}
        self._add_rows(ready)

    def compose(self) -> ComposeResult:
        yield from self._rows.values()

    def _add_rows(self, ready: Sequence[ActiveSetting]) -> list[SettingRow]:
        """The rows of those settings that have none yet."""
        self.values |= {entry.setting.name: entry.value for entry in ready}
        new = [SettingRow(entry) for entry in ready if entry.setting.name not in self._rows]
        self._rows |= {row.setting.name: row for row in new}
        return new

    async def show(self, ready: Sequence[ActiveSetting]) -> None:
        """Show these settings and hide the others, whose values stay."""
        if new := self._add_rows(ready):
            await self.mount(*new, before=self.problem if self.problem.parent is self else None)
        shown = {entry.setting.name for entry in ready}
        for name, row in self._rows.items():
            row.display = name in shown
        for entry in ready:
            await self._rows[entry.setting.name].show(entry)
        self.problem.say("")

    def set_values(self, values: Mapping[str, str]) -> None:
        self.values.update(values)

    def focus_first(self) -> None:
        """Focus the first setting that can be changed: problems are about that one."""
        for row in self._rows.values():
            if row.display and not isinstance(row.field, Static):
                row.field.focus()
                return

    @on(SettingRow.Changed)
    def _changed(self, event: SettingRow.Changed) -> None:
        event.stop()
        if self.values.get(event.name) != event.value:
            self.values[event.name] = event.value
            self.post_message(self.Changed())


class OperationList(OptionList):
    """The cursor is the choice: moving it changes the operation."""

    class Chosen(Message):
        """Another operation was chosen."""

        def __init__(self, operation: Operation) -> None:
            super().__init__()
            self.operation = operation

    class Entered(Message):
        """The operation is chosen: on to its input."""

    def __init__(self) -> None:
        super().__init__(id="operations", compact=True)
        self._offered: tuple[Operation, ...] = ()

    def show(self, offered: Sequence[Operation], chosen: Operation) -> None:
        """Show these operations, with the cursor on the chosen one."""
        with self.prevent(OptionList.OptionHighlighted):
            if tuple(offered) != self._offered:
                self._offered = tuple(offered)
                self.set_options(
                    Option(Content(operation.title), id=operation.name.value) for operation in offered
                )
            self.highlighted = self._offered.index(chosen)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        if event.option_id is not None:
            self.post_message(self.Chosen(OPERATIONS[OperationName(event.option_id)]))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.post_message(self.Entered())
