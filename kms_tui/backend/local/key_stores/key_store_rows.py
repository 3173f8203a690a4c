"""Custom key stores as the store keeps them, and the keys that they take.

No password and no secret of theirs is kept at all. Source of the refusals: Origin, CustomKeyStoreId, XksKeyId
and MultiRegion of CreateKey in the service model.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple

from kms_tui.backend.local.engine.call import Call
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.keyspecs import SYMMETRIC_DEFAULT
from kms_tui.kms.model import KeyOrigin

CONNECTED, DISCONNECTED = "CONNECTED", "DISCONNECTED"


class KeyStoreRow(NamedTuple):
    """A custom key store; ``settings`` is JSON: the members of its request that describe what backs it."""

    row: int
    account: str
    region: str
    store_id: str
    name: str
    kind: str
    connection_state: str
    settings: str
    created_at: int

    @property
    def described(self) -> dict[str, Any]:
        settings: dict[str, Any] = json.loads(self.settings)
        return settings

    @property
    def is_connected(self) -> bool:
        return self.connection_state == CONNECTED


_COLUMNS = ", ".join(KeyStoreRow._fields)


def _rows(store: Store, where: str, parameters: Sequence[Any]) -> list[KeyStoreRow]:
    sql = f"SELECT {_COLUMNS} FROM custom_key_stores WHERE {where} ORDER BY row"
    return [KeyStoreRow._make(row) for row in store.rows(sql, parameters)]


def key_stores(call: Call) -> list[KeyStoreRow]:
    """All custom key stores of the account and Region, oldest first."""
    scope = call.scope
    return _rows(call.store, "account = ? AND region = ?", (scope.account, scope.region))


def key_store(call: Call, store_id: str) -> KeyStoreRow:
    """The custom key store of an id, or CustomKeyStoreNotFoundException."""
    scope = call.scope
    where = "account = ? AND region = ? AND store_id = ?"
    found = _rows(call.store, where, (scope.account, scope.region, store_id))
    if not found:
        raise ServiceError("CustomKeyStoreNotFoundException", "")
    return found[0]


def key_store_of(store: Store, store_id: str) -> KeyStoreRow | None:
    """The custom key store that holds a key."""
    return next(iter(_rows(store, "store_id = ?", (store_id,))), None)


def require_connected(found: KeyStoreRow) -> None:
    if not found.is_connected:
        raise ServiceError("CustomKeyStoreInvalidStateException", "")


def insert_key_store(db: sqlite3.Connection, row: KeyStoreRow) -> None:
    db.execute(
        f"INSERT INTO custom_key_stores ({', '.join(KeyStoreRow._fields[1:])}) "
        f"VALUES ({', '.join('?' * (len(KeyStoreRow._fields) - 1))})",
        row[1:],
    )


def update_key_store(db: sqlite3.Connection, row: KeyStoreRow) -> None:
    columns = ", ".join(f"{column} = ?" for column in KeyStoreRow._fields[1:])
    db.execute(f"UPDATE custom_key_stores SET {columns} WHERE row = ?", (*row[1:], row.row))


IN_KEY_STORES = frozenset({KeyOrigin.AWS_CLOUDHSM, KeyOrigin.EXTERNAL_KEY_STORE})
"""Origins of keys in custom key stores."""


def require_possible(call: Call, spec: str, origin: str) -> None:
    """Refuse a request for a key in a custom key store, or not in one, that does not fit together."""
    params = call.params
    if "XksKeyId" in params and origin != KeyOrigin.EXTERNAL_KEY_STORE:
        raise _invalid(f"XksKeyId is not valid with Origin {origin}.")
    if origin not in IN_KEY_STORES:
        if "CustomKeyStoreId" in params:
            raise _invalid(f"CustomKeyStoreId is not valid with Origin {origin}.")
        return
    if spec != SYMMETRIC_DEFAULT:
        raise ServiceError(
            "UnsupportedOperationException", f"KeySpec {spec} is not supported in a custom key store."
        )
    if params.get("MultiRegion"):
        raise ServiceError(
            "UnsupportedOperationException", "Multi-Region keys are not supported in a custom key store."
        )
    if "CustomKeyStoreId" not in params:
        raise _invalid(f"Origin {origin} requires a CustomKeyStoreId.")
    if origin == KeyOrigin.EXTERNAL_KEY_STORE and "XksKeyId" not in params:
        raise _invalid(f"Origin {origin} requires an XksKeyId.")


def require_room(call: Call, origin: str) -> None:
    """Require that the key store exists, fits the key, is connected, and that its external key is unused."""
    params = call.params
    if origin not in IN_KEY_STORES:
        return
    found = key_store(call, params["CustomKeyStoreId"])
    if found.kind != origin:
        raise _invalid(f"Origin {origin} is not valid for a custom key store of type {found.kind}.")
    require_connected(found)
    taken = call.store.one(
        "SELECT 1 FROM keys WHERE custom_key_store_id = ? AND xks_key_id = ?",
        (found.store_id, params.get("XksKeyId")),
    )
    if taken:
        raise ServiceError("XksKeyAlreadyInUseException", "")


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)
