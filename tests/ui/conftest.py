"""The console under test: the demo's account at a fixed moment, driven by Pilot."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

for _variable in ("TEXTUAL_THEME", "NO_COLOR", "TEXTUAL_ANIMATIONS"):
    os.environ.pop(_variable, None)
os.environ["TZ"] = "UTC"
time.tzset()

import pytest  # noqa: E402
from textual.app import App  # noqa: E402
from textual.css.model import RuleSet  # noqa: E402
from textual.css.stylesheet import Stylesheet  # noqa: E402
from textual.pilot import Pilot  # noqa: E402
from textual.screen import Screen  # noqa: E402
from textual.widgets import Button, Input, TextArea  # noqa: E402

from kms_tui.backend.base import Backend  # noqa: E402
from kms_tui.config import Config  # noqa: E402
from kms_tui.evidence.health.examined import Examined, Verdict  # noqa: E402
from kms_tui.evidence.health.row_judge import RowJudge  # noqa: E402
from kms_tui.inventory import Pace  # noqa: E402
from kms_tui.session import BackendKind, Connection, Prompt, Session, open_session  # noqa: E402
from kms_tui.ui.app import KmsApp  # noqa: E402
from kms_tui.ui.dialogs.dialog import Dialog  # noqa: E402
from tests.demo_copies import demo_copy  # noqa: E402
from tests.ui.quiet import quiet  # noqa: E402

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_PACE = Pace(rest=10_000)


def fixed_now() -> datetime:
    return NOW


MakeApp = Callable[..., KmsApp]


@pytest.fixture(autouse=True)
def _dialogs_listen_at_once(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Only the tests marked ``deaf_dialogs`` are about the moment in which dialogs ignore keys."""
    if "deaf_dialogs" not in request.keywords:
        monkeypatch.setattr(Dialog, "ARM_SECONDS", 0.01)


@pytest.fixture(autouse=True)
def _what_is_contained_fails(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Only the tests marked ``contained`` are about what the console survives."""
    if "contained" not in request.keywords:
        monkeypatch.setattr(KmsApp, "contain", App._handle_exception)


@pytest.fixture(autouse=True)
def _nothing_is_kept_at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Drafts, stores, journals and the configuration are those of the test."""
    for kind in ("CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind.lower()))
    for module in ("kms_tui.data_files", "kms_tui.campaigns.journal"):
        monkeypatch.setattr(f"{module}.passing_root", lambda: tmp_path / "passing")


async def _until_quiet(_pilot: Pilot[Any], _timeout: float = 30.0) -> bool:
    """Stands in for a question to each widget, two or three a key, which costs half of the key."""
    await quiet()
    return True


@pytest.fixture(autouse=True)
def _pauses_end_when_the_event_loop_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textual.pilot.wait_for_idle", quiet)
    monkeypatch.setattr("textual.app.wait_for_idle", quiet)
    monkeypatch.setattr(Pilot, "_wait_for_screen", _until_quiet)
    monkeypatch.setattr("textual.constants.TEXTUAL_ANIMATIONS", "none")
    # After a change of mode nothing is painted for 50 ms.
    monkeypatch.setattr("textual.app.App.delay_update", lambda *_: None)


_RESTS = (
    "kms_tui.inventory.fact_reader._SCROLL_PAUSE",
    "kms_tui.ui.widgets.key_list._REPORT_SECONDS",
    "kms_tui.ui.details.detail_tab.REST_SECONDS",
    "kms_tui.ui.screens.inventory_screen._PAUSE",
    "kms_tui.ui.policy_editor.policy_history._REST_SECONDS",
    "kms_tui.ui.policy_editor.simulate_screen._REST_SECONDS",
    "kms_tui.ui.screens.explain_screen._REST_SECONDS",
    "kms_tui.ui.screens.keys_screen._READ_MISSING_AFTER",
    "kms_tui.ui.signing.signing_form._PREVIEW_SECONDS",
)
"""How long the console rests, so that a person who types or moves on does not start work for nothing."""


@pytest.fixture(autouse=True)
def _the_console_rests_shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _RESTS:
        monkeypatch.setattr(name, 0.001)


def _paint_nothing(screen: Screen[Any]) -> None:
    """Take what has changed for painted; the screen that a test reads is painted when it reads it."""
    screen._compositor._dirty_regions.clear()
    screen._dirty_widgets.clear()


@pytest.fixture(autouse=True)
def _only_what_is_looked_at_is_painted(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Only the tests marked ``painted`` paint each frame: a third of a console's time."""
    if "painted" not in request.keywords:
        monkeypatch.setattr(Screen, "_compositor_refresh", _paint_nothing)


@pytest.fixture(autouse=True)
def _the_garbage_of_a_console_is_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that runs for a second has the collector leave out what is there; hundreds follow it here."""
    monkeypatch.setattr("kms_tui.ui.app._STARTED_SECONDS", 3600.0)


@pytest.fixture(autouse=True)
def _buttons_do_not_glow(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a button glows from a press, for 0.2 s, it takes no other by key."""
    monkeypatch.setattr(Button, "_start_active_affect", lambda _button: None)


@pytest.fixture(autouse=True)
def _no_blinking(monkeypatch: pytest.MonkeyPatch) -> None:
    for widget in (TextArea, Input):
        monkeypatch.setattr(widget, "_toggle_cursor_blink_visible", lambda _: None, raising=False)
        monkeypatch.setattr(widget, "_toggle_cursor", lambda _: None, raising=False)


_read_rules = Stylesheet._parse_rules
_rules: dict[tuple[object, ...], list[RuleSet]] = {}


def _rules_read_once(sheet: Stylesheet, *args: Any, **options: Any) -> list[RuleSet]:
    key = (args, *options.items(), *sheet._variables.items())
    if key not in _rules:
        _rules[key] = _read_rules(sheet, *args, **options)
    return _rules[key]


@pytest.fixture(autouse=True)
def _style_sheets_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each console would read them again, for a fifth of the time that its start takes."""
    monkeypatch.setattr(Stylesheet, "_parse_rules", _rules_read_once)


@pytest.fixture(autouse=True)
def _rules_of_style_are_hashed_by_the_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their own hash, which is their identity too, takes a tenth of a console's time."""
    monkeypatch.setattr(RuleSet, "__hash__", object.__hash__)


_judge_policy = RowJudge._policy_verdicts
_verdicts: dict[tuple[object, ...], Mapping[str, Verdict]] = {}


def _verdicts_of(judge: RowJudge, examined: Examined, policy: str, now: datetime) -> Mapping[str, Verdict]:
    key = (examined.key, policy, now, judge._required_tags)
    if key not in _verdicts:
        _verdicts[key] = _judge_policy(judge, examined, policy, now)
    return _verdicts[key]


@pytest.fixture(autouse=True)
def _each_policy_is_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each console would judge the policies of the same keys again, for a tenth of its start."""
    monkeypatch.setattr(RowJudge, "_policy_verdicts", _verdicts_of)


@pytest.fixture
def demo() -> Backend:
    """The demo's account, unwrapped: what tests ask to see what the backend now holds."""
    return demo_copy(NOW)


@pytest.fixture
def make_app(demo: Backend) -> MakeApp:
    """Makes the console on the demo, or on another backend."""

    def make(
        backend: Backend = demo,
        *,
        config: Config | None = None,
        kind: BackendKind = BackendKind.DEMO,
        pace: Pace = _PACE,
        **connection: Any,
    ) -> KmsApp:
        def opener(chosen: Connection, _prompt: Prompt) -> Session:
            return open_session(chosen, backend, now=fixed_now, pace=pace)

        return KmsApp(opener, Connection(kind, **connection), config)

    return make
