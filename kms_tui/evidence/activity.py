"""The events of a key, read from CloudTrail page by page, no faster than CloudTrail allows.

LookupEvents allows two requests a second for an account and Region, covers the last 90 days, and is up to
about 15 minutes late (CloudTrail API reference and user guide). It finds a key's events by the key's ARN
among their resources.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from kms_tui.backend.base import Services
from kms_tui.evidence.events import UsageEvent, usage_event
from kms_tui.kms.errors import UnavailableError

WINDOW = timedelta(days=90)
LATENESS = timedelta(minutes=15)
INTERVAL = 0.5
"""Seconds between two requests to one Region: the account's quota."""
PAGE = 50
SERVICE = "cloudtrail"
_REFRESH_PAGES = 4

KeepGoing = Callable[[], bool]
"""Whether the caller still wants the answer."""


def always() -> bool:
    return True


class Pacer:
    """Gives any number of threads turns that are ``interval`` seconds apart."""

    def __init__(
        self,
        interval: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._interval = interval
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next = clock()

    def wait(self, keep_going: KeepGoing = always) -> bool:
        """Block until it is this thread's turn; False, without a turn, once ``keep_going`` says no."""
        while keep_going():
            with self._lock:
                now = self._clock()
                if now >= self._next:
                    self._next = now + self._interval
                    return True
                left = self._next - now
            self._sleep(left)
        return False


class Trail:
    """LookupEvents of every Region of an account, paced.

    ``is_live``: the trail has no delay and no quota, as that of the offline KMS.
    """

    def __init__(
        self,
        services: Services,
        *,
        is_live: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._services = services
        self.is_live = is_live
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._regions: dict[str, tuple[Services, Pacer]] = {}

    def lookup(
        self, region: str, params: Mapping[str, Any], keep_going: KeepGoing = always
    ) -> Mapping[str, Any] | None:
        """One request, in its turn; None if ``keep_going`` says no before.

        Raises the errors of ``kms_tui.kms.errors``; UnavailableError without CloudTrail.
        """
        services, pacer = self._region(region)
        if not services.offers(SERVICE):
            raise UnavailableError(SERVICE, "LookupEvents")
        if not pacer.wait(keep_going):
            return None
        return services.call(SERVICE, "LookupEvents", params)

    def services_in(self, region: str) -> Services:
        """The services of a Region of the account."""
        return self._region(region)[0]

    def _region(self, region: str) -> tuple[Services, Pacer]:
        with self._lock:
            if region not in self._regions:
                here = region == self._services.region
                services = self._services if here else self._services.in_region(region)
                pacer = Pacer(0 if self.is_live else INTERVAL, self._clock, self._sleep)
                self._regions[region] = (services, pacer)
            return self._regions[region]


class EventHistory:
    """The events that one lookup has found so far, each once, newest first. Several threads may use it."""

    def __init__(self, trail: Trail, region: str, attribute: tuple[str, str], since: datetime) -> None:
        self._trail = trail
        self.region = region
        self.since = since
        """Events before this moment are not read."""
        self._params: dict[str, Any] = {
            "LookupAttributes": [{"AttributeKey": attribute[0], "AttributeValue": attribute[1]}],
            "StartTime": since,
            "MaxResults": PAGE,
        }
        self._reading = threading.Lock()
        """Held while a page is read; the events read so far stay available."""
        self._events: dict[str, UsageEvent] = {}
        self._token: str | None = None
        self._begun = False

    @property
    def events(self) -> list[UsageEvent]:
        """Newest first; events of one moment in order of arrival, events without a time last."""
        return sorted(self._events.values(), key=_age)

    @property
    def has_begun(self) -> bool:
        """Whether a page has been read."""
        return self._begun

    @property
    def is_complete(self) -> bool:
        """Whether everything since ``since`` has been read."""
        return self._begun and self._token is None

    def more(self, keep_going: KeepGoing = always) -> list[UsageEvent]:
        """Read the next page and return its new events; none once all are read."""
        with self._reading:
            return [] if self.is_complete else self._more(keep_going)

    def refresh(self, keep_going: KeepGoing = always) -> list[UsageEvent]:
        """Read newer events and return them; earlier events stay.

        If the new pages do not reach the events read before, reading starts again from the newest.
        """
        with self._reading:
            return self._newer(keep_going) if self._begun else self._more(keep_going)

    def _more(self, keep_going: KeepGoing) -> list[UsageEvent]:
        answer = self._page(self._token, keep_going)
        if answer is None:
            return []
        fresh = {event.key: event for event in _events_of(answer) if event.key not in self._events}
        self._events = self._events | fresh
        self._token, self._begun = answer.get("NextToken"), True
        return list(fresh.values())

    def _newer(self, keep_going: KeepGoing) -> list[UsageEvent]:
        known, token = self._events, None
        fresh: dict[str, UsageEvent] = {}
        for _ in range(_REFRESH_PAGES):
            answer = self._page(token, keep_going)
            if answer is None:
                return []
            page = _events_of(answer)
            fresh |= {event.key: event for event in page if event.key not in known}
            token = answer.get("NextToken")
            if token is None or any(event.key in known for event in page):
                self._events = fresh | known
                return list(fresh.values())
        self._events, self._token = fresh, token
        return list(fresh.values())

    def _page(self, token: str | None, keep_going: KeepGoing) -> Mapping[str, Any] | None:
        params = {**self._params, "NextToken": token} if token is not None else self._params
        return self._trail.lookup(self.region, params, keep_going)


def of_key(trail: Trail, arn: str, region: str, now: datetime, since: datetime | None = None) -> EventHistory:
    """The events that name a key, in the last 90 days or since a later moment."""
    oldest = (now - WINDOW).replace(microsecond=0)
    return EventHistory(trail, region, ("ResourceName", arn), max(since, oldest) if since else oldest)


def of_kms(trail: Trail, region: str, since: datetime) -> EventHistory:
    """All events of KMS in a Region, with those that name no key among their resources."""
    return EventHistory(trail, region, ("EventSource", "kms.amazonaws.com"), since)


def _events_of(answer: Mapping[str, Any]) -> list[UsageEvent]:
    return [usage_event(entry) for entry in answer.get("Events", ()) if isinstance(entry, dict)]


def _age(event: UsageEvent) -> float:
    return -event.time.timestamp() if event.time is not None else float("inf")
