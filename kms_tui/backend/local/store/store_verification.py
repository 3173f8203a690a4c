"""The verification of a store: each problem is one sentence about one thing.

It checks the file itself, each key with its material, policy, aliases, grants and custom key store, what the
keys of a multi-Region set share, and the account policies.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from kms_tui.backend.local.account_policies.account_file import NamedFile, rows_and_faults
from kms_tui.backend.local.account_policies.account_rows import file_of
from kms_tui.backend.local.store.key_material import LoadedMaterial, load_material
from kms_tui.backend.local.store.key_rows import KeyRow
from kms_tui.backend.local.store.sources import to_datetime
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.backend.local.store.stored_account import account_rows
from kms_tui.backend.local.store.stored_material import PENDING, MaterialRow, has_all_material, materials_of
from kms_tui.kms.arn import is_key_id
from kms_tui.kms.errors import StoreError
from kms_tui.kms.keyspecs import KEY_SPECS
from kms_tui.kms.model import KeyManager, KeyOrigin, KeyState
from kms_tui.policy import parse

_PAGE = 500
_DELETION = (KeyState.PENDING_DELETION, KeyState.PENDING_REPLICA_DELETION)
_MATERIAL_STATES = frozenset({"CURRENT", "NON_CURRENT", *PENDING})
_SHARED = ("primary_region", "spec", "usage", "origin", "rotation_period", "next_rotation_at")
"""Columns that all keys of a multi-Region set have in common."""

_UNREADABLE = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError)
"""What values of wrong types raise, as a damaged page has them."""
_TIMES = ("created_at", "deletion_at", "next_rotation_at", "settles_at", "expires_at")


@dataclass(frozen=True, slots=True)
class StoreProblem:
    """What is wrong; ``subject`` is the ARN-like place of it, or what part of the file."""

    subject: str
    sentence: str


def find_problems(store: Store) -> Iterator[StoreProblem]:
    """Everything that is wrong with a store, as it is found; nothing of it is changed."""
    for (verdict,) in store.rows("PRAGMA integrity_check"):
        if verdict != "ok":
            yield StoreProblem("file", str(verdict))
    for table, row, parent, _ in store.rows("PRAGMA foreign_key_check"):
        yield StoreProblem("file", f"row {row} of {table} belongs to a row of {parent} that is not there")
    for subject, look in _PARTS.items():
        try:
            yield from look(store)
        except _UNREADABLE:
            yield StoreProblem(subject, "a row cannot be read, and those after it were not looked at")


def _keys(store: Store) -> Iterator[StoreProblem]:
    after = 0
    columns = ", ".join(KeyRow._fields)
    while rows := store.rows(
        f"SELECT {columns} FROM keys WHERE row > ? ORDER BY row LIMIT ?", (after, _PAGE)
    ):
        for row in rows:
            key = KeyRow._make(row)
            for sentence in (*_of_key(store, key), *_of_materials(store, key)):
                yield StoreProblem(_place(key), sentence)
        after = rows[-1][0]


def _place(key: KeyRow) -> str:
    return f"{key.account}/{key.region}/{key.key_id}"


def _of_key(store: Store, key: KeyRow) -> Iterator[str]:
    if not is_key_id(key.key_id):
        yield "its key id is none"
    spec = KEY_SPECS.get(key.spec)
    if spec is None:
        yield f"there is no key spec {key.spec}"
    elif key.usage not in spec.usages:
        yield f"a key of spec {key.spec} has no usage {key.usage}"
    for value, values in ((key.origin, KeyOrigin), (key.manager, KeyManager), (key.state, KeyState)):
        if value not in list(values):
            yield f"{value} is no {values.__name__}"
    for column in _TIMES:
        if not _is_time(getattr(key, column)):
            yield f"its {column} is no time"
    if key.due_at != key.next_due():
        yield "what is due for it next was not noted"
    if (key.state in _DELETION) != (key.pending_window is not None):
        yield "its state and its waiting period before deletion do not go together"
    policy = store.one(
        "SELECT text FROM policies WHERE key = ? AND name = 'default' ORDER BY version DESC LIMIT 1",
        (key.row,),
    )
    if policy is None:
        yield "it has no key policy"
    elif not parse(policy[0]).is_valid:
        yield "its key policy cannot be read"


def _is_time(millis: int | None) -> bool:
    try:
        return millis is None or bool(to_datetime(millis))
    except StoreError:
        return False


def _of_materials(store: Store, key: KeyRow) -> Iterator[str]:
    materials = materials_of(store, key)
    current = [material for material in materials if material.state == "CURRENT"]
    if len(current) != 1 and (materials or key.origin != KeyOrigin.EXTERNAL):
        yield f"it has {len(current)} current key materials"
    awaited = key.state not in (*_DELETION, KeyState.PENDING_IMPORT, KeyState.CREATING, KeyState.UPDATING)
    if awaited and not has_all_material(store, key):
        yield f"key material is missing, yet it is {key.state}"
    for material in materials:
        for sentence in _of_material(store, key, material):
            yield f"key material {material.material_id}: {sentence}"


def _of_material(store: Store, key: KeyRow, material: MaterialRow) -> Iterator[str]:
    imported = key.origin == KeyOrigin.EXTERNAL
    if material.state not in _MATERIAL_STATES:
        yield f"there is no state {material.state}"
    if (material.import_state is not None) != imported:
        yield "its import state and the key's origin do not go together"
    present = material.wrapped is not None
    if present != (material.import_state == "IMPORTED" if imported else True):
        yield "it is missing" if not present else "it is there, yet not imported"
    if material.wrapped is None:
        return
    try:
        secret = store.root_key.unwrap(key.key_id, material.material_id, material.wrapped)
        _use(load_material(key.spec, secret))
    except StoreError:
        yield "it does not unwrap: it was changed, or is of another store"
    except (ValueError, KeyError):
        yield f"it is none of key spec {key.spec}"


def _use(loaded: LoadedMaterial) -> None:
    """Loading has checked the rest; an HMAC key may be any bytes, but not none."""
    if loaded == b"":
        raise ValueError("no key material")


def _regions(store: Store) -> Iterator[StoreProblem]:
    """Check that related keys agree in what they share."""
    shared = ", ".join(f"count(DISTINCT ifnull({column}, ''))" for column in _SHARED)
    for account, key_id, primaries, *counts in store.rows(
        f"SELECT account, key_id, sum(primary_region = region), {shared} FROM keys WHERE multi_region = 1 "
        "GROUP BY account, key_id"
    ):
        place = f"{account}/*/{key_id}"
        if primaries != 1:
            yield StoreProblem(place, f"the multi-Region key has {primaries} primary keys")
        for column, count in zip(_SHARED, counts, strict=True):
            if count != 1:
                yield StoreProblem(place, f"its related keys differ in {column}")
    materials: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for account, key_id, region, material_id in store.rows(
        "SELECT account, key_id, region, material_id FROM keys JOIN materials ON materials.key = keys.row "
        "WHERE multi_region = 1"
    ):
        materials[f"{account}/*/{key_id}"][region].add(material_id)
    for place, by_region in materials.items():
        if len({frozenset(ids) for ids in by_region.values()}) != 1:
            yield StoreProblem(place, "its related keys differ in their key material")


def _names(store: Store) -> Iterator[StoreProblem]:
    for account, region, name in store.rows(
        "SELECT aliases.account, aliases.region, aliases.name FROM aliases "
        "JOIN keys ON keys.row = aliases.key "
        "WHERE (keys.account, keys.region) <> (aliases.account, aliases.region)"
    ):
        yield StoreProblem(
            f"{account}/{region}/{name}", "the alias is of another account or Region than its key"
        )


def _grants(store: Store) -> Iterator[StoreProblem]:
    for grant_id, operations, constraints in store.rows(
        "SELECT grant_id, operations, constraints FROM grants"
    ):
        try:
            sound = isinstance(json.loads(operations), list) and isinstance(json.loads(constraints), dict)
        except (ValueError, RecursionError):
            sound = False
        if not sound:
            yield StoreProblem(f"grant {grant_id}", "its operations or constraints cannot be read")


def _key_stores(store: Store) -> Iterator[StoreProblem]:
    for account, region, key_id, store_id, available, state in store.rows(
        "SELECT keys.account, keys.region, key_id, custom_key_store_id, available, connection_state "
        "FROM keys LEFT JOIN custom_key_stores ON store_id = custom_key_store_id "
        "WHERE custom_key_store_id IS NOT NULL ORDER BY keys.row"
    ):
        place = f"{account}/{region}/{key_id}"
        if state is None:
            yield StoreProblem(place, f"its custom key store {store_id} is not there")
        elif bool(available) != (state == "CONNECTED"):
            yield StoreProblem(place, f"its custom key store is {state}, and it does not know")


def _account_policies(store: Store) -> Iterator[StoreProblem]:
    """Check the rows as a file that holds them all, and that each is what its place says."""
    try:
        rows = account_rows(store)
    except StoreError as error:
        yield StoreProblem(_ACCOUNT, str(error))
        return
    if not rows:
        return
    sound, faults = rows_and_faults([NamedFile(_ACCOUNT, file_of(rows))])
    for fault in faults:
        yield StoreProblem(_ACCOUNT, fault.removeprefix(f"{_ACCOUNT}: "))
    places = {row[:3] for row in sound}
    for row in rows:
        if not faults and row[:3] not in places:
            yield StoreProblem(_ACCOUNT, f"the {row.kind} {row.name} is kept under another name or account")


_ACCOUNT = "account policies"
_PARTS: Mapping[str, Callable[[Store], Iterator[StoreProblem]]] = {
    "keys": _keys,
    "multi-Region keys": _regions,
    "aliases": _names,
    "grants": _grants,
    "custom key stores": _key_stores,
    _ACCOUNT: _account_policies,
}
"""Part of the store -> its check."""
