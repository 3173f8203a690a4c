"""IAM's wildcards: ``*`` matches any run of characters, ``?`` any one; nothing else is special.

A two-pointer walk matches a pattern (never a regular expression made from it), so the product of the two
lengths bounds the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from kms_tui.policy.search import Budget


class Wild(Enum):
    """A wildcard in a tokenised pattern, where a literal ``*`` stays a string."""

    ANY = "*"
    ONE = "?"


Token = str | Wild
"""One literal character, or a wildcard."""


def has_wildcard(pattern: str) -> bool:
    return "*" in pattern or "?" in pattern


def tokenize(pattern: str) -> list[Token]:
    """The pattern's characters, with wildcards as ``Wild``."""
    return [Wild.ANY if char == "*" else Wild.ONE if char == "?" else char for char in pattern]


def squeezed(pattern: str) -> str:
    """The same pattern with each run of ``*`` as one."""
    while "**" in pattern:
        pattern = pattern.replace("**", "*")
    return pattern


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text matches the pattern, case-sensitively."""
    if not has_wildcard(pattern):
        return pattern == text
    if len(pattern) - pattern.count("*") > len(text):
        return False
    if "?" not in pattern:
        return _matches_stars(pattern, text)
    return matches_tokens(tokenize(pattern), text)


def _matches_stars(pattern: str, text: str) -> bool:
    """The common case without ``?``: head and tail match, and each piece between follows the last."""
    head, *middle, tail = pattern.split("*")
    if len(text) < len(head) + len(tail) or not text.startswith(head) or not text.endswith(tail):
        return False
    position, end = len(head), len(text) - len(tail)
    for piece in middle:
        if piece:
            found = text.find(piece, position, end)
            if found < 0:
                return False
            position = found + len(piece)
    return True


def matches_tokens(tokens: Sequence[Token], text: str) -> bool:
    """``matches`` for a tokenised pattern."""
    if sum(token is not Wild.ANY for token in tokens) > len(text):
        return False
    position = index = 0
    star, resume = -1, 0
    while index < len(text):
        token = tokens[position] if position < len(tokens) else None
        if token is Wild.ANY:
            star, resume = position, index
            position += 1
        elif token is Wild.ONE or token == text[index]:
            position += 1
            index += 1
        elif star >= 0:
            resume += 1
            position, index = star + 1, resume
        else:
            return False
    return all(token is Wild.ANY for token in tokens[position:])


def common_match(
    patterns: Sequence[Sequence[Token]],
    filler: str,
    budget: Budget,
    max_states: int = 5000,
    *,
    never: str = "",
) -> str | None:
    """A text that matches every pattern, with ``filler`` for any character; None if none is found.

    The wildcards of the first pattern match no character of ``never``. Walks the product of the patterns
    depth-first and gives up after ``max_states`` states, each of which costs the budget some microseconds.
    """
    start = (0,) * len(patterns)
    goal = tuple(len(pattern) for pattern in patterns)
    came_from: dict[State, tuple[State, str]] = {start: (start, "")}
    frontier = [start]
    while frontier and len(came_from) <= max_states:
        state = frontier.pop()
        if state == goal:
            return _spell(came_from, state)
        budget.spend(60)
        for following, char in _steps(patterns, state, filler):
            if char and char in never and _is_wild(patterns[0], state[0]):
                continue
            if following not in came_from:
                came_from[following] = (state, char)
                frontier.append(following)
    return None


def _is_wild(pattern: Sequence[Token], at: int) -> bool:
    return at < len(pattern) and isinstance(pattern[at], Wild)


State = tuple[int, ...]
"""The walk's position in each pattern."""


def _steps(patterns: Sequence[Sequence[Token]], state: State, filler: str) -> list[tuple[State, str]]:
    """The next states, each with its character; the last is walked first."""
    heads = [pattern[at] if at < len(pattern) else None for pattern, at in zip(patterns, state, strict=True)]
    steps: list[tuple[State, str]] = []
    literals = {head for head in heads if isinstance(head, str)}
    if None not in heads and len(literals) < 2 and any(head is not Wild.ANY for head in heads):
        char = literals.pop() if literals else filler
        onward = (at if head is Wild.ANY else at + 1 for at, head in zip(state, heads, strict=True))
        steps.append((tuple(onward), char))
    steps += [
        ((*state[:index], state[index] + 1, *state[index + 1 :]), "")
        for index, head in enumerate(heads)
        if head is Wild.ANY
    ]
    return steps


def _spell(came_from: dict[State, tuple[State, str]], state: State) -> str:
    chars: list[str] = []
    while any(state):
        state, char = came_from[state]
        chars.append(char)
    return "".join(reversed(chars))
