"""Tests of a row by the value of a filter field: words, texts with ``*``, lengths of time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from fnmatch import fnmatchcase

from kms_tui.inventory.row import Row
from kms_tui.inventory.row_class import Reading, RowClass
from kms_tui.kms.facts import Known


class Depends(Enum):
    """The verdict that rows of one class may differ."""

    ON_ROW = "on the row"


ON_ROW = Depends.ON_ROW
Verdict = bool | Depends | None
"""True, False, None where a fact that decides is not known, or ON_ROW."""


def _never_asked(row: Row) -> bool | None:
    raise AssertionError(f"the class of {row.arn} decides")


@dataclass(frozen=True, slots=True)
class RowTest:
    """``of_row`` is called only where ``of_class`` says ON_ROW."""

    of_class: Callable[[RowClass], Verdict]
    of_row: Callable[[Row], bool | None] = _never_asked
    contains: str = ""
    """Where the value is a text of which any part may match: that text."""

    def narrows(self, other: RowTest) -> bool:
        """Whether this test of a field fails wherever ``other``, of the same field, does."""
        return bool(other.contains) and other.contains in self.contains

    def holds(self, row: Row) -> bool | None:
        verdict = self.of_class(row.row_class)
        return self.of_row(row) if isinstance(verdict, Depends) else verdict

    def judge(self, rows: Sequence[Row]) -> list[bool | None]:
        """The verdict on each row."""
        of_class, of_row = self.of_class, self.of_row
        row_classes = [row.row_class for row in rows]  # read once: another thread may change a row
        verdicts = {row_class: of_class(row_class) for row_class in set(row_classes)}
        return [
            of_row(row) if isinstance(verdict := verdicts[row_class], Depends) else verdict
            for row, row_class in zip(rows, row_classes, strict=True)
        ]

    def negated(self) -> RowTest:
        def of_class(row_class: RowClass) -> Verdict:
            verdict = self.of_class(row_class)
            return not verdict if isinstance(verdict, bool) else verdict

        def of_row(row: Row) -> bool | None:
            verdict = self.of_row(row)
            return None if verdict is None else not verdict

        return RowTest(of_class, of_row)


def known_of(reading: Callable[[RowClass], Reading]) -> Callable[[RowClass], Verdict]:
    """For tests of a fact's value: ON_ROW where it is known, False where it does not apply."""

    def of_class(row_class: RowClass) -> Verdict:
        match reading(row_class):
            case Reading.KNOWN:
                return ON_ROW
            case Reading.NOT_APPLICABLE:
                return False
            case _:
                return None

    return of_class


def any_row(_row_class: RowClass) -> Verdict:
    """For tests of a value that every row has."""
    return ON_ROW


def _needed(value: str, example: str) -> str:
    if not value:
        raise ValueError(f"needs a value, such as {example}")
    return value.lower()


def _looks_like(wanted: str) -> Callable[[str], bool]:
    """A test of lower-case text: of the whole where ``wanted`` has a wildcard, else of any part."""
    if _has_wildcard(wanted):
        return lambda text: fnmatchcase(text, wanted)
    return lambda text: wanted in text


def _has_wildcard(wanted: str) -> bool:
    return any(sign in wanted for sign in "*?[")


def _longest_part(wanted: str) -> str:
    """The longest text that whatever looks like ``wanted`` contains, perhaps ""."""
    return max(re.split(r"[*?]", wanted), key=len) if "[" not in wanted else ""


def name(value: str, _now: datetime) -> RowTest:
    wanted = _needed(value, "orders-*").removeprefix("alias/")
    matches, part = _looks_like(wanted), _longest_part(wanted)

    def of_row(row: Row) -> bool:
        # search_text contains the aliases.
        return part in row.search_text and any(matches(alias.lower()) for alias in row.aliases)

    return RowTest(any_row, of_row, "" if _has_wildcard(wanted) else wanted)


def key_id(value: str, _now: datetime) -> RowTest:
    matches = _looks_like(_needed(value, "1234abcd"))
    return RowTest(any_row, lambda row: matches(row.key_id))


def description(value: str, _now: datetime) -> RowTest:
    wanted = _needed(value, "payroll")
    matches, part = _looks_like(wanted), _longest_part(wanted)

    def of_row(row: Row) -> bool | None:
        # search_text contains the description.
        if part not in row.search_text:
            return False
        key = row.key
        return None if key is None else matches(key.description.lower())

    return RowTest(
        known_of(lambda row_class: row_class.described), of_row, "" if _has_wildcard(wanted) else wanted
    )


def region(value: str, _now: datetime) -> RowTest:
    """A region that begins with any of several words."""
    wanted = [part + "*" for part in _needed(value, "eu-*").split(",") if part]
    return RowTest(lambda row_class: any(fnmatchcase(row_class.region, each) for each in wanted))


def account(value: str, _now: datetime) -> RowTest:
    """An account whose name, or id, begins with any of several words."""
    wanted = [part + "*" for part in _needed(value, "payments").split(",") if part]
    verdicts: dict[str, bool] = {}

    def of_row(row: Row) -> bool:
        text = f"{row.account_name.lower()}\n{row.account}"
        if text not in verdicts:
            verdicts[text] = any(fnmatchcase(part, each) for part in text.split("\n") for each in wanted)
        return verdicts[text]

    return RowTest(any_row, of_row)


def tag(value: str, _now: datetime) -> RowTest:
    """``key`` or ``key=value``."""
    key, equals, wanted = _needed(value, "team=payments").partition("=")

    def of_row(row: Row) -> bool | None:
        if not isinstance(row.tags, Known):
            return None
        return any(
            fnmatchcase(tag.key.lower(), key) and (not equals or fnmatchcase(tag.value.lower(), wanted))
            for tag in row.tags.value
        )

    return RowTest(known_of(lambda row_class: row_class.tags), of_row)


REFUSED = {Reading.DENIED: "denied", Reading.FAILED: "failed"}
"""Words that match rows whose fact could not be read."""


def plain(text: str) -> str:
    """Without case and separators: "pending deletion", PendingDeletion and pending-deletion are the same."""
    return re.sub(r"[\s_-]", "", text.lower())


def alternatives(value: str, example: str) -> list[str]:
    """The plain words of "a,b"; ValueError where there are none."""
    wanted = [word for part in value.split(",") if (word := plain(part))]
    if not wanted:
        raise ValueError(f"needs a value, such as {example}")
    return wanted


@dataclass(frozen=True, slots=True)
class WordChoice:
    """Compiles a value to a test of one fact.

    ``words_of`` gives the names of a known value, ``values`` those that completion offers, ``also`` further
    accepted words. ``anywhere``: any part of a word matches, not only its beginning.
    """

    values: tuple[str, ...]
    reading: Callable[[RowClass], Reading]
    words_of: Callable[[RowClass], Iterable[str]]
    also: tuple[str, ...] = ()
    not_applicable: tuple[str, ...] = ()
    anywhere: bool = False

    def __call__(self, value: str, _now: datetime) -> RowTest:
        wanted = alternatives(value, self.values[0])
        words = (*self.values, *self.also, *self.not_applicable, *REFUSED.values())
        for each in wanted:
            if not self._called(words, [each]):
                raise ValueError(f'"{value}" is none of {", ".join(self.values)}')

        def of_class(row_class: RowClass) -> Verdict:
            reading = self.reading(row_class)
            if reading is Reading.KNOWN:
                return self._called(self.words_of(row_class), wanted)
            if reading is Reading.NOT_APPLICABLE:
                return self._called(self.not_applicable, wanted)
            return REFUSED.get(reading) in wanted or None

        return RowTest(of_class)

    def _called(self, words: Iterable[str], wanted: list[str]) -> bool:
        return any(
            (each in word if self.anywhere else word.startswith(each))
            for word in map(plain, words)
            for each in wanted
        )


_DAYS = {"h": 1 / 24, "d": 1, "w": 7, "mo": 30, "m": 30, "y": 365}
_SPAN = re.compile(r"([<>]?)=?\s*(\d+)\s*(h|d|w|mo|m|y)\Z")


def _cut(value: str, now: datetime, example: str, *, ahead: bool = False) -> tuple[bool, datetime]:
    """Whether the filter asks for longer (else shorter), and the moment that long ago, or ahead."""
    match = _SPAN.match(value.lower())
    if match is None:
        raise ValueError(f"needs a length of time, such as {example} (h, d, w, mo or y)")
    try:
        span = timedelta(days=int(match[2]) * _DAYS[match[3]])
        return match[1] != "<", now + span if ahead else now - span
    except OverflowError as error:
        raise ValueError("is longer than the calendar") from error


def age(value: str, now: datetime) -> RowTest:
    """Created longer ago than this."""
    older, moment = _cut(value, now, ">1y")

    cut = moment.timestamp()

    def of_row(row: Row) -> bool | None:
        return None if row.created is None else (row.created < cut) is older

    return RowTest(known_of(lambda row_class: row_class.described), of_row)


def expires(value: str, now: datetime) -> RowTest:
    """Imported material that expires within this time; "<" may be left out."""
    later, moment = _cut(value if value[:1] in "<>" else f"<{value}", now, "<30d", ahead=True)

    def of_row(row: Row) -> bool | None:
        key = row.key
        return None if key is None else key.valid_to is not None and (key.valid_to > moment) is later

    return RowTest(known_of(lambda row_class: row_class.described), of_row)


def unused(value: str, now: datetime) -> RowTest:
    """Not used for longer than this.

    A key without a use since a TrackingStartDate that is too recent is undecided: it may have been used
    earlier.
    """
    longer, moment = _cut(value, now, ">90d")

    def of_row(row: Row) -> bool | None:
        if not isinstance(row.last_usage, Known):
            return None
        usage = row.last_usage.value
        if usage.time is not None:
            return (usage.time < moment) is longer
        seen_nothing_since = usage.tracking_start
        return longer if seen_nothing_since is not None and seen_nothing_since < moment else None

    return RowTest(known_of(lambda row_class: row_class.last_usage), of_row)
