"""A job of S3 Batch Operations through boto3: what is sent, to which host, and how answers are read."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kms_tui.backend.aws import connect
from kms_tui.kms.errors import OutcomeUnknownError, ServiceError
from kms_tui.object_moves.batch_job import WAITING
from kms_tui.object_moves.job_running import JobRun
from kms_tui.object_moves.move_request import ObjectMoveError
from tests.unit.aws.conftest import REGION
from tests.unit.object_moves.fake_batch import ACCOUNT
from tests.unit.object_moves.test_job_running import NEW, OLD, move

_NAMESPACE = 'xmlns="http://awss3control.amazonaws.com/doc/2018-08-20/"'
_CREATED = f"<CreateJobResult {_NAMESPACE}><JobId>job-0001</JobId></CreateJobResult>"
_UPDATED = f"<UpdateJobStatusResult {_NAMESPACE}><JobId>job-0001</JobId></UpdateJobStatusResult>"
_BUSY = "<ErrorResponse><Error><Code>SlowDown</Code><Message>Slow down.</Message></Error></ErrorResponse>"
_DENIED = _BUSY.replace("SlowDown", "AccessDenied")


def _described(status: str) -> str:
    return (
        f"<DescribeJobResult {_NAMESPACE}><Job><JobId>job-0001</JobId><Status>{status}</Status>"
        "<ManifestGenerator><S3JobManifestGenerator><SourceBucket>arn:aws:s3:::lake</SourceBucket>"
        "<EnableManifestOutput>true</EnableManifestOutput></S3JobManifestGenerator></ManifestGenerator>"
        "<ProgressSummary><TotalNumberOfTasks>3</TotalNumberOfTasks>"
        "<NumberOfTasksSucceeded>2</NumberOfTasksSucceeded><NumberOfTasksFailed>1</NumberOfTasksFailed>"
        "</ProgressSummary></Job></DescribeJobResult>"
    )


class Scripted(ThreadingHTTPServer):
    """Answers with what is in ``answers``, and keeps (method, path, host, account, body) of each request."""

    def __init__(self) -> None:
        self.answers: deque[tuple[int, str]] = deque()
        self.seen: list[tuple[str, str, str, str, str]] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Scripted

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        account = self.headers.get("x-amz-account-id", "")
        self.server.seen.append((self.command, self.path, self.headers["Host"], account, body))
        status, text = self.server.answers.popleft() if self.server.answers else (404, "<ErrorResponse/>")
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[Scripted]:
    with Scripted() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def run(server: Scripted, waits: list[float]) -> JobRun:
    host, port = server.server_address[:2]
    services = connect(region=REGION, endpoint_url=f"http://{host!s}:{port}").services
    server.seen.clear()  # STS was asked who calls
    return JobRun(services, services.writing, ACCOUNT, pause=lambda seconds: False)


def test_a_job_is_sent_to_the_endpoint_itself(run: JobRun, server: Scripted) -> None:
    server.answers += [
        (200, _CREATED),
        (200, _described("Suspended")),
        (200, _described("Suspended")),
        (200, _UPDATED),
        (200, _described("Active")),
    ]
    run.create(move(prefix="2026/").params)
    job = run.follow(WAITING)
    assert (job.id, job.bucket, job.total, job.succeeded, job.failed) == ("job-0001", "lake", 3, 2, 1)
    assert run.confirm().status == "Active"
    created, described, _, confirmed, _ = server.seen
    host = f"127.0.0.1:{server.server_address[1]}"
    assert created[:4] == ("POST", "/v20180820/jobs", host, ACCOUNT)
    assert f"<KMSKeyArn>{NEW}</KMSKeyArn><BucketKeyEnabled>false</BucketKeyEnabled>" in created[4]
    assert f"<KmsKeyArn>{OLD}</KmsKeyArn>" in created[4]
    assert "<ClientRequestToken>00000000-token</ClientRequestToken>" in created[4]
    assert "<ConfirmationRequired>true</ConfirmationRequired>" in created[4]
    assert described[:4] == ("GET", "/v20180820/jobs/job-0001", host, ACCOUNT)
    assert confirmed[:4] == (
        "POST",
        "/v20180820/jobs/job-0001/status?requestedJobStatus=Ready",
        host,
        ACCOUNT,
    )


def test_a_lost_answer_is_sent_again_with_the_same_token(run: JobRun, server: Scripted) -> None:
    server.answers += [(500, ""), (503, _BUSY), (200, _CREATED)]
    assert run.create(move().params) == "job-0001"
    assert len({body for *_, body in server.seen}) == 1
    assert len(server.seen) == 3


def test_a_refusal_is_read(run: JobRun, server: Scripted) -> None:
    run.job_id = "job-0001"
    server.answers += [(403, _DENIED)]
    with pytest.raises(ServiceError) as caught:
        run.look()
    assert caught.value.denied


def test_an_unanswered_confirmation_is_unknown(run: JobRun, server: Scripted) -> None:
    run.job_id = "job-0001"
    server.answers += [(200, _described("Suspended")), (500, "")] * 5
    with pytest.raises(ObjectMoveError, match="no answer came") as caught:
        run.confirm()
    assert isinstance(caught.value.__cause__, OutcomeUnknownError)
