"""Several regions in one list: those that are enabled for the account, or all where that cannot be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.session import BackendKind, Connection, Prompt, Session, open_session
from kms_tui.ui.app import KmsApp
from kms_tui.ui.app_shell.connecting import ChooseRegions
from kms_tui.ui.widgets.key_list import KeyList
from tests.ui.conftest import MakeApp, fixed_now
from tests.ui.console import drive, press
from tests.ui.test_hostile_text import screen_text


class Ec2:
    """Services with nothing but EC2's DescribeRegions."""

    region = "eu-west-1"

    def __init__(self, enabled: Sequence[str], error: KmsTuiError | None = None) -> None:
        self.enabled = enabled
        self.error = error

    def offers(self, service: str) -> bool:
        return service == "ec2"

    def in_region(self, region: str) -> Ec2:
        return self

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        assert (service, operation, params) == ("ec2", "DescribeRegions", {"AllRegions": False})
        if self.error is not None:
            raise self.error
        return {"Regions": [{"RegionName": region} for region in self.enabled]}


class WithEc2(Wrapper):
    def __init__(self, inner: Backend, services: Ec2) -> None:
        super().__init__(inner)
        self.services = services

    def around(self, inner: Backend) -> WithEc2:
        return WithEc2(inner, self.services)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.inner.call(operation, params)


def console(backend: Backend, services: Ec2) -> KmsApp:
    def opener(connection: Connection, _prompt: Prompt) -> Session:
        return open_session(connection, WithEc2(backend, services), now=fixed_now)

    return KmsApp(opener, Connection(BackendKind.DEMO))


def listed(pilot: Pilot[Any]) -> list[str]:
    view = pilot.app.screen.query_one(KeyList).view
    assert view is not None
    return [region.name for region in view.inventory.regions]


def test_all_enabled_regions_come_into_one_list_with_two_keys(demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        assert listed(pilot) == ["eu-west-1"]
        await press(pilot, "l")
        assert isinstance(pilot.app.screen, ChooseRegions)
        assert list(pilot.app.screen.offered) == ["eu-west-1", "eu-north-1", "us-east-1"]
        assert "3 regions are enabled for this account" in screen_text(pilot.app)  # type: ignore[arg-type]
        await press(pilot, "a", "enter")
        assert listed(pilot) == ["eu-west-1", "eu-north-1", "us-east-1"]
        assert "REGION" in screen_text(pilot.app)  # type: ignore[arg-type]

    drive(console(demo, Ec2(["us-east-1", "eu-west-1", "eu-north-1"])), script)


def test_where_the_enabled_regions_may_not_be_read_it_says_so_and_offers_the_partitions(
    demo: Backend,
) -> None:
    refused = ServiceError("UnauthorizedOperation", "not authorized", operation="DescribeRegions")

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "l")
        assert isinstance(pilot.app.screen, ChooseRegions)
        note = str(pilot.app.screen.query_one("#regions-note", Static).content)
        assert "denied: you may not call DescribeRegions" in note
        assert {"af-south-1", "eu-west-1", "us-east-1"} < set(pilot.app.screen.offered)
        await press(pilot, "escape")
        assert listed(pilot) == ["eu-west-1"]

    drive(console(demo, Ec2([], refused)), script)


def test_a_offline_chooses_all_and_again_none(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "l")
        dialog = pilot.app.screen
        assert isinstance(dialog, ChooseRegions)
        await press(pilot, "a")
        assert len(dialog.choices.selected) == len(dialog.offered) > 10
        await press(pilot, "a", "enter")
        assert "Choose at least one" in screen_text(pilot.app)  # type: ignore[arg-type]

    drive(make_app(), script)


@pytest.mark.parametrize("size", [(160, 48), (80, 24)], ids=["160x48", "80x24"])
def test_the_note_above_the_list_and_the_keys_below_it_are_on_screen(
    make_app: MakeApp, size: tuple[int, int]
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "l")
        painted = screen_text(pilot.app)  # type: ignore[arg-type]
        assert "Which are enabled is not known" in painted
        assert "a chooses all" in painted

    drive(make_app(), script, size=size)
