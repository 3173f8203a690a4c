"""A small search for values that satisfy every clause, with a bounded amount of work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Literal = tuple[int, int]
"""A variable's index, and a mask of the choices for which the literal is true."""
Clause = Sequence[Literal]
"""At least one literal must be true; an empty clause never is."""

MAX_BRANCHES = 150


def merged(clause: Iterable[Literal]) -> Clause:
    """The clause with one literal for each variable."""
    found: dict[int, int] = {}
    for variable, mask in clause:
        found[variable] = found.get(variable, 0) | mask
    return list(found.items())


class TooComplexError(Exception):
    """The search takes more work than its budget."""


class Budget:
    """Units of work (about 100 ns each) that one check may use."""

    def __init__(self, units: int) -> None:
        self._left = units

    def renew(self, units: int) -> None:
        """Have so many units left, whatever is spent."""
        self._left = units

    def spend(self, units: int) -> None:
        self._left -= units
        if self._left < 0:
            raise TooComplexError


def solve(domains: Sequence[int], clauses: Iterable[Clause], budget: Budget) -> list[int] | None:
    """Narrowed domains in which every choice makes every clause true; None if there are none.

    ``domains`` holds for each variable the mask of its possible choices.
    """
    return _solve(list(domains), list(clauses), budget, 0)


def _solve(domains: list[int], clauses: list[Clause], budget: Budget, depth: int) -> list[int] | None:
    pending = _propagate(domains, clauses, budget)
    if pending:
        pending = _fix_common_choices(domains, pending, budget)
    if pending is None:
        return None
    if not pending:
        return domains
    if depth >= MAX_BRANCHES:
        raise TooComplexError
    shortest = min(pending, key=len)
    rest = [clause for clause in pending if clause is not shortest]
    for literal in shortest:
        found = _solve(list(domains), [[literal], *rest], budget, depth + 1)
        if found is not None:
            return found
    return None


def _propagate(domains: list[int], clauses: list[Clause], budget: Budget) -> list[Clause] | None:
    """Narrow the domains by every clause with one literal left, until there is none; None: contradiction."""
    while True:
        pending: list[Clause] = []
        narrowed = False
        for clause in clauses:
            budget.spend(2 + 2 * len(clause))
            viable: list[Literal] = []
            for variable, mask in clause:
                left = domains[variable] & mask
                if left == domains[variable]:
                    break
                if left:
                    viable.append((variable, mask))
            else:
                if not viable:
                    return None
                if len(viable) == 1:
                    variable, mask = viable[0]
                    domains[variable] &= mask
                    narrowed = True
                else:
                    pending.append(viable)
        if not narrowed:
            return pending
        clauses = pending


def _fix_common_choices(domains: list[int], clauses: list[Clause], budget: Budget) -> list[Clause]:
    """Fix each variable with a choice that satisfies all clauses on it, and drop those clauses."""
    common: dict[int, int] = {}
    for clause in clauses:
        budget.spend(2 * len(clause))
        for variable, mask in clause:
            common[variable] = common.get(variable, domains[variable]) & mask
    settled = {variable: mask for variable, mask in common.items() if mask}
    for variable, mask in settled.items():
        domains[variable] &= mask
    return [clause for clause in clauses if not any(variable in settled for variable, _ in clause)]
