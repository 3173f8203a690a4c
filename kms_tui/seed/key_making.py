"""Makes the keys of a seed in an empty store, one after another, each by the calls that a client would make.

Three things have no call: imported material arrives unwrapped, an automatic rotation of the past happens as
when it falls due, and the next one may be given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from kms_tui.backend.local import LocalBackend
from kms_tui.backend.local.importing.import_operations import put_material
from kms_tui.backend.local.keys.aws_managed_keys import ROTATION_PERIOD
from kms_tui.backend.local.keys.due_transitions import apply_due_transitions
from kms_tui.backend.local.keys.key_rotation import rotate
from kms_tui.backend.local.store.key_material import generate_material
from kms_tui.backend.local.store.key_rows import KeyRow, key_by_id, related_keys, update_key
from kms_tui.backend.local.store.sources import DAY, to_datetime
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.backend.local.store.stored_material import current_material
from kms_tui.kms.arn import AWS_ALIAS_PREFIX
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.model import KeyOrigin, KeyState
from kms_tui.seed.seed_model import DELETED, KeyInRegion, SeedGrant, SeedKey, SeedMaterial
from kms_tui.seed.seed_sources import SeedSources

_LONGEST_VALIDITY = 365 * DAY
_SHORTEST_WINDOW, _LONGEST_WINDOW = 7, 30
_AUTOMATIC = "AUTOMATIC"


class _RefusedError(Exception):
    """What no call refuses, and cannot be: the rest of a sentence that begins with the place."""


class SeedMaker:
    """Makes keys in an empty store, and keeps a sentence for each step that KMS refuses."""

    def __init__(self, store: Store, sources: SeedSources) -> None:
        self.store = store
        self.sources = sources
        self.present = sources.now
        self.problems: list[str] = []
        self._fixed: set[str] = set()
        self._backends: dict[tuple[str, str], LocalBackend] = {}

    def make(self, key: SeedKey) -> None:
        with self.noting(key.place):
            _KeyMaker(self, key).make()

    def finish(self) -> None:
        """Let happen what is due by now, and mark the fixed material."""
        self.at(self.present)
        rows = self.store.rows("SELECT row, material_id FROM materials")
        with self.store.write() as db:
            db.executemany(
                "UPDATE materials SET fixed = 1 WHERE row = ?",
                [(row,) for row, material_id in rows if material_id in self._fixed],
            )

    @contextmanager
    def noting(self, place: str) -> Iterator[None]:
        """A step whose refusal ends no other."""
        try:
            yield
        except ServiceError as error:
            what = f" {error.operation}" if error.operation else ""
            self.problems.append(f"{place}: KMS refuses{what}: {str(error).rstrip('.')}.")
        except _RefusedError as error:
            self.problems.append(f"{place} {error}.")

    def at(self, moment: int) -> None:
        """Go to a moment, and let what is due by then happen, without anything of the seed."""
        self.sources.forget()
        self.sources.now = moment
        apply_due_transitions(self.store, moment)

    def backend(self, account: str, region: str) -> LocalBackend:
        found = self._backends.get((account, region))
        if found is None:
            found = LocalBackend(self.store, account_id=account, region=region)
            self._backends[account, region] = found
        return found

    def note_fixed(self, material_id: str) -> None:
        self._fixed.add(material_id)


class _KeyMaker:
    """Makes one key: with its primary first, then its replicas, then what their materials and states are."""

    def __init__(self, maker: SeedMaker, key: SeedKey) -> None:
        self._maker = maker
        self._key = key
        self._key_id = ""

    def make(self) -> None:
        key, maker = self._key, self._maker
        self._create()
        imported = key.materials if key.origin is KeyOrigin.EXTERNAL else ()
        secrets = [generate_material(key.spec) if each.fixed is None else each.fixed for each in imported]
        for material, secret in zip(imported[:1], secrets, strict=False):
            with maker.noting(material.place):
                self._import(key.primary, material, secret)  # KMS replicates no key without material
        for part in key.replicas:
            with maker.noting(part.place):
                self._replicate(part)
                for material, secret in zip(imported[:1], secrets, strict=False):
                    self._import(part, material, secret)
        for material, secret in zip(imported[1:], secrets[1:], strict=True):
            with maker.noting(material.place):
                for part in key.in_regions:
                    self._import(part, material, secret)
                if material.rotation:
                    maker.at(self._rotated(material))
                    self._call(key.primary, "RotateKeyOnDemand", {"KeyId": self._key_id})
        for part in key.in_regions:
            with maker.noting(part.place):
                self._name(part)
            for grant in part.grants:
                with maker.noting(grant.place):
                    self._grant(part, grant)
        if key.origin is not KeyOrigin.EXTERNAL:
            if key.aws_managed and len(key.materials) > 1:
                last = key.materials[-1].rotated_at
                self._set_next_rotation((maker.present if last is None else last) + ROTATION_PERIOD * DAY)
            for material in key.materials[1:]:
                with maker.noting(material.place or key.place):
                    self._rotate(material)
        self._schedule_rotation()
        for part in key.in_regions:
            with maker.noting(part.place):
                self._bring_into_state(part)
        if key.rotation is not None and key.rotation.next_at is not None:
            self._set_next_rotation(key.rotation.next_at)

    def _call(self, part: KeyInRegion, operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
        return self._maker.backend(self._key.account, part.region).call(operation, params)

    def _row(self, part: KeyInRegion) -> KeyRow:
        found = key_by_id(self._maker.store, self._key.account, part.region, self._key_id)
        if found is None:
            raise _RefusedError("could not be made")
        return found

    def _created(self, part: KeyInRegion) -> int:
        """When the key is made in a Region."""
        moment = part.created_at
        if moment is not None and moment > self._maker.present:
            raise _RefusedError("has a created_at in the future")
        return self._maker.present if moment is None else moment

    # Keys

    def _create(self) -> None:
        key, part = self._key, self._key.primary
        self._maker.at(self._created(part))
        self._maker.sources.for_key(key)
        if key.aws_managed:
            answer = self._call(part, "DescribeKey", {"KeyId": AWS_ALIAS_PREFIX + key.aws_managed})
        else:
            params = {
                "KeySpec": key.spec,
                "KeyUsage": key.usage,
                "Origin": str(key.origin),
                "MultiRegion": key.multi_region,
                **_properties(part),
            }
            answer = self._call(part, "CreateKey", params)
        self._maker.sources.forget()
        self._key_id = answer["KeyMetadata"]["KeyId"]
        if key.origin is not KeyOrigin.EXTERNAL and key.materials:
            self._note_fixed(key.materials[0])

    def _replicate(self, part: KeyInRegion) -> None:
        self._maker.at(self._created(part))
        params = {"KeyId": self._key_id, "ReplicaRegion": part.region, **_properties(part)}
        self._call(self._key.primary, "ReplicateKey", params)
        self._maker.at(self._maker.sources.now)  # the replica is made

    def _name(self, part: KeyInRegion) -> None:
        self._maker.at(self._created(part))
        for alias in part.aliases:
            self._call(part, "CreateAlias", {"AliasName": alias, "TargetKeyId": self._key_id})

    def _grant(self, part: KeyInRegion, grant: SeedGrant) -> None:
        moment = self._created(part) if grant.created_at is None else grant.created_at
        if moment > self._maker.present:
            raise _RefusedError("has a created_at in the future")
        self._maker.at(moment)
        self._maker.sources.for_grant(grant.grant_id)
        self._call(part, "CreateGrant", {"KeyId": self._key_id, **_terms(grant)})

    # Key material

    def _note_fixed(self, material: SeedMaterial) -> None:
        if material.fixed is not None:
            row = current_material(self._maker.store, self._row(self._key.primary))
            if row is not None:
                self._maker.note_fixed(row.material_id)

    def _rotate(self, material: SeedMaterial) -> None:
        """Rotate to a material, which the key's source then hands out."""
        key, maker, moment = self._key, self._maker, self._rotated(material)
        maker.at(moment)
        maker.sources.for_rotation(key, material)
        if material.rotation == _AUTOMATIC or key.aws_managed:
            with maker.store.write() as db:
                rotate(maker.store, db, self._row(key.primary), moment, _AUTOMATIC)
        else:
            self._call(key.primary, "RotateKeyOnDemand", {"KeyId": self._key_id})
        maker.sources.forget()
        self._note_fixed(material)

    def _rotated(self, material: SeedMaterial) -> int:
        moment = self._created(self._key.primary) if material.rotated_at is None else material.rotated_at
        if moment > self._maker.present:
            raise _RefusedError("has a rotated_at in the future")
        return moment

    def _import(self, part: KeyInRegion, material: SeedMaterial, secret: bytes) -> None:
        key, moment = self._key, self._created(part)
        params: dict[str, Any] = {"KeyId": self._key_id, "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
        if material.valid_to is not None:
            params |= {"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": to_datetime(material.valid_to)}
            moment = max(moment, material.valid_to - _LONGEST_VALIDITY)
            if moment > self._maker.present:
                raise _RefusedError("has a valid_to more than 365 days ahead")
        if material.description:
            params["KeyMaterialDescription"] = material.description
        if material is not key.materials[0] and part is key.primary:
            params["ImportType"] = "NEW_KEY_MATERIAL"
        self._maker.at(moment)
        call = self._maker.backend(key.account, part.region).begin("ImportKeyMaterial")
        call.params = params
        try:
            material_id = put_material(call, secret)["KeyMaterialId"]
        except ServiceError as error:
            error.operation = call.operation
            raise
        if material.fixed is not None:
            self._maker.note_fixed(material_id)

    def _schedule_rotation(self) -> None:
        key = self._key
        if key.rotation is not None:
            self._maker.at(self._created(key.primary))
            params = {"KeyId": self._key_id, "RotationPeriodInDays": key.rotation.period}
            self._call(key.primary, "EnableKeyRotation", params)
            if key.rotation.next_at is not None:
                # A rotation that was missed while the key was disabled does not happen before it is deleted.
                self._set_next_rotation(self._maker.present + DAY)

    def _set_next_rotation(self, moment: int) -> None:
        store = self._maker.store
        with store.write() as db:
            for row in related_keys(store, self._row(self._key.primary)):
                update_key(db, row, next_rotation_at=moment)

    # States

    def _bring_into_state(self, part: KeyInRegion) -> None:
        state = part.state
        if state is KeyState.DISABLED:
            self._maker.at(self._created(part))
            self._call(part, "DisableKey", {"KeyId": self._key_id})
        elif state is KeyState.PENDING_IMPORT and self._key.materials:
            self._maker.at(self._maker.present)
            self._call(part, "DeleteImportedKeyMaterial", {"KeyId": self._key_id})
        elif state in DELETED:
            window, moment = self._scheduled(part)
            self._maker.at(moment)
            params = {"KeyId": self._key_id, "PendingWindowInDays": window}
            self._call(part, "ScheduleKeyDeletion", params)

    def _scheduled(self, part: KeyInRegion) -> tuple[int, int]:
        """The waiting period, and the moment at which it begins: so that it ends when the seed says, if it
        does.
        """
        present, date = self._maker.present, part.deletion_date
        if date is None:
            return part.deletion_window or _LONGEST_WINDOW, present
        if date <= present:
            raise _RefusedError("has a deletion_date in the past: the key would be gone")
        needed = max(_SHORTEST_WINDOW, -((present - date) // DAY))
        window = part.deletion_window or needed
        if needed > window:
            raise _RefusedError(f"has a deletion_date more than {window} days ahead")
        return window, date - window * DAY


def _properties(part: KeyInRegion) -> dict[str, Any]:
    """What CreateKey and ReplicateKey take alike."""
    params: dict[str, Any] = {"Description": part.description}
    if part.tags:
        params["Tags"] = [{"TagKey": name, "TagValue": value} for name, value in part.tags]
    if part.policy is not None:
        params |= {"Policy": part.policy, "BypassPolicyLockoutSafetyCheck": True}
    return params


def _terms(grant: SeedGrant) -> dict[str, Any]:
    constraints = {
        "EncryptionContextEquals": dict(grant.encryption_context_equals),
        "EncryptionContextSubset": dict(grant.encryption_context_subset),
        "SourceArn": grant.source_arn,
    }
    params: dict[str, Any] = {
        "Operations": list(grant.operations),
        "Name": grant.name,
        "GranteePrincipal": grant.grantee_principal,
        "RetiringPrincipal": grant.retiring_principal,
        "GranteeServicePrincipal": grant.grantee_service_principal,
        "RetiringServicePrincipal": grant.retiring_service_principal,
        "Constraints": {name: value for name, value in constraints.items() if value},
    }
    return {name: value for name, value in params.items() if value}
