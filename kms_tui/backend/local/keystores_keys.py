"""Which keys a custom key store takes.

Source: Origin, CustomKeyStoreId, XksKeyId and MultiRegion of CreateKey in the service model.
"""

from __future__ import annotations

from kms_tui.backend.local.call import Call
from kms_tui.backend.local.keystores_rows import key_store, require_connected
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.keyspecs import SYMMETRIC_DEFAULT
from kms_tui.kms.model import KeyOrigin

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
    """The key store is there, is of the key's kind, is connected, and has not given its key away."""
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
