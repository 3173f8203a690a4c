"""States of a store in memory that it can be put back to. A copy of 20 keys takes some 30 us."""

from __future__ import annotations

from kms_tui.backend.local.store.sources import Sources
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.backend.local.store.store_file import StoreFile


class StoreSnapshot:
    """All that a store held at one moment; key material in it is sealed by the store's root key."""

    def __init__(self, store: Store) -> None:
        self._content = store.content()
        self._root_key = store.root_key

    def put_into(self, store: Store) -> None:
        """Put the store that this was taken of, which is in memory, back into this state.

        ValueError for another store: it could not open the key material.
        """
        if store.root_key is not self._root_key:
            raise ValueError("this state is of another KMS")
        store.replace_content(self._content)

    def opened(self, store: Store) -> Store:
        """A second store that begins in this state, with the root key and the sources of ``store``."""
        sources = Sources(store.clock, store.ids, store.material, store.transition_millis)
        second = Store(StoreFile(None), store.root_key, None, sources)
        second.replace_content(self._content)
        return second
