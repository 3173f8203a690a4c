"""The wrappers of a session stand in the order that the stack gives reasons for, in every Region."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.backend.wrappers.policy_guard import PolicyRefusedError
from kms_tui.demo import demo_backend
from kms_tui.kms.errors import ReadOnlyError
from kms_tui.session import BackendKind, Connection, Session, open_session

ORDER = [
    "ReadOnly",
    "UndoRecorder",
    "ReadYourWrites",
    "Recorded",
    "PolicyGuard",
    "RefusalWrapper",
    "Metered",
    "AnswerCheck",
]
"""From the caller to the backend."""


def opened(*, read_only: bool) -> Session:
    return open_session(Connection(BackendKind.DEMO, read_only=read_only), demo_backend())


def wrappers(backend: Backend) -> Iterator[str]:
    while isinstance(backend, Wrapper):
        yield type(backend).__name__
        backend = backend.inner


@pytest.mark.parametrize("region", ["eu-west-1", "us-east-1"])
def test_the_wrappers_stand_in_their_order(region: str) -> None:
    assert list(wrappers(opened(read_only=True).kms.in_region(region).backend)) == ORDER
    assert list(wrappers(opened(read_only=False).kms.in_region(region).backend)) == ORDER[1:]


def test_a_refused_policy_is_logged_and_neither_sent_nor_counted() -> None:
    session = opened(read_only=False)
    (key, *_) = session.kms.backend.call("ListKeys", {})["Keys"]
    counted = session.meter.total
    with pytest.raises(PolicyRefusedError):
        session.kms.put_key_policy(key["KeyId"], "{}")
    assert [(entry.operation, entry.error) for entry in session.log.entries] == [
        ("PutKeyPolicy", "PolicyRefusedError")
    ]
    assert "PutKeyPolicy" not in session.meter.calls
    # The undo recorder looked at the policy that is there; the attempt itself cost nothing.
    assert session.meter.total - counted <= 1
    assert session.history.last() == ((), ())


def test_what_a_read_only_session_refuses_is_neither_logged_nor_counted() -> None:
    session = opened(read_only=True)
    (key, *_) = session.kms.backend.call("ListKeys", {})["Keys"]
    counted = session.meter.total
    with pytest.raises(ReadOnlyError):
        session.kms.disable(key["KeyId"])
    assert session.log.entries == ()
    assert session.meter.total == counted
