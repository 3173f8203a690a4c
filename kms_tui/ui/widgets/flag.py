"""A yes-or-no field that shows which of the two without colour."""

from __future__ import annotations

from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.widgets.choices import Checkbox


class Flag(Checkbox):
    """A check box with its value as a word; Textual's own shows a cross either way, in another colour."""

    @property
    def _button(self) -> Content:
        word = "yes" if self.value else "no "
        return Content.styled(f" {word} ", "$foreground on $panel" + (" bold" if self.value else ""))
