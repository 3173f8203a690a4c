"""The states of what is known, side by side in one picture: each was looked at before it was accepted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kms_tui.backend.wrappers.metering import Meter
from kms_tui.inventory import Pace
from kms_tui.kms.errors import CredentialsError, ServiceError
from kms_tui.session import BackendKind, Connection, Prompt, Session, open_session
from kms_tui.ui.app import KmsApp
from tests.ui.conftest import fixed_now
from tests.ui.console import settled
from tests.unit.inventory.world import FakeAccount, FakeKey, denied, key_id

SnapCompare = Callable[..., bool]
SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=["80x24", "160x48"])


@pytest.fixture(autouse=True)
def _a_fixed_count_of_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Meter, "total", property(lambda _meter: 84))


def account() -> FakeAccount:
    """A key of each state: healthy, denied, failed, rotation denied and failed, disabled, without alias."""
    keys = [
        FakeKey(key_id(1), ("billing",), {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}),
        FakeKey(key_id(2), ("audit-trail",)),
        FakeKey(key_id(3), ("customer-pii",)),
        FakeKey(key_id(4), ("ledger",)),
        FakeKey(key_id(5), ("orders-db",)),
        FakeKey(key_id(6), ("payroll",), {"KeyState": "Disabled", "Enabled": False}),
        FakeKey(key_id(7)),
    ]
    made, virginia = FakeAccount(keys), FakeAccount(region="us-east-1")
    made.others["us-east-1"] = virginia
    made.fail["DescribeKey", key_id(2)] = denied("DescribeKey")
    made.fail["DescribeKey", key_id(3)] = ServiceError("NotFoundException", "Key is not there")
    made.fail["GetKeyRotationStatus", key_id(4)] = denied("GetKeyRotationStatus")
    made.fail["GetKeyRotationStatus", key_id(5)] = ServiceError("UnsupportedOperationException")
    for operation in ("ListKeys", "ListAliases"):
        virginia.fail[operation] = denied(operation)
    return made


def console(backend: FakeAccount, *regions: str) -> KmsApp:
    def opener(connection: Connection, _prompt: Prompt) -> Session:
        return open_session(connection, backend, now=fixed_now, pace=Pace(read_unasked=0))

    return KmsApp(opener, Connection(BackendKind.AWS, profile="prod", regions=regions))


@SIZES
def test_what_is_known_denied_and_failed(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    app = console(account(), "eu-west-1", "us-east-1")
    assert snap_compare(app, run_before=settled, terminal_size=size)


@SIZES
def test_credentials_that_have_expired(snap_compare: SnapCompare, size: tuple[int, int]) -> None:
    backend = FakeAccount()
    command = "aws sso login --profile prod"
    for operation in ("ListKeys", "ListAliases"):
        backend.fail[operation] = CredentialsError(
            "The sign-in of profile prod has expired, or was never made.", login_command=command
        )
    assert snap_compare(console(backend), run_before=settled, terminal_size=size)
