"""The operations on custom key stores.

Connecting reaches nothing outside: a key store is connected or not, and its keys work only while it is.
"""

from __future__ import annotations

import json

from kms_tui.backend.local.engine.call import Call, JsonShape
from kms_tui.backend.local.engine.paging import limit_of, page, position_of
from kms_tui.backend.local.key_stores.key_store_rows import (
    CONNECTED,
    DISCONNECTED,
    KeyStoreRow,
    insert_key_store,
    key_store,
    key_stores,
    require_connected,
    update_key_store,
)
from kms_tui.backend.local.key_stores.key_store_settings import (
    CLOUD_HSM,
    changed_settings,
    require_changeable,
    require_complete,
    require_unshared,
    settings_of,
    shown_settings,
)
from kms_tui.backend.local.store.sources import to_datetime
from kms_tui.kms.errors import ServiceError

MAX_KEY_STORES = 10
"""Custom key stores of one account and Region (resource quotas of the developer guide)."""

_DEFAULT_PAGE = 100
_ID_DIGITS = 17


def create_custom_key_store(call: Call) -> JsonShape:
    params = call.params
    call.authorize(call, None, "kms:CreateCustomKeyStore")
    kind = params.get("CustomKeyStoreType", CLOUD_HSM)
    require_complete(params, kind)
    settings = settings_of(params, kind)
    with call.write() as db:
        others = key_stores(call)
        _require_free_name(params["CustomKeyStoreName"], others)
        if len(others) >= MAX_KEY_STORES:
            raise ServiceError(
                "LimitExceededException",
                f"There are {MAX_KEY_STORES} custom key stores, the most that a Region may have.",
            )
        require_unshared(settings, [other.described for other in others])
        row = KeyStoreRow(
            row=0,
            account=call.scope.account,
            region=call.scope.region,
            store_id=f"cks-{call.store.ids.hex(_ID_DIGITS)}",
            name=params["CustomKeyStoreName"],
            kind=kind,
            connection_state=DISCONNECTED,
            settings=json.dumps(settings),
            created_at=call.now,
        )
        insert_key_store(db, row)
    return {"CustomKeyStoreId": row.store_id}


def _require_free_name(name: str, others: list[KeyStoreRow]) -> None:
    if any(other.name == name for other in others):
        raise ServiceError("CustomKeyStoreNameInUseException", "")


def describe_custom_key_stores(call: Call) -> JsonShape:
    params = call.params
    call.authorize(call, None, "kms:DescribeCustomKeyStores")
    if "CustomKeyStoreId" in params and "CustomKeyStoreName" in params:
        raise ServiceError(
            "ValidationException", "Specify either CustomKeyStoreId or CustomKeyStoreName, but not both."
        )
    store_id, name = params.get("CustomKeyStoreId"), params.get("CustomKeyStoreName")
    found = [row for row in key_stores(call) if store_id in (None, row.store_id) and name in (None, row.name)]
    if not found and (store_id or name):
        raise ServiceError("CustomKeyStoreNotFoundException", "")
    limit, after = limit_of(call, _DEFAULT_PAGE), position_of(call) or 0
    rows = [row for row in found if row.row > after]
    return page(call, "CustomKeyStores", [_entry(row) for row in rows], [row.row for row in rows], limit)


def _entry(row: KeyStoreRow) -> JsonShape:
    return {
        "CustomKeyStoreId": row.store_id,
        "CustomKeyStoreName": row.name,
        "CustomKeyStoreType": row.kind,
        "ConnectionState": row.connection_state,
        "CreationDate": to_datetime(row.created_at),
        **shown_settings(row.described, row.kind),
    }


def update_custom_key_store(call: Call) -> JsonShape:
    params = call.params
    call.authorize(call, None, "kms:UpdateCustomKeyStore")
    with call.write() as db:
        row = key_store(call, params["CustomKeyStoreId"])
        others = [other for other in key_stores(call) if other.row != row.row]
        require_changeable(params, row.kind, connected=row.is_connected)
        if "NewCustomKeyStoreName" in params:
            _require_free_name(params["NewCustomKeyStoreName"], others)
            row = row._replace(name=params["NewCustomKeyStoreName"])
        settings = changed_settings(row.described, params, row.kind)
        require_unshared(settings, [other.described for other in others])
        update_key_store(db, row._replace(settings=json.dumps(settings)))
    return {}


def delete_custom_key_store(call: Call) -> JsonShape:
    call.authorize(call, None, "kms:DeleteCustomKeyStore")
    with call.write() as db:
        row = key_store(call, call.params["CustomKeyStoreId"])
        if row.is_connected:
            raise ServiceError("CustomKeyStoreInvalidStateException", "")
        if call.store.one("SELECT 1 FROM keys WHERE custom_key_store_id = ?", (row.store_id,)):
            raise ServiceError("CustomKeyStoreHasCMKsException", "")
        db.execute("DELETE FROM custom_key_stores WHERE row = ?", (row.row,))
    return {}


def connect_custom_key_store(call: Call) -> JsonShape:
    call.authorize(call, None, "kms:ConnectCustomKeyStore")
    with call.write() as db:
        row = key_store(call, call.params["CustomKeyStoreId"])
        update_key_store(db, row._replace(connection_state=CONNECTED))
        db.execute("UPDATE keys SET available = 1 WHERE custom_key_store_id = ?", (row.store_id,))
    return {}


def disconnect_custom_key_store(call: Call) -> JsonShape:
    call.authorize(call, None, "kms:DisconnectCustomKeyStore")
    with call.write() as db:
        row = key_store(call, call.params["CustomKeyStoreId"])
        require_connected(row)
        update_key_store(db, row._replace(connection_state=DISCONNECTED))
        db.execute("UPDATE keys SET available = 0 WHERE custom_key_store_id = ?", (row.store_id,))
    return {}


OPERATIONS = {
    "CreateCustomKeyStore": create_custom_key_store,
    "DescribeCustomKeyStores": describe_custom_key_stores,
    "UpdateCustomKeyStore": update_custom_key_store,
    "DeleteCustomKeyStore": delete_custom_key_store,
    "ConnectCustomKeyStore": connect_custom_key_store,
    "DisconnectCustomKeyStore": disconnect_custom_key_store,
}
