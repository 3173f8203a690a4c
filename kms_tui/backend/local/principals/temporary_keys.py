"""Temporary credentials: an access key with a session token, which expires by the store's clock."""

from __future__ import annotations

import secrets
from base64 import b32encode, b64encode
from collections.abc import Mapping
from typing import Any

from kms_tui.backend.local.principals.access_keys import AccessKey
from kms_tui.backend.local.principals.sts_calls import Answer, StsCall
from kms_tui.backend.local.store.sources import to_datetime
from kms_tui.policy.evaluation import ContextValue
from kms_tui.policy.layers import NamedPolicy

_ID_BYTES, _SECRET_BYTES, _TOKEN_BYTES = 10, 30, 270
_SECOND = 1000


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


def credentials(key: AccessKey) -> Answer:
    """The member ``Credentials`` of an answer."""
    found: dict[str, Any] = {
        "AccessKeyId": key.access_key_id,
        "SecretAccessKey": key.secret_access_key,
        "SessionToken": key.session_token,
    }
    return found if key.expires_at is None else {**found, "Expiration": to_datetime(key.expires_at)}
