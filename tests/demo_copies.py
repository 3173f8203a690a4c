"""The demo's account for a test: its history is replayed once in a process, and each test has a copy."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from kms_tui.backend.local.store.seeded_material import SeededMaterial
from kms_tui.backend.local.store.sources import Sources, utc_now
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.backend.local.store.store_file import StoreFile
from kms_tui.demo import demo_backend
from kms_tui.demo.demo_services import DemoBackend


class _MaterialMadeOnce:
    """The demo's key material; a seeded RSA key pair takes seconds to make, and is the same each time."""

    lazy = True

    def __init__(self, source: SeededMaterial) -> None:
        self.make = cache(source.make)


Clock = Callable[[], datetime]


def demo_copy(moment: datetime, *, other_accounts: bool = False) -> DemoBackend:
    """The demo's account at a moment that stands still; what the test does to it is its own."""
    return _copied(moment, lambda: moment, other_accounts)


def demo_of_now(
    *, region: str | None = None, other_accounts: bool = False, now: Clock = utc_now, **more: Any
) -> DemoBackend:
    """``demo_backend`` as a command calls it: a copy, whose history ended less than a minute ago."""
    if now is not utc_now:
        return demo_backend(region=region, other_accounts=other_accounts, now=now, **more)
    return _copied(_recent_moment(), now, other_accounts, region=region, **more)


_moments: list[datetime] = []


def _recent_moment() -> datetime:
    now = utc_now()
    if not _moments or not timedelta(0) <= now - _moments[-1] < timedelta(minutes=1):
        _moments.append(now)
    return _moments[-1]


def _copied(
    moment: datetime, clock: Clock, other_accounts: bool, *, region: str | None = None, **more: Any
) -> DemoBackend:
    lived, material = _lived(moment, other_accounts)
    memory = StoreFile(None)
    lived.store._connection.backup(memory.connection)
    sources = Sources(clock, deepcopy(lived.store.ids), material)
    store = Store(memory, lived.store.root_key, None, sources)
    region = region or lived.region
    return DemoBackend(store, lived._resources, account_id=lived.account_id, region=region, **more)


@cache
def _lived(moment: datetime, other_accounts: bool) -> tuple[DemoBackend, _MaterialMadeOnce]:
    backend = demo_backend(now=lambda: moment, other_accounts=other_accounts)
    assert isinstance(backend, DemoBackend)
    assert isinstance(backend.store.material, SeededMaterial)
    return backend, _MaterialMadeOnce(backend.store.material)
