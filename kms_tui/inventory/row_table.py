"""The table of rows: the one place that writes to them, from any thread."""

from __future__ import annotations

import gc
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from sys import intern
from typing import Any, NamedTuple

from kms_tui.inventory.cells import STATE_WORDS
from kms_tui.inventory.changes import Coalescer
from kms_tui.inventory.row import FactName, Judge, Row, RowPlace
from kms_tui.inventory.row_class import Reading, RowClass
from kms_tui.kms.facts import LOADING, UNASKED, Absent, Fact, Known
from kms_tui.kms.model import Key, KeyRotationStatus

# Rows live as long as the session. By default the garbage collector walks 100,000 of them again and again as
# they arrive, 0.1 to 0.2 s each time, and walks every list of them that a keystroke makes.

FREEZE_EVERY = 5_000
"""Changes to rows after which the collector is told to leave out all present objects."""
_THRESHOLDS = (20_000, 20, 20)


class Collector:
    """Counts changes and freezes the rows of a large account; does nothing in an ordinary one."""

    def __init__(self) -> None:
        self._changes = 0
        self._before: tuple[int, int, int] | None = None

    def count(self) -> None:
        self._changes += 1
        if self._changes % FREEZE_EVERY == 0:
            if self._before is None:
                self._before = gc.get_threshold()
                gc.set_threshold(*_THRESHOLDS)
            gc.freeze()

    def close(self) -> None:
        """Restore the garbage collector's settings."""
        if self._before is not None:
            gc.set_threshold(*self._before)
            gc.unfreeze()
            self._before = None


class Change(NamedTuple):
    """A change that a refresh found, in words, and its time by the monotonic clock."""

    words: str
    at: float


NEW = "new"
"""A row with this change gets no other."""
_NO_CHANGE = Change("", 0.0)


class Tally(NamedTuple):
    """Keys in all; of those the described, the read, and those that need attention.

    A key is read when every check of it was judged; it needs attention where a check found something.
    """

    keys: int
    described: int
    read: int
    attention: int


class RowTable:
    """Rows by their key (the key's ARN), in order of arrival.

    Writers hold the lock, some for as long as it takes to go through all rows. Readers, the event loop among
    them, do without it: they copy a dictionary, which is one step of the interpreter, and look at the copy.
    """

    def __init__(
        self,
        coalescer: Coalescer,
        now: Callable[[], datetime],
        judge: Judge,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lock = threading.RLock()
        self._judge = judge
        self._coalescer = coalescer
        self._now = now
        self._clock = clock
        self.drops = 0
        """Changes whenever rows may have been removed; else rows are only added at the end."""
        self.names = 0
        """Changes whenever a row may sort elsewhere by name."""
        self._rows: dict[str, Row] = {}
        self._of_place: defaultdict[RowPlace, list[Row]] = defaultdict(list)
        self._changes: dict[str, Change] = {}
        self._collector = Collector()
        self._counts: Counter[RowClass] = Counter()

    def row_classes(self) -> dict[RowClass, int]:
        """The number of rows of each class."""
        return {row_class: number for row_class, number in dict.copy(self._counts).items() if number}

    def tally(self, *, aws: bool) -> Tally:
        """The counts of AWS-managed or of customer-managed keys."""
        counts = [
            (row_class, number) for row_class, number in self.row_classes().items() if row_class.aws is aws
        ]
        return Tally(
            sum(number for _, number in counts),
            sum(number for row_class, number in counts if row_class.described is Reading.KNOWN),
            sum(number for row_class, number in counts if row_class.is_read),
            sum(number for row_class, number in counts if row_class.health.findings),
        )

    def __len__(self) -> int:
        return len(self._rows)

    def rows(self) -> list[Row]:
        return list(self._rows.values())

    def get(self, arn: str) -> Row | None:
        return self._rows.get(arn)

    def of_keys(self, key_ids: Collection[str]) -> list[Row]:
        """The rows of these key ids: one for each region that has the key."""
        return [row for row in self.rows() if row.key_id in key_ids]

    def change(self, arn: str) -> Change | None:
        """The last change that a refresh found in a row."""
        return self._changes.get(arn)

    def rows_of(self, place: RowPlace) -> list[Row]:
        """The rows that were listed in a Region of an account."""
        return list(self._of_place.get(place, ()))

    def add(self, arn: str, key_id: str, place: RowPlace, listing: int, *, announce: bool) -> Row:
        """The row of a key, created if there is none; ``announce`` notes a new row as a change."""
        row = self._rows.get(arn)
        if row is not None and row.seen >= listing:
            return row
        with self.lock:
            row = self._rows.get(arn)
            if row is None:
                row = Row(arn, key_id, place.name, place=place)
                self._rows[arn] = row
                self._of_place[place].append(row)
                self._counts[row.row_class] += 1
                self._note_change(row, NEW if announce else "")
            elif row.gone and row.seen < listing:
                row.gone = False
                self._note_change(row, "listed again")
            # A page of an earlier listing may arrive late.
            row.seen = max(row.seen, listing)
            return row

    def set_aliases(
        self, row: Row, aliases: Iterable[str], *, announce: bool, all_known: bool = False
    ) -> None:
        """Set the aliases of a row; ``all_known``: the region's were all listed."""
        names = tuple(sorted(aliases))
        with self.lock:
            is_news = all_known and not row.aliases_known
            row.aliases_known |= all_known
            if names != row.aliases or (is_news and row.key is not None):
                announce &= names != row.aliases
                row.aliases = names
                self._note_change(row, "aliases changed" if announce else "")

    def close(self) -> None:
        """Restore the garbage collector's settings."""
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
                self._note_change(row, "no longer listed")

    def drop_gone(self) -> None:
        """Remove the rows that are no longer listed, and the changes that the last refresh found."""
        with self.lock:
            self._changes.clear()
            gone = [row for row in self._rows.values() if row.gone]
            for row in gone:
                del self._rows[row.arn]
                self._counts[row.row_class] -= 1
            for place in {row.place for row in gone if row.place is not None}:
                self._of_place[place] = [row for row in self._of_place[place] if not row.gone]
            self.drops += 1  # last: who sees this number before reads the rows again

    def begin(self, row: Row, name: FactName) -> bool:
        """Begin to read a fact, on the one thread that has its job; False if it is already read."""
        with self.lock:
            if not row.wants(name):
                return False
            row.stale -= {name}
            if isinstance(row.fact(name), Absent):
                setattr(row, name.value, LOADING)
                self._coalescer.note(row.arn)
            return True

    def give_up(self, row: Row, name: FactName, before: Fact[Any]) -> None:
        """Undo ``begin``: the call could not be made, and the fact is still to be read."""
        with self.lock:
            setattr(row, name.value, before)
            if before is not UNASKED:
                row.stale |= {name}
            self._coalescer.note(row.arn)

    def set_fact(self, row: Row, name: FactName, fact: Fact[Any]) -> None:
        if name is FactName.POLICY and isinstance(fact, Known):
            self._judge.prepare(row, fact.value, self._now())
        with self.lock:
            before = row.fact(name)
            if isinstance(fact, Known) and isinstance(fact.value, Key):
                fact = Known(_slim(fact.value, row))
            setattr(row, name.value, fact)
            self._note_change(row, difference(before, fact))

    def set_recorded(self, row: Row, facts: Mapping[FactName, Fact[Any]]) -> None:
        """Set facts that were recorded earlier, where none is known: they are shown, and read again."""
        with self.lock:
            new = [name for name in facts if isinstance(row.fact(name), Absent)]
            for name in new:
                fact = facts[name]
                if isinstance(fact, Known) and isinstance(fact.value, Key):
                    fact = Known(_slim(fact.value, row))
                setattr(row, name.value, fact)
            row.stale = _shared(row.stale.union(new))
            self._note_change(row, "")

    def set_further(self, arn: str, *, primary_policy: Fact[str], disabled_since: Fact[Any]) -> None:
        """Facts that the health screen has read of a key, until it is read again."""
        with self.lock:
            row = self._rows.get(arn)
            if row is not None:
                row.primary_policy, row.disabled_since = primary_policy, disabled_since
                self._note_change(row, "")

    def expire(self, rows: Iterable[Row], names: Iterable[FactName] = FactName) -> None:
        """Mark facts to be read again; shown values stay."""
        names = tuple(names)
        for row in rows:
            with self.lock:  # of each row: painting a frame waits for it
                row.primary_policy = row.disabled_since = UNASKED
                if stale := [name for name in names if not isinstance(row.fact(name), Absent)]:
                    row.stale = _shared(row.stale.union(stale))

    def _note_change(self, row: Row, words: str) -> None:
        row_class, sort_name = row.row_class, row.sort_name
        row.derive(self._now(), self._judge)
        self._counts[row_class] -= 1
        self._counts[row.row_class] += 1
        self.names += row.sort_name != sort_name
        self._collector.count()
        if words and self._changes.get(row.arn, _NO_CHANGE).words != NEW:
            self._changes[row.arn] = Change(words, self._clock())
        self._coalescer.note(row.arn)


_sets: dict[frozenset[FactName], frozenset[FactName]] = {}


def _shared(names: frozenset[FactName]) -> frozenset[FactName]:
    """The same set as one object: 100,000 rows have a few different ones."""
    return _sets.setdefault(names, names)


def _slim(key: Key, row: Row) -> Key:
    """The same key with shared strings: 100,000 answers repeat the same few values."""
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
        # GetKeyRotationStatus leaves out the period of a disabled key: that is no change.
        return "" if None in (old.period_days, new.period_days) else "rotation changed"
    return "details changed"
