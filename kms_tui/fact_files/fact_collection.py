"""Collects the facts of all keys of an open inventory, each read once, at the inventory's own pace.

AWS-managed keys are described and no more, as everywhere: reading their policies would set off their owners'
alarms. How often a key has rotated is not asked for: ListKeyRotations has a tenth of GetKeyPolicy's quota,
and DescribeKey tells the key material.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from kms_tui.backend.kms_facade import Kms
from kms_tui.evidence.account_grants import GRANTS_SHARE, GrantReading
from kms_tui.fact_files.fact_comparison import require_common
from kms_tui.fact_files.fact_file import FactFile, KeyFacts, ListedRegion
from kms_tui.inventory.fact_reader import missing_of
from kms_tui.inventory.listed_places import listed_places
from kms_tui.inventory.listing import Region
from kms_tui.inventory.live_list import Inventory
from kms_tui.inventory.row import FactName, Row
from kms_tui.inventory.whole_reading import WholeReading
from kms_tui.kms.arn import ALIAS_PREFIX, AccountRegion
from kms_tui.kms.facts import LOADING, NOT_APPLICABLE, UNASKED, Denied, Fact, Failed, Known
from kms_tui.kms.model import Grant

T = TypeVar("T")

_READ = (FactName.DESCRIBED, FactName.ROTATION, FactName.TAGS, FactName.POLICY)
_LISTING, _FACTS, _GRANTS = "listing the keys", "reading facts", "reading grants"


@dataclass(frozen=True, slots=True)
class CollectionStage:
    """What is read, in words, and how much of it; ``error`` is why it waits, or "": untrusted."""

    words: str
    done: int = 0
    total: int = 0
    error: str = ""


class CallsLeft(NamedTuple):
    """How many calls are still to be made for that many keys, and their seconds at the polite rate."""

    keys: int
    calls: int
    seconds: float


class FactCollection:
    """One reading; ``run`` once, on a thread that may block.

    ``kms`` is the façade of the home Region, ``kms_for`` gives that of an ARN's account and Region.
    """

    def __init__(self, inventory: Inventory, kms: Kms, kms_for: Callable[[str], Kms]) -> None:
        self._inventory = inventory
        self._kms = kms
        self._kms_for = kms_for
        self._reading = WholeReading(inventory, missing_of(*_READ))
        self._grants: GrantReading | None = None

    @property
    def unanswered(self) -> str:
        """Why reading ended early, or ""."""
        return self._reading.unanswered

    @property
    def places(self) -> Mapping[AccountRegion, Region]:
        """What is read: each Region with its account, "" where that is not known."""
        return listed_places(self._inventory, self._kms.account_id)

    def require_common(self, since: FactFile) -> None:
        """FactFileError, before anything is read, where the file has nothing in common with what would be."""
        if all(place.account for place in self.places):
            require_common([region.place for region in since.regions], self.places.keys())

    def read_again(self) -> None:
        """Before ``run``: list the keys and read their facts again."""
        self._inventory.refresh()

    def wait_for_listing(self) -> None:
        """Block until the keys are listed, so that ``calls_left`` covers all of them."""
        with self._reading.listening():
            self._reading.wait_for_listing()

    def calls_left(self) -> CallsLeft:
        """The calls still to make for the keys listed so far, at most."""
        rows = [row for row in self._inventory.rows() if not row.gone]
        ours = [row for row in rows if not row.aws]
        facts = sum(row.wants(name) for row in ours for name in _READ)
        facts += sum(row.wants(FactName.DESCRIBED) for row in rows if row.aws)
        seconds = facts / self._inventory.pace.demand + GRANTS_SHARE * len(ours) / self._inventory.pace.demand
        return CallsLeft(len(rows), facts + len(ours), seconds)

    def progress(self) -> CollectionStage:
        if self._grants is not None:
            return CollectionStage(_GRANTS, len(self._grants.facts), self._grants.total)
        demand = self._inventory.progress()
        if demand is None:
            return CollectionStage(_LISTING, len(self._inventory))
        return CollectionStage(_FACTS, demand.done, demand.total, demand.error)

    def cancel(self) -> None:
        """Stop; what is not read by then stays unread."""
        self._reading.cancel()
        if self._grants is not None:
            self._grants.cancel()

    def run(self) -> FactFile:
        """The facts. KmsTuiError if no key could be listed, or credentials are missing."""
        with self._reading.listening():
            self._reading.wait_for_listing()
            self._reading.check_listing()
            self._reading.read()
        rows = sorted((row for row in self._inventory.rows() if not row.gone), key=lambda row: row.arn)
        grants = self._read_grants(rows)
        places = self.places
        return FactFile(
            self._inventory.now(),
            self._kms.caller().arn,
            tuple(
                ListedRegion(place, _settled(region.keys), _settled(region.aliases))
                for place, region in places.items()
            ),
            tuple(_key_facts(row, places[AccountRegion.of(row.arn)], grants) for row in rows),
        )

    def _read_grants(self, rows: list[Row]) -> dict[str, Fact[list[Grant]]]:
        if self._reading.cancelled.is_set():
            return {}
        arns = [row.arn for row in rows if not row.aws]
        self._grants = GrantReading(self._kms_for, arns, self._inventory.pace.demand)
        if self._reading.cancelled.is_set():  # cancelled meanwhile
            self._grants.cancel()
        self._grants.run()
        return self._grants.facts


def _settled(fact: Fact[T]) -> Fact[T]:
    """What is still being read counts as not read."""
    return UNASKED if fact is LOADING else fact


def _key_facts(row: Row, region: Region, grants: dict[str, Fact[list[Grant]]]) -> KeyFacts:
    def fresh(name: FactName, fact: Fact[T]) -> Fact[T]:
        if row.applies(name) is False:  # though it may have been read when it applied
            return NOT_APPLICABLE
        return UNASKED if name in row.stale else _settled(fact)

    return KeyFacts(
        row.arn,
        _aliases(row, region),
        fresh(FactName.DESCRIBED, row.described),
        fresh(FactName.ROTATION, row.rotation),
        fresh(FactName.TAGS, row.tags),
        fresh(FactName.POLICY, row.policy),
        NOT_APPLICABLE if row.aws else _as_tuple(grants.get(row.arn, UNASKED)),
    )


def _aliases(row: Row, region: Region) -> Fact[tuple[str, ...]]:
    """The key's aliases, where all of its Region are known."""
    if isinstance(region.aliases, Known):
        return Known(tuple(sorted(ALIAS_PREFIX + name for name in row.aliases)))
    return region.aliases if isinstance(region.aliases, Denied | Failed) else UNASKED


def _as_tuple(fact: Fact[list[Grant]]) -> Fact[tuple[Grant, ...]]:
    return Known(tuple(fact.value)) if isinstance(fact, Known) else fact
