"""The keys of an account by algorithm, strength and use, and what of that is not known."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from kms_tui.evidence.algorithms.algorithm_key import AlgorithmKey
from kms_tui.evidence.algorithms.siblings import BreakableSigner, signing_keys
from kms_tui.evidence.request_usage import Observation
from kms_tui.inventory.fact_reader import ReadingProgress
from kms_tui.inventory.listed_places import listed_places
from kms_tui.inventory.live_list import Inventory
from kms_tui.inventory.row import FactName, Row
from kms_tui.inventory.whole_reading import WholeReading
from kms_tui.kms.algorithm_strength import Strength, family_of, strength_of
from kms_tui.kms.arn import AccountRegion
from kms_tui.kms.facts import Denied, Failed
from kms_tui.kms.keyspecs import Family, spec_title


@dataclass(frozen=True, slots=True)
class AlgorithmGroup:
    """The keys of one spec and one use, by name; ``spec`` may be one that this program does not know."""

    spec: str
    usage: str
    keys: tuple[AlgorithmKey, ...]

    @property
    def title(self) -> str:
        return spec_title(self.spec)

    @property
    def strength(self) -> Strength | None:
        return strength_of(self.spec)

    @property
    def family(self) -> Family | None:
        return family_of(self.spec)

    @property
    def states(self) -> Mapping[str, int]:
        """State of a key -> how many have it."""
        return Counter(key.state for key in self.keys)

    @property
    def aws_managed(self) -> int:
        return sum(key.aws_managed for key in self.keys)


@dataclass(frozen=True, slots=True)
class ClassicalCallers:
    """Callers whose recorded requests used a key exchange that a quantum computer breaks, the busiest first.

    ``untold`` calls have a record that does not tell it. ``remarks`` say what was seen, and what is missing;
    ``whole`` whether all of it was read. All text is untrusted.
    """

    callers: tuple[Observation, ...]
    untold: int
    remarks: tuple[str, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class AlgorithmInventory:
    """Groups in the order of ``_rank``: what a quantum computer breaks first, the weakest before the others.

    ``undescribed`` are ARNs of keys, and ``unlisted`` sentences about Regions, of which nothing is known.
    ``callers`` is None where nobody asked.
    """

    time: datetime
    places: tuple[AccountRegion, ...]
    groups: tuple[AlgorithmGroup, ...]
    signing: tuple[BreakableSigner, ...]
    undescribed: tuple[str, ...]
    unlisted: tuple[str, ...]
    callers: ClassicalCallers | None = None

    @property
    def keys(self) -> int:
        return sum(len(group.keys) for group in self.groups)

    @property
    def broken(self) -> int:
        """How many keys a quantum computer breaks."""
        return sum(len(group.keys) for group in self.groups if group.keys[0].is_broken)

    def gaps(self) -> Iterator[str]:
        """What is not known of the keys, in sentences. Untrusted."""
        yield from self.unlisted
        if self.undescribed:
            keys = "1 key" if len(self.undescribed) == 1 else f"{len(self.undescribed):,} keys"
            yield f"The algorithm of {keys} is not known: DescribeKey was denied, failed or gave no answer."
        unsure = Counter(each.unknown for each in self.signing if each.unknown)
        for reason, count in unsure.items():
            keys = "1 signing key has" if count == 1 else f"{count:,} signing keys have"
            yield f"Whether {keys} an ML-DSA key beside is not known: {reason}."


def grouped(keys: Iterable[AlgorithmKey]) -> tuple[AlgorithmGroup, ...]:
    held: defaultdict[tuple[str, str], list[AlgorithmKey]] = defaultdict(list)
    for key in keys:
        held[key.spec, key.usage].append(key)
    groups = [
        AlgorithmGroup(spec, usage, tuple(sorted(alike, key=lambda key: (key.name.lower(), key.arn))))
        for (spec, usage), alike in held.items()
    ]
    return tuple(sorted(groups, key=_rank))


def _rank(group: AlgorithmGroup) -> tuple[bool, bool, int, str, str]:
    strength = group.strength
    if strength is None:  # not known: after what is broken
        return True, False, 0, group.spec, group.usage
    broken = strength.is_broken_by_quantum_computers
    return not broken, True, strength.bits, group.spec, group.usage


class AlgorithmReading:
    """Reads what the inventory of algorithms needs: DescribeKey, and the tags of ML-DSA keys."""

    def __init__(self, inventory: Inventory, account: str) -> None:
        self._inventory = inventory
        self._account = account
        self._reading = WholeReading(inventory, _missing)

    def progress(self) -> ReadingProgress | None:
        return self._inventory.progress()

    def run(self) -> AlgorithmInventory:
        """Block until all is read. KmsTuiError if no key could be listed, or credentials are missing."""
        with self._reading.listening():
            self._reading.wait_for_listing()
            self._reading.check_listing()
            self._reading.read()
        rows = [row for row in self._inventory.rows() if not row.gone]
        keys = [AlgorithmKey.of(row, row.key) for row in rows if row.key is not None]
        undescribed = tuple(sorted(row.arn for row in rows if row.key is None))
        groups = grouped(keys)
        places = listed_places(self._inventory, self._account)
        errors = {
            place: region.keys.error
            for place, region in places.items()
            if isinstance(region.keys, Denied | Failed)
        }
        unlisted = tuple(
            f"The keys of {place} could not be listed: {error}" for place, error in errors.items()
        )
        unsure = {*errors, *map(AccountRegion.of, undescribed)}
        ordered = [key for group in groups for key in group.keys]
        return AlgorithmInventory(
            self._inventory.now(), tuple(places), groups, signing_keys(ordered, unsure), undescribed, unlisted
        )


def _missing(row: Row) -> FactName | None:
    if row.wants(FactName.DESCRIBED):
        return FactName.DESCRIBED
    key = row.key
    wants_tags = key is not None and not key.is_aws_managed and family_of(key.spec) is Family.ML_DSA
    return FactName.TAGS if wants_tags and row.wants(FactName.TAGS) else None
