"""A number and what is counted, and the members of a list, in words."""

from __future__ import annotations

from collections.abc import Sequence


def counted(number: int, noun: str) -> str:
    """ "1 key", "1,200 keys"; the plural of ``noun`` ends in s."""
    return counted_as(number, noun, f"{noun}s")


def counted_as(number: int, one: str, many: str) -> str:
    """ "1 alias still names", "2 aliases still name": a noun of another plural, or with its verb."""
    return f"{number:,} {one if number == 1 else many}"


def in_words(names: Sequence[str], most: int | None = None) -> str:
    """ "a", "a and b", "a, b and c"; of more than ``most`` names "a, b and 1,200 more". "" for none."""
    if most is not None and len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most:,} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
