"""What the health checks say of a row, as far as the facts on hand allow."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class HealthSeverity(StrEnum):
    """The gravest first."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        return list(HealthSeverity).index(self)


SEVERITY_MARKS = {HealthSeverity.HIGH: "▲", HealthSeverity.MEDIUM: "◆", HealthSeverity.LOW: "▽"}
"""Severity -> its glyph, which stands beside a word."""


class RowFinding(NamedTuple):
    """A check that found something; ``rank`` is its place in the table of checks, the gravest first."""

    rank: int
    check: str
    words: str
    severity: HealthSeverity


class RowHealth(NamedTuple):
    """``unread`` and ``refused`` are the facts, by their names, that checks of this key still need.

    ``unsure`` are the ids of checks whose facts are known and do not decide.
    """

    findings: tuple[RowFinding, ...] = ()
    unread: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    unsure: tuple[str, ...] = ()

    @property
    def worst(self) -> RowFinding | None:
        return self.findings[0] if self.findings else None

    @property
    def is_whole(self) -> bool:
        """Whether every check of the key was judged."""
        return not (self.unread or self.refused or self.unsure)


UNDESCRIBED = RowHealth(unread=frozenset({"described"}))
"""That of a row whose key is not described yet."""
HEALTHY = RowHealth()
"""That of a row that nothing was found in, or of one that no check is for."""
