"""Fields with few values: found by the beginnings of their words, so that they answer while one types."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from kms_tui.inventory.filters.verdict import Test, Verdict
from kms_tui.inventory.kind import Kind, Reading

REFUSED = {Reading.DENIED: "denied", Reading.FAILED: "failed"}
"""Words that find the rows whose fact could not be read."""


def plain(text: str) -> str:
    """Case and separators do not count: "pending deletion", PendingDeletion and pending-deletion are one."""
    return re.sub(r"[\s_-]", "", text.lower())


def alternatives(value: str, example: str) -> list[str]:
    """The plain words of "a,b"; ValueError where there are none."""
    wanted = [word for part in value.split(",") if (word := plain(part))]
    if not wanted:
        raise ValueError(f"needs a value, such as {example}")
    return wanted


@dataclass(frozen=True, slots=True)
class Choice:
    """Compiles a value to a test of one fact.

    ``words_of`` gives what a known value may be called, ``values`` what to offer, ``also`` further words that
    are no mistake. ``anywhere``: a part of a word is enough, not only its beginning.
    """

    values: tuple[str, ...]
    reading: Callable[[Kind], Reading]
    words_of: Callable[[Kind], Iterable[str]]
    also: tuple[str, ...] = ()
    not_applicable: tuple[str, ...] = ()
    anywhere: bool = False

    def __call__(self, value: str, _now: datetime) -> Test:
        wanted = alternatives(value, self.values[0])
        words = (*self.values, *self.also, *self.not_applicable, *REFUSED.values())
        for each in wanted:
            if not self._called(words, [each]):
                raise ValueError(f'"{value}" is none of {", ".join(self.values)}')

        def of_kind(kind: Kind) -> Verdict:
            reading = self.reading(kind)
            if reading is Reading.KNOWN:
                return self._called(self.words_of(kind), wanted)
            if reading is Reading.NOT_APPLICABLE:
                return self._called(self.not_applicable, wanted)
            return REFUSED.get(reading) in wanted or None

        return Test(of_kind)

    def _called(self, words: Iterable[str], wanted: list[str]) -> bool:
        return any(
            (each in word if self.anywhere else word.startswith(each))
            for word in map(plain, words)
            for each in wanted
        )
