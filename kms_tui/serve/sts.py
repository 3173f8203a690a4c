"""STS beside the offline KMS: who calls, and temporary credentials for other principals.

Any other backend has one caller, and only says who it is.
"""

from __future__ import annotations

from kms_tui.backend.base import Backend
from kms_tui.backend.local.local_backend import LocalBackend
from kms_tui.backend.local.principals.sts_calls import StsCall
from kms_tui.backend.local.principals.sts_operations import OPERATIONS
from kms_tui.serve.admission import Admission
from kms_tui.serve.client_backends import ClientBackends
from kms_tui.serve.http_messages import HttpRequest, HttpResponse
from kms_tui.serve.query_protocol import answer, parameters, query_call, require_offered

_IDENTITY = "GetCallerIdentity"
_UNSIGNED = frozenset({"AssumeRoleWithWebIdentity"})
"""The actions that need no signature: whoever has none calls them."""


def answer_query(request: HttpRequest, admit: Admission, clients: ClientBackends) -> HttpResponse:
    """The answer to a form; raises ServiceError, with the codes of either protocol."""
    call = query_call(request)
    admitted = admit.unsigned(request) if call.action in _UNSIGNED else admit(request, "sts")
    keys, backend = admit.access_keys, clients.of(request, admitted)
    if keys is None or not isinstance(backend, LocalBackend):
        require_offered(call, (_IDENTITY,))
        return answer(call.action, _identity(backend), request.id)
    require_offered(call, (_IDENTITY, *OPERATIONS))
    if call.action == _IDENTITY:
        return answer(call.action, _identity(backend), request.id)
    backend.store.notice_changes()
    sts = StsCall(backend.begin(call.action), parameters(call), admitted.access_key, keys)
    return answer(call.action, OPERATIONS[call.action](sts), request.id)


def _identity(backend: Backend) -> dict[str, str]:
    caller = backend.caller()
    return {"Arn": caller.arn, "UserId": caller.user_id, "Account": caller.account}
