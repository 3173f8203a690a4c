"""Access keys of the offline KMS: credentials, and the principal that they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kms_tui.policy.evaluation import ContextValue
from kms_tui.policy.layers import NamedPolicy


@dataclass(frozen=True, slots=True)
class AccessKey:
    """``caller_arn`` None is the administrator of the account. ``expires_at``: milliseconds, None for ever.

    ``context``: condition keys that come with every request of it.
    """

    access_key_id: str
    secret_access_key: str = field(repr=False)
    account: str
    caller_arn: str | None = None
    session_token: str = field(default="", repr=False)
    expires_at: int | None = None
    session_policies: tuple[NamedPolicy, ...] = ()
    context: Mapping[str, ContextValue] = field(default_factory=dict)
