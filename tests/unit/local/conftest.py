"""A store in memory under a clock that the test moves, and clients whose every answer is validated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kms_tui.backend.local import LocalBackend, Store, open_store
from kms_tui.backend.local.store import root_key
from kms_tui.backend.local.store.sources import SeededIds
from tests.contract.client import KmsClient

ACCOUNT = "111122223333"
REGION = "eu-west-1"
START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


class TestClock:
    """Stands still until it is moved."""

    __test__ = False

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **time: float) -> None:
        self.now += timedelta(**time)


def client_of(store: Store) -> KmsClient:
    """A client of a store that the test has opened."""
    return KmsClient(LocalBackend(store, account_id=ACCOUNT, region=REGION))


@pytest.fixture
def cheap_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passphrases of new stores become keys at once, instead of in a tenth of a second of a core."""
    monkeypatch.setattr(root_key, "_SCRYPT", {"n": 2, "r": 1, "p": 1})


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def store(clock: TestClock) -> Iterator[Store]:
    with open_store(clock=clock, ids=SeededIds("tests")) as store:
        yield store


@pytest.fixture
def backend(store: Store) -> LocalBackend:
    return LocalBackend(store, account_id=ACCOUNT, region=REGION)


@pytest.fixture
def kms(backend: LocalBackend) -> KmsClient:
    return KmsClient(backend)


@pytest.fixture
def client(store: Store) -> Callable[..., KmsClient]:
    """Other clients of the same store: another account, Region or caller."""

    def make(**changes: Any) -> KmsClient:
        return KmsClient(LocalBackend(store, **{"account_id": ACCOUNT, "region": REGION, **changes}))

    return make
