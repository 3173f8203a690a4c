"""Fields that look into text: names, ids, descriptions, regions and tags; ``*`` stands for anything."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from fnmatch import fnmatchcase

from kms_tui.inventory.filters.verdict import Test, any_row, known_of
from kms_tui.inventory.row import Row
from kms_tui.kms.facts import Known


def _needed(value: str, example: str) -> str:
    if not value:
        raise ValueError(f"needs a value, such as {example}")
    return value.lower()


def _looks_like(wanted: str) -> Callable[[str], bool]:
    """A test of lower-case text: of the whole where ``wanted`` has a wildcard, else of any part."""
    if any(sign in wanted for sign in "*?["):
        return lambda text: fnmatchcase(text, wanted)
    return lambda text: wanted in text


def name(value: str, _now: datetime) -> Test:
    matches = _looks_like(_needed(value, "orders-*").removeprefix("alias/"))
    return Test(any_row, lambda row: any(matches(alias.lower()) for alias in row.aliases))


def key_id(value: str, _now: datetime) -> Test:
    matches = _looks_like(_needed(value, "1234abcd"))
    return Test(any_row, lambda row: matches(row.key_id))


def description(value: str, _now: datetime) -> Test:
    wanted = _needed(value, "payroll")
    matches = _looks_like(wanted)
    # The haystack is at hand, and has every description in it.
    longest = max(re.split(r"[*?]", wanted), key=len) if "[" not in wanted else ""

    def of_row(row: Row) -> bool | None:
        if longest not in row.haystack:
            return False
        key = row.key
        return None if key is None else matches(key.description.lower())

    return Test(known_of(lambda kind: kind.described), of_row)


def region(value: str, _now: datetime) -> Test:
    """By the region's beginning, any of several."""
    wanted = [part + "*" for part in _needed(value, "eu-*").split(",") if part]
    return Test(lambda kind: any(fnmatchcase(kind.region, each) for each in wanted))


def tag(value: str, _now: datetime) -> Test:
    """``key`` or ``key=value``."""
    key, equals, wanted = _needed(value, "team=payments").partition("=")

    def of_row(row: Row) -> bool | None:
        if not isinstance(row.tags, Known):
            return None
        return any(
            fnmatchcase(tag.key.lower(), key) and (not equals or fnmatchcase(tag.value.lower(), wanted))
            for tag in row.tags.value
        )

    return Test(known_of(lambda kind: kind.tags), of_row)
