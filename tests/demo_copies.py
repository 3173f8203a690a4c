"""The demo's account for a test: its history is replayed once in a process, and each test has a copy."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime
from functools import cache

from kms_tui.backend.local.store.seeded_material import SeededMaterial
from kms_tui.backend.local.store.sources import Sources
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.backend.local.store.store_file import StoreFile
from kms_tui.demo import demo_backend
from kms_tui.demo.demo_services import DemoBackend


class _MaterialMadeOnce:
    """The demo's key material; a seeded RSA key pair takes seconds to make, and is the same each time."""

    lazy = True

    def __init__(self, source: SeededMaterial) -> None:
        self.make = cache(source.make)


def demo_copy(moment: datetime, *, other_accounts: bool = False) -> DemoBackend:
    """The demo's account at a moment that stands still; what the test does to it is its own."""
    lived, material = _lived(moment, other_accounts)
    memory = StoreFile(None)
    lived.store._connection.backup(memory.connection)
    sources = Sources(lambda: moment, deepcopy(lived.store.ids), material)
    store = Store(memory, lived.store.root_key, None, sources)
    return DemoBackend(store, lived._resources, account_id=lived.account_id, region=lived.region)


@cache
def _lived(moment: datetime, other_accounts: bool) -> tuple[DemoBackend, _MaterialMadeOnce]:
    backend = demo_backend(now=lambda: moment, other_accounts=other_accounts)
    assert isinstance(backend, DemoBackend)
    assert isinstance(backend.store.material, SeededMaterial)
    return backend, _MaterialMadeOnce(backend.store.material)
