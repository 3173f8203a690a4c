"""Recorded requests of the session's own account: LookupEvents, paced, or the offline store's record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kms_tui.backend.base import GroupsEvents
from kms_tui.evidence.activity import PAGE, SERVICE, WINDOW, Trail
from kms_tui.evidence.events import mapping_of, text_of, time_of
from kms_tui.evidence.request_history.event_records import KMS_SOURCE, requests_in
from kms_tui.evidence.request_history.history_source import (
    HistoryQuery,
    HistoryReading,
    HistorySource,
    QueryCost,
)
from kms_tui.kms.errors import ServiceError, UnavailableError

_UNNAMED = "A refused request whose event names no key is not among a key's events."


class EventLookup:
    """A ``HistorySource``: the events of a key, newest first, or of all KMS in a Region."""

    name = "CloudTrail's LookupEvents"

    def __init__(self, trail: Trail, region: str) -> None:
        self._trail = trail
        self._region = region

    def cost(self, query: HistoryQuery) -> QueryCost:
        """LookupEvents is free, and slow."""
        return QueryCost("LookupEvents is free and gives 100 events a second.", is_free=True)

    def read(self, reading: HistoryReading) -> None:
        """Read pages from the newest back. Raises the errors of ``kms_tui.kms.errors``."""
        query = reading.query
        oldest = (query.until - WINDOW).replace(microsecond=0)
        if query.since < oldest:
            reading.note("LookupEvents goes back 90 days, no further.")
        if query.key_arn:
            reading.note(_UNNAMED)
        key, value = ("ResourceName", query.key_arn) if query.key_arn else ("EventSource", KMS_SOURCE)
        params: dict[str, Any] = {
            "LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}],
            "StartTime": max(query.since, oldest),
            "MaxResults": PAGE,
        }
        while True:
            answer = self._page(params, reading)
            if answer is None:
                return
            entries = answer.get("Events", ())
            for entry in entries:
                self._count(mapping_of(entry), reading)
            token = answer.get("NextToken")
            if token is None:
                reading.finish(max(query.since, oldest))
                return
            params["NextToken"] = token

    def _page(self, params: Mapping[str, Any], reading: HistoryReading) -> Mapping[str, Any] | None:
        """A page; UnavailableError from an endpoint that is KMS alone."""
        try:
            return self._trail.lookup(self._region, params, reading.wanted)
        except ServiceError as error:
            if error.code == "UnknownOperationException":
                raise UnavailableError(SERVICE, "LookupEvents") from error
            raise

    def _count(self, entry: Mapping[str, Any], reading: HistoryReading) -> None:
        text = text_of(entry.get("CloudTrailEvent"))
        try:
            record = json.loads(text)
        except (ValueError, RecursionError):
            reading.note("Some events could not be read.")
            return
        reading.seen(time_of(entry.get("EventTime")) or time_of(mapping_of(record).get("eventTime")))
        reading.add(requests_in(record, reading.query.details))


class StoreRecord:
    """A ``HistorySource``: the record of calls of the store that the session has open."""

    name = "the store's own record"

    def __init__(self, services: GroupsEvents) -> None:
        self._services = services

    def cost(self, query: HistoryQuery) -> QueryCost:
        """Nothing leaves the machine."""
        return QueryCost("Reading the store's record costs nothing.", is_free=True)

    def read(self, reading: HistoryReading) -> None:
        """Read all groups at once. Raises ServiceError where the caller may not look up events."""
        query = reading.query
        since = max(query.since, query.until - WINDOW)
        if since > query.since:
            reading.note("The store's record goes back 90 days, no further.")
        for group in self._services.event_groups(query.key_arn, since, query.until):
            found = [each._replace(time=group.last) for each in requests_in(group.record, query.details)]
            reading.add(found, group.calls, group.first)
        reading.finish(since)


def source_of(trail: Trail, region: str) -> HistorySource:
    """The source that needs no further setting: the store's record, or LookupEvents."""
    services = trail.services_in(region)
    return StoreRecord(services) if isinstance(services, GroupsEvents) else EventLookup(trail, region)
