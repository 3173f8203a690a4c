"""The requests that a kind of caller can make, as variables with a finite set of values each.

A variable is one condition key, or several that depend on each other: those of the caller, of the sign-in, of
the time, and keys that policy variables link.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from itertools import product
from math import prod
from operator import and_, or_

from kms_tui.policy import linked_keys
from kms_tui.policy.choices import CALLER_NUMBER, GROUPS, ValueChoice, ValueQuestion, choices
from kms_tui.policy.conditions import ConditionTest, Resolve
from kms_tui.policy.document import Statement
from kms_tui.policy.evaluation import named_via, no_value
from kms_tui.policy.request_setting import Assignment, RequestSetting, Values
from kms_tui.policy.search import Budget, Literal

MAX_TOGETHER = 200_000
"""Linked keys with more combinations of values get fewer values, and in the end count as open."""
LINKED_VALUES = (30, 16, 10, 6)
MAX_MEMBERS = 6
"""More linked keys than this count as open: even few values of each are too many combinations."""


class RequestVariable:
    """The values of one key, or of several together: one choice of each of its parts.

    A mask has a bit for each combination of choices; ``possible`` and ``plain`` are masks.
    """

    def __init__(self, parts: Sequence[Sequence[ValueChoice]]) -> None:
        self.parts = parts
        self.size = prod(map(len, parts))
        self.all = (1 << self.size) - 1
        self._units = list(self._masks())
        self.possible = self._where(lambda choice: choice.possible)
        self.plain = self._where(lambda choice: choice.plain)

    def _masks(self) -> Iterator[list[int]]:
        """For each part, the mask of every one of its choices."""
        stride = 1
        for part in self.parts:
            period = stride * len(part)
            # One bit at the start of each period, times the run of bits that a choice has in it.
            starts = self.all // ((1 << period) - 1)
            run = (1 << stride) - 1
            yield [starts * (run << (stride * number)) for number in range(len(part))]
            stride = period

    def _where(self, chosen: Callable[[ValueChoice], bool]) -> int:
        mask = self.all
        for part, units in zip(self.parts, self._units, strict=True):
            mask &= _union(unit for choice, unit in zip(part, units, strict=True) if chosen(choice))
        return mask

    def split(self, keys: Sequence[str]) -> list[tuple[list[str], dict[tuple[Values, ...], int]]]:
        """The parts with some of these keys: the keys, and the mask of each of their values."""
        found: list[tuple[list[str], dict[tuple[Values, ...], int]]] = []
        for part, units in zip(self.parts, self._units, strict=True):
            held = [key for key in keys if key in part[0].values]
            masks: dict[tuple[Values, ...], int] = {}
            for choice, unit in zip(part, units, strict=True):
                values = tuple(choice.values.get(key) for key in held)
                masks[values] = masks.get(values, 0) | unit
            if held:
                found.append((held, masks))
        return found


def _union(masks: Iterable[int]) -> int:
    return reduce(or_, masks, 0)


@dataclass
class RequestSpace:
    """The variables of a setting, made as conditions need them; ``tests`` are all the policy's conditions."""

    setting: RequestSetting
    tests: Mapping[str, Sequence[ConditionTest]]
    budget: Budget
    answers: dict[tuple[object, ...], bool] = field(default_factory=dict)
    """Results of conditions with policy variables by their values, shared by all request spaces."""
    pieces: dict[ConditionTest, Sequence[ConditionTest]] = field(default_factory=dict)
    """The conditions' parts, shared likewise."""
    variables: list[RequestVariable] = field(default_factory=list)
    _index: dict[str, int] = field(default_factory=dict)
    _masks: dict[ConditionTest, Literal] = field(default_factory=dict)
    _alone: dict[str, list[ValueChoice]] = field(default_factory=dict)
    _single: dict[str, list[Values]] = field(default_factory=dict)
    _further: dict[Sequence[str], Mapping[str, Sequence[str]]] = field(default_factory=dict)
    _open: dict[tuple[object, ...], int] = field(default_factory=dict)

    def domains(self, *, plain: bool = False) -> list[int]:
        """The choices of the variables that there are by now: ask for the literals first."""
        return [variable.plain if plain else variable.possible for variable in self.variables]

    def statement(self, statement: Statement, *, any_principal: bool = False) -> list[Literal] | None:
        """The literals that must be true for the statement to apply; None if it never does: then what follows
        the first one that never holds is not worked out.
        """
        self.budget.spend(20)
        found: list[Literal] = []
        for index, mask in self._literals(statement, any_principal=any_principal):
            if not mask:
                return None
            if mask != self._all(index):
                found.append((index, mask))
        return found

    def _literals(self, statement: Statement, *, any_principal: bool) -> Iterator[Literal]:
        if not any_principal:
            yield self._principals(statement)
        yield from map(self.condition, statement.conditions)

    def negated(self, literal: Literal) -> Literal:
        return literal[0], self._all(literal[0]) & ~literal[1]

    def _all(self, variable: int) -> int:
        return self.variables[variable].all

    def _principals(self, statement: Statement) -> Literal:
        """The callers that the statement names."""
        index = self._variable("caller")
        admitted: set[str] = set()
        for number, caller in enumerate(self.setting.callers):
            self.budget.spend(4 + 2 * len(statement.principals))
            if named_via(statement, caller) is not None:
                admitted.add(str(number))
        ((_, numbers),) = self.variables[index].split([CALLER_NUMBER])
        return index, _union(mask for (values,), mask in numbers.items() if values and values[0] in admitted)

    def condition(self, test: ConditionTest) -> Literal:
        """The choices for which a condition is true."""
        if test not in self._masks:
            self._masks[test] = self._condition(test)
        return self._masks[test]

    def _condition(self, test: ConditionTest) -> Literal:
        """Each part of a condition is evaluated alone, with the keys of its policy variable."""
        pieces = self.pieces.get(test)
        if pieces is None:
            self.budget.spend(200 * len(test.templates))
            pieces = self.pieces[test] = test.pieces()
        literals = [self._piece(piece) for piece in pieces]
        if len({index for index, _ in literals}) > 1:
            return self._undecided(test)
        masks = [mask for _, mask in literals]
        return literals[0][0], reduce(and_, masks) if test.operator.base.negated else _union(masks)

    def _piece(self, test: ConditionTest) -> Literal:
        index = self._variable(_group(test.key))
        variable = self.variables[index]
        parts = variable.split((test.key, *test.references))
        here = {key for held, _ in parts for key in held}
        fixed: dict[str, Values] = {}
        for key in test.references - here:
            found = self._values(key)
            if len(found) == 1:
                fixed[key] = found[0]
            elif any(self._values(test.key)):
                return self._undecided(test)
        mask = 0
        for chosen in product(*(masks.items() for _, masks in parts)):
            values = dict(fixed)
            where = variable.all
            for (held, _), (each, unit) in zip(parts, chosen, strict=True):
                values.update(zip(held, each, strict=True))
                where &= unit
            self.budget.spend(5 + variable.size // 4000)
            if self._holds(test, values):
                mask |= where
        return index, mask

    def _holds(self, test: ConditionTest, values: Mapping[str, Values]) -> bool:
        """Whether a condition is true for these values; results with policy variables are cached."""
        if not test.references:
            self.budget.spend(test.weight)
            return test.holds(values.get(test.key), no_value)
        question = (test, values.get(test.key), *map(values.get, sorted(test.references)))
        if question not in self.answers:
            self.budget.spend(test.weight)
            self.answers[question] = test.holds(values.get(test.key), _resolver(values))
        return self.answers[question]

    def _undecided(self, test: ConditionTest) -> Literal:
        """A condition on keys with too many links: true or false, the same as all conditions like it."""
        operator, base = test.operator, test.operator.base
        question = (test.key, base.family, base.ignore_case, operator.qualifier, frozenset(test.templates))
        index = self._open.get(question)
        if index is None:
            index = self._open[question] = len(self.variables)
            either = [ValueChoice({"": ("true",)}, plain=True), ValueChoice({"": None}, plain=True)]
            self.variables.append(RequestVariable([either]))
        return index, 0b10 if base.negated else 0b01

    def _values(self, key: str) -> list[Values]:
        """The values that a key can have, each once."""
        if key not in self._single:
            name = _group(key)
            if name not in self._alone:
                self.budget.spend(150)
                self._alone[name] = choices(ValueQuestion(self.setting, self.tests, self.budget, name))
            self.budget.spend(len(self._alone[name]))
            values = (choice.values.get(key) for choice in self._alone[name])
            self._single[key] = list(dict.fromkeys(values))
        return self._single[key]

    @cached_property
    def _linked(self) -> Mapping[str, tuple[str, ...]]:
        """Names of variables that policy variables link, each with all names linked to it."""
        return linked_keys.components(
            (_group(test.key), _group(key))
            for test in self._templated
            for key in test.references
            if _group(key) != _group(test.key)
            if len(self._values(key)) > 1 and any(self._values(test.key))
        )

    def _variable(self, name: str) -> int:
        if name not in self._index:
            self.budget.spend(150)
            members, variable = self._make(name)
            self._index.update(dict.fromkeys(members, len(self.variables)))
            self.variables.append(variable)
        return self._index[name]

    def _make(self, name: str) -> tuple[Sequence[str], RequestVariable]:
        """The variable of a name and of all names linked to it; and those names."""
        members = self._linked.get(name, (name,))
        for most in LINKED_VALUES if len(members) <= MAX_MEMBERS else ():
            found = [self._choices(each, members, most) for each in members]
            size = prod(map(len, found))
            self.budget.spend(20 * sum(map(len, found)))
            if size <= MAX_TOGETHER:
                self.budget.spend(size // 200)
                return members, RequestVariable(found)
        return (name,), RequestVariable([self._choices(name, (name,), LINKED_VALUES[0])])

    def _choices(self, name: str, members: Sequence[str], most: int) -> list[ValueChoice]:
        """The choices of a name, with at most ``most`` further values for each linked key."""
        if members not in self._further:
            asking = [test for test in self._templated if _group(test.key) in members]
            self._further[members] = (
                linked_keys.linked_values(asking, self._values, self.budget) if asking else {}
            )
        linked = {key: values[:most] for key, values in self._further[members].items()}
        return choices(ValueQuestion(self.setting, self.tests, self.budget, name, linked))

    @cached_property
    def _templated(self) -> list[ConditionTest]:
        """The conditions with policy variables."""
        return [test for tests in self.tests.values() for test in tests if test.references]


def _group(key: str) -> str:
    """The name of the variable that a key belongs to."""
    return GROUPS.get(key, key)


def _resolver(values: Assignment) -> Resolve:
    def resolve(key: str) -> str | None:
        found = values.get(key)
        return found[0] if found and len(found) == 1 else None

    return resolve
