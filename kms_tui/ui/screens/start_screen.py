"""Start: what was tried, why it could not be opened, and which others can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import OptionList

from kms_tui.kms.errors import KmsTuiError
from kms_tui.session import BackendKind, Connection
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.host import SessionOpened, host_of
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.widgets.screen_bars import KeyBar
from kms_tui.ui.widgets.text_widgets import Option, Static


class StartChoice(NamedTuple):
    """Something to open; ``login_command`` signs in to it first, where that may be needed."""

    connection: Connection
    title: str
    note: str
    login_command: str = ""


_OFFLINE = (
    StartChoice(
        Connection(BackendKind.DEMO), "Demo", "an account in memory; nothing is real, nothing is kept"
    ),
    StartChoice(
        Connection(BackendKind.LOCAL), "Local store", "your own keys on this machine, real cryptography"
    ),
)


class StartChoices(OptionList):
    """The list of what can be opened; its key is on the last line."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Open", id="start.open", tooltip="Open what is under the cursor")
    ]


class StartScreen(Screen[None]):
    """Says what was tried and why it failed, and offers the profiles, the demo and a local store.

    ``attempts`` is how often the connection was tried in a row.
    """

    HELP = (
        "kms-tui could not open the connection that was asked for. Choose another one (enter), sign in to "
        "the profile under the cursor (L), or try again (r)."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "retry", "Try again", id="start.retry", tooltip="Open the same connection again"),
        Binding(
            "L",
            "login",
            "Sign in",
            id="start.login",
            tooltip="Run the command that renews the credentials of this profile, and open it",
        ),
    ]

    def __init__(self, connection: Connection, error: KmsTuiError, attempts: int = 1) -> None:
        super().__init__()
        self._tried = connection
        self._error = error
        self._attempts = attempts
        self._choices: list[StartChoice] = []

    def compose(self) -> ComposeResult:
        with Vertical(id="start"):
            yield Static(Content.styled("kms-tui", "$accent bold"), id="start-name")
            yield Static(self._tried_words(), id="start-tried")
            yield Static(safe(str(self._error)), id="start-error")
            yield Static(safe(self._error.next_step), id="start-next")
            yield Static(Content("Open instead"), classes="section")
            yield StartChoices(id="start-choices")
        yield KeyBar()

    def _tried_words(self) -> Content:
        """What was tried, and that it was tried again: a page that looks the same is not the same."""
        tried = self._tried
        what = f"profile {tried.profile}" if tried.profile else tried.title
        words = ", ".join(part for part in (what, tried.region, tried.endpoint_url) if part)
        again = ""
        if self._attempts > 1:
            again = f"  {self._attempts} times, last at {datetime.now().astimezone():%H:%M:%S}"
        return (
            Content.styled("Tried  ", "$foreground-muted") + safe(words) + Content.styled(again, "$warning")
        )

    def on_mount(self) -> None:
        self._offer(())
        self.query_one(OptionList).focus()
        start(self, self._find_profiles, group="profiles", description="find profiles")

    async def _find_profiles(self) -> None:
        from kms_tui.backend.aws.profiles import profiles

        found = []
        for profile in await off_loop(profiles):
            parts = [profile.account, profile.region, profile.sso_session]
            note = " · ".join(part for part in parts if part)
            connection = Connection(BackendKind.AWS, profile=profile.name)
            choice = StartChoice(connection, f"Profile {profile.name}", note, profile.login_command)
            found.append(choice)
        self._offer(found)

    def _offer(self, profiles: Sequence[StartChoice]) -> None:
        """List the profiles, with the one that was tried under the cursor, then what needs no account."""
        self._choices = [*profiles, *_OFFLINE]
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(self._line(choice)) for choice in self._choices])
        names = [choice.connection.profile for choice in self._choices]
        options.highlighted = names.index(self._tried.profile) if self._tried.profile in names else 0

    def _line(self, choice: StartChoice) -> Content:
        note = choice.note
        if self._is_tried(choice):
            note = " · ".join(filter(None, (note, "tried")))
        width = max(len(each.title) for each in self._choices)
        line = safe(choice.title.ljust(width)) + safe(f"  {note}").stylize("$foreground-muted")
        return line + Content.styled("  L signs in", "$accent") if choice.login_command else line

    def _is_tried(self, choice: StartChoice) -> bool:
        profile = choice.connection.profile
        return profile is not None and profile == self._tried.profile

    @property
    def _current(self) -> StartChoice | None:
        at = self.query_one(OptionList).highlighted
        return self._choices[at] if at is not None and at < len(self._choices) else None

    @on(OptionList.OptionHighlighted)
    def _moved(self) -> None:
        self.refresh_bindings()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self._open(self._choices[event.option_index].connection)

    @on(SessionOpened)
    def _opened(self) -> None:
        self.dismiss()

    def action_retry(self) -> None:
        self._open(self._tried)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self._login[0]) if action == "login" else super().check_action(action, parameters)

    @property
    def _login(self) -> tuple[str, Connection]:
        """The command that signs in to the profile under the cursor, or to what was tried; what to open."""
        choice = self._current
        if choice is not None and choice.login_command:
            return choice.login_command, self._tried if self._is_tried(choice) else choice.connection
        return str(getattr(self._error, "login_command", "")), self._tried

    def action_login(self) -> None:
        command, connection = self._login
        if host_of(self).run_login(command):
            self._open(connection)

    def _open(self, connection: Connection) -> None:
        self.dismiss()
        host_of(self).open(replace(connection, read_only=self._tried.read_only))
