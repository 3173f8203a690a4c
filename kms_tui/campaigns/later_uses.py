"""Who still uses a key, by CloudTrail since a moment: what a move has missed, before the key is disabled.

LookupEvents tells management events of the last 90 days, some 15 minutes after they happened. The uses of a
key are among them; those by grants of AWS services too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kms_tui.evidence.activity import KeepGoing, Trail, always, of_key
from kms_tui.evidence.events import Purpose, UsageEvent

DELAY = timedelta(minutes=15)
"""How long after a call its event may appear (CloudTrail user guide, "event history")."""

_KEPT = timedelta(days=90)
"""How far back LookupEvents tells events."""


@dataclass(frozen=True, slots=True)
class LaterUse:
    """The uses by one caller, in all its sessions; ``refused`` of ``count`` were refused. Untrusted text.

    ``who`` is the caller's short name ("app"), ``principal`` the ARN of the latest use, as far as it is told.
    """

    who: str
    principal: str
    operation: str
    context: tuple[tuple[str, str], ...]
    count: int
    refused: int
    last: datetime | None


@dataclass(frozen=True, slots=True)
class LaterUses:
    """The uses since a moment, the latest first; not all of them where it is not ``is_complete``."""

    since: datetime
    uses: tuple[LaterUse, ...]
    is_complete: bool

    def is_seen_until(self, now: datetime) -> datetime:
        """Before this moment every use has appeared; later ones may not have."""
        return max(self.since, now - DELAY)


def later_uses(
    trail: Trail, arn: str, region: str, since: datetime, now: datetime, keep_going: KeepGoing = always
) -> LaterUses:
    """Read the uses of a key since a moment. Raises KmsTuiError; UnavailableError without CloudTrail."""
    history = of_key(trail, arn, region, now, since)
    while not history.is_complete and keep_going():
        history.more(keep_going)
    return LaterUses(since, tuple(grouped(history.events)), history.is_complete)


def told_since(since: datetime, now: datetime, *, is_live: bool) -> datetime:
    """Since when uses are told at all; ``is_live`` as of a trail that keeps every event."""
    return since if is_live else max(since, now - _KEPT)


def grouped(events: Iterable[UsageEvent]) -> Sequence[LaterUse]:
    """The uses among some events, by caller, operation and encryption context, the latest first."""
    found: dict[tuple[str, str, tuple[tuple[str, str], ...]], LaterUse] = {}
    for event in sorted(events, key=_age):
        if event.purpose is not Purpose.USE or event.error == "DryRunOperationException":
            continue
        key = (event.who, event.operation, event.context)
        # The first event of a caller is its latest.
        use = found.get(key) or LaterUse(event.who, event.principal, *key[1:], 0, 0, event.time)
        found[key] = replace(use, count=use.count + 1, refused=use.refused + event.is_refused)
    return list(found.values())


def _age(event: UsageEvent) -> float:
    """Sorts the latest first, and what has no time last."""
    return -event.time.timestamp() if event.time is not None else 0.0
