"""Expired credentials: the exact login command, run from the console, and work goes on where it was."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from kms_tui.backend.base import Backend
from kms_tui.inventory import Pace
from kms_tui.kms.errors import CredentialsError, KmsTuiError
from kms_tui.session import BackendKind, Connection, Prompt, Session, open_session
from kms_tui.ui.app import KmsApp
from kms_tui.ui.dialogs.questions import AskSecret, Choose
from kms_tui.ui.screens.start_screen import StartScreen
from kms_tui.ui.widgets.key_list import KeyList
from kms_tui.ui.widgets.screen_bars import KeyBar
from tests.ui.conftest import MakeApp, fixed_now
from tests.ui.console import drive, notifications, press, settled
from tests.ui.test_denied_facts import Failing
from tests.ui.test_hostile_text import screen_text


@pytest.fixture(autouse=True)
def _no_real_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.contextmanager
    def suspend(_app: KmsApp) -> Iterator[None]:
        yield

    monkeypatch.setattr(KmsApp, "suspend", suspend)


@pytest.fixture(autouse=True)
def _no_profiles(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


def expired(marker: Path) -> CredentialsError:
    command = shlex.join([sys.executable, "-c", f"open({str(marker)!r}, 'w')"])
    return CredentialsError("The SSO session of the profile dev has expired.", login_command=command)


def test_a_session_that_expires_says_how_to_sign_in_and_goes_on_after_it(
    make_app: MakeApp, demo: Backend, tmp_path: Path
) -> None:
    marker = tmp_path / "signed-in"
    errors: dict[str, KmsTuiError] = {}
    backend = Failing(demo, errors)

    async def script(pilot: Pilot[Any]) -> None:
        total = len(pilot.app.screen.query_one(KeyList).rows)
        errors["ListKeys"] = errors["DescribeKey"] = expired(marker)
        await press(pilot, "r")
        text = screen_text(pilot.app)  # type: ignore[arg-type]
        assert "has expired" in text
        assert len(pilot.app.screen.query_one(KeyList).rows) == total
        errors.clear()
        await press(pilot, "L")
        assert marker.exists()
        assert "has expired" not in screen_text(pilot.app)  # type: ignore[arg-type]

    drive(make_app(backend), script)


def test_without_credentials_the_start_page_offers_the_demo_and_signing_in(
    demo: Backend, tmp_path: Path
) -> None:
    marker = tmp_path / "signed-in"

    def opener(connection: Connection, _prompt: Prompt) -> Session:
        if connection.kind is not BackendKind.DEMO and not marker.exists():
            raise expired(marker)
        return open_session(connection, demo, now=fixed_now)

    async def script(pilot: Pilot[Any]) -> None:
        assert isinstance(pilot.app.screen, StartScreen)
        assert "has expired" in screen_text(pilot.app)  # type: ignore[arg-type]
        await press(pilot, "L")
        assert marker.exists()
        assert pilot.app.screen.query_one(KeyList).rows

    drive(KmsApp(opener, Connection(None, profile="dev")), script)


def test_the_start_page_says_what_was_tried_and_how_often(demo: Backend) -> None:
    def opener(_connection: Connection, _prompt: Prompt) -> Session:
        raise CredentialsError("No credentials were found.")

    async def script(pilot: Pilot[Any]) -> None:
        assert "⏎ Open" in str(pilot.app.screen.query_one(KeyBar).render())
        assert "Tried  profile dev, eu-west-1" in screen_text(pilot.app)  # type: ignore[arg-type]
        assert "times" not in screen_text(pilot.app)  # type: ignore[arg-type]
        await press(pilot, "r")
        assert "2 times, last at" in screen_text(pilot.app)  # type: ignore[arg-type]

    drive(KmsApp(opener, Connection(BackendKind.AWS, profile="dev", region="eu-west-1")), script)


def test_profiles_come_first_and_one_signs_in_to_the_one_under_the_cursor(
    demo: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile dev]\nregion = eu-west-1\n[profile prod]\nsso_session = corp\n[sso-session corp]\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("PATH", str(tmp_path))
    ran: list[str] = []

    def run_login(_app: KmsApp, command: str) -> bool:
        ran.append(command)
        return True

    monkeypatch.setattr(KmsApp, "run_login", run_login)
    opened: list[Connection] = []

    def opener(connection: Connection, _prompt: Prompt) -> Session:
        opened.append(connection)
        if connection.profile == "dev":
            raise CredentialsError("No credentials were found.")
        return open_session(connection, demo, now=fixed_now)

    async def script(pilot: Pilot[Any]) -> None:
        options = pilot.app.screen.query_one(OptionList)
        lines = [str(options.get_option_at_index(i).prompt) for i in range(options.option_count)]
        assert [line.split("  ")[0] for line in lines] == [
            "Profile dev",
            "Profile prod",
            "Demo",
            "Local store",
        ]
        assert lines[0].rstrip().endswith("tried")
        assert "L signs in" in lines[1]
        assert options.highlighted == 0
        await press(pilot, "L")
        assert ran == [], "dev needs no sign-in"
        await press(pilot, "down", "L")
        assert ran == ["kms-tui login --profile prod"], "without the AWS CLI"
        assert (opened[-1].profile, opened[-1].read_only) == ("prod", True)
        assert pilot.app.screen.query_one(KeyList).rows

    drive(KmsApp(opener, Connection(BackendKind.AWS, profile="dev", read_only=True)), script)


def test_the_start_page_opens_the_demo(demo: Backend) -> None:
    def opener(connection: Connection, _prompt: Prompt) -> Session:
        if connection.kind is not BackendKind.DEMO:
            raise CredentialsError("No credentials were found.")
        return open_session(connection, demo, now=fixed_now)

    async def script(pilot: Pilot[Any]) -> None:
        assert pilot.app.screen.query_one(OptionList).option_count == 2
        await press(pilot, "enter")
        assert pilot.app.screen.query_one(KeyList).rows

    drive(KmsApp(opener, Connection(None)), script)


def test_an_mfa_code_is_asked_for_on_the_screen_and_never_shown(demo: Backend) -> None:
    answers: list[str | None] = []

    def opener(connection: Connection, prompt: Prompt) -> Session:
        answers.append(prompt("MFA code of arn:aws:iam::111122223333:mfa/x"))
        return open_session(connection, demo, now=fixed_now)

    async def run(pilot: Pilot[Any]) -> None:
        while not isinstance(pilot.app.screen, AskSecret):
            await pilot.pause(0.01)
        while not pilot.app.screen.armed:
            await pilot.pause(0.01)
        await pilot.press(*"123456")
        await pilot.pause()
        assert "123456" not in screen_text(pilot.app)  # type: ignore[arg-type]
        await pilot.press("enter")
        await settled(pilot)

    async def drive_it() -> None:
        app = KmsApp(opener, Connection(BackendKind.AWS, profile="dev"))
        async with app.run_test(size=(100, 30)) as pilot:
            await run(pilot)
            assert app.screen.query_one(KeyList).rows

    asyncio.run(drive_it())
    assert answers == ["123456"]


def test_an_opening_that_takes_long_names_the_program_it_waits_for(
    demo: Backend, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text("[profile dev]\ncredential_process = okta-aws --secret s3cret\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setattr("kms_tui.ui.app.SLOW_OPENING_SECONDS", 0.01)
    answered = threading.Event()

    def opener(connection: Connection, _prompt: Prompt) -> Session:
        if connection.kind is BackendKind.AWS:
            answered.wait(30)
        return open_session(connection, demo, now=fixed_now, pace=Pace(rest=10_000))

    async def drive_it() -> None:
        app = KmsApp(opener, Connection(BackendKind.AWS, profile="dev"))
        async with app.run_test(size=(100, 30), notifications=True) as pilot:
            while not notifications(app):
                await pilot.pause(0.01)
            told = notifications(app)
            assert "credential_process okta-aws of profile dev" in told
            assert "config, line 2" in told
            assert "s3cret" not in told
            await pilot.press("p")
            while not isinstance(app.screen, Choose):
                await pilot.pause(0.01)
            while not app.screen.armed:
                await pilot.pause(0.01)
            await pilot.press("enter")
            await settled(pilot)
            assert app.session is not None
            assert app.session.connection.kind is BackendKind.DEMO
            answered.set()
            await settled(pilot)
            assert app.session.connection.kind is BackendKind.DEMO, "what was given up does not come back"

    asyncio.run(drive_it())
