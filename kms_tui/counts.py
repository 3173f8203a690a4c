"""A number and what is counted, in words."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """ "1 key", "1,200 keys"; the plural of ``noun`` ends in s."""
    return counted_as(number, noun, f"{noun}s")


def counted_as(number: int, one: str, many: str) -> str:
    """ "1 alias still names", "2 aliases still name": a noun of another plural, or with its verb."""
    return f"{number:,} {one if number == 1 else many}"
