"""Refused uses of disabled keys: by whom, how often, and since when.

The developer guide's advice before a deletion: disable the key first, and watch for DisabledException. A
watch ends when the trail or this console shows that the key was enabled or its deletion scheduled.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.evidence.activity import LATENESS, EventHistory, KeepGoing, Trail, always, of_key, of_kms
from kms_tui.evidence.events import DISABLED, UsageEvent
from kms_tui.kms.arn import key_arn, key_id_of
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.operations import Trait, names_with

_BEGINS = frozenset(names_with(Trait.DISABLES))
_ENDS = frozenset({"EnableKey", "ScheduleKeyDeletion"})
_PAGES = 20
"""Pages of a key's events that one poll reads; beyond them the count says "at least"."""
_UNNAMED_PAGES = 2
"""Pages of all the Region's events that one poll reads, for refusals without resources."""
_OVERLAP = LATENESS + timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Refusals:
    """The refused uses of one disabled key, as far as they are known.

    ``since`` is when it was disabled, or else the moment back to which events were read (``since_known`` is
    False). ``checked`` is None before the first poll; ``error`` is why the last one failed; ``at_least``:
    there were more events than one poll reads.
    """

    arn: str
    region: str
    since: datetime
    since_known: bool
    callers: tuple[tuple[str, int], ...] = ()
    """Callers by short name with their number of refusals, most first."""
    last: UsageEvent | None = None
    checked: datetime | None = None
    error: KmsTuiError | None = None
    at_least: bool = False

    @property
    def count(self) -> int:
        return sum(number for _, number in self.callers)


class _Watch:
    """One watched key. ``since`` is None until the trail shows when the key was disabled."""

    def __init__(self, trail: Trail, arn: str, region: str, since: datetime | None, now: datetime) -> None:
        self._trail = trail
        self._arn, self._region = arn, region
        self._since = since
        self._refused: dict[str, UsageEvent] = {}
        self.found = Refusals(arn, region, since or now, since is not None)

    def poll(self, unnamed: Sequence[UsageEvent], now: datetime, keep_going: KeepGoing) -> bool:
        """Read new events; False ends the watch. Raises the errors of ``kms_tui.kms.errors``."""
        checked = self.found.checked
        start = self._since
        if start is not None and checked is not None:
            start = max(start, checked - _OVERLAP)
        events = of_key(self._trail, self._arn, self._region, now, start)
        for _ in range(_PAGES):
            events.more(keep_going)
            if events.is_complete or (self._since is None and _last_switch(events.events) is not None):
                break
        if not keep_going():
            return True
        switch = _last_switch(events.events)
        if switch is not None and switch.operation in _ENDS:
            return False
        if self._since is None:
            self._set_since(events, switch)
        self._count([*events.events, *unnamed])
        at_least = self.found.at_least or not (events.is_complete or switch is not None)
        self.found = replace(self.found, checked=now, error=None, at_least=at_least)
        return True

    def _set_since(self, events: EventHistory, switch: UsageEvent | None) -> None:
        read = [event.time for event in events.events if event.time is not None]
        if switch is not None and switch.time is not None:
            self._since = switch.time
        else:
            self._since = events.since if events.is_complete or not read else read[-1]
        self.found = replace(self.found, since=self._since, since_known=switch is not None)

    def _count(self, events: Sequence[UsageEvent]) -> None:
        since = (self._since or self.found.since).replace(microsecond=0)
        for event in events:
            refused = event.error == DISABLED and event.names(self._arn)
            if refused and (event.time is None or event.time >= since):
                self._refused[event.key] = event
        newest = [event for event in self._refused.values() if event.time is not None]
        self.found = replace(
            self.found,
            callers=tuple(Counter(event.who for event in self._refused.values()).most_common()),
            last=max(newest, key=lambda event: event.time or since, default=None),
        )


def _last_switch(events: Sequence[UsageEvent]) -> UsageEvent | None:
    """The newest event that disabled or enabled the key, or scheduled or cancelled its deletion."""
    operations = _BEGINS | _ENDS
    return next((event for event in events if event.operation in operations and not event.error), None)


class RefusalMonitor:
    """Watches disabled keys of a session. Several threads may use it; ``poll`` blocks."""

    def __init__(self, trail: Trail, now: Callable[[], datetime]) -> None:
        self.trail = trail
        self._now = now
        self._lock = threading.Lock()
        self._watches: dict[str, _Watch] = {}

    def begin(self, arn: str, region: str, since: datetime | None = None) -> None:
        """Watch a key that was disabled at ``since``; None: the trail is to show when."""
        watch = _Watch(self.trail, arn, region, since, self._now())
        with self._lock:
            self._watches[arn] = watch

    def end(self, arn: str) -> None:
        with self._lock:
            self._watches.pop(arn, None)

    def of(self, arn: str) -> Refusals | None:
        """A key's refused uses; None if it is not watched."""
        watch = self._watches.get(arn)
        return watch.found if watch is not None else None

    @property
    def all(self) -> list[Refusals]:
        with self._lock:
            return [watch.found for watch in self._watches.values()]

    def poll(self, keep_going: KeepGoing = always) -> None:
        """Poll once for each key; a failure goes to its ``error``; a denied key is not polled again."""
        with self._lock:
            watches = [watch for watch in self._watches.values() if not _is_denied(watch.found.error)]
        unnamed = {
            region: self._unnamed(region, watches, keep_going) for region in {w.found.region for w in watches}
        }
        for watch in watches:
            if not keep_going():
                return
            try:
                continues = watch.poll(unnamed[watch.found.region], self._now(), keep_going)
            except KmsTuiError as error:
                watch.found = replace(watch.found, error=error)
                continue
            if not continues:
                with self._lock:
                    if self._watches.get(watch.found.arn) is watch:
                        del self._watches[watch.found.arn]

    def _unnamed(self, region: str, watches: Sequence[_Watch], keep_going: KeepGoing) -> list[UsageEvent]:
        """The Region's newest events: a refusal may name its key only in its message."""
        here = [watch.found for watch in watches if watch.found.region == region]
        if self.trail.is_live:
            return []
        since = min(found.since if found.checked is None else found.checked - _OVERLAP for found in here)
        events = of_kms(self.trail, region, since)
        try:
            for _ in range(_UNNAMED_PAGES):
                events.more(keep_going)
        except KmsTuiError:
            return []
        return events.events


def _is_denied(error: KmsTuiError | None) -> bool:
    return bool(getattr(error, "denied", False))


class RefusalWrapper(Wrapper):
    """Begins and ends watches as this session disables, enables or deletes keys."""

    def __init__(self, inner: Backend, monitor: RefusalMonitor, now: Callable[[], datetime]) -> None:
        super().__init__(inner)
        self._monitor = monitor
        self._now = now

    def around(self, inner: Backend) -> RefusalWrapper:
        return RefusalWrapper(inner, self._monitor, self._now)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        before = self._now()
        answer = self.inner.call(operation, params)
        if operation == "DisableKey":
            self._monitor.begin(self._arn(params), self.region, before)
        elif operation in _ENDS:
            self._monitor.end(self._arn(params))
        return answer

    def _arn(self, params: Mapping[str, Any]) -> str:
        return key_arn(self.partition, self.region, self.account_id, key_id_of(params["KeyId"]))
