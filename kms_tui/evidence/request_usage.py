"""Who spends the requests: calls a day by caller, operation and context, against the Region's quotas.

Averages over what was seen; how calls are spread over the day is not in the record. Source: the KMS developer
guide (requests-per-second) and the S3 user guide (bucket-key: with bucket keys the encryption context is the
bucket's ARN, without them the object's).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from kms_tui.evidence.request_history.history_source import Coverage, RequestHistory
from kms_tui.evidence.request_history.recorded_request import (
    S3_OBJECTS,
    Context,
    RecordedRequest,
    RequestGroup,
)
from kms_tui.kms.arn import key_region
from kms_tui.kms.request_quotas import RequestQuota, quota_of

_SHORTEST = timedelta(hours=1)
"""What was seen counts as at least so long: calls a day of a minute say nothing."""
_ALGORITHMS = (
    "kms:datakeypairspec",
    "kms:signingalgorithm",
    "kms:encryptionalgorithm",
    "kms:keyagreementalgorithm",
)
_POST_QUANTUM = ("mlkem", "kyber")
_SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class SpentRequests:
    """Calls of one caller that differ in nothing shown; ``per_day`` is an average."""

    request: RecordedRequest
    region: str
    calls: int
    per_day: float
    last: datetime | None

    def as_dict(self) -> dict[str, Any]:
        request = self.request
        return {
            "principal": request.principal,
            "operation": request.operation,
            "context": request.context_shape,
            "service": request.service or None,
            "region": self.region or None,
            "calls": self.calls,
            "per_day": round(self.per_day, 1),
        }


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """What one quota of a Region has to bear, on average."""

    quota: RequestQuota
    region: str
    per_day: float

    @property
    def share(self) -> float | None:
        """The part of the quota that is used; None where there is no quota in the table."""
        if not self.quota.per_second:
            return None
        return self.per_day / (self.quota.per_second * _SECONDS_A_DAY)

    def as_dict(self) -> dict[str, Any]:
        return {
            "quota": self.quota.name,
            "region": self.region or None,
            "per_second": self.quota.per_second,
            "per_day": round(self.per_day, 1),
            "share": None if self.share is None else round(self.share, 6),
        }


@dataclass(frozen=True, slots=True)
class Observation:
    """Something that could be otherwise: ``subject`` (untrusted) and how many calls it makes a day."""

    subject: str
    detail: str
    per_day: float

    def as_dict(self) -> dict[str, Any]:
        return {"subject": self.subject, "detail": self.detail, "per_day": round(self.per_day, 1)}


@dataclass(frozen=True, slots=True)
class RequestUsage:
    """All most frequent first. ``buckets`` are S3's without bucket keys, ``classical`` the callers whose TLS
    is without post-quantum key exchange; ``untold`` counts calls of which the record does not tell it.
    """

    spent: tuple[SpentRequests, ...]
    quotas: tuple[QuotaUse, ...]
    buckets: tuple[Observation, ...]
    classical: tuple[Observation, ...]
    untold: int
    coverage: Coverage


def request_usage(history: RequestHistory, region: str = "") -> RequestUsage:
    """Who spends the requests of a history that was read with ``RequestDetail.TLS``.

    ``region`` is that of requests which name no key. Among requests on several keys a ReEncrypt counts once.
    """
    coverage = history.coverage
    seen = coverage.until - (coverage.since or coverage.until)
    days = max(seen, _SHORTEST) / timedelta(days=1)
    several = len({group.request.key_arn for group in history.groups}) > 1
    groups = [group for group in history.groups if not (several and group.request.operation == "ReEncryptTo")]
    return RequestUsage(
        _spent(groups, region, days),
        _quotas(groups, region, days),
        tuple(_observed(_buckets(groups), days)),
        tuple(_observed(_classical(groups), days)),
        sum(group.count for group in groups if not _exchange(group.request)),
        coverage,
    )


def _spent(groups: Iterable[RequestGroup], region: str, days: float) -> tuple[SpentRequests, ...]:
    held: dict[tuple[str, str, Context | None, str, str], list[RequestGroup]] = defaultdict(list)
    for group in groups:
        request = group.request
        place = key_region(request.key_arn) or region
        held[request.principal, request.operation, request.context, request.service, place].append(group)
    rows = []
    for key, alike in held.items():
        calls = sum(group.count for group in alike)
        last = max((group.last for group in alike if group.last is not None), default=None)
        rows.append(SpentRequests(alike[0].request, key[-1], calls, calls / days, last))
    return tuple(sorted(rows, key=lambda row: -row.calls))


def _quotas(groups: Iterable[RequestGroup], region: str, days: float) -> tuple[QuotaUse, ...]:
    counts: dict[tuple[RequestQuota, str], int] = defaultdict(int)
    for group in groups:
        place = key_region(group.request.key_arn) or region
        counts[quota_of(group.request.operation, _algorithm(group.request), place), place] += group.count
    uses = [QuotaUse(quota, place, count / days) for (quota, place), count in counts.items()]
    return tuple(sorted(uses, key=lambda use: (-(use.share or 0), -use.per_day)))


def _algorithm(request: RecordedRequest) -> str:
    settings = dict(request.settings)
    return next((settings[key][0] for key in _ALGORITHMS if settings.get(key)), "")


def _observed(counts: Mapping[tuple[str, str], int], days: float) -> Iterator[Observation]:
    for (subject, detail), count in sorted(counts.items(), key=lambda item: -item[1]):
        yield Observation(subject, detail, count / days)


def _buckets(groups: Iterable[RequestGroup]) -> Mapping[tuple[str, str], int]:
    """Buckets whose objects are named in the encryption context."""
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for group in groups:
        for pair in group.request.context or ():
            if pair.name == S3_OBJECTS and pair.folded:
                counts[pair.value.rstrip("/"), "S3 calls KMS for each object: bucket keys are off"] += (
                    group.count
                )
    return counts


def _classical(groups: Iterable[RequestGroup]) -> Mapping[tuple[str, str], int]:
    """Callers whose key exchange is known, and not post-quantum; a service connects for itself."""
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for group in groups:
        exchange = _exchange(group.request)
        if (
            exchange
            and not group.request.service
            and not any(name in exchange.lower() for name in _POST_QUANTUM)
        ):
            counts[group.request.principal_label, exchange] += group.count
    return counts


def _exchange(request: RecordedRequest) -> str:
    return "" if request.key_exchange == "not told" else request.key_exchange


def as_dict(usage: RequestUsage) -> dict[str, Any]:
    """For JSON: ``spent``, ``quotas``, ``without_bucket_keys``, ``without_post_quantum``, ``untold``."""
    return {
        "spent": [each.as_dict() for each in usage.spent],
        "quotas": [each.as_dict() for each in usage.quotas],
        "without_bucket_keys": [each.as_dict() for each in usage.buckets],
        "without_post_quantum": [each.as_dict() for each in usage.classical],
        "untold": usage.untold,
    }


def shortened(usage: RequestUsage, most: int) -> RequestUsage:
    """The same with the ``most`` most frequent rows of each part."""
    return replace(
        usage, spent=usage.spent[:most], buckets=usage.buckets[:most], classical=usage.classical[:most]
    )
