"""A job of S3 Batch Operations: created once, confirmed, followed, cancelled, whatever is lost on the way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kms_tui.kms.errors import EndpointError, KmsTuiError, OutcomeUnknownError, ReadOnlyError, ServiceError
from kms_tui.object_moves.batch_job import WAITING
from kms_tui.object_moves.job_running import JobRun
from kms_tui.object_moves.move_request import ObjectMove, ObjectMoveError
from tests.unit.object_moves.fake_batch import ACCOUNT, FakeBatch, FakeObject, Lost

OLD = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/00000000-0000-4000-8000-000000000001"
NEW = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/00000000-0000-4000-8000-000000000002"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/MoveObjects"
BUSY = ServiceError("SlowDown", "Reduce your request rate.", status=503)
DENIED = ServiceError("AccessDenied", "not authorized to perform: s3:CreateJob", status=403)


def move(**changes: object) -> ObjectMove:
    settings: dict[str, object] = {
        "bucket": "lake",
        "region": "eu-west-1",
        "account": ACCOUNT,
        "partition": "aws",
        "old_key": OLD,
        "new_key": NEW,
        "role": ROLE,
        "token": "00000000-token",
        "report_bucket": "lake-reports",
        "report_prefix": "kms-tui/move-objects",
        **changes,
    }
    return ObjectMove(**settings)  # type: ignore[arg-type]


@pytest.fixture
def s3() -> FakeBatch:
    names = [f"2026/{number:03}" for number in range(5)] + ["2025/000"]
    objects = {name: FakeObject(OLD) for name in names}
    others = {
        "double": FakeObject(OLD, "DSSE-KMS"),
        "own": FakeObject("", "SSE-C"),
        "other": FakeObject(f"{OLD[:-1]}9"),
    }
    return FakeBatch({"lake": objects | others})


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def run_of(s3: FakeBatch, waits: list[float]) -> Callable[..., JobRun]:
    def made(job_id: str = "") -> JobRun:
        def pause(seconds: float) -> bool:
            waits.append(seconds)
            return False

        return JobRun(s3, s3.writing, ACCOUNT, job_id, pause=pause)

    return made


def test_objects_are_moved_once_they_are_counted_and_confirmed(
    s3: FakeBatch, run_of: Callable[..., JobRun], waits: list[float]
) -> None:
    run = run_of()
    run.create(move(prefix="2026/", bucket_key=True).params)
    job = run.follow(WAITING)
    assert (job.waits, job.total, job.done, job.bucket) == (True, 5, 0, "lake")
    assert {each.key for each in s3.buckets["lake"].values()} == {OLD, "", f"{OLD[:-1]}9"}
    run.confirm()
    job = run.follow()
    assert (job.status, job.succeeded, job.failed, job.is_whole) == ("Complete", 5, 0, True)
    assert (job.old_key, job.new_key) == (OLD, NEW)
    assert job.report == f"s3://lake-reports/kms-tui/move-objects/job-{job.id}/"
    lake = s3.buckets["lake"]
    assert {name for name, each in lake.items() if each.key == NEW and each.bucket_key} == set(list(lake)[:5])
    assert max(waits) <= 30


def test_what_cannot_be_moved_is_not_in_the_list(s3: FakeBatch, run_of: Callable[..., JobRun]) -> None:
    run = run_of()
    run.create(move().params)
    run.follow(WAITING)
    run.confirm()
    assert run.follow().total == 6
    assert [name for name, each in s3.buckets["lake"].items() if each.key != NEW] == [
        "double",
        "own",
        "other",
    ]


def test_a_locked_object_fails_alone(s3: FakeBatch, run_of: Callable[..., JobRun]) -> None:
    s3.buckets["lake"]["2026/002"].is_locked = True
    run = run_of()
    run.create(move().params)
    run.follow(WAITING)
    run.confirm()
    job = run.follow()
    assert (job.status, job.succeeded, job.failed, job.is_whole) == ("Complete", 5, 1, False)
    assert "report" in job.next_step


@pytest.mark.parametrize(
    "faults",
    [(Lost(),), (BUSY, Lost(), BUSY), (EndpointError("no route"), Lost())],
    ids=["lost", "busy", "no route"],
)
def test_a_lost_answer_makes_no_second_job(
    faults: tuple[KmsTuiError | Lost, ...], s3: FakeBatch, run_of: Callable[..., JobRun]
) -> None:
    s3.plan("CreateJob", *faults)
    run = run_of()
    assert run.create(move().params) == "job-0001"
    assert len(s3.jobs) == 1
    assert s3.calls["CreateJob"] == len(faults) + 1


def test_where_no_answer_comes_at_all_it_says_how_to_look(
    s3: FakeBatch, run_of: Callable[..., JobRun]
) -> None:
    s3.plan("CreateJob", *[Lost()] * 5)
    with pytest.raises(ObjectMoveError, match="there may be a job") as caught:
        run_of().create(move().params)
    assert "list-jobs" in caught.value.next_step
    assert len(s3.jobs) == 1


def test_who_may_not_create_a_job_is_told_what_is_needed(
    s3: FakeBatch, run_of: Callable[..., JobRun]
) -> None:
    s3.plan("CreateJob", DENIED)
    with pytest.raises(ObjectMoveError, match="s3:CreateJob") as caught:
        run_of().create(move().params)
    assert f"iam:PassRole on {ROLE}" in caught.value.next_step
    assert not s3.jobs


def test_a_refused_request_is_not_sent_again(s3: FakeBatch, run_of: Callable[..., JobRun]) -> None:
    s3.plan("CreateJob", ServiceError("BadRequestException", "Invalid role", operation="CreateJob"))
    with pytest.raises(ServiceError, match="Invalid role"):
        run_of().create(move().params)
    assert s3.calls["CreateJob"] == 1


def test_a_new_job_may_not_be_there_yet_and_s3_may_be_busy(
    s3: FakeBatch, run_of: Callable[..., JobRun], waits: list[float]
) -> None:
    run = run_of()
    run.create(move().params)
    s3.plan("DescribeJob", ServiceError("NoSuchJob", status=404), BUSY, EndpointError("no route"))
    assert run.follow(WAITING).waits
    assert waits[:3] == [2.0, 4.0, 8.0]


def test_a_job_that_is_not_there_is_an_error_at_once(s3: FakeBatch, run_of: Callable[..., JobRun]) -> None:
    with pytest.raises(ServiceError, match="NoSuchJob"):
        run_of("job-0009").look()
    assert s3.calls["DescribeJob"] == 1


def test_what_fails_again_and_again_ends_the_following(s3: FakeBatch, run_of: Callable[..., JobRun]) -> None:
    run = run_of()
    run.create(move().params)
    s3.plan("DescribeJob", *[BUSY] * 5)
    with pytest.raises(ServiceError, match="SlowDown"):
        run.follow()


@pytest.mark.parametrize("is_done", [True, False], ids=["it took place", "it did not"])
def test_a_lost_confirmation_is_looked_up(
    is_done: bool, s3: FakeBatch, run_of: Callable[..., JobRun]
) -> None:
    run = run_of()
    run.create(move().params)
    run.follow(WAITING)
    s3.plan("UpdateJobStatus", Lost() if is_done else OutcomeUnknownError("UpdateJobStatus", "HTTP 500"))
    run.confirm()
    assert run.follow().is_whole
    assert s3.calls["UpdateJobStatus"] == (1 if is_done else 2)


def test_a_confirmation_of_which_nothing_is_heard_ends(s3: FakeBatch, run_of: Callable[..., JobRun]) -> None:
    run = run_of()
    run.create(move().params)
    run.follow(WAITING)
    s3.plan("UpdateJobStatus", *[OutcomeUnknownError("UpdateJobStatus", "HTTP 500")] * 5)
    with pytest.raises(ObjectMoveError, match="no answer came"):
        run.confirm()


def test_a_job_that_somebody_else_confirms_meanwhile_goes_on(
    s3: FakeBatch, run_of: Callable[..., JobRun]
) -> None:
    run = run_of()
    run.create(move().params)
    run.follow(WAITING)
    s3.plan("UpdateJobStatus", ServiceError("JobStatusException", "The job is Active"))
    s3.jobs[run.job_id].status = "Suspended"
    assert run.confirm().status == "Suspended"
    run.confirm()
    assert run.confirm().status in ("Active", "Completing")
    assert run.follow().is_whole


def test_a_cancelled_job_leaves_what_is_moved(s3: FakeBatch, run_of: Callable[..., JobRun]) -> None:
    run = run_of()
    run.create(move().params)
    run.follow(WAITING)
    run.confirm()
    while not run.look().done:
        pass
    run.cancel()
    job = run.follow()
    assert (job.status, job.has_ended, job.is_whole) == ("Cancelled", True, False)
    assert 0 < job.succeeded < job.total
    assert run.cancel().status == "Cancelled"
    assert s3.calls["UpdateJobStatus"] == 2


def test_a_role_that_is_not_trusted_fails_the_job(s3: FakeBatch, run_of: Callable[..., JobRun]) -> None:
    s3.is_trusted = False
    run = run_of()
    run.create(move().params)
    job = run.follow(WAITING)
    assert (job.status, job.done, job.found_nothing) == ("Failed", 0, False)
    assert job.next_step.startswith("Let batchoperations.s3.amazonaws.com assume the role")


def test_a_key_under_which_there_is_nothing(s3: FakeBatch, run_of: Callable[..., JobRun]) -> None:
    run = run_of()
    run.create(move(prefix="2020/").params)
    job = run.follow(WAITING)
    assert job.found_nothing
    assert job.status == "Failed"


def test_stop_ends_the_following_and_leaves_the_job(s3: FakeBatch) -> None:
    run = JobRun(s3, s3.writing, ACCOUNT)
    run.create(move().params)
    run.stop()
    assert run.follow().status == "Preparing"
    assert s3.calls["DescribeJob"] == 1


def test_a_job_is_followed_without_leave_to_write_and_not_confirmed(s3: FakeBatch) -> None:
    def refused() -> FakeBatch:
        raise ReadOnlyError("A write to another service")

    run = JobRun(s3, s3.writing, ACCOUNT)
    job_id = run.create(move().params)
    following = JobRun(s3, refused, ACCOUNT, job_id, pause=lambda seconds: False)
    assert following.follow(WAITING).waits
    for change in (following.confirm, following.cancel):
        with pytest.raises(ReadOnlyError):
            change()
    assert s3.calls["UpdateJobStatus"] == 0


def test_how_far_it_is(s3: FakeBatch, run_of: Callable[..., JobRun]) -> None:
    run = run_of()
    run.create(move().params)
    words = [run.look().words for _ in range(2)]
    assert words == ["S3 lists the objects", "it waits to be confirmed"]
    run.confirm()
    job = run.look()
    assert (job.words, job.seconds_left) == ("2 moved, 0 failed of 6, 40 s left", 40.0)
