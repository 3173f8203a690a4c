"""One call of STS: who calls, what for, in which words it is refused, and the credentials that it makes."""

from __future__ import annotations

import secrets
from base64 import b32encode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kms_tui.backend.local.authorization.decision import allow_administrator
from kms_tui.backend.local.engine.call import Call, JsonShape
from kms_tui.backend.local.principals.access_keys import AccessKey
from kms_tui.backend.local.principals.key_table import AccessKeys
from kms_tui.backend.local.store.sources import to_datetime
from kms_tui.kms.errors import ServiceError
from kms_tui.policy.evaluation import ContextValue
from kms_tui.policy.layers import NamedPolicy
from kms_tui.policy.principals import Caller

_ID_BYTES, _SECRET_BYTES, _TOKEN_BYTES = 10, 30, 270
_SECOND = 1000


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


def temporary_key(
    sts: StsCall,
    account: str,
    caller_arn: str | None,
    seconds: int,
    *,
    policies: tuple[NamedPolicy, ...] = (),
    context: Mapping[str, ContextValue],
) -> AccessKey:
    """A new access key that is known from now on for some seconds."""
    begun = sts.call.now // _SECOND * _SECOND
    issued = to_datetime(begun).strftime("%Y-%m-%dT%H:%M:%SZ")
    key = AccessKey(
        "ASIA" + b32encode(secrets.token_bytes(_ID_BYTES)).decode("ascii"),
        b64encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii"),
        account,
        caller_arn,
        session_token=b64encode(secrets.token_bytes(_TOKEN_BYTES)).decode("ascii"),
        expires_at=begun + seconds * _SECOND,
        session_policies=policies,
        context={**context, "aws:TokenIssueTime": issued},
    )
    sts.access_keys.add(key)
    return key


def credentials(key: AccessKey) -> JsonShape:
    """The member ``Credentials`` of an answer."""
    found: dict[str, Any] = {
        "AccessKeyId": key.access_key_id,
        "SecretAccessKey": key.secret_access_key,
        "SessionToken": key.session_token,
    }
    return found if key.expires_at is None else {**found, "Expiration": to_datetime(key.expires_at)}
