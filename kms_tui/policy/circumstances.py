"""The requests that a kind of caller can make, as variables that can each take finitely many values.

A variable stands for one condition key, or for several that go together: who is calling, how they signed in,
the time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kms_tui.policy.choices import GROUPS, Question, choices
from kms_tui.policy.conditions import Resolve, Test
from kms_tui.policy.document import Statement
from kms_tui.policy.evaluation import named
from kms_tui.policy.search import Budget, Literal
from kms_tui.policy.setting import Assignment, Setting, Values


@dataclass(slots=True)
class Variable:
    """Choices of values; ``possible`` and ``plain`` are masks of them."""

    choices: list[Assignment]
    possible: int = 0
    plain: int = 0


@dataclass(slots=True)
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
        mask = 0
        for number, caller in enumerate(self.setting.callers):
            self.budget.spend(4 + 2 * len(statement.principals))
            if named(statement, caller) is not None:
                mask |= 1 << number
        return index, mask

    def condition(self, test: Test) -> Literal:
        """The choices for which a condition is true."""
        if test not in self._masks:
            self._masks[test] = self._condition(test)
        return self._masks[test]

    def _condition(self, test: Test) -> Literal:
        index = self._variable(GROUPS.get(test.key, test.key))
        assignments = self.variables[index].choices
        fixed: dict[str, Values] = {}
        for key in test.references:
            other = self.variables[self._variable(GROUPS.get(key, key))]
            found = {each.get(key) for each in other.choices}
            if len(found) == 1:
                fixed[key] = found.pop()
            elif key not in assignments[0] and any(each.get(test.key) for each in assignments):
                return self._undetermined(test)
        self.budget.spend(test.weight * len(assignments))
        mask = 0
        for number, each in enumerate(assignments):
            if test.holds(each.get(test.key), _resolver(each, fixed)):
                mask |= 1 << number
        return index, mask

    def _undetermined(self, test: Test) -> Literal:
        """A condition that compares two keys of which either can vary: it may be true or false."""
        self.variables.append(Variable([{"": ("true",)}, {"": None}], 0b11, 0b11))
        return len(self.variables) - 1, 0b01

    def _variable(self, name: str) -> int:
        if name not in self._index:
            self.budget.spend(150)
            self._index[name] = len(self.variables)
            self.variables.append(Variable([]))
            self.variables[self._index[name]] = self._make(name)
        return self._index[name]

    def _make(self, name: str) -> Variable:
        found = choices(Question(self.setting, self.tests, self.budget, name))
        variable = Variable([choice.values for choice in found])
        for number, choice in enumerate(found):
            variable.possible |= choice.possible << number
            variable.plain |= choice.plain << number
        return variable


def _resolver(choice: Assignment, fixed: Assignment) -> Resolve:
    def resolve(key: str) -> str | None:
        values = choice.get(key) or fixed.get(key)
        return values[0] if values and len(values) == 1 else None

    return resolve
