"""The job that moves the objects of a bucket to another key, as CreateJob takes it; its role, and its price.

Sources: the texts of ``s3control`` and of UpdateObjectEncryption in botocore's models, and the S3 user guide,
"Update object encryption" under "S3 Batch Operations".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kms_tui.evidence import cost
from kms_tui.kms.arn import Arn
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.keyspecs import SYMMETRIC_DEFAULT
from kms_tui.kms.model import Key, KeyState

PRINCIPAL = "batchoperations.s3.amazonaws.com"
"""The service that assumes the role of a job."""
LIMITS = (
    "Objects under DSSE-KMS or SSE-C, and unencrypted ones, are not in the list: no such job can move them.",
    "An object with an Object Lock retention or a legal hold fails, and stays as it is.",
    "Archived objects are moved where they are; content, dates, ETags and storage classes stay the same.",
    "Nothing is replicated anew: a replica in another bucket keeps its key.",
    "AWS does not document whether the list has earlier versions of objects: used-by --versions tells them.",
)
"""What the job does and does not do, whatever the bucket."""

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,110}[A-Za-z0-9]\Z")
_OF_A_DIRECTORY = "--x-s3"
_ROLE = re.compile(r"role/.+\Z")
_PRIORITY = 10
_LONGEST_PREFIX = 512


class ObjectMoveError(KmsTuiError):
    """The objects cannot be moved, or it is not known whether they were."""


@dataclass(frozen=True, slots=True)
class ObjectMove:
    """What is asked for: the objects of a bucket under ``old_key``, to ``new_key``; both are ARNs.

    ``prefix`` is the beginning of the names of objects, "" for all. The list of objects and the report go
    below ``report_prefix`` in ``report_bucket``. ``bucket_key``: whether the objects then use an S3 Bucket
    Key. ``token`` makes it safe to send the request again.
    """

    bucket: str
    region: str
    account: str
    partition: str
    old_key: str
    new_key: str
    role: str
    token: str
    report_bucket: str
    report_prefix: str
    prefix: str = ""
    bucket_key: bool = False

    def arn_of(self, bucket: str) -> str:
        return f"arn:{self.partition}:s3:::{bucket}"

    @property
    def params(self) -> Mapping[str, Any]:
        """CreateJob's. The job waits for a confirmation once S3 has listed the objects.

        The list is under SSE-S3, as reports are: nothing new goes under the bucket's default key.
        """
        matching: dict[str, Any] = {"MatchAnyObjectEncryption": [{"SSEKMS": {"KmsKeyArn": self.old_key}}]}
        if self.prefix:
            matching["KeyNameConstraint"] = {"MatchAnyPrefix": [self.prefix]}
        encryption = {"KMSKeyArn": self.new_key, "BucketKeyEnabled": self.bucket_key}
        listing = {
            "SourceBucket": self.arn_of(self.bucket),
            "ExpectedBucketOwner": self.account,
            "EnableManifestOutput": True,
            "ManifestOutputLocation": {
                "Bucket": self.arn_of(self.report_bucket),
                "ExpectedManifestBucketOwner": self.account,
                "ManifestPrefix": self.report_prefix,
                "ManifestEncryption": {"SSES3": {}},
                "ManifestFormat": "S3InventoryReport_CSV_20211130",
            },
            "Filter": matching,
        }
        return {
            "AccountId": self.account,
            "ConfirmationRequired": True,
            "Operation": {"S3UpdateObjectEncryption": {"ObjectEncryption": {"SSEKMS": encryption}}},
            "Report": {
                "Enabled": True,
                "Bucket": self.arn_of(self.report_bucket),
                "ExpectedBucketOwner": self.account,
                "Format": "Report_CSV_20180820",
                "Prefix": self.report_prefix,
                "ReportScope": "FailedTasksOnly",
            },
            "ManifestGenerator": {"S3JobManifestGenerator": listing},
            "ClientRequestToken": self.token,
            "Description": f"kms-tui: objects of {self.bucket} to another key",
            "Priority": _PRIORITY,
            "RoleArn": self.role,
        }

    @property
    def role_policy(self) -> Mapping[str, Any]:
        """What the role of the job must be allowed to do; the user guide's policy, for this job alone."""
        objects, reports = self.arn_of(self.bucket), self.arn_of(self.report_bucket)
        below = f"{reports}/{self.report_prefix}/*"
        changes = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:UpdateObjectEncryption"]
        uses = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncrypt*"]
        return _policy(
            _allow("Objects", changes, f"{objects}/*"),
            _allow("ListOfObjects", ["s3:PutInventoryConfiguration"], objects),
            _allow("ListAndReport", ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"], below),
            _allow("Keys", uses, [self.old_key, self.new_key]),
        )

    @property
    def trust_policy(self) -> Mapping[str, Any]:
        """Whom the role must let assume it. The user guide's, which has no condition on the job."""
        return _policy({"Effect": "Allow", "Principal": {"Service": PRINCIPAL}, "Action": "sts:AssumeRole"})

    @property
    def caller_policy(self) -> Mapping[str, Any]:
        """What whoever starts, follows and ends the job must be allowed to do."""
        jobs = ["s3:CreateJob", "s3:DescribeJob", "s3:UpdateJobStatus"]
        looks = ["s3:GetBucketVersioning", "s3:GetEncryptionConfiguration", "s3:ListBucket"]
        bucket = self.arn_of(self.bucket)
        return _policy(
            _allow("Jobs", jobs, "*"),
            {
                **_allow("PassTheRole", ["iam:PassRole"], self.role),
                "Condition": {"StringEquals": {"iam:PassedToService": PRINCIPAL}},
            },
            _allow("Bucket", [*looks, "s3:PutInventoryConfiguration"], bucket),
            _allow("Keys", ["kms:DescribeKey"], [self.old_key, self.new_key]),
        )


def _policy(*statements: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(sid: str, actions: list[str], resource: str | list[str]) -> Mapping[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}


# What is refused before anything is sent


def require_bucket_name(name: str) -> None:
    """ObjectMoveError for what is no name of a bucket whose objects such a job can move."""
    if not _BUCKET.match(name):
        raise ObjectMoveError(f"{name} is no name of a bucket.", next_step="Name it as S3 does: acme-lake.")
    if name.endswith(_OF_A_DIRECTORY):
        raise ObjectMoveError(
            f"{name} is a directory bucket, whose objects S3 cannot move to another key.",
            next_step="Copy its objects to a bucket under the other key.",
        )


def require_prefix(prefix: str) -> None:
    """ObjectMoveError for a prefix below which S3 writes no report."""
    if not prefix or len(prefix) > _LONGEST_PREFIX or prefix != prefix.strip("/"):
        raise ObjectMoveError(
            f"{prefix or 'Nothing'} is no prefix for a report.",
            next_step=f"Name 1 to {_LONGEST_PREFIX} characters that begin and end with no slash.",
        )


def require_role(role: str, account: str) -> None:
    """ObjectMoveError for what is not the ARN of a role of the account, the only ones that can be passed."""
    try:
        arn = Arn.parse(role)
    except ValueError:
        arn = None
    if arn is None or arn.service != "iam" or not _ROLE.match(arn.resource):
        raise ObjectMoveError(
            f"{role} is no ARN of a role.",
            next_step=f"Name one like arn:aws:iam::{account}:role/MoveObjects.",
        )
    if arn.account != account:
        raise ObjectMoveError(
            f"{role} is a role of account {arn.account}, the job one of {account}.",
            next_step="Name a role of the job's own account: no other can be passed to it.",
        )


def require_keys(old: Key, new: Key, account: str) -> None:
    """ObjectMoveError where S3 cannot move objects from one key to the other; ``new`` fits ``old`` else."""
    if old.spec != SYMMETRIC_DEFAULT:
        raise ObjectMoveError(
            f"{old.arn} is no symmetric encryption key: no object of S3 is under it.",
            next_step="Name the key of the objects; used-by --bucket finds it.",
        )
    if old.pending_deletion:
        raise ObjectMoveError(
            f"{old.arn} is scheduled for deletion, so that S3 cannot decrypt with it.",
            next_step="Cancel its deletion and enable it until the objects are moved.",
        )
    for key, use in ((old, "decrypt"), (new, "encrypt")):
        if key.state != KeyState.ENABLED:
            raise ObjectMoveError(
                f"{key.arn} is {key.state}, so that S3 cannot {use} with it.", next_step="Enable it first."
            )
    if new.account_id != account:
        raise ObjectMoveError(
            f"{new.arn} is a key of another account than the bucket's, {account}.",
            next_step=f"Name a key of {account}; AWS Support can allow those of the organization.",
        )


# Price


@dataclass(frozen=True, slots=True)
class JobPrices:
    """Dollars, list prices of us-east-1; a million objects, a thousand requests. ``date`` is theirs.

    Source: the S3 pricing page, "Management & Insights" (Batch Operations) and "Requests" (as PUT).
    """

    date: str = "2026-11-01"
    job: float = 0.25
    objects: float = 1.00
    requests: float = 0.005
    kms_requests_an_object: int = 2
    """Rough: what S3 asks KMS for is not documented, and a bucket key saves most of it."""


PRICES = JobPrices()


def rough_price(objects: int, prices: JobPrices = PRICES, kms: cost.Prices = cost.PRICES) -> float:
    """Dollars for a job that moves so many objects: the job, its objects, requests of S3 and of KMS."""
    requests = objects * prices.requests / 1_000
    kms_requests = objects * prices.kms_requests_an_object * kms.per_request("ReEncrypt")
    return prices.job + objects * prices.objects / 1_000_000 + requests + kms_requests
