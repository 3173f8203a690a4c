"""Recorded requests out of an engine that groups them itself: one query, and rows with counts.

The engine is asked for distinct requests, so a billion events cost some thousand rows. A row becomes a record
of CloudTrail's form again, and is read as every other record.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple, Protocol

from kms_tui.evidence.events import text_of, time_of
from kms_tui.evidence.request_history.event_records import KMS_SOURCE, requests_in
from kms_tui.evidence.request_history.history_source import HistoryQuery, HistoryReading
from kms_tui.kms.errors import KmsTuiError

MOST_ROWS = 100_000
"""Distinct requests of one query in SQL; the most frequent ones come first."""
PATIENCE = 30 * 60.0
"""Seconds after which a query is stopped."""
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 5.0

Row = Mapping[str, str]
"""A row of the result: the columns of ``COLUMNS``, ``calls``, ``first_time`` and ``last_time``, as text."""
COLUMNS = (
    "identity_type",
    "principal",
    "account",
    "service",
    "mfa",
    "operation",
    "error",
    "refusal",
    "parameters",
    "key_arns",
    "endpoint",
    "address",
    "key_exchange",
)
"""What distinct requests are grouped by; ``key_arns`` are separated by blanks."""


class QueryState(Enum):
    """The state of a query, whatever the engine calls it."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class QueryStatus(NamedTuple):
    """A query's state, the engine's reason for a failure (untrusted), and what it scanned so far in bytes."""

    state: QueryState
    reason: str = ""
    scanned: int | None = None


class QueryFailedError(KmsTuiError):
    """The engine refused, failed or did not end a query; the sentence quotes its reason (untrusted text)."""


class QueryEngine(Protocol):
    """One service that runs queries. All methods raise the errors of ``kms_tui.kms.errors``."""

    most_rows: int
    """Rows that one query gives at most."""

    @property
    def name(self) -> str: ...

    def start(self, query: HistoryQuery) -> str:
        """Start the query, and give its id."""

    def status(self, query_id: str) -> QueryStatus: ...

    def rows(self, query_id: str) -> Iterator[Row]:
        """The rows of a query that is done, page by page."""

    def stop(self, query_id: str) -> None: ...


def run_query(
    engine: QueryEngine, reading: HistoryReading, clock: Callable[[], float] = time.monotonic
) -> None:
    """Run the query of a reading and count its rows; a cancelled reading stops it at the engine.

    Raises QueryFailedError, and the errors of the engine.
    """
    query_id = engine.start(reading.query)
    try:
        status = _awaited(engine, query_id, reading, clock)
    except BaseException:
        _stop(engine, query_id)
        raise
    if status is None:
        _stop(engine, query_id)
        return
    if status.scanned is not None:
        reading.note(f"{engine.name} scanned {size(status.scanned)}.")
    number = 0
    for row in engine.rows(query_id):
        if not reading.wanted():
            return
        number += 1
        _count(row, reading)
    if number >= engine.most_rows:
        reading.note(
            f"Only the {engine.most_rows:,} most frequent distinct requests were read: "
            "ask for a shorter time."
        )
        reading.seen(reading.query.since)
        return
    reading.finish()


def _awaited(
    engine: QueryEngine, query_id: str, reading: HistoryReading, clock: Callable[[], float]
) -> QueryStatus | None:
    """The status of the query when it is done; None if the reading is cancelled."""
    end, wait = clock() + PATIENCE, _FIRST_WAIT
    while True:
        status = engine.status(query_id)
        if status.state is QueryState.DONE:
            return status
        if status.state is not QueryState.RUNNING:
            reason = f": {status.reason.rstrip('.')}" if status.reason else ""
            raise QueryFailedError(f"{engine.name}'s query {status.state.value}{reason}.")
        if clock() > end:
            raise QueryFailedError(
                f"{engine.name}'s query did not end within {PATIENCE / 60:.0f} minutes, and was stopped.",
                next_step="Ask for fewer days.",
            )
        if not reading.wait(wait):
            return None
        wait = min(wait * 1.5, _LONGEST_WAIT)


def _stop(engine: QueryEngine, query_id: str) -> None:
    """Stop a query; it may have ended by itself."""
    try:
        engine.stop(query_id)
    except KmsTuiError:
        return


def _count(row: Row, reading: HistoryReading) -> None:
    calls = row.get("calls", "")
    if not calls.isascii() or not calls.isdigit():
        reading.note("Some rows of the result could not be read.")
        return
    first, last = _time(row.get("first_time", "")), _time(row.get("last_time", ""))
    found = [each._replace(time=last) for each in requests_in(record_of(row), reading.query.details)]
    reading.add(found, int(calls), first)


def _time(text: str) -> datetime | None:
    return time_of(text.strip())


def record_of(row: Row) -> dict[str, Any]:
    """A row as a CloudTrail record."""
    principal = row.get("principal", "")
    return {
        "eventSource": KMS_SOURCE,
        "userIdentity": {
            "type": row.get("identity_type", ""),
            "arn": principal,
            "accountId": row.get("account", ""),
            "invokedBy": row.get("service", ""),
            "sessionContext": {
                "sessionIssuer": {"arn": "" if ":assumed-role/" in principal else principal},
                "attributes": {"mfaAuthenticated": row.get("mfa", "")},
            },
        },
        "eventName": row.get("operation", ""),
        "errorCode": row.get("error", ""),
        "errorMessage": row.get("refusal", ""),
        "requestParameters": _parameters(row.get("parameters", "")),
        "resources": [{"ARN": arn} for arn in row.get("key_arns", "").split()],
        "vpcEndpointId": row.get("endpoint", ""),
        "sourceIPAddress": row.get("address", ""),
        "tlsDetails": {"keyExchange": row.get("key_exchange", "")},
    }


def _parameters(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return text_of(text)


def size(count: int) -> str:
    """``12.3 GB``."""
    amount = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"
