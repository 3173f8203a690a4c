"""What tabs say where nothing was found, by how far they looked: refusals, and users by grants."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kms_tui.backend.base import Backend
from kms_tui.backend.wrappers.session_log import LogEntry, SessionLog, _Params
from kms_tui.demo import demo_backend
from kms_tui.evidence.events import usage_event
from kms_tui.kms.facts import UNASKED, Fact, Known
from kms_tui.kms.model import Grant
from kms_tui.session import BackendKind, Connection, Session, open_session
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.details.activity_tab import summary
from kms_tui.ui.details.overview_tab import judged
from kms_tui.ui.screens.log_screen import status_words
from tests.unit.evidence.trail import entry

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
SINCE = datetime(2026, 8, 22, 12, tzinfo=UTC)
APP = "arn:aws:iam::111122223333:role/app"


class Clock:
    """A clock that the test puts forward."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def demo() -> Backend:
    return demo_backend(now=lambda: NOW)


@pytest.fixture
def session(demo: Backend, clock: Clock) -> Session:
    session = open_session(Connection(BackendKind.DEMO), demo)
    session.now = clock
    return session


def subject_of(demo: Backend, alias: str) -> Subject:
    found = demo.call("DescribeKey", {"KeyId": f"alias/{alias}"})["KeyMetadata"]
    return Subject(found["KeyId"], found["Arn"], "eu-west-1", (alias,), None)


def users(session: Session, subject: Subject) -> str:
    return judged(session.kms, subject, session.grants_of(subject.arn)).users


def test_users_are_said_to_be_by_the_policy_until_the_grants_are_known(
    session: Session, demo: Backend
) -> None:
    subject = subject_of(demo, "rds-reporting")
    assert users(session, subject) == "nobody else may use it by the policy"
    session.keep_grants(subject.arn, Known(session.kms.grants(subject.key_id)))
    assert users(session, subject) == "one principal may use it by policy or grant"
    sandbox = subject_of(demo, "sandbox")
    session.keep_grants(sandbox.arn, Known(session.kms.grants(sandbox.key_id)))
    assert users(session, sandbox) == "nobody else may use it by policy or grant"


def test_grants_count_as_known_for_minutes_and_until_one_is_changed(
    session: Session, demo: Backend, clock: Clock
) -> None:
    subject = subject_of(demo, "sandbox")
    fact: Fact[list[Grant]] = Known([])
    session.keep_grants(subject.arn, fact)
    clock.now = NOW + timedelta(minutes=4)
    assert session.grants_of(subject.arn) is fact
    clock.now = NOW + timedelta(minutes=6)
    assert session.grants_of(subject.arn) is UNASKED
    session.keep_grants(subject.arn, fact)
    session.kms.backend.call(
        "CreateGrant", {"KeyId": subject.key_id, "GranteePrincipal": APP, "Operations": ["Decrypt"]}
    )
    assert session.grants_of(subject.arn) is UNASKED


def test_no_refusals_is_said_with_the_time_that_was_looked_at() -> None:
    used = [usage_event(entry("1"))]
    refused = usage_event(entry("2", error="AccessDenied"))
    assert summary(used, 1, hides=False, since=SINCE).plain.startswith(
        "1 call · no refusals since 2026-08-22 · "
    )
    assert summary([], 0, hides=False, since=SINCE).plain == "0 calls · no refusals since 2026-08-22"
    assert summary([], 0, hides=False).plain == "0 calls"
    assert summary(used, 2, hides=False, since=SINCE).plain.startswith("1 of 2 calls · none of these refused")
    assert summary([refused], 1, hides=False, since=SINCE).plain.startswith("1 call · 1 refused")


def test_uses_of_keys_are_no_reads_and_failed_changes_are_no_changes() -> None:
    entries = [
        LogEntry(NOW, "eu-west-1", "EnableKey", _Params(), error) for error in ("", "AccessDeniedException")
    ]
    calls = {"DescribeKey": 3, "Encrypt": 1, "EnableKey": 2}
    assert status_words(entries, calls, 2).plain == "1 change · 1 failed · 1 use of keys · 3 reads"
    assert status_words([], {}, 0).plain == "0 changes · 0 reads"


def test_a_full_log_numbers_its_entries_on_and_says_what_it_does_not_keep() -> None:
    log = SessionLog(limit=2)
    for number in range(5):
        log.append(LogEntry(NOW, "eu-west-1", "EnableKey", _Params(KeyId=str(number))))
    assert [(number, entry.params["KeyId"]) for number, entry in log.numbered()] == [(3, "3"), (4, "4")]
    assert log.count == 5
    assert status_words(log.entries, {}, log.count).plain == "2 changes · 3 older not kept · 0 reads"
