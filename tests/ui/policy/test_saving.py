"""Saving a key policy in the editor: what is asked first, and what the backend then holds."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from kms_tui.backend.base import Backend
from kms_tui.data_files import PolicyFiles
from kms_tui.kms.errors import KmsTuiError, OutcomeUnknownError, ServiceError
from kms_tui.kms.model import CallerIdentity
from kms_tui.ui.policy_editor.policy_edit import BYPASS_PHRASE
from kms_tui.ui.policy_editor.policy_review import ConflictDialog, ReviewDialog
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, notifications, press, settled
from tests.ui.policy.workspace import (
    APP_USES,
    ROOT,
    SOUND,
    Elsewhere,
    dialog_text,
    edit_of,
    editor_of,
    key_policy,
    open_editor,
    policy_with,
    put_policy,
    save,
    shown,
    write,
)

OTHERS = policy_with(ROOT, APP_USES | {"Sid": "Somebody else's", "Action": "kms:Decrypt"})


def test_the_editor_shows_the_policy_and_its_verdict_in_words(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        assert editor.area.policy_text == key_policy(demo, editor.subject.key_id)
        assert shown(pilot, "#policy-verdict") == "ok: the account keeps control"

    drive(make_app(), script)


def test_a_save_is_reviewed_then_put_then_read_again(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        before = key_policy(demo, editor.subject.key_id)
        await write(pilot, editor, SOUND)
        await press(pilot, "ctrl+s")
        assert isinstance(pilot.app.screen, ReviewDialog)
        text = dialog_text(pilot)
        assert "root keeps kms:*" in text
        assert "role/app gains kms:Decrypt" in text
        assert "+ Allow use of the key new" in text
        assert key_policy(demo, editor.subject.key_id) == before
        await press(pilot, "tab", "enter")
        assert key_policy(demo, editor.subject.key_id) == SOUND
        assert "is saved, and was read back: role/app gains kms:Decrypt" in notifications(pilot.app)  # type: ignore[arg-type]
        assert not edit_of(editor).is_changed

    drive(make_app(), script)


def test_the_review_starts_on_cancel_and_cancelling_keeps_key_and_text(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        before = key_policy(demo, editor.subject.key_id)
        await write(pilot, editor, SOUND)
        await press(pilot, "ctrl+s", "enter")
        assert key_policy(demo, editor.subject.key_id) == before
        assert editor.area.policy_text == SOUND

    drive(make_app(), script)


def test_an_unchanged_text_is_not_sent(make_app: MakeApp, demo: Backend) -> None:
    backend = Elsewhere(demo)

    async def script(pilot: Pilot[Any]) -> None:
        await open_editor(pilot)
        await press(pilot, "ctrl+s")
        assert "Nothing to save" in notifications(pilot.app)  # type: ignore[arg-type]
        assert "PutKeyPolicy" not in backend.calls

    drive(make_app(backend), script)


def test_a_policy_changed_by_somebody_else_is_shown_and_not_overwritten(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        key_id = editor.subject.key_id
        await write(pilot, editor, SOUND)
        put_policy(demo, key_id, OTHERS)
        await save(pilot)
        assert isinstance(pilot.app.screen, ConflictDialog)
        text = dialog_text(pilot)
        assert "+ Somebody else's new" in text
        assert "- Somebody else's gone" in text
        await press(pilot, "enter")
        assert key_policy(demo, key_id) == OTHERS
        assert editor.area.policy_text == SOUND

    drive(make_app(), script)


def test_a_policy_changed_during_the_review_is_not_overwritten_either(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, SOUND)
        await press(pilot, "ctrl+s")
        put_policy(demo, editor.subject.key_id, OTHERS)
        await press(pilot, "tab", "enter")
        assert isinstance(pilot.app.screen, ConflictDialog)
        assert key_policy(demo, editor.subject.key_id) == OTHERS

    drive(make_app(), script)


def test_after_a_conflict_ones_own_text_can_be_saved_against_the_newer_policy(
    make_app: MakeApp, demo: Backend
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, SOUND)
        put_policy(demo, editor.subject.key_id, OTHERS)
        await save(pilot)
        await pilot.click("#mine")
        await settled(pilot)
        assert key_policy(demo, editor.subject.key_id) == OTHERS
        await save(pilot)
        assert key_policy(demo, editor.subject.key_id) == SOUND

    drive(make_app(), script)


def test_after_a_conflict_the_newer_policy_can_be_taken_and_ones_own_stays_a_draft(
    make_app: MakeApp, demo: Backend, files: PolicyFiles
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, SOUND)
        put_policy(demo, editor.subject.key_id, OTHERS)
        await save(pilot)
        await pilot.click("#theirs")
        await settled(pilot)
        assert editor.area.policy_text == OTHERS
        assert [draft.text for draft in files.drafts(editor.subject.arn).entries] == [SOUND]
        assert key_policy(demo, editor.subject.key_id) == OTHERS

    drive(make_app(), script)


@pytest.mark.parametrize(
    "error",
    [
        ServiceError("AccessDeniedException", "you may not", operation="PutKeyPolicy"),
        ServiceError("MalformedPolicyDocumentException", "one or more invalid principals."),
        OutcomeUnknownError("PutKeyPolicy", "timeout"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_the_save_is_told_in_the_editor_and_nothing_typed_is_lost(
    make_app: MakeApp, demo: Backend, files: PolicyFiles, error: KmsTuiError
) -> None:
    backend = Elsewhere(demo)
    backend.failures["PutKeyPolicy"] = error

    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, SOUND)
        await save(pilot)
        assert "Not saved" in shown(pilot, "#policy-error")
        assert str(error) in shown(pilot, "#policy-error")
        assert editor.area.policy_text == SOUND
        assert [draft.text for draft in files.drafts(editor.subject.arn).entries] == [SOUND]

    drive(make_app(backend), script)


def test_a_lost_answer_is_looked_up_before_it_is_called_a_failure(make_app: MakeApp, demo: Backend) -> None:
    backend = Elsewhere(demo)
    backend.after_call["PutKeyPolicy"] = OutcomeUnknownError("PutKeyPolicy", "timeout")

    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, SOUND)
        await save(pilot)
        assert "was read back" in notifications(pilot.app)  # type: ignore[arg-type]
        assert not edit_of(editor).is_changed

    drive(make_app(backend), script)


def test_a_policy_that_cannot_be_read_cannot_be_edited(make_app: MakeApp, demo: Backend) -> None:
    backend = Elsewhere(demo)
    backend.failures["GetKeyPolicy"] = ServiceError("AccessDeniedException", "no", operation="GetKeyPolicy")

    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "e")
        assert "cannot be read" in shown(pilot, "#policy-error")
        await press(pilot, "ctrl+s", "x", "escape")
        assert "PutKeyPolicy" not in backend.calls

    drive(make_app(backend), script)


def test_a_save_that_cannot_be_read_again_says_so(make_app: MakeApp, demo: Backend) -> None:
    backend = Elsewhere(demo)

    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, SOUND)
        await press(pilot, "ctrl+s")
        call = backend.inner.call

        def put_then_deny(operation: str, params: Any) -> Any:
            answer = call(operation, params)
            if operation == "PutKeyPolicy":
                backend.failures["GetKeyPolicy"] = ServiceError("AccessDeniedException", "not any more")
            return answer

        backend.inner.call = put_then_deny  # type: ignore[method-assign]
        await press(pilot, "tab", "enter")
        assert "could not be read again" in notifications(pilot.app)  # type: ignore[arg-type]

    drive(make_app(backend), script)


# The caller's own loss

ADMIN = "arn:aws:iam::111122223333:role/KeyAdmin"
WITHOUT_ADMIN = policy_with(ROOT | {"Condition": {"StringNotEquals": {"aws:PrincipalArn": ADMIN}}})


def as_key_admin(demo: Backend) -> Elsewhere:
    """The demo as its role KeyAdmin sees it, which the KMS checks."""
    backend = Elsewhere(demo)
    backend.caller = lambda: CallerIdentity("111122223333", ADMIN, "AROAEXAMPLE:ann")  # type: ignore[method-assign]
    return backend


def test_losing_access_oneself_asks_for_a_phrase_and_a_wrong_one_sends_nothing(
    make_app: MakeApp, demo: Backend
) -> None:
    backend = as_key_admin(demo)

    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, WITHOUT_ADMIN)
        await save(pilot)
        field = pilot.app.screen.query_one("#typed-name")
        assert BYPASS_PHRASE in dialog_text(pilot)
        field.focus()
        await press(pilot, *"bypass", "enter")
        assert "PutKeyPolicy" not in backend.calls
        await press(pilot, "escape")
        assert "PutKeyPolicy" not in backend.calls
        assert editor_of(pilot).area.policy_text == WITHOUT_ADMIN

    drive(make_app(backend), script)


def test_with_the_phrase_typed_out_the_check_of_kms_is_bypassed(make_app: MakeApp, demo: Backend) -> None:
    backend = as_key_admin(demo)
    sent: list[Any] = []
    call = backend.inner.call

    def watch(operation: str, params: Any) -> Any:
        if operation == "PutKeyPolicy":
            sent.append(params)
        return call(operation, params)

    backend.inner.call = watch  # type: ignore[method-assign]

    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, WITHOUT_ADMIN)
        await save(pilot)
        pilot.app.screen.query_one("#typed-name").focus()
        await press(pilot, *(key if key != " " else "space" for key in BYPASS_PHRASE), "enter")
        assert [params["BypassPolicyLockoutSafetyCheck"] for params in sent] == [True]
        assert key_policy(demo, editor.subject.key_id) == WITHOUT_ADMIN

    drive(make_app(backend), script)


def test_a_caller_whom_kms_refuses_is_offered_the_same_and_nothing_else_is(
    make_app: MakeApp, demo: Backend
) -> None:
    backend = Elsewhere(demo)
    backend.failures["PutKeyPolicy"] = ServiceError(
        "MalformedPolicyDocumentException",
        "The new key policy will not allow you to update the key policy in the future.",
    )

    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, SOUND)
        await save(pilot)
        assert BYPASS_PHRASE in dialog_text(pilot)
        await press(pilot, "escape")
        assert "Not saved" in shown(pilot, "#policy-error")

    drive(make_app(backend), script)


def test_an_ordinary_save_never_sets_the_bypass(make_app: MakeApp, demo: Backend) -> None:
    backend = Elsewhere(demo)
    sent: list[Any] = []
    call = backend.inner.call

    def watch(operation: str, params: Any) -> Any:
        if operation == "PutKeyPolicy":
            sent.append(params)
        return call(operation, params)

    backend.inner.call = watch  # type: ignore[method-assign]

    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, SOUND)
        await save(pilot)
        assert len(sent) == 1
        assert "BypassPolicyLockoutSafetyCheck" not in sent[0]

    drive(make_app(backend), script)
