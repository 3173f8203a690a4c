"""Custom key stores from the console: their states, and what connecting one leaves in the backend."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from kms_tui.backend.base import Backend
from kms_tui.ui.actions.key_store_actions import KeyStores
from kms_tui.ui.dialogs.questions import Confirm
from kms_tui.ui.widgets.line_table import LineTable
from tests.demo_copies import demo_copy
from tests.ui.conftest import NOW, MakeApp
from tests.ui.console import drive, notifications, press
from tests.ui.nonsense import Nonsense
from tests.ui.test_many_keys import body
from tests.ui.test_read_only import Sent


def state(backend: Backend) -> str:
    (store,) = backend.call("DescribeCustomKeyStores", {})["CustomKeyStores"]
    return str(store["ConnectionState"])


def cells(pilot: Pilot[Any]) -> tuple[str | tuple[str, str], ...]:
    """The cells of the only key store on the list."""
    (row,) = pilot.app.screen.query_one(LineTable).rows
    return row.cells


@pytest.fixture
def demo_with_store(demo: Backend) -> Backend:
    """The demo, whose one key store is disconnected."""
    assert state(demo) == "DISCONNECTED"
    return demo


def test_a_key_store_is_connected_only_after_a_question(make_app: MakeApp, demo_with_store: Backend) -> None:
    sent = Sent(demo_with_store)

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "K")
        assert cells(pilot)[2] == ("disconnected", "warning")
        await press(pilot, "enter")
        assert "its keys can be used from then on" in body(pilot)
        await press(pilot, "enter")
        assert not sent.changes, "the question starts on Cancel"
        await press(pilot, "K", "enter", "tab", "enter")
        assert list(sent.changes) == ["ConnectCustomKeyStore"]
        assert state(demo_with_store) in ("CONNECTING", "CONNECTED")
        assert "is connecting" in notifications(pilot.app)  # type: ignore[arg-type]

    drive(make_app(sent), script)


def test_a_connected_key_store_is_disconnected_only_after_a_question(
    make_app: MakeApp, demo_with_store: Backend
) -> None:
    sent = Sent(demo_with_store)
    (store,) = demo_with_store.call("DescribeCustomKeyStores", {})["CustomKeyStores"]
    demo_with_store.call("ConnectCustomKeyStore", {"CustomKeyStoreId": store["CustomKeyStoreId"]})
    if state(demo_with_store) != "CONNECTED":
        pytest.fail("the offline KMS connects at once")

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "K", "enter")
        assert "None of its keys can be used" in body(pilot)
        assert not sent.changes
        await press(pilot, "tab", "enter")
        assert list(sent.changes) == ["DisconnectCustomKeyStore"]
        assert state(demo_with_store) in ("DISCONNECTING", "DISCONNECTED")

    drive(make_app(sent), script)


def test_a_read_only_session_shows_key_stores_and_cannot_choose_one(
    make_app: MakeApp, demo_with_store: Backend
) -> None:
    sent = Sent(demo_with_store)

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "K")
        assert cells(pilot)[0] == ("hsm-dublin", "strong")
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, KeyStores)
        await press(pilot, "tab", "enter")
        assert not isinstance(pilot.app.screen, Confirm)
        assert sent.changes == []

    drive(make_app(sent, read_only=True), script)


def test_a_key_store_of_an_unknown_state_and_kind_is_still_shown(make_app: MakeApp) -> None:
    """A state of next year is shown in KMS's own word, an error code beside it."""
    nonsense = Nonsense(demo_copy(NOW))
    nonsense.operation = "DescribeCustomKeyStores"
    nonsense.answer = {
        "CustomKeyStores": [
            {
                "CustomKeyStoreId": "cks-1",
                "CustomKeyStoreName": "hsm",
                "ConnectionState": "MIGRATING",
                "ConnectionErrorCode": "CLUSTER_NOT_FOUND",
            }
        ]
    }

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "K")
        assert cells(pilot)[2] == ("MIGRATING: CLUSTER_NOT_FOUND", "danger")

    drive(make_app(nonsense), script)
