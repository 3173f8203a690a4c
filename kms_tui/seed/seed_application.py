"""Makes what a seed holds, by real calls in an empty store in memory, and then moves all of it in one
transaction.

So a seed can hold nothing that KMS would refuse, a failure leaves the target as it was, and the calls are in
no record. Each step has a moment of its own: a key is made when the seed says, and what falls due until the
present happens, as automatic rotations.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.backend.local.store.store_merging import TakenError, merge_keys
from kms_tui.backend.local.store.store_opening import open_beside
from kms_tui.backend.local.store.stored_account import account_rows, replace_account
from kms_tui.seed.key_making import SeedMaker
from kms_tui.seed.seed_document import SeedError
from kms_tui.seed.seed_model import Seed
from kms_tui.seed.seed_principals import is_bare
from kms_tui.seed.seed_sources import SeedSources


def apply_seed(seed: Seed, store: Store, *, allow_fixed: bool = False) -> None:
    """Add what a seed holds to a store, or nothing; its access keys are for who serves the store.

    SeedError for what KMS would refuse, for what the store holds already, and for fixed key material where
    the store is not in memory, unless ``allow_fixed``; StoreError where the store fails.
    """
    if store.path is not None and not allow_fixed:
        require_no_fixed(seed, store.path)
    with _made(seed, store) as beside, store.write():
        try:
            merge_keys(beside, store)
        except TakenError as error:
            name = store.path or "the store"
            raise SeedError([f"{seed.name}: {name} holds {each} already." for each in error.taken]) from error
        _add_account_rows(seed, store)


def require_no_fixed(seed: Seed, path: Path) -> None:
    """SeedError for fixed key material, which belongs in no store that is kept."""
    if seed.fixed:
        raise SeedError(
            [f"{place} has fixed key material, and the store {path} is kept." for place in seed.fixed],
            next_step="Whoever has the seed has these keys: --allow-fixed-material takes them all the same.",
        )


def check_seed(seed: Seed, store: Store) -> None:
    """SeedError for what KMS would refuse; nothing is changed."""
    with _made(seed, store):
        pass


@contextmanager
def _made(seed: Seed, store: Store) -> Iterator[Store]:
    """A store in memory that holds what the seed does; SeedError for what KMS refuses."""
    sources = SeedSources(store)
    with open_beside(store, clock=sources.clock, ids=sources, material=sources) as beside:
        maker = SeedMaker(beside, sources)
        for key in seed.keys:
            maker.make(key)
        maker.finish()
        if maker.problems:
            raise SeedError(maker.problems)
        yield beside


def _add_account_rows(seed: Seed, store: Store) -> None:
    if not seed.account_rows:
        return
    present = account_rows(store)
    places = {row[:3] for row in present}
    new = [row for row in seed.account_rows if row[:3] not in places or not is_bare(row.content)]
    taken = [f"the {row.kind} {row.name}".rstrip() for row in new if row[:3] in places]
    if taken:
        raise SeedError([f"{seed.name}: {store.path or 'the store'} holds {each} already." for each in taken])
    replace_account(store, [*present, *new])
