"""The backends that the contract suite runs on, and the known departures of others' backends from AWS."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from kms_tui.backend.aws import connect
from kms_tui.backend.base import Backend
from kms_tui.backend.local import LocalBackend, open_store
from kms_tui.backend.local.attestation.attestations import AttestationTrust
from tests.contract.client import KmsClient
from tests.contract.moto_departures import departure_of
from tests.endpoints.environment import use_static_credentials
from tests.endpoints.moto import MotoEndpoint
from tests.endpoints.served import Switch, served_connection

BACKENDS = ("local", "served", "moto")
"""Each is made by the fixture ``<name>_backend``."""

ACCOUNT = "111122223333"
REGION = "eu-west-1"


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Backend:
    made: Backend = request.getfixturevalue(f"{request.param}_backend")
    return made


@pytest.fixture
def kms(backend: Backend) -> KmsClient:
    return KmsClient(backend)


@pytest.fixture
def local_backend() -> Iterator[LocalBackend]:
    with open_store() as store:
        yield LocalBackend(
            store, account_id=ACCOUNT, region=REGION, attestation_trust=AttestationTrust(unsigned=True)
        )


@pytest.fixture(scope="session")
def server() -> Iterator[tuple[Switch, Backend]]:
    with served_connection(REGION) as connection:
        yield connection


@pytest.fixture
def served_backend(server: tuple[Switch, Backend], local_backend: LocalBackend) -> Backend:
    """AwsBackend on our own server, over HTTP."""
    switch, backend = server
    switch.current = local_backend
    backend.caller()
    return backend


@pytest.fixture(scope="session", autouse=True)
def _no_waiting() -> Iterator[None]:
    """Answers that botocore tries again are tried again at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda seconds: None))
        yield


@pytest.fixture(scope="session")
def moto() -> Iterator[tuple[MotoEndpoint, Backend]]:
    with MotoEndpoint() as endpoint:
        with pytest.MonkeyPatch.context() as patch:
            use_static_credentials(patch)
            backend = connect(region=REGION, endpoint_url=endpoint.url)
        backend.caller()
        yield endpoint, backend


@pytest.fixture
def moto_backend(moto: tuple[MotoEndpoint, Backend]) -> Backend:
    """AwsBackend on a KMS that others wrote."""
    endpoint, backend = moto
    endpoint.reset()
    return backend


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        callspec = getattr(item, "callspec", None)
        if callspec is None or callspec.params.get("backend") != "moto":
            continue
        variant = callspec.id.removeprefix("moto").removesuffix("moto").strip("-")
        departure = departure_of(item.path.stem, getattr(item, "originalname", item.name), variant)
        if departure:
            reason = f"moto: {departure.reason} (AWS: {departure.source})"
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
