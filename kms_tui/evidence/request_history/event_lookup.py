"""Recorded requests out of CloudTrail's LookupEvents, paced."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kms_tui.evidence.activity import PAGE, WINDOW, Trail
from kms_tui.evidence.events import mapping_of, text_of, time_of
from kms_tui.evidence.request_history.event_records import KMS_SOURCE, requests_in
from kms_tui.evidence.request_history.history_source import HistoryQuery, HistoryReading, QueryCost

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
            answer = self._trail.lookup(self._region, params, reading.wanted)
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

    def _count(self, entry: Mapping[str, Any], reading: HistoryReading) -> None:
        text = text_of(entry.get("CloudTrailEvent"))
        try:
            record = json.loads(text)
        except (ValueError, RecursionError):
            reading.note("Some events could not be read.")
            return
        reading.seen(time_of(entry.get("EventTime")) or time_of(mapping_of(record).get("eventTime")))
        reading.add(requests_in(record, reading.query.details))
