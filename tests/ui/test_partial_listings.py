"""What the screens say of an account whose keys could not be listed: never that there is nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Static

from kms_tui.backend.base import Backend
from kms_tui.kms.errors import ServiceError
from kms_tui.ui.widgets.line_table import LineTable
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, press
from tests.ui.test_many_keys import Refusing, body

_DENIED = "eu-west-1: listing its keys was denied."


def unlisted(demo: Backend, *operations: str) -> Backend:
    def before(operation: str, params: Mapping[str, Any]) -> None:
        if operation in operations:
            raise ServiceError("AccessDeniedException", "no", operation=operation)

    return Refusing(demo, before)


def text(pilot: Pilot[Any], query: str) -> str:
    return str(pilot.app.screen.query_one(query, Static).render())


def test_no_key_that_is_listed_is_not_no_cost_and_nothing_to_come(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "dollar_sign")
        assert text(pilot, "#cost-account") == "at least $0.00 a month for 0 keys"
        assert _DENIED in text(pilot, "#cost-unknown")
        assert "at least $0.00 a year" in body(pilot)
        await press(pilot, "escape", "B")
        assert _DENIED in text(pilot, "#grants-note")
        await press(pilot, "escape", "6")
        assert _DENIED in text(pilot, "#calendar-note")
        assert pilot.app.screen.query_one(LineTable).empty.startswith("Nothing is known to be coming")
        await press(pilot, "2")
        assert "not listed: r tries again" in body(pilot)
        assert pilot.app.screen.query_one(LineTable).empty == ""

    drive(make_app(unlisted(demo, "ListKeys", "ListAliases")), script)


def test_an_alias_whose_key_may_be_unlisted_is_not_one_without_its_key(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key_id = demo.call("CreateKey", {})["KeyMetadata"]["KeyId"]
        demo.call("CreateAlias", {"AliasName": "alias/late", "TargetKeyId": key_id})
        await press(pilot, "2")
        states = {row.key: row.cells[3][0] for row in pilot.app.screen.query_one(LineTable).rows}
        assert states["alias/late"] == "not known"
        assert "without their key" not in body(pilot)

    drive(make_app(unlisted(demo, "ListKeys")), script)
