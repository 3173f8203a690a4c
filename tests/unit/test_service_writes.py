"""Writes to other services: which there are, who may make them, and what the session's log keeps of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import botocore.session
import pytest

from kms_tui.accounts.account import AccountSource
from kms_tui.backend.base import Services
from kms_tui.backend.wrappers.session_log import SessionLog, recorded_writes
from kms_tui.command_text import service_line
from kms_tui.config import ProfileSettings
from kms_tui.kms.errors import ConfigurationError, KmsTuiError, ReadOnlyError, ServiceError
from kms_tui.kms.operations import SECRET_MEMBERS, SECRET_READS, SERVICE_READS, SERVICE_WRITES
from kms_tui.session import BackendKind, Connection, open_accounts
from tests.demo_copies import demo_copy
from tests.unit.inventory.world import NOW

_SECRET = "hunter22-secret"


class Writable:
    """Services that answer every call, or refuse it."""

    def __init__(self, error: KmsTuiError | None = None, region: str = "eu-west-1") -> None:
        self.region = region
        self.error = error

    def offers(self, service: str) -> bool:
        return True

    def in_region(self, region: str) -> Services:
        return Writable(self.error, region)

    def writing(self) -> Services:
        return self

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if self.error is not None:
            raise self.error
        return {}


def test_the_secrets_of_the_writes_are_those_of_the_service_models() -> None:
    session = botocore.session.get_session()
    for service, operations in SERVICE_WRITES.items():
        model = session.get_service_model(service)
        for operation in operations:
            taken = model.operation_model(operation).input_shape
            assert taken is not None
            secret = {name for name, shape in taken.members.items() if shape.metadata.get("sensitive")}
            assert secret == SECRET_MEMBERS.get((service, operation), frozenset())


def test_no_write_is_a_read() -> None:
    for table in (SERVICE_WRITES, SECRET_READS):
        for service, operations in table.items():
            assert not operations & SERVICE_READS.get(service, frozenset())


def test_the_log_keeps_a_write_without_its_secret() -> None:
    log = SessionLog()
    services = recorded_writes(Writable(), log, "111122223333", lambda: NOW)
    assert services is not None
    params = {"Name": "/orders", "Value": _SECRET, "Overwrite": True}
    services.in_region("us-east-1").call("ssm", "PutParameter", params)
    services.call("ssm", "GetParameterHistory", {"Name": "/orders"})
    (entry,) = log.entries
    assert (entry.service, entry.operation, entry.region) == ("ssm", "PutParameter", "us-east-1")
    assert (entry.account, entry.error, entry.time) == ("111122223333", "", NOW)
    assert _SECRET not in str(entry.params | {})
    line = service_line(entry.service, entry.operation, entry.params, region=entry.region, profile="it's")
    assert line == (
        "aws ssm put-parameter --name /orders --value file://INPUT --overwrite --region us-east-1"
        """ --profile 'it'"'"'s'"""
    )
    assert _SECRET not in service_line("ssm", "PutParameter", params)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ServiceError("AccessDeniedException"), "AccessDeniedException"),
        (ConfigurationError(""), "ConfigurationError"),
    ],
)
def test_the_log_keeps_what_a_write_failed_with(error: KmsTuiError, told: str) -> None:
    log = SessionLog()
    services = recorded_writes(Writable(error), log, "", lambda: NOW)
    assert services is not None
    with pytest.raises(type(error)):
        services.call("sqs", "SetQueueAttributes", {"QueueUrl": "u", "Attributes": {}})
    assert [entry.error for entry in log.entries] == [told]


def test_writes_are_off_unless_they_are_allowed_and_never_read_only() -> None:
    connection = Connection(BackendKind.DEMO)
    allowing = ProfileSettings(allow_service_writes=True)

    def refusal(connection: Connection, settings: ProfileSettings) -> KmsTuiError:
        source = AccountSource(lambda: demo_copy(NOW), name="dev", account_id="111122223333")
        session = open_accounts(connection, [replace(source, settings=settings)], now=lambda: NOW)
        try:
            with pytest.raises(KmsTuiError) as caught:
                session.current.writing_services("eu-west-1")
        finally:
            session.close()
        return caught.value

    off = refusal(connection, ProfileSettings())
    assert str(off) == "Writes to other services than KMS are not allowed in dev 111122223333."
    assert "--allow-service-writes" in off.next_step
    for read_only, settings, who in (
        (replace(connection, read_only=True, allow_service_writes=True), ProfileSettings(), "this session"),
        (connection, replace(allowing, read_only=True), "dev 111122223333"),
    ):
        refused = refusal(read_only, settings)
        assert isinstance(refused, ReadOnlyError)
        assert str(refused) == f"A write to another service was not sent: {who} is read-only."
