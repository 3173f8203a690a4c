"""What is to be known of a bucket before its objects move: its Region, default encryption, versioning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kms_tui.backend.base import Services
from kms_tui.evidence.scan_shortfalls import error_words
from kms_tui.kms.arn import key_id_of
from kms_tui.kms.errors import KmsTuiError, ServiceError, UnavailableError
from kms_tui.kms.facts import Denied, Fact, Failed, Known, read_fact
from kms_tui.object_moves.move_request import ObjectMoveError

_NOT_VERSIONED = "never enabled"
_FORBIDDEN, _NOT_THERE = 403, 404


@dataclass(frozen=True, slots=True)
class DefaultEncryption:
    """What new objects are encrypted with: the algorithm, S3's name of the key or "", the bucket key."""

    algorithm: str
    key: str = ""
    bucket_key: bool = False

    def names(self, key_arn: str) -> bool:
        """Whether it names a key by its ARN or id; an alias does not tell."""
        return self.key in (key_arn, key_id_of(key_arn))

    def __str__(self) -> str:
        bucket_key = f", S3 Bucket Key {'on' if self.bucket_key else 'off'}" if self.key else ""
        return " ".join(part for part in (self.algorithm, self.key) if part) + bucket_key


@dataclass(frozen=True, slots=True)
class BucketFacts:
    """A bucket; ``versioning`` is S3's word for its state, or that it was never enabled."""

    name: str
    region: str
    default: Fact[DefaultEncryption]
    versioning: Fact[str]

    @property
    def has_bucket_key(self) -> bool:
        """Whether new objects use an S3 Bucket Key, as far as that is known."""
        return isinstance(self.default, Known) and self.default.value.bucket_key


def read_bucket(services: Services, name: str) -> BucketFacts:
    """Read a bucket's facts, in its own Region. Raises ObjectMoveError where there is none for the caller."""
    if not services.offers("s3"):
        raise UnavailableError("S3")
    region = _region_of(services, name)
    there = services if region == services.region else services.in_region(region)
    asked = {"Bucket": name}
    return BucketFacts(
        name,
        region,
        read_fact(lambda: _default(there.call("s3", "GetBucketEncryption", asked))),
        read_fact(
            lambda: str(there.call("s3", "GetBucketVersioning", asked).get("Status") or _NOT_VERSIONED)
        ),
    )


def _region_of(services: Services, name: str) -> str:
    try:
        answer = services.call("s3", "HeadBucket", {"Bucket": name})
    except ServiceError as error:
        if error.status == _NOT_THERE or error.code == "NoSuchBucket":
            raise ObjectMoveError(f"There is no bucket {name}.", next_step="Check its name.") from error
        if error.status == _FORBIDDEN or error.denied:
            raise ObjectMoveError(
                f"You may not look at the bucket {name}, or it is another account's.",
                next_step="Ask for s3:ListBucket on it, with the credentials of its account.",
            ) from error
        raise
    return str(answer.get("BucketRegion") or services.region)


def _versioning(answer: Mapping[str, Any]) -> str:
    return str(answer.get("Status") or _NOT_VERSIONED)


def _default(answer: Mapping[str, Any]) -> DefaultEncryption:
    rule = answer["ServerSideEncryptionConfiguration"]["Rules"][0]
    applied = rule["ApplyServerSideEncryptionByDefault"]
    return DefaultEncryption(
        str(applied["SSEAlgorithm"]),
        str(applied.get("KMSMasterKeyID") or ""),
        bool(rule.get("BucketKeyEnabled")),
    )


def fact_words(fact: Fact[Any]) -> str:
    """What is known, or why it is not; untrusted text."""
    if isinstance(fact, Known):
        return str(fact.value)
    error: KmsTuiError | None = fact.error if isinstance(fact, Denied | Failed) else None
    return f"not read ({error_words(error)})" if error is not None else "not read"


def bucket_notes(bucket: BucketFacts, old_key: str, new_key: str) -> Iterator[str]:
    """Sentences about what the job leaves undone in this bucket; untrusted text."""
    if not isinstance(bucket.default, Known):
        yield "The bucket's default key was not read: new objects may go under the old key."
        return
    default = bucket.default.value
    if default.names(old_key):
        yield (
            "New objects still go under the old key: give the bucket its new default key first, or they"
            " need another job."
        )
    elif "alias/" in default.key:
        yield f"New objects go under the key that {default.key} names: see that it is no longer the old one."
    elif not default.names(new_key):
        yield f"The bucket's default is {default}, not the new key: new objects go under that."
