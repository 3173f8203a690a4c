"""Who may do what: the access tab, the policy on the other tabs, and simulated requests."""

from __future__ import annotations

import json
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Input, Static, TextArea

from kms_tui.backend.base import Backend
from kms_tui.kms.errors import ServiceError
from kms_tui.policy import parse
from kms_tui.ui.details.key_details import KeyDetails
from kms_tui.ui.details.policy_tab import PolicyTab
from kms_tui.ui.dialogs.text_screen import TextScreen
from kms_tui.ui.policy_editor.simulate_screen import SimulateScreen
from kms_tui.ui.policy_editor.simulation import SimulationInput, SimulationInputError, context_of, simulate
from kms_tui.ui.widgets.access_matrix import AccessMatrix
from kms_tui.ui.widgets.form_widgets import Checkbox
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, press, resize, settled
from tests.ui.policy.workspace import (
    ACCOUNT,
    APP,
    APP_USES,
    ROOT,
    SOUND,
    Elsewhere,
    dialog_text,
    open_editor,
    policy_with,
    put_policy,
    shown,
    write,
)

PARTNER = "444455556666"
KEY_ARN = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"


async def open_access(pilot: Pilot[Any], alias: str) -> DataTable[Any]:
    await go_to(pilot, alias)
    pilot.app.screen.query_one(KeyDetails).open_tab("Policy")
    await settled(pilot)
    table: DataTable[Any] = pilot.app.screen.query_one(AccessMatrix).query_one(DataTable)
    return table


def cells(table: DataTable[Any]) -> dict[str, list[str]]:
    rows = [[str(cell).strip() for cell in table.get_row_at(row)] for row in range(table.row_count)]
    return {row[0]: row[1:] for row in rows}


def test_the_matrix_tells_administering_use_grants_and_reading_apart(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        found = cells(await open_access(pilot, "payments-cards"))
        assert found["root"] == ["all", "all", "all", "all"]
        assert found["role/KeyAdmin"] == ["some", "–", "some", "all"]
        assert found["role/app"] == ["–", "some", "if", "some+if"]
        assert "and role/KeyAdmin" in shown(pilot, "#access-who")

    drive(make_app(), script)


def test_public_and_other_accounts_are_marked_with_a_word(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        assert cells(await open_access(pilot, "s3-public-assets"))["everyone"][-1] == "public"
        assert cells(await open_access(pilot, "partner-exchange"))[PARTNER][-1] == "outside"

    drive(make_app(), script)


def test_enter_on_a_cell_shows_the_statements_and_conditions_behind_it(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        table = await open_access(pilot, "payments-cards")
        row = list(cells(table)).index("role/app")
        table.focus()
        table.move_cursor(row=row, column=3)
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, TextScreen)
        text = dialog_text(pilot)
        assert "May grant under conditions: kms:CreateGrant" in text
        assert "if kms:GrantIsForAWSResource is" in text
        assert "Allow attachment of persistent resources" in text
        assert "Allow use of the key" not in text

    drive(make_app(), script)


def test_grants_are_in_the_matrix_and_a_refused_list_of_them_says_so(
    make_app: MakeApp, demo: Backend
) -> None:
    backend = Elsewhere(demo)

    async def script(pilot: Pilot[Any]) -> None:
        key_id = await go_to(pilot, "parameters")
        demo.call(
            "CreateGrant",
            {"KeyId": key_id, "GranteePrincipal": APP, "Operations": ["Decrypt"], "Name": "for-app"},
        )
        table = await open_access(pilot, "parameters")
        assert cells(table)["role/app"] == ["–", "some", "–", "–"]
        table.focus()
        table.move_cursor(row=1, column=2)
        await press(pilot, "enter")
        assert "Grant for-app" in dialog_text(pilot)
        await press(pilot, "escape")
        backend.failures["ListGrants"] = ServiceError("AccessDeniedException", "no", operation="ListGrants")
        await press(pilot, "r")
        pilot.app.screen.query_one(PolicyTab).subject = None
        await open_access(pilot, "sandbox")
        assert "Without the grants: denied" in shown(pilot, "#access-note")

    drive(make_app(backend), script)


def test_a_denied_policy_is_not_shown_as_no_access(make_app: MakeApp, demo: Backend) -> None:
    backend = Elsewhere(demo)
    backend.failures["GetKeyPolicy"] = ServiceError("AccessDeniedException", "no", operation="GetKeyPolicy")

    async def script(pilot: Pilot[Any]) -> None:
        table = await open_access(pilot, "orders-db")
        assert not table.is_on_screen
        assert "denied" in shown(pilot, "#policy-verdict")

    drive(make_app(backend), script)


def test_hostile_names_in_a_policy_are_shown_and_not_obeyed(make_app: MakeApp, demo: Backend) -> None:
    hostile = policy_with(ROOT, APP_USES | {"Sid": "[/b][@click=app.quit]\\u009b31m"})

    async def script(pilot: Pilot[Any]) -> None:
        key_id = await go_to(pilot, "orders-db")
        put_policy(demo, key_id, hostile.replace("\\\\u", "\\u"))
        table = await open_access(pilot, "orders-db")
        table.focus()
        table.move_cursor(row=1, column=2)
        await press(pilot, "enter")
        assert "[/b][@click=app.quit]" in dialog_text(pilot)
        assert "\x9b" not in dialog_text(pilot)
        await press(pilot, "escape", "S")
        assert "[/b][@click=app.quit]" in shown(pilot, "#answer-text")
        assert "\x9b" not in shown(pilot, "#answer-text")

    drive(make_app(), script)


def test_the_overview_says_who_keeps_control_and_who_may_use_the_key(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "payments-cards")
        told = "root keeps control; 2 principals may use it by the policy; grants not read"
        assert told in shown(pilot, "#overview-facts")
        await open_access(pilot, "payments-cards")
        pilot.app.screen.query_one(KeyDetails).open_tab("Overview")
        await settled(pilot)
        told = "root keeps control; 2 principals may use it by policy or grant\n"
        assert told in shown(pilot, "#overview-facts")
        await go_to(pilot, "invoices")
        assert "the account may be locked out" in shown(pilot, "#overview-facts")
        assert "Only role/KeyAdmin, no longer the account itself." in shown(pilot, "#overview-facts")
        await go_to(pilot, "s3-public-assets")
        assert "anyone may use it\n" in shown(pilot, "#overview-facts")
        await go_to(pilot, "secrets")
        assert "anyone in the account may use it under conditions" in shown(pilot, "#overview-facts")

    drive(make_app(), script)


def test_the_policy_tab_shows_the_verdict_above_the_text(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "s3-public-assets")
        pilot.app.screen.query_one(KeyDetails).open_tab("Policy")
        await settled(pilot)
        assert shown(pilot, "#policy-verdict").startswith("warning: the account keeps control")
        assert '"Anyone may decrypt"' in shown(pilot, "#policy-text")

    drive(make_app(), script)


# Simulation: the answers


def answer(text: str, principal: str, action: str, context: str = "", *, complete: bool = False) -> Any:
    question = SimulationInput(principal, action, context, complete)
    return simulate(parse(text), question, account_id=ACCOUNT, key_arn=KEY_ARN)


DENY = APP_USES | {"Effect": "Deny", "Action": "kms:Decrypt", "Sid": "Not now"}
IN_REGION = APP_USES | {"Condition": {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}}


@pytest.mark.parametrize(
    ("text", "principal", "action", "context", "word"),
    [
        (SOUND, APP, "kms:Decrypt", "", "allow"),
        (SOUND, APP, "decrypt", "", "allow"),
        (SOUND, APP, "kms:PutKeyPolicy", "", "depends"),
        (SOUND, ACCOUNT, "kms:PutKeyPolicy", "", "allow"),
        (policy_with(ROOT, APP_USES, DENY), APP, "kms:Decrypt", "", "deny"),
        (policy_with(ROOT | {"Principal": {"AWS": PARTNER}}), APP, "kms:Decrypt", "", "deny"),
        (policy_with(IN_REGION), APP, "kms:Decrypt", "", "depends"),
        (policy_with(IN_REGION), APP, "kms:Decrypt", "kms:ViaService=s3.eu-west-1.amazonaws.com", "allow"),
        (policy_with(IN_REGION), APP, "kms:Decrypt", "kms:ViaService=s3.eu-west-2.amazonaws.com", "deny"),
        (policy_with(IN_REGION), APP, "kms:Decrypt", "kms:ViaService", "deny"),
        (
            policy_with(ROOT | {"Principal": "*"}),
            f"arn:aws:iam::{PARTNER}:role/x",
            "kms:Decrypt",
            "",
            "depends",
        ),
        (
            policy_with(ROOT | {"Principal": "*"}),
            f"arn:aws:iam::{PARTNER}:role/x",
            "kms:DisableKey",
            "",
            "deny",
        ),
    ],
)
def test_a_simulated_request_is_allowed_denied_or_depends(
    text: str, principal: str, action: str, context: str, word: str
) -> None:
    assert answer(text, principal, action, context).word == word


def test_what_an_answer_depends_on_is_said_in_words_and_absent_settles_it() -> None:
    open_answer = answer(policy_with(IN_REGION), APP, "kms:Decrypt")
    assert open_answer.sentences == ('if kms:ViaService is "s3.eu-west-1.amazonaws.com"',)
    assert answer(policy_with(IN_REGION), APP, "kms:Decrypt", complete=True).word == "deny"


def test_the_deciding_statements_come_with_the_answer() -> None:
    decided = answer(policy_with(ROOT, APP_USES, DENY), APP, "kms:Decrypt")
    assert [statement.sid for statement in decided.decision.statements] == ["Not now"]


@pytest.mark.parametrize(
    ("principal", "action", "context", "field"),
    [
        ("nobody", "kms:Decrypt", "", "principal"),
        ("", "kms:Decrypt", "", "principal"),
        (APP, "kms:Decypt", "", "action"),
        (APP, "kms:ReEncrypt", "", "action"),
        (APP, "kms:Decrypt", "no key", "context"),
    ],
)
def test_a_question_that_makes_no_sense_says_which_field_is_wrong(
    principal: str, action: str, context: str, field: str
) -> None:
    with pytest.raises(SimulationInputError) as raised:
        answer(SOUND, principal, action, context)
    assert raised.value.field == field


def test_a_misspelt_action_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(SimulationInputError, match=r"Is kms:Decrypt meant\?"):
        answer(SOUND, APP, "kms:Decypt")


def test_a_context_key_given_twice_has_two_values_and_alone_is_absent() -> None:
    assert context_of("a:b=1\n a:b = 2 \n\nc:d\ne:f=") == {"a:b": ("1", "2"), "c:d": None, "e:f": ""}


# Simulation: the screen


def test_the_simulation_answers_as_one_types(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "payments-cards")
        await press(pilot, "S")
        screen = pilot.app.screen
        assert isinstance(screen, SimulateScreen)
        screen.query_one("#principal", Input).value = APP
        await settled(pilot)
        assert shown(pilot, "#answer-text").startswith("✓ allowed")
        screen.query_one("#action", Input).value = "kms:CreateGrant"
        await settled(pilot)
        assert shown(pilot, "#answer-text").startswith("? depends")
        screen.query_one("#complete", Checkbox).value = True
        await settled(pilot)
        screen.query_one("#context", TextArea).text = "kms:GrantIsForAWSResource=true"
        await settled(pilot)
        assert shown(pilot, "#answer-text").startswith("✓ allowed")
        screen.query_one("#action", Input).value = "kms:Creategrants"
        await settled(pilot)
        assert screen.query_one("#action-error").has_class("-shown")
        assert "kms:CreateGrant" in str(screen.query_one("#action-error", Static).render())
        await press(pilot, "escape")
        assert not isinstance(pilot.app.screen, SimulateScreen)

    drive(make_app(), script)


def test_the_editor_simulates_the_text_as_it_stands_there(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, policy_with(ROOT, DENY))
        await press(pilot, "f9")
        pilot.app.screen.query_one("#principal", Input).value = APP
        await settled(pilot)
        assert shown(pilot, "#answer-text").startswith("✗ denied")
        await press(pilot, "escape")
        assert pilot.app.screen is editor

    drive(make_app(), script)


def test_the_editor_says_as_one_types_who_may_do_what(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot, "payments-cards")
        table = editor.query_one(AccessMatrix).table
        assert cells(table)["role/batch"] == ["–", "some", "–", "some"]
        text = editor.area.policy_text
        await write(pilot, editor, text.replace("role/batch", "role/report"))
        assert "role/batch" not in cells(table)
        assert cells(table)["role/report"] == ["–", "some", "–", "some"]
        await write(pilot, editor, text[:-2])
        assert not editor.query_one(AccessMatrix).visible
        await write(pilot, editor, text)
        table.focus()
        await press(pilot, "enter")
        assert "kms:*" in dialog_text(pilot)

    drive(make_app(), script)


def test_on_a_narrow_terminal_the_editor_has_no_matrix_until_it_is_wider(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot, "payments-cards")
        assert not editor.query_one(AccessMatrix).display
        assert editor.query_one(AccessMatrix).table.row_count == 0
        await resize(pilot, 120, 40)
        await settled(pilot)
        assert editor.query_one(AccessMatrix).display
        assert cells(editor.query_one(AccessMatrix).table)["role/batch"] == ["–", "some", "–", "some"]

    drive(make_app(), script, size=(80, 24))


@pytest.mark.parametrize("width", [110, 120, 140, 160])
def test_a_wider_editor_shows_the_matrix_whole_and_lines_of_text_beside_it(
    make_app: MakeApp, width: int
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot, "payments-cards")
        matrix = editor.query_one(AccessMatrix)
        drawn = sum(each.get_render_width(matrix.table) for each in matrix.table.ordered_columns)
        assert 0 < drawn <= matrix.size.width
        assert cells(matrix.table)["role/KeyAdmin"] == ["some", "–", "some", "all"]
        assert editor.area.size.width >= max(map(len, editor.area.policy_text.splitlines())) + 6

    drive(make_app(), script, size=(width, 40))


def test_principals_and_actions_can_be_chosen_from_a_list(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "payments-cards")
        await press(pilot, "S", "ctrl+o", "down", "enter")
        screen = pilot.app.screen
        assert screen.query_one("#principal", Input).value == APP
        screen.query_one("#action").focus()
        await press(pilot, "ctrl+o", "enter")
        assert screen.query_one("#action", Input).value == "kms:CancelKeyDeletion"

    drive(make_app(), script)


def test_what_is_off_looks_off_without_colour(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "S")
        flag = pilot.app.screen.query_one("#complete", Checkbox)
        assert "[ ]" in str(flag.render())
        flag.value = True
        assert "[x]" in str(flag.render())

    drive(make_app(), script)


def test_a_policy_that_cannot_be_read_allows_nothing() -> None:
    assert answer(json.dumps({"Statement": []}), APP, "kms:Decrypt").word == "deny"
