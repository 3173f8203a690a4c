"""The one interface of the sources of recorded requests, and what a reading has so far.

Memory stays bounded whatever the number of events: a caller with very many encryption contexts has their
values folded, and beyond ``MOST_DISTINCT`` no further distinct requests are kept, which the notes say.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from kms_tui.evidence.request_history.event_records import DatedRequest
from kms_tui.evidence.request_history.recorded_request import (
    Context,
    ContextPair,
    RecordedRequest,
    RequestDetail,
    RequestGroup,
)

MOST_CONTEXTS = 2_000
"""Distinct contexts of requests that are otherwise the same, beyond which values are folded."""
MOST_DISTINCT = 200_000


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """What to read: requests on a key ("": on any key), from ``since`` to ``until``."""

    since: datetime
    until: datetime
    key_arn: str = ""
    details: Set[RequestDetail] = frozenset()


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was seen: ``events`` requests from ``since`` to ``until``; ``since`` is None if nothing was.

    ``complete``: all of what was asked for. ``asked`` is the query's own start. ``notes`` are sentences about
    what is missing. They hold untrusted text (names of files, messages).
    """

    source: str
    asked: datetime
    since: datetime | None
    until: datetime
    events: int
    complete: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestHistory:
    """The distinct requests so far, most frequent first, and what they cover."""

    groups: tuple[RequestGroup, ...]
    coverage: Coverage


class HistoryReading:
    """A reading under way. One thread reads into it; any thread may cancel it or take a snapshot."""

    def __init__(self, query: HistoryQuery, source: str) -> None:
        self.query = query
        self._source = source
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._groups: dict[RecordedRequest, _Count] = {}
        self._contexts: dict[RecordedRequest, int] = {}
        self._notes: dict[str, None] = {}
        self._events = 0
        self._dropped = 0
        self._oldest: datetime | None = None
        self._span = (query.since, query.until)
        self._complete = False

    def cancel(self) -> None:
        """End the reading soon; what was read stays."""
        self._cancelled.set()

    def wanted(self) -> bool:
        """Whether the reading goes on: a ``KeepGoing``."""
        return not self._cancelled.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait between two polls; False once cancelled."""
        return not self._cancelled.wait(seconds)

    def note(self, sentence: str) -> None:
        """Say what is missing, once."""
        with self._lock:
            if len(self._notes) < 1000:
                self._notes[sentence] = None

    def seen(self, moment: datetime | None) -> None:
        """Say back to which moment everything was read."""
        with self._lock:
            if moment is not None and (self._oldest is None or moment < self._oldest):
                self._oldest = moment

    def add(self, found: Iterable[DatedRequest], count: int = 1, first: datetime | None = None) -> None:
        """Count requests that the query asks for; ``first`` is the time of the first of ``count``."""
        query = self.query
        for request, time in found:
            if query.key_arn and request.key_arn != query.key_arn:
                continue
            if time is not None and not query.since <= time <= query.until:
                continue
            with self._lock:
                self._add(request, time, count, first or time)

    def finish(self, since: datetime | None = None, until: datetime | None = None) -> None:
        """All of what was asked for was read, of a record that begins and ends at these moments."""
        with self._lock:
            self._complete = True
            self._span = (since or self.query.since, until or self.query.until)

    def coverage(self) -> Coverage:
        """What was seen so far; cheap enough to ask for at every frame."""
        with self._lock:
            return self._coverage()

    def snapshot(self) -> RequestHistory:
        """The distinct requests so far, and what they cover."""
        with self._lock:
            groups = [
                RequestGroup(request, count.number, count.first, count.last)
                for request, count in self._groups.items()
            ]
            coverage = self._coverage()
        groups.sort(key=lambda group: -group.count)
        return RequestHistory(tuple(groups), coverage)

    def _coverage(self) -> Coverage:
        return Coverage(
            self._source,
            self.query.since,
            self._span[0] if self._complete else self._oldest,
            self._span[1],
            self._events,
            self._complete,
            (*self._notes, *self._limits()),
        )

    def _limits(self) -> Iterable[str]:
        if self._dropped:
            yield (
                f"{self._dropped:,} requests beyond the first {MOST_DISTINCT:,} distinct ones were counted "
                "and not kept: ask for a shorter time."
            )

    def _add(
        self, request: RecordedRequest, time: datetime | None, count: int, first: datetime | None
    ) -> None:
        self._events += count
        held = self._groups.get(request) or self._new(request)
        if held is None:
            self._dropped += count
            return
        held.number += count
        if time is not None and (held.last is None or time > held.last):
            held.last = time
        if first is not None and (held.first is None or first < held.first):
            held.first = first

    def _new(self, request: RecordedRequest) -> _Count | None:
        """The count of a new distinct request, its context's values folded where there are too many."""
        is_full = len(self._groups) >= MOST_DISTINCT
        if request.context:
            family = replace(request, context=_without_values(request.context))
            number = self._contexts.get(family, 0) + 1
            if number > 1 or not is_full:
                self._contexts[family] = number
            if number > MOST_CONTEXTS:
                request = family
        held = self._groups.get(request)
        if held is None and not is_full:
            held = self._groups[request] = _Count()
        return held


@dataclass(slots=True)
class _Count:
    number: int = 0
    first: datetime | None = None
    last: datetime | None = None


def _without_values(context: Context) -> Context:
    return tuple(pair if pair.folded else ContextPair(pair.name, "", True) for pair in context)


@dataclass(frozen=True, slots=True)
class QueryCost:
    """What reading costs, in a sentence; ``is_free`` if nothing that AWS charges for."""

    sentence: str
    is_free: bool = field(default=False)


class HistorySource(Protocol):
    """Where recorded requests are read from. ``name`` says it for people ("CloudTrail's event history")."""

    @property
    def name(self) -> str: ...

    def cost(self, query: HistoryQuery) -> QueryCost:
        """The estimated cost, before anything is read. Raises the errors of ``kms_tui.kms.errors``."""

    def read(self, reading: HistoryReading) -> None:
        """Read until done or cancelled. Raises the errors of ``kms_tui.kms.errors``; what was read stays."""


def read_history(source: HistorySource, query: HistoryQuery) -> RequestHistory:
    """Read a source from end to end."""
    reading = HistoryReading(query, source.name)
    source.read(reading)
    return reading.snapshot()
