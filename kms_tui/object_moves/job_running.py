"""One job of S3 Batch Operations: created, confirmed, cancelled, and followed until something is decided."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from kms_tui.backend.base import Services
from kms_tui.kms.errors import EndpointError, KmsTuiError, OutcomeUnknownError, ServiceError
from kms_tui.object_moves.batch_job import ENDED, WAITING, BatchJob
from kms_tui.object_moves.move_request import ObjectMoveError

SERVICE = "s3control"
_FIRST_WAIT = 2.0
_LONGEST_WAIT = 30.0
_SLOWER = 1.3
"""Two looks at a job are that much farther apart each time; a change of its status begins anew."""
_MOST_TRIES = 5
"""Calls in a row that may fail in passing."""
_NOT_YET = frozenset({"NotFoundException", "NoSuchJob", "NoSuchJobException"})
"""The codes for a job that is not there, which S3 also answers just after it was created."""

T = TypeVar("T")


class JobRun:
    """A job, or one that is to be created. ``follow`` blocks; other threads may ask ``job``, and ``stop``.

    ``reads`` and what ``writing`` gives are the services of the bucket's Region; ``writing`` is asked only
    before a write, and raises where none is allowed. ``pause(seconds)`` says whether ``stop`` was called.
    """

    def __init__(
        self,
        reads: Services,
        writing: Callable[[], Services],
        account: str,
        job_id: str = "",
        *,
        pause: Callable[[float], bool] | None = None,
    ) -> None:
        self._reads = reads
        self._writing = writing
        self._account = account
        self._stopped = threading.Event()
        self._pause = pause or self._stopped.wait
        self._is_new = False
        self.job_id = job_id
        self.job: BatchJob | None = None
        """As it was last seen."""

    def create(self, params: Mapping[str, Any]) -> str:
        """Create the job; its id. A lost answer is no harm: the request has a token, and is sent again.

        ObjectMoveError where it is not known whether there is a job, or the caller may not create one.
        """
        services = self._writing()
        try:
            answer = self._patiently(lambda: services.call(SERVICE, "CreateJob", params))
        except OutcomeUnknownError as error:
            raise ObjectMoveError(
                f"CreateJob was sent {_MOST_TRIES} times, and no answer came: there may be a job.",
                next_step="Look for it with aws s3control list-jobs. Until it is confirmed it moves nothing.",
            ) from error
        except ServiceError as error:
            if not error.denied:
                raise
            raise ObjectMoveError(
                str(error),
                next_step=f"You need s3:CreateJob, iam:PassRole on {params['RoleArn']}, and"
                " s3:PutInventoryConfiguration on the bucket; --dry-run prints the whole policy.",
            ) from error
        try:
            self.job_id = str(answer["JobId"])
        except KeyError as error:
            raise ObjectMoveError(
                "CreateJob answered no id of a job.", next_step="Look for it with aws s3control list-jobs."
            ) from error
        self._is_new = True
        return self.job_id

    def look(self) -> BatchJob:
        """The job as it is now; waits and asks again where S3 is busy."""
        params = {"AccountId": self._account, "JobId": self.job_id}
        answer = self._patiently(lambda: self._reads.call(SERVICE, "DescribeJob", params))
        self._is_new = False
        self.job = BatchJob.from_answer(answer)
        return self.job

    def follow(self, until: Collection[str] = ENDED) -> BatchJob:
        """Look until the job has such a status, has ended, or ``stop``; the job as it is then."""
        job, seconds = self.look(), _FIRST_WAIT
        while job.status not in until and not job.has_ended and not self._pause(seconds):
            before = job.status
            job = self.look()
            seconds = min(seconds * _SLOWER, _LONGEST_WAIT) if job.status == before else _FIRST_WAIT
        return job

    def confirm(self) -> BatchJob:
        """Have a job that waits run; one that does no longer wait is left alone."""
        return self._ask_for("Ready", WAITING)

    def cancel(self) -> BatchJob:
        """Have the job end; one that has ended already is left alone."""
        return self._ask_for("Cancelled", ())

    def stop(self) -> None:
        """Make no more calls; the job goes on."""
        self._stopped.set()

    def _ask_for(self, status: str, only_from: Collection[str]) -> BatchJob:
        """Ask for a status, and look again: after a lost answer that tells whether to ask once more."""
        services = self._writing()
        params = {"AccountId": self._account, "JobId": self.job_id, "RequestedJobStatus": status}
        lost: OutcomeUnknownError | None = None
        for _ in range(_MOST_TRIES):
            job = self.look()
            if job.has_ended or (only_from and job.status not in only_from):
                return job
            try:
                self._patiently(
                    lambda: services.call(SERVICE, "UpdateJobStatus", params), lost_is_passing=False
                )
            except OutcomeUnknownError as error:
                lost = error
                if self._pause(_FIRST_WAIT):
                    break
                continue
            except ServiceError as error:
                if error.code != "JobStatusException":  # that of a job that has moved on meanwhile
                    raise
            return self.look()
        raise ObjectMoveError(
            f"The job was asked to be {status}, and no answer came.", next_step="Follow it with --job."
        ) from lost

    def _patiently(self, call: Callable[[], T], *, lost_is_passing: bool = True) -> T:
        """Make a call again, at most ``_MOST_TRIES`` times, where it failed in passing."""
        seconds = _FIRST_WAIT
        for _ in range(_MOST_TRIES - 1):
            try:
                return call()
            except KmsTuiError as error:
                passing = isinstance(error, OutcomeUnknownError) and lost_is_passing
                if not (passing or self._is_passing(error)) or self._pause(seconds):
                    raise
                seconds = min(2 * seconds, _LONGEST_WAIT)
        return call()

    def _is_passing(self, error: KmsTuiError) -> bool:
        if isinstance(error, ServiceError):
            return error.throttled or error.status >= 500 or (self._is_new and error.code in _NOT_YET)
        return isinstance(error, EndpointError)
