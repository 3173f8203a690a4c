"""``Modal``: a screen over another, painted once it is laid out, with the screen below it darkened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TypeVar

from rich.console import RenderableType
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import ModalScreen

from kms_tui.ui.base.new_screen import NewScreen

Result = TypeVar("Result")


class Modal(ModalScreen[Result], NewScreen[Result]):
    """A screen over another.

    Textual paints a new screen when it is shown, again when its size is told, and again when its widgets
    have settled; each of these takes longer than the dialog itself. This one is painted after the last.
    """

    _is_laid_out = False

    def on_mount(self) -> None:
        self.call_after_refresh(self._begin_to_paint)

    def _begin_to_paint(self) -> None:
        self._is_laid_out = True
        self.refresh()

    def _compositor_refresh(self) -> None:
        if self._is_laid_out:
            super()._compositor_refresh()
        else:
            self._dirty_widgets.clear()

    def render(self) -> RenderableType:
        below = super().render()
        return DarkenedScreen(below.screen, below.color) if isinstance(below, BackgroundScreen) else below


class DarkenedScreen(BackgroundScreen):
    """Textual's renderable, which mixes the colours of each segment; here those of each style, once."""

    @classmethod
    def process_segments(cls, segments: Iterable[Segment], color: Color) -> Iterator[Segment]:
        for segment in segments:
            text, style, control = segment
            yield segment if control else Segment(text, _darkened(style or _PLAIN, color))


_PLAIN = Style()


@lru_cache(maxsize=4096)
def _darkened(style: Style, color: Color) -> Style:
    (mixed,) = BackgroundScreen.process_segments([Segment("", style)], color)
    return mixed.style or _PLAIN
