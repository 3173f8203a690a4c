"""One account of a session: opened once, its failure told to all who ask, and none listed twice."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import pytest

from kms_tui.accounts.account import HOLD, AccountClaims, AccountSource, first_that_opens
from kms_tui.backend.base import Backend, Wrapper
from kms_tui.config import ProfileSettings
from kms_tui.kms.errors import ConfigurationError, CredentialsError, ReadOnlyError
from kms_tui.kms.model import CallerIdentity
from kms_tui.session import BackendKind, Connection, Session, open_accounts
from tests.demo_copies import demo_copy
from tests.unit.inventory.world import NOW

Opened = list[str]


def demo() -> Backend:
    return demo_copy(NOW)


class CallersBackend(Wrapper):
    """A backend that learns its account from its caller, as that of AWS does."""

    account = "444455556666"
    asked = 0

    @property
    def account_id(self) -> str:
        return ""

    def caller(self) -> CallerIdentity:
        self.asked += 1
        return CallerIdentity(self.account)

    def around(self, inner: Backend) -> CallersBackend:
        return self

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return self.inner.call(operation, params)


@pytest.fixture
def backend_of_aws() -> CallersBackend:
    return CallersBackend(demo())


def refusing(opened: Opened, sentence: str) -> Any:
    def refuse() -> Backend:
        opened.append(sentence)
        raise CredentialsError(sentence)

    return refuse


def session_of(*sources: AccountSource) -> Session:
    return open_accounts(Connection(BackendKind.DEMO), sources, now=lambda: NOW)


def test_the_first_account_that_opens_is_the_current_one() -> None:
    opened: Opened = []
    session = session_of(
        AccountSource(refusing(opened, "no role"), name="closed", account_id="999999999999"),
        AccountSource(demo, name="open", account_id="111122223333"),
        AccountSource(refusing(opened, "later"), name="later", account_id="888888888888"),
    )
    assert (session.current.name, opened) == ("open", ["no role"])
    assert session.account_of("arn:aws:kms:eu-west-1:888888888888:key/x").name == "later"
    assert session.account_of("arn:aws:kms:eu-west-1:777777777777:key/x").name == "open"
    session.close()


@pytest.mark.parametrize(
    ("name", "title"),
    [("open", "open 111122223333"), ("111122223333", "111122223333"), ("x 111122223333", "x 111122223333")],
)
def test_the_title_of_an_account_has_its_id_once(name: str, title: str) -> None:
    session = session_of(AccountSource(demo, name=name, account_id="111122223333"))
    assert session.current.title == title
    session.close()


def test_where_none_opens_the_reason_of_the_first_is_told() -> None:
    with pytest.raises(CredentialsError, match="first"):
        session_of(AccountSource(refusing([], "first")), AccountSource(refusing([], "second"), name="other"))
    with pytest.raises(ConfigurationError, match="no account"):
        first_that_opens([])


def test_a_failure_answers_all_who_ask_at_once_and_is_tried_again_later() -> None:
    opened: Opened = []
    session = session_of(
        AccountSource(demo, name="open", account_id="111122223333"),
        AccountSource(refusing(opened, "denied"), name="closed", account_id="999999999999"),
    )
    account = session.accounts[1]
    clock = [0.0]
    account._clock = lambda: clock[0]

    def ask() -> None:
        with pytest.raises(CredentialsError, match="denied"):
            account.kms("eu-west-1")

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert opened == ["denied"]
    clock[0] = HOLD + 1
    ask()
    assert opened == ["denied", "denied"]
    session.close()


def source(name: str, account_id: str = "") -> AccountSource:
    return AccountSource(demo, name=name, account_id=account_id)


def test_an_account_is_claimed_once_and_by_its_own_id() -> None:
    claims = AccountClaims()
    claims.claim(source("a"), "111122223333")
    claims.claim(source("a"), "111122223333")
    claims.claim(source("unknown"), "")
    claims.claim(source("unknown too"), "")
    with pytest.raises(ConfigurationError, match="b is of account 111122223333, which a lists already"):
        claims.claim(source("b"), "111122223333")
    with pytest.raises(ConfigurationError, match="c is of account 444455556666, not of 777788889999"):
        claims.claim(source("c", "777788889999"), "444455556666")


_LOCKED = ProfileSettings(read_only=True, protected=("orders-*",), allow_service_writes=True)
_OTHER = ProfileSettings(protected=("events",), allow_service_writes=True)


@pytest.mark.parametrize(
    ("by_id", "read_only", "protected", "writes"),
    [
        ({"111122223333": _LOCKED, "222233334444": _OTHER}, True, ("ca", "orders-*"), True),
        ({"111122223333": _OTHER, "222233334444": _LOCKED}, False, ("ca", "events"), True),
        ({"222233334444": _LOCKED}, False, ("ca",), False),
    ],
)
def test_the_settings_of_the_id_that_an_account_shows_apply(
    by_id: dict[str, ProfileSettings], read_only: bool, protected: tuple[str, ...], writes: bool
) -> None:
    source = AccountSource(demo, settings=ProfileSettings(protected=("ca",)), settings_by_id=by_id)
    session = session_of(source)
    account = session.current
    assert (session.read_only, session.connection.read_only) == (read_only, read_only)
    assert (account.settings.protected, account.allows_service_writes) == (protected, writes)
    if read_only:
        with pytest.raises(ReadOnlyError, match="CreateKey was not sent"):
            session.kms.in_region("us-east-1").call("CreateKey")
    else:
        session.kms.call("CreateKey")
    session.close()


def test_the_id_is_asked_for_only_where_settings_go_by_it(backend_of_aws: CallersBackend) -> None:
    session = session_of(AccountSource(lambda: backend_of_aws))
    assert backend_of_aws.asked == 0
    session = session_of(AccountSource(lambda: backend_of_aws, settings_by_id={"444455556666": _LOCKED}))
    assert (backend_of_aws.asked, session.read_only) == (1, True)


def test_an_account_of_unknown_id_may_be_any_that_the_settings_name(backend_of_aws: CallersBackend) -> None:
    backend_of_aws.account = ""
    settings = {"444455556666": _LOCKED, "222233334444": _OTHER}
    session = session_of(AccountSource(lambda: backend_of_aws, settings_by_id=settings))
    account = session.current
    assert (session.read_only, account.settings.protected) == (True, ("orders-*", "events"))
    assert not account.allows_service_writes


def test_a_profile_of_another_account_than_its_list_says_is_not_opened(
    backend_of_aws: CallersBackend,
) -> None:
    """It would be changed by the settings of the account that it is not, also where it is listed alone."""
    wrong = AccountSource(lambda: backend_of_aws, name="a", account_id="222233334444", profile="a")
    with pytest.raises(ConfigurationError, match="a is of account 444455556666, not of 222233334444"):
        session_of(wrong)


def test_nothing_is_written_in_an_account_that_proves_to_be_read_only_as_it_opens() -> None:
    session = open_accounts(
        Connection(BackendKind.DEMO, allow_service_writes=True),
        [
            AccountSource(demo, name="a", account_id="444455556666"),
            AccountSource(demo, name="b", settings_by_id={"111122223333": _LOCKED}),
        ],
    )
    with pytest.raises(ReadOnlyError, match="b 111122223333 is read-only"):
        session.accounts[1].writing_services()
    session.close()
