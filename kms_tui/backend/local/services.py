"""The services of the offline account: CloudTrail, which answers from the store's own record of calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kms_tui.backend.local.access import denied_by_identity
from kms_tui.backend.local.authorise import allow_administrator
from kms_tui.backend.local.call import Call
from kms_tui.backend.local.trail import lookup_events
from kms_tui.kms.errors import ServiceError, UnavailableError
from kms_tui.policy import Caller, wildcard
from kms_tui.policy.document import Statement

if TYPE_CHECKING:
    from kms_tui.backend.local.backend import LocalBackend

_TRAIL = "cloudtrail"
_ACTION = "cloudtrail:LookupEvents"


class LocalServices:
    """``kms_tui.backend.base.Services`` of a LocalBackend: its caller, its Region, its store."""

    def __init__(self, backend: LocalBackend) -> None:
        self._backend = backend

    @property
    def region(self) -> str:
        return self._backend.region

    def offers(self, service: str) -> bool:
        return service == _TRAIL

    def in_region(self, region: str) -> LocalServices:
        return LocalServices(self._backend.in_region(region))

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if (service, operation) != (_TRAIL, "LookupEvents"):
            raise UnavailableError(service, operation)
        call = self._backend.begin(operation)
        try:
            _require_permission(call)
            return lookup_events(call, params)
        except ServiceError as error:
            error.operation = operation
            raise


def _require_permission(call: Call) -> None:
    """AccessDeniedException where the caller's IAM policies do not let it look up events.

    The policies of a key know nothing of CloudTrail, and no condition is judged here: a conditional Allow
    gives nothing, a conditional Deny takes it.
    """
    if call.authorise is allow_administrator:
        return
    named = [each for policy in call.iam_policies for each in policy.statements if _is_named(each)]
    if any(not each.is_allow for each in named):
        raise denied_by_identity(call, "", _ACTION, explicitly=True)
    allowed = any(not each.conditions and "*" in [text.value for text in each.resources] for each in named)
    # No policy of the account limits its root user.
    if not allowed and not Caller.parse(call.caller.arn).is_root:
        raise denied_by_identity(call, "", _ACTION)


def _is_named(statement: Statement) -> bool:
    patterns = [wildcard.squeezed(text.value.lower()) for text in statement.actions]
    return any(wildcard.matches(pattern, _ACTION.lower()) for pattern in patterns) != statement.not_action
