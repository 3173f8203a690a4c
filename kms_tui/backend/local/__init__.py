"""The offline backend: real cryptography on an embedded store."""

from kms_tui.backend.local.default_store import open_default, open_ephemeral
from kms_tui.backend.local.local_backend import LocalBackend
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.backend.local.store.store_opening import open_store

__all__ = ["LocalBackend", "Store", "open_default", "open_ephemeral", "open_store"]
