"""What the health checks say of a row, as far as the facts on hand allow."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
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


EXPIRES_SOON = timedelta(days=30)
"""Imported key material that expires within this time is a finding, unless the settings say another."""

SEVERITY_MARKS = {HealthSeverity.HIGH: "▲", HealthSeverity.MEDIUM: "◆", HealthSeverity.LOW: "▽"}
"""Severity -> its glyph, which stands beside a word."""


FINDING_WORDS: Mapping[str, str] = {
    "pending-deletion": "pending deletion",
    "public-policy": "anyone may use it",
    "no-account-control": "no account control",
    "external-administration": "outside admin",
    "unavailable": "key store offline",
    "material-missing": "key material missing",
    "material-expires": "key material expires",
    "rotation-off": "rotation off",
    "conditional-control": "conditional control",
    "cross-account": "cross-account access",
    "unbound-service": "no source condition",
    "replica-policy": "replica differs",
    "disabled-long": "disabled for long",
    "unused": "not used",
    "no-alias": "no alias",
    "tags-missing": "tags missing",
}
"""Id of a check -> its title, in words that fit a cell; the gravest first, as in the table of checks."""
_RANKS = {check: rank for rank, check in enumerate(FINDING_WORDS)}


class RowFinding(NamedTuple):
    """A check, by its id, that found something."""

    check: str
    severity: HealthSeverity

    @property
    def rank(self) -> int:
        """Its place among the checks, the gravest first."""
        return _RANKS[self.check]


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
