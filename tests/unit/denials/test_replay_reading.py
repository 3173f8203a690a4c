"""What a replay reads through a connection: of the demo, and where reads are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from kms_tui.backend.kms_facade import Kms
from kms_tui.demo import demo_backend
from kms_tui.denials.replay_reading import MOST_CALLERS, read_access, read_callers
from kms_tui.kms.errors import ServiceError
from kms_tui.policy import parse
from kms_tui.policy.evaluation import AccessRequest, Effect, evaluate
from kms_tui.policy.principals import Caller

BACKEND = demo_backend()
KMS = Kms(BACKEND)
_ROLE = "arn:aws:iam::111122223333:role"


def test_a_keys_policy_grants_and_facts_are_read() -> None:
    access, told = read_access(KMS, "alias/partner-exchange")
    assert told == ()
    assert access.policy.is_valid
    assert [grant.name for grant in access.grants] == ["partner-importer"]
    assert access.facts["kms:keyspec"] == "SYMMETRIC_DEFAULT"
    other = parse("{}")
    assert read_access(KMS, "alias/partner-exchange", other)[0].policy is other


def test_grants_that_may_not_be_read_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    call = BACKEND.call

    def refusing(operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if operation == "ListGrants":
            raise ServiceError("AccessDeniedException", "no kms:ListGrants")
        return call(operation, params)

    monkeypatch.setattr(BACKEND, "call", refusing)
    access, (told,) = read_access(KMS, "alias/partner-exchange")
    assert access.grants == ()
    assert "The key's grants are not known" in told
    assert "no kms:ListGrants" in told


def test_iam_policies_of_callers_are_read_and_those_of_others_left_out() -> None:
    services = BACKEND.services
    partner = "arn:aws:iam::444455556666:role/importer"
    names = (f"{_ROLE}/app", f"{_ROLE}/nobody", partner, "no principal")
    found = read_callers(KMS, services, names)
    assert list(found) == [f"{_ROLE}/app"]
    request = AccessRequest(Caller.parse(f"{_ROLE}/app"), "kms:Decrypt")
    assert [evaluate(document, request).effect for document in found[f"{_ROLE}/app"]] == [Effect.ALLOW]


def test_no_more_callers_are_read_than_a_replay_may_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def read(_kms: object, _services: object, caller: Caller, _keep_going: object) -> tuple[()]:
        asked.append(caller.arn)
        return ()

    monkeypatch.setattr("kms_tui.denials.replay_reading.read_identity", read)
    read_callers(KMS, None, [f"{_ROLE}/r{number}" for number in range(200)])
    assert len(asked) == MOST_CALLERS
