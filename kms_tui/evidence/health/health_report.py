"""The report of an examination: findings, gaps, and the numbers of each check."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from kms_tui.evidence.health.checks import Check
from kms_tui.evidence.health.compliance_packs import Pack
from kms_tui.evidence.health.examined import Examined, Need, Settings, Unsure
from kms_tui.inventory.row_health import HealthSeverity
from kms_tui.kms.arn import AccountRegion
from kms_tui.kms.errors import UnavailableError
from kms_tui.kms.facts import Denied, Fact, Failed, Known
from kms_tui.kms.model import Key


@dataclass(frozen=True, slots=True)
class KeyName:
    """Names a key; for a whole region ``arn`` and ``key_id`` are "". Untrusted.

    ``account`` has 12 digits, or is "" where it is not known. ``described`` is None for a key of which
    DescribeKey told nothing.
    """

    region: str
    name: str
    arn: str = ""
    key_id: str = ""
    account: str = ""
    aliases: tuple[str, ...] = ()
    """All of them, without ``alias/``."""
    described: Key | None = None


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Who answers for a finding that a baseline accepts, why, and until which day."""

    owner: str
    reason: str
    expires: date

    @property
    def words(self) -> str:
        """ "accepted by Kim until 2027-03-31: it is only for tests"; untrusted."""
        return f"accepted by {self.owner} until {self.expires}: {self.reason}"


class StrayEntry(NamedTuple):
    """An entry of a baseline that concerns none of a report's accounts and Regions: its file and line, and
    what it names. Untrusted."""

    where: str
    key: str


@dataclass(frozen=True, slots=True)
class HealthFinding:
    """A check that a key failed, and why in a sentence."""

    check: Check
    key: KeyName
    reason: str
    accepted: Acceptance | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Checks that could not be made for a key because a fact is not known; never a pass."""

    key: KeyName
    checks: tuple[Check, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class CheckTally:
    """The numbers of a check: keys that it applies to, findings among them, and keys not known.

    ``accepted`` of the findings are accepted by a baseline.
    """

    check: Check
    keys: int
    found: int
    not_known: int
    accepted: int = 0

    @property
    def passed(self) -> int:
        return self.keys - self.found - self.not_known


@dataclass(frozen=True, slots=True)
class AccountRegionTally:
    """The numbers of one account and Region; ``unlisted`` is why its keys could not all be listed, or ""."""

    place: AccountRegion
    keys: int
    tallies: tuple[CheckTally, ...]
    unlisted: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Findings and gaps in the order of the table of checks, then by name.

    ``keys`` is the number of customer keys that were listed, ``aws_managed`` that of keys not examined.
    ``complete`` is False if the examination was stopped before it knew all facts; ``unexamined`` of the keys
    then lack some. ``packs`` are those asked for.
    """

    time: datetime
    settings: Settings
    keys: int
    aws_managed: int
    findings: tuple[HealthFinding, ...]
    gaps: tuple[Gap, ...]
    tallies: tuple[CheckTally, ...]
    places: tuple[AccountRegionTally, ...]
    complete: bool = True
    packs: tuple[Pack, ...] = ()
    account_names: Mapping[str, str] = field(default_factory=dict)
    """Id of an account -> its name, where several are reported. Untrusted."""
    strays: tuple[StrayEntry, ...] = ()
    """What of the baseline is for other accounts or Regions."""
    unexamined: int = 0

    def account_title(self, account: str) -> str:
        """ "payments 111122223333", or the id alone; untrusted, "" for one that is not known."""
        name = self.account_names.get(account, "")
        return name if name.endswith(account) else f"{name} {account}".lstrip()

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts that are known, each once."""
        return tuple(dict.fromkeys(each.place.account for each in self.places if each.place.account))

    @property
    def regions(self) -> tuple[str, ...]:
        """The Regions, each once."""
        return tuple(dict.fromkeys(each.place.region for each in self.places))

    @property
    def is_whole(self) -> bool:
        """Whether all keys were listed, and the examination was not stopped."""
        return self.complete and not self.unlisted

    @property
    def unlisted(self) -> tuple[AccountRegionTally, ...]:
        """The accounts and Regions whose keys could not all be listed."""
        return tuple(each for each in self.places if each.unlisted)

    @property
    def empty(self) -> tuple[AccountRegionTally, ...]:
        """The accounts and Regions that were listed and have no customer key."""
        return tuple(each for each in self.places if not each.keys and not each.unlisted)

    @property
    def news(self) -> tuple[HealthFinding, ...]:
        """The findings that no baseline accepts."""
        return tuple(finding for finding in self.findings if finding.accepted is None)

    @property
    def accepted(self) -> tuple[HealthFinding, ...]:
        return tuple(finding for finding in self.findings if finding.accepted is not None)

    def count(self, severity: HealthSeverity) -> int:
        """The findings of a severity that no baseline accepts."""
        return sum(finding.check.severity is severity for finding in self.news)

    def reaches(self, severity: HealthSeverity) -> bool:
        """Whether a finding that no baseline accepts is at least this severe."""
        return any(finding.check.severity.rank <= severity.rank for finding in self.news)


@dataclass(slots=True)
class _Numbers:
    """What is counted of a check in one account and Region."""

    keys: int = 0
    found: int = 0
    not_known: int = 0


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
    _numbers: dict[AccountRegion, dict[str, _Numbers]] = field(default_factory=dict)
    _examined: dict[AccountRegion, int] = field(default_factory=lambda: defaultdict(int))
    _unlisted: dict[AccountRegion, str] = field(default_factory=dict)
    _unexamined: set[str] = field(default_factory=set)
    """The ARNs of keys of which not all was read before the examination was stopped."""

    @property
    def unexamined(self) -> int:
        return len(self._unexamined)

    def open(self, place: AccountRegion) -> None:
        """Add an account and Region, which is counted even where it has no key."""
        if place not in self._numbers:
            self._numbers[place] = {check.id: _Numbers() for check in self.checks}

    def _of(self, name: KeyName) -> dict[str, _Numbers]:
        place = AccountRegion(name.account, name.region)
        self.open(place)
        return self._numbers[place]

    def undescribed(self, name: KeyName, described: Fact[Key]) -> None:
        """Add a key that could not be described: no check can be made."""
        self._note_unread(name, described)
        self._nothing(name, self._why("DescribeKey", described))

    def unjudged(self, name: KeyName) -> None:
        """Add a key that the examination did not reach."""
        self._unexamined.add(name.arn)
        self._nothing(name, "It was not checked before the examination was stopped.")

    def _nothing(self, name: KeyName, reason: str) -> None:
        self._note(name)
        for numbers in self._of(name).values():
            numbers.keys += 1
        self._gap(name, tuple(self.checks), reason)

    def judge(self, name: KeyName, examined: Examined) -> None:
        unread: dict[Need, list[Check]] = defaultdict(list)
        self._note(name)
        numbers = self._of(name)
        for check in self.checks:
            if not check.applies(examined.key):
                continue
            numbers[check.id].keys += 1
            lacking = [need for need in check.needs if not isinstance(examined.fact(need), Known)]
            if lacking:
                unread[lacking[0]].append(check)
                continue
            verdict = check.verdict(examined, self.settings, self.now)
            if isinstance(verdict, Unsure):
                self._gap(name, (check,), f"{verdict.reason}.")
            elif verdict is not None:
                numbers[check.id].found += 1
                self.findings.append(HealthFinding(check, name, verdict))
        for need, checks in unread.items():
            self._note_unread(name, examined.fact(need))
            self._gap(name, tuple(checks), self._why(_CALLS.get(need, need.operation), examined.fact(need)))

    def _note_unread(self, name: KeyName, fact: Fact[Any]) -> None:
        if not isinstance(fact, Denied | Failed):
            self._unexamined.add(name.arn)

    def _note(self, name: KeyName) -> None:
        self._examined[AccountRegion(name.account, name.region)] += 1

    def _gap(self, name: KeyName, checks: tuple[Check, ...], reason: str) -> None:
        numbers = self._of(name)
        for check in checks:
            numbers[check.id].not_known += 1
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

    def unlisted(self, place: AccountRegion, fact: Fact[int]) -> None:
        """Add an account and Region whose keys could not all be listed, or were not by the end."""
        self.open(place)
        is_over = isinstance(fact, Denied | Failed)
        self._unlisted[place] = (
            self._why("ListKeys", fact)
            if is_over
            else "ListKeys had not ended when the examination was stopped."
        )
        name = KeyName(place.region, f"all of {place.region}", account=place.account)
        self.gaps.append(Gap(name, tuple(self.checks), self._unlisted[place]))

    def tallies(self) -> tuple[CheckTally, ...]:
        """The numbers of each check."""
        return tuple(
            CheckTally(
                check,
                sum(each[check.id].keys for each in self._numbers.values()),
                sum(each[check.id].found for each in self._numbers.values()),
                sum(each[check.id].not_known for each in self._numbers.values()),
            )
            for check in self.checks
        )

    def places(self) -> tuple[AccountRegionTally, ...]:
        """The numbers of each account and Region."""
        return tuple(
            AccountRegionTally(
                place,
                self._examined[place],
                tuple(
                    CheckTally(check, each.keys, each.found, each.not_known)
                    for check, each in ((check, numbers[check.id]) for check in self.checks)
                ),
                self._unlisted.get(place, ""),
            )
            for place, numbers in self._numbers.items()
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


def _by_name(key: KeyName) -> tuple[str, str, str]:
    return key.name.lower(), key.account, key.region
