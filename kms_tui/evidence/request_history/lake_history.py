"""Recorded requests by CloudTrail Lake, for those who have an event data store.

Permissions: cloudtrail StartQuery, DescribeQuery, GetQueryResults, CancelQuery.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kms_tui.backend.base import Services
from kms_tui.evidence.events import mapping_of, text_of
from kms_tui.evidence.request_history.history_source import HistoryQuery, HistoryReading, QueryCost
from kms_tui.evidence.request_history.history_sql import lake_sql
from kms_tui.evidence.request_history.query_engine import MOST_ROWS, QueryState, QueryStatus, Row, run_query

_SERVICE = "cloudtrail"
_PAGE = 1000
DOLLARS_A_GIGABYTE = 0.005
"""Lake's price for scanned data. Source: aws.amazon.com/cloudtrail/pricing, 2026-11."""
_STATES: Mapping[str, QueryState] = {
    "FINISHED": QueryState.DONE,
    "FAILED": QueryState.FAILED,
    "TIMED_OUT": QueryState.FAILED,
    "CANCELLED": QueryState.CANCELLED,
}


class LakeHistory:
    """A ``HistorySource`` and its ``QueryEngine``; ``store`` is the id of an event data store."""

    most_rows = MOST_ROWS

    def __init__(self, services: Services, store: str) -> None:
        self._services = services
        self._store = store

    @property
    def name(self) -> str:
        return f"CloudTrail Lake's store {self._store}"

    def cost(self, query: HistoryQuery) -> QueryCost:
        """Lake tells only afterwards how much it scanned."""
        days = (query.until - query.since).days + 1
        return QueryCost(
            f"CloudTrail Lake charges ${DOLLARS_A_GIGABYTE} a gigabyte that it scans: all events of {days} "
            "days, of every service, compressed."
        )

    def read(self, reading: HistoryReading) -> None:
        """Run the query. Raises QueryFailedError, and the errors of ``kms_tui.kms.errors``."""
        run_query(self, reading)

    def start(self, query: HistoryQuery) -> str:
        answer = self._call("StartQuery", {"QueryStatement": lake_sql(self._store, query)})
        return text_of(answer.get("QueryId"))

    def status(self, query_id: str) -> QueryStatus:
        answer = self._call("DescribeQuery", {"QueryId": query_id})
        state = text_of(answer.get("QueryStatus"))
        scanned = mapping_of(answer.get("QueryStatistics")).get("BytesScanned")
        reason = text_of(answer.get("ErrorMessage")) or ("it took too long" if state == "TIMED_OUT" else "")
        return QueryStatus(
            _STATES.get(state, QueryState.RUNNING), reason, scanned if isinstance(scanned, int) else None
        )

    def rows(self, query_id: str) -> Iterator[Row]:
        """A row is a list of mappings with one column each."""
        params: dict[str, Any] = {"QueryId": query_id, "MaxQueryResults": _PAGE}
        while True:
            answer = self._call("GetQueryResults", params)
            for row in answer.get("QueryResultRows") or ():
                yield {name: text_of(value) for cell in row for name, value in mapping_of(cell).items()}
            token = answer.get("NextToken")
            if not token:
                return
            params["NextToken"] = token

    def stop(self, query_id: str) -> None:
        self._call("CancelQuery", {"QueryId": query_id})

    def _call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._services.call(_SERVICE, operation, params)
