"""The requests that a kind of caller can make, as variables that can each take finitely many values.

A variable stands for one condition key, or for several that go together: who is calling, how they signed in,
the time, and keys that policy variables tie to each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from math import prod

from kms_tui.policy import ties
from kms_tui.policy.choices import CALLER_NUMBER, GROUPS, Choice, Question, choices
from kms_tui.policy.conditions import Resolve, Test
from kms_tui.policy.document import Statement
from kms_tui.policy.evaluation import named
from kms_tui.policy.search import Budget, Literal
from kms_tui.policy.setting import Assignment, Setting, Values

MAX_TOGETHER = 5000
"""Tied keys with more combinations of values than this are taken to be open, one by one."""


@dataclass(slots=True)
class Variable:
    """Choices of values; ``possible`` and ``plain`` are masks of them."""

    choices: list[Assignment]
    possible: int = 0
    plain: int = 0


@dataclass
class Circumstances:
    """The variables of a setting, made as conditions ask for them; ``tests`` are all the policy's
    conditions.
    """

    setting: Setting
    tests: Mapping[str, Sequence[Test]]
    budget: Budget
    variables: list[Variable] = field(default_factory=list)
    _index: dict[str, int] = field(default_factory=dict)
    _masks: dict[Test, Literal] = field(default_factory=dict)
    _alone: dict[str, list[Choice]] = field(default_factory=dict)
    _open: dict[tuple[object, ...], int] = field(default_factory=dict)

    def domains(self, *, plain: bool = False) -> list[int]:
        return [variable.plain if plain else variable.possible for variable in self.variables]

    def statement(self, statement: Statement, *, any_principal: bool = False) -> list[Literal] | None:
        """What must be true for the statement to apply; None if it never does."""
        self.budget.spend(20)
        literals = [] if any_principal else [self._principals(statement)]
        literals += [self.condition(test) for test in statement.conditions]
        if any(not mask for _, mask in literals):
            return None
        return [literal for literal in literals if literal[1] != self._all(literal[0])]

    def negated(self, literal: Literal) -> Literal:
        return literal[0], self._all(literal[0]) & ~literal[1]

    def _all(self, variable: int) -> int:
        return (1 << len(self.variables[variable].choices)) - 1

    def _principals(self, statement: Statement) -> Literal:
        """The callers that the statement names."""
        index = self._variable("caller")
        admitted: set[str] = set()
        for number, caller in enumerate(self.setting.callers):
            self.budget.spend(4 + 2 * len(statement.principals))
            if named(statement, caller) is not None:
                admitted.add(str(number))
        mask = 0
        for number, each in enumerate(self.variables[index].choices):
            if (each[CALLER_NUMBER] or ("",))[0] in admitted:
                mask |= 1 << number
        return index, mask

    def condition(self, test: Test) -> Literal:
        """The choices for which a condition is true."""
        if test not in self._masks:
            self._masks[test] = self._condition(test)
        return self._masks[test]

    def _condition(self, test: Test) -> Literal:
        index = self._variable(_group(test.key))
        assignments = self.variables[index].choices
        fixed: dict[str, Values] = {}
        for key in test.references:
            if key in assignments[0]:
                continue
            found = self._values(key)
            if len(found) == 1:
                fixed[key] = found[0]
            elif any(each.get(test.key) for each in assignments):
                return self._unsettled(test)
        keys = (test.key, *test.references)
        known: dict[tuple[Values, ...], bool] = {}
        mask = 0
        for number, each in enumerate(assignments):
            values = tuple(each.get(key) for key in keys)
            if values not in known:
                self.budget.spend(test.weight)
                known[values] = test.holds(values[0], _resolver(each, fixed))
            if known[values]:
                mask |= 1 << number
        self.budget.spend(2 * len(assignments))
        return index, mask

    def _unsettled(self, test: Test) -> Literal:
        """A condition on keys tied in too many ways: true or false, as the others that ask the same."""
        operator, base = test.operator, test.operator.base
        question = (test.key, base.family, base.ignore_case, operator.qualifier, frozenset(test.templates))
        index = self._open.get(question)
        if index is None:
            index = self._open[question] = len(self.variables)
            self.variables.append(Variable([{"": ("true",)}, {"": None}], 0b11, 0b11))
        return index, 0b10 if base.negated else 0b01

    def _values(self, key: str) -> list[Values]:
        """The values that a key can have, each once."""
        name = _group(key)
        if name not in self._alone:
            self.budget.spend(150)
            self._alone[name] = choices(Question(self.setting, self.tests, self.budget, name))
        return list(dict.fromkeys(choice.values.get(key) for choice in self._alone[name]))

    @cached_property
    def _tied(self) -> Mapping[str, tuple[str, ...]]:
        """Names of variables that policy variables link, each with all that it is linked to."""
        return ties.components(
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

    def _make(self, name: str) -> tuple[Sequence[str], Variable]:
        """The variable of a name, or of all that it is tied to; and the names that it stands for."""
        members = self._tied.get(name, (name,))
        found = [self._choices(each, members) for each in members]
        if prod(map(len, found)) <= MAX_TOGETHER:
            self.budget.spend(10 * prod(map(len, found)))
            return members, _together(found)
        return (name,), _together([self._choices(name, (name,))])

    def _choices(self, name: str, members: Sequence[str]) -> list[Choice]:
        """What a name can be, by the conditions that compare these names with policy variables too."""
        asking = [test for test in self._templated if _group(test.key) in members]
        tied = ties.tied_values(asking, self._values, self.budget) if asking else {}
        return choices(Question(self.setting, self.tests, self.budget, name, tied))

    @cached_property
    def _templated(self) -> list[Test]:
        """The conditions that have policy variables."""
        return [test for tests in self.tests.values() for test in tests if test.references]


def _together(sets: Sequence[Sequence[Choice]]) -> Variable:
    """A variable whose choices are one of each set."""
    variable = Variable([])
    for number, chosen in enumerate(product(*sets)):
        variable.choices.append({key: values for choice in chosen for key, values in choice.values.items()})
        variable.possible |= all(choice.possible for choice in chosen) << number
        variable.plain |= all(choice.plain for choice in chosen) << number
    return variable


def _group(key: str) -> str:
    """The name of the variable that a key belongs to."""
    return GROUPS.get(key, key)


def _resolver(choice: Assignment, fixed: Assignment) -> Resolve:
    def resolve(key: str) -> str | None:
        values = choice.get(key) or fixed.get(key)
        return values[0] if values and len(values) == 1 else None

    return resolve
