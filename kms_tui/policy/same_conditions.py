"""Open conditions that make one claim, though two statements write it, and how claims can hold together.

``StringEquals X ${Y}`` in an Allow and ``StringNotEquals X ${Y}`` in a Deny: whatever X and Y are, one of the
two conditions is true and the other is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from itertools import product

from kms_tui.policy import condition_keys
from kms_tui.policy.conditions import ConditionTest, defaults, surroundings
from kms_tui.policy.operators import FOR_ALL, FOR_ANY

Truth = Callable[[ConditionTest], bool | None]
"""Whether a condition holds; None: either way."""
Claim = tuple[object, ...]

MAX_CLAIMS = 10
"""More claims have too many combinations, and each then counts by itself."""


def unknown(_test: ConditionTest) -> bool | None:
    """The truth of a condition that may hold or not."""
    return None


def claim_of(test: ConditionTest) -> tuple[Claim, bool]:
    """What a condition says, the same for every way to write it, and whether it says so or the opposite."""
    operator, base = test.operator, test.operator.base
    values = tuple(sorted(_compared(text.value, base.family) for text in test.values))
    if operator.if_exists:
        return (operator.text, test.key, values), True
    if base.family == "null" and not operator.qualifier and len(set(map(str.lower, values))) == 1:
        return ("absent", test.key), values[0].lower() == "true"
    literal = base.family == "like" and not test.patterns and not test.templates
    family = "string" if literal else base.family
    comparison = base.comparison.__name__ if base.comparison else ""
    qualifier = operator.qualifier
    if base.negated and qualifier:
        # Not "any differs" is "all are equal".
        qualifier = FOR_ALL if qualifier == FOR_ANY else FOR_ANY
    linked = _linked_key(test)
    said = tuple(sorted((test.key, linked))) if linked and not qualifier else (test.key, *values)
    return (family, base.ignore_case, comparison, qualifier, bool(test.templates), *said), not base.negated


def _compared(value: str, family: str) -> str:
    """A value as IAM compares it: 3600 and "3600.0" are one number, True and "true" one Boolean."""
    if family == "bool":
        return value.lower()
    if family == "numeric":
        try:
            return f"{Decimal(value).normalize():f}"
        except ArithmeticError:
            return value
    return value


def _linked_key(test: ConditionTest) -> str:
    """The key whose value the condition compares with, if that is all it does; else ""."""
    if len(test.values) != 1 or not test.templates or test.operator.base.family == "arn":
        return ""
    around = surroundings(test.templates[0])
    if around is None or around[1:] != ("", "") or defaults(test.templates[0]):
        return ""
    both = (test.key_info, condition_keys.find(around[0]))
    return "" if any(key.multivalued for key in both) else around[0]


def truths(tests: Sequence[ConditionTest]) -> Iterable[Truth]:
    """Every way in which these conditions can hold together, as far as they say the same or the opposite.

    Only ``unknown`` where no two conditions do, or where there are too many.
    """
    claims = {test: claim_of(test) for test in tests}
    distinct = list(dict.fromkeys(claim for claim, _ in claims.values()))
    if len(distinct) == len(claims) or len(distinct) > MAX_CLAIMS:
        return (unknown,)
    ways = product((True, False), repeat=len(distinct))
    return [_truth(claims, dict(zip(distinct, held, strict=True))) for held in ways]


def _truth(claims: dict[ConditionTest, tuple[Claim, bool]], held: dict[Claim, bool]) -> Truth:
    def truth(test: ConditionTest) -> bool | None:
        claim, said = claims[test]
        return held[claim] is said

    return truth
