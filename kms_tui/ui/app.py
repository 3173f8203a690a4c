"""``KmsApp``: the modes, the session that they share, and what happens when a connection opens or fails."""

from __future__ import annotations

import gc
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from textual._styles_cache import StylesCache
from textual.actions import ActionParseResult
from textual.app import ComposeResult
from textual.dom import DOMNode
from textual.events import Event, Paste
from textual.screen import Screen
from textual.widget import AwaitMount

from kms_tui.config import Config
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.facts import UNASKED
from kms_tui.session import Connection, Opener
from kms_tui.ui.app_shell.boundary import Boundary, listen
from kms_tui.ui.app_shell.refusal_poller import RefusalPoller
from kms_tui.ui.app_shell.screen_table import (
    APP_BINDINGS,
    FACTORIES,
    FIRST_MODE,
    MODE_TABLE,
    SCREENS,
    import_screens,
    screen_class,
)
from kms_tui.ui.app_shell.themes import DARK, THEMES
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.host import AccountChosen, Host, KeysChanged, SessionOpened
from kms_tui.ui.base.pasting import MOST_TAKEN, is_too_long
from kms_tui.ui.base.safe_text import Content, OnlyText, safe, visible
from kms_tui.ui.widgets.text_widgets import Static

if TYPE_CHECKING:
    from textual.filter import LineFilter
    from textual.notifications import SeverityLevel

    from kms_tui.accounts.account import Account
    from kms_tui.ui.app_shell.tour import Tour
    from kms_tui.ui.screens.keys_screen import KeysScreen

SLOW_OPENING_SECONDS = 3.0
"""Seconds after which a notification names what the opening waits for."""
_LAST_SECONDS = 5.0
"""Seconds for which quitting waits until what is in hand in the background is over."""
_CHANGE_NOTICES = 16
"""Notifications of changes that may stand on screen at a time."""
_SWITCH_SECONDS = 0.001
"""Seconds until a working thread lets the event loop go on; a frame takes it several times.

At Python's 0.005 a key pressed while 100,000 keys are listed is painted after 0.1 s, at this after 0.04 s.
"""
_STARTED_SECONDS = 1.0
"""Seconds after opening: the first rows are there, and nobody has pressed much yet."""
_PENDING_CHANGES_EVERY = 0.5
"""Seconds between two checks of which keys with pending changes are due to be read again."""

# Textual caches this method for each widget's instance; as a class method it keeps no widget alive.
_inner_outer: Any = StylesCache.get_inner_outer
StylesCache.get_inner_outer = classmethod(_inner_outer)  # type: ignore[method-assign,assignment]


class KmsApp(Boundary, Host):
    """The console on one connection; ``opener`` opens connections and is the only way to a backend."""

    TITLE = "kms-tui"
    CSS_PATH = "app.tcss"
    MODES = FACTORIES
    MODE_TABLE = MODE_TABLE
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (130, "-wide")]
    BINDINGS = APP_BINDINGS

    def __init__(
        self, opener: Opener, connection: Connection, config: Config | None = None, *, welcome: bool = False
    ) -> None:
        """``welcome`` shows the first steps below the key list."""
        super().__init__()
        self.welcomes = welcome
        self._tour: Tour | None = None
        self._failed: Connection | None = None
        self._attempts = 0
        """How often in a row the connection could not be opened."""
        self._came_from = ""
        """The mode that ``show_key`` was called from, or ""."""
        self._opener = opener
        self.connection = connection
        self.config = config or Config()
        self.asking = set()
        self.background = {}
        self.secrets_copied = []
        self.change_notices = deque(maxlen=_CHANGE_NOTICES)
        self.form_drafts = {}
        self.recent_commands = []
        self._only_text = OnlyText()
        self._refusals = RefusalPoller(self)
        for theme in THEMES.values():
            self.register_theme(theme)
        if self.current_theme.dark:
            # Textual begins with a dark theme, unless TEXTUAL_THEME names another. Ours takes its place
            # without a watcher, which would have every style sheet parsed once more.
            self.set_reactive(KmsApp.theme, DARK.name)
            self.stylesheet.set_variables(self.get_css_variables())
        self.theme = self.config.theme
        self.set_keymap(dict(self.config.keys))

    def compose(self) -> ComposeResult:
        """The first frame, painted before anything that takes time is imported."""
        yield Static(
            Content.styled(" kms-tui ", "$accent bold") + safe(f" {self.connection.title} · opening…")
        )

    def on_mount(self) -> None:
        self.has_begun = True
        listen(self)
        self.call_after_refresh(self._begin)
        self.set_interval(_PENDING_CHANGES_EVERY, self._read_pending_changes)

    def exit(self, *args: Any, **options: Any) -> None:
        """Quit; what goes on in the background is told first, since screens take a moment to close."""
        self._stop_background()
        super().exit(*args, **options)

    async def on_unmount(self) -> None:
        self._stop_background()
        for clear in list(self.secrets_copied):
            clear()
        if self.session is not None:
            self.session.inventory.close()
        for each in [*self.background.values()]:
            await off_loop(partial(each.wait, _LAST_SECONDS))

    def _stop_background(self) -> None:
        """Have what goes on in the background end soon."""
        for each in self.background.values():
            each.stop()

    def _begin(self) -> None:
        self.open(self.connection)
        self.switch_mode(FIRST_MODE)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """On the first frame one can only quit: what opens there stays below the first mode, out of reach."""
        return action == "quit" or self.current_mode != self.DEFAULT_MODE

    # Sessions

    def open(self, connection: Connection) -> None:
        """Open a connection off the event loop; the present session stays until the other has opened."""
        self.connection = connection
        start(self, partial(self._open, connection), group="session", description="open a session")

    async def _open(self, connection: Connection) -> None:
        late = self.set_timer(SLOW_OPENING_SECONDS, partial(self._opening_is_slow, connection))
        try:
            session = await off_loop(lambda: self._opener(connection, self._ask_secret))
        except KmsTuiError as error:
            self._attempts = self._attempts + 1 if connection == self._failed else 1
            self._failed = connection
            self.open_screen("start", connection, error, self._attempts)
            return
        finally:
            late.stop()
        sys.setswitchinterval(_SWITCH_SECONDS)
        self._stop_background()
        if self.session is not None:
            self.session.close()
        else:
            self.set_timer(_STARTED_SECONDS, self._prepare_screens)
        self.session = session
        self.form_drafts.clear()
        self._refusals.follow(session)
        for screen in self.all_screens:
            screen.post_message(SessionOpened())

    def _prepare_screens(self) -> None:
        """Import the other screens before a key asks for one, which would wait 0.1 to 0.5 s for it."""
        start(self, self._import_screens, group="screens", description="import the screens")

    async def _import_screens(self) -> None:
        await off_loop(import_screens)
        gc.freeze()  # what is imported is there for good: the garbage collector leaves it out

    def _opening_is_slow(self, connection: Connection) -> None:
        from kms_tui.ui.app_shell.connecting import notify_slow_opening

        work = partial(notify_slow_opening, self, connection)
        start(self, work, group="opening", description="notify of a slow opening")

    def _ask_secret(self, question: str) -> str | None:
        """The ``Prompt`` of the opener, which calls it on a thread."""
        from kms_tui.ui.app_shell.connecting import ask_secret

        return ask_secret(self, question)

    def _read_pending_changes(self) -> None:
        """Have keys read again whose changes KMS does not show yet."""
        due = self.session.due_changes() if self.session is not None else frozenset()
        if due:
            from kms_tui.ui.mode_screen import ModeScreen

            for screen in reversed(self.screen_stack):
                if isinstance(screen, ModeScreen):
                    screen.post_message(KeysChanged(*sorted(due)))
                    return

    @property
    def busy(self) -> bool:
        """Whether anything is being opened, read or changed at this moment."""
        from kms_tui.ui.dialogs.dialog import Dialog
        from kms_tui.ui.screens.keys_screen import KeysScreen

        if any(not (worker.is_finished or worker in self.asking) for worker in self.workers):
            return True
        if self.session is not None:
            inventory = self.session.inventory
            # The key list begins to read a moment after the session opens.
            if not inventory.idle or any(region.keys is UNASKED for region in inventory.regions):
                return True
        if isinstance(self.screen, Dialog) and not self.screen.armed:
            return True
        return isinstance(self.screen, KeysScreen) and self.screen.list.will_report

    def action_command_palette(self) -> None:
        from kms_tui.ui.app_shell.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())

    # What Host promises

    def open_screen(self, name: str, *args: object) -> AwaitMount:
        return self.push_screen(screen_class(SCREENS[name])(*args))

    def choose_account(self, account: Account) -> None:
        assert self.session is not None
        self.session.current = account
        for screen in self.all_screens:
            screen.post_message(AccountChosen())

    async def show_key(self, arn: str) -> None:
        screen = await self._go_to_keys()
        if not screen.show_key(arn):
            self.notify("That key is not on the list: it may have been deleted since.", severity="warning")

    async def show_keys(self, filter_text: str) -> None:
        screen = await self._go_to_keys()
        screen.show_filtered(filter_text)

    async def _go_to_keys(self) -> KeysScreen:
        from kms_tui.ui.screens.keys_screen import KeysScreen

        if self.current_mode != FIRST_MODE:
            self._came_from = self.current_mode
        await self.switch_mode(FIRST_MODE)
        while not isinstance(self.screen, KeysScreen):
            self.pop_screen()  # not awaited: it waits for the worker of that screen, which may be this one
        return self.screen

    def go_back(self) -> bool:
        mode, self._came_from = self._came_from, ""
        if mode:
            self.switch_mode(mode)
        return bool(mode)

    async def undo(self, screen: Screen[Any]) -> None:
        from kms_tui.ui.actions.undo_actions import undo_last
        from kms_tui.ui.mode_screen import ModeScreen

        assert isinstance(screen, ModeScreen)
        await undo_last(screen)

    def poll_refused_uses(self) -> None:
        self._refusals.poll()

    # Actions of the bindings

    def action_choose_profile(self) -> None:
        from kms_tui.ui.app_shell.connecting import choose_profile

        start(self, partial(choose_profile, self), group="places", description="choose a profile")

    def action_open_accounts(self) -> None:
        """Show the session's accounts, which are asked for when the program starts."""
        if self.session is None or not self.session.has_several_accounts:
            self.notify("One account is open. Start with --accounts to list several together.")
        elif not isinstance(self.screen, screen_class(SCREENS["accounts"])):
            self.open_screen("accounts")

    def action_choose_regions(self) -> None:
        from kms_tui.ui.app_shell.connecting import choose_regions

        start(self, partial(choose_regions, self), group="places", description="choose regions")

    def action_open_mode(self, mode: str) -> None:
        """Switch to a mode; a mode that is open keeps everything as it was."""
        self._came_from = ""
        self.switch_mode(mode)

    def action_explain(self) -> None:
        self.open_screen("explain")

    def action_use_theme(self, name: str) -> None:
        self.theme = name

    def action_tour(self) -> None:
        """Begin the tour, anew if it runs."""
        from kms_tui.ui.app_shell.tour import Tour

        if self._tour is not None:
            self._tour.end()
        self._tour = Tour(self)
        self._tour.begin()

    def action_end_tour(self) -> None:
        if self._tour is not None:
            self._tour.end()

    @property
    def is_touring(self) -> bool:
        return self._tour is not None and self._tour.is_running

    def action_hide_first_steps(self) -> None:
        self._first_steps_used(None)

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Perform an action, and take away the first step that it was."""
        done = await super().run_action(action, default_namespace, namespaces)
        if done and self.welcomes:
            name = action if isinstance(action, str) else action[1]
            self._first_steps_used(name.rpartition(".")[2])
        return done

    def _first_steps_used(self, action: str | None) -> None:
        """Take away one card of the first steps, or all of them for None."""
        from kms_tui.ui.widgets.first_steps import FirstSteps

        for screen in self.all_screens:
            for steps in screen.query(FirstSteps):
                if action is None:
                    self.welcomes = False
                    steps.remove()
                else:
                    steps.used(action)

    def action_help_quit(self) -> None:
        """Ctrl+C, which many press to quit, says how; Textual's own words have markup."""
        key = self.shown_key("app.quit-anywhere", "ctrl+q")
        self.notify(f"{key} quits; ctrl+c copies what is selected.", title="Quit?")

    def action_help(self) -> None:
        self.open_screen("help", self.screen)

    # Untrusted text

    async def on_event(self, event: Event) -> None:
        """A paste that is too large for any field goes no further."""
        if not (isinstance(event, Paste) and is_too_long(self, event.text, MOST_TAKEN)):
            await super().on_event(event)

    def update_styles(self, node: DOMNode, animate: bool = True) -> None:
        """Style again what is shown; Textual styles a widget in its constructor too, which mounting does."""
        if node is self or node.parent is not None:
            super().update_styles(node, animate)

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), self._only_text]

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Show a notification; no part of its text is read as markup or control code."""
        super().notify(
            visible(message), title=visible(title), severity=severity, timeout=timeout, markup=False
        )
