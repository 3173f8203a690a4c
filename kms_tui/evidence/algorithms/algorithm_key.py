"""A key as the inventory of algorithms sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kms_tui.inventory.row import Row
from kms_tui.kms.algorithm_strength import Strength, family_of, strength_of
from kms_tui.kms.arn import ALIAS_PREFIX, AccountRegion, key_id_of
from kms_tui.kms.facts import Fact
from kms_tui.kms.keyspecs import Family
from kms_tui.kms.model import Key, KeyUsage, MultiRegion, Tag


@dataclass(frozen=True, slots=True)
class AlgorithmKey:
    """One described key; its texts are untrusted. ``aliases`` have their prefix."""

    arn: str
    aliases: tuple[str, ...]
    aliases_known: bool
    tags: Fact[tuple[Tag, ...]]
    """Read of ML-DSA keys alone."""
    spec: str
    usage: str
    state: str
    origin: str
    description: str
    aws_managed: bool
    pending_deletion: bool
    created: datetime | None
    expires: datetime | None
    """When imported key material expires."""
    multi_region: MultiRegion | None

    @classmethod
    def of(cls, row: Row, key: Key) -> AlgorithmKey:
        return cls(
            row.arn,
            tuple(ALIAS_PREFIX + alias for alias in row.aliases),
            row.aliases_known,
            row.tags,
            key.spec,
            key.usage,
            key.state,
            key.origin,
            key.description,
            key.is_aws_managed,
            key.pending_deletion,
            key.created,
            key.valid_to,
            key.multi_region,
        )

    @property
    def place(self) -> AccountRegion:
        return AccountRegion.of(self.arn)

    @property
    def key_id(self) -> str:
        return key_id_of(self.arn)

    @property
    def name(self) -> str:
        """The alias that people use, without its prefix, or the key id."""
        return self.aliases[0].removeprefix(ALIAS_PREFIX) if self.aliases else self.key_id

    @property
    def strength(self) -> Strength | None:
        return strength_of(self.spec)

    @property
    def family(self) -> Family | None:
        return family_of(self.spec)

    @property
    def is_broken(self) -> bool:
        """Whether a quantum computer breaks it; False for a spec that is not known."""
        strength = self.strength
        return strength is not None and strength.is_broken_by_quantum_computers

    @property
    def signs(self) -> bool:
        return self.usage == KeyUsage.SIGN_VERIFY

    @property
    def is_ml_dsa(self) -> bool:
        return self.family is Family.ML_DSA
