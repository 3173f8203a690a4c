"""The two lines at the top: where one is, and which modes there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from kms_tui.session import BackendKind, Session
from kms_tui.ui.modes import MODE_TABLE
from kms_tui.ui.safe_text import Content, safe
from kms_tui.ui.widgets.plain import Static

if TYPE_CHECKING:
    from kms_tui.ui.app import KmsApp

_ROOM_FOR_TITLES = 110
"""In a narrower terminal the modes' short titles leave room for the screen's own line."""


class TopBar(Vertical):
    """Account and region on the left, the session's calls and its limits on the right, modes below."""

    def compose(self) -> ComposeResult:
        with Horizontal(id="top-line"):
            yield Static(id="where")
            yield Static(id="limits")
        with Horizontal(id="mode-line"):
            yield Static(id="modes")
            yield Static(id="status")

    def on_mount(self) -> None:
        self.refresh_session()
        self.set_interval(1.0, self._tick)

    def _tick(self) -> None:
        if self.screen in self.app.screen_stack:  # of another mode nothing is seen
            self.refresh_session()

    @property
    def kms_app(self) -> KmsApp:
        return cast("KmsApp", self.app)

    def refresh_session(self) -> None:
        """Show the app's session as it is now."""
        app = self.kms_app
        where = Content.styled(" kms-tui ", "$accent bold")
        session = app.session
        if session is None:
            where += safe(f" {app.connection.title} · opening…").stylize("$foreground-muted")
        else:
            account = session.kms.account_id or "account unknown"
            regions = session.inventory.regions
            place = f"{len(regions)} regions" if len(regions) > 1 else session.kms.region
            parts = (session.connection.title, account, place)
            where += Content.styled(" · ", "$foreground-muted").join([safe(part) for part in parts if part])
        self.query_one("#where", Static).update(where)
        self.query_one("#modes", Static).update(self._modes())
        self._show_calls()

    def _modes(self) -> Content:
        current, gap = self.kms_app.current_mode, "   "
        titles = {mode.name: mode.title for mode in MODE_TABLE.values()}
        if self.size.width < _ROOM_FOR_TITLES:
            gap, titles = "  ", {mode.name: mode.short or mode.title for mode in MODE_TABLE.values()}
        names = [
            Content.styled(
                f"{number} {title}",
                "$accent bold" if name == current else f"@click=app.open_mode('{name}')",
            )
            for number, (name, title) in enumerate(titles.items(), 1)
        ]
        return Content(" ") + Content(gap).join(names)

    def on_resize(self) -> None:
        self.query_one("#modes", Static).update(self._modes())

    def _show_calls(self) -> None:
        session = self.kms_app.session
        if session is None:
            return
        limits = Content.styled(f"{session.meter.total:,} calls{self._price(session)} ", "$foreground-muted")
        if session.notice:
            limits += Content.styled(f" {session.notice} ", "$warning") + Content(" ")
        if session.read_only:
            limits += Content.styled(" READ-ONLY ", "bold $background on $warning")
        self.query_one("#limits", Static).update(limits)

    def _price(self, session: Session) -> str:
        """What the calls cost on AWS ("" in the local store, where they cost nothing)."""
        if session.connection.kind is BackendKind.LOCAL or not session.meter.total:
            return ""
        from kms_tui.ui.acts.costing import calls_so_far, money

        return f" ≈ {money(calls_so_far(session, self.kms_app.config.price_table).dollars)}"

    def show_status(self, status: Content | str) -> None:
        """The screen's own line, right of the modes ("38 keys · 2 need attention")."""
        self.query_one("#status", Static).update(status if isinstance(status, Content) else Content(status))
