"""Grants from the console: what the form sends, what it refuses, and what taking one back leaves."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input, Select, SelectionList, TextArea

from kms_tui.backend.base import Backend
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.keyspecs import KEY_SPECS
from kms_tui.kms.operations import grant_operations
from kms_tui.ui.actions.grant_actions import RevokeGrant, check_pairs, check_principal
from kms_tui.ui.dialogs.form import Form
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, notifications, press, settled
from tests.ui.test_many_keys import body, key_id

ROLE = "arn:aws:iam::111122223333:role/Reporter"


def grants(backend: Backend, key: str) -> list[dict[str, Any]]:
    return list(backend.call("ListGrants", {"KeyId": key})["Grants"])


def enter(pilot: Pilot[Any], name: str, value: str) -> None:
    pilot.app.screen.query_one(f"#{name}", Input).value = value


def choose(pilot: Pilot[Any], *operations: str) -> None:
    choices: SelectionList[str] = pilot.app.screen.query_one("#operations", SelectionList)
    for operation in operations:
        choices.select(operation)


def test_a_grant_is_made_from_the_form_with_constraints_and_name(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key = await go_to(pilot, "sandbox")
        await press(pilot, "f")
        enter(pilot, "grantee", ROLE)
        choose(pilot, "Decrypt", "GenerateDataKey")
        pilot.app.screen.query_one("#constraint", Select).value = "EncryptionContextEquals"
        pilot.app.screen.query_one("#pairs", TextArea).text = "app=reports\nstage=a=b"
        enter(pilot, "retiring", "arn:aws:iam::111122223333:role/Owner")
        enter(pilot, "name", "reports")
        await press(pilot, "ctrl+s")
        (grant,) = grants(demo, key)
        assert grant["GranteePrincipal"] == ROLE
        assert grant["Operations"] == ["Decrypt", "GenerateDataKey"]
        assert grant["Constraints"] == {"EncryptionContextEquals": {"app": "reports", "stage": "a=b"}}
        assert grant["RetiringPrincipal"].endswith("role/Owner")
        assert grant["Name"] == "reports"
        assert "The grant is made" in body(pilot)

    drive(make_app(), script)


def test_a_form_that_is_not_complete_says_so_beside_each_field_and_sends_nothing(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        key = await go_to(pilot, "sandbox")
        await press(pilot, "f", "ctrl+s")
        screen = pilot.app.screen
        assert screen.query_one("#grantee-error").has_class("-shown")
        assert screen.query_one("#operations-error").has_class("-shown")
        enter(pilot, "grantee", "arn:aws:s3:::not-a-principal")
        choose(pilot, "Decrypt")
        await press(pilot, "ctrl+s")
        assert isinstance(pilot.app.screen, Form)
        assert screen.query_one("#grantee-error").has_class("-shown"), "KMS's refusal is beside the field"
        assert grants(demo, key) == []

    drive(make_app(), script)


def test_what_is_chosen_is_told_by_characters(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "payments-signing")
        await press(pilot, "f")
        choose(pilot, "Verify")
        await settled(pilot)
        choices: SelectionList[str] = pilot.app.screen.query_one("#operations", SelectionList)
        lines = [choices.render_line(y).text.rstrip() for y in range(3)]
        assert lines == ["[ ] Sign", "[x] Verify", "[ ] GetPublicKey"]

    drive(make_app(), script)


def test_a_form_begins_at_the_label_of_its_first_field(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "sandbox")
        await press(pilot, "f")
        body = pilot.app.screen.query_one("#dialog-body")
        assert body.max_scroll_y > 0
        assert body.scroll_y == 0
        assert pilot.app.screen.query_one("#grantee").has_focus

    drive(make_app(), script, size=(80, 24))


def test_a_signing_key_offers_its_own_operations_and_no_encryption_context(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "payments-signing")
        await press(pilot, "f")
        choices: SelectionList[str] = pilot.app.screen.query_one("#operations", SelectionList)
        offered = [choices.get_option_at_index(index).value for index in range(choices.option_count)]
        assert offered == ["Sign", "Verify", "GetPublicKey", "DescribeKey", "CreateGrant", "RetireGrant"]
        assert not pilot.app.screen.query("#pairs")

    drive(make_app(), script)


@pytest.mark.parametrize("way", ["confirm", "retire"])
def test_a_grant_is_taken_back_in_either_way_and_the_other_stays(
    make_app: MakeApp, demo: Backend, way: str
) -> None:
    key = key_id(demo, "sandbox")
    params = {"KeyId": key, "Operations": ["Decrypt", "RetireGrant"]}
    demo.call("CreateGrant", {**params, "GranteePrincipal": ROLE})
    demo.call("CreateGrant", {**params, "GranteePrincipal": ROLE + "2"})

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "sandbox")
        first = grants(demo, key)[0]["GrantId"]
        await press(pilot, "F", "enter")
        assert isinstance(pilot.app.screen, RevokeGrant)
        await press(pilot, "enter")
        assert len(grants(demo, key)) == 2, "the dialog starts on Cancel"
        await press(pilot, "F", "enter")
        pilot.app.screen.query_one(f"#{way}", Button).focus()
        await press(pilot, "enter")
        (left,) = grants(demo, key)
        assert left["GrantId"] != first

    drive(make_app(), script)


def test_a_grant_that_somebody_else_took_back_meanwhile_is_told(make_app: MakeApp, demo: Backend) -> None:
    key = key_id(demo, "sandbox")
    params = {"KeyId": key, "Operations": ["Decrypt"], "GranteePrincipal": ROLE}
    grant = demo.call("CreateGrant", params)["GrantId"]

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "sandbox")
        await press(pilot, "F", "enter")
        demo.call("RevokeGrant", {"KeyId": key, "GrantId": grant})
        pilot.app.screen.query_one("#confirm", Button).press()
        await press(pilot, "x")
        assert "Could not revoke the grant" in notifications(pilot.app)  # type: ignore[arg-type]

    drive(make_app(), script)


@pytest.mark.parametrize("spec", sorted(name for name in KEY_SPECS if name not in ("SM2", "ML_KEM_512")))
def test_the_offline_kms_grants_what_is_offered_and_nothing_else(demo: Backend, spec: str) -> None:
    everything = {
        each
        for known in KEY_SPECS.values()
        for use in known.usages
        for each in grant_operations(known.name, use)
    }
    for usage in KEY_SPECS[spec].usages:
        made = demo.call("CreateKey", {"KeySpec": spec, "KeyUsage": usage})["KeyMetadata"]["KeyId"]
        offered = grant_operations(spec, usage)
        demo.call("CreateGrant", {"KeyId": made, "GranteePrincipal": ROLE, "Operations": list(offered)})
        for other in everything - set(offered):
            params = {"KeyId": made, "GranteePrincipal": ROLE, "Operations": [other]}
            with pytest.raises(ServiceError):
                demo.call("CreateGrant", params)


def test_principals_and_pairs_are_checked_before_they_are_sent() -> None:
    assert (
        check_principal("arn:aws:iam::111122223333:root") == check_principal("dynamodb.amazonaws.com") == ""
    )
    assert check_principal("somebody")
    assert check_principal("arn:aws:iam::1:role/with space")
    assert check_pairs("a=1\nb=2") == ""
    assert check_pairs("a=1\na=2")
    assert check_pairs("no pair")
    assert check_pairs("\n".join(f"k{n}=v" for n in range(9)))
