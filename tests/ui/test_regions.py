"""Multi-Region keys from the console: what is shown of them, and what a replica then has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Button, Select, TextArea

from kms_tui.backend.base import Backend
from kms_tui.kms.errors import ServiceError
from kms_tui.ui.actions.region_actions import RegionsDialog
from kms_tui.ui.widgets.line_table import LineTable
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, notifications, press, settled
from tests.ui.test_many_keys import Refusing, body, key_id


def replicate(backend: Backend, alias: str, region: str) -> None:
    backend.call("ReplicateKey", {"KeyId": key_id(backend, alias), "ReplicaRegion": region})


def shown(pilot: Pilot[Any]) -> list[tuple[str, ...]]:
    rows = pilot.app.screen.query_one(LineTable).rows
    return [tuple(cell if isinstance(cell, str) else cell[0] for cell in row.cells) for row in rows]


def test_a_replica_gets_the_policy_and_tags_of_the_primary(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key = await go_to(pilot, "global-sessions")
        await press(pilot, "E")
        assert shown(pilot) == [("eu-west-1", "primary", "enabled")]
        pilot.app.screen.query_one("#confirm", Button).press()
        await settled(pilot)
        pilot.app.screen.query_one("#region", Select).value = "ap-south-1"
        pilot.app.screen.query_one("#description", TextArea).text = "over there"
        await press(pilot, "ctrl+s")
        there = demo.in_region("ap-south-1")
        metadata = there.call("DescribeKey", {"KeyId": key})["KeyMetadata"]
        assert metadata["Description"] == "over there"
        for operation, member in (("GetKeyPolicy", "Policy"), ("ListResourceTags", "Tags")):
            more = {"PolicyName": "default"} if operation == "GetKeyPolicy" else {}
            answers = [each.call(operation, {"KeyId": key, **more})[member] for each in (demo, there)]
            assert answers[0] == answers[1]
        await press(pilot, "E")
        assert [(region, role) for region, role, _ in shown(pilot)] == [
            ("eu-west-1", "primary"),
            ("ap-south-1", "replica"),
        ]

    drive(make_app(), script)


def test_a_key_is_replicated_to_no_region_that_was_not_chosen(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key = await go_to(pilot, "global-sessions")
        await press(pilot, "E")
        pilot.app.screen.query_one("#confirm", Button).press()
        await settled(pilot)
        await press(pilot, "ctrl+s")
        assert "Choose a Region" in body(pilot)
        await press(pilot, "enter", *"eu-north", "enter")
        assert pilot.app.screen.query_one("#region", Select).value == "eu-north-1"
        await press(pilot, "ctrl+s")
        replicas = demo.call("DescribeKey", {"KeyId": key})["KeyMetadata"]["MultiRegionConfiguration"]
        assert [each["Region"] for each in replicas["ReplicaKeys"]] == ["eu-north-1"]

    drive(make_app(), script)


def test_a_replica_becomes_the_primary_only_after_a_question(make_app: MakeApp, demo: Backend) -> None:
    replicate(demo, "global-sessions", "ap-south-1")

    def primary(key: str) -> str:
        metadata = demo.call("DescribeKey", {"KeyId": key})["KeyMetadata"]
        return str(metadata["MultiRegionConfiguration"]["PrimaryKey"]["Region"])

    async def script(pilot: Pilot[Any]) -> None:
        key = await go_to(pilot, "global-sessions")
        await press(pilot, "E")
        pilot.app.screen.query_one("#primary", Button).press()
        await settled(pilot)
        assert isinstance(pilot.app.screen, RegionsDialog), "the cursor is on the primary"
        assert pilot.app.screen.query_one("#dialog-error").has_class("-shown")
        pilot.app.screen.query_one(LineTable).go_to("ap-south-1")
        pilot.app.screen.query_one("#primary", Button).press()
        await settled(pilot)
        await press(pilot, "enter")
        assert primary(key) == "eu-west-1", "the question starts on Cancel"
        await press(pilot, "E", "down")
        pilot.app.screen.query_one("#primary", Button).press()
        await settled(pilot)
        await press(pilot, "tab", "enter")
        assert primary(key) == "ap-south-1"

    drive(make_app(), script)


def test_a_region_that_may_not_be_read_says_so_and_the_others_stay(make_app: MakeApp, demo: Backend) -> None:
    replicate(demo, "global-sessions", "ap-south-1")

    class DeniedAbroad(Refusing):
        def around(self, inner: Backend) -> DeniedAbroad:
            return DeniedAbroad(inner, _deny)

    def _deny(operation: str, params: Mapping[str, Any]) -> None:
        if operation == "DescribeKey":
            raise ServiceError("AccessDeniedException", "no", operation=operation)

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "global-sessions")
        await press(pilot, "E")
        assert [row[2].partition(":")[0] for row in shown(pilot)] == ["enabled", "denied"]

    drive(make_app(DeniedAbroad(demo, lambda operation, params: None)), script)


def test_a_single_region_key_says_that_it_stays_one(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "sandbox")
        await press(pilot, "E")
        assert "single-Region key, and stays one" in notifications(pilot.app)  # type: ignore[arg-type]

    drive(make_app(), script)


def test_a_read_only_session_shows_the_regions_and_offers_no_change(make_app: MakeApp, demo: Backend) -> None:
    replicate(demo, "global-sessions", "ap-south-1")
    assert key_id(demo, "global-sessions").startswith("mrk-")

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "global-sessions")
        await press(pilot, "E")
        assert len(shown(pilot)) == 2
        assert [button.id for button in pilot.app.screen.query(Button)] == ["cancel"]

    drive(make_app(read_only=True), script)
