"""``PolicyEdit`` without a screen: what a save reads, judges, keeps and sends."""

from __future__ import annotations

from typing import Any

import pytest

from kms_tui.backend.base import Backend
from kms_tui.backend.wrappers.policy_guard import PolicyRefusedError
from kms_tui.data_files import PolicyFiles
from kms_tui.kms.errors import OutcomeUnknownError, ServiceError
from kms_tui.kms.model import CallerIdentity
from kms_tui.policy import CheckResult, guard
from kms_tui.session import BackendKind, Connection, Session, open_session
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.policy_editor.policy_edit import (
    BYPASS_PHRASE,
    CallerLosesError,
    ConflictError,
    DraftWriter,
    EditTarget,
    PolicyEdit,
)
from tests.ui.conftest import NOW, fixed_now
from tests.ui.policy.workspace import (
    ACCOUNT,
    APP_USES,
    REFUSED,
    REGION,
    ROOT,
    SOUND,
    Elsewhere,
    key_policy,
    policy_with,
    put_policy,
)

ALIAS = "alias/orders-db"
OTHERS = policy_with(ROOT, APP_USES | {"Action": "kms:Decrypt"})
ADMIN = f"arn:aws:iam::{ACCOUNT}:role/KeyAdmin"
WITHOUT_ADMIN = policy_with(ROOT | {"Condition": {"StringNotEquals": {"aws:PrincipalArn": ADMIN}}})


@pytest.fixture
def backend(demo: Backend) -> Elsewhere:
    """A KMS that keeps no versions of policies, and counts its calls."""
    return Elsewhere(demo)


@pytest.fixture
def session(backend: Elsewhere) -> Session:
    return open_session(Connection(BackendKind.DEMO), backend, now=fixed_now)


@pytest.fixture
def edit(session: Session, backend: Elsewhere, files: PolicyFiles) -> PolicyEdit:
    """A sound change of a key's policy, through all the wrappers of a session."""
    key_id = str(backend.call("DescribeKey", {"KeyId": ALIAS})["KeyMetadata"]["KeyId"])
    subject = Subject(key_id, f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key_id}", REGION, ("orders-db",), None)
    target = EditTarget.of(session.kms, subject)
    edit = PolicyEdit(target, target.read(), SOUND, DraftWriter(files, subject.arn, fixed_now))
    backend.calls.clear()
    return edit


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that the guard judges, whoever asks it."""
    texts: list[str] = []
    check = guard.check

    def counting(text: str, **options: Any) -> CheckResult:
        texts.append(text)
        return check(text, **options)

    monkeypatch.setattr(guard, "check", counting)
    return texts


def drafts(edit: PolicyEdit, files: PolicyFiles) -> list[str]:
    return [draft.text for draft in files.drafts(edit.target.arn).entries]


def test_a_save_judges_once_beside_the_guard_at_the_waist_and_reads_twice(
    edit: PolicyEdit, backend: Elsewhere, judged: list[str]
) -> None:
    checked = edit.check(NOW.timestamp())
    assert judged == [SOUND]
    assert backend.calls == []
    result = edit.save(checked, fixed_now)
    assert judged == [SOUND, SOUND]
    assert backend.calls == ["GetKeyPolicy", "PutKeyPolicy", "GetKeyPolicy"]
    assert (result.sent, result.reread, result.error) == (SOUND, SOUND, None)
    assert key_policy(backend, edit.target.key_id) == SOUND


def test_the_one_read_before_a_save_serves_undo_too(edit: PolicyEdit, session: Session) -> None:
    edit.save(edit.check(NOW.timestamp()), fixed_now)
    (step,), _ = session.history.last()
    assert [(call.operation, call.params["Policy"]) for call in step.undo] == [("PutKeyPolicy", edit.base)]


def test_the_policy_that_a_save_replaces_is_kept(edit: PolicyEdit, files: PolicyFiles) -> None:
    edit.save(edit.check(NOW.timestamp()), fixed_now)
    assert [version.text for version in files.versions(edit.target.arn).entries] == [edit.base]


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_a_text_that_the_guard_refuses_is_not_even_read_for(
    edit: PolicyEdit, backend: Elsewhere, text: str
) -> None:
    edit.text = text
    with pytest.raises(PolicyRefusedError):
        edit.check(NOW.timestamp())
    assert backend.calls == []


def test_what_was_checked_is_what_is_sent_whatever_is_typed_meanwhile(
    edit: PolicyEdit, backend: Elsewhere
) -> None:
    checked = edit.check(NOW.timestamp())
    edit.text = REFUSED["no account"]
    assert edit.save(checked, fixed_now).sent == SOUND
    assert key_policy(backend, edit.target.key_id) == SOUND


def test_a_policy_changed_since_it_was_read_is_not_overwritten(edit: PolicyEdit, backend: Elsewhere) -> None:
    checked = edit.check(NOW.timestamp())
    put_policy(backend.inner, edit.target.key_id, OTHERS)
    with pytest.raises(ConflictError) as raised:
        edit.save(checked, fixed_now)
    assert raised.value.theirs == OTHERS
    assert key_policy(backend.inner, edit.target.key_id) == OTHERS
    assert backend.calls == ["GetKeyPolicy"]


def test_losing_access_oneself_is_not_sent_without_the_phrase(
    session: Session, edit: PolicyEdit, backend: Elsewhere
) -> None:
    backend.caller = lambda: CallerIdentity(ACCOUNT, ADMIN, "AROAEXAMPLE:ann")  # type: ignore[method-assign]
    edit.target = EditTarget(session.kms, edit.target.key_id, edit.target.arn, ADMIN)
    edit.text = WITHOUT_ADMIN
    checked = edit.check(NOW.timestamp())
    for phrase in ("", "bypass"):
        with pytest.raises(CallerLosesError):
            edit.save(checked, fixed_now, bypass_phrase=phrase)
    assert backend.calls == []
    edit.save(checked, fixed_now, bypass_phrase=BYPASS_PHRASE)
    assert key_policy(backend, edit.target.key_id) == WITHOUT_ADMIN


def test_a_lost_answer_is_looked_up_with_the_second_read(edit: PolicyEdit, backend: Elsewhere) -> None:
    backend.after_call["PutKeyPolicy"] = OutcomeUnknownError("PutKeyPolicy", "timeout")
    assert edit.save(edit.check(NOW.timestamp()), fixed_now).reread == SOUND
    assert backend.calls == ["GetKeyPolicy", "PutKeyPolicy", "GetKeyPolicy"]


def test_a_failed_save_keeps_the_draft_and_a_text_as_on_the_key_is_none(
    edit: PolicyEdit, backend: Elsewhere, files: PolicyFiles
) -> None:
    edit.draft.writing(edit.text, edit.base)()
    backend.failures["PutKeyPolicy"] = ServiceError("AccessDeniedException", "you may not")
    with pytest.raises(ServiceError):
        edit.save(edit.check(NOW.timestamp()), fixed_now)
    assert drafts(edit, files) == [SOUND]
    del backend.failures["PutKeyPolicy"]
    edit.base = edit.save(edit.check(NOW.timestamp()), fixed_now).on_key
    edit.draft.writing(edit.text, edit.base)()
    assert drafts(edit, files) == []


def test_a_draft_asked_for_earlier_does_not_replace_a_later_one(edit: PolicyEdit, files: PolicyFiles) -> None:
    earlier, later = edit.draft.writing("one", edit.base), edit.draft.writing("two", edit.base)
    later()
    earlier()
    assert drafts(edit, files) == ["two"]
