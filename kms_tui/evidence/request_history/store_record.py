"""Recorded requests out of the offline KMS's own record, grouped in the store; and the choice of a source."""

from __future__ import annotations

from kms_tui.backend.base import GroupsEvents
from kms_tui.evidence.activity import WINDOW, Trail
from kms_tui.evidence.request_history.event_lookup import EventLookup
from kms_tui.evidence.request_history.event_records import requests_in
from kms_tui.evidence.request_history.history_source import (
    HistoryQuery,
    HistoryReading,
    HistorySource,
    QueryCost,
)


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
