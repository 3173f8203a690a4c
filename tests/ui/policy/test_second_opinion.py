"""Access Analyzer in the review of a policy: asked by a button, never by itself."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot
from textual.widgets import Button

from kms_tui.backend.base import Backend
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, press, settled
from tests.ui.policy.workspace import SOUND, dialog_text, open_editor, write
from tests.ui.test_used_by import WithServices
from tests.unit.evidence.world import FakeServices, denied

CHECKS = ("ValidatePolicy", "CheckNoPublicAccess", "CheckNoNewAccess")


def test_access_analyzer_is_asked_on_the_button_and_stands_beside_our_findings(
    make_app: MakeApp, demo: Backend
) -> None:
    services = FakeServices(
        {"CheckNoPublicAccess": denied("CheckNoPublicAccess"), "CheckNoNewAccess": {"result": "PASS"}}
    )

    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, SOUND)
        await press(pilot, "ctrl+s")
        assert not any(services.calls[check] for check in CHECKS)
        assert "not asked yet; 2 of its checks cost $0.004 together" in dialog_text(pilot)
        pilot.app.screen.query_one("#ask-analyzer", Button).press()
        await settled(pilot)
        assert [services.calls[check] for check in CHECKS] == [1, 1, 1]
        text = " ".join(dialog_text(pilot).split())
        assert "1 of 3 answers differ; 1 of 3 not answered" in text
        assert "Does it give access that was not there? ≠ the judges differ" in text
        assert "? " in text
        assert "not authorized" in text
        assert pilot.app.screen.query_one("#ask-analyzer", Button).disabled
        await press(pilot, "escape")
        assert editor.area.policy_text == SOUND

    drive(make_app(WithServices(demo, services)), script)


def test_without_access_analyzer_nothing_is_said_of_it(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, SOUND)
        await press(pilot, "ctrl+s")
        assert not pilot.app.screen.query("#ask-analyzer")

    drive(make_app(), script)
