"""The field of several lines: what was pasted from anywhere is drawn harmless, and held as it is."""

from __future__ import annotations

from rich.text import Text
from textual import widgets
from textual.document._document import EditResult

from kms_tui.ui.pasting import is_too_long
from kms_tui.ui.safe_text import harmless

MOST_CHARACTERS = 500_000
"""A hundred times what the API takes; beyond it laying the lines out would take seconds."""


class TextArea(widgets.TextArea):
    """Several lines of text."""

    def get_line(self, line_index: int) -> Text:
        return Text(harmless(self.document.get_line(line_index)), end="", no_wrap=True)

    def _replace_via_keyboard(
        self, insert: str, start: tuple[int, int], end: tuple[int, int]
    ) -> EditResult | None:
        """All that is typed and pasted comes through here."""
        if is_too_long(self, insert, MOST_CHARACTERS):
            return None
        return super()._replace_via_keyboard(insert, start, end)
