"""The offline KMS: real cryptography on an embedded store.

``local_backend`` has THE table of operations. Its rooms import one way: ``crypto``, ``importing`` and
``cloudtrail`` over ``keys``, ``key_stores``, ``authorization``, ``engine`` and ``store``.
"""

from kms_tui.backend.local.default_store import open_default, open_ephemeral
from kms_tui.backend.local.local_backend import LocalBackend
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.backend.local.store.store_opening import open_store

__all__ = ["LocalBackend", "Store", "open_default", "open_ephemeral", "open_store"]
