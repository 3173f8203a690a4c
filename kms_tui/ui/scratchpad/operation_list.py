"""The operations that the chosen key offers."""

from __future__ import annotations

from collections.abc import Sequence

from textual.message import Message
from textual.widgets import OptionList

from kms_tui.crypto_ops.operations import OPERATIONS, Name, Operation
from kms_tui.ui.safe_text import Content
from kms_tui.ui.widgets.plain import Option


class OperationList(OptionList):
    """The cursor is the choice: moving it changes the operation."""

    class Chosen(Message):
        """Another operation is wanted."""

        def __init__(self, operation: Operation) -> None:
            super().__init__()
            self.operation = operation

    class Entered(Message):
        """The operation is settled: on to its input."""

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
            self.post_message(self.Chosen(OPERATIONS[Name(event.option_id)]))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.post_message(self.Entered())
