"""What a replay found: requests that a change refuses, allows, or about which the record does not decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kms_tui.evidence.request_history.coverage_words import ago, covers, iso
from kms_tui.evidence.request_history.history_source import Coverage
from kms_tui.evidence.request_history.recorded_request import Context, RecordedRequest, RequestGroup


@dataclass(frozen=True, slots=True)
class AffectedRequest:
    """Requests that differ in nothing that is shown; ``reason`` is a clause. Its parts are untrusted text."""

    request: RecordedRequest
    count: int
    last: datetime | None
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON: ``context`` is null where the record does not tell it, ``last`` an ISO time or null."""
        request = self.request
        return {
            "principal": request.principal,
            "operation": request.operation,
            "context": request.context_shape,
            "count": self.count,
            "last": iso(self.last) if self.last is not None else None,
            "reason": self.reason,
            "service": request.service or None,
        }

    def sentence(self, now: datetime) -> str:
        """``role/app · Decrypt · table=orders · 1,204 calls, last 2 h ago: statement 3 is gone``."""
        return f"{self.calls(now)}: {self.reason}"

    def calls(self, now: datetime) -> str:
        """``role/app · Decrypt · table=orders · 1,204 calls, last 2 h ago``."""
        request = self.request
        via = f"via {request.service}" if request.service else ""
        calls = f"{self.count:,} call{'s' if self.count != 1 else ''}"
        if self.last is not None:
            calls += f", last {ago(now - self.last)} ago"
        parts = (request.principal_label, request.operation, request.context_label, via, calls)
        return " · ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """Most frequent first. ``judged`` counts distinct requests, ``unchanged`` calls that stay as they are.

    ``failed`` counts calls that failed for reasons other than authorization, and are not judged.
    """

    refused: tuple[AffectedRequest, ...]
    allowed: tuple[AffectedRequest, ...]
    undecided: tuple[AffectedRequest, ...]
    unchanged: int
    failed: int
    judged: int
    coverage: Coverage
    unread_callers: tuple[str, ...] = ()
    """Callers (``RecordedRequest.principal``) whose IAM policies would decide what depends on them."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON: ``refused``, ``allowed``, ``undecided`` and ``covers``."""
        return {
            "refused": [each.as_dict() for each in self.refused],
            "allowed": [each.as_dict() for each in self.allowed],
            "undecided": [each.as_dict() for each in self.undecided],
            "covers": covers(self.coverage),
        }

    @property
    def summary(self) -> str:
        """The numbers in one sentence."""
        calls = [sum(each.count for each in part) for part in (self.refused, self.allowed, self.undecided)]
        noun = "call" if calls[0] == 1 else "calls"
        depend = "depends" if calls[2] == 1 else "depend"
        stay = "stays as it is" if self.unchanged == 1 else "stay as they are"
        return (
            f"{calls[0]:,} {noun} would be refused, {calls[1]:,} newly allowed, {calls[2]:,} {depend}; "
            f"{self.unchanged:,} {stay}."
        )


def merged(found: Iterable[tuple[RequestGroup, str]]) -> tuple[AffectedRequest, ...]:
    """Groups and their reasons, as one where they differ in nothing that is shown; most frequent first."""
    held: dict[tuple[str, str, Context | None, str, str], list[RequestGroup]] = {}
    for group, reason in found:
        request = group.request
        shown = (request.principal, request.operation, request.context, request.service, reason)
        held.setdefault(shown, []).append(group)
    rows = [
        AffectedRequest(groups[0].request, sum(group.count for group in groups), _latest(groups), shown[-1])
        for shown, groups in held.items()
    ]
    return tuple(sorted(rows, key=lambda row: -row.count))


def _latest(groups: Sequence[RequestGroup]) -> datetime | None:
    return max((group.last for group in groups if group.last is not None), default=None)
