"""The field of several lines: what was pasted from anywhere is drawn harmless, and held as it is."""

from __future__ import annotations

from rich.text import Text
from textual import widgets

from kms_tui.ui.base.safe_text import harmless


class TextArea(widgets.TextArea):
    """Several lines of text."""

    def get_line(self, line_index: int) -> Text:
        return Text(harmless(self.document.get_line(line_index)), end="", no_wrap=True)

    def on_unmount(self) -> None:
        """Watch the app's theme no more: it would hold this for ever."""
        watchers = getattr(self.app, "__watchers", {}).get("theme", [])
        watchers[:] = [watcher for watcher in watchers if watcher[0] is not self]
