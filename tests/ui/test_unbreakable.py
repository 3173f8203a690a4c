"""No answer and no key ends the console: what fails is told, and everything else goes on."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.app import ComposeResult
from textual.css.query import NoMatches
from textual.pilot import Pilot
from textual.widgets import Static

from kms_tui.backend.base import Backend
from kms_tui.kms.errors import ServiceError
from kms_tui.session import BackendKind, Connection, Prompt, Session, open_session
from kms_tui.ui.app import KmsApp
from kms_tui.ui.base.background import start
from kms_tui.ui.dialogs.dialog import Dialog
from kms_tui.ui.dialogs.text_screen import TextScreen
from kms_tui.ui.policy_editor.editor_screen import PolicyEditor
from kms_tui.ui.screens.keys_screen import KeysScreen
from kms_tui.ui.widgets.key_list import KeyList
from tests.ui.conftest import MakeApp, fixed_now
from tests.ui.console import drive, notifications, press, settled
from tests.ui.mashing import mash_all
from tests.ui.nonsense import SCENES, Nonsense, Outcome, answers, meet, with_mine

pytestmark = pytest.mark.painted

SECRET = "a plaintext that an error quotes"


async def raises(*_: object) -> None:
    raise ValueError(SECRET)


class HalfMade(Dialog[None]):
    """Cannot be made."""

    def compose(self) -> ComposeResult:
        yield Static()
        raise ValueError(SECRET)


class HardToPaint(Static):
    """Cannot be painted the first time."""

    has_failed = False

    def render(self) -> str:
        if not self.has_failed:
            self.has_failed = True
            raise ValueError(SECRET)
        return "painted"


def in_a_handler(app: KmsApp) -> None:
    app.screen.query_one(KeyList).call_later(raises)


def in_an_action(app: KmsApp) -> None:
    app.action_raises = raises  # type: ignore[attr-defined]
    app.call_later(app.run_action, "app.raises")


def in_a_worker(app: KmsApp) -> None:
    start(app.screen, raises, group="action", description="fail")


def in_a_timer(app: KmsApp) -> None:
    app.screen.set_timer(0.001, raises)


def while_a_dialog_is_made(app: KmsApp) -> None:
    app.push_screen(HalfMade("Half made"))


def while_painting(app: KmsApp) -> None:
    app.screen.mount(HardToPaint())


@pytest.mark.contained
@pytest.mark.parametrize(
    "fail", [in_a_handler, in_an_action, in_a_worker, in_a_timer, while_a_dialog_is_made, while_painting]
)
def test_whatever_fails_is_told_without_its_words_and_the_next_key_works(
    make_app: MakeApp, fail: Callable[[KmsApp], None]
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, KmsApp)
        fail(app)
        async with asyncio.timeout(10):
            while "That did not work" not in notifications(app):
                await pilot.pause(0.01)
        await settled(pilot)
        assert "ValueError" in notifications(app)
        assert SECRET not in notifications(app)
        assert isinstance(app.screen, KeysScreen)
        before = app.screen.list.current
        await press(pilot, "down")
        assert app.screen.list.current != before
        await press(pilot, "2")
        assert app.current_mode == "aliases"

    drive(make_app(), script)


@pytest.mark.contained
def test_what_a_screen_could_not_do_because_it_was_left_is_not_told(make_app: MakeApp) -> None:
    left = asyncio.Event()

    async def late() -> None:
        while not left.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await left.wait()
        raise NoMatches

    async def script(pilot: Pilot[Any]) -> None:
        screen = TextScreen("a title", "a text")
        await pilot.app.push_screen(screen)
        start(screen, late, group="action", description="be late")
        await pilot.pause()
        popped = pilot.app.pop_screen()
        left.set()
        await popped
        await settled(pilot)
        assert notifications(pilot.app) == ""  # type: ignore[arg-type]

    drive(make_app(), script)


@pytest.mark.contained
def test_the_same_failure_many_times_a_second_is_told_once(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, KmsApp)
        for _ in range(50):
            app.contain(KeyError(SECRET))
        await settled(pilot)
        assert len(app._notifications) == 1
        app.contain(OSError(SECRET))
        await settled(pilot)
        assert len(app._notifications) == 2

    drive(make_app(), script)


@pytest.mark.contained
def test_an_error_of_ours_that_nobody_expected_is_told_in_its_own_words(make_app: MakeApp) -> None:
    async def denied() -> None:
        raise ServiceError("AccessDeniedException", "not you")

    async def script(pilot: Pilot[Any]) -> None:
        start(pilot.app.screen, denied, group="action", description="fail")
        await settled(pilot)
        told = notifications(pilot.app)  # type: ignore[arg-type]
        assert "AccessDeniedException: not you" in told
        assert "Ask for the permission" in told

    drive(make_app(), script)


def test_an_editor_whose_policy_could_not_be_read_is_left_with_escape(
    make_app: MakeApp, demo: Backend
) -> None:
    nonsense = Nonsense(demo)
    nonsense.operation, nonsense.answer = "GetKeyPolicy", {}

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "e")
        assert isinstance(pilot.app.screen, PolicyEditor)
        await press(pilot, "tab", "escape")
        assert isinstance(pilot.app.screen, KeysScreen)

    drive(make_app(nonsense), script)


def test_an_answer_that_lacks_a_member_is_told(make_app: MakeApp, demo: Backend) -> None:
    nonsense = Nonsense(demo)
    nonsense.operation, nonsense.answer = "DescribeCustomKeyStores", {}

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "K")
        told = notifications(pilot.app)  # type: ignore[arg-type]
        assert "Could not list the custom key stores" in told
        assert "it lacks 'CustomKeyStores'" in told

    drive(make_app(nonsense), script)


@pytest.mark.contained
@pytest.mark.parametrize("part", range(2))
def test_nonsense_of_any_type_to_any_operation_is_survived(demo: Backend, part: int) -> None:
    """One answer to a few operations, of the thousands that ``python -m tests.ui.nonsense`` gives."""
    chance, outcome = random.Random(part), Outcome()
    asked = list(SCENES)[part::8]
    cases = [(operation, *chance.choice(list(answers(operation)))) for operation in asked]
    asyncio.run(meet(with_mine(demo), cases, outcome))
    assert outcome.dead == []
    assert len(outcome.given) >= outcome.cases * 3 // 4, "the keys no longer ask for what they are to ask for"


@pytest.mark.parametrize("mode", ["1", "2", "3", "4", "5", "6"])
def test_every_key_does_nothing_bad_before_a_session_is_open(demo: Backend, mode: str) -> None:
    opened = threading.Event()

    def opener(connection: Connection, _prompt: Prompt) -> Session:
        opened.wait(30)
        return open_session(connection, demo, now=fixed_now)

    async def run() -> None:
        app = KmsApp(opener, Connection(BackendKind.DEMO))
        async with app.run_test(size=(160, 48), notifications=True) as pilot:
            await pilot.press(mode)
            keys = {key for _, binding in app.screen._bindings for key in binding.key.split(",")}
            for key in sorted(keys - {"q", "ctrl+q"}):
                await pilot.press(key, "escape")
            await pilot.press("slash", *"abc")
            opened.set()
            await settled(pilot)
            await press(pilot, "escape", "1")
            assert app.screen.query_one(KeyList).rows

    asyncio.run(run())


@pytest.mark.parametrize("seed", [11, 12])
def test_keys_mashed_over_every_screen_find_nothing_to_contain(
    demo: Backend, seed: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A few of the twenty thousand of ``python -m tests.ui.mashing``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDITOR", "true")
    mashed = asyncio.run(mash_all(seed, 150, demo))
    assert mashed.contained == []
    assert mashed.keys == 150
