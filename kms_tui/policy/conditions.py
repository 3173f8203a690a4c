"""One condition of a statement, and whether it holds for request values."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

from kms_tui.policy import operators, wildcard
from kms_tui.policy.actions import lowered
from kms_tui.policy.condition_keys import ConditionKey
from kms_tui.policy.json_reader import Span
from kms_tui.policy.operators import FOR_ALL, FOR_ANY, Network, Spelled
from kms_tui.policy.wildcard import Token

Resolve = Callable[[str], str | None]
"""A condition key's name in lower case to its value in the request, or None."""

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Text:
    """A string of the policy and its place."""

    value: str
    span: Span


class Networks:
    """Address blocks, merged so that looking up an address is fast for any number of them."""

    def __init__(self, texts: Iterable[str]) -> None:
        found = (operators.network(text) for text in texts)
        self.blocks = tuple(sorted({block for block in found if block is not None}, key=_by_place))
        self._starts: dict[int, list[int]] = {4: [], 6: []}
        self._ends: dict[int, list[int]] = {4: [], 6: []}
        for block in self.blocks:
            starts, ends = self._starts[block.version], self._ends[block.version]
            if ends and block.first <= ends[-1] + 1:
                ends[-1] = max(ends[-1], block.last)
            else:
                starts.append(block.first)
                ends.append(block.last)

    def hold(self, version: int, address: int) -> bool:
        index = bisect_right(self._starts[version], address) - 1
        return index >= 0 and address <= self._ends[version][index]


def _by_place(block: Network) -> tuple[int, int, int]:
    return block.version, block.first, block.last


class UnsetVariableError(Exception):
    """A policy variable without a value in this request: nothing equals it."""


@dataclass(frozen=True, slots=True, eq=False)
class ConditionTest:
    """One key of one operator in a Condition: ``key`` is in lower case, ``key_text`` as written.

    ``variables``: ``${…}`` is a policy variable (Version 2012-10-17), else plain text.
    """

    operator: Spelled
    key: str
    key_text: str
    key_info: ConditionKey
    values: tuple[Text, ...]
    variables: bool
    span: Span
    references: frozenset[str] = field(init=False)
    """The keys in its values' policy variables, in lower case."""
    _exact: frozenset[str] = field(init=False)
    _patterns: tuple[str, ...] = field(init=False)
    _templates: tuple[str, ...] = field(init=False)
    _limits: tuple[float, ...] = field(init=False)
    _networks: Networks | None = field(init=False)

    __test__ = False

    def __post_init__(self) -> None:
        base = self.operator.base
        exact: set[str] = set()
        patterns: list[str] = []
        templates: list[str] = []
        for text in self.values:
            value = text.value
            if self.variables and base.takes_variables and "${" in value:
                templates.append(value)
            elif base.takes_wildcards and wildcard.has_wildcard(value):
                patterns.append(wildcard.squeezed(value))
            else:
                exact.add(value.lower() if base.ignore_case else value)
        object.__setattr__(self, "_exact", frozenset(exact))
        object.__setattr__(self, "_patterns", tuple(dict.fromkeys(patterns)))
        object.__setattr__(self, "_templates", tuple(dict.fromkeys(templates)))
        names = (name for template in templates for name in variable_names(template))
        object.__setattr__(self, "references", frozenset(names))
        parse = {"numeric": operators.number, "date": operators.timestamp}.get(base.family)
        limits = (parse(value) for value in exact) if parse else ()
        object.__setattr__(self, "_limits", tuple(sorted(limit for limit in limits if limit is not None)))
        networks = Networks(exact) if base.family == "ip" else None
        object.__setattr__(self, "_networks", networks)

    @property
    def limits(self) -> tuple[float, ...]:
        """The numbers, or the times in seconds, that a numeric or date operator compares with, ascending."""
        return self._limits

    @property
    def networks(self) -> Networks | None:
        """The address blocks of an IP operator."""
        return self._networks

    @property
    def patterns(self) -> tuple[str, ...]:
        """The values with wildcards, if the operator takes them."""
        return self._patterns

    @property
    def templates(self) -> tuple[str, ...]:
        """The values with policy variables."""
        return self._templates

    @property
    def asks_for_absence(self) -> bool:
        """Whether this is a Null condition that a request without the key meets."""
        return self.operator.base.family == "null" and any(
            text.value.lower() == "true" for text in self.values
        )

    @property
    def asks_for_presence(self) -> bool:
        """Whether this is a Null condition that only a request with the key meets."""
        return self.operator.base.family == "null" and all(
            text.value.lower() == "false" for text in self.values
        )

    @property
    def weight(self) -> int:
        """The cost of comparing one request value, in about tenths of a microsecond."""
        patterns = sum(_weight(pattern) for pattern in self._patterns)
        templates = sum(20 + len(template) for template in self._templates)
        return 8 + patterns + templates + len(self._limits) + (20 if self._networks else 0)

    def pieces(self) -> Sequence[ConditionTest]:
        """The condition split: a part for each value with policy variables, and one for all others.

        For a key with one value at most, one part must hold; for a negated operator, all must.
        """
        if len(self.values) < 2 or not self.references:
            return (self,)
        plain = tuple(text for text in self.values if text.value not in self._templates)
        alone = [(text,) for text in self.values if text.value in self._templates]
        return tuple(replace(self, values=values) for values in (plain, *alone) if values)

    def holds(self, values: Sequence[str] | None, resolve: Resolve) -> bool:
        """Whether the condition is true for these values of the key; None: the key is absent."""
        operator = self.operator
        if operator.base.family == "null":
            return self._null(values)
        if values is None:
            if operator.qualifier == FOR_ANY:
                return operator.if_exists
            return operator.base.negated or operator.if_exists or operator.qualifier == FOR_ALL
        if operator.qualifier == FOR_ALL:
            return all(self._one(value, resolve) for value in values)
        if operator.qualifier == FOR_ANY or not operator.base.negated:
            return any(self._one(value, resolve) for value in values)
        return all(self._one(value, resolve) for value in values)

    def _null(self, values: Sequence[str] | None) -> bool:
        if self.operator.qualifier:
            return self.operator.qualifier == FOR_ALL
        wanted = "true" if values is None else "false"
        return any(text.value.lower() == wanted for text in self.values)

    def _one(self, value: str, resolve: Resolve) -> bool:
        return self._equal(value, resolve) != self.operator.base.negated

    def _equal(self, value: str, resolve: Resolve) -> bool:
        """Whether the request's value matches any policy value, before negation."""
        base = self.operator.base
        if base.family in ("string", "like"):
            found = (value.lower() if base.ignore_case else value) in self._exact
            return (
                found
                or any(wildcard.matches(pattern, value) for pattern in self._patterns)
                or self._filled(value, resolve)
            )
        if base.family == "arn":
            if value.count(":") < 5:
                return False
            found = value in self._exact or any(_arn_matches(pattern, value) for pattern in self._patterns)
            return found or self._filled(value, resolve)
        return _TYPED[base.family](self, value)

    def _filled(self, value: str, resolve: Resolve) -> bool:
        """Whether a value with its policy variables filled in matches."""
        base = self.operator.base
        for template in self._templates:
            try:
                if not base.takes_wildcards:
                    text = filled_text(template, resolve)
                    matched = text.lower() == value.lower() if base.ignore_case else text == value
                elif base.family == "arn":
                    tokens = filled(template, resolve, wildcards=True)
                    matched = _arn_tokens_match(operators.split_arn(tokens), value)
                else:
                    matched = _like(template, resolve, value)
            except UnsetVariableError:
                continue
            if matched:
                return True
        return False


def _weight(pattern: str) -> int:
    """The cost of a pattern: low if the text's beginning decides, highest if it takes a walk."""
    if "?" in pattern:
        return 120
    return 12 if pattern[0] == "*" else 3


def _arn_matches(pattern: str, value: str) -> bool:
    if pattern == "*":
        return True
    parts, others = pattern.split(":", 5), value.split(":", 5)
    return len(parts) == len(others) and all(map(wildcard.matches, parts, others))


def _arn_tokens_match(parts: list[list[Token]], value: str) -> bool:
    others = value.split(":", 5)
    return len(parts) == len(others) and all(map(wildcard.matches_tokens, parts, others))


def _numeric(test: ConditionTest, value: str) -> bool:
    return _compares(test, operators.number(value))


def _date(test: ConditionTest, value: str) -> bool:
    return _compares(test, operators.timestamp(value))


def _compares(test: ConditionTest, value: float | None) -> bool:
    comparison = test.operator.base.comparison
    return (
        value is not None
        and comparison is not None
        and any(comparison(value, limit) for limit in test.limits)
    )


def _bool(test: ConditionTest, value: str) -> bool:
    wanted = value.lower()
    return wanted in ("true", "false") and any(text.value.lower() == wanted for text in test.values)


def _binary(test: ConditionTest, value: str) -> bool:
    return any(operators.decoded(text.value) == value.encode("utf-8", "replace") for text in test.values)


def _ip(test: ConditionTest, value: str) -> bool:
    address = operators.network(value)
    return (
        address is not None
        and test.networks is not None
        and test.networks.hold(address.version, address.first)
    )


_TYPED: dict[str, Callable[[ConditionTest, str], bool]] = {
    "numeric": _numeric,
    "date": _date,
    "bool": _bool,
    "binary": _binary,
    "ip": _ip,
}


def variable_names(template: str) -> list[str]:
    """The keys in a value's policy variables, in lower case; ``${*}``, ``${?}`` and ``${$}`` have none."""
    return [variable.key for variable in _variables(template) if not variable.sign]


def defaults(template: str) -> list[str]:
    """The default values of a value's policy variables."""
    return [variable.default for variable in _variables(template) if variable.default is not None]


def surroundings(template: str) -> tuple[str, str, str] | None:
    """The key of a value's only policy variable and the text before and after it; None for several."""
    match _pieces(template):
        case (str(before), PolicyVariable(sign="") as variable, str(after)):
            return variable.key, before, after
    return None


def with_variables(template: str, value_of: Callable[[str], str]) -> str:
    """A value with each policy variable replaced, by its key's name in lower case."""
    return _VARIABLE.sub(lambda match: value_of(lowered(_parts(match.group(1))[0])), template)


def _parts(inner: str) -> tuple[str, str | None]:
    """The name and the default of the text inside ``${…}``."""
    name, comma, default = inner.partition(",")
    default = default.strip(" ")
    if comma and len(default) > 1 and default[0] == default[-1] == "'":
        return name.strip(" "), default[1:-1]
    return inner.strip(" "), None


def filled(template: str, resolve: Resolve, *, wildcards: bool) -> list[Token]:
    """A value with its policy variables filled in; their values are literal text."""
    tokens: list[Token] = []
    for piece in _pieces(template):
        text = _text(piece, resolve)
        tokens += wildcard.tokenize(text) if wildcards and isinstance(piece, str) else list(text)
    return tokens


def _like(template: str, resolve: Resolve, value: str) -> bool:
    """Whether a text matches a pattern with policy variables."""
    signs = sum(piece.count("*") + piece.count("?") for piece in _pieces(template) if isinstance(piece, str))
    text = filled_text(template, resolve)
    if text.count("*") + text.count("?") == signs:
        return wildcard.matches(wildcard.squeezed(text), value)
    return wildcard.matches_tokens(filled(template, resolve, wildcards=True), value)


def filled_text(template: str, resolve: Resolve) -> str:
    """A value with its policy variables filled in, for an operator without wildcards."""
    return "".join([_text(piece, resolve) for piece in _pieces(template)])


class PolicyVariable(NamedTuple):
    """A policy variable: its key in lower case and its default, or its literal sign."""

    key: str
    default: str | None
    sign: str = ""


def _text(piece: str | PolicyVariable, resolve: Resolve) -> str:
    if isinstance(piece, str):
        return piece
    if piece.sign:
        return piece.sign
    value = resolve(piece.key)
    value = piece.default if value is None else value
    if value is None:
        raise UnsetVariableError(piece.key)
    return value


def _variables(template: str) -> list[PolicyVariable]:
    return [piece for piece in _pieces(template) if isinstance(piece, PolicyVariable)]


@lru_cache(maxsize=2000)
def _pieces(template: str) -> tuple[str | PolicyVariable, ...]:
    """The literal texts and policy variables of a value."""
    pieces: list[str | PolicyVariable] = []
    position = 0
    for match in _VARIABLE.finditer(template):
        name, default = _parts(match.group(1))
        pieces.append(template[position : match.start()])
        pieces.append(PolicyVariable(lowered(name), default, name if name in ("*", "?", "$") else ""))
        position = match.end()
    return (*pieces, template[position:])
