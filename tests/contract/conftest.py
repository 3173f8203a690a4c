"""The backends that the contract suite runs on, and the known departures of others' backends from AWS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kms_tui.backend.aws import connect
from kms_tui.backend.base import Backend
from tests.contract.client import KmsClient
from tests.contract.moto_departures import departure_of
from tests.endpoints.environment import use_static_credentials
from tests.endpoints.moto import MotoEndpoint

BACKENDS = ("moto",)
"""Each is made by the fixture ``<name>_backend``."""

REGION = "eu-west-1"


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Backend:
    made: Backend = request.getfixturevalue(f"{request.param}_backend")
    return made


@pytest.fixture
def kms(backend: Backend) -> KmsClient:
    return KmsClient(backend)


@pytest.fixture(scope="session")
def moto_connection() -> Iterator[tuple[MotoEndpoint, Backend]]:
    with pytest.MonkeyPatch.context() as patch, MotoEndpoint() as endpoint:
        use_static_credentials(patch)
        backend = connect(region=REGION, endpoint_url=endpoint.url)
        backend.caller()
        yield endpoint, backend


@pytest.fixture
def moto_backend(moto_connection: tuple[MotoEndpoint, Backend]) -> Backend:
    endpoint, backend = moto_connection
    endpoint.reset()
    return backend


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        callspec = getattr(item, "callspec", None)
        if callspec is None or callspec.params.get("backend") != "moto":
            continue
        variant = callspec.id.removeprefix("moto").removesuffix("moto").strip("-")
        departure = departure_of(getattr(item, "originalname", item.name), variant)
        if departure:
            item.add_marker(pytest.mark.xfail(reason=departure.reason, strict=True))
