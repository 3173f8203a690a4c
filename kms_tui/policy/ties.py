"""Conditions that a policy variable ties together: which keys they link, and which values tell them apart.

``${aws:PrincipalTag/team}`` compared with one key in an Allow and again in a Deny is one question with one
answer, so linked keys take their values together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice, product

from kms_tui.policy import instances
from kms_tui.policy.conditions import Resolve, Test, UnsetVariableError, filled, surroundings
from kms_tui.policy.search import Budget
from kms_tui.policy.setting import Values

MAX_FILLED = 64
"""So many ways to fill in one template are tried."""
_DISTINCT = ("zz-one", "zz-two", "zz-three")
"""Values that differ from each other and from all that a policy mentions."""

ValuesOf = Callable[[str], Sequence[Values]]
"""A condition key in lower case to the values that it can have."""


def components(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Each name that is in a pair, with all the names that pairs link it to, itself among them."""
    groups: dict[str, set[str]] = {}
    for one, two in pairs:
        merged = groups.get(one, {one}) | groups.get(two, {two})
        for name in merged:
            groups[name] = merged
    return {name: tuple(sorted(group)) for name, group in groups.items()}


def tied_values(tests: Sequence[Test], values_of: ValuesOf, budget: Budget) -> Mapping[str, Sequence[str]]:
    """Further values for the keys of these conditions, with which each can be met and not be met."""
    found: dict[str, dict[str, None]] = {}
    for test in tests:
        for key in (test.key, *test.references):
            found.setdefault(key, dict.fromkeys(_DISTINCT))
    for _ in range(2):
        for test in tests:
            for template in test.templates:
                _fill(test, template, values_of, found, budget)
                _unfill(test, template, values_of, found, budget)
    return {key: list(values) for key, values in found.items()}


def _texts(key: str, values_of: ValuesOf, found: Mapping[str, Mapping[str, None]]) -> list[str]:
    listed = [text for values in values_of(key) if values for text in values]
    return list(islice(dict.fromkeys((*listed, *found.get(key, ()))), MAX_FILLED))


def _fill(
    test: Test, template: str, values_of: ValuesOf, found: dict[str, dict[str, None]], budget: Budget
) -> None:
    """What the test's own key has to be, for the values of the keys that the template names."""
    names = sorted(test.references)
    ways = product(*([None, *_texts(name, values_of, found)] for name in names))
    for chosen in islice(ways, MAX_FILLED):
        budget.spend(20 + len(template))
        values = dict(zip(names, chosen, strict=True))
        found[test.key] |= dict.fromkeys(_spelled(test, template, values.get))


def _spelled(test: Test, template: str, resolve: Resolve) -> list[str]:
    try:
        tokens = filled(template, resolve, wildcards=test.operator.base.takes_wildcards)
    except UnsetVariableError:
        return []
    return ["".join(instances.spelled(token, filler) for token in tokens) for filler in instances.FILLERS]


def _unfill(
    test: Test, template: str, values_of: ValuesOf, found: dict[str, dict[str, None]], budget: Budget
) -> None:
    """What the key that the template names has to be, for the values of the test's own key."""
    around = surroundings(template)
    if around is None:
        return
    name, before, after = around
    before, after = before.replace("*", ""), after.replace("*", "")
    for text in _texts(test.key, values_of, found):
        budget.spend(10)
        if len(text) >= len(before) + len(after) and text.startswith(before) and text.endswith(after):
            found[name][text[len(before) : len(text) - len(after)]] = None
