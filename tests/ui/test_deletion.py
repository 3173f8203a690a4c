"""Deleting a key: what is said of its use before, and the gentler way that is offered first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Static

from kms_tui.backend.base import Backend
from kms_tui.kms.errors import ServiceError
from kms_tui.ui.actions.deletion_dialogs import ScheduleDeletion
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, notifications, press, state_of
from tests.ui.test_many_keys import Refusing, key_id


def facts(pilot: Pilot[Any]) -> str:
    return str(pilot.app.screen.query_one("#preflight", Static).render())


def test_the_question_says_last_use_aliases_grants_replicas_and_cost(
    make_app: MakeApp, demo: Backend
) -> None:
    grantee = "arn:aws:iam::111122223333:role/Reporter"
    params = {"KeyId": key_id(demo, "global-config"), "GranteePrincipal": grantee, "Operations": ["Decrypt"]}
    demo.call("CreateGrant", params)
    demo.call("Encrypt", {"KeyId": params["KeyId"], "Plaintext": b"used"})

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "global-config")
        await press(pilot, "D")
        lines = facts(pilot).splitlines()
        assert lines[0].split(maxsplit=2)[2].startswith("2026-11-20")
        assert "by Encrypt" in lines[0]
        assert "global-config (deleted with it)" in lines[1]
        assert "1, for role/Reporter" in lines[2]
        assert "in us-east-1: the waiting period begins when they are deleted" in lines[3]
        assert "a month" in lines[4]

    drive(make_app(), script)


def test_a_key_without_a_known_use_is_never_called_unused(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "search-index")
        await press(pilot, "D")
        assert "unknown before" in facts(pilot)
        assert "never" not in facts(pilot)

    drive(make_app(), script)


@pytest.mark.parametrize("operation", ["GetKeyLastUsage", "ListGrants", "ListAliases"])
def test_what_may_not_be_read_says_so_and_hides_nothing_else(
    make_app: MakeApp, demo: Backend, operation: str
) -> None:
    def deny(called: str, params: Mapping[str, Any]) -> None:
        if called == operation and params.get("KeyId"):
            raise ServiceError("AccessDeniedException", "no", operation=called)

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "sandbox")
        await press(pilot, "D")
        assert f"denied: you may not call {operation}" in facts(pilot)
        assert "$1.00 a month" in facts(pilot)

    drive(make_app(Refusing(demo, deny)), script)


def test_nothing_about_use_is_read_before_the_question_is_open(make_app: MakeApp, demo: Backend) -> None:
    calls: list[str] = []

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "sandbox")
        assert "GetKeyLastUsage" not in calls
        await press(pilot, "D")
        assert calls.count("GetKeyLastUsage") == 1

    drive(make_app(Refusing(demo, lambda operation, _: calls.append(operation))), script)


def test_disabling_and_watching_is_offered_first_and_leaves_no_deletion(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key = await go_to(pilot, "sandbox")
        await press(pilot, "D", "left")
        ids = [button.id for button in pilot.app.screen.query("#dialog-buttons Button")]
        assert ids == ["scan", "cancel", "disable", "confirm"]
        pilot.app.screen.query_one("#disable", Button).focus()
        await press(pilot, "enter")
        assert state_of(demo, key) == "Disabled"
        await press(pilot, "D")
        assert isinstance(pilot.app.screen, ScheduleDeletion)
        assert not pilot.app.screen.query("#disable"), "there is nothing left to disable"

    drive(make_app(), script)


def test_a_primary_with_replicas_waits_for_them(make_app: MakeApp, demo: Backend) -> None:

    async def script(pilot: Pilot[Any]) -> None:
        key = await go_to(pilot, "global-config")
        await press(pilot, "D")
        pilot.app.screen.query_one("#typed-name").focus()
        await press(pilot, *"global-config", "enter")
        assert state_of(demo, key) == "PendingReplicaDeletion"
        told = notifications(pilot.app)  # type: ignore[arg-type]
        assert "global-config will be deleted 30 days after its last replica is" in told

    drive(make_app(), script)
