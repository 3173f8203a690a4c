"""A policy that is being saved is waited for: leaving the editor or another command would drop the answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from textual.pilot import Pilot

from kms_tui.backend.base import Backend
from kms_tui.ui.policy_editor.editor_screen import PolicyEditor
from kms_tui.ui.policy_editor.policy_review import ReviewDialog
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, notifications, press
from tests.ui.policy.workspace import edit_of, key_policy, write
from tests.ui.test_under_way import Slow


@pytest.mark.parametrize("key", ["escape", "ctrl+s", "f3"])
def test_a_policy_that_is_being_saved_is_waited_for(make_app: MakeApp, demo: Backend, key: str) -> None:
    slow = Slow(demo, "PutKeyPolicy")

    async def script(pilot: Pilot[Any]) -> None:
        key_id = await go_to(pilot, "sandbox")
        await press(pilot, "e")
        editor = pilot.app.screen
        assert isinstance(editor, PolicyEditor)
        await write(pilot, editor, json.dumps({**json.loads(edit_of(editor).text), "Id": "new"}, indent=2))
        await press(pilot, "ctrl+s")
        review = pilot.app.screen
        assert isinstance(review, ReviewDialog)
        await pilot.press("tab", "enter")
        await slow.is_entered(pilot)
        await pilot.press(key)
        await pilot.pause()
        assert pilot.app.screen is editor
        told = notifications(pilot.app)  # type: ignore[arg-type]
        assert "The policy is being saved: wait for the answer." in told
        await slow.end(pilot)
        assert json.loads(key_policy(demo, key_id))["Id"] == "new"
        assert "The policy of sandbox is saved" in notifications(pilot.app)  # type: ignore[arg-type]
        assert slow.calls == 1

    drive(make_app(slow.backend), script)
