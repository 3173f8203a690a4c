"""A filter that has been understood: which rows it lets through, and what it has still to know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from kms_tui.inventory.filters.fields import FIELDS, Test
from kms_tui.inventory.filters.syntax import FilterError, Term, split
from kms_tui.inventory.reading import missing_of
from kms_tui.inventory.row import FactName, Row


class Sifted(NamedTuple):
    """``maybe`` are the rows for which a fact that decides is not known."""

    yes: list[Row]
    maybe: list[Row]


@dataclass(frozen=True, slots=True)
class _Condition:
    term: Term
    holds: Test
    needs: tuple[FactName, ...]

    @classmethod
    def of(cls, term: Term, now: datetime) -> _Condition:
        field = FIELDS[term.field]
        test = field.compile(term.value, now)
        return cls(term, _negated(test) if term.negated else test, field.needs)


def _negated(test: Test) -> Test:
    def holds(row: Row) -> bool | None:
        verdict = test(row)
        return None if verdict is None else not verdict

    return holds


class Query:
    """All terms must hold. A fact that is not known leaves a row undecided: it is neither in nor out."""

    def __init__(self, text: str, terms: Sequence[Term], now: datetime) -> None:
        self.text = text
        self.words = tuple(_word(term.value) for term in terms if not term.field and not term.negated)
        """What it looks for, in lower case: to be pointed out where it is found."""
        self._words = [(_word(term.value), term.negated) for term in terms if not term.field]
        self._conditions = [_Condition.of(term, now) for term in terms if term.field]
        # What costs least to know comes first, and may make the rest needless.
        self._conditions.sort(key=lambda condition: [_COST.index(name) for name in condition.needs])

    @property
    def needs(self) -> frozenset[FactName]:
        """The facts that its conditions ask about."""
        return frozenset(name for condition in self._conditions for name in condition.needs)

    @property
    def words_only(self) -> bool:
        """Whether it can be decided by what is already there, and asks for nothing to be read."""
        return not self._conditions

    def __bool__(self) -> bool:
        return bool(self._words or self._conditions)

    def holds(self, row: Row) -> bool | None:
        """True, False, or None where a fact that decides is not known."""
        for word, negated in self._words:
            if (word in row.haystack) is negated:
                return False
        verdicts = [condition.holds(row) for condition in self._conditions]
        if False in verdicts:
            return False
        return None if None in verdicts else True

    def missing(self, row: Row) -> FactName | None:
        """The next fact to read to decide about this row; None where it is decided, or cannot be."""
        if self.holds(row) is not None:
            return None
        for condition in self._conditions:
            if condition.holds(row) is None:
                name = missing_of(*condition.needs)(row)
                if name is not None:
                    return name
        return None

    def sift(self, rows: Sequence[Row]) -> Sifted:
        """The rows that it lets through and those that it cannot decide, in the order given."""
        yes = list(rows)
        maybe: list[Row] = []
        for word, negated in self._words:
            if negated:
                yes = [row for row in yes if word not in row.haystack]
            else:
                yes = [row for row in yes if word in row.haystack]
        for condition in self._conditions:
            holds = condition.holds
            verdicts = list(map(holds, yes))
            maybe = [row for row in maybe if holds(row) is not False]
            maybe += [row for row, verdict in zip(yes, verdicts, strict=True) if verdict is None]
            yes = [row for row, verdict in zip(yes, verdicts, strict=True) if verdict]
        return Sifted(yes, maybe)

    def narrows(self, other: Query) -> bool:
        """Whether every row that this lets through is one that ``other`` let through or left undecided."""
        terms = {condition.term for condition in self._conditions}
        return all(condition.term in terms for condition in other._conditions) and all(
            any(old in new if not negated else old == new for new, same in self._words if same is negated)
            for old, negated in other._words
        )


_COST = tuple(FactName)


def _word(value: str) -> str:
    """What to look for: people paste whole ARNs and alias names as well."""
    if value.startswith("arn:"):
        value = value.split(":", 5)[-1].removeprefix("key/")
    return value.removeprefix("alias/").lower()


def parse(text: str, now: datetime) -> Query:
    """Understand a filter; FilterError says what is wrong, and where."""
    terms = [term for term in split(text) if term.field or term.value]
    for term in terms:
        if not term.field:
            continue
        if term.field not in FIELDS:
            raise FilterError(
                f'there is no field "{term.field}"; the fields are {", ".join(FIELDS)}. '
                f"To look for the text itself, put it in quotes.",
                term.start,
                term.end,
            )
        try:
            FIELDS[term.field].compile(term.value, now)
        except ValueError as error:
            raise FilterError(f"{term.field}: {error}", term.value_start, term.end) from error
    return Query(text, terms, now)
