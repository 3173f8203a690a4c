"""An endpoint with a synthetic account, and a backend on it that waits for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from kms_tui.backend.aws import AwsBackend, connect
from tests.endpoints.environment import use_static_credentials
from tests.endpoints.server import FaultEndpoint
from tests.endpoints.synthetic import SyntheticAccount

REGION = "eu-west-1"


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    use_static_credentials(monkeypatch)


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that botocore would have waited before each retry."""
    asked: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=asked.append))
    return asked


@pytest.fixture
def account() -> SyntheticAccount:
    return SyntheticAccount(keys=25)


@pytest.fixture
def endpoint(account: SyntheticAccount) -> Iterator[FaultEndpoint]:
    with FaultEndpoint(account) as running:
        yield running


@pytest.fixture
def backend(endpoint: FaultEndpoint) -> AwsBackend:
    return connect(region=REGION, endpoint_url=endpoint.url)
