"""Start: why no connection could be opened, and which others can be."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

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


class StartScreen(Screen[None]):
    """Shows the error, and offers the demo, a local store and the profiles."""

    HELP = "kms-tui could not open the connection that was asked for. Choose another one, or try again."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "retry", "Try again", id="start.retry", tooltip="Open the same connection again"),
        Binding(
            "L", "login", "Sign in", id="start.login", tooltip="Run the command that renews the credentials"
        ),
    ]

    def __init__(self, connection: Connection, error: KmsTuiError) -> None:
        super().__init__()
        self._tried = connection
        self._error = error
        self._choices: list[Connection] = []

    def compose(self) -> ComposeResult:
        with Vertical(id="start"):
            yield Static(Content.styled("kms-tui", "$accent bold"), id="start-name")
            yield Static(safe(str(self._error)), id="start-error")
            yield Static(safe(self._error.next_step), id="start-next")
            yield Static(Content("Open instead"), classes="section")
            yield OptionList(id="start-choices")
        yield KeyBar()

    def on_mount(self) -> None:
        self._offer(
            Connection(BackendKind.DEMO),
            "Demo",
            "a believable account in memory; nothing is real, nothing is kept",
        )
        self._offer(
            Connection(BackendKind.LOCAL), "Local store", "your own keys on this machine, real cryptography"
        )
        choices = self.query_one(OptionList)
        choices.highlighted = 0
        choices.focus()
        start(self, self._find_profiles, group="profiles", description="find profiles")

    async def _find_profiles(self) -> None:
        from kms_tui.backend.aws.profiles import profiles

        for profile in await off_loop(profiles):
            note = " · ".join(part for part in (profile.account, profile.region, profile.sso_session) if part)
            self._offer(Connection(BackendKind.AWS, profile=profile.name), f"Profile {profile.name}", note)

    def _offer(self, connection: Connection, title: str, note: str) -> None:
        self._choices.append(replace(connection, read_only=self._tried.read_only))
        line = safe(title.ljust(24)) + Content.styled("  ", "") + safe(note).stylize("$foreground-muted")
        self.query_one(OptionList).add_option(Option(line))

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self._open(self._choices[event.option_index])

    @on(SessionOpened)
    def _opened(self) -> None:
        self.dismiss()

    def action_retry(self) -> None:
        self._open(self._tried)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return bool(self._login_command) if action == "login" else super().check_action(action, parameters)

    @property
    def _login_command(self) -> str:
        return str(getattr(self._error, "login_command", ""))

    def action_login(self) -> None:
        if host_of(self).run_login(self._login_command):
            self.action_retry()

    def _open(self, connection: Connection) -> None:
        self.dismiss()
        host_of(self).open(connection)
