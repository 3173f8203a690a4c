"""The keys of the screen, on its last line.

One widget that draws one line: Textual's Footer mounts a widget for each key, and all of them again whenever
the focus moves, which costs the first rows 0.1 s.
"""

from __future__ import annotations

from rich.cells import cell_len
from textual import events
from textual.screen import Screen

from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.widgets.plain import Static

_GAP = "  "
_ALWAYS = 2
"""The last keys (help, quit) stay where there is no room for all."""


class KeyBar(Static):
    """The bindings that are shown, in their order, without what is not offered now; a click is the key."""

    DEFAULT_CSS = """
    KeyBar {
        dock: bottom;
        height: 1;
        padding: 0 1;
        background: $surface;
        text-wrap: nowrap;
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._places: list[tuple[int, int, str]] = []
        """(first cell, cell after the last, key) of each entry."""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._show)
        self.call_after_refresh(self._show, self.screen)

    def on_unmount(self) -> None:
        self.screen.bindings_updated_signal.unsubscribe(self)

    def on_resize(self) -> None:
        self._show(self.screen)

    def on_click(self, event: events.Click) -> None:
        x = event.x - self.styles.padding.left
        for first, after, key in self._places:
            if first <= x < after:
                self.app.simulate_key(key)

    def _show(self, screen: Screen[object]) -> None:
        if not self.is_attached or screen is not self.app.screen:
            return
        entries: dict[str, tuple[str, str, str]] = {}
        for active in screen.active_bindings.values():
            binding = active.binding
            if binding.show and binding.description and active.enabled:
                display = screen.app.get_key_display(binding)
                entries.setdefault(binding.action, (display, binding.description, binding.key))
        self.update(self._line(_that_fit(list(entries.values()), self.content_size.width)))

    def _line(self, entries: list[tuple[str, str, str]]) -> Content:
        self._places, parts, at = [], [], 0
        for display, description, key in entries:
            width = _width((display, description, key))
            self._places.append((at, at + width, key))
            at += width + len(_GAP)
            parts.append(
                Content.assemble((display, "$accent bold"), (f" {description}", "$foreground-muted"))
            )
        return Content(_GAP).join(parts)


def _width(entry: tuple[str, str, str]) -> int:
    return cell_len(entry[0]) + 1 + cell_len(entry[1])


def _that_fit(entries: list[tuple[str, str, str]], width: int) -> list[tuple[str, str, str]]:
    """As many entries as there is room for; those before the last ones give way from the right."""
    entries = list(entries)
    while len(entries) > _ALWAYS and sum(map(_width, entries)) + len(_GAP) * (len(entries) - 1) > width:
        del entries[-_ALWAYS - 1]
    return entries
