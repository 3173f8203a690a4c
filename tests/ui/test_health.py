"""Health: what is wrong, what is not known, and the way from there to the key."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from kms_tui.backend.base import Backend
from kms_tui.evidence.health.checks import CHECKS
from kms_tui.evidence.health.health_report import Gap, HealthFinding, KeyName
from kms_tui.inventory import Pace
from kms_tui.policy import default_policy
from kms_tui.ui.screens import health_screen, health_words
from kms_tui.ui.widgets.filter_line import FilterLine
from kms_tui.ui.widgets.key_list import KeyList
from kms_tui.ui.widgets.line_table import LineTable
from tests.ui.conftest import NOW, MakeApp
from tests.ui.console import drive, press, state_of
from tests.ui.test_denied_facts import Failing, denied
from tests.ui.test_hostile_text import screen_text
from tests.unit.inventory.world import FakeAccount, FakeKey, key_id


def findings(pilot: Pilot[Any]) -> list[tuple[str, str, str]]:
    """(severity, key, finding) of each row."""
    rows = pilot.app.screen.query_one("#findings", LineTable).rows
    return [tuple(cell if isinstance(cell, str) else cell[0] for cell in row.cells[:3]) for row in rows]  # type: ignore[misc]


def text(pilot: Pilot[Any]) -> str:
    return screen_text(pilot.app)  # type: ignore[arg-type]


def test_findings_come_by_severity_and_enter_goes_to_the_key(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        pilot.app.screen.query_one(FilterLine).input.value = "state:disabled"
        await press(pilot, "5")
        found = findings(pilot)
        assert found[0] == ("▲ high", "old-backups", "Pending deletion")
        assert [severity for severity, *_ in found] == sorted(
            (severity for severity, *_ in found), key=["▲ high", "◆ medium", "▽ low", "? not known"].index
        )
        assert "KMS.3 AWS KMS keys should not be deleted" in text(pilot)
        await press(pilot, "slash", *"kms.4 leg", "enter")
        assert findings(pilot) == [("◆ medium", "legacy-exports", "Rotation off")]
        await press(pilot, "enter")
        key_list = pilot.app.screen.query_one(KeyList)
        assert key_list.current is not None
        assert key_list.current.aliases == ("legacy-exports",)
        await press(pilot, "5")
        assert len(findings(pilot)) == 1
        await press(pilot, "escape")
        assert findings(pilot) == found

    drive(make_app(), script)


def test_what_may_not_be_read_is_listed_as_not_known_and_is_no_pass(make_app: MakeApp, demo: Backend) -> None:
    backend = Failing(demo, {"GetKeyPolicy": denied("GetKeyPolicy")})

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "5", "slash", *"orders-db", "enter")
        assert findings(pilot) == [("? not known", "orders-db", "6 checks")]
        assert "GetKeyPolicy was denied" in text(pilot)
        await press(pilot, "v")
        assert "Anyone may use it" in text(pilot)
        checks = pilot.app.screen.query_one("#checks", LineTable)
        row = next(row for row in checks.rows if row.key == "public-policy")
        assert [cell[0] for cell in row.cells] == ["? Anyone may use it", "not known", "41 of 41", "KMS.5"]
        assert checks.go_to("rotation-off")
        await press(pilot, "enter")
        assert {finding for _, _, finding in findings(pilot)} == {"Rotation off"}

    drive(make_app(backend), script)


def test_a_change_made_here_is_in_the_report_when_one_comes_back(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "5", "enter", "U", "tab", "enter", "5")
        assert ("▲ high", "old-backups", "Pending deletion") not in findings(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, health_screen.HealthScreen)
        assert screen.session is not None
        key = next(row.key_id for row in screen.session.inventory.rows() if "old-backups" in row.aliases)
        assert state_of(demo, key) == "Disabled"

    drive(make_app(), script)


def large(keys: int = 12, *, rotation: bool = True) -> FakeAccount:
    fine = default_policy("111122223333", "aws")
    return FakeAccount(
        [
            FakeKey(key_id(n), (f"key-{n}",), rotation={"KeyRotationEnabled": rotation}, policy=fine)
            for n in range(keys)
        ]
    )


def test_a_large_account_is_told_the_price_first_and_nothing_is_read_before(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_screen, "ASK_ABOVE", 10)
    backend = large(60, rotation=False)

    async def script(pilot: Pilot[Any]) -> None:
        listed = backend.count("GetKeyPolicy")  # of the rows on screen, for the list
        assert 0 < listed < 30
        await press(pilot, "5")
        assert "60 customer keys are to be checked." in text(pilot)
        assert f"{60 - listed} GetKeyPolicy" in text(pilot)
        assert backend.count("GetKeyPolicy") == listed
        await press(pilot, "enter")
        assert backend.count("GetKeyPolicy") == 60
        assert len(findings(pilot)) == 60
        backend.calls.clear()
        await press(pilot, "r")
        assert backend.count("GetKeyPolicy") < 30
        await press(pilot, "enter")
        assert backend.count("GetKeyPolicy") == 60

    drive(make_app(backend, pace=Pace(rest=10_000, demand=10_000, read_unasked=0)), script, size=(80, 24))


def test_an_account_in_good_shape_is_told_so_with_what_was_checked(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "5")
        assert "✓ Nothing needs attention" in text(pilot)
        assert "✓ Rotation off" in text(pilot)
        assert "none of 12" in text(pilot)

    drive(make_app(large()), script)


def test_unused_keys_are_looked_for_only_when_asked_and_the_report_is_written(
    make_app: MakeApp, tmp_path: Path
) -> None:
    path, backend = tmp_path / "health.json", large(2)
    long_ago = {"Operation": "Encrypt", "Timestamp": NOW - timedelta(days=121)}
    backend.keys[key_id(1)].last_usage = {"KeyLastUsage": long_ago}

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "5")
        assert backend.count("GetKeyLastUsage") == 0
        await press(pilot, "u", "enter")
        assert ("▽ low", "key-1", "Not used") in findings(pilot)
        await press(pilot, "w")
        pilot.app.screen.query_one("#path", Input).value = str(path)
        await press(pilot, "ctrl+s")
        assert '"check": "unused"' in path.read_text()

    drive(make_app(backend), script)


def test_a_stopped_examination_shows_what_is_known_by_then(make_app: MakeApp) -> None:
    backend = large(60)
    begun: list[Pilot[Any]] = []
    policies = count(1)
    stopped = Event()

    def before(operation: str, key: str) -> None:
        """Stops the examination at the twentieth policy; the workers that read later ones wait until then."""
        if operation != "GetKeyPolicy" or not begun:
            return
        number = next(policies)
        if number == 20:
            app = begun[0].app
            app.call_from_thread(app.screen.action_back)  # type: ignore[attr-defined]
            stopped.set()
        elif number > 20:
            assert stopped.wait(60)

    backend.before = before

    async def script(pilot: Pilot[Any]) -> None:
        begun.append(pilot)
        await press(pilot, "5")
        head = str(pilot.app.screen.query_one("#health-head", Static).content)
        assert "not known" in head
        assert "stopped: r goes on" in head
        await press(pilot, "r")
        assert "✓ Nothing needs attention" in text(pilot)
        assert backend.count("DescribeKey") == 60  # none twice

    drive(make_app(backend, pace=Pace(rest=10_000, demand=10_000, read_unasked=0)), script, size=(80, 24))


def test_what_others_wrote_reaches_the_screen_without_markup_or_control_codes() -> None:
    hostile = "[red]x[/] \x1b]52;c;eA==\x07 \u202e"
    name = KeyName("eu-west-1", hostile, "arn", hostile)
    for item in (HealthFinding(CHECKS[0], name, hostile), Gap(name, CHECKS[:6], hostile)):
        shown = health_words.item_detail(item)
        assert shown.plain.replace("\n", "").isprintable()
        assert shown.plain.count("[red]x[/]") == 3
