"""Servers and clients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config

from kms_tui.backend.local import LocalBackend, open_ephemeral
from kms_tui.serve.server import running
from kms_tui.serve.sigv4 import Credential, credential_of
from tests.endpoints.environment import clear_aws_environment

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient

REGION = "eu-west-1"


@pytest.fixture(autouse=True)
def _no_aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    clear_aws_environment(monkeypatch)


@pytest.fixture
def backend() -> Iterator[LocalBackend]:
    opened = open_ephemeral(region=REGION)
    yield opened
    opened.store.close()


@pytest.fixture
def credential(backend: LocalBackend) -> Credential:
    return credential_of(backend.store)


@pytest.fixture
def url(backend: LocalBackend, credential: Credential) -> Iterator[str]:
    """A server that checks signatures."""
    with running(backend, credential=credential) as url:
        yield url


@pytest.fixture
def kms(url: str, credential: Credential) -> Iterator[KMSClient]:
    client = kms_client(url, credential)
    yield client
    client.close()


def kms_client(url: str, credential: Credential, *, region: str = REGION) -> KMSClient:
    """A client that tries once."""
    client: KMSClient = boto3.client(
        "kms",
        region_name=region,
        endpoint_url=url,
        aws_access_key_id=credential.access_key_id,
        aws_secret_access_key=credential.secret_access_key,
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=30),
    )
    return client
