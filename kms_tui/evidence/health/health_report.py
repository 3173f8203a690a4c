"""The report of an examination: findings, gaps, and the numbers of each check."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kms_tui.evidence.health.checks import Check
from kms_tui.evidence.health.examined import Examined, Need, Settings, Unsure
from kms_tui.inventory.row_health import HealthSeverity
from kms_tui.kms.errors import UnavailableError
from kms_tui.kms.facts import Denied, Fact, Failed, Known
from kms_tui.kms.model import Key


@dataclass(frozen=True, slots=True)
class KeyName:
    """Names a key; for a whole region ``arn`` and ``key_id`` are "". Untrusted."""

    region: str
    name: str
    arn: str = ""
    key_id: str = ""


@dataclass(frozen=True, slots=True)
class HealthFinding:
    """A check that a key failed, and why in a sentence."""

    check: Check
    key: KeyName
    reason: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Checks that could not be made for a key because a fact is not known; never a pass."""

    key: KeyName
    checks: tuple[Check, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class CheckTally:
    """The numbers of a check: keys that it applies to, findings among them, and keys not known."""

    check: Check
    keys: int
    found: int
    not_known: int

    @property
    def passed(self) -> int:
        return self.keys - self.found - self.not_known


@dataclass(frozen=True, slots=True)
class Report:
    """Findings and gaps in the order of the table of checks, then by name.

    ``keys`` is the number of customer keys examined, ``aws_managed`` that of keys not examined. ``complete``
    is False if the examination was stopped before it knew all facts.
    """

    account_id: str
    regions: tuple[str, ...]
    time: datetime
    settings: Settings
    keys: int
    aws_managed: int
    findings: tuple[HealthFinding, ...]
    gaps: tuple[Gap, ...]
    tallies: tuple[CheckTally, ...]
    complete: bool = True

    def count(self, severity: HealthSeverity) -> int:
        return sum(finding.check.severity is severity for finding in self.findings)

    def reaches(self, severity: HealthSeverity) -> bool:
        """Whether a finding is at least this severe."""
        return any(finding.check.severity.rank <= severity.rank for finding in self.findings)


@dataclass
class Judging:
    """Checks keys, one after the other."""

    checks: Sequence[Check]
    settings: Settings
    now: datetime
    unanswered: str = ""
    """Why calls stayed unanswered, or ""."""
    findings: list[HealthFinding] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    _keys: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _found: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _not_known: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def undescribed(self, name: KeyName, described: Fact[Key]) -> None:
        """Add a key that could not be described: no check can be made."""
        self._nothing(name, self._why("DescribeKey", described))

    def unjudged(self, name: KeyName) -> None:
        """Add a key that the examination did not reach."""
        self._nothing(name, "It was not checked before the examination was stopped.")

    def _nothing(self, name: KeyName, reason: str) -> None:
        for check in self.checks:
            self._keys[check.id] += 1
        self._gap(name, tuple(self.checks), reason)

    def judge(self, name: KeyName, examined: Examined) -> None:
        unread: dict[Need, list[Check]] = defaultdict(list)
        for check in self.checks:
            if not check.applies(examined.key):
                continue
            self._keys[check.id] += 1
            lacking = [need for need in check.needs if not isinstance(examined.fact(need), Known)]
            if lacking:
                unread[lacking[0]].append(check)
                continue
            verdict = check.verdict(examined, self.settings, self.now)
            if isinstance(verdict, Unsure):
                self._gap(name, (check,), f"{verdict.reason}.")
            elif verdict is not None:
                self._found[check.id] += 1
                self.findings.append(HealthFinding(check, name, verdict))
        for need, checks in unread.items():
            self._gap(name, tuple(checks), self._why(_CALLS.get(need, need.operation), examined.fact(need)))

    def _gap(self, name: KeyName, checks: tuple[Check, ...], reason: str) -> None:
        for check in checks:
            self._not_known[check.id] += 1
        self.gaps.append(Gap(name, checks, reason[:1].upper() + reason[1:]))

    def _why(self, call: str, fact: Fact[Any]) -> str:
        """Why a fact is not known, in a sentence; an error's text is untrusted."""
        if isinstance(fact, Denied):
            return f"{call} was denied: {fact.error}"
        if isinstance(fact, Failed) and isinstance(fact.error, UnavailableError):
            return f"{call} is not available here."
        if isinstance(fact, Failed):
            return f"{call} failed: {fact.error}"
        if self.unanswered:
            return f"{call} got no answer: {self.unanswered}"
        return f"{call} was not called before the examination was stopped."

    def unlisted(self, region: str, fact: Denied | Failed) -> None:
        """Add a region whose keys could not all be listed."""
        self.gaps.append(
            Gap(KeyName(region, f"all of {region}"), tuple(self.checks), self._why("ListKeys", fact))
        )

    def tallies(self) -> tuple[CheckTally, ...]:
        return tuple(
            CheckTally(check, self._keys[check.id], self._found[check.id], self._not_known[check.id])
            for check in self.checks
        )

    def in_order(self) -> tuple[tuple[HealthFinding, ...], tuple[Gap, ...]]:
        place = {check.id: number for number, check in enumerate(self.checks)}
        findings = sorted(self.findings, key=lambda each: (place[each.check.id], *_by_name(each.key)))
        gaps = sorted(self.gaps, key=lambda each: (bool(each.key.arn), *_by_name(each.key)))
        return tuple(findings), tuple(gaps)


_CALLS: Mapping[Need, str] = {
    Need.PRIMARY_POLICY: "GetKeyPolicy of its primary",
    Need.DISABLED_SINCE: "CloudTrail's LookupEvents",
}


def _by_name(key: KeyName) -> tuple[str, str]:
    return key.name.lower(), key.region
