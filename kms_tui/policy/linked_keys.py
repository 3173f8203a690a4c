"""Condition keys that policy variables link, and the values that tell their conditions apart.

``${aws:PrincipalTag/team}`` compared with one key in an Allow and again in a Deny has the same value in both,
so linked keys take their values together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, islice, product, zip_longest

from kms_tui.policy import sample_values
from kms_tui.policy.conditions import (
    ConditionTest,
    Resolve,
    UnsetVariableError,
    defaults,
    filled,
    surroundings,
    variable_names,
)
from kms_tui.policy.request_setting import Values
from kms_tui.policy.search import Budget

MAX_FILLED = 64
"""Most ways to fill in one template that are tried."""
MAX_LINKED = 18
"""Further values of one key, enough to tell small policies' conditions apart."""
_DISTINCT = ("zz-one", "zz-two")
"""Values that differ from each other, from "another value" and from every value in a policy."""

MAX_WORDS, MAX_NAMES = 12, 60
MAX_TEMPLATE, MAX_TEXT = 200, 300
"""Characters; longer values are left out."""
_OF_CALLERS = frozenset({"aws:username", "aws:principalarn"})

ValuesOf = Callable[[str], Sequence[Values]]
"""A condition key in lower case to its possible values."""
Found = Mapping[str, dict[str, None]]
"""Texts, each once, by key."""


def components(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Each name in a pair, with all names that pairs link to it, itself included."""
    groups: dict[str, set[str]] = {}
    for one, two in pairs:
        merged = groups.get(one, {one}) | groups.get(two, {two})
        for name in merged:
            groups[name] = merged
    return {name: tuple(sorted(group)) for name, group in groups.items()}


def linked_values(
    tests: Sequence[ConditionTest], values_of: ValuesOf, budget: Budget
) -> Mapping[str, Sequence[str]]:
    """Further values for the keys of these conditions, with which each can be true and false."""
    found: dict[str, dict[str, None]] = {}
    for test in tests:
        for key in (test.key, *test.references):
            found.setdefault(key, {})
    templates = [
        (test, template) for test in tests for template in test.templates if len(template) <= MAX_TEMPLATE
    ]
    budget.spend(40 * len(templates))
    # Known values come before variable ones: the account's id is as good as a mentioned value.
    templates.sort(key=lambda pair: max((len(values_of(key)) for key in variable_names(pair[1])), default=0))
    for limit in (MAX_LINKED // 2, MAX_LINKED // 2, MAX_LINKED):
        if limit == MAX_LINKED:
            for values in found.values():
                values.update(dict.fromkeys(_DISTINCT))
        for test, template in templates:
            _fill(test, template, values_of, found, limit, budget)
            _unfill(test, template, values_of, found, limit, budget)
    # Capitals are equal only without regard to case.
    capitals = MAX_WORDS // 2 if any(test.operator.base.ignore_case for test in tests) else 0
    return {
        key: _in_turn(
            [text for text in values if text not in _DISTINCT],
            _DISTINCT,
            [word.upper() for word in _texts(key, values_of, found)[:capitals]],
        )
        for key, values in found.items()
    }


def _in_turn(*lists: Sequence[str]) -> list[str]:
    """The first of each list, then the second of each, and so on."""
    rounds = zip_longest(*lists)
    return list(dict.fromkeys(text for each in rounds for text in each if text is not None))


def caller_texts(tests: Sequence[ConditionTest], account: str, budget: Budget) -> list[str]:
    """Names and ARNs of callers that policy variables link to other keys: the policy's own values, alone and
    filled into its values with variables.
    """
    templated = [test for test in tests if test.references]
    if not any(_OF_CALLERS & {test.key, *test.references} for test in templated):
        return []
    templates = [(test, template) for test in templated for template in test.templates]
    templates = [pair for pair in templates if len(pair[1]) <= MAX_TEMPLATE][:MAX_FILLED]
    values = (text.value for test in tests for text in test.values)
    words = [account, *islice((text for text in values if not set(text) & set("*?${")), MAX_WORDS)]
    words += [default for _, template in templates for default in defaults(template)]
    found = dict.fromkeys(words)
    for test, template in (*templates, *templates):
        for word in islice(list(found), MAX_WORDS):
            if len(found) >= MAX_NAMES:
                return list(found)
            budget.spend(20 + len(template))
            resolve = dict.fromkeys(test.references, word).get
            found |= dict.fromkeys(_spelled(test, template, resolve))
    return list(found)


def _add(found: Found, key: str, text: str, limit: int) -> None:
    if len(found[key]) < limit and len(text) <= MAX_TEXT:
        found[key][text] = None


def _texts(key: str, values_of: ValuesOf, found: Found) -> list[str]:
    listed = (text for values in values_of(key) if values for text in values)
    return list(islice(dict.fromkeys(islice(chain(listed, found.get(key, ())), 2 * MAX_FILLED)), MAX_FILLED))


def _fill(
    test: ConditionTest, template: str, values_of: ValuesOf, found: Found, limit: int, budget: Budget
) -> None:
    """Add values of the test's own key, for the values of the keys in the template."""
    if len(found[test.key]) >= limit:
        return
    names = sorted(set(variable_names(template)))
    budget.spend(20 * len(names))
    ways = product(*([None, *_texts(name, values_of, found)] for name in names))
    for chosen in islice(ways, MAX_FILLED):
        budget.spend(20 + len(template))
        values = dict(zip(names, chosen, strict=True))
        for text in _spelled(test, template, values.get):
            _add(found, test.key, text, limit)
        if len(found[test.key]) >= limit:
            return


def _spelled(test: ConditionTest, template: str, resolve: Resolve) -> list[str]:
    try:
        tokens = filled(template, resolve, wildcards=test.operator.base.takes_wildcards)
    except UnsetVariableError:
        return []
    return [
        "".join(sample_values.token_text(token, filler) for token in tokens)
        for filler in sample_values.FILLERS
    ]


def _unfill(
    test: ConditionTest, template: str, values_of: ValuesOf, found: Found, limit: int, budget: Budget
) -> None:
    """Add values of the key in the template, for the values of the test's own key."""
    around = surroundings(template)
    budget.spend(30 + len(template))
    if around is None or len(found[around[0]]) >= limit:
        return
    name, before, after = around
    for text in _texts(test.key, values_of, found):
        budget.spend(10)
        value = _between(text, before, after)
        if value is not None:
            _add(found, name, value, limit)


def _between(text: str, before: str, after: str) -> str | None:
    """The part of a text between two pieces of a pattern, whose ``*`` may be anything."""
    _, star, lead = before.rpartition("*")
    start = text.find(lead) if star else (0 if text.startswith(before) else -1)
    if start < 0:
        return None
    start += len(lead)
    trail, star, _ = after.partition("*")
    end = text.find(trail, start) if star and trail else len(text) - len(trail)
    return text[start:end] if start <= end and text.startswith(trail, end) else None
