"""A read-only session sends nothing that changes anything, however it became one."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from kms_tui.accounts.account_choice import AccountChoice
from kms_tui.backend.service_model import service_model
from kms_tui.cli.connection import add_connection_flags, connection_from
from kms_tui.cli.console_command import open_connection
from kms_tui.config import Config, ProfileSettings
from kms_tui.kms.errors import ReadOnlyError
from kms_tui.kms.model import CallerIdentity
from kms_tui.kms.operations import NOT_MUTATING
from kms_tui.session import BackendKind, Connection, Session, open_session

OPERATIONS = sorted(service_model()["operations"])
MUTATING = [operation for operation in OPERATIONS if operation not in NOT_MUTATING]


class Recorder:
    """A KMS that takes everything, and remembers what it was sent."""

    account_id, region, partition = "111122223333", "eu-west-1", "aws"

    def __init__(self) -> None:
        self.calls: list[str] = []

    def caller(self) -> CallerIdentity:
        return CallerIdentity()

    def in_region(self, region: str) -> Recorder:
        return self

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        self.calls.append(operation)
        return {}


def by_connection(backend: Recorder) -> Session:
    return open_session(Connection(BackendKind.AWS, read_only=True), backend)


def by_profile(backend: Recorder) -> Session:
    return open_session(Connection(BackendKind.AWS), backend, ProfileSettings(read_only=True))


def by_flag(backend: Recorder) -> Session:
    parser = argparse.ArgumentParser()
    add_connection_flags(parser)
    return open_session(connection_from(parser, parser.parse_args(["--read-only"])), backend)


HOW = [by_connection, by_profile, by_flag]


@pytest.mark.parametrize("opened", HOW, ids=lambda how: how.__name__)
def test_no_mutating_operation_is_sent_in_any_region(opened: Callable[[Recorder], Session]) -> None:
    backend = Recorder()
    session = opened(backend)
    assert session.read_only
    for kms in (session.kms, session.kms.in_region("us-east-1")):
        for operation in [*MUTATING, "InventedIn2031"]:
            with pytest.raises(ReadOnlyError) as caught:
                kms.call(operation)
            assert caught.value.operation == operation
            assert "read-only" in str(caught.value)
    assert backend.calls == []
    assert session.history.last() == ((), ())
    assert session.log.entries == ()


@pytest.mark.parametrize("opened", HOW, ids=lambda how: how.__name__)
def test_reading_and_cryptography_are_sent(opened: Callable[[Recorder], Session]) -> None:
    backend = Recorder()
    kms = opened(backend).kms
    for operation in sorted(NOT_MUTATING):
        kms.call(operation)
    assert backend.calls == sorted(NOT_MUTATING)


def test_what_reads_is_named_in_the_api() -> None:
    """Each name of the allowlist is one of the API's own, and begins as one that changes nothing does."""
    assert set(OPERATIONS) >= NOT_MUTATING
    beginnings = ("De", "Encrypt", "Encapsulate", "Generate", "Get", "List", "ReEncrypt", "Sign", "Verify")
    assert all(operation.startswith(beginnings) for operation in NOT_MUTATING)
    assert not NOT_MUTATING & {"GetParametersForImport", "DeleteAlias", "DeleteImportedKeyMaterial"}
    assert {"DeleteAlias", "DeleteImportedKeyMaterial", "GetParametersForImport"} <= set(MUTATING)


def test_a_session_that_is_not_read_only_sends_what_it_is_given() -> None:
    backend = Recorder()
    session = open_session(Connection(BackendKind.AWS), backend)
    assert not session.read_only
    session.kms.call("EnableKey", KeyId="1234abcd-12ab-34cd-56ef-1234567890ab")
    assert "EnableKey" in backend.calls


@pytest.mark.parametrize("several", [None, AccountChoice(organization=True)])
def test_the_console_keeps_to_what_the_configuration_says_of_the_account(
    several: AccountChoice | None,
) -> None:
    """With one account as with several: "[accounts.111122223333] read_only = true"."""
    config = Config(accounts={"111122223333": ProfileSettings(read_only=True)})
    session = open_connection(config, Connection(BackendKind.DEMO, accounts=several), lambda _: None)
    assert session.current.read_only
    with pytest.raises(ReadOnlyError, match="CreateKey was not sent"):
        session.kms.call("CreateKey")
    session.close()
