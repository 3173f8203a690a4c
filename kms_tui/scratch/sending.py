"""What the ways of making a request share: its input read whole, its call sent, its answer read."""

from __future__ import annotations

from dataclasses import replace

from kms_tui.backend.kms_facade import Kms
from kms_tui.envelope.watch import Watch
from kms_tui.kms.model import Secret
from kms_tui.scratch.calls import ApiCall, call_of
from kms_tui.scratch.check import check_size
from kms_tui.scratch.fields import Field, InputError
from kms_tui.scratch.inputs import Entered, FromFile, read_whole
from kms_tui.scratch.limits import limit_of
from kms_tui.scratch.request import Request
from kms_tui.scratch.results import Result, read_answer


def in_region(kms: Kms, region: str) -> Kms:
    return kms if region == kms.region else kms.in_region(region)


def send(kms: Kms, call: ApiCall) -> Result:
    return read_answer(call.operation, kms.call(call.operation, **call.params))


def whole_input(request: Request) -> Secret | None:
    """The main input, read to its end and judged by the size that it has then."""
    if request.given is None or request.role is None:
        return None
    data = read_whole(request.given, request.role)
    if not len(data):
        raise InputError(Field.INPUT, "The file is empty.")
    limit = limit_of(request.operation, request.described_key, request.settings)
    if limit is not None:
        check_size(request, limit, len(data))
    return data


def with_second_read(request: Request) -> Request:
    """The request with its second input, if that is a file, read."""
    if not isinstance(request.second, FromFile):
        return request
    return replace(request, second=Entered(read_whole(request.second, request.operation.roles[1])))


def direct(request: Request, kms: Kms, _: Watch) -> Result:
    """The request as the one API call that it is."""
    return send(kms, call_of(request, whole_input(request)))
