"""``KeyDetails``: the details of the key under the cursor, a head and THE table of tabs."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import ContentSwitcher, Tabs

from kms_tui.session import Session
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.base.words import refused_uses_of
from kms_tui.ui.details.detail_tab import DetailTab, tab_id
from kms_tui.ui.widgets.text_widgets import Static, Tab

_PENDING_CHANGES_EVERY = 0.5
"""Seconds between two checks for pending changes of the key."""


def all_tabs() -> list[type[DetailTab[Any]]]:
    """THE table of the tabs, in their order.

    They are imported when there is first a key to show: 0.1 s, for which the event loop does not wait.
    """
    from kms_tui.ui.details.activity_tab import ActivityTab
    from kms_tui.ui.details.grants_and_uses_tab import GrantsAndUsesTab
    from kms_tui.ui.details.names_tab import NamesTab
    from kms_tui.ui.details.overview_tab import OverviewTab
    from kms_tui.ui.details.policy_tab import PolicyTab
    from kms_tui.ui.details.rotation_tab import RotationTab

    return [OverviewTab, PolicyTab, NamesTab, RotationTab, GrantsAndUsesTab, ActivityTab]


class KeyDetails(Vertical):
    """Shows one key; a tab reads what it shows when it is opened, and not before.

    It is empty until there is a key to show, so that the list's first rows do not wait for it.
    """

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
        Binding(
            "down", "enter_tab", "Into the tab", id="details.enter", tooltip="Go to what it lists", show=False
        ),
    ]

    def __init__(self, tab: str = "Overview", section: str = "") -> None:
        super().__init__(id="details")
        self._session: Session | None = None
        self._subject: Subject | None = None
        self._pending_changes = ""
        """Pending changes as shown now."""
        self._refused: Content | None = None
        self._focus_wanted = False
        self._open, self._section = tab_id(tab), section
        self._is_filling = self._is_filled = False

    def _start_filling(self) -> None:
        start(self, self._fill, group="fill", description="make the details")

    async def _fill(self) -> None:
        panes = [tab() for tab in await off_loop(all_tabs)]
        await self.mount_all(
            [
                Static(id="details-name"),
                Static(id="details-id"),
                Static(id="details-pending"),
                Static(id="details-watch"),
                Tabs(
                    *(Tab(Content(pane.TITLE), id=f"for-{pane.id}") for pane in panes),
                    active=f"for-{self._open}",
                ),
                ContentSwitcher(*panes, initial=self._open),
            ]
        )
        self._is_filled = True
        self.current.section = self._section
        self.set_interval(_PENDING_CHANGES_EVERY, self._show_pending_changes)
        if self._session is not None and self._subject is not None:
            self.show(self._session, self._subject)
        if self._focus_wanted:
            self.focus_tabs()

    @property
    def subject(self) -> Subject | None:
        return self._subject

    @property
    def current(self) -> DetailTab[Any]:
        return self._tab(self._open)

    def _tab(self, name: str) -> DetailTab[Any]:
        tab = self.query_one(f"#{name}")
        assert isinstance(tab, DetailTab)
        return tab

    def show(self, session: Session, subject: Subject) -> None:
        """Show a key; the same one again is read again."""
        self._session, self._subject = session, subject
        if not self._is_filled:
            if not self._is_filling:
                self._is_filling = True
                self.call_after_refresh(self._start_filling)
            return
        first, *more = subject.aliases or (subject.key_id,)
        name = safe(first).stylize("bold")
        if more:
            name += Content.styled(
                f"  +{len(more)} alias{'es' if len(more) > 1 else ''}", "$foreground-muted"
            )
        self.query_one("#details-name", Static).update(name)
        self.query_one("#details-id", Static).update(safe(subject.key_id).stylize("$foreground-muted"))
        self._show_pending_changes()
        self.show_refusals()
        self.current.show(session, subject)

    def show_refusals(self) -> None:
        """Say above the tabs who is refused the use of a watched key."""
        session, subject = self._session, self._subject
        if not self._is_filled or session is None or subject is None:
            return
        refused = refused_uses_of(session, subject.arn)
        if refused == self._refused:
            return
        self._refused = refused
        line = self.query_one("#details-watch", Static)
        line.display = refused is not None
        if refused is not None:
            line.update(refused)

    def _show_pending_changes(self) -> None:
        """Say which changes made here KMS does not show yet."""
        assert self._session is not None
        assert self._subject is not None
        words = self._session.account_of(self._subject.arn).pending.words(
            self._subject.region, self._subject.key_id
        )
        if words == self._pending_changes:
            return
        self._pending_changes = words
        line = self.query_one("#details-pending", Static)
        line.set_class(bool(words), "-shown")
        line.update(safe(f"propagating: {words}; KMS still answers from before" if words else ""))

    def focus_tabs(self) -> None:
        """Focus the tabs, as soon as they exist."""
        self._focus_wanted = not self._is_filled
        if self._is_filled:
            self.query_one(Tabs).focus()

    def is_open(self, title: str) -> bool:
        """Whether this tab is open, or will be as soon as the tabs exist."""
        return self._open == tab_id(title)

    def open_tab(self, title: str, section: str = "") -> None:
        """Open a tab; with the next ``show``, scroll to the widget that has ``section`` as its id."""
        if self._is_filled:
            self._tab(tab_id(title)).section = section
            self.query_one(Tabs).active = f"for-{tab_id(title)}"
        else:
            self._open, self._section = tab_id(title), section

    def action_next_tab(self) -> None:
        if self._is_filled:
            self.query_one(Tabs).action_next_tab()

    def action_previous_tab(self) -> None:
        if self._is_filled:
            self.query_one(Tabs).action_previous_tab()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "enter_tab":
            return self._is_filled and self.query_one(Tabs).has_focus
        return super().check_action(action, parameters)

    def action_enter_tab(self) -> None:
        self.screen.focus_next()

    @on(Tabs.TabActivated)
    def _tab_activated(self, event: Tabs.TabActivated) -> None:
        event.stop()
        if not self._is_filled:
            return
        assert event.tab.id is not None
        self._open = event.tab.id.removeprefix("for-")
        self.query_one(ContentSwitcher).current = self._open
        if self._session is not None and self._subject is not None:
            self.current.show(self._session, self._subject)
