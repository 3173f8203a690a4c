"""Denied is not off: what may not be read says so, and costs nothing else its place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import pytest
from textual.pilot import Pilot

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.kms.errors import EndpointError, KmsTuiError, OutcomeUnknownError, ServiceError
from kms_tui.ui.details.key_details import KeyDetails
from kms_tui.ui.widgets.key_list import KeyList
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, notifications, press, settled, state_of
from tests.ui.test_hostile_text import screen_text


class Failing(Wrapper):
    """Raises an error for some operations, and passes the others on."""

    def __init__(self, inner: Backend, errors: Mapping[str, KmsTuiError]) -> None:
        super().__init__(inner)
        self.errors = errors

    def around(self, inner: Backend) -> Self:
        return type(self)(inner, self.errors)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if operation in self.errors:
            raise self.errors[operation]
        return self.inner.call(operation, params)


def denied(operation: str) -> ServiceError:
    return ServiceError(
        "AccessDeniedException",
        f"User: arn:aws:iam::111122223333:user/x is not authorized to perform: kms:{operation}",
        operation=operation,
    )


def test_a_denied_rotation_status_never_reads_off(make_app: MakeApp, demo: Backend) -> None:
    backend = Failing(demo, {"GetKeyRotationStatus": denied("GetKeyRotationStatus")})

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "sandbox")
        text = screen_text(pilot.app)  # type: ignore[arg-type]
        assert "rotation off" not in text
        assert "denied" in text
        pilot.app.screen.query_one(KeyDetails).open_tab("Rotation")
        await settled(pilot)
        assert "denied: you may not call GetKeyRotationStatus" in screen_text(pilot.app)  # type: ignore[arg-type]

    drive(make_app(backend), script)


def test_keys_that_cannot_be_described_keep_their_rows(make_app: MakeApp, demo: Backend) -> None:
    backend = Failing(demo, {"DescribeKey": denied("DescribeKey")})

    async def script(pilot: Pilot[Any]) -> None:
        names = {row.aliases[0] for row in pilot.app.screen.query_one(KeyList).rows if row.aliases}
        assert "orders-db" in names
        assert "cannot describe: denied" in screen_text(pilot.app)  # type: ignore[arg-type]

    drive(make_app(backend), script)


def test_a_region_that_cannot_be_listed_says_so_and_the_console_stays_usable(
    make_app: MakeApp, demo: Backend
) -> None:
    backend = Failing(demo, {"ListKeys": EndpointError("kms.eu-west-1 could not be reached.")})

    async def script(pilot: Pilot[Any]) -> None:
        assert "could not be reached" in screen_text(pilot.app)  # type: ignore[arg-type]
        await press(pilot, "question_mark")
        assert "ATTENTION says" in screen_text(pilot.app)  # type: ignore[arg-type]

    drive(make_app(backend), script)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (denied("DisableKey"), "not authorized to perform: kms:DisableKey"),
        (ServiceError("ThrottlingException", "Rate exceeded", operation="DisableKey"), "Rate exceeded"),
        (OutcomeUnknownError("DisableKey", "read timeout"), "the outcome is unknown"),
    ],
)
def test_a_change_that_fails_says_what_why_and_what_next(
    make_app: MakeApp, demo: Backend, error: KmsTuiError, told: str
) -> None:
    backend = Failing(demo, {"DisableKey": error})

    async def script(pilot: Pilot[Any]) -> None:
        key_id = await go_to(pilot, "orders-db")
        await press(pilot, "X", "tab", "enter")
        text = notifications(pilot.app)  # type: ignore[arg-type]
        assert told in text
        assert error.next_step in text
        assert state_of(demo, key_id) == "Enabled"

    drive(make_app(backend), script)
