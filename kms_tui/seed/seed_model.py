"""A seed: keys, principals and account policies, as they are to be made in a store.

Moments are milliseconds since 1970, as the store keeps them. ``place`` is where a part stands in its file,
for the sentence of an error; two seeds that differ in places alone are equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from kms_tui.backend.local.account_policies.account_rows import AccountRow
from kms_tui.backend.local.principals.access_keys import AccessKey
from kms_tui.kms.model import KeyOrigin, KeyState

DELETED = (KeyState.PENDING_DELETION, KeyState.PENDING_REPLICA_DELETION)
"""The states of a key that waits for its deletion."""
Texts = tuple[tuple[str, str], ...]
"""Names and texts, in the order of the seed."""


@dataclass(frozen=True, slots=True)
class SeedGrant:
    """A grant; members that it does not have are "" or empty."""

    operations: tuple[str, ...]
    grant_id: str = ""
    name: str = ""
    grantee_principal: str = ""
    retiring_principal: str = ""
    grantee_service_principal: str = ""
    retiring_service_principal: str = ""
    encryption_context_equals: Texts = ()
    encryption_context_subset: Texts = ()
    source_arn: str = ""
    created_at: int | None = None
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class SeedMaterial:
    """Key material; ``fixed`` are its bytes as the store keeps them, None for what the store makes."""

    fixed: bytes | None = field(default=None, repr=False)
    material_id: str = ""
    rotation: str = ""
    """ON_DEMAND or AUTOMATIC; "" for the first material, and for imported one that waits for its rotation."""
    rotated_at: int | None = None
    description: str = ""
    valid_to: int | None = None
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class SeedRotation:
    """Automatic rotation every ``period`` days; ``next_at`` None is a period after the key was made."""

    period: int
    next_at: int | None = None


@dataclass(frozen=True, slots=True)
class KeyInRegion:
    """What a key has in one Region, as its primary or a replica; ``policy`` None is KMS's default policy."""

    region: str
    created_at: int | None = None
    description: str = ""
    policy: str | None = None
    tags: Texts = ()
    aliases: tuple[str, ...] = ()
    grants: tuple[SeedGrant, ...] = ()
    state: KeyState = KeyState.ENABLED
    deletion_window: int | None = None
    deletion_date: int | None = None
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class SeedKey:
    """A key, with its replicas. ``key_id`` "" is one that the store makes.

    ``aws_managed`` is the service of an AWS managed key, which has nothing else but an id and its materials.
    """

    account: str
    primary: KeyInRegion
    spec: str
    usage: str
    key_id: str = ""
    origin: KeyOrigin = KeyOrigin.AWS_KMS
    multi_region: bool = False
    aws_managed: str = ""
    replicas: tuple[KeyInRegion, ...] = ()
    materials: tuple[SeedMaterial, ...] = ()
    rotation: SeedRotation | None = None
    place: str = field(default="", compare=False)

    @property
    def in_regions(self) -> Sequence[KeyInRegion]:
        return (self.primary, *self.replicas)


@dataclass(frozen=True, slots=True)
class Seed:
    """What a file holds. ``account`` and ``region`` are those of what names none."""

    name: str
    account: str
    region: str
    keys: tuple[SeedKey, ...] = ()
    access_keys: tuple[AccessKey, ...] = ()
    account_rows: tuple[AccountRow, ...] = ()
    """What IAM, the organization and VPC endpoints hold."""
    notes: tuple[str, ...] = ()
    """Sentences about what the file says and no seed has, as some of another program's."""

    @property
    def fixed(self) -> tuple[str, ...]:
        """The places of the keys that have fixed material."""
        return tuple(key.place for key in self.keys if any(each.fixed is not None for each in key.materials))
