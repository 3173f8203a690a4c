"""A read-only session offers nothing that changes anything, and sends nothing of the kind whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.config import ProfileSettings
from kms_tui.kms.errors import ReadOnlyError
from kms_tui.kms.operations import NOT_MUTATING
from kms_tui.session import BackendKind, Connection, open_session
from kms_tui.ui.actions.action_table import ACTIONS
from kms_tui.ui.base.subject import subject_of
from kms_tui.ui.dialogs.dialog import Dialog
from kms_tui.ui.screens.keys_screen import KeysScreen
from tests.contract.shapes import service_model
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, notifications, press, settled


class Sent(Wrapper):
    """Notes which changing operations reach the backend."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.changes: list[str] = []

    def around(self, inner: Backend) -> Sent:
        return self

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if operation not in NOT_MUTATING:
            self.changes.append(operation)
        return self.inner.call(operation, params)


async def answered(pilot: Pilot[Any], backend: Sent) -> dict[str, bool]:
    """Key of each changing act -> whether it asks or sends anything for a key that it is possible for."""
    found = {}
    for act in [act for act in ACTIONS.values() if act.mutating]:
        screen = pilot.app.screen
        assert isinstance(screen, KeysScreen)
        possible = [row for row in screen.list.rows if not act.refusal(subject_of(row))]
        possible.sort(key=lambda row: "ebs-default" not in row.aliases)  # it has grants to take back
        row = next(iter(possible), None)
        if row is None:
            continue
        screen.list.go_to(row.arn)
        await settled(pilot)
        before = len(backend.changes)
        await press(pilot, act.key)
        found[act.key] = isinstance(pilot.app.screen, Dialog) or len(backend.changes) > before
        while not isinstance(pilot.app.screen, KeysScreen):
            await press(pilot, "escape")
    return found


def external(backend: Backend) -> Sent:
    """The same, noting what is sent, with a key that takes imported material."""
    backend.call("CreateKey", {"Origin": "EXTERNAL"})
    return Sent(backend)


def test_each_changing_act_asks_or_sends_where_changes_are_allowed(make_app: MakeApp, demo: Backend) -> None:
    sent = external(demo)

    async def script(pilot: Pilot[Any]) -> None:
        found = await answered(pilot, sent)
        assert len(found) >= 16
        assert all(found.values()), found

    drive(make_app(sent), script)


def test_a_read_only_session_offers_nothing_that_changes_anything(make_app: MakeApp, demo: Backend) -> None:
    sent = external(demo)

    async def script(pilot: Pilot[Any]) -> None:
        found = await answered(pilot, sent)
        assert len(found) >= 16
        assert not any(found.values()), found
        await press(pilot, "n")
        assert not isinstance(pilot.app.screen, Dialog)
        await press(pilot, "m")
        looking = [act for act in ACTIONS.values() if not act.mutating]
        offered = [option.id for option in pilot.app.screen.query_one(OptionList).options if option.id]
        assert sorted(offered) == sorted(action.id for action in looking)
        await press(pilot, "escape")
        assert "READ-ONLY" in str(pilot.app.screen.query_one("#limits", Static).render())

    drive(make_app(sent, read_only=True), script)
    assert sent.changes == []


def test_a_key_that_is_refused_says_why_and_a_word_that_is_typed_says_nothing(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "X")
        assert "Disable is refused: this session is read-only." in notifications(pilot.app)  # type: ignore[arg-type]
        pilot.app.clear_notifications()
        await press(pilot, "slash", "D", "X")
        assert notifications(pilot.app) == ""  # type: ignore[arg-type]

    drive(make_app(read_only=True), script)


@pytest.mark.parametrize("operation", sorted(set(service_model().operation_names) - NOT_MUTATING))
def test_a_read_only_session_sends_nothing_that_changes_anything(operation: str) -> None:
    """Whatever the screens offer; in another region too, and where the profile's settings say so."""
    sent = Sent(
        cast(
            "Backend",
            SimpleNamespace(in_region=lambda _: None, region="eu-west-1", account_id="111122223333"),
        )
    )
    by_flag = open_session(Connection(BackendKind.DEMO, read_only=True), sent)
    by_profile = open_session(Connection(BackendKind.DEMO), sent, ProfileSettings(read_only=True))
    for session in (by_flag, by_profile):
        assert session.read_only
        for kms in (session.kms, session.kms.in_region("us-east-1")):
            with pytest.raises(ReadOnlyError, match=f"{operation} was not sent"):
                kms.call(operation)
        session.close()
    assert sent.changes == []
