"""The plan of a move: how each use of a key gets under another key, in a safe order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

from kms_tui.backend.kms_facade import Kms
from kms_tui.counts import in_words
from kms_tui.creation import KeyType, NewKey
from kms_tui.evidence.key_uses import FoundUse, KeyUses, UseGap
from kms_tui.evidence.references import service_grants
from kms_tui.evidence.scan_shortfalls import error_words
from kms_tui.key_moves.destination import DestinationError, Obstacle, cannot_be_made, obstacles
from kms_tui.key_moves.move import How, Move, plain_name, quoted_name
from kms_tui.key_moves.move_table import MOVES, move_of
from kms_tui.key_moves.step_commands import can_be_said
from kms_tui.kms.arn import Arn
from kms_tui.kms.facts import Denied, Fact, Failed, Known, read_fact
from kms_tui.kms.keyspecs import SYMMETRIC_DEFAULT
from kms_tui.kms.model import Alias, Grant, Key, KeyOrigin, KeyUsage


class MoveGroup(StrEnum):
    """The groups of a plan, in their order: what others are made by first, what needs people last."""

    DEFAULTS = "Defaults of what will be made"
    IN_PLACE = "In place"
    BY_COPY = "By copy"
    IMPOSSIBLE = "Impossible"
    NOT_PLANNED = "Not planned"


_GROUPS = {
    How.IN_PLACE: MoveGroup.IN_PLACE,
    How.BY_COPY: MoveGroup.BY_COPY,
    How.IMPOSSIBLE: MoveGroup.IMPOSSIBLE,
    How.NOT_PLANNED: MoveGroup.NOT_PLANNED,
}
_YEAR = 365
"""The days of a rotation period that KMS does not tell."""
_ORDER = {id(move): number for number, move in enumerate(MOVES)}


@dataclass(frozen=True, slots=True)
class PlannedMove:
    """One use of the key, and how it is moved."""

    found: FoundUse
    move: Move
    region: str
    partition: str

    @property
    def group(self) -> MoveGroup:
        return MoveGroup.DEFAULTS if self.move.for_new else _GROUPS[self.move.how]

    @property
    def has_commands(self) -> bool:
        """Whether commands are made for it: not where a name is lacking, or is no printable text."""
        use = self.found.use
        needs_label = "$label" in repr(self.move.steps)
        is_plain = bool(use.resource) and all(map(can_be_said, (use.resource, use.label)))
        return bool(self.move.steps) and is_plain and (bool(use.label) or not needs_label)

    def values(self, key: str) -> Mapping[str, str]:
        """What fills in the templates of the move; ``key`` is the new key's ARN, or what stands for it."""
        use = self.found.use
        return {
            "key": key,
            "resource": use.resource,
            "label": use.label,
            "plain": plain_name(use.resource),
            "quoted": quoted_name(use.resource),
            "region": self.region,
            "account": self.found.account,
            "partition": self.partition,
        }


@dataclass(frozen=True, slots=True)
class MovePlan:
    """What is to be done so that nothing is under ``old`` any longer.

    ``new`` is the other key, or None where it is made as ``draft`` says. ``grants`` are to be created again,
    ``service_grants`` counts those that services create themselves; ``aliases`` are repointed last.
    """

    made: datetime
    old: Key
    new: Key | None
    draft: NewKey | None
    uses: KeyUses
    moves: tuple[PlannedMove, ...]
    obstacles: tuple[Obstacle, ...]
    notes: tuple[str, ...]
    grants: tuple[Grant, ...]
    service_grants: int
    aliases: tuple[Alias, ...]
    unread: tuple[UseGap, ...]

    @property
    def gaps(self) -> Sequence[UseGap]:
        """Whatever leaves the plan incomplete."""
        return [*self.uses.gaps, *self.unread]

    @property
    def region(self) -> str:
        return self.old.region

    @property
    def new_name(self) -> str:
        return self.new.arn if self.new is not None else "a new key made like it"

    def of_group(self, group: MoveGroup) -> Sequence[PlannedMove]:
        return [each for each in self.moves if each.group is group]


def planned_moves(uses: KeyUses) -> tuple[PlannedMove, ...]:
    """Every use with its move, in the order in which it is done."""
    partition = Arn.parse(uses.key_arn).partition
    found = [PlannedMove(each, move_of(each.use), uses.region, partition) for each in uses.uses]
    groups = [*MoveGroup]
    return tuple(
        sorted(
            found,
            key=lambda each: (
                groups.index(each.group),
                each.found.account,
                _ORDER.get(id(each.move), len(_ORDER)),
                each.found.use.resource,
            ),
        )
    )


def make_plan(
    kms: Kms, old: Key, new: Key | None, uses: KeyUses, kms_for: Callable[[str], Kms], now: datetime
) -> MovePlan:
    """The plan for a key whose uses are known; ``kms`` is that of the key's account and Region.

    ``new`` is a key of ``find_destination``, or None for one that is made like the old one, which raises
    DestinationError where none can be.
    """
    moves = planned_moves(uses)
    policy, grants = read_fact(lambda: kms.key_policy(old.arn)), read_fact(lambda: kms.grants(old.arn))
    aliases = read_fact(lambda: kms.aliases(old.key_id))
    facts: list[tuple[str, Fact[Any]]] = [("Key policy", policy), ("Grants", grants), ("Aliases", aliases)]
    draft = None
    if new is None:
        if not isinstance(policy, Known):
            raise DestinationError(
                "The key's policy was not read, so that no key can be made like it.",
                next_step="Name another key, or ask for kms:GetKeyPolicy.",
            )
        draft, unread = _draft(kms, old, policy.value)
        facts += unread
    there = policy if new is None else read_fact(partial(kms_for(new.arn).key_policy, new.arn))
    judged = [(each.found, each.move) for each in moves]
    all_grants = grants.value if isinstance(grants, Known) else []
    of_services = len(list(service_grants(all_grants)))
    names = [alias for alias in aliases.value if not alias.is_aws] if isinstance(aliases, Known) else []
    return MovePlan(
        now,
        old,
        new,
        draft,
        uses,
        moves,
        tuple(obstacles(old, new or old, judged, (policy, there), is_new=new is None)),
        tuple(_notes(old, new, moves, names)),
        tuple(grant for grant in all_grants if not list(service_grants([grant]))),
        of_services,
        tuple(names),
        tuple(
            UseGap(old.account_id, what, error_words(fact.error))
            for what, fact in facts
            if isinstance(fact, Denied | Failed)
        ),
    )


def grant_members(grant: Grant) -> dict[str, Any]:
    """CreateGrant's members for the same grant on another key; with a name, it is not made twice."""
    members = {
        "GranteePrincipal": grant.grantee,
        "RetiringPrincipal": grant.retiring,
        "Operations": list(grant.operations),
        "Constraints": dict(grant.constraints),
        "Name": grant.name or f"moved-{grant.grant_id[:16]}",
    }
    return {name: value for name, value in members.items() if value}


def _draft(kms: Kms, old: Key, policy: str) -> tuple[NewKey, list[tuple[str, Fact[Any]]]]:
    """A key made like the old one: its policy, tags, rotation and key store; and what was not read of it."""
    if (reason := cannot_be_made(old)) is not None:
        raise reason
    tags = read_fact(lambda: kms.tags(old.arn))
    rotation = read_fact(lambda: kms.rotation_status(old.arn))
    period = None
    if isinstance(rotation, Known) and rotation.value.enabled:
        period = rotation.value.period_days or _YEAR
    in_store = old.origin == KeyOrigin.AWS_CLOUDHSM
    draft = NewKey(
        KeyType(old.usage, old.spec),
        origin=old.origin if in_store else KeyOrigin.AWS_KMS,
        key_store_id=old.custom_key_store_id if in_store else "",
        multi_region=old.multi_region is not None,
        description=old.description,
        tags=tuple(tags.value) if isinstance(tags, Known) else (),
        period_days=period,
        policy=policy,
    )
    facts: list[tuple[str, Fact[Any]]] = [("Tags", tags)]
    if old.may_have_rotated:
        facts.append(("Rotation", rotation))
    return draft, facts


def _notes(old: Key, new: Key | None, moves: Sequence[PlannedMove], aliases: Sequence[Alias]) -> list[str]:
    """What is to be known beside the resources, in sentences; untrusted text."""
    notes = []
    if new is None and old.origin == KeyOrigin.EXTERNAL:
        notes.append("The key's material is imported; KMS makes that of the new key, so that it can rotate.")
    if new is not None and new.account_id != old.account_id:
        notes.append(
            f"The new key is of account {new.account_id}: callers need its policy and IAM policies of their"
            " own,"
            " and not every service takes a key of another account. Aliases cannot be repointed to it."
        )
    if old.multi_region is not None:
        related = (old.multi_region.primary_arn, *old.multi_region.replica_arns)
        others = [arn for arn in related if arn != old.arn]
        if others:
            notes.append(
                f"Related keys of other Regions are not moved here: {in_words(others)}. Plan each by its ARN."
            )
        if new is not None and new.multi_region is None:
            notes.append("The key is a multi-Region key, the new one is not: ciphertexts stay in one Region.")
    if any("alias/" in each.found.use.reference for each in moves) and aliases:
        notes.append("Resources that name the key by an alias name the new key's ARN afterwards.")
    if any(each.move.old_key_needed for each in moves):
        notes.append(
            "Data stays under the old key where the plan says so: keep it enabled until nothing uses it, then"
            " disable it and watch, and schedule its deletion last."
        )
    if new is not None and new.spec != old.spec:
        notes.append(
            f"The new key's spec is {new.spec}, the old one's {old.spec}: a program that names an algorithm"
            " may fail with it."
        )
    notes.append(_OUTSIDE.get(old.usage, _CIPHERTEXTS))
    if old.usage == KeyUsage.ENCRYPT_DECRYPT and old.spec != SYMMETRIC_DEFAULT:
        notes.append(_PUBLIC)
    return notes


_CIPHERTEXTS = (
    "Ciphertexts that applications keep are not found by a scan: kms-tui reencrypt moves those in files,"
    " and CloudTrail tells who still decrypts with the old key (kms-tui replay, usage)."
)
_PUBLIC = (
    "Whoever encrypts with the old public key needs the new one. What was encrypted with the old one is"
    " decrypted by the old key alone, which has to be named: an alias that is repointed does not name it."
)
_SECRETS = (
    "The new key has another public key, which whoever shares a secret with it needs first. The secrets that"
    " were shared with the old key are derived by the old key alone."
)
_OUTSIDE: Mapping[KeyUsage | str, str] = {
    KeyUsage.SIGN_VERIFY: (
        "No scan finds who verifies. A signature is verified with the public key of the key that made it:"
        " give the new one to whoever verifies before anything signs with it, and keep the old one."
    ),
    KeyUsage.GENERATE_VERIFY_MAC: (
        "A MAC is verified by the key that made it alone: keep the old key enabled until none of its MACs is"
        " verified any longer. Who verifies through an alias that is repointed fails on the earlier ones."
    ),
    KeyUsage.KEY_AGREEMENT: _SECRETS,
    KeyUsage.ENCAPSULATE_DECAPSULATE: _SECRETS,
}
"""What a scan cannot tell of a key's use by applications; of all other usages they keep ciphertexts."""
