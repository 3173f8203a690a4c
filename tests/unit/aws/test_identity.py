"""Who is calling and which account it is, with and without STS."""

from __future__ import annotations

from pathlib import Path

import pytest

from kms_tui.backend.aws import AwsBackend, connect
from kms_tui.control.faults import DENY, EXPIRED, OK, Drop, Raw
from kms_tui.kms.model import CallerIdentity
from tests.endpoints.environment import use_config
from tests.endpoints.server import FaultEndpoint
from tests.endpoints.signin import CALLER
from tests.endpoints.synthetic import ACCOUNT, SyntheticAccount
from tests.unit.aws.conftest import REGION


def test_sts_is_asked_at_the_endpoint_given_and_once(backend: AwsBackend, endpoint: FaultEndpoint) -> None:
    assert backend.account_id == ""
    assert backend.caller() == CallerIdentity(ACCOUNT, CALLER, "AROAEXAMPLE:ada")
    assert backend.in_region("us-east-1").caller().arn == CALLER
    assert backend.account_id == ACCOUNT
    assert endpoint.counts == {"GetCallerIdentity": 1}


@pytest.mark.parametrize("fault", [DENY, Raw(404), Raw(200), Raw(501, b"{}"), Drop()], ids=str)
def test_without_sts_the_account_is_the_first_keys_and_the_caller_unknown(
    fault: Raw, backend: AwsBackend, endpoint: FaultEndpoint
) -> None:
    endpoint.always("GetCallerIdentity", fault)
    assert backend.caller() == CallerIdentity(ACCOUNT)
    assert backend.account_id == ACCOUNT


def test_without_sts_a_denied_list_leaves_the_account_unknown(
    backend: AwsBackend, endpoint: FaultEndpoint
) -> None:
    endpoint.always("GetCallerIdentity", DENY)
    endpoint.always("ListKeys", DENY)
    assert backend.caller() == CallerIdentity()
    assert backend.account_id == ""


def test_without_sts_an_empty_region_leaves_the_account_unknown(
    backend: AwsBackend, endpoint: FaultEndpoint, account: SyntheticAccount
) -> None:
    endpoint.always("GetCallerIdentity", DENY)
    account.keys = 0
    backend.caller()
    assert backend.account_id == ""


@pytest.mark.parametrize("operation", ["ListKeys", "ListAliases"])
def test_any_list_tells_the_account(operation: str, backend: AwsBackend, endpoint: FaultEndpoint) -> None:
    backend.call(operation, {})
    assert backend.account_id == ACCOUNT
    assert endpoint.count() == 1


def test_a_key_of_another_account_does_not_tell_the_account(backend: AwsBackend) -> None:
    backend.call("DescribeKey", {"KeyId": "00000001-0000-4000-8000-000000000001"})
    assert backend.account_id == ""


def test_an_answer_that_failed_in_passing_is_asked_for_again(
    backend: AwsBackend, endpoint: FaultEndpoint
) -> None:
    endpoint.plan("GetCallerIdentity", Drop(), Drop(), OK)
    assert backend.caller().arn == ""
    assert backend.caller().arn == CALLER


def test_expired_credentials_leave_the_caller_unknown_without_an_error(
    backend: AwsBackend, endpoint: FaultEndpoint
) -> None:
    endpoint.always("*", EXPIRED)
    assert backend.caller() == CallerIdentity()


def test_an_endpoint_from_the_environment_is_sts_too(
    endpoint: FaultEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", endpoint.url)
    backend = connect(region=REGION)
    assert backend.caller().arn == CALLER
    assert endpoint.counts == {"GetCallerIdentity": 1}


def test_an_endpoint_from_the_profile_is_sts_too(
    endpoint: FaultEndpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = (
        f"[default]\nregion = {REGION}\nservices = s\n[services s]\nkms =\n  endpoint_url = {endpoint.url}\n"
    )
    use_config(monkeypatch, tmp_path, config, "[default]\naws_access_key_id = a\naws_secret_access_key = b\n")
    assert connect().caller().arn == CALLER


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"])
def test_an_endpoint_configured_for_sts_is_used_for_sts(
    variable: str, endpoint: FaultEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultEndpoint() as other:
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", endpoint.url)
        monkeypatch.setenv(variable, other.url)
        connect(region=REGION).caller()
        assert other.count("GetCallerIdentity") == 1
    assert endpoint.count() == 0
