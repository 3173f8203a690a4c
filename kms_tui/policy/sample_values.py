"""Sample request values from a policy's conditions: the mentioned values, and texts that fit its patterns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from kms_tui.policy import forms, operators, wildcard
from kms_tui.policy.condition_keys import OWN_ACCOUNT
from kms_tui.policy.conditions import ConditionTest, with_variables
from kms_tui.policy.principals import Caller, PrincipalKind
from kms_tui.policy.search import Budget
from kms_tui.policy.wildcard import Wild

MAX_PATTERNS = 100
"""Most patterns of a key that get sample values."""
MAX_PAIRED = 8
FILLERS = (("", "a"), ("zq7", "b"))
"""Texts for ``*`` and ``?``; two, so that one can avoid a condition that the other meets."""


def strings(tests: Iterable[ConditionTest], budget: Budget) -> list[str]:
    """Values of one key that its conditions mention."""
    found: dict[str, None] = {}
    patterns: list[str] = []
    for test in tests:
        family = test.operator.base.family
        if family in ("numeric", "date"):
            found |= dict.fromkeys(_around(test))
        elif test.networks is not None:
            blocks = test.networks.blocks[:MAX_PATTERNS]
            found |= dict.fromkeys(operators.address_text(block.version, block.first) for block in blocks)
        elif family in ("string", "like", "arn", "bool"):
            patterns += test.patterns
            found |= dict.fromkeys(text.value for text in test.values if text.value not in test.templates)
    budget.spend(10 * len(found))
    patterns = [pattern for pattern in dict.fromkeys(patterns) if len(pattern) <= _MAX_LENGTH][:MAX_PATTERNS]
    for pattern in patterns:
        found.pop(pattern, None)
        found |= dict.fromkeys(samples(pattern))
    for pair in combinations(patterns[:MAX_PAIRED], 2):
        text = wildcard.common_match([wildcard.tokenize(pattern) for pattern in pair], "a", budget)
        if text is not None:
            found[text] = None
    return list(found)


def _around(test: ConditionTest) -> Iterator[str]:
    for limit in test.limits:
        yield from (str(int(limit) + step) for step in (-1, 0, 1))


def samples(pattern: str) -> list[str]:
    """Texts that match a pattern."""
    return ["".join(token_text(token, filler) for token in wildcard.tokenize(pattern)) for filler in FILLERS]


def token_text(token: str | Wild, filler: tuple[str, str]) -> str:
    """A token of a pattern as text; the filler is (text for ``*``, text for ``?``)."""
    if isinstance(token, str):
        return token
    return filler[0] if token is Wild.ANY else filler[1]


def session_names(tests: Iterable[ConditionTest]) -> list[str]:
    """Role session names that conditions on aws:userid mention."""
    found: dict[str, None] = {}
    for test in tests:
        for text in test.values[:MAX_PATTERNS]:
            _, colon, name = text.value.partition(":")
            if colon and text.value not in test.templates:
                found |= dict.fromkeys(samples(name) if test.operator.base.takes_wildcards else [name])
    return [name for name in found if name]


def foreign_texts(tests: Iterable[ConditionTest]) -> list[str]:
    """Texts that fit a pattern and belong to an account that the policy does not name."""
    return [
        text
        for test in tests
        for pattern in test.patterns[:MAX_PATTERNS]
        if _fits_anyone(pattern)
        for text in samples(pattern)
    ]


def _fits_anyone(pattern: str) -> bool:
    """Whether a pattern of ARNs, or of other texts, leaves the account open.

    An ARN without an account, such as a bucket's, has one owner unless its name is all wildcards.
    """
    parts = pattern.split(":", 5)
    if len(parts) < 6 or not parts[0].startswith("arn"):
        return not pattern.strip("*?/:")
    account, resource = parts[4], parts[5]
    return "*" in account or (not account and not resource.strip("*?/:"))


_PRIVATE = (
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16 224.0.0.0/3"
)
"""Blocks that never reach KMS over the Internet; documentation blocks count as public for use in examples."""
_SOMEWHERE = ("52.94.5.1", "3.5.140.2", "185.199.108.153", "203.0.114.7")
_SOMEWHERE_6 = "2600:1f18:99::7"
_BITS = {4: 32, 6: 128}
_PUBLIC_6 = (0x2000 << 112, (0x4000 << 112) - 1)


@dataclass(frozen=True, slots=True)
class Addresses:
    """``ordinary``: IPv4 addresses outside every mentioned block (all, if there are none); ``beyond``: the
    same with IPv6; ``all``: one address of every combination of blocks.
    """

    ordinary: list[str]
    beyond: list[str]
    all: list[str]


def is_private(text: str) -> bool:
    """Whether an address or block is wholly private: no request comes from it over the Internet."""
    block = operators.network(text)
    if block is None:
        return False
    if block.version == 6:
        return block.last < _PUBLIC_6[0] or block.first > _PUBLIC_6[1]
    return any(private.first <= block.first and block.last <= private.last for private in _private_blocks())


def _private_blocks() -> list[operators.Network]:
    return [block for block in map(operators.network, _PRIVATE.split()) if block is not None]


def _is_public(version: int, value: int, private: Sequence[operators.Network]) -> bool:
    if version == 6:
        return _PUBLIC_6[0] <= value <= _PUBLIC_6[1]
    return not any(block.first <= value <= block.last for block in private)


def addresses(tests: Sequence[ConditionTest], budget: Budget, *, public_only: bool = True) -> Addresses:
    """Addresses to try in conditions on one key."""
    sets = [test.networks for test in tests if test.networks is not None]
    blocks = {block for networks in sets for block in networks.blocks}
    budget.spend(100 * len(blocks) * len(sets))
    candidates = {(block.version, value) for block in blocks for value in (block.first, block.last + 1)}
    candidates |= {_place(text) for text in (*_SOMEWHERE, _SOMEWHERE_6)}
    for test in tests:
        if test.operator.base.family in ("string", "like"):
            texts = (text for value in test.values for text in _address_texts(test, value.value))
            candidates |= {_place(text) for text in texts}
    candidates = {each for each in candidates if each[1] < 1 << _BITS[each[0]]}
    if public_only:
        private = _private_blocks()
        candidates = {each for each in candidates if _is_public(*each, private)}
    ordered = sorted(candidates)
    outside = [each for each in ordered if not any(networks.hold(*each) for networks in sets)]
    ordinary = [each for each in outside if each[0] == 4] or [each for each in ordered if each[0] == 4]
    return Addresses(
        *([operators.address_text(*each) for each in group] for group in (ordinary, outside, ordered))
    )


def _address_texts(test: ConditionTest, value: str) -> list[str]:
    """The addresses that equal a value compared as text."""
    if test.operator.base.takes_wildcards:
        return forms.sampled(test.key_info, value)
    return [value] if forms.fits(test.key_info, value) else []


def _place(text: str) -> tuple[int, int]:
    block = operators.network(text)
    return (block.version, block.first) if block else (4, 0)


_MAX_LENGTH = 700
"""No ARN of a user or role is longer."""
_TEMPLATES = {PrincipalKind.USER: ("user/?*", "user/*zq7"), PrincipalKind.ROLE: ("role/?*", "role/*zq7")}


def identities(
    tests: Sequence[ConditionTest], kind: PrincipalKind, account: str, partition: str, budget: Budget
) -> list[Caller]:
    """Users, roles or federated users of an account that conditions mention and that can be created again."""
    found: dict[str, Caller] = {}
    patterns: dict[str, None] = {}
    prefix = f"arn:{partition}:iam::{account}:"
    for test in tests:
        if test.key == "aws:username":
            names = (name for text in test.values for name in samples(_with_wildcards(text.value, account)))
            arns = [f"{prefix}user/{name}" for name in names]
        else:
            arns = [text.value for text in test.values]
            patterns |= dict.fromkeys(_in_account(test, prefix, account))
        budget.spend(15 * len(arns))
        for arn in arns:
            _keep(found, arn, kind, account, partition)
    chosen = [pattern for pattern in patterns if len(pattern) <= _MAX_LENGTH][:MAX_PATTERNS]
    unmet = [[pattern] for pattern in chosen if not _sampled(found, pattern, kind, account, partition)]
    templates = [wildcard.tokenize(prefix + template) for template in _TEMPLATES.get(kind, ())]
    for group in (*unmet, *combinations(chosen[:MAX_PAIRED], 2)):
        for template in templates:
            text_found = wildcard.common_match([template, *map(wildcard.tokenize, group)], "a", budget)
            if text_found is not None:
                _keep(found, text_found, kind, account, partition)
    return list(found.values())


def linked_identities(
    texts: Iterable[str], kind: PrincipalKind, account: str, partition: str
) -> list[Caller]:
    """The identities whose ARN, or users whose name, is among the texts."""
    found: dict[str, Caller] = {}
    for text in texts:
        arn = text if text.startswith("arn:") else f"arn:{partition}:iam::{account}:user/{text}"
        _keep(found, arn, kind, account, partition)
    return list(found.values())


def _sampled(
    found: dict[str, Caller], pattern: str, kind: PrincipalKind, account: str, partition: str
) -> bool:
    """Add the pattern's samples that are such identities; return whether there are any."""
    before = len(found)
    for text in samples(pattern):
        _keep(found, text, kind, account, partition)
    return len(found) > before


def _in_account(test: ConditionTest, prefix: str, account: str) -> Iterator[str]:
    """The test's patterns; of ARN patterns, compared part by part, only those that the account can match.

    A policy variable is the account's id, or any text.
    """
    blurred = (_with_wildcards(template, account) for template in test.templates)
    for pattern in (*test.patterns, *blurred):
        parts = pattern.split(":", 5)
        if test.operator.base.family != "arn" or pattern == "*":
            head = pattern.partition("*")[0].partition("?")[0]
            if head.startswith(prefix) or prefix.startswith(head):
                yield pattern
        elif len(parts) == 6 and all(map(wildcard.matches, parts, prefix.split(":")[:5])):
            yield prefix + parts[5]


def _with_wildcards(template: str, account: str) -> str:
    """A value with the account's id, or a wildcard, for each policy variable."""
    return with_variables(template, lambda name: account if name in OWN_ACCOUNT else "*")


def _keep(found: dict[str, Caller], text: str, kind: PrincipalKind, account: str, partition: str) -> None:
    """Add the identity if it is of that kind and account, and the account can create it."""
    caller = _caller(text)
    if (
        caller is not None
        and caller.kind is kind
        and caller.account == account
        and caller.partition == partition
        and not caller.is_service_linked
    ):
        found[caller.arn] = caller


@lru_cache(maxsize=10_000)
def _caller(text: str) -> Caller | None:
    try:
        return Caller.parse(text)
    except ValueError:
        return None
