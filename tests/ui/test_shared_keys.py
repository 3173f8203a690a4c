"""Keys of other accounts that are shared through RAM: asked for apart, listed by owner, opened by ARN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.pilot import Pilot
from textual.widgets import OptionList

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.kms.errors import ServiceError
from kms_tui.ui.screens.keys_screen import KeyDetailsScreen
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, notifications, press
from tests.ui.test_many_keys import Refusing, body

SHARED = "arn:aws:kms:eu-west-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab"
HIDDEN = "arn:aws:kms:eu-west-1:444455556666:key/99999999-12ab-34cd-56ef-1234567890ab"


class Sharing(Wrapper):
    """The demo, to which another account shares two keys; an empty page comes first, as AWS may answer."""

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self.calls: list[tuple[str, Mapping[str, Any]]] = []

    def around(self, inner: Backend) -> Sharing:
        return self

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        self.calls.append((operation, dict(params)))
        if "ResourceOwners" in params:
            if "Marker" not in params:
                return {"Keys": [], "Truncated": True, "NextMarker": "1"}
            entries = [{"KeyId": arn.rpartition("/")[2], "KeyArn": arn} for arn in (SHARED, HIDDEN)]
            return {"Keys": entries, "Truncated": False}
        if params.get("KeyId") == HIDDEN:
            raise ServiceError("AccessDeniedException", "no", operation=operation)
        if params.get("KeyId") == SHARED:
            if operation != "DescribeKey":
                raise ServiceError("AccessDeniedException", "not yours", operation=operation)
            own = self.inner.call("DescribeKey", {"KeyId": "alias/orders-db"})["KeyMetadata"]
            theirs = {"Arn": SHARED, "KeyId": SHARED.rpartition("/")[2], "AWSAccountId": "444455556666"}
            return {"KeyMetadata": {**own, **theirs, "Description": "theirs"}}
        return self.inner.call(operation, params)


def test_shared_keys_are_listed_by_owner_and_opened(make_app: MakeApp, demo: Backend) -> None:
    sharing = Sharing(demo)

    async def script(pilot: Pilot[Any]) -> None:
        assert not any("ResourceOwners" in params for _, params in sharing.calls)
        await press(pilot, "J")
        assert "2 keys of other accounts" in body(pilot)
        choices = pilot.app.screen.query_one(OptionList)
        first, second = (str(choices.get_option_at_index(index).prompt) for index in range(2))
        assert first.startswith("444455556666  1234abcd")
        assert "AES-256 · enabled · eu-west-1 · theirs" in first
        assert "denied: you may not call DescribeKey" in second
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, KeyDetailsScreen)
        shown = str(pilot.app.export_screenshot()).replace("&#160;", " ")
        assert "444455556666" in shown
        assert "theirs" in shown
        for _ in range(6):
            await press(pilot, "right_square_bracket")
        asked = {
            str(params["KeyId"]) for _, params in sharing.calls if "1234abcd" in str(params.get("KeyId"))
        }
        assert asked == {SHARED}, "a key of another account is known by its ARN alone"
        await press(pilot, "escape")
        assert not isinstance(pilot.app.screen, KeyDetailsScreen)

    drive(make_app(sharing), script)


def test_no_shared_key_is_said_so(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "J")
        told = notifications(pilot.app)  # type: ignore[arg-type]
        assert "No other account shares a key with this one in eu-west-1." in told

    drive(make_app(), script)


def test_a_service_that_does_not_know_shared_keys_is_told(make_app: MakeApp, demo: Backend) -> None:
    def refuse(operation: str, params: Mapping[str, Any]) -> None:
        if "ResourceOwners" in params:
            raise ServiceError("ValidationException", "unknown member", operation=operation)

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "J")
        told = notifications(pilot.app)  # type: ignore[arg-type]
        assert "Could not list the keys shared with this account" in told

    drive(make_app(Refusing(demo, refuse)), script)
