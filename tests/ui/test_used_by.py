"""What uses a key: a scan is made when somebody asks, serves every key, and says what it did not see."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Static

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.backend.local import open_ephemeral
from kms_tui.evidence.scanners import SCANNERS
from kms_tui.evidence.scans import Scan
from kms_tui.ui.details.key_details import KeyDetails
from kms_tui.ui.screens.keys_screen import KeyDetailsScreen
from kms_tui.ui.widgets.virtual_list import LineList
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, press, settled
from tests.ui.test_hostile_text import screen_text
from tests.ui.test_many_keys import key_id
from tests.unit.evidence.world import FakeServices, arn_of, denied

REGION = "eu-west-1"


class WithServices(Wrapper):
    """A backend whose account has the services that one gives it."""

    def __init__(self, inner: Backend, services: FakeServices) -> None:
        super().__init__(inner)
        self.services = services

    def around(self, inner: Backend) -> WithServices:
        return WithServices(inner, self.services)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.inner.call(operation, params)


def shown(pilot: Pilot[Any]) -> str:
    """The text of the tab."""
    tab = pilot.app.screen.query_one("#tab-grants-and-uses")
    parts = ("#grants-list", "#used-by-head", "#used-by-note")
    grants, head, note = (str(tab.query_one(part, Static).content) for part in parts)
    return "\n".join([grants, head, tab.query_one(LineList).text, note])


def preflight(pilot: Pilot[Any]) -> str:
    return str(pilot.app.screen.query_one("#preflight", Static).render())


async def until(pilot: Pilot[Any], text: str) -> None:
    """Wait for a text on the tab while a scan goes on."""
    async with asyncio.timeout(10):
        while text not in shown(pilot):
            await pilot.pause(0.01)


def test_one_scan_on_demand_serves_every_key(make_app: MakeApp, demo: Backend) -> None:
    app = make_app()

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "orders-db")
        pilot.app.screen.query_one(KeyDetails).open_tab("Grants and uses")
        await settled(pilot)
        assert app.session is not None
        scans = app.session.current.scans
        assert scans.result(REGION) is None, "opening the tab scans nothing"
        assert "No scan was made in this session." in shown(pilot)
        await press(pilot, "b")
        text = " ".join(shown(pilot).split())
        assert "8 resources name this key." in text
        assert "Scanned 12:00, 0.0 s" in text
        assert "prod/orders/db" in text
        assert "as alias/orders-db" in text
        assert "S3 buckets: 1 of 18 not checked (acme-legal-hold): denied" in text
        assert "a key of account 444455556666" in text
        assert "Data encrypted earlier is not visible to any scan." in text
        first = scans.result(REGION)
        await go_to(pilot, "rds-reporting")
        assert "2 resources name this key." in shown(pilot)
        assert "rds.eu-west-1.amazonaws.com" in shown(pilot)
        assert "db:reporting-1" in shown(pilot)
        await go_to(pilot, "sandbox")
        assert "Nothing that was checked names this key." in shown(pilot)
        assert scans.result(REGION) is first
        await press(pilot, "b")
        assert isinstance(scans.result(REGION), Scan)
        assert scans.result(REGION) is not first, "on the open tab the key scans again"

    drive(app, script)


def test_on_a_narrow_terminal_it_is_on_the_keys_own_screen_and_read_only_will_do(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "ledger")
        await press(pilot, "b")
        assert isinstance(pilot.app.screen, KeyDetailsScreen)
        assert "1 resource names this key." in shown(pilot)
        assert "/audit/ledger" in shown(pilot)

    drive(make_app(read_only=True), script, size=(80, 24))


@pytest.mark.parametrize("size", [(80, 24), (160, 30)])
def test_the_uses_are_in_sight_below_the_grants(make_app: MakeApp, size: tuple[int, int]) -> None:
    app = make_app()

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "orders-db")
        await press(pilot, "b")
        upper_lines = screen_text(app).splitlines()[: size[1] * 2 // 3]
        assert "8 resources name this key." in "".join(upper_lines)

    drive(app, script, size=size)


def test_progress_is_shown_by_service_and_the_scan_can_be_stopped(make_app: MakeApp, demo: Backend) -> None:
    let_go = threading.Event()
    volume = {"VolumeId": "vol-1", "KmsKeyId": arn_of(key_id(demo, "sandbox"))}

    def hang(_: Mapping[str, Any]) -> Mapping[str, Any]:
        assert let_go.wait(20)
        return {"Volumes": [volume]}

    here = [scanner for scanner in SCANNERS if not scanner.home]
    services = FakeServices({"DescribeVolumes": hang, "DescribeDBClusters": denied("DescribeDBClusters")})

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "sandbox")
        await pilot.press("b")
        await until(pilot, f"{len(here) - 1} of {len(here)} kinds · b stops it")
        lines = {line.strip().rpartition("  ")[::2] for line in shown(pilot).splitlines()}
        states = {title.strip(): state for title, state in lines}
        assert states["EBS volumes"] == "listing…"
        assert states["RDS clusters"] == "not checked"
        assert states["SNS topics"] == "0 checked"
        await press(pilot, "b")
        assert "EBS volumes: cancelled" in shown(pilot)
        words = " ".join(shown(pilot).split())
        assert "RDS clusters: denied: you may not call DescribeDBClusters" in words
        assert "cancelled after" in shown(pilot)
        let_go.set()
        await press(pilot, "b")
        assert "1 resource names this key." in shown(pilot)

    drive(make_app(WithServices(demo, services)), script)


def test_names_from_elsewhere_are_only_text(make_app: MakeApp, demo: Backend) -> None:
    bad = "[/b]\x1b]52;c;x\x07\u202e[@click=app.quit]"
    key = arn_of(key_id(demo, "sandbox"))
    services = FakeServices(
        {
            "DescribeVolumes": {
                "Volumes": [
                    {"VolumeId": bad, "KmsKeyId": key, "Tags": [{"Key": "Name", "Value": bad}]},
                    {"VolumeId": bad, "KmsKeyId": bad},
                ]
            },
            "ListBuckets": {"Buckets": [{"Name": bad}]},
            "GetBucketEncryption": denied(bad),
        }
    )

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "sandbox")
        await press(pilot, "b")
        text = shown(pilot)
        assert "1 resource names this key." in text
        assert not any(character in text for character in "\x1b\x07\u202e")
        assert text.count("[@click=app.quit]") >= 5
        await press(pilot, "D")
        assert not any(character in preflight(pilot) for character in "\x1b\x07\u202e")

    drive(make_app(WithServices(demo, services)), script, size=(160, 60))


def test_the_question_before_a_deletion_says_what_a_scan_found_and_offers_one(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "legacy-exports")
        pilot.app.screen.query_one(KeyDetails).open_tab("Grants and uses")
        await settled(pilot)
        await press(pilot, "D")
        assert "not known: no scan was made in this session" in preflight(pilot)
        assert "Data encrypted earlier is not visible to any scan." in preflight(pilot)
        pilot.app.screen.query_one("#scan", Button).focus()
        await press(pilot, "enter")
        assert "1 resource: S3 buckets 1" in preflight(pilot)
        assert "2 kinds not checked whole: S3 buckets, EFS file" in preflight(pilot)
        await press(pilot, "escape")
        assert "1 resource names this key." in shown(pilot), "the tab behind the question has it too"
        await go_to(pilot, "search-index")
        await press(pilot, "D")
        assert "1 resource: EBS volumes 1" in preflight(pilot), "the scan made for one key is there for all"

    drive(make_app(), script)


def test_a_kms_that_stands_alone_says_so_and_offers_no_scan(make_app: MakeApp) -> None:
    local = open_ephemeral(region=REGION)
    created = local.call("CreateKey", {})["KeyMetadata"]["KeyId"]
    local.call("CreateAlias", {"AliasName": "alias/alone", "TargetKeyId": created})

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "alone")
        await press(pilot, "b")
        assert "not available here" in shown(pilot)
        await press(pilot, "D")
        assert "not available here" in preflight(pilot)
        assert not pilot.app.screen.query("#scan")

    drive(make_app(local), script)
