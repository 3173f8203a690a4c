"""The rows themselves: the one place that writes to them, from any thread."""

from __future__ import annotations

import gc
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from sys import intern
from typing import Any, NamedTuple

from kms_tui.inventory.cells import STATE_WORDS
from kms_tui.inventory.changes import Coalescer
from kms_tui.inventory.row import FactName, Row
from kms_tui.inventory.row_class import Reading, RowClass
from kms_tui.kms.facts import LOADING, UNASKED, Absent, Fact, Known
from kms_tui.kms.model import Key, KeyRotationStatus

# Rows live as long as the session. Left alone, the collector walks 100,000 of them again and again as they
# come, 0.1 to 0.2 s each time, and walks every list of them that a keystroke makes.

EVERY = 5_000
"""After so many changes to rows, those that are there are set aside."""
_THRESHOLDS = (20_000, 20, 20)


class Collector:
    """Counts changes; does nothing in an account of ordinary size."""

    def __init__(self) -> None:
        self._changes = 0
        self._before: tuple[int, int, int] | None = None

    def count(self) -> None:
        self._changes += 1
        if self._changes % EVERY == 0:
            if self._before is None:
                self._before = gc.get_threshold()
                gc.set_threshold(*_THRESHOLDS)
            gc.freeze()

    def close(self) -> None:
        """Let the collector have everything again."""
        if self._before is not None:
            gc.set_threshold(*self._before)
            gc.unfreeze()
            self._before = None


class Change(NamedTuple):
    """Something that a refresh found: what, in words, and when by the monotonic clock."""

    words: str
    at: float


NEW = "new"
"""A row of which this was said has no other news."""
_NO_CHANGE = Change("", 0.0)


class Tally(NamedTuple):
    """How many keys there are, and of those: how many are described, how many are read, and how many need
    attention. A key is read when all that decides about its attention is known: nothing of it was denied.
    """

    keys: int
    described: int
    read: int
    attention: int


class RowTable:
    """Rows by their key (the key's ARN), in the order in which they came."""

    def __init__(
        self,
        coalescer: Coalescer,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lock = threading.RLock()
        self._coalescer = coalescer
        self._now = now
        self._clock = clock
        self.drops = 0
        """Changes whenever rows may have gone; else rows are only added at the end."""
        self.names = 0
        """Changes whenever a row may sort elsewhere by name."""
        self._rows: dict[str, Row] = {}
        self._changes: dict[str, Change] = {}
        self._collector = Collector()
        self._counts: Counter[RowClass] = Counter()

    def kinds(self) -> dict[RowClass, int]:
        """How many rows there are of each kind."""
        with self.lock:
            return {kind: number for kind, number in self._counts.items() if number}

    def tally(self, *, aws: bool) -> Tally:
        """The counts of AWS-managed or of customer-managed keys."""
        counts = [(kind, number) for kind, number in self.kinds().items() if kind.aws is aws]
        return Tally(
            sum(number for _, number in counts),
            sum(number for kind, number in counts if kind.described is Reading.KNOWN),
            sum(number for kind, number in counts if kind.is_read),
            sum(number for kind, number in counts if kind.concern.needs_attention),
        )

    def __len__(self) -> int:
        return len(self._rows)

    def rows(self) -> list[Row]:
        with self.lock:
            return list(self._rows.values())

    def get(self, arn: str) -> Row | None:
        return self._rows.get(arn)

    def of_key(self, key_id: str) -> list[Row]:
        """The rows of a key id: one for each region that has it."""
        with self.lock:
            return [row for row in self._rows.values() if row.key_id == key_id]

    def change(self, arn: str) -> Change | None:
        """The last thing that a refresh found about a row."""
        return self._changes.get(arn)

    def add(self, arn: str, key_id: str, region: str, listing: int, *, news: bool) -> Row:
        """The row of a key, made where there is none; ``news`` where its being new is worth telling."""
        row = self._rows.get(arn)
        if row is not None and row.seen >= listing:
            return row
        with self.lock:
            row = self._rows.get(arn)
            if row is None:
                row = Row(arn, key_id, region)
                self._rows[arn] = row
                self._counts[row.kind] += 1
                self._settle(row, NEW if news else "")
            elif row.gone and row.seen < listing:
                row.gone = False
                self._settle(row, "listed again")
            # A page of an earlier listing may come in late.
            row.seen = max(row.seen, listing)
            return row

    def set_aliases(self, row: Row, aliases: Iterable[str], *, news: bool) -> None:
        names = tuple(sorted(aliases))
        with self.lock:
            if names != row.aliases:
                row.aliases = names
                self._settle(row, "aliases changed" if news else "")

    def close(self) -> None:
        """Let what was kept from the garbage collector go."""
        self._collector.close()

    def set_refused(self, arn: str, count: int | None) -> None:
        with self.lock:
            row = self._rows.get(arn)
            if row is not None and row.refused != count:
                row.refused = count
                self._coalescer.note(arn)

    def set_gone(self, row: Row) -> None:
        with self.lock:
            if not row.gone:
                row.gone = True
                self._settle(row, "no longer listed")

    def drop_gone(self) -> None:
        """Forget the rows that are no longer listed, and what the last refresh found."""
        with self.lock:
            self._changes.clear()
            self.drops += 1
            for row in [row for row in self._rows.values() if row.gone]:
                del self._rows[row.arn]
                self._counts[row.kind] -= 1

    def begin(self, row: Row, name: FactName) -> bool:
        """Begin to read a fact, on the one thread that has its job; False where it is already read."""
        with self.lock:
            if not row.wants(name):
                return False
            row.stale -= {name}
            if isinstance(row.fact(name), Absent):
                setattr(row, name.value, LOADING)
                self._coalescer.note(row.arn)
            return True

    def give_up(self, row: Row, name: FactName, before: Fact[Any]) -> None:
        """Undo ``begin``: the fact could not be asked for, and is still to be read."""
        with self.lock:
            setattr(row, name.value, before)
            if before is not UNASKED:
                row.stale |= {name}
            self._coalescer.note(row.arn)

    def set_fact(self, row: Row, name: FactName, fact: Fact[Any]) -> None:
        with self.lock:
            before = row.fact(name)
            if isinstance(fact, Known) and isinstance(fact.value, Key):
                fact = Known(_slim(fact.value, row))
            setattr(row, name.value, fact)
            self._settle(row, difference(before, fact))

    def expire(self, rows: Iterable[Row], names: Iterable[FactName] = FactName) -> None:
        """Mark facts that were read as ones to read again; what is shown stays."""
        names = tuple(names)
        with self.lock:
            for row in rows:
                row.stale |= {name for name in names if not isinstance(row.fact(name), Absent)}

    def _settle(self, row: Row, news: str) -> None:
        kind, sort_name = row.kind, row.sort_name
        row.settle(self._now())
        self._counts[kind] -= 1
        self._counts[row.kind] += 1
        self.names += row.sort_name != sort_name
        self._collector.count()
        if news and self._changes.get(row.arn, _NO_CHANGE).words != NEW:
            self._changes[row.arn] = Change(news, self._clock())
        self._coalescer.note(row.arn)


def _slim(key: Key, row: Row) -> Key:
    """The same key, sharing what 100,000 answers say alike; each came with strings of its own."""
    return replace(
        key,
        key_id=row.key_id if row.key_id == key.key_id else key.key_id,
        arn=row.arn if row.arn == key.arn else key.arn,
        account_id=intern(key.account_id),
        manager=intern(key.manager),
        state=intern(key.state),
        spec=intern(key.spec),
        usage=intern(key.usage),
        origin=intern(key.origin),
        algorithms=_algorithms.setdefault(key.algorithms, key.algorithms),
    )


_algorithms: dict[tuple[str, ...], tuple[str, ...]] = {}


def difference(before: Fact[Any], after: Fact[Any]) -> str:
    """What changed between two readings of a fact, in words; "" for the first reading or no change."""
    if not (isinstance(before, Known) and isinstance(after, Known)) or before == after:
        return ""
    old, new = before.value, after.value
    if isinstance(old, Key) and isinstance(new, Key):
        if old.state != new.state:
            return f"now {STATE_WORDS.get(new.state, new.state)}"
        return "description changed" if old.description != new.description else "details changed"
    if isinstance(old, KeyRotationStatus) and isinstance(new, KeyRotationStatus):
        if old.enabled != new.enabled:
            return "rotation turned on" if new.enabled else "rotation turned off"
        # A disabled key does not tell its period (GetKeyRotationStatus): that is no change.
        return "" if None in (old.period_days, new.period_days) else "rotation changed"
    return "details changed"
