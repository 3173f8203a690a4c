"""The keys that a request is about, by all names that they have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kms_tui.backend.local.engine import ciphertext_blob
from kms_tui.backend.local.store.key_rows import KeyRow, key_by_alias, key_by_id
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.kms.arn import ALIAS_PREFIX, Arn, alias_arn, key_arn, key_id_of

_MEMBERS = ("KeyId", "TargetKeyId", "SourceKeyId", "DestinationKeyId", "AliasName")
"""Members of requests that name a key."""


def key_names(
    store: Store, partition: str, region: str, account: str, params: Mapping[str, Any]
) -> tuple[str, ...]:
    """ARN, key id, aliases and their ARNs of each key of a request, the first named first.

    A name of which there is no key stands as it is; a ciphertext of ours tells its key.
    """
    names: dict[str, None] = {}
    for reference in _references(partition, region, params):
        key = _row(store, region, account, reference)
        if key is not None:
            names |= dict.fromkeys(_names(store, partition, key))
        names[reference] = None
    return tuple(names)


def _references(partition: str, region: str, params: Mapping[str, Any]) -> list[str]:
    found = [str(params[member]) for member in _MEMBERS if params.get(member)]
    blob = params.get("CiphertextBlob")
    ciphertext = ciphertext_blob.parse(blob) if isinstance(blob, bytes) else None
    if ciphertext is not None:
        found.append(key_arn(partition, region, ciphertext.account, ciphertext.key_id))
    return found


def _row(store: Store, region: str, account: str, reference: str) -> KeyRow | None:
    try:
        arn = Arn.parse(reference)
    except ValueError:
        name = reference
    else:
        account, name = arn.account, arn.resource
    if name.startswith(ALIAS_PREFIX):
        return key_by_alias(store, account, region, name)
    return key_by_id(store, account, region, key_id_of(reference))


def _names(store: Store, partition: str, key: KeyRow) -> list[str]:
    aliases = [name for (name,) in store.rows("SELECT name FROM aliases WHERE key = ?", (key.row,))]
    arns = [alias_arn(partition, key.region, key.account, name) for name in aliases]
    return [key_arn(partition, key.region, key.account, key.key_id), key.key_id, *aliases, *arns]
