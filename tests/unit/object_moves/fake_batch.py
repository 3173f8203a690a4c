"""S3 and S3 Batch Operations for a test: buckets of objects, and jobs that go on each time one looks.

It does what the S3 user guide documents ("Update object encryption", "Tracking job status", "Troubleshooting
Batch Operations"), and holds every request against botocore's models, patterns included.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from kms_tui.kms.errors import KmsTuiError, OutcomeUnknownError, ServiceError, UnavailableError
from kms_tui.kms.operations import may_read, may_write

ACCOUNT = "111122223333"
_MODELS = botocore.session.get_session()


@dataclass
class FakeObject:
    """``scheme`` is S3's: SSE-KMS, DSSE-KMS, SSE-C …; ``is_locked``: by Object Lock."""

    key: str
    scheme: str = "SSE-KMS"
    bucket_key: bool = False
    is_locked: bool = False


@dataclass
class FakeJob:
    id: str
    params: Mapping[str, Any]
    status: str = "New"
    names: list[str] = field(default_factory=list)
    succeeded: int = 0
    failed: int = 0
    reasons: list[dict[str, str]] = field(default_factory=list)


class Lost:
    """The answer of a call that took place is lost."""


class FakeBatch:
    """``kms_tui.backend.base.Services``; ``home`` has its buckets: name -> object's name -> object."""

    def __init__(self, home: dict[str, dict[str, FakeObject]]) -> None:
        self.region = "eu-west-1"
        self.buckets = home
        self.regions: dict[str, str] = {}
        self.defaults: dict[str, dict[str, Any]] = {}
        self.jobs: dict[str, FakeJob] = {}
        self.calls: Counter[str] = Counter()
        self.faults: dict[str, deque[KmsTuiError | Lost]] = {}
        self.is_trusted = True
        self.may_use_keys = True
        self.pace = 2
        """Objects that are moved between two looks."""

    def plan(self, operation: str, *faults: KmsTuiError | Lost) -> None:
        """What the next calls of an operation meet."""
        self.faults.setdefault(operation, deque()).extend(faults)

    def offers(self, service: str) -> bool:
        return service in ("s3", "s3control")

    def in_region(self, region: str) -> FakeBatch:
        return self

    def writing(self) -> FakeBatch:
        return self

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if not may_read(service, operation) and not may_write(service, operation):
            raise UnavailableError(service, operation)
        shape = _MODELS.get_service_model(service).operation_model(operation).input_shape
        assert shape is not None
        report = ParamValidator().validate(params, shape)
        assert not report.has_errors(), report.generate_report()
        _require_patterns(params, shape)
        self.calls[operation] += 1
        fault = self.faults[operation].popleft() if self.faults.get(operation) else None
        if isinstance(fault, KmsTuiError):
            raise fault
        answer: Mapping[str, Any] = getattr(self, f"_{operation}")(params)
        if isinstance(fault, Lost):
            raise OutcomeUnknownError(operation, "timed out")
        return answer

    # S3

    def _bucket(self, params: Mapping[str, Any], operation: str) -> str:
        name = str(params["Bucket"])
        if name not in self.buckets:
            raise ServiceError("404", "Not Found", operation=operation, status=404)
        return name

    def _HeadBucket(self, params: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: N802
        return {"BucketRegion": self.regions.get(self._bucket(params, "HeadBucket"), self.region)}

    def _GetBucketVersioning(self, params: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: N802
        return {"Status": "Enabled"}

    def _GetBucketEncryption(self, params: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: N802
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        rule = self.defaults.get(self._bucket(params, "GetBucketEncryption"), rule)
        return {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}

    # Batch Operations

    def _CreateJob(self, params: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: N802
        for job in self.jobs.values():
            if job.params["ClientRequestToken"] == params["ClientRequestToken"]:
                if job.params != params:
                    raise ServiceError("IdempotencyException", operation="CreateJob")
                return {"JobId": job.id}
        job = FakeJob(f"job-{len(self.jobs) + 1:04}", params)
        self.jobs[job.id] = job
        return {"JobId": job.id}

    def _job(self, params: Mapping[str, Any]) -> FakeJob:
        assert params["AccountId"] == ACCOUNT
        if params["JobId"] not in self.jobs:
            raise ServiceError("NoSuchJob", "The specified job does not exist", status=404)
        return self.jobs[params["JobId"]]

    def _UpdateJobStatus(self, params: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: N802
        job, wanted = self._job(params), params["RequestedJobStatus"]
        if wanted == "Ready" and job.status != "Suspended":
            raise ServiceError("JobStatusException", f"The job is {job.status}", operation="UpdateJobStatus")
        job.status = "Cancelling" if wanted == "Cancelled" and job.status == "Active" else wanted
        return {"JobId": job.id, "Status": job.status}

    def _DescribeJob(self, params: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: N802
        job = self._job(params)
        self._go_on(job)
        told = {
            name: job.params[name]
            for name in ("Operation", "Report", "ManifestGenerator", "RoleArn", "ConfirmationRequired")
            if name in job.params
        }
        answer: dict[str, Any] = {
            "Job": {
                **told,
                "JobId": job.id,
                "Status": job.status,
                "ProgressSummary": {
                    "TotalNumberOfTasks": len(job.names),
                    "NumberOfTasksSucceeded": job.succeeded,
                    "NumberOfTasksFailed": job.failed,
                    "Timers": {"ElapsedTimeInActiveSeconds": 10 * (job.succeeded + job.failed)},
                },
                "FailureReasons": job.reasons,
            }
        }
        shape = _MODELS.get_service_model("s3control").operation_model("DescribeJob").output_shape
        assert shape is not None
        report = ParamValidator().validate(answer, shape)
        assert not report.has_errors(), report.generate_report()
        return answer

    def _go_on(self, job: FakeJob) -> None:
        match job.status:
            case "New":
                job.status = "Preparing"
            case "Preparing":
                self._list(job)
            case "Ready":
                job.status = "Active"
            case "Active":
                self._work(job)
            case "Completing":
                job.status = "Complete"
            case "Cancelling":
                job.status = "Cancelled"
            case "Failing":
                job.status = "Failed"

    def _fail(self, job: FakeJob, code: str, reason: str) -> None:
        job.status = "Failing"
        job.reasons = [{"FailureCode": code, "FailureReason": reason}]

    def _list(self, job: FakeJob) -> None:
        generator = job.params["ManifestGenerator"]["S3JobManifestGenerator"]
        matching = generator["Filter"]
        prefixes = matching.get("KeyNameConstraint", {}).get("MatchAnyPrefix", [""])
        assert len(prefixes) == 1
        wanted = matching["MatchAnyObjectEncryption"][0]["SSEKMS"]["KmsKeyArn"]
        objects = self.buckets[generator["SourceBucket"].rpartition(":")[2]]
        if not self.is_trusted:
            self._fail(job, "AssumeRoleFailed", "The service could not assume the role.")
            return
        job.names = [
            name
            for name, each in objects.items()
            if each.scheme == "SSE-KMS" and each.key == wanted and name.startswith(prefixes[0])
        ]
        if not job.names:
            reason = "Manifest generation found no keys matching the filter criteria."
            self._fail(job, "ManifestGenerationFailed", reason)
            return
        job.status = "Suspended" if job.params["ConfirmationRequired"] else "Ready"

    def _work(self, job: FakeJob) -> None:
        generator = job.params["ManifestGenerator"]["S3JobManifestGenerator"]
        objects = self.buckets[generator["SourceBucket"].rpartition(":")[2]]
        change = job.params["Operation"]["S3UpdateObjectEncryption"]["ObjectEncryption"]["SSEKMS"]
        done = job.succeeded + job.failed
        for name in job.names[done : done + self.pace]:
            each = objects[name]
            if each.is_locked or not self.may_use_keys:
                job.failed += 1
                continue
            each.key, each.bucket_key = change["KMSKeyArn"], change["BucketKeyEnabled"]
            job.succeeded += 1
        if job.succeeded + job.failed == len(job.names):
            job.status = "Completing"


def _require_patterns(value: Any, shape: Any) -> None:
    """botocore checks no pattern of a text."""
    if isinstance(value, Mapping):
        for name, member in value.items():
            _require_patterns(member, shape.members[name])
    elif isinstance(value, list):
        for each in value:
            _require_patterns(each, shape.member)
    elif isinstance(value, str) and "pattern" in shape.metadata:
        assert re.fullmatch(shape.metadata["pattern"], value), (shape.name, value)
