"""One call of STS: who calls, what for, and the words in which it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kms_tui.backend.local.authorization.decision import allow_administrator
from kms_tui.backend.local.engine.call import Call
from kms_tui.backend.local.principals.access_keys import AccessKey
from kms_tui.backend.local.principals.key_table import AccessKeys
from kms_tui.kms.errors import ServiceError
from kms_tui.policy.principals import Caller

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StsCall:
    """``call`` is the caller's (who, when, where), ``access_key`` None that of the default caller.

    ``access_keys`` takes what is made. Parameters have the shapes of botocore's model, and may hold tokens.
    """

    call: Call
    params: Mapping[str, Any] = field(repr=False)
    access_key: AccessKey | None
    access_keys: AccessKeys

    @property
    def caller(self) -> Caller:
        return Caller.parse(self.call.caller.arn)

    @property
    def caller_arn(self) -> str | None:
        """The caller as an access key has it: None for the administrator of the account."""
        if self.access_key is not None:
            return self.access_key.caller_arn
        return None if self.call.authorize is allow_administrator else self.call.caller.arn

    @property
    def is_temporary(self) -> bool:
        return self.access_key is not None and self.access_key.expires_at is not None

    def denied(self, action: str, resource: str) -> ServiceError:
        """AccessDenied for an action of the caller on a resource."""
        return access_denied(
            f"User: {self.call.caller.arn} is not authorized to perform: {action} on resource: {resource}"
        )


def access_denied(message: str) -> ServiceError:
    return ServiceError("AccessDenied", message, status=403)


def invalid(message: str) -> ServiceError:
    """ValidationError: a parameter, or parameters that do not go together."""
    return ServiceError("ValidationError", message)
