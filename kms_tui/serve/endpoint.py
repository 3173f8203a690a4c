"""The endpoint without its server: a request is admitted, understood, run on a backend, and answered."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

from kms_tui.backend.base import Backend, RecordsTogether
from kms_tui.backend.local.principals.access_keys import AccessKey
from kms_tui.backend.service_model import operations
from kms_tui.kms.errors import KmsTuiError, ReadOnlyError, ServiceError
from kms_tui.serve import aws_json
from kms_tui.serve.admission import Admission
from kms_tui.serve.client_backends import ClientBackends
from kms_tui.serve.http_messages import TEXT, HttpRequest, HttpResponse
from kms_tui.serve.query_protocol import is_query
from kms_tui.serve.query_protocol import refusal as query_refusal
from kms_tui.serve.sts import answer_query

logger = logging.getLogger(__name__)

_UNKNOWN = ("UnknownOperationException", "The X-Amz-Target header names no operation of KMS.")
_NOT_HERE = HttpResponse(404, aws_json.error_body("UnknownOperationException", "KMS is at the path /."))
_NO_METHOD = HttpResponse(
    405,
    aws_json.error_body("UnknownOperationException", "KMS is called by POST."),
    headers=(("allow", "POST"),),
)
_HEALTHY = HttpResponse(200, b"healthy: kms, sts\n", TEXT)
_INTERNAL = HttpResponse(
    500,
    aws_json.error_body(
        "KMSInternalException",
        "The request was rejected because an internal exception occurred. The request can be retried.",
    ),
)


class Task(NamedTuple):
    """A call that an admitted request asks for. Parameters may be plaintext, so they are not in the repr."""

    operation: str
    params: Mapping[str, Any]
    backend: Backend
    request: HttpRequest
    access_key: AccessKey | None = None

    def __repr__(self) -> str:
        return f"Task({self.operation})"


class Endpoint:
    """KMS and STS on a backend. ``accept`` is quick: of KMS it does no I/O, and STS it answers, out of a few
    rows. ``run`` makes the backend's call.

    They answer every failure with an error of the protocol and raise none; several threads may use them.
    """

    def __init__(self, backend: Backend, admit: Admission) -> None:
        self._admit = admit
        self._together = backend.together if isinstance(backend, RecordsTogether) else nullcontext
        self.clients = ClientBackends(backend)
        # Read the service model now, not while the first client waits.
        operations()

    def accept(self, request: HttpRequest) -> Task | HttpResponse:
        """What there is to run for a request, or its answer where there is nothing to run."""
        try:
            if request.path != "/":
                return _NOT_HERE
            if is_query(request):
                return self._sts(request)
            if request.method == "POST":
                return self._kms(request)
            return _HEALTHY if request.method in ("GET", "HEAD") else _NO_METHOD
        except Exception as error:
            return failure(error, "a request", request)

    def run(self, task: Task) -> HttpResponse:
        """Make the call and answer it."""
        try:
            return HttpResponse(
                200, aws_json.serialize(task.operation, task.backend.call(task.operation, task.params))
            )
        except Exception as error:
            return failure(error, task.operation, task.request)

    def run_together(self, tasks: Sequence[Task]) -> list[HttpResponse]:
        """Make calls that take no time, and record them at once; their answers, in their order."""
        try:
            with self._together():
                return [self.run(task) for task in tasks]
        except Exception as error:
            return [failure(error, task.operation, task.request) for task in tasks]

    def _kms(self, request: HttpRequest) -> Task:
        target = request.headers.get("x-amz-target", "")
        operation = target.removeprefix(aws_json.TARGET_PREFIX)
        if operation == target or operation not in operations():
            raise ServiceError(*_UNKNOWN)
        admitted = self._admit(request, "kms")
        backend = self.clients.of(request, admitted)
        params = aws_json.parse(operation, request.body)
        return Task(operation, params, backend, request, admitted.access_key)

    def _sts(self, request: HttpRequest) -> HttpResponse:
        try:
            return answer_query(request, self._admit, self.clients)
        except ServiceError as error:
            return query_refusal(error, request.id)
        except Exception as error:
            failure(error, "a request to STS", request)
            internal = "The request processing has failed because of an unknown error, exception or failure."
            return query_refusal(ServiceError("InternalFailure", internal, status=500), request.id)


def refusal(error: ServiceError) -> HttpResponse:
    """An error of the JSON protocol: HTTP 400, or 500 where the service is at fault.

    SDKs look for its code in the header too, and some of them there first.
    """
    status = 500 if error.code in aws_json.faults() else error.status
    headers = (("x-amzn-errortype", error.code),)
    return HttpResponse(status, aws_json.error_body(error.code, error.message), headers=headers)


def failure(error: Exception, what: str, request: HttpRequest) -> HttpResponse:
    """The answer to an exception: KMSInternalException for one that should not have happened."""
    if isinstance(error, ServiceError):
        return refusal(error)
    if isinstance(error, ReadOnlyError):
        return refusal(ServiceError("AccessDeniedException", str(error)))
    if isinstance(error, KmsTuiError):
        logger.error("%s failed (request %s): %s", what, request.id, error)
    else:
        # Not the exception's own text: it may quote a parameter.
        frames = "".join(traceback.format_tb(error.__traceback__))
        logger.error("%s failed (request %s): %s\n%s", what, request.id, type(error).__name__, frames)
    return _INTERNAL
