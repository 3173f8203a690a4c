"""A yes-or-no field that shows which of the two without colour."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Checkbox


class Flag(Checkbox):
    """A check box that is empty while it is off; Textual's own shows a dimmed cross."""

    @property
    def _button(self) -> Content:
        self.BUTTON_INNER = "X" if self.value else " "
        return super()._button
