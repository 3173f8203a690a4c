"""Where the sample seeds lie, and what tests of seeds share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kms_tui.backend.local import LocalBackend, Store, open_store
from kms_tui.backend.local.store.sources import SeededIds
from kms_tui.seed.seed_document import SeedError

SEEDS = Path(__file__).parents[2] / "data" / "seeds"
ACCOUNT, REGION = "111122223333", "eu-west-1"
NOW = datetime(2026, 7, 1, 9, 30, tzinfo=UTC)
ID = "1234abcd-12ab-34cd-56ef-00000000000{}"


def empty_store() -> Store:
    """A store in memory at ``NOW``."""
    return open_store(clock=lambda: NOW, ids=SeededIds("seeds"))


def client(store: Store, region: str = REGION, account: str = ACCOUNT) -> LocalBackend:
    return LocalBackend(store, account_id=account, region=region)


def problems(work: Callable[[], object]) -> Sequence[str]:
    """What is wrong, without full stops and without the name of the source."""
    with pytest.raises(SeedError) as caught:
        work()
    return [
        each.removeprefix("the seed, ").removeprefix("the seed: ").rstrip(".")
        for each in caught.value.problems
    ]
