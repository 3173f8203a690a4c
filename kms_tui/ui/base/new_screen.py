"""``NewScreen``: a screen whose widgets are styled once as it opens."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual import on
from textual.events import ScreenResume
from textual.screen import Screen

Result = TypeVar("Result")


class NewScreen(Screen[Result]):
    """The base of every screen: Textual styles the widgets of a new one up to three times."""

    FIRST_RESUMES: ClassVar[int] = 1
    """How often Textual resumes this screen as it opens."""

    def __init__(self, **options: str | None) -> None:
        super().__init__(**options)
        width = self.app.size.width
        breakpoints = self.HORIZONTAL_BREAKPOINTS or self.app.HORIZONTAL_BREAKPOINTS or []
        # Without the class of its width, every widget would be styled again at the screen's first resize.
        self.add_class([name for least, name in breakpoints if width >= least][-1], update=False)

    def _compositor_refresh(self) -> None:
        """Paint; nothing while the app holds paints back, which Textual renders and then drops."""
        if not self.app._batch_count:
            super()._compositor_refresh()

    @on(ScreenResume)
    def _keep_first_styles(self, event: ScreenResume) -> None:
        """A new screen was styled as it was mounted."""
        if self.stack_updates < self.FIRST_RESUMES:
            event.refresh_styles = False
