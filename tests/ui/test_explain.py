"""Explaining a denial in the console: pasted, from the Activity tab, from Simulate; and what helps, saved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from textual.events import Paste
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from kms_tui.backend.base import Backend
from kms_tui.backend.kms_facade import Kms
from kms_tui.backend.local.account_policies.account_services import ANSWERS
from kms_tui.kms.errors import ServiceError
from kms_tui.ui.app_shell.palette import KmsCommands
from kms_tui.ui.details.activity_tab import ActivityTab
from kms_tui.ui.details.key_details import KeyDetails
from kms_tui.ui.dialogs.questions import Choose
from kms_tui.ui.dialogs.text_screen import HelpScreen
from kms_tui.ui.policy_editor.editor_screen import PolicyEditor
from kms_tui.ui.policy_editor.simulate_screen import SimulateScreen
from kms_tui.ui.screens.explain_screen import ExplainScreen
from kms_tui.ui.widgets.form_widgets import TextArea
from kms_tui.ui.widgets.line_table import LineTable
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, notifications, press, settled
from tests.ui.policy.workspace import save

REPORTING = "arn:aws:sts::111122223333:assumed-role/reporting/ad-hoc"
PAIRS = {"table": "customers", "column": "address"}


def key_arn(demo: Backend, alias: str = "customer-pii") -> str:
    return Kms(demo).describe(f"alias/{alias}").arn


def denial(demo: Backend) -> str:
    return (
        f"User: {REPORTING} is not authorized to perform: kms:Decrypt on resource: {key_arn(demo)} because "
        "no identity-based policy allows the kms:Decrypt action"
    )


def explain_screen(pilot: Pilot[Any]) -> ExplainScreen:
    screen = pilot.app.screen
    assert isinstance(screen, ExplainScreen)
    return screen


def shown(pilot: Pilot[Any]) -> str:
    """All that the screen says."""
    screen = explain_screen(pilot)
    return "\n".join(
        str(screen.query_one(name, Static).content)
        for name in ("#explain-cause", "#explain-stack", "#explain-details")
    )


async def paste(pilot: Pilot[Any], text: str) -> None:
    await press(pilot, "Y")
    explain_screen(pilot).query_one("#explain-text", TextArea).text = text
    await settled(pilot)


def test_a_pasted_denial_shows_the_cause_the_layers_and_what_helps(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        text = denial(demo)
        broken = "\n".join(f"│ {text[start : start + 60]}" for start in range(0, len(text), 60))
        await paste(pilot, broken)
        said = shown(pilot)
        assert "✗ denied" in said
        assert "No identity-based policy allows kms:Decrypt." in said
        assert "▶ ✗ IAM policies" in said
        assert "✓ SCPs" in said
        assert "would match but for the principal: it names role/app or role/batch" in said
        assert "Proved in the offline KMS: Decrypt is refused before and answered after." in said

    drive(make_app(), script)


def test_a_message_that_is_no_denial_is_told_and_nothing_is_read(make_app: MakeApp) -> None:
    app = make_app()

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "Y")
        assert "Paste an AccessDenied message" in shown(pilot)
        await press(pilot, "escape")
        assert app.session is not None
        before = app.session.meter.total
        await paste(pilot, "hello [/b] \x1b[31m world")
        assert "no error message of AWS" in shown(pilot)
        offered = [each.binding.action for each in app.screen.active_bindings.values() if each.enabled]
        assert "fix" not in offered
        assert app.session.meter.total == before

    drive(app, script)


def test_a_fix_opens_in_the_editor_and_is_saved_behind_the_review(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await paste(pilot, denial(demo))
        before = Kms(demo).key_policy(key_arn(demo))
        await press(pilot, "escape", "e")
        choices = pilot.app.screen.query_one(OptionList)
        assert "key policy" in str(choices.get_option_at_index(0).prompt)
        await press(pilot, "enter")
        editor = pilot.app.screen
        assert isinstance(editor, PolicyEditor)
        assert Kms(demo).key_policy(key_arn(demo)) == before, "nothing is applied before the review"
        await save(pilot)
        after = json.loads(Kms(demo).key_policy(key_arn(demo)))
        added = [each for each in after["Statement"] if "reporting" in json.dumps(each)]
        assert [each["Action"] for each in added] == ["kms:Decrypt"]
        await press(pilot, "escape")
        assert "✓ allowed" in shown(pilot), "what was saved is read again"

    drive(make_app(), script)


def test_a_fix_of_a_policy_that_was_changed_meanwhile_is_not_opened(make_app: MakeApp, demo: Backend) -> None:
    app = make_app()

    async def script(pilot: Pilot[Any]) -> None:
        await paste(pilot, denial(demo))
        policy = json.loads(Kms(demo).key_policy(key_arn(demo)))
        deny = {"Sid": "New", "Effect": "Deny", "Principal": "*", "Action": "kms:ReEncrypt*", "Resource": "*"}
        policy["Statement"].append(deny)
        demo.call("PutKeyPolicy", {"KeyId": key_arn(demo), "Policy": json.dumps(policy)})
        await press(pilot, "escape", "e", "enter")
        assert isinstance(pilot.app.screen, ExplainScreen), "the fix would take the new statement away"
        assert "changed meanwhile" in notifications(app)
        await press(pilot, "e", "enter")
        editor = pilot.app.screen
        assert isinstance(editor, PolicyEditor)
        await save(pilot)
        sids = [each.get("Sid") for each in json.loads(Kms(demo).key_policy(key_arn(demo)))["Statement"]]
        assert "New" in sids

    drive(app, script)


def test_a_layer_that_may_not_be_read_is_named(
    make_app: MakeApp, demo: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> dict[str, Any]:
        raise ServiceError("AccessDeniedException", "You don't have permissions [/b]")

    answers = {**ANSWERS, ("organizations", "ListRoots"): refuse}
    monkeypatch.setattr("kms_tui.backend.local.account_policies.account_services.ANSWERS", answers)

    async def script(pilot: Pilot[Any]) -> None:
        await paste(pilot, denial(demo))
        said = shown(pilot)
        assert "✗ denied" in said, "the IAM policies lack it, whatever the SCPs say"
        assert "? SCPs" in said
        assert "organizations ListRoots was denied" in said
        assert "Whether this is enough depends on what is not known." in said

    drive(make_app(), script)


def test_nothing_is_changed_in_a_read_only_session(make_app: MakeApp, demo: Backend) -> None:
    app = make_app(read_only=True)

    async def script(pilot: Pilot[Any]) -> None:
        await paste(pilot, denial(demo))
        grants = len(Kms(demo).grants(key_arn(demo)))
        await press(pilot, "escape", "e", "down", "enter")
        assert isinstance(pilot.app.screen, ExplainScreen), "nothing is asked that cannot be done"
        assert "This session is read-only: the grant is copied" in notifications(app)
        assert "GranteePrincipal" in app.clipboard
        assert len(Kms(demo).grants(key_arn(demo))) == grants

    drive(app, script)


def test_a_grant_is_created_after_a_question(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await paste(pilot, denial(demo))
        grants = len(Kms(demo).grants(key_arn(demo)))
        await press(pilot, "escape", "e", "down", "enter")
        assert len(Kms(demo).grants(key_arn(demo))) == grants
        await pilot.click("#confirm")
        await settled(pilot)
        (made,) = [each for each in Kms(demo).grants(key_arn(demo)) if "reporting" in each.grantee]
        assert made.operations == ("Decrypt",)
        assert "✓ allowed" in shown(pilot)

    drive(make_app(), script)


def test_a_refused_event_is_explained_with_its_encryption_context(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "customer-pii")
        await press(pilot, "enter")
        pilot.app.screen.query_one(KeyDetails).open_tab(ActivityTab.TITLE)
        await settled(pilot)
        table = pilot.app.screen.query_one(ActivityTab).query_one(LineTable)
        await press(pilot, "down")
        assert table.has_focus
        await press(pilot, "home", "h")
        assert not isinstance(pilot.app.screen, ExplainScreen), "an answered call has nothing to explain"
        for _ in table.rows:
            if "denied" in str(next(row for row in table.rows if row.key == table.current).cells):
                break
            await press(pilot, "down")
        await press(pilot, "h")
        said = shown(pilot)
        assert "▶ ✗ IAM policies" in said
        assert '"kms:EncryptionContext:table": "customers"' in said
        await press(pilot, "escape", "escape")
        assert not isinstance(pilot.app.screen, ExplainScreen)

    drive(make_app(), script)


def test_simulate_asks_all_layers_with_the_text_in_the_editor(make_app: MakeApp, tmp_path: Path) -> None:
    policy = tmp_path / "iam.json"
    policy.write_text(
        '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}}'
    )
    scp = tmp_path / "scp.json"
    scp.write_text(
        '[{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}},'
        ' {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "kms:Decrypt", '
        '"Resource": "*"}}]'
    )

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "customer-pii")
        await press(pilot, "S")
        assert isinstance(pilot.app.screen, SimulateScreen)
        pilot.app.screen.query_one("#principal", Input).value = REPORTING
        await press(pilot, "f6")
        assert "▶ ✗ IAM policies" in shown(pilot)
        await press(pilot, "ctrl+o")
        pilot.app.screen.query_one("#identity", TextArea).text = str(policy)
        await press(pilot, "ctrl+s")
        assert "✓ IAM policies" in shown(pilot)
        assert "▶ ✗ IAM policies" not in shown(pilot)
        await press(pilot, "ctrl+o")
        pilot.app.screen.query_one("#scps", TextArea).text = str(scp)
        await press(pilot, "ctrl+s")
        assert "▶ ✗ SCPs" in shown(pilot)
        assert "Only an administrator of the organization" in shown(pilot)
        await press(pilot, "ctrl+o")
        pilot.app.screen.query_one("#rcps", TextArea).text = str(tmp_path / "missing.json")
        await press(pilot, "ctrl+s")
        assert "could not be read" in str(pilot.app.screen.query_one("#dialog-error", Static).content)

    drive(make_app(), script)


def test_what_a_message_does_not_say_can_be_given(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        text = (
            f"User: {REPORTING} is not authorized to perform: kms:Decrypt on the resource associated "
            f"with this "
            "ciphertext because no identity-based policy allows the kms:Decrypt action"
        )
        await paste(pilot, text)
        assert "Nothing says which key it is about." in shown(pilot)
        await press(pilot, "f2")
        pilot.app.screen.query_one("#key", Input).value = "alias/customer-pii"
        pilot.app.screen.query_one("#pairs", TextArea).text = "table=customers"
        await press(pilot, "ctrl+s")
        assert "▶ ✗ IAM policies" in shown(pilot)
        assert '"kms:EncryptionContext:table": "customers"' in shown(pilot)

    drive(make_app(), script)


def test_the_case_is_saved_and_the_explanation_copied(
    make_app: MakeApp, demo: Backend, tmp_path: Path
) -> None:
    case = tmp_path / "case.json"
    app = make_app()

    async def script(pilot: Pilot[Any]) -> None:
        await paste(pilot, denial(demo))
        await press(pilot, "escape", "c")
        assert "copied" in notifications(app)
        assert "What helps:" in app.clipboard
        await press(pilot, "w")
        pilot.app.screen.query_one("#path", Input).value = str(case)
        await press(pilot, "ctrl+s")
        saved = json.loads(case.read_text())
        assert (saved["caller"], saved["action"], saved["key"]) == (REPORTING, "kms:Decrypt", key_arn(demo))
        assert saved["layers"]["identity"][0]["name"] == "read-reports (inline of reporting)"

    drive(app, script)


def test_help_and_palette_name_it(make_app: MakeApp) -> None:
    app = make_app()

    async def script(pilot: Pilot[Any]) -> None:
        titles = [entry.title for entry in KmsCommands(app.screen).actions()]
        assert "Explain a denial" in titles
        await press(pilot, "Y", "f1")
        assert isinstance(app.screen, HelpScreen)
        await press(pilot, "escape", "escape")
        assert not isinstance(app.screen, ExplainScreen)

    drive(app, script)


async def paste_keys(pilot: Pilot[Any], text: str) -> None:
    """A bracketed paste of the terminal."""
    pilot.app.post_message(Paste(text))
    await settled(pilot)


def test_a_paste_puts_the_keys_of_the_answer_at_hand_and_the_next_takes_its_place(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "Y")
        await paste_keys(pilot, denial(demo))
        assert "▶ ✗ IAM policies" in shown(pilot)
        await press(pilot, "f2")
        pilot.app.screen.query_one("#pairs", TextArea).text = "table=customers"
        await press(pilot, "ctrl+s")
        assert '"kms:EncryptionContext:table": "customers"' in shown(pilot)
        other = denial(demo).replace("kms:Decrypt", "kms:Encrypt")
        await paste_keys(pilot, other)
        assert explain_screen(pilot).query_one("#explain-text", TextArea).text == other
        assert "may not kms:Encrypt" in shown(pilot)
        assert "kms:EncryptionContext:table" not in shown(pilot), "that was said of the message before"
        await press(pilot, "e")
        assert isinstance(pilot.app.screen, Choose)

    drive(make_app(), script)


def test_a_message_is_read_after_a_question_was_asked_without_one(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "Y", "f2")
        for name, value in (("principal", REPORTING), ("action", "kms:Encrypt"), ("key", key_arn(demo))):
            pilot.app.screen.query_one(f"#{name}", Input).value = value
        await press(pilot, "ctrl+s")
        assert "may not kms:Encrypt" in shown(pilot)
        await paste_keys(pilot, denial(demo))
        assert "may not kms:Decrypt" in shown(pilot)

    drive(make_app(), script)


def test_what_simulate_asked_with_stays_when_more_is_given(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "customer-pii")
        await press(pilot, "S")
        pilot.app.screen.query_one("#principal", Input).value = REPORTING
        pilot.app.screen.query_one("#context", TextArea).text = "kms:EncryptionContext:table=customers"
        await press(pilot, "f6")
        assert '"kms:EncryptionContext:table": "customers"' in shown(pilot)
        await press(pilot, "f2")
        pilot.app.screen.query_one("#via", Input).value = "s3"
        await press(pilot, "ctrl+s")
        assert '"kms:EncryptionContext:table": "customers"' in shown(pilot)
        assert "s3." in shown(pilot)

    drive(make_app(), script)


def test_a_huge_paste_leaves_the_console_alive(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await paste(pilot, "x" * 200_000 + "\n" + denial(demo))
        assert "✗ denied" in shown(pilot)

    drive(make_app(), script)
