"""Reads the keys of a seed: what each of their members means, and whether they go together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from kms_tui.backend.local.keys.aws_managed_keys import ALIASES as AWS_MANAGED_ALIASES
from kms_tui.kms.arn import ALIAS_PREFIX, AWS_ALIAS_PREFIX
from kms_tui.kms.keyspecs import KEY_SPECS, SYMMETRIC_DEFAULT
from kms_tui.kms.model import KeyOrigin, KeyState, KeyUsage
from kms_tui.kms.operations import grant_operations
from kms_tui.policy import parse
from kms_tui.seed.fixed_material import MaterialError, given_bytes, material_of
from kms_tui.seed.seed_document import MemberPath, alike
from kms_tui.seed.seed_members import MemberReader, Members
from kms_tui.seed.seed_model import DELETED, KeyInRegion, SeedGrant, SeedKey, SeedMaterial, SeedRotation

MULTI_REGION_PREFIX = "mrk-"
_OF_AWS_MANAGED = frozenset(
    {"aws_managed", "id", "account", "region", "created_at", "fixed_material", "materials"}
)


def read_keys(reader: MemberReader) -> tuple[SeedKey, ...]:
    """The keys; what is wrong is left with the reader."""
    keys = tuple(
        _KeyReader(reader, members, ("keys", number)).key()
        for number, members in enumerate(reader.document.data.get("keys", ()))
    )
    for problem in _twins(keys):
        reader.problems.append(problem)
    return keys


def _twins(keys: tuple[SeedKey, ...]) -> Iterator[str]:
    """What two parts have, and only one can have: ids, aliases, grant ids."""
    taken: dict[tuple[str, ...], str] = {}
    for key in keys:
        claims: list[tuple[tuple[str, ...], str, str]] = []
        if key.key_id:
            claims.append((("id", key.account, key.key_id), key.place, f"the id {key.key_id}"))
        for part in key.in_regions:
            names = list(part.aliases)
            if key.aws_managed:
                names.append(AWS_ALIAS_PREFIX + key.aws_managed)
            claims += [
                (("alias", key.account, part.region, each), part.place, f"the alias {each}") for each in names
            ]
            claims += [
                (("grant", each.grant_id), each.place, f"the grant id {each.grant_id}")
                for each in part.grants
                if each.grant_id
            ]
        for claim, place, what in claims:
            if claim in taken:
                yield f"{place} has {what}, which is that of {_member(taken[claim])}."
            taken.setdefault(claim, place)


def _member(place: str) -> str:
    """The member of a place, without its file and line."""
    return place.rpartition(": ")[2]


class _KeyReader:
    """Reads one key."""

    def __init__(self, reader: MemberReader, members: Members, path: MemberPath) -> None:
        self._reader = reader
        self._members = members
        self._path = path
        self._account = reader.account_in(members) or reader.account
        self._spec: str = members.get("spec", SYMMETRIC_DEFAULT)
        self._origin = KeyOrigin(members.get("origin", KeyOrigin.AWS_KMS))

    def _problem(self, sentence: str, *names: str | int) -> None:
        self._reader.problem((*self._path, *names), sentence)

    def key(self) -> SeedKey:
        members, reader = self._members, self._reader
        usage = self._usage()
        region = members.get("region", reader.region)
        if "aws_managed" in members:
            self._judge_aws_managed(members["aws_managed"])
        return SeedKey(
            account=self._account,
            primary=self._in_region(members, self._path, region, usage),
            spec=self._spec,
            usage=usage,
            key_id=members.get("id", ""),
            origin=self._origin,
            multi_region=self._is_multi_region(),
            aws_managed=members.get("aws_managed", ""),
            replicas=self._replicas(region, usage),
            materials=self._materials(),
            rotation=self._rotation(),
            place=reader.place(self._path),
        )

    def _usage(self) -> str:
        """The usage: the given one, or the only one of the key spec."""
        usages = KEY_SPECS[self._spec].usages
        given = self._members.get("usage")
        if given is None:
            if len(usages) > 1:
                self._problem(f"lacks the member usage: a key of {self._spec} has one of {_listed(usages)}")
            return str(usages[0])
        if given not in usages:
            self._problem(f"is {given}, and a key of {self._spec} has {_listed(usages)}", "usage")
            return str(usages[0])
        return str(KeyUsage(given))

    def _judge_aws_managed(self, service: str) -> None:
        known = [alias.removeprefix(AWS_ALIAS_PREFIX) for alias in AWS_MANAGED_ALIASES]
        if service not in known:
            meant = alike(service, known)
            self._problem(f"is {service}, which has no AWS managed key here{meant}", "aws_managed")
        for name in self._members:
            if name not in _OF_AWS_MANAGED:
                self._problem("is not for an AWS managed key, which is as AWS makes it", name)

    def _is_multi_region(self) -> bool:
        members = self._members
        named = members.get("id", "").startswith(MULTI_REGION_PREFIX)
        wanted: bool = members.get("multi_region", named or bool(members.get("replicas")))
        if "id" in members and named != wanted:
            has = (
                "a multi-Region key has one that begins with mrk-"
                if wanted
                else "mrk- is of multi-Region keys"
            )
            self._problem(f"is {members['id']}, and {has}", "id")
        if members.get("replicas") and not wanted:
            self._problem("are of a key that says multi_region: false", "replicas")
        return wanted

    def _replicas(self, region: str, usage: str) -> tuple[KeyInRegion, ...]:
        seen = Counter([region])
        found = []
        for number, given in enumerate(self._members.get("replicas", ())):
            members = {"region": given} if isinstance(given, str) else given
            path = (*self._path, "replicas", number)
            seen[members["region"]] += 1
            if seen[members["region"]] > 1:
                self._reader.problem(path, f"is in {members['region']}, where the key has another already")
            found.append(self._in_region(members, path, members["region"], usage))
        return tuple(found)

    def _in_region(self, members: Members, path: MemberPath, region: str, usage: str) -> KeyInRegion:
        reader = self._reader
        partition = reader.partition(region, (*path, "region"))
        return KeyInRegion(
            region=region,
            created_at=reader.moment(members, "created_at", path),
            description=members.get("description", ""),
            policy=self._policy(members, path, partition),
            tags=reader.pairs(members, "tags"),
            aliases=self._aliases(members, path),
            grants=tuple(
                self._grant(each, (*path, "grants", number), usage)
                for number, each in enumerate(members.get("grants", ()))
            ),
            state=self._state(members, path),
            deletion_window=members.get("deletion_window"),
            deletion_date=reader.moment(members, "deletion_date", path),
            place=reader.place(path),
        )

    def _policy(self, members: Members, path: MemberPath, partition: str) -> str | None:
        if "policy" not in members:
            return None
        value, path = members["policy"], (*path, "policy")
        text = self._reader.policy_text(value, path)
        if text is not None:
            self._reader.judge_policy(value, path, parse(text, partition=partition))
        return text

    def _aliases(self, members: Members, path: MemberPath) -> tuple[str, ...]:
        given = members.get("aliases", ())
        names = [given] if isinstance(given, str) else given
        full = tuple(name if name.startswith(ALIAS_PREFIX) else ALIAS_PREFIX + name for name in names)
        for name in full:
            if name.startswith(AWS_ALIAS_PREFIX):
                self._reader.problem(
                    (*path, "aliases"),
                    f"has {name}, which AWS keeps to itself: write aws_managed for its key",
                )
        return full

    def _state(self, members: Members, path: MemberPath) -> KeyState:
        waits = self._origin is KeyOrigin.EXTERNAL and not self._has_material()
        state = KeyState(members.get("state", KeyState.PENDING_IMPORT if waits else KeyState.ENABLED))
        if state is KeyState.PENDING_IMPORT and self._origin is not KeyOrigin.EXTERNAL:
            self._reader.problem(
                (*path, "state"), f"is {state}, which only a key of origin EXTERNAL can be in"
            )
        has_replicas = bool(members.get("replicas"))
        if state in DELETED and has_replicas is not (state is KeyState.PENDING_REPLICA_DELETION):
            waits_as = KeyState.PENDING_REPLICA_DELETION if has_replicas else KeyState.PENDING_DELETION
            whose = "with" if has_replicas else "without"
            self._reader.problem((*path, "state"), f"is {state}, and a key {whose} replicas is {waits_as}")
        if state is KeyState.PENDING_REPLICA_DELETION and "deletion_date" in members:
            self._reader.problem((*path, "deletion_date"), "is not known before the last replica is deleted")
        if state not in DELETED:
            for name in ("deletion_window", "deletion_date"):
                if name in members:
                    self._reader.problem(
                        (*path, name), f"is of a key whose state is {state}, and no deletion state"
                    )
        return state

    def _has_material(self) -> bool:
        return "materials" in self._members or "fixed_material" in self._members

    def _grant(self, members: Members, path: MemberPath, usage: str) -> SeedGrant:
        reader = self._reader
        possible = grant_operations(self._spec, usage)
        for number, operation in enumerate(members["operations"]):
            if operation not in possible:
                meant = alike(operation, possible)
                reader.problem(
                    (*path, "operations", number),
                    f"is {operation}, which no grant on a key of {self._spec} for {usage} allows{meant}",
                )
        return SeedGrant(
            operations=tuple(members["operations"]),
            grant_id=members.get("id", ""),
            **{name: members.get(name, "") for name in _GRANT_TEXTS},
            encryption_context_equals=reader.pairs(members, "encryption_context_equals"),
            encryption_context_subset=reader.pairs(members, "encryption_context_subset"),
            created_at=reader.moment(members, "created_at", path),
            place=reader.place(path),
        )

    def _materials(self) -> tuple[SeedMaterial, ...]:
        members = self._members
        if "fixed_material" in members and "materials" in members:
            self._problem("is there beside materials: one of them says all", "fixed_material")
        if "fixed_material" in members:
            path = (*self._path, "fixed_material")
            found = [
                SeedMaterial(self._fixed(members["fixed_material"], path), place=self._reader.place(path))
            ]
        else:
            found = [
                self._material(each, number, (*self._path, "materials", number))
                for number, each in enumerate(members.get("materials", ()))
            ]
        self._require_distinct(found)
        rotations = members.get("rotation", {}).get("on_demand", 0)
        if rotations and len(found) > 1:
            self._problem(
                "is there beside several materials, which say when they came", "rotation", "on_demand"
            )
            return tuple(found)
        if rotations and not found:
            found.append(SeedMaterial(place=self._reader.place(self._path)))
        return (*found, *(SeedMaterial(rotation="ON_DEMAND") for _ in range(rotations)))

    def _require_distinct(self, materials: Sequence[SeedMaterial]) -> None:
        """A key is rotated to other bytes each time, which have another id."""
        seen: dict[object, int] = {}
        for number, material in enumerate(materials):
            for what, value in (("bytes", material.fixed), ("id", material.material_id or None)):
                if value is not None and seen.setdefault((what, value), number) != number:
                    self._problem(f"has the {what} of materials[{seen[what, value]}]", "materials", number)

    def _material(self, members: Members, number: int, path: MemberPath) -> SeedMaterial:
        reader, external = self._reader, self._origin is KeyOrigin.EXTERNAL
        rotation = members.get("rotation", "" if number == 0 or external else "ON_DEMAND")
        if number == 0 and ("rotation" in members or "rotated_at" in members):
            reader.problem(path, "came with a rotation, and the first key material of a key comes with none")
        if "rotated_at" in members and not rotation:
            rotation = "ON_DEMAND"
        for name in ("description", "valid_to"):
            if name in members and not external:
                reader.problem(
                    (*path, name), "is of imported key material, which a key of origin AWS_KMS has not"
                )
        if external and self._spec != SYMMETRIC_DEFAULT and (number or "description" in members):
            reader.problem(
                path,
                f"has what only imported material of {SYMMETRIC_DEFAULT} has: a successor, a description",
            )
        if "id" in members and external:
            reader.problem(
                (*path, "id"), "cannot be given to imported key material: its id follows from its bytes"
            )
        return SeedMaterial(
            fixed=self._fixed(members["fixed"], (*path, "fixed")) if "fixed" in members else None,
            material_id=members.get("id", ""),
            rotation=rotation,
            rotated_at=reader.moment(members, "rotated_at", path),
            description=members.get("description", ""),
            valid_to=reader.moment(members, "valid_to", path),
            place=reader.place(path),
        )

    def _fixed(self, members: Members, path: MemberPath) -> bytes | None:
        """The bytes of fixed material; None, and a problem, where they are none of the key spec."""
        ((form, text),) = members.items()
        try:
            return material_of(self._spec, given_bytes(form, text, self._reader.document.folder))
        except MaterialError as error:
            self._reader.problem((*path, form), str(error))
            return None

    def _rotation(self) -> SeedRotation | None:
        members: Any = self._members.get("rotation", {})
        if "period" not in members:
            if "next_at" in members:
                self._problem("needs a period", "rotation", "next_at")
            elif "on_demand" not in members and "rotation" in self._members:
                self._problem("is empty: expected period, on_demand or both", "rotation")
            return None
        return SeedRotation(
            members["period"], self._reader.moment(members, "next_at", (*self._path, "rotation"))
        )


_GRANT_TEXTS = (
    "name",
    "grantee_principal",
    "retiring_principal",
    "grantee_service_principal",
    "retiring_service_principal",
    "source_arn",
)


def _listed(usages: tuple[KeyUsage, ...]) -> str:
    return ", ".join(usages)
