"""A planning on the demo: what is refused before the scan, and a stop, which leaves no plan."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kms_tui.evidence.key_uses import KeyUseScan
from kms_tui.evidence.scans import Scan
from kms_tui.key_moves.destination import DestinationError
from kms_tui.key_moves.move_plan import make_plan
from kms_tui.key_moves.planning import MovePlanning, PlanningProgress, PlanningStoppedError
from kms_tui.session import BackendKind, Connection, Session, open_session
from tests.demo_copies import demo_copy

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def session() -> Session:
    return open_session(Connection(BackendKind.DEMO), demo_copy(NOW), now=lambda: NOW)


def test_a_plan_is_that_of_both_keys_and_the_scan(session: Session) -> None:
    planning = MovePlanning(session, "alias/orders-db", "alias/sandbox")
    assert planning.progress() == PlanningProgress()
    plan = planning.run()
    assert plan.new is not None
    kms = session.kms
    assert plan == make_plan(kms, plan.old, plan.new, plan.uses, session.kms_for, NOW)
    stage = planning.progress()
    assert stage.done == stage.total > 50
    # A deletion that is asked about next is told by this scan.
    scan = session.account_of(plan.old.arn).scans.result(plan.old.region)
    assert isinstance(scan, Scan)
    assert len(scan.uses(plan.old.key_id)) == len(plan.moves)


@pytest.mark.parametrize(
    ("key", "to", "words"),
    [
        ("orders-db", "sandbox", "kms-tui reencrypt moves those in files"),
        ("payments-signing", "ledger-seal", "The new key's spec is ECC_SECG_P256K1, the old one's RSA_3072"),
        ("payments-signing", "ledger-seal", "A signature is verified with the public key"),
        ("mobile-api-mac", "payments-webhooks", "A MAC is verified by the key that made it alone"),
        ("partner-inbox", None, "decrypted by the old key alone"),
        ("device-enrolment", None, "The new key has another public key"),
        ("transport-pq", None, "derived by the old key alone"),
    ],
    ids=range(7),
)
def test_what_a_scan_cannot_tell_is_that_of_the_keys_usage(
    session: Session, monkeypatch: pytest.MonkeyPatch, key: str, to: str | None, words: str
) -> None:
    monkeypatch.setattr(KeyUseScan, "run", KeyUseScan.result)  # no scan: the notes are those of the keys
    plan = MovePlanning(session, f"alias/{key}", f"alias/{to}" if to is not None else None).run()
    assert words in " ".join(plan.notes)
    assert ("reencrypt" in " ".join(plan.notes)) == (plan.old.usage == "ENCRYPT_DECRYPT")


@pytest.mark.parametrize(
    ("key", "to", "words"),
    [
        ("alias/orders-db", "alias/payments-signing", "has the usage SIGN_VERIFY"),
        ("alias/aws/s3", None, "No key is made like one that AWS manages"),
    ],
)
def test_a_key_that_nothing_can_move_to_is_refused_before_the_scan(
    session: Session, key: str, to: str | None, words: str
) -> None:
    planning = MovePlanning(session, key, to)
    with pytest.raises(DestinationError, match=words):
        planning.run()
    assert planning.progress().total == 0


def test_without_a_whole_scan_there_is_no_plan(session: Session) -> None:
    planning = MovePlanning(session, "alias/orders-db", None)
    planning.stop()
    calls = session.meter.total
    with pytest.raises(PlanningStoppedError, match="without a whole scan there is no plan"):
        planning.run()
    assert session.meter.total <= calls + 1, "the key alone was described"
    planning.cancel()
