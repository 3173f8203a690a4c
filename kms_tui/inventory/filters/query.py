"""A compiled filter: the rows that match it, and the facts that it needs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
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
    """Rows in order, with their classes as they are now: made anew after a row has changed.

    Reading 100,000 rows one by one takes ten times as long as reading a list of their classes.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows

    @cached_property
    def _class_of_each(self) -> list[RowClass]:
        return [row.row_class for row in self.rows]

    @cached_property
    def row_classes(self) -> frozenset[RowClass]:
        return frozenset(self._class_of_each)

    def of_classes(self, row_classes: Collection[RowClass]) -> Sequence[Row]:
        """The rows of these classes, a part of ``row_classes``."""
        if not row_classes:
            return []
        if len(row_classes) == len(self.row_classes):
            return self.rows
        return list(compress(self.rows, map(row_classes.__contains__, self._class_of_each)))


_COST = tuple(FactName)


class FilterResult(NamedTuple):
    """``undecided`` are the rows for which a fact that decides is not known."""

    matches: list[Row]
    undecided: list[Row]


@dataclass(frozen=True, slots=True)
class _Condition:
    term: Term
    test: RowTest
    needs: tuple[FactName, ...]

    def narrows(self, other: _Condition) -> bool:
        return self.term == other.term or (
            self.term.field == other.term.field and self.test.narrows(other.test)
        )


class _Verdicts(dict[RowClass, Verdict]):
    """The verdict of all conditions together about a class."""

    def __init__(self, conditions: Sequence[_Condition]) -> None:
        super().__init__()
        self._conditions = conditions

    def __missing__(self, row_class: RowClass) -> Verdict:
        verdicts = [condition.test.of_class(row_class) for condition in self._conditions]
        if any(verdict is False for verdict in verdicts):
            together: Verdict = False
        else:
            depends = (verdict for verdict in verdicts if isinstance(verdict, Depends))
            together = next(depends, None if None in verdicts else True)
        self[row_class] = together
        return together


class Query:
    """All terms must hold. A fact that is not known leaves a row undecided: it neither matches nor fails."""

    def __init__(self, text: str, words: list[tuple[str, bool]], conditions: list[_Condition]) -> None:
        self.text = text
        self._words = words
        self.words = tuple(word for word, negated in words if not negated)
        """The words to find, in lower case, for highlighting."""
        # The cheapest fact comes first, and may make the rest needless.
        self._conditions = sorted(
            conditions, key=lambda condition: [_COST.index(name) for name in condition.needs]
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
        """Whether it is decided without reading any fact."""
        return not self._conditions

    def holds(self, row: Row) -> bool | None:
        """True, False, or None where a fact that decides is not known."""
        for word, negated in self._words:
            if (word in row.search_text) is negated:
                return False
        verdict = self._verdicts[row.row_class]
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
        """The next fact to read to decide about this row; None if it is decided, or cannot be."""
        if self.holds(row) is not None:
            return None
        for condition in self._conditions:
            if condition.test.holds(row) is None:
                name = missing_of(*condition.needs)(row)
                if name is not None:
                    return name
        return None

    def apply(self, candidates: Candidates) -> FilterResult:
        """The rows that match and those that it cannot decide, in the order given."""
        if not self._conditions:
            return FilterResult(self._with_words(candidates.rows), [])
        verdicts = {row_class: self._verdicts[row_class] for row_class in candidates.row_classes}
        matches = self._with_words(
            candidates.of_classes({row_class for row_class, verdict in verdicts.items() if verdict})
        )
        undecided_classes = {row_class for row_class, verdict in verdicts.items() if verdict is None}
        undecided = self._with_words(candidates.of_classes(undecided_classes))
        if Depends.ON_ROW not in verdicts.values():
            return FilterResult(matches, undecided)
        judged = self._judge(matches)
        return FilterResult(judged.matches, judged.undecided + undecided)

    def _with_words(self, rows: Sequence[Row]) -> list[Row]:
        left = list(rows)
        for word, negated in self._words:
            if negated:
                left = [row for row in left if word not in row.search_text]
            else:
                left = [row for row in left if word in row.search_text]
        return left

    def _judge(self, rows: list[Row]) -> FilterResult:
        matches, undecided = rows, list[Row]()
        for condition in self._conditions:
            verdicts = condition.test.judge(matches)
            unknown = [row for row, verdict in zip(matches, verdicts, strict=True) if verdict is None]
            matches = [row for row, verdict in zip(matches, verdicts, strict=True) if verdict]
            undecided = [row for row in undecided if condition.test.holds(row) is not False] + unknown
        return FilterResult(matches, undecided)

    def narrows(self, other: Query) -> bool:
        """Whether every row that matches this matched ``other`` or was undecided there."""
        return all(any(new.narrows(old) for new in self._conditions) for old in other._conditions) and all(
            any(old in new if not negated else old == new for new, same in self._words if same is negated)
            for old, negated in other._words
        )


def _word(value: str) -> str:
    """The word to find: people paste whole ARNs and alias names, too."""
    if value.startswith("arn:"):
        value = value.split(":", 5)[-1].removeprefix("key/")
    return value.removeprefix("alias/").lower()


def parse(text: str, now: datetime) -> Query:
    """Compile a filter; FilterError says what is wrong, and where."""
    terms = [term for term in split(text) if term.field or term.value]
    words = [(_word(term.value), term.negated) for term in terms if not term.field]
    return Query(text, words, [_condition(term, now) for term in terms if term.field])


def without_faults(text: str) -> str:
    """The filter without the terms that cannot be understood, such as one that is not typed to its end."""
    faulty = [term for term in split(text) if term.field and not _is_understood(term)]
    for term in reversed(faulty):
        text = text[: term.start] + text[term.end :]
    return text


def _is_understood(term: Term) -> bool:
    try:
        _condition(term, _ANY_MOMENT)
    except FilterError:
        return False
    return True


_ANY_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
"""Whether a term is understood does not depend on the time."""


def _condition(term: Term, now: datetime) -> _Condition:
    field = FIELDS.get(term.field)
    if field is None:
        raise FilterError(
            f'there is no field "{term.field}"; there are {", ".join(FIELDS)}. '
            f"To look for the text itself, put it in quotes.",
            term.start,
            term.end,
        )
    try:
        test = field.compile(term.value, now)
    except ValueError as error:
        raise FilterError(f"{term.field}: {error}", term.value_start, term.end) from error
    return _Condition(term, test.negated() if term.negated else test, field.needs)
