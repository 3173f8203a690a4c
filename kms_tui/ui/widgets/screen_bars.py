"""The bars of every screen: account, calls and modes on top, the keys on the last line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen

from kms_tui.session import BackendKind, Session
from kms_tui.ui.base.host import host_of
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.widgets.text_widgets import Static

if TYPE_CHECKING:
    from kms_tui.evidence.cost import CallsCost, Prices

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
        if self.screen in self.app.screen_stack:  # other modes are not on screen
            self.refresh_session()

    def refresh_session(self) -> None:
        """Show the app's session as it is now."""
        app = host_of(self)
        where = Content.styled(" kms-tui ", "$accent bold")
        session = app.session
        if session is None:
            where += safe(f" {app.connection.title} · opening…").stylize("$foreground-muted")
        else:
            account = session.current.title
            if session.has_several_accounts:
                account += f" and {len(session.accounts) - 1:,} more"
            regions = session.inventory.region_names
            place = f"{len(regions)} regions" if len(regions) > 1 else session.kms.region
            parts = (
                (session.connection.title, "@click=app.choose_profile"),
                (account, "@click=app.open_accounts" if session.has_several_accounts else ""),
                (place, "@click=app.choose_regions"),
            )
            where += Content.styled(" · ", "$foreground-muted").join(
                [safe(part).stylize(click) if click else safe(part) for part, click in parts if part]
            )
        self.query_one("#where", Static).update(where, layout=False)
        self.query_one("#modes", Static).update(self._modes())
        self._show_calls()

    def _modes(self) -> Content:
        host, gap = host_of(self), "   "
        modes, current = host.MODE_TABLE.values(), host.current_mode
        titles = {mode.name: mode.title for mode in modes}
        if self.size.width < _ROOM_FOR_TITLES:
            gap, titles = " ", {mode.name: mode.short or mode.title for mode in modes}
        names = [
            Content.styled(
                f"{number} {title}", "$accent bold" if name == current else f"@click=app.open_mode('{name}')"
            )
            for number, (name, title) in enumerate(titles.items(), 1)
        ]
        return Content(" ") + Content(gap).join(names)

    def on_resize(self) -> None:
        self.query_one("#modes", Static).update(self._modes())

    def _show_calls(self) -> None:
        session = host_of(self).session
        if session is None:
            return
        total = session.meter.total
        calls = f"{total:,} call{'' if total == 1 else 's'}{self._price(session)} "
        limits = Content.styled(calls, "$foreground-muted")
        if session.notice:
            limits += Content.styled(f" {session.notice} ", "$warning") + Content(" ")
        for each in host_of(self).background.values():
            limits += Content.styled(f" {each.status} ", "$accent bold") + Content(" ")
        if session.read_only:
            limits += Content.styled(" READ-ONLY ", "bold $background on $warning")
        self.query_one("#limits", Static).update(limits)

    def _price(self, session: Session) -> str:
        """The price of the calls on AWS ("" in the local store, where they cost nothing)."""
        if session.connection.kind is BackendKind.LOCAL or not session.meter.total:
            return ""
        from kms_tui.evidence.cost import money

        return f" ≈ {money(calls_so_far(session, host_of(self).config.price_table).dollars)}"

    def show_status(self, status: Content | str) -> None:
        """The screen's own line, right of the modes ("38 keys · 2 need attention")."""
        content = status if isinstance(status, Content) else Content(status)
        self.query_one("#status", Static).update(content, layout=False)


def calls_so_far(session: Session, prices: Prices) -> CallsCost:
    """The price of this session's calls."""
    from kms_tui.evidence.cost import calls_cost

    def spec_of(arn: str) -> str:
        row = session.inventory.row(arn)
        return row.key.spec if row is not None and row.key is not None else ""

    calls, uses = session.meter.so_far()
    return calls_cost(calls, uses, spec_of, prices)


def calls_words(session: Session, prices: Prices) -> str:
    """ "142 calls, less than $0.01"."""
    from kms_tui.evidence.cost import money

    cost = calls_so_far(session, prices)
    price = money(cost.dollars) if cost.dollars >= 0.01 else "less than $0.01"
    words = f"{cost.calls:,} calls, {'at least ' if cost.at_least else ''}{price}"
    if cost.at_least:
        words += f" ({cost.unknown:,} on keys whose spec is not known)"
    if session.connection.kind is BackendKind.LOCAL:
        words += " on AWS; the local store costs nothing"
    return words


_GAP = "  "
_ALWAYS = 2
"""The last keys (help, quit) stay where there is no room for all."""


class KeyBar(Static):
    """The shown bindings that can be used now, in their order; a click on one presses its key.

    One widget that draws one line: Textual's Footer mounts a widget for each key, and all of them again
    whenever the focus moves, which costs the first rows 0.1 s.
    """

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
        self._is_stale = False
        """Whether the bindings have changed since they were shown."""

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._show_later)
        self._show_later(self.screen)

    def on_unmount(self) -> None:
        self.screen.bindings_updated_signal.unsubscribe(self)

    def on_resize(self) -> None:
        self._show(self.screen)

    def on_click(self, event: events.Click) -> None:
        x = event.x - self.styles.padding.left
        for first, after, key in self._places:
            if first <= x < after:
                self.app.simulate_key(key)

    def _show_later(self, screen: Screen[object]) -> None:
        """Show the bindings once for all changes until the next repaint."""
        if not self._is_stale:
            self._is_stale = True
            self.call_after_refresh(self._show, screen)

    def _show(self, screen: Screen[object]) -> None:
        """Show the bindings; beneath a dialog only where none are shown yet."""
        self._is_stale = False
        if not self.is_attached or (self._places and not screen.is_active):
            return
        entries: dict[str, tuple[str, str, str]] = {}
        for active in screen.active_bindings.values():
            binding = active.binding
            if binding.show and binding.description and active.enabled:
                display = screen.app.get_key_display(binding)
                entries.setdefault(binding.action, (display, binding.description, binding.key))
        line = self._line(_that_fit(list(entries.values()), self.content_size.width))
        self.update(line, layout=False)

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
