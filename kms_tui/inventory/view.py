"""What one screen shows of an inventory: scope, filter, order and marks. A View belongs to one thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from kms_tui.inventory import slices
from kms_tui.inventory.changes import Changes
from kms_tui.inventory.columns import COLUMNS, Sort, by_name
from kms_tui.inventory.fact_reader import Missing, missing_of
from kms_tui.inventory.filters import Candidates, FilterResult, Query, parse
from kms_tui.inventory.live_list import Inventory
from kms_tui.inventory.row import FactName, Row, RowPlace
from kms_tui.inventory.row_class import Reading, RowClass
from kms_tui.inventory.slices import Sliced, Work, finish
from kms_tui.kms.facts import LOADING, Known


class Undecided:
    """The rows that a filter cannot decide: made at every keystroke, indexed and counted only on demand."""

    def __init__(self, rows: Sequence[Row] = ()) -> None:
        self._rows = rows
        self._index: dict[Row, RowClass] | None = None
        self._counts: Counter[RowClass] | None = None

    def __len__(self) -> int:
        return len(self._rows if self._index is None else self._index)

    def rows(self) -> Sequence[Row]:
        return self._rows if self._index is None else list(self._index)

    def put(self, row: Row) -> None:
        """Add a row, or update the class of one."""
        self._count(self._indexed().get(row), row.row_class)
        self._indexed()[row] = row.row_class

    def discard(self, row: Row) -> None:
        if len(self):
            self._count(self._indexed().pop(row, None), None)

    def refused(self, needs: Iterable[FactName]) -> int:
        """The number of rows for which a needed fact was denied or failed."""
        if self._counts is None:
            self._counts = Counter(row.row_class for row in self._rows)
        names = [name.value for name in needs]
        return sum(
            number
            for row_class, number in self._counts.items()
            if any(row_class.reading(name).refused for name in names)
        )

    def _indexed(self) -> dict[Row, RowClass]:
        if self._index is None:
            self._index = {row: row.row_class for row in self._rows}
            self._counts = Counter(self._index.values())
            self._rows = ()
        return self._index

    def _count(self, before: RowClass | None, after: RowClass | None) -> None:
        if self._counts is None:
            return
        if before is not None:
            self._counts[before] -= 1
        if after is not None:
            self._counts[after] += 1


_RESORT = 10_000
"""Matches up to which every keystroke sorts; more keep the order of the last sort."""


class Scope(StrEnum):
    CUSTOMER = "customer"
    AWS = "aws"
    ALL = "all"


_MANAGED_BY_AWS = {Scope.CUSTOMER: (False,), Scope.AWS: (True,), Scope.ALL: (False, True)}


class Arrangement(NamedTuple):
    """Which keys a list shows, and in which order."""

    scope: Scope
    sort: Sort
    query: Query


class Summary(NamedTuple):
    """The numbers of a list."""

    shown: int
    total: int
    """Keys in the scope."""
    undecided: int
    """Keys for which a fact that the filter needs has not been read."""
    unreadable: int
    """Keys for which that fact cannot be read."""
    names_only: int
    """Keys that a filter of words compares by alias and id only: their description has not been read."""
    arrived: int
    """Rows at the end that arrived, or began to match, after the last sort."""
    waiting: int
    """Keys held back until their aliases are listed."""
    sort_known: int
    """Shown rows whose value in the sorted column was known when they were sorted."""
    marked: int
    marked_hidden: int


class View:
    """``rows`` are the shown rows in order. New rows are added at the end and move nothing.

    Call ``update`` with each Changes of the inventory. The setters filter and sort everything anew, at once;
    ``filtering`` and its like do it in slices (see ``slices``). Until the last slice everything here is that
    of the rows shown before, and ``update`` adds to those; only ``wanted`` is what was asked for. Work that
    was begun later makes up for earlier work that is dropped.
    """

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self.rows: list[Row] = []
        self.shown = self.wanted = Arrangement(Scope.CUSTOMER, Sort(), parse("", inventory.now()))
        self.marks: set[str] = set()
        self._known_rows: list[Row] = []
        """All rows of the inventory, by name as of ``_names``; later ones stand at the end."""
        self._unordered: list[Row] = []
        """Those of them that ``_ordered`` does not have yet."""
        self._drops = self._names = -1
        self._ordered: list[Candidates] = []
        """The rows in the scope, in order and in slices."""
        self._undecided = Undecided()
        self._held: dict[RowPlace | None, dict[str, Row]] = {}
        """Of each region of an account whose aliases are being listed, the keys that wait for them."""
        self._shown_keys_now: set[str] | None = None
        self._undescribed_now: int | None = None
        """The number of shown rows that are not described; None where it is to be counted."""
        self._arrived = 0
        self._sort_known = 0
        self._is_sorted = False
        """False where everything is to be sorted anew, whatever is wanted."""
        self._updates = 0
        """The number of changes of the inventory; a fact that a filter may ask about changes with it."""
        self._filtered_at = -1
        """``_updates`` as the last filter began."""
        self._noted: set[str] | None = None
        """The keys of rows that have changed since arranging began; None while nothing is arranged."""
        self.rebuild()

    # Filter, scope and sort

    @property
    def scope(self) -> Scope:
        return self.shown.scope

    @property
    def sort(self) -> Sort:
        return self.shown.sort

    @property
    def query(self) -> Query:
        return self.shown.query

    def set_filter(self, text: str) -> None:
        """Filter by a text; a text with a mistake raises FilterError and changes nothing."""
        finish(self.filtering(text))

    def set_scope(self, scope: Scope) -> None:
        finish(self.scoping(scope))

    def set_sort(self, sort: Sort) -> None:
        finish(self.sorting(sort))

    def rebuild(self) -> None:
        """Sort and filter everything anew: rows move."""
        finish(self.rebuilding())

    def filtering(self, text: str) -> Work:
        """``set_filter`` in slices; FilterError is raised at once."""
        self.wanted = self.wanted._replace(query=parse(text, self.inventory.now()))
        return self._arranging()

    def scoping(self, scope: Scope) -> Work:
        """``set_scope`` in slices."""
        self.wanted = self.wanted._replace(scope=scope)
        return self.rebuilding()

    def sorting(self, sort: Sort) -> Work:
        """``set_sort`` in slices."""
        self.wanted = self.wanted._replace(sort=sort)
        return self.rebuilding()

    def rebuilding(self) -> Work:
        """``rebuild`` in slices."""
        self._is_sorted = False
        return self._arranging()

    def _arranging(self) -> Work:
        """Show what is wanted."""
        wanted, before, updates = self.wanted, self.query, self._updates
        noted = self._noted = set[str]()
        unnamed = self._unnamed_regions()
        narrowed: list[Candidates] | None = None
        if not self._is_sorted or updates != self._filtered_at:
            ordered = yield from self._following(wanted)
        else:
            ordered = self._ordered
            if before and wanted.query.narrows(before):
                narrowed = _in_slices([*self.rows, *self._undecided.rows()])
        found = yield from _filtered(wanted.query, ordered if narrowed is None else narrowed)
        rows = found.matches
        held: dict[RowPlace | None, dict[str, Row]] = {}
        if unnamed and not wanted.query:
            ready: list[Row] = []
            for row in rows:
                if _awaits_name(row, unnamed):
                    held.setdefault(row.place, {})[row.arn] = row
                elif _is_in(wanted.scope, row):
                    ready.append(row)
            rows = ready
        if wanted.query and len(rows) <= _RESORT:
            rows = yield from wanted.sort.sorting(sorted(rows, key=by_name))
        sort_known = yield from wanted.sort.counting_known(rows)
        shown_keys = (yield from _keys_of(rows)) if noted else None

        self.shown, self.rows, self._ordered, self._held = wanted, rows, ordered, held
        self._undecided = Undecided(found.undecided)
        self._shown_keys_now, self._undescribed_now = shown_keys, None
        self._arrived, self._sort_known = 0, sort_known
        self._is_sorted, self._filtered_at = True, updates
        self._unordered, self._noted = [], None
        if noted:
            self._append(self._arriving(noted, unnamed))

    def _following(self, wanted: Arrangement) -> Sliced[list[Candidates]]:
        """The rows in the scope as they are now: in order, or with new ones at the end of those shown."""
        resort, names = not self._is_sorted, self.inventory.names
        yield from self._take_in_new()
        if resort and names != self._names:
            self._known_rows = yield from slices.sort(self._known_rows, by_name)
            self._names = names
        aws = _MANAGED_BY_AWS[wanted.scope]
        rows: list[Row] = []
        if not resort:
            for index, each in enumerate(slices.slices(self._unordered)):
                if index:
                    yield
                rows += [row for row in each if row.row_class.aws in aws]
            return [*(Candidates(before.rows) for before in self._ordered), *_in_slices(rows)]
        for index, each in enumerate(slices.slices(self._known_rows)):
            if index:
                yield
            rows += [row for row in each if row.row_class.aws in aws and not row.row_class.gone]
        return _in_slices((yield from wanted.sort.sorting(rows)))

    def _take_in_new(self) -> Sliced[None]:
        """Bring ``_known_rows`` up to date."""
        drops, known = self.inventory.drops, self._known_rows
        if drops != self._drops:
            rows = self.inventory.rows()
            present, there = set(rows), set(known)
            if len(rows) > slices.SLICE:
                yield
            self._known_rows = known = [row for row in known if row in present]
            self._unordered = [row for row in self._unordered if row in present]
            self._ordered = [
                Candidates([row for row in each.rows if row in present]) for each in self._ordered
            ]
            if len(rows) > slices.SLICE:
                yield
            self.marks = {row_key for row_key in self.marks if self.inventory.row(row_key) is not None}
            new = [row for row in rows if row not in there]
        elif len(self.inventory) > len(known):
            new = self.inventory.rows()[len(known) :]
        else:
            return
        new = yield from slices.sort(new, by_name)
        known += new
        self._unordered += new
        self._drops = drops

    # Changes of the inventory

    def update(self, changes: Changes) -> bool:
        """Apply changes of the inventory; return whether rows were added at the end."""
        unnamed = self._unnamed_regions()
        arriving = self._arriving(changes.rows, unnamed)
        if self._noted is not None:
            self._noted |= changes.rows
        if changes.listing:
            arriving += self._newly_named(unnamed)
        self._updates += bool(changes.rows) or changes.listing
        return self._append(arriving)

    @property
    def waiting(self) -> int:
        """The number of keys held back until their aliases are listed."""
        return sum(map(len, self._held.values()))

    def release(self) -> bool:
        """Show the keys that wait for their aliases; return whether there were any."""
        return self._append([row for place in list(self._held) for row in self._released(place)])

    # Marks

    def toggle_mark(self, row_key: str) -> None:
        self.marks ^= {row_key}

    def mark(self, row_keys: Iterable[str]) -> None:
        self.marks.update(row_keys)

    def mark_shown(self) -> None:
        """Mark every row that is shown."""
        self.marks |= self._shown_keys()

    def clear_marks(self) -> None:
        self.marks.clear()

    def hidden_marks(self) -> frozenset[str]:
        """The marks of rows that are not shown."""
        return frozenset(self.marks - self._shown_keys()) if self.marks else frozenset()

    # Numbers

    def summary(self) -> Summary:
        tallies = [self.inventory.tally(aws=aws) for aws in _MANAGED_BY_AWS[self.scope]]
        total = sum(tally.keys for tally in tallies)
        refused = self._undecided.refused(self.query.needs)
        return Summary(
            len(self.rows),
            total,
            len(self._undecided) - refused,
            refused,
            self._names_only(total - sum(tally.described for tally in tallies)),
            self._arrived,
            self.waiting,
            self._sort_known if COLUMNS[self.sort.column].needs else len(self.rows),
            len(self.marks),
            len(self.hidden_marks()),
        )

    def _names_only(self, undescribed: int) -> int:
        if not (self.query and self.query.words_only and undescribed):
            return 0
        if self._undescribed_now is None:
            shown = [row for row in self.rows if row.row_class.described is not Reading.KNOWN]
            self._undescribed_now = len(shown)
        return max(0, undescribed - self._undescribed_now)

    def values(self) -> dict[str, list[str]]:
        """Values of this account for completion in a filter: its regions, and the tags read so far."""
        tagged = {row_class for row_class in self.inventory.row_classes() if row_class.tags is Reading.KNOWN}
        tags = {
            f"{tag.key}={tag.value}"
            for row in (self.inventory.rows() if tagged else ())
            if isinstance(row.tags, Known)
            for tag in row.tags.value
        }
        return {
            "region": list(self.inventory.region_names),
            "account": [account.name for account in self.inventory.accounts if account.name],
            "tag": sorted(tags),
        }

    # Facts still to be read

    @property
    def missing(self) -> Missing:
        """The next fact of a row that the filter, then the sort, needs."""
        by_filter, holds = self.query.missing, self.query.holds
        by_sort = missing_of(*COLUMNS[self.sort.column].needs)

        def missing(row: Row) -> FactName | None:
            return by_filter(row) or (by_sort(row) if holds(row) else None)

        return missing

    def read_missing(self) -> None:
        """Read what the filter and the sort need, in the order of the list."""
        by_sort, by_filter = COLUMNS[self.sort.column].needs, self.query.needs
        rows = self._unread(self.rows, by_sort) + self._unread(self._undecided.rows(), by_filter)
        if rows:
            self.inventory.demand(rows, self.missing, usage=FactName.LAST_USAGE in {*by_sort, *by_filter})
        else:
            self.inventory.cancel_demand()

    def _unread(self, rows: Sequence[Row], needs: Iterable[FactName]) -> list[Row]:
        names = [name.value for name in needs]
        unread = {
            row_class
            for row_class in self.inventory.row_classes()
            if any(row_class.reading(name) is Reading.PENDING for name in names)
        }
        return [row for row in rows if row.row_class in unread] if unread else []

    def _arriving(self, row_keys: Iterable[str], unnamed: Collection[RowPlace | None]) -> list[Row]:
        """Those of the changed rows that begin to be shown."""
        shown = self._shown_keys()
        rows = [self.inventory.row(row_key) for row_key in row_keys if row_key not in shown]
        return [row for row in rows if row is not None and self._admits(row, unnamed)]

    def _shown_keys(self) -> set[str]:
        if self._shown_keys_now is None:
            self._shown_keys_now = {row.arn for row in self.rows}
        return self._shown_keys_now

    def _admits(self, row: Row, unnamed: Collection[RowPlace | None]) -> bool:
        """Whether a row that is not shown belongs on the list now."""
        awaits_name = _awaits_name(row, unnamed)
        if row.gone or not _is_in(self.scope, row):
            self._held.get(row.place, {}).pop(row.arn, None)
            return False
        verdict = self.query.holds(row)
        if verdict is None:
            self._undecided.put(row)
            return False
        self._undecided.discard(row)
        if verdict and not self.query and awaits_name:
            self._held.setdefault(row.place, {})[row.arn] = row
            return False
        self._held.get(row.place, {}).pop(row.arn, None)
        return verdict

    def _append(self, rows: list[Row]) -> bool:
        """Show these too; ends each update, in which rows that are shown may have changed."""
        self._undescribed_now = None
        rows.sort(key=by_name)
        self._shown_keys().update(row.arn for row in rows)
        if rows and self._out_of_order(rows[0]):
            self._arrived += len(rows)
        self.rows.extend(rows)
        return bool(rows)

    def _out_of_order(self, row: Row) -> bool:
        if not self.rows:
            return False
        return self.sort != Sort() or self._arrived > 0 or row.sort_name < self.rows[-1].sort_name

    # Keys wait while their region's aliases are listed, so that names come in order and do not move, and
    # whether AWS manages them is known. The listing goes on meanwhile, on another thread: which regions are
    # being listed is asked first, then whether a row has a name, and last who manages it.

    def _unnamed_regions(self) -> set[RowPlace | None]:
        return {region for region in self.inventory.regions if region.aliases is LOADING}

    def _newly_named(self, unnamed: Collection[RowPlace | None]) -> list[Row]:
        """The keys that wait no longer, as the aliases of their region are listed."""
        return [row for place in self._held.keys() - unnamed for row in self._released(place)]

    def _released(self, place: RowPlace | None) -> list[Row]:
        return [row for row in self._held.pop(place).values() if _is_in(self.scope, row)]


def _filtered(query: Query, candidates: list[Candidates]) -> Sliced[FilterResult]:
    found = FilterResult([], [])
    for index, each in enumerate(candidates):
        if index and query:
            yield
        matches, undecided = query.apply(each) if query else (each.rows, ())
        found.matches.extend(matches)
        found.undecided.extend(undecided)
    return found


def _keys_of(rows: list[Row]) -> Sliced[set[str]]:
    keys: set[str] = set()
    for index, each in enumerate(slices.slices(rows)):
        if index:
            yield
        keys.update(row.arn for row in each)
    return keys


def _in_slices(rows: list[Row]) -> list[Candidates]:
    return [Candidates(each) for each in slices.slices(rows)]


def _is_in(scope: Scope, row: Row) -> bool:
    """Whether a row is in a scope by its facts; its class and ``aws`` follow these a moment later."""
    return row.managed_by_aws(row.key) in _MANAGED_BY_AWS[scope]


def _awaits_name(row: Row, unnamed: Collection[RowPlace | None]) -> bool:
    return not row.aliases and row.place in unnamed
