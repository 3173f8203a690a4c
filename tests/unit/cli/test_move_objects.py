"""``kms-tui move-objects``: on the demo's keys and a fake of S3 Batch Operations."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kms_tui.backend.kms_facade import Kms
from kms_tui.cli.reading import Step
from kms_tui.demo.demo_services import DemoBackend
from kms_tui.kms.errors import CredentialsError, ServiceError, UnavailableError
from kms_tui.session import Connection
from tests.demo_copies import demo_copy
from tests.unit.cli.conftest import Ended, Run
from tests.unit.object_moves.fake_batch import ACCOUNT, FakeBatch, FakeObject

_NOW = datetime(2026, 11, 20, 12, 4, tzinfo=UTC)
_ROLE = f"arn:aws:iam::{ACCOUNT}:role/MoveObjects"
_NEW_JOB = ("lake", "--from", "alias/s3-data-lake", "--to", "alias/sandbox", "--role-arn", _ROLE)
_ALL_TERMINAL = ("stdin", "stdout", "stderr")


@pytest.fixture
def backend() -> DemoBackend:
    return demo_copy(_NOW)


@pytest.fixture
def old_key(backend: DemoBackend) -> str:
    return Kms(backend).describe("alias/s3-data-lake").arn


@pytest.fixture
def new_key(backend: DemoBackend) -> str:
    return Kms(backend).describe("alias/sandbox").arn


@pytest.fixture
def s3(old_key: str) -> FakeBatch:
    return FakeBatch({"lake": {f"2026/{number:03}": FakeObject(old_key) for number in range(5)}})


@pytest.fixture(autouse=True)
def _no_waiting(
    run: Run, backend: DemoBackend, s3: FakeBatch, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def open_backend(connection: Connection) -> DemoBackend:
        return backend.in_region(connection.region) if connection.region else backend

    monkeypatch.setattr("kms_tui.cli.connection.open_backend", open_backend)
    monkeypatch.setattr(DemoBackend, "services", property(lambda self: s3))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in ("_FIRST_WAIT", "_LONGEST_WAIT"):
        monkeypatch.setattr(f"kms_tui.object_moves.job_running.{name}", 0.0)


@pytest.fixture
def move(run: Run) -> Callable[..., Ended]:
    def command(
        *arguments: str, writes: bool = True, stdin: bytes = b"", terminal: tuple[str, ...] = ()
    ) -> Ended:
        flags = ("--allow-service-writes",) if writes else ()
        return run("move-objects", *arguments, "--demo", *flags, stdin=stdin, terminal=terminal)

    return command


def _keys(s3: FakeBatch) -> set[str]:
    return {each.key for each in s3.buckets["lake"].values()}


def test_all_objects_are_moved(move: Callable[..., Ended], s3: FakeBatch, old_key: str, new_key: str) -> None:
    ended = move(*_NEW_JOB, "--yes", "--bucket-key")
    assert (ended.code, ended.err) == (0, "")
    text = ended.out.decode()
    assert "lake in eu-west-1" in text
    assert f"{new_key}, S3 Bucket Key on" in text
    assert "5 objects are under the old key. Moving them costs roughly $0.25, at list prices of 2026-" in text
    assert "Complete: 5 of 5 objects are moved.\n" in text
    assert f"kms-tui used-by {old_key} --bucket lake --versions" in text
    assert _keys(s3) == {new_key}
    assert all(each.bucket_key for each in s3.buckets["lake"].values())


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"n\n", 2), (b"\n", 2)], ids=["y", "n", "enter"])
def test_a_terminal_is_asked_before_anything_moves(
    answer: bytes, code: int, move: Callable[..., Ended], s3: FakeBatch, new_key: str
) -> None:
    ended = move(*_NEW_JOB, stdin=answer, terminal=_ALL_TERMINAL)
    assert ended.code == code
    assert "Move 5 objects? [y/N] " in ended.err
    assert (_keys(s3) == {new_key}) is (code == 0)
    assert s3.jobs["job-0001"].status == ("Complete" if code == 0 else "Cancelled")


@pytest.mark.parametrize(("terminal", "code"), [((), 2), (_ALL_TERMINAL, 130)], ids=["script", "terminal"])
def test_without_an_answer_the_job_waits_and_goes_on_later(
    terminal: tuple[str, ...], code: int, move: Callable[..., Ended], s3: FakeBatch, new_key: str
) -> None:
    ended = move(*_NEW_JOB, terminal=terminal)
    assert ended.code == code
    assert "kms-tui move-objects lake --job job-0001" in ended.err
    assert s3.jobs["job-0001"].status == "Suspended"
    again = move("lake", "--job", "job-0001", "--yes")
    assert again.code == 0
    assert "Complete: 5 of 5 objects are moved." in again.out.decode()
    assert _keys(s3) == {new_key}


def test_one_object_is_told_as_one(move: Callable[..., Ended], s3: FakeBatch) -> None:
    objects = s3.buckets["lake"]
    for name in list(objects)[1:]:
        del objects[name]
    text = move(*_NEW_JOB, "--yes").out.decode()
    assert "1 object is under the old key. Moving it costs roughly" in text
    assert "Complete: 1 of 1 object is moved." in text


def test_failed_objects_are_told_with_the_report(move: Callable[..., Ended], s3: FakeBatch) -> None:
    s3.buckets["lake"]["2026/001"].is_locked = True
    ended = move(*_NEW_JOB, "--yes", "--report-bucket", "reports", "--report-prefix", "moves")
    assert ended.code == 1
    text = ended.out.decode()
    assert "Complete: 4 of 5 objects are moved, 1 failed.\nReport: s3://reports/moves/job-job-0001/\n" in text
    assert ended.err == "The report says why each object failed.\n"


def test_a_role_that_is_not_trusted(move: Callable[..., Ended], s3: FakeBatch) -> None:
    s3.is_trusted = False
    ended = move(*_NEW_JOB, "--yes")
    assert ended.code == 2
    assert "AssumeRoleFailed: The service could not assume the role.\nLet batchoperations" in ended.err
    assert "Failed: 0 of 0 objects are moved." in ended.out.decode()


def test_a_bucket_without_such_objects_is_done(move: Callable[..., Ended], s3: FakeBatch) -> None:
    ended = move(*_NEW_JOB, "--prefix", "2020/", "--yes")
    assert ended.code == 0
    assert ended.out.decode().endswith("No object there is under the old key: nothing is to be moved.\n")


def test_ctrl_c_leaves_the_job_running(
    move: Callable[..., Ended], s3: FakeBatch, new_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    followings = 0

    def followed(work: Callable[[], object], progress: Callable[[], Step], *, name: str) -> object:
        nonlocal followings
        followings += 1
        assert progress().words == ("S3 is asked" if followings == 1 else "0 moved, 0 failed of 5")
        if followings == 2:
            raise KeyboardInterrupt
        return work()

    monkeypatch.setattr("kms_tui.cli.move_objects_command.followed", followed)
    ended = move(*_NEW_JOB, "--yes")
    assert ended.code == 130
    assert "The job goes on without this command.\nFollow it:  kms-tui move-objects lake --job" in ended.err
    assert "--cancel\n" in ended.err
    monkeypatch.undo()


def test_a_running_job_is_cancelled(move: Callable[..., Ended], s3: FakeBatch, new_key: str) -> None:
    assert move(*_NEW_JOB).code == 2
    s3.jobs["job-0001"].status = "Active"
    ended = move("lake", "--job", "job-0001", "--cancel")
    assert ended.code == 1
    assert "Cancelled: 4 of 5 objects are moved." in ended.out.decode()
    assert len(_keys(s3)) == 2


def test_a_job_is_followed_read_only_and_not_ended(move: Callable[..., Ended], s3: FakeBatch) -> None:
    assert move(*_NEW_JOB).code == 2
    followed = move("lake", "--job", "job-0001", "--read-only", writes=False)
    assert (followed.code, s3.jobs["job-0001"].status) == (2, "Suspended")
    refused = move("lake", "--job", "job-0001", "--cancel", writes=False)
    assert refused.code == 2
    assert "Start with --allow-service-writes" in refused.err
    assert s3.jobs["job-0001"].status == "Suspended"


def test_a_job_is_followed_though_no_call_has_told_the_account_yet(
    move: Callable[..., Ended], s3: FakeBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert move(*_NEW_JOB).code == 2
    monkeypatch.setattr(Kms, "account_id", "")  # as of AWS, where DescribeKey tells no account
    assert move("lake", "--job", "job-0001", "--yes").code == 0


@pytest.mark.parametrize("answer", [b"y\n", b"n\n"])
def test_nobody_is_asked_about_a_job_who_may_not_decide_it(
    answer: bytes, move: Callable[..., Ended], s3: FakeBatch
) -> None:
    assert move(*_NEW_JOB).code == 2
    ended = move("lake", "--job", "job-0001", writes=False, stdin=answer, terminal=_ALL_TERMINAL)
    assert (ended.code, "[y/N]" in ended.err, "perhaps" in ended.err) == (2, False, False)
    assert "The job waits to be confirmed" in ended.err
    assert "Start with --allow-service-writes" in ended.err
    assert s3.jobs["job-0001"].status == "Suspended"


@pytest.mark.parametrize(
    ("bucket", "told"), [("pond", "There is no bucket pond"), ("other", "is one of the bucket lake")]
)
def test_a_job_of_another_bucket_is_not_touched(
    bucket: str, told: str, move: Callable[..., Ended], s3: FakeBatch
) -> None:
    assert move(*_NEW_JOB).code == 2
    s3.buckets["other"] = {}
    ended = move(bucket, "--job", "job-0001", "--cancel")
    assert ended.code == 2
    assert told in ended.err
    assert s3.jobs["job-0001"].status == "Suspended"


def test_a_job_that_is_lost_sight_of_goes_on(move: Callable[..., Ended], s3: FakeBatch) -> None:
    s3.plan("DescribeJob", CredentialsError("The credentials have expired.", login_command="aws sso login"))
    ended = move(*_NEW_JOB, "--yes")
    assert ended.code == 2
    assert "The job was lost sight of, and goes on." in ended.err
    assert "--job job-0001" in ended.err
    assert ended.err.endswith("The credentials have expired.\nRun: aws sso login\n")


def test_a_confirmation_that_is_refused(move: Callable[..., Ended], s3: FakeBatch) -> None:
    s3.plan("UpdateJobStatus", ServiceError("AccessDenied", "s3:UpdateJobStatus", status=403))
    ended = move(*_NEW_JOB, "--yes")
    assert ended.code == 2
    assert "The job was perhaps not confirmed." in ended.err
    assert "AccessDenied: s3:UpdateJobStatus" in ended.err
    assert s3.jobs["job-0001"].status == "Suspended"


def test_a_dry_run_prints_everything_and_sends_no_job(
    move: Callable[..., Ended], s3: FakeBatch, old_key: str
) -> None:
    for flags in ((), ("--read-only",)):
        ended = move(*_NEW_JOB, "--dry-run", *flags, writes=False)
        assert (ended.code, ended.err) == (0, "")
        text = ended.out.decode()
        params = json.loads(text.partition("# The request (CreateJob)\n")[2].partition("\n\n#")[0])
        assert params["RoleArn"] == _ROLE
        assert '"Service": "batchoperations.s3.amazonaws.com"' in text
        line = text.rstrip("\n").rpartition("\n")[2]
        assert line.startswith(f"aws s3control create-job --account-id {ACCOUNT} --confirmation-required")
        assert line.endswith("--region eu-west-1")
    assert s3.calls["CreateJob"] == 0


def test_nothing_is_read_where_writes_are_not_allowed(move: Callable[..., Ended], s3: FakeBatch) -> None:
    ended = move(*_NEW_JOB, "--yes", writes=False)
    assert ended.code == 2
    assert "Start with --allow-service-writes" in ended.err
    assert not s3.calls


def test_the_configuration_may_allow_writes(
    move: Callable[..., Ended], s3: FakeBatch, tmp_path: Path
) -> None:
    (tmp_path / "config.toml").write_text("[profiles.demo]\nallow_service_writes = true\n")
    assert move(*_NEW_JOB, "--yes", writes=False).code == 0


def test_a_bucket_of_another_region_is_refused(move: Callable[..., Ended], s3: FakeBatch) -> None:
    s3.regions["lake"] = "us-east-1"
    ended = move(*_NEW_JOB, "--yes")
    assert ended.code == 2
    assert "is in us-east-1, the key in eu-west-1" in ended.err
    assert "--region us-east-1" in ended.err
    assert not s3.jobs


@pytest.mark.parametrize(
    ("source", "to", "told"),
    [
        ("alias/chat-archive", "alias/sandbox", "is Disabled, so that S3 cannot decrypt"),
        ("alias/old-backups", "alias/sandbox", "is scheduled for deletion"),
        ("alias/s3-data-lake", "alias/chat-archive", "is Disabled, so that S3 cannot encrypt"),
        ("alias/s3-data-lake", "alias/s3-data-lake", "Name another key.\n"),
        ("alias/s3-data-lake", "alias/aws/s3", "a key that AWS manages"),
        ("alias/s3-data-lake", "alias/nowhere", "NotFoundException"),
    ],
)
def test_keys_that_do_not_fit_are_refused_before_a_job(
    source: str, to: str, told: str, move: Callable[..., Ended], s3: FakeBatch
) -> None:
    ended = move("lake", "--from", source, "--to", to, "--role-arn", _ROLE, "--yes")
    assert ended.code == 2
    assert told in ended.err
    assert "made like" not in ended.err
    assert not s3.jobs


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("lake",), "a new job needs --from, --to, --role-arn"),
        (("lake", "--from", "a", "--to", "b"), "a new job needs --role-arn"),
        (("lake", "--cancel"), "--cancel goes with --job"),
        (("lake", "--job", ""), "a job has an id"),
        (("lake", "--job", "x", "--to", "b"), "leave out --to"),
        (("lake", "--job", "x", "--no-bucket-key"), "leave out --bucket-key"),
        ((*_NEW_JOB, "--read-only"), "--read-only"),
        (("lake", "--job", "x", "--cancel", "--read-only"), "--read-only"),
        (("s3://lake", *_NEW_JOB[1:]), "is no name of a bucket"),
        ((*_NEW_JOB, "--report-prefix", "/"), "is no prefix for a report"),
        ((*_NEW_JOB[:-1], "MoveObjects"), "is no ARN of a role"),
    ],
)
def test_bad_usage(arguments: tuple[str, ...], told: str, move: Callable[..., Ended], s3: FakeBatch) -> None:
    ended = move(*arguments)
    assert ended.code == 2
    assert told in ended.err
    assert not s3.jobs


def test_where_nothing_runs_jobs_the_dry_run_is_named(
    move: Callable[..., Ended], s3: FakeBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        raise UnavailableError(service, operation)

    monkeypatch.setattr(s3, "call", refuse)
    ended = move("lake", "--job", "00e123a4-c0d8-41f4-a0eb-b46f9ba5b07c")
    assert (ended.code, "--dry-run prints what AWS would be sent" in ended.err) == (2, True)
