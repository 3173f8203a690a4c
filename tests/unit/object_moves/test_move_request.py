"""The request of a job, the policies it needs, its price, and what is refused before anything is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kms_tui.kms.arn import key_arn
from kms_tui.kms.errors import AnswerError, ServiceError
from kms_tui.kms.facts import Denied, Known
from kms_tui.kms.model import Key, KeyState
from kms_tui.object_moves.batch_job import BatchJob
from kms_tui.object_moves.bucket_facts import (
    BucketFacts,
    DefaultEncryption,
    bucket_notes,
    fact_words,
    read_bucket,
)
from kms_tui.object_moves.move_request import (
    ObjectMoveError,
    require_bucket_name,
    require_keys,
    require_prefix,
    require_role,
    rough_price,
)
from tests.unit.object_moves.fake_batch import ACCOUNT, FakeBatch
from tests.unit.object_moves.test_job_running import NEW, OLD, ROLE, move


def described(arn: str, **changes: Any) -> Key:
    metadata = {
        "KeyId": arn.rpartition("/")[2],
        "Arn": arn,
        "AWSAccountId": arn.split(":")[4],
        "KeyState": "Enabled",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER",
        **changes,
    }
    return Key.from_api(metadata)


def test_the_request_names_one_key_each_way_and_waits() -> None:
    params = move(prefix="2026/").params
    listing = params["ManifestGenerator"]["S3JobManifestGenerator"]
    assert listing["Filter"] == {
        "MatchAnyObjectEncryption": [{"SSEKMS": {"KmsKeyArn": OLD}}],
        "KeyNameConstraint": {"MatchAnyPrefix": ["2026/"]},
    }
    assert "KeyNameConstraint" not in move().params["ManifestGenerator"]["S3JobManifestGenerator"]["Filter"]
    assert params["ConfirmationRequired"] is True
    assert listing["ManifestOutputLocation"]["Bucket"] == "arn:aws:s3:::lake-reports"
    assert listing["ManifestOutputLocation"]["ManifestEncryption"] == {"SSES3": {}}
    china = move(partition="aws-cn").params["Report"]
    assert china["Bucket"] == "arn:aws-cn:s3:::lake-reports"


def test_the_policies_name_this_job_alone() -> None:
    asked = move()
    statements = {each.get("Sid"): each for each in asked.role_policy["Statement"]}
    assert statements["Objects"]["Resource"] == "arn:aws:s3:::lake/*"
    assert "s3:UpdateObjectEncryption" in statements["Objects"]["Action"]
    assert statements["ListAndReport"]["Resource"] == "arn:aws:s3:::lake-reports/kms-tui/move-objects/*"
    assert statements["Keys"]["Resource"] == [OLD, NEW]
    (trusted,) = asked.trust_policy["Statement"]
    assert trusted["Principal"] == {"Service": "batchoperations.s3.amazonaws.com"}
    passing = next(each for each in asked.caller_policy["Statement"] if each["Sid"] == "PassTheRole")
    assert (passing["Resource"], passing["Condition"]) == (
        ROLE,
        {"StringEquals": {"iam:PassedToService": "batchoperations.s3.amazonaws.com"}},
    )


def test_the_price_counts_the_job_objects_and_requests() -> None:
    assert rough_price(0) == pytest.approx(0.25)
    assert rough_price(1_000_000) == pytest.approx(0.25 + 1 + 5 + 6)


@pytest.mark.parametrize("name", ["", "a", "x/y", "arn:aws:s3:::lake", "lake--use1-az4--x-s3", "a" * 200])
def test_what_is_no_bucket_is_refused(name: str) -> None:
    with pytest.raises(ObjectMoveError) as caught:
        require_bucket_name(name)
    assert caught.value.next_step
    require_bucket_name("acme.lake-1")


@pytest.mark.parametrize("prefix", ["", "/", "reports/", "/reports", "x" * 513])
def test_what_is_no_prefix_of_a_report_is_refused(prefix: str) -> None:
    with pytest.raises(ObjectMoveError):
        require_prefix(prefix)
    require_prefix("reports/2026")


@pytest.mark.parametrize(
    ("role", "told"),
    [
        ("MoveObjects", "is no ARN of a role"),
        (f"arn:aws:iam::{ACCOUNT}:user/ada", "is no ARN of a role"),
        (f"arn:aws:iam::{ACCOUNT}:role/", "is no ARN of a role"),
        ("arn:aws:iam::444455556666:role/x", "is a role of account 444455556666"),
    ],
    ids=["name", "user", "empty", "another account's"],
)
def test_what_is_no_role_of_the_account_is_refused(role: str, told: str) -> None:
    with pytest.raises(ObjectMoveError, match=told) as caught:
        require_role(role, ACCOUNT)
    assert caught.value.next_step
    require_role(f"arn:aws:iam::{ACCOUNT}:role/path/MoveObjects", ACCOUNT)


def test_keys_between_which_s3_moves_nothing_are_refused() -> None:
    old, new = described(OLD), described(NEW)
    require_keys(old, new, ACCOUNT)
    partners = key_arn("aws", "eu-west-1", "444455556666", NEW.rpartition("/")[2])
    for left, right, told in (
        (described(OLD, KeySpec="RSA_2048"), new, "no symmetric encryption key"),
        (replace(old, state=KeyState.PENDING_DELETION), new, "scheduled for deletion"),
        (replace(old, state=KeyState.DISABLED), new, "is Disabled, so that S3 cannot decrypt"),
        (old, replace(new, state=KeyState.DISABLED), "is Disabled, so that S3 cannot encrypt"),
        (old, described(partners), "another account than the bucket's"),
    ):
        with pytest.raises(ObjectMoveError, match=told) as caught:
            require_keys(left, right, ACCOUNT)
        assert caught.value.next_step


# The bucket


def _rule(key: str, *, bucket_key: bool = False) -> dict[str, Any]:
    applied = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    return {"ApplyServerSideEncryptionByDefault": applied, "BucketKeyEnabled": bucket_key}


def test_a_bucket_is_read_in_its_own_region() -> None:
    s3 = FakeBatch({"lake": {}})
    s3.regions["lake"] = "us-west-2"
    s3.defaults["lake"] = _rule(OLD, bucket_key=True)
    bucket = read_bucket(s3, "lake")
    assert bucket == BucketFacts(
        "lake", "us-west-2", Known(DefaultEncryption("aws:kms", OLD, True)), Known("Enabled")
    )
    assert bucket.has_bucket_key
    assert fact_words(bucket.default) == f"aws:kms {OLD}, S3 Bucket Key on"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ServiceError("404", "Not Found", status=404), "There is no bucket lake"),
        (ServiceError("403", "Forbidden", status=403), "may not look at the bucket lake"),
        (ServiceError("SlowDown", "Reduce your rate.", status=503), "SlowDown"),
    ],
    ids=["none", "denied", "busy"],
)
def test_a_bucket_that_cannot_be_looked_at(error: ServiceError, told: str) -> None:
    s3 = FakeBatch({"lake": {}})
    s3.plan("HeadBucket", error)
    with pytest.raises((ObjectMoveError, ServiceError), match=told) as caught:
        read_bucket(s3, "lake")
    assert caught.value.next_step


def test_what_may_not_be_read_of_a_bucket_stops_nothing() -> None:
    s3 = FakeBatch({"lake": {}})
    s3.plan("GetBucketEncryption", ServiceError("AccessDenied", operation="GetBucketEncryption", status=403))
    bucket = read_bucket(s3, "lake")
    assert isinstance(bucket.default, Denied)
    assert not bucket.has_bucket_key
    assert fact_words(bucket.default) == "not read (denied: you may not call GetBucketEncryption)"
    assert list(bucket_notes(bucket, OLD, NEW)) == [
        "The bucket's default key was not read: new objects may go under the old key."
    ]


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (OLD, "New objects still go under the old key"),
        (OLD.rpartition("/")[2], "New objects still go under the old key"),
        ("alias/lake", "the key that alias/lake names"),
        (f"{OLD[:-1]}9", "not the new key"),
        ("", "not the new key"),
        (NEW, ""),
    ],
    ids=["old", "its id", "alias", "third", "none", "new"],
)
def test_a_default_that_is_not_the_new_key_is_noted(key: str, told: str) -> None:
    bucket = BucketFacts("lake", "eu-west-1", Known(DefaultEncryption("aws:kms", key)), Known("Enabled"))
    notes = " ".join(bucket_notes(bucket, OLD, NEW))
    assert told in notes
    assert bool(told) is bool(notes)


# The job's answer


@pytest.mark.parametrize("answer", [{}, {"Job": {}}, {"Job": None}, {"Job": {"JobId": "x"}}])
def test_an_answer_that_is_no_job_is_an_error(answer: Any) -> None:
    with pytest.raises(AnswerError):
        BatchJob.from_answer(answer)


def test_a_job_of_another_kind_moves_nothing() -> None:
    job = BatchJob.from_answer(
        {"Job": {"JobId": "x", "Status": "Complete", "Operation": {"S3PutObjectTagging": {}}}}
    )
    assert not job.moves_objects
    assert (job.report, job.seconds_left) == ("", None)


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("Access Denied", "Give the role the permissions"),
        ("Job failure rate exceeded the threshold", "More than half"),
        ("Something else", "Correct that, and begin anew."),
    ],
)
def test_a_failure_tells_what_to_do_next(reason: str, told: str) -> None:
    assert BatchJob("x", "Failed", failures=(("", reason),)).next_step.startswith(told)


def test_time_left_is_rounded() -> None:
    told = {
        seconds: BatchJob("x", "Active", total=20, succeeded=10, active_seconds=seconds).words
        for seconds in (30, 600, 36_000, 864_000)
    }
    assert [words.rpartition(", ")[2] for words in told.values()] == [
        "30 s left",
        "10 min left",
        "10 h left",
        "10 d left",
    ]
