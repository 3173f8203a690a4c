"""Writes the keys of a store, and its account policies, as a seed, which makes the same of an empty store.

Without key material it holds no secret: the store that it fills makes other keys under the same ids. With it,
whoever has the file has the keys, and so their material is written as fixed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC
from typing import Any, NamedTuple

import yaml
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from kms_tui.backend.local.account_policies.account_rows import MEMBERS, file_of
from kms_tui.backend.local.authorization.stored_grants import GrantRow, select_grants
from kms_tui.backend.local.default_store import DEFAULT_ACCOUNT, DEFAULT_REGION
from kms_tui.backend.local.keys.aws_managed_keys import ALIASES as AWS_MANAGED_ALIASES
from kms_tui.backend.local.store.key_material import SECRET_SIZES
from kms_tui.backend.local.store.key_rows import KeyRow, policy_of, related_keys
from kms_tui.backend.local.store.sources import to_datetime
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.backend.local.store.stored_account import account_rows
from kms_tui.backend.local.store.stored_material import MaterialRow, materials_of
from kms_tui.kms.arn import AWS_ALIAS_PREFIX, partition_of, short_alias
from kms_tui.kms.keyspecs import KEY_SPECS, SYMMETRIC_DEFAULT
from kms_tui.kms.model import KeyManager, KeyOrigin, KeyState
from kms_tui.policy import default_policy
from kms_tui.policy.grant_statements import EQUALS, SOURCE_ARN, SUBSET
from kms_tui.seed.seed_model import DELETED

_TRANSIENT = (KeyState.CREATING, KeyState.UPDATING)
_IN_A_SEED = (KeyOrigin.AWS_KMS, KeyOrigin.EXTERNAL)


class Exported(NamedTuple):
    """The members of a seed, and a sentence for each thing in the store that no seed has."""

    members: Mapping[str, Any]
    left_out: tuple[str, ...]


def export_seed(store: Store, *, with_material: bool = False) -> Exported:
    """The store as a seed; with ``with_material`` it holds secrets. Raises StoreError."""
    columns = ", ".join(KeyRow._fields)
    rows = [KeyRow._make(row) for row in store.rows(f"SELECT {columns} FROM keys ORDER BY row")]
    account = rows[0].account if rows else DEFAULT_ACCOUNT
    region = rows[0].region if rows else DEFAULT_REGION
    writer = _KeyWriter(store, account, region, with_material)
    keys = [writer.key(row) for row in rows if not row.is_replica and row.origin in _IN_A_SEED]
    members: dict[str, Any] = {"version": 1, "account": account, "region": region, "keys": keys}
    policies = file_of(account_rows(store))
    if policies:
        members["account_policies"] = [
            {name: policies[name] for name in MEMBERS.values() if name in policies}
        ]
    left_out = [
        f"The key {row.key_id} of account {row.account} in {row.region} is left out: it is of a custom key "
        "store."
        for row in rows
        if row.origin not in _IN_A_SEED
    ]
    return Exported(members, (*left_out, *writer.left_out))


class _KeyWriter:
    """Writes keys; ``account`` and ``region`` are those of the seed, which no key repeats."""

    def __init__(self, store: Store, account: str, region: str, with_material: bool) -> None:
        self._store = store
        self._account = account
        self._region = region
        self._with_material = with_material
        self.left_out: list[str] = []

    def key(self, row: KeyRow) -> dict[str, Any]:
        place = {
            "id": row.key_id,
            "account": row.account if row.account != self._account else None,
            "region": row.region if row.region != self._region else None,
        }
        materials = self._materials(row)
        if row.manager == KeyManager.AWS:
            if select_grants(self._store, "key = ?", (row.row,)):
                self.left_out.append(f"The grants of {self._name(row)}, an AWS managed key, are left out.")
            found = {**place, "aws_managed": self._service(row), "created_at": _moment(row.created_at)}
            return _without_none({**found, "materials": materials if self._with_material else None})
        replicas = [each for each in related_keys(self._store, row) if each.row != row.row]
        rotation = {"period": row.rotation_period, "next_at": _moment(row.next_rotation_at)}
        return _without_none(
            {
                **place,
                "spec": row.spec if row.spec != SYMMETRIC_DEFAULT else None,
                "usage": row.usage if len(KEY_SPECS[row.spec].usages) > 1 else None,
                "origin": row.origin if row.origin != KeyOrigin.AWS_KMS else None,
                **self._in_region(row),
                "rotation": rotation if row.rotation_period is not None else None,
                "materials": materials or None,
                "replicas": [{"region": each.region, **self._in_region(each)} for each in replicas] or None,
            }
        )

    def _name(self, row: KeyRow) -> str:
        return f"{row.key_id} of account {row.account} in {row.region}"

    def _service(self, row: KeyRow) -> str:
        names = [name for name in self._aliases(row) if name in AWS_MANAGED_ALIASES]
        return names[0].removeprefix(AWS_ALIAS_PREFIX) if names else ""

    def _in_region(self, row: KeyRow) -> dict[str, Any]:
        state = KeyState(row.settles_to if row.state in _TRANSIENT and row.settles_to else row.state)
        tags = self._store.rows("SELECT tag_key, tag_value FROM tags WHERE key = ? ORDER BY row", (row.row,))
        waits = row.origin == KeyOrigin.EXTERNAL and not materials_of(self._store, row)
        usual = KeyState.PENDING_IMPORT if waits else KeyState.ENABLED
        return _without_none(
            {
                "created_at": _moment(row.created_at),
                "description": row.description or None,
                "aliases": [short_alias(name) for name in self._aliases(row)] or None,
                "tags": dict(tags) or None,
                "state": str(state) if state is not usual else None,
                "deletion_window": row.pending_window if state in DELETED else None,
                "deletion_date": _moment(row.deletion_at) if state is KeyState.PENDING_DELETION else None,
                "policy": self._policy(row),
                "grants": [_grant(each) for each in select_grants(self._store, "key = ?", (row.row,))]
                or None,
            }
        )

    def _aliases(self, row: KeyRow) -> list[str]:
        found = self._store.rows("SELECT name FROM aliases WHERE key = ? ORDER BY name", (row.row,))
        return [name for (name,) in found]

    def _policy(self, row: KeyRow) -> object:
        """None for KMS's default policy; an object where that is written as the very same text."""
        text = policy_of(self._store, row)
        if text == default_policy(row.account, partition_of(row.region) or "aws"):
            return None
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return text
        return found if json.dumps(found, indent=2) == text else text

    def _materials(self, row: KeyRow) -> list[dict[str, Any]]:
        """The key materials; none where there is nothing to say of the only one."""
        found = [self._material(row, each) for each in materials_of(self._store, row)]
        if row.origin != KeyOrigin.EXTERNAL and found == [{}]:
            return []
        return found

    def _material(self, row: KeyRow, material: MaterialRow) -> dict[str, Any]:
        external = row.origin == KeyOrigin.EXTERNAL
        members: dict[str, Any] = {
            "rotation": material.rotation_type,
            "rotated_at": _moment(material.rotated_at),
            "description": material.description,
            "valid_to": _moment(material.valid_to),
        }
        if self._with_material:
            members = {
                "id": None if external else material.material_id,
                "fixed": self._fixed(row, material),
                **members,
            }
        return _without_none(members)

    def _fixed(self, row: KeyRow, material: MaterialRow) -> dict[str, str] | None:
        if material.wrapped is None:
            self.left_out.append(
                f"Key material of {self._name(row)} is not in the store; another is made in its place."
            )
            return None
        secret = self._store.root_key.unwrap(row.key_id, material.material_id, material.wrapped)
        if row.spec in SECRET_SIZES:
            return {"hex": secret.hex()}
        private_key = load_der_private_key(secret, None, unsafe_skip_rsa_key_validation=True)
        return {
            "pem": private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(
                "ascii"
            )
        }


def _grant(row: GrantRow) -> dict[str, Any]:
    limits = row.limits
    return _without_none(
        {
            "id": row.grant_id,
            "name": row.name or None,
            "grantee_principal": row.grantee or None,
            "retiring_principal": row.retiring or None,
            "grantee_service_principal": row.grantee_service or None,
            "retiring_service_principal": row.retiring_service or None,
            "operations": row.permits,
            "encryption_context_equals": limits.get(EQUALS),
            "encryption_context_subset": limits.get(SUBSET),
            "source_arn": limits.get(SOURCE_ARN),
            "created_at": _moment(row.created_at),
        }
    )


def _without_none(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _moment(millis: int | None) -> str | None:
    if millis is None:
        return None
    written = to_datetime(millis).astimezone(UTC).isoformat(timespec="milliseconds")
    return written.removesuffix("+00:00").removesuffix(".000") + "Z"


# Text


def seed_json(members: Mapping[str, Any]) -> str:
    return json.dumps(members, indent=2) + "\n"


def seed_yaml(members: Mapping[str, Any]) -> str:
    """The members as YAML in ASCII, texts of several lines as such."""
    return yaml.dump(dict(members), Dumper=_Dumper, sort_keys=False, width=110)


class _Dumper(yaml.SafeDumper):
    """Writes no aliases, and texts of several lines in block form."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
