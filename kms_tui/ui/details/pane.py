"""The details of the key under the cursor: head, tabs, and the tab that is open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import ContentSwitcher, Static, Tab, Tabs

from kms_tui.session import Session
from kms_tui.ui.acts.base import Subject
from kms_tui.ui.details.aliases import AliasesTab
from kms_tui.ui.details.grants import GrantsTab
from kms_tui.ui.details.overview import OverviewTab
from kms_tui.ui.details.policy import PolicyTab
from kms_tui.ui.details.rotation import RotationTab
from kms_tui.ui.details.tab import DetailTab
from kms_tui.ui.details.tags import TagsTab
from kms_tui.ui.safe_text import safe

TABS: tuple[Callable[[], DetailTab[Any]], ...] = (
    OverviewTab,
    PolicyTab,
    AliasesTab,
    RotationTab,
    GrantsTab,
    TagsTab,
)
"""THE table of tabs, in their order."""


class KeyDetails(Vertical):
    """Shows one key; a tab reads what it shows when it is opened, and not before."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "right_square_bracket",
            "next_tab",
            "Next tab",
            id="details.next",
            tooltip="The next tab",
            show=False,
        ),
        Binding(
            "left_square_bracket",
            "previous_tab",
            "Previous tab",
            id="details.previous",
            tooltip="The tab before",
            show=False,
        ),
    ]

    def __init__(self) -> None:
        super().__init__(id="details")
        self._session: Session | None = None
        self._subject: Subject | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="details-name")
        yield Static(id="details-id")
        panes = [tab() for tab in TABS]
        yield Tabs(*(Tab(pane.TITLE, id=f"for-{pane.id}") for pane in panes))
        with ContentSwitcher(initial=panes[0].id):
            yield from panes

    @property
    def subject(self) -> Subject | None:
        return self._subject

    @property
    def current(self) -> DetailTab[Any]:
        tab = self.query_one(f"#{self.query_one(ContentSwitcher).current}")
        assert isinstance(tab, DetailTab)
        return tab

    def show(self, session: Session, subject: Subject) -> None:
        """Show a key; the same one again is read again."""
        self._session, self._subject = session, subject
        first, *more = subject.aliases or (subject.key_id,)
        name = safe(first).stylize("bold")
        if more:
            name += Content.styled(
                f"  +{len(more)} alias{'es' if len(more) > 1 else ''}", "$foreground-muted"
            )
        self.query_one("#details-name", Static).update(name)
        self.query_one("#details-id", Static).update(safe(subject.key_id).stylize("$foreground-muted"))
        self.current.show(session, subject)

    def focus_tabs(self) -> None:
        self.query_one(Tabs).focus()

    def open_tab(self, title: str) -> None:
        self.query_one(Tabs).active = f"for-tab-{title.lower()}"

    def action_next_tab(self) -> None:
        self.query_one(Tabs).action_next_tab()

    def action_previous_tab(self) -> None:
        self.query_one(Tabs).action_previous_tab()

    @on(Tabs.TabActivated)
    def _tab_activated(self, event: Tabs.TabActivated) -> None:
        event.stop()
        assert event.tab.id is not None
        self.query_one(ContentSwitcher).current = event.tab.id.removeprefix("for-")
        if self._session is not None and self._subject is not None:
            self.current.show(self._session, self._subject)
