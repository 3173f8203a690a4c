"""Making a key: the pages, what each refuses, and the key that the backend then holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Checkbox, Input, OptionList, Select, Static, TextArea

from kms_tui.backend.base import Backend
from kms_tui.kms.errors import ServiceError
from kms_tui.ui.actions.create_actions import ReviewKey
from kms_tui.ui.dialogs.form import Form
from kms_tui.ui.widgets.key_list import KeyList
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, notifications, press
from tests.ui.test_many_keys import Refusing, body, key_id

APP = "arn:aws:iam::111122223333:role/App"


def described(backend: Backend, key: str) -> Mapping[str, Any]:
    metadata: Mapping[str, Any] = backend.call("DescribeKey", {"KeyId": key})["KeyMetadata"]
    return metadata


def count(backend: Backend) -> int:
    return len(backend.call("ListKeys", {"Limit": 1000})["Keys"])


async def create(pilot: Pilot[Any]) -> None:
    pilot.app.screen.query_one("#confirm", Button).focus()
    await press(pilot, "enter")


def test_the_last_page_shows_policy_and_commands_and_back_keeps_what_was_entered(
    make_app: MakeApp, demo: Backend
) -> None:
    before = count(demo)

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "n", "enter")
        pilot.app.screen.query_one("#alias", Input).value = "brand-new"
        pilot.app.screen.query_one("#users", TextArea).text = APP
        await press(pilot, "ctrl+s")
        assert isinstance(pilot.app.screen, ReviewKey)
        assert APP in body(pilot)
        assert "aws kms create-alias --alias-name alias/brand-new" in body(pilot)
        assert count(demo) == before, "nothing is made before the last page is confirmed"
        await press(pilot, "escape")
        assert pilot.app.screen.query_one("#alias", Input).value == "brand-new"
        assert pilot.app.screen.query_one("#users", TextArea).text == APP
        await press(pilot, "ctrl+s")
        await create(pilot)
        key = key_id(demo, "brand-new")
        policy = json.loads(demo.call("GetKeyPolicy", {"KeyId": key, "PolicyName": "default"})["Policy"])
        assert [each["Principal"]["AWS"].rpartition(":")[2] for each in policy["Statement"]] == [
            "root",
            "role/App",
        ]
        assert count(demo) == before + 1
        status = demo.call("GetKeyRotationStatus", {"KeyId": key})
        assert (status["KeyRotationEnabled"], status["RotationPeriodInDays"]) == (True, 365)
        current = pilot.app.screen.query_one(KeyList).current
        assert current is not None
        assert current.key_id == key, "the cursor is on the new key"

    drive(make_app(), script)


def test_an_alias_that_exists_is_refused_before_a_key_is_made(make_app: MakeApp, demo: Backend) -> None:
    before = count(demo)

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "n", "enter")
        pilot.app.screen.query_one("#alias", Input).value = "sandbox"
        await press(pilot, "ctrl+s")
        assert isinstance(pilot.app.screen, Form)
        assert pilot.app.screen.query_one("#alias-error").has_class("-shown")
        assert count(demo) == before

    drive(make_app(), script)


def test_a_signing_key_for_import_in_several_regions(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "n")
        choices = pilot.app.screen.query_one(OptionList)
        prompts = [str(choices.get_option_at_index(i).prompt) for i in range(choices.option_count)]
        wanted = next(i for i, text in enumerate(prompts) if "RSA-2048" in text and "sign" in text)
        choices.highlighted = wanted
        await press(pilot, "enter", "escape")
        assert "what is it for" in str(pilot.app.screen.query_one("#dialog-title", Static).content)
        await press(pilot, *["down"] * wanted, "enter", "enter")
        assert not pilot.app.screen.query("#period"), "an RSA key cannot rotate"
        pilot.app.screen.query_one("#alias", Input).value = "abroad"
        pilot.app.screen.query_one("#origin", Select).value = "EXTERNAL"
        pilot.app.screen.query_one("#multi_region", Checkbox).value = True
        await press(pilot, "ctrl+s")
        await create(pilot)
        key = described(demo, "alias/abroad")
        assert (key["KeySpec"], key["KeyUsage"], key["Origin"]) == ("RSA_2048", "SIGN_VERIFY", "EXTERNAL")
        assert (key["MultiRegion"], key["KeyState"]) == (True, "PendingImport")

    drive(make_app(), script)


def test_principals_seen_so_far_complete_what_is_typed(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "n", "enter")
        pilot.app.screen.query_one("#alias", Input).value = "shared"
        area = pilot.app.screen.query_one("#administrators", TextArea)
        area.focus()
        await press(pilot, *"arn:aws:iam::111122223333:role/KeyA", "right")
        assert area.text == "arn:aws:iam::111122223333:role/KeyAdmin"
        await press(pilot, "enter", *"arn:nobody", "right")
        assert area.text.endswith("arn:nobody")
        await press(pilot, *["backspace"] * 11, "ctrl+s")
        await create(pilot)
        key = described(demo, "alias/shared")
        policy = demo.call("GetKeyPolicy", {"KeyId": key["KeyId"]})["Policy"]
        assert "role/KeyAdmin" in policy

    drive(make_app(), script)


@pytest.mark.parametrize("typed", ["KeyA", "role/keyad", "arn:aws:iam::111122223333:role/KeyA"])
def test_the_name_of_a_principal_seen_so_far_is_enough(make_app: MakeApp, typed: str) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "n", "enter")
        area = pilot.app.screen.query_one("#administrators", TextArea)
        area.text = "444455556666\n"
        area.focus()
        area.move_cursor(area.document.end)
        await press(pilot, *typed, "right", "right")
        assert area.text == "444455556666\narn:aws:iam::111122223333:role/KeyAdmin"
        await press(pilot, "enter", *"Nobody", "right")
        assert area.text.endswith("\nNobody")

    drive(make_app(), script)


def test_rotation_of_imported_material_is_refused_on_the_form(make_app: MakeApp, demo: Backend) -> None:
    before = count(demo)

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "n", "enter")
        pilot.app.screen.query_one("#period", Input).value = "120"
        pilot.app.screen.query_one("#origin", Select).value = "EXTERNAL"
        await press(pilot, "ctrl+s")
        assert pilot.app.screen.query_one("#period-error").has_class("-shown")
        assert count(demo) == before

    drive(make_app(), script)


def test_one_like_this_takes_over_policy_tags_and_rotation_and_asks_for_another_alias(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        like = await go_to(pilot, "payments-cards")
        await press(pilot, "N")
        assert pilot.app.screen.query_one("#alias", Input).value == ""
        assert not pilot.app.screen.query("#users"), "the policy is copied as it is"
        pilot.app.screen.query_one("#alias", Input).value = "payments-cards-2"
        await press(pilot, "ctrl+s")
        await create(pilot)
        key = key_id(demo, "payments-cards-2")
        for operation, params, member in (
            ("GetKeyPolicy", {"PolicyName": "default"}, "Policy"),
            ("ListResourceTags", {}, "Tags"),
            ("GetKeyRotationStatus", {}, "RotationPeriodInDays"),
        ):
            answers = [demo.call(operation, {"KeyId": each, **params})[member] for each in (like, key)]
            assert answers[0] == answers[1], operation
        assert described(demo, key)["Description"] == described(demo, like)["Description"]

    drive(make_app(), script)


def test_what_fails_after_the_key_was_made_is_said_and_tried_again_without_a_second_key(
    make_app: MakeApp, demo: Backend
) -> None:
    before, refused = count(demo), {"EnableKeyRotation"}

    def refuse(operation: str, params: Mapping[str, Any]) -> None:
        if operation in refused:
            raise ServiceError("AccessDeniedException", "no rotation for you", operation=operation)

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "n", "enter")
        pilot.app.screen.query_one("#alias", Input).value = "brand-new"
        pilot.app.screen.query_one("#period", Input).value = "120"
        await press(pilot, "ctrl+s")
        await create(pilot)
        assert isinstance(pilot.app.screen, ReviewKey)
        assert "no rotation for you" in body(pilot)
        assert count(demo) == before + 1
        refused.clear()
        await create(pilot)
        assert count(demo) == before + 1
        status = demo.call("GetKeyRotationStatus", {"KeyId": key_id(demo, "brand-new")})
        assert status["RotationPeriodInDays"] == 120
        assert "is made." in notifications(pilot.app)  # type: ignore[arg-type]

    drive(make_app(Refusing(demo, refuse)), script)
