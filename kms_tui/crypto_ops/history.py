"""The scratchpad's operations in this session: enough to repeat them, and no content."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from kms_tui.crypto_ops.inputs import FromFile
from kms_tui.crypto_ops.request import ChosenKey, Destination, OperationRequest
from kms_tui.crypto_ops.results import Result
from kms_tui.crypto_ops.scratchpad_operations import Operation

_MOST = 500


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One operation; ``source`` is its input file, if it had one."""

    time: datetime
    operation: Operation
    region: str
    key: ChosenKey | None
    key_arn: str
    """The key that KMS used, if the answer names it."""
    settings: Mapping[str, str]
    context: Mapping[str, str]
    destination: Destination | None
    source: Path | None
    outcome: str
    """The size of the result, or the error."""
    succeeded: bool


@dataclass(slots=True)
class OperationHistory:
    """The newest entry first; the oldest are dropped."""

    entries: deque[HistoryEntry] = field(default_factory=lambda: deque(maxlen=_MOST))
    contexts: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """Key's ARN -> the last encryption context that worked with it."""

    def succeeded(self, request: OperationRequest, result: Result, now: datetime) -> None:
        used = result.key_arn or (request.key.arn if request.key else "")
        if request.context and used:
            self.contexts[used] = dict(request.context)
        if request.destination is not None and request.destination.context:
            self.contexts[request.destination.key.arn] = dict(request.destination.context)
        self._add(request, used, now, _outcome(result), succeeded=True)

    def failed(self, request: OperationRequest, reason: str, now: datetime) -> None:
        self._add(request, request.key.arn if request.key else "", now, reason, succeeded=False)

    def _add(
        self, request: OperationRequest, used: str, now: datetime, outcome: str, *, succeeded: bool
    ) -> None:
        source = request.given.path if isinstance(request.given, FromFile) else None
        self.entries.appendleft(
            HistoryEntry(
                now,
                request.operation,
                request.region,
                request.key,
                used,
                dict(request.settings),
                dict(request.context),
                request.destination,
                source,
                outcome,
                succeeded,
            )
        )

    def last_context(self, key_arn: str) -> Mapping[str, str]:
        """The last encryption context that worked with a key; may be empty."""
        return self.contexts.get(key_arn, {})


def _outcome(result: Result) -> str:
    if result.good is not None:
        return "good" if result.good else "NOT good"
    if result.parts:
        return f"{result.size:,} bytes"
    return "done"
