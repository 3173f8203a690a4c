"""What to know of many keys before they are deleted: of each in a few words, and of all in numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.facts import Denied, Fact, Failed, Known
from kms_tui.kms.model import Grant, Key, KeyLastUsage
from kms_tui.ui.acts.base import Subject
from kms_tui.ui.details.tab import read_fact
from kms_tui.ui.words import span_words

RECENT = timedelta(days=90)
"""Use within this time counts as recent."""


@dataclass(frozen=True, slots=True)
class Uses:
    """Who may miss a key: GetKeyLastUsage, ListGrants, and DescribeKey for its replicas."""

    usage: Fact[KeyLastUsage]
    grants: Fact[list[Grant]]
    key: Fact[Key]

    @classmethod
    def read(cls, kms: Kms, subject: Subject) -> Uses:
        """Ask for each by itself; it blocks."""
        return cls(
            read_fact(lambda: kms.last_usage(subject.key_id)),
            read_fact(lambda: kms.grants(subject.key_id)),
            read_fact(lambda: kms.describe(subject.key_id)),
        )

    def is_recent(self, now: datetime) -> bool:
        used = self.usage.value.time if isinstance(self.usage, Known) else None
        return used is not None and now - used < RECENT

    @property
    def has_grants(self) -> bool:
        return isinstance(self.grants, Known) and bool(self.grants.value)

    @property
    def replicas(self) -> tuple[str, ...]:
        """The Regions of its replicas, which are to be deleted before it."""
        multi = self.key.value.multi_region if isinstance(self.key, Known) else None
        if multi is None or not multi.is_primary:
            return ()
        return tuple(arn.split(":")[3] for arn in multi.replica_arns)

    @property
    def is_unknown(self) -> bool:
        """Whether one of the facts could not be read."""
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
            count = len(self.grants.value)
            yield f"{count} grant{'' if count == 1 else 's'}"
        elif not isinstance(self.grants, Known):
            yield _unread("grants", self.grants)
        if self.replicas:
            yield f"replicas in {', '.join(self.replicas)}"
        elif not isinstance(self.key, Known):
            yield _unread("replicas", self.key)


def _unread(what: str, fact: Fact[object]) -> str:
    return f"{what} denied" if isinstance(fact, Denied) else f"{what} not known"


def tally(uses: Iterable[Uses], total: int, now: datetime) -> str:
    """ "2 used in the last 90 days · 1 with grants · 0 with replicas", and how many are still to be read."""
    known = list(uses)
    parts = [
        f"{sum(each.is_recent(now) for each in known):,} used in the last {RECENT.days} days",
        f"{sum(each.has_grants for each in known):,} with grants",
        f"{sum(bool(each.replicas) for each in known):,} with replicas",
    ]
    if unknown := sum(each.is_unknown for each in known):
        parts.append(f"{unknown:,} not known whole")
    if len(known) < total:
        parts.append(f"reading {len(known):,} of {total:,}…")
    return " · ".join(parts)
