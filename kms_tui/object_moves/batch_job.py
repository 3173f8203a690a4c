"""A job of S3 Batch Operations as DescribeJob tells it: how far it is, how it ended, what to do then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kms_tui.kms.errors import AnswerError
from kms_tui.object_moves.move_request import PRINCIPAL

_ARN_OF_S3 = ":s3:::"


class JobStatus(StrEnum):
    """The statuses that decide something; in every other one the job is under way."""

    ACTIVE = "Active"
    SUSPENDED = "Suspended"
    """It waits to be confirmed."""
    COMPLETE = "Complete"
    FAILED = "Failed"
    CANCELLED = "Cancelled"


WAITING = frozenset({JobStatus.SUSPENDED})
ENDED = frozenset({JobStatus.COMPLETE, JobStatus.FAILED, JobStatus.CANCELLED})

_WORDS = {
    "New": "S3 begins",
    "Preparing": "S3 lists the objects",
    "Suspended": "it waits to be confirmed",
    "Ready": "it waits for its turn",
    "Pausing": "a job of a higher priority comes first",
    "Paused": "a job of a higher priority comes first",
    "Completing": "S3 writes the report",
    "Cancelling": "S3 cancels it",
    "Failing": "it fails",
}
_NO_OBJECT = "no keys matching"
"""In the reason of a job whose filter matches nothing (user guide, "Troubleshooting Batch Replication")."""
_NEXT_STEPS = (
    (
        ("assume", "trust"),
        f"Let {PRINCIPAL} assume the role: --dry-run prints the trust policy and the permissions.",
    ),
    (
        ("denied", "permission", "not authorized", "forbidden"),
        "Give the role the permissions that --dry-run prints, and see that both key policies let it in.",
    ),
    (("threshold", "too many"), "More than half of the objects failed: the report says why of each."),
)
"""Words in a failure's code or reason, and what to do about it."""


@dataclass(frozen=True, slots=True)
class BatchJob:
    """``bucket``, ``old_key`` and ``new_key`` are "" where the job is not one that moves objects.

    ``failures`` are AWS's codes and reasons, untrusted text; ``report`` is the place below which the report
    is, as an s3:// URL, or "". ``active_seconds`` is how long it has been at the objects.
    """

    id: str
    status: str
    total: int = 0
    succeeded: int = 0
    failed: int = 0
    active_seconds: int = 0
    bucket: str = ""
    old_key: str = ""
    new_key: str = ""
    report: str = ""
    failures: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_answer(cls, answer: Mapping[str, Any]) -> BatchJob:
        """The job in an answer of DescribeJob; AnswerError where it is none."""
        try:
            return _job(answer["Job"])
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise AnswerError.of(error) from error

    @property
    def waits(self) -> bool:
        return self.status in WAITING

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    @property
    def moves_objects(self) -> bool:
        return bool(self.bucket and self.new_key)

    @property
    def found_nothing(self) -> bool:
        """Whether no object is under the old key."""
        failed_so = self.status == JobStatus.FAILED and any(
            _NO_OBJECT in reason.lower() for _, reason in self.failures
        )
        return failed_so or (self.status in {JobStatus.SUSPENDED, JobStatus.COMPLETE} and self.total == 0)

    @property
    def is_whole(self) -> bool:
        """Whether every object that was listed is moved."""
        return self.status == JobStatus.COMPLETE and not self.failed

    @property
    def words(self) -> str:
        """What is going on, and how far it is."""
        if self.status != JobStatus.ACTIVE:
            return _WORDS.get(self.status, self.status)
        seconds = self.seconds_left
        left = f", {_rounded(seconds)} left" if seconds is not None else ""
        return f"{self.succeeded:,} moved, {self.failed:,} failed of {self.total:,}{left}"

    @property
    def done(self) -> int:
        return self.succeeded + self.failed

    @property
    def seconds_left(self) -> float | None:
        """How long it takes at the pace so far; None where there is none."""
        if self.status != JobStatus.ACTIVE or not self.done or not self.active_seconds:
            return None
        return max(0.0, (self.total - self.done) * self.active_seconds / self.done)

    @property
    def next_step(self) -> str:
        """What to do about a job that has failed."""
        told = " ".join(text for pair in self.failures for text in pair).lower()
        for words, step in _NEXT_STEPS:
            if any(word in told for word in words):
                return step
        return "The report says why each object failed." if self.failed else "Correct that, and begin anew."


def _rounded(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _job(job: Mapping[str, Any]) -> BatchJob:
    progress: Mapping[str, Any] = job.get("ProgressSummary") or {}
    timers: Mapping[str, Any] = progress.get("Timers") or {}
    listing = _at(job, "ManifestGenerator", "S3JobManifestGenerator")
    change = _at(job, "Operation", "S3UpdateObjectEncryption", "ObjectEncryption", "SSEKMS")
    matching = (_at(listing, "Filter").get("MatchAnyObjectEncryption") or [{}])[0]
    return BatchJob(
        str(job["JobId"]),
        str(job["Status"]),
        int(progress.get("TotalNumberOfTasks") or 0),
        int(progress.get("NumberOfTasksSucceeded") or 0),
        int(progress.get("NumberOfTasksFailed") or 0),
        int(timers.get("ElapsedTimeInActiveSeconds") or 0),
        _bucket_in(str(listing.get("SourceBucket") or "")),
        str(_at(matching, "SSEKMS").get("KmsKeyArn") or ""),
        str(change.get("KMSKeyArn") or ""),
        _report(job),
        tuple(
            (str(each.get("FailureCode") or ""), str(each.get("FailureReason") or ""))
            for each in job.get("FailureReasons") or ()
        ),
    )


def _at(shape: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """The structure at a path; an empty one where there is none."""
    for name in path:
        shape = shape.get(name) or {}
    return shape


def _bucket_in(arn: str) -> str:
    return arn.partition(_ARN_OF_S3)[2]


def _report(job: Mapping[str, Any]) -> str:
    report = _at(job, "Report")
    if not report.get("Enabled"):
        return ""
    parts = (_bucket_in(str(report["Bucket"])), str(report.get("Prefix") or ""), f"job-{job['JobId']}")
    return "s3://" + "/".join(part for part in parts if part) + "/"
