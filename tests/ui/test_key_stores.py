"""Custom key stores from the console: their states, and what connecting one leaves in the backend."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from kms_tui.backend.base import Backend
from kms_tui.ui.dialogs.choose import Choose
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, press


def state(backend: Backend) -> str:
    (store,) = backend.call("DescribeCustomKeyStores", {})["CustomKeyStores"]
    return str(store["ConnectionState"])


@pytest.fixture
def demo_with_store(demo: Backend) -> Backend:
    """The demo, whose one key store is disconnected."""
    assert state(demo) == "DISCONNECTED"
    return demo


def test_a_key_store_is_connected_only_after_a_question(make_app: MakeApp, demo_with_store: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "K")
        line = str(pilot.app.screen.query_one(OptionList).get_option_at_index(0).prompt)
        assert "disconnected" in line
        await press(pilot, "enter", "enter")
        assert state(demo_with_store) == "DISCONNECTED", "the question starts on Cancel"
        await press(pilot, "K", "enter", "tab", "enter")
        assert state(demo_with_store) in ("CONNECTING", "CONNECTED")

    drive(make_app(), script)


def test_a_read_only_session_shows_key_stores_and_changes_none(
    make_app: MakeApp, demo_with_store: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "K", "enter")
        assert isinstance(pilot.app.screen, Choose)
        assert state(demo_with_store) == "DISCONNECTED"

    drive(make_app(read_only=True), script)
