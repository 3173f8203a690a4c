"""The table of aliases: which keys they point at, and those that point at none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.ui.widgets.key_list import KeyList
from kms_tui.ui.widgets.line_table import LineTable
from tests.demo_copies import demo_copy
from tests.ui.conftest import NOW, MakeApp
from tests.ui.console import drive, go_to, notifications, press, settled
from tests.ui.test_many_keys import body
from tests.unit.lagging import Lagging

MISSING = "00000000-0000-0000-0000-000000000000"


class MoreAliases(Wrapper):
    """A region with an alias whose key is not there, and one of AWS's that has none yet."""

    def around(self, inner: Backend) -> MoreAliases:
        return MoreAliases(inner)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = self.inner.call(operation, params)
        if operation != "ListAliases" or "KeyId" in params:
            return answer
        more = [{"AliasName": "alias/lost", "AliasArn": "arn", "TargetKeyId": MISSING}]
        more += [{"AliasName": "alias/aws/kinesis-new", "AliasArn": "arn"}]
        return {**answer, "Aliases": [*answer["Aliases"], *more]}


def test_names_without_their_key_and_those_of_aws_without_one_yet_are_told_apart(
    make_app: MakeApp, demo: Backend
) -> None:
    def states(pilot: Pilot[Any]) -> dict[str, str]:
        return {row.key: row.cells[3][0] for row in pilot.app.screen.query_one(LineTable).rows}

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "2")
        assert states(pilot)["alias/lost"] == "key not found"
        assert states(pilot)["alias/aws/kinesis-new"] == "no key yet"
        assert states(pilot)["alias/old-backups"] == "pending deletion"
        assert "1 without their key" in body(pilot)
        pilot.app.screen.query_one("#table-filter", Input).value = "not found"
        await settled(pilot)
        assert set(states(pilot)) == {"alias/lost"}

    drive(make_app(MoreAliases(demo)), script)


def test_an_alias_that_older_reads_do_not_know_yet_is_propagating(make_app: MakeApp, demo: Backend) -> None:
    backend = Lagging(demo, demo_copy(NOW))

    def states(pilot: Pilot[Any]) -> dict[str, str]:
        return {row.key: row.cells[3][0] for row in pilot.app.screen.query_one(LineTable).rows}

    async def script(pilot: Pilot[Any]) -> None:
        key = await go_to(pilot, "sandbox")
        await press(pilot, "a")
        pilot.app.screen.query_one("#alias", Input).value = "fresh"
        await press(pilot, "enter", "2")
        assert states(pilot)["alias/fresh"] == "propagating"
        assert {each["AliasName"] for each in demo.call("ListAliases", {"KeyId": key})["Aliases"]} == {
            "alias/fresh",
            "alias/sandbox",
        }
        backend.caught_up.set()
        await press(pilot, "r")
        assert states(pilot)["alias/fresh"] == "enabled"

    drive(make_app(backend), script)


def test_enter_goes_to_the_key_of_an_alias_and_says_where_there_is_none(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "2")
        pilot.app.screen.query_one("#table-filter", Input).value = "kinesis-new"
        await settled(pilot)
        pilot.app.screen.query_one(LineTable).focus()
        await press(pilot, "enter")
        assert "points at no key of the list" in notifications(pilot.app)  # type: ignore[arg-type]
        pilot.app.screen.query_one("#table-filter", Input).value = "invoices"
        await settled(pilot)
        await press(pilot, "enter")
        current = pilot.app.screen.query_one(KeyList).current
        assert current is not None
        assert "invoices" in current.aliases

    drive(make_app(MoreAliases(demo)), script)
