"""Facts about keys before they are deleted, each read by itself while the question is open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from kms_tui.backend.kms_facade import Kms
from kms_tui.counts import in_words
from kms_tui.evidence.cost import MonthlyCost, Prices, monthly_cost
from kms_tui.evidence.scans import Scan, Scans
from kms_tui.kms.facts import Denied, Fact, Failed, Known, read_fact
from kms_tui.kms.model import Alias, Grant, Key, KeyLastUsage
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.base.words import counted, date_words, fact_content, span_words, when_words
from kms_tui.ui.details.scan_words import EARLIER_DATA, NOT_AVAILABLE, scanning_words, used_by_content

T = TypeVar("T")
_RECENT = timedelta(days=90)
"""Use within this time is recent, and a warning."""


@dataclass(frozen=True, slots=True)
class DeletionFact(Generic[T]):
    """One fact about one key; ``read`` blocks and may raise KmsTuiError, ``show`` puts it in words."""

    label: str
    read: Callable[[Kms, Subject], T]
    show: Callable[[T, datetime], Content]

    def ask(self, kms: Kms, subject: Subject, now: datetime) -> Content:
        """Read the fact, and put it or the reason why it is not known in words."""
        fact: Fact[T] = read_fact(lambda: self.read(kms, subject))
        return fact_content(fact, lambda value: self.show(value, now))


def _usage(usage: KeyLastUsage, now: datetime) -> Content:
    """Never "never": uses from before the tracking began are not known."""
    if usage.time is not None:
        text = f"{when_words(usage.time, now)}, by {usage.operation}"
        return safe(text).stylize("$warning" if now - usage.time < _RECENT else "")
    if usage.tracking_start is None:
        return Content.styled("unknown", "$warning")
    since = date_words(usage.tracking_start)
    return Content(f"not since {since}, when tracking began; unknown before")


def _aliases(aliases: list[Alias], _: datetime) -> Content:
    if not aliases:
        return Content("none")
    return safe(", ".join(alias.short_name for alias in aliases)) + Content(" (deleted with it)")


def _grants(grants: list[Grant], _: datetime) -> Content:
    if not grants:
        return Content("none")
    grantees = sorted({grant.grantee.rpartition(":")[2] for grant in grants})
    return safe(f"{len(grants)}, for {', '.join(grantees)}").stylize("$warning")


def _multi_region(key: Key, _: datetime) -> Content:
    multi = key.multi_region
    if multi is None:
        return Content("not a multi-Region key")
    if not multi.is_primary:
        return Content(f"this is one; the primary in {multi.primary_arn.split(':')[3]} and its material stay")
    if not multi.replica_arns:
        return Content("none")
    regions = in_words([arn.split(":")[3] for arn in multi.replica_arns])
    return Content.styled(f"in {regions}: the waiting period begins when they are deleted", "$warning")


def _cost(kms: Kms, subject: Subject, prices: Prices) -> MonthlyCost:
    key = kms.describe(subject.key_id)
    if not key.may_have_rotated:
        return monthly_cost(key, 0, prices)
    rotations = read_fact(lambda: kms.rotations(subject.key_id))
    return monthly_cost(key, len(rotations.value) if isinstance(rotations, Known) else None, prices)


DELETION_FACTS = (
    DeletionFact("Last used", lambda kms, subject: kms.last_usage(subject.key_id), _usage),
    DeletionFact("Aliases", lambda kms, subject: kms.aliases(subject.key_id), _aliases),
    DeletionFact("Grants", lambda kms, subject: kms.grants(subject.key_id), _grants),
    DeletionFact("Replicas", lambda kms, subject: kms.describe(subject.key_id), _multi_region),
)


def monthly_saving(prices: Prices) -> DeletionFact[MonthlyCost]:
    """What the deletion saves, by a price table."""
    return DeletionFact(
        "Saves",
        lambda kms, subject: _cost(kms, subject, prices),
        lambda cost, _: Content(f"{cost} a month, from the day that it is scheduled"),
    )


USED_BY = "Used by"
_WIDTH = 54
"""Cells beside the labels in an 80-column terminal."""


def used_by(scans: Scans, subject: Subject, now: datetime) -> Content:
    """What the last scan of the Region found, or that there is none; and what no scan can see."""
    return _scanned(scans, subject, now) + Content.styled(f"\n{EARLIER_DATA}", "$foreground-muted")


def _scanned(scans: Scans, subject: Subject, now: datetime) -> Content:
    if not scans.is_offered:
        return Content(NOT_AVAILABLE)
    if scans.is_running(subject.region):
        return Content.styled(scanning_words(scans, subject.region), "$accent")
    result = scans.result(subject.region)
    if isinstance(result, Scan):
        return used_by_content(result, subject.key_id, now, width=_WIDTH)
    if result is not None:
        return Content.styled("not known: ", "$error") + safe(str(result))
    return Content.styled("not known: no scan was made in this session", "$warning")


@dataclass(frozen=True, slots=True)
class KeyUse:
    """Who may miss a key, of many: GetKeyLastUsage, ListGrants, and DescribeKey for its replicas."""

    usage: Fact[KeyLastUsage]
    grants: Fact[list[Grant]]
    key: Fact[Key]

    @classmethod
    def read(cls, kms: Kms, subject: Subject) -> KeyUse:
        """Read each fact by itself; it blocks."""
        return cls(
            read_fact(lambda: kms.last_usage(subject.key_id)),
            read_fact(lambda: kms.grants(subject.key_id)),
            read_fact(lambda: kms.describe(subject.key_id)),
        )

    def is_recent(self, now: datetime) -> bool:
        used = self.usage.value.time if isinstance(self.usage, Known) else None
        return used is not None and now - used < _RECENT

    @property
    def has_grants(self) -> bool:
        return isinstance(self.grants, Known) and bool(self.grants.value)

    @property
    def replicas(self) -> tuple[str, ...]:
        """The Regions of its replicas, which must be deleted before it."""
        multi = self.key.value.multi_region if isinstance(self.key, Known) else None
        if multi is None or not multi.is_primary:
            return ()
        return tuple(arn.split(":")[3] for arn in multi.replica_arns)

    @property
    def is_unknown(self) -> bool:
        """Whether one of the facts is denied or failed."""
        return any(isinstance(fact, Denied | Failed) for fact in (self.usage, self.grants, self.key))

    def words(self, now: datetime) -> str:
        """ "used 2 h ago, 3 grants, replicas in us-east-1"; what is not known says so."""
        return ", ".join(self._words(now))

    def _words(self, now: datetime) -> Iterator[str]:
        if isinstance(self.usage, Known):
            used = self.usage.value
            if used.time is not None:
                yield f"used {span_words(now - used.time)} ago"
            elif used.tracking_start is not None:
                yield f"no use seen since {used.tracking_start:%Y-%m-%d}"
            else:
                yield "last use unknown"
        else:
            yield _unread("last use", self.usage)
        if self.has_grants:
            assert isinstance(self.grants, Known)
            yield counted(len(self.grants.value), "grant")
        elif not isinstance(self.grants, Known):
            yield _unread("grants", self.grants)
        if self.replicas:
            yield f"replicas in {', '.join(self.replicas)}"
        elif not isinstance(self.key, Known):
            yield _unread("replicas", self.key)


def _unread(what: str, fact: Fact[object]) -> str:
    return f"{what} denied" if isinstance(fact, Denied) else f"{what} not known"


def use_counts(uses: Iterable[KeyUse], total: int, now: datetime) -> str:
    """ "2 used in the last 90 days · 1 with grants · 0 with replicas", and how many are still to be read."""
    known = list(uses)
    parts = [
        f"{sum(each.is_recent(now) for each in known):,} used in the last {_RECENT.days} days",
        f"{sum(each.has_grants for each in known):,} with grants",
        f"{sum(bool(each.replicas) for each in known):,} with replicas",
    ]
    if unknown := sum(each.is_unknown for each in known):
        parts.append(f"{unknown:,} not known whole")
    if len(known) < total:
        parts.append(f"reading {len(known):,} of {total:,}…")
    return " · ".join(parts)
