"""A compiled filter: which rows it lets through, and which facts it still needs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import compress
from typing import NamedTuple

from kms_tui.inventory.fact_reader import missing_of
from kms_tui.inventory.filters.filter_fields import FIELDS
from kms_tui.inventory.filters.syntax import FilterError, Term, split
from kms_tui.inventory.filters.value_tests import Depends, RowTest, Verdict
from kms_tui.inventory.row import FactName, Row
from kms_tui.inventory.row_class import RowClass


class Candidates:
    """Rows in order, as they are now: to be made anew once a row has changed.

    To look at each of 100,000 rows costs ten times what a list of their kinds does.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows

    @cached_property
    def _kind_of_each(self) -> list[RowClass]:
        return [row.kind for row in self.rows]

    @cached_property
    def kinds(self) -> frozenset[RowClass]:
        return frozenset(self._kind_of_each)

    def of_kinds(self, kinds: Collection[RowClass]) -> Sequence[Row]:
        """The rows of these kinds, which are some of ``kinds``."""
        if not kinds:
            return []
        if len(kinds) == len(self.kinds):
            return self.rows
        return list(compress(self.rows, map(kinds.__contains__, self._kind_of_each)))


_COST = tuple(FactName)


class Sifted(NamedTuple):
    """``maybe`` are the rows for which a fact that decides is not known."""

    yes: list[Row]
    maybe: list[Row]


@dataclass(frozen=True, slots=True)
class _Condition:
    term: Term
    test: RowTest
    needs: tuple[FactName, ...]

    @classmethod
    def of(cls, term: Term, now: datetime) -> _Condition:
        field = FIELDS[term.field]
        test = field.compile(term.value, now)
        return cls(term, test.negated() if term.negated else test, field.needs)


class _Verdicts(dict[RowClass, Verdict]):
    """What all conditions together say of a kind."""

    def __init__(self, conditions: Sequence[_Condition]) -> None:
        super().__init__()
        self._conditions = conditions

    def __missing__(self, kind: RowClass) -> Verdict:
        verdicts = [condition.test.of_kind(kind) for condition in self._conditions]
        if any(verdict is False for verdict in verdicts):
            together: Verdict = False
        else:
            depends = (verdict for verdict in verdicts if isinstance(verdict, Depends))
            together = next(depends, None if None in verdicts else True)
        self[kind] = together
        return together


class Query:
    """All terms must hold. A fact that is not known leaves a row undecided: it is neither in nor out."""

    def __init__(self, text: str, terms: Sequence[Term], now: datetime) -> None:
        self.text = text
        self._words = [(_word(term.value), term.negated) for term in terms if not term.field]
        self.words = tuple(word for word, negated in self._words if not negated)
        """What it looks for, in lower case: to be pointed out where it is found."""
        self._conditions = sorted(
            (_Condition.of(term, now) for term in terms if term.field),
            # What costs least to know comes first, and may make the rest needless.
            key=lambda condition: [_COST.index(name) for name in condition.needs],
        )
        self._verdicts = _Verdicts(self._conditions)

    def __bool__(self) -> bool:
        return bool(self._words or self._conditions)

    @property
    def needs(self) -> frozenset[FactName]:
        """The facts that its conditions ask about."""
        return frozenset(name for condition in self._conditions for name in condition.needs)

    @property
    def words_only(self) -> bool:
        """Whether it can be decided by what is already there, and asks for nothing to be read."""
        return not self._conditions

    def holds(self, row: Row) -> bool | None:
        """True, False, or None where a fact that decides is not known."""
        for word, negated in self._words:
            if (word in row.search_text) is negated:
                return False
        verdict = self._verdicts[row.kind]
        return self._of_row(row) if isinstance(verdict, Depends) else verdict

    def _of_row(self, row: Row) -> bool | None:
        together: bool | None = True
        for condition in self._conditions:
            verdict = condition.test.holds(row)
            if verdict is False:
                return False
            if verdict is None:
                together = None
        return together

    def missing(self, row: Row) -> FactName | None:
        """The next fact to read to decide about this row; None where it is decided, or cannot be."""
        if self.holds(row) is not None:
            return None
        for condition in self._conditions:
            if condition.test.holds(row) is None:
                name = missing_of(*condition.needs)(row)
                if name is not None:
                    return name
        return None

    def sift(self, candidates: Candidates) -> Sifted:
        """The rows that it lets through and those that it cannot decide, in the order given."""
        if not self._conditions:
            return Sifted(self._with_words(candidates.rows), [])
        verdicts = {kind: self._verdicts[kind] for kind in candidates.kinds}
        yes = self._with_words(candidates.of_kinds({kind for kind, verdict in verdicts.items() if verdict}))
        open_kinds = {kind for kind, verdict in verdicts.items() if verdict is None}
        maybe = self._with_words(candidates.of_kinds(open_kinds))
        if Depends.ON_ROW not in verdicts.values():
            return Sifted(yes, maybe)
        judged = self._judge(yes)
        return Sifted(judged.yes, judged.maybe + maybe)

    def _with_words(self, rows: Sequence[Row]) -> list[Row]:
        left = list(rows)
        for word, negated in self._words:
            if negated:
                left = [row for row in left if word not in row.search_text]
            else:
                left = [row for row in left if word in row.search_text]
        return left

    def _judge(self, rows: list[Row]) -> Sifted:
        yes, maybe = rows, list[Row]()
        for condition in self._conditions:
            verdicts = condition.test.judge(yes)
            undecided = [row for row, verdict in zip(yes, verdicts, strict=True) if verdict is None]
            yes = [row for row, verdict in zip(yes, verdicts, strict=True) if verdict]
            maybe = [row for row in maybe if condition.test.holds(row) is not False] + undecided
        return Sifted(yes, maybe)

    def narrows(self, other: Query) -> bool:
        """Whether every row that this lets through is one that ``other`` let through or left undecided."""
        terms = {condition.term for condition in self._conditions}
        return all(condition.term in terms for condition in other._conditions) and all(
            any(old in new if not negated else old == new for new, same in self._words if same is negated)
            for old, negated in other._words
        )


def _word(value: str) -> str:
    """What to look for: people paste whole ARNs and alias names as well."""
    if value.startswith("arn:"):
        value = value.split(":", 5)[-1].removeprefix("key/")
    return value.removeprefix("alias/").lower()


def parse(text: str, now: datetime) -> Query:
    """Understand a filter; FilterError says what is wrong, and where."""
    terms = [term for term in split(text) if term.field or term.value]
    for term in terms:
        if term.field and term.field not in FIELDS:
            raise FilterError(
                f'there is no field "{term.field}"; there are {", ".join(FIELDS)}. '
                f"To look for the text itself, put it in quotes.",
                term.start,
                term.end,
            )
        if term.field:
            try:
                FIELDS[term.field].compile(term.value, now)
            except ValueError as error:
                raise FilterError(f"{term.field}: {error}", term.value_start, term.end) from error
    return Query(text, terms, now)
