"""What was seen of a record, in words and for JSON; and how long ago something was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from kms_tui.evidence.request_history.history_source import Coverage


def covers(coverage: Coverage) -> dict[str, Any]:
    """A coverage for JSON: ``from`` is null if nothing was seen."""
    return {
        "from": iso(coverage.since) if coverage.since is not None else None,
        "to": iso(coverage.until),
        "events": coverage.events,
        "complete": coverage.complete,
        "source": coverage.source,
        "notes": list(coverage.notes),
    }


def coverage_sentence(coverage: Coverage) -> str:
    """``The last 3 h of 90 days (41,200 events): CloudTrail's LookupEvents.``"""
    asked = ago(coverage.until - coverage.asked)
    events = f"{coverage.events:,} event{'s' if coverage.events != 1 else ''}"
    if coverage.since is None:
        return f"Nothing of the last {asked} was seen ({events}): {coverage.source}."
    seen = ago(coverage.until - coverage.since)
    span = f"The last {asked}" if coverage.complete and coverage.since <= coverage.asked else ""
    if not span:
        span = f"{seen} of the last {asked}" if coverage.complete else f"The last {seen} of {asked}"
    return f"{span} ({events}): {coverage.source}."


def iso(moment: datetime) -> str:
    """A moment as CloudTrail writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_UNITS = ((86_400.0, "days"), (3600.0, "h"), (60.0, "min"))


def ago(span: timedelta) -> str:
    """A span of time in one unit: ``2 h``, ``90 days``."""
    seconds = max(span.total_seconds(), 0.0)
    for size, unit in _UNITS:
        if seconds >= size * 2 or (unit == "min" and seconds >= size):
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
