"""The setting of the requests that the guard tries: callers, action and network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from kms_tui.policy.actions import PUT_KEY_POLICY, Action
from kms_tui.policy.principals import Caller, PrincipalKind

FRESH_USER, FRESH_ROLE = "user/zz-anyone", "role/zz-anyone"
"""The ends of the ARNs of identities that are nobody in particular: no policy is expected to name them."""
FRESH_SERVICE = Caller.parse("zz-service.amazonaws.com")
"""A service that is none in particular."""

Values = tuple[str, ...] | None
Assignment = Mapping[str, Values]
"""Condition keys in lower case with their values; None: absent."""


class Origin(Enum):
    """The caller's relation to the key's account."""

    OWN = "an identity of the key's account"
    OTHER = "an identity of another account that the policy means"
    STRANGER = "an identity, or a service's customer, that the policy does not mean"


@dataclass(frozen=True, slots=True)
class RequestSetting:
    """The callers, action and network of the requests to try. ``now`` is in seconds since 1970.

    ``callers`` are the identities to choose from; the first ``plain_callers`` of them are unremarkable.
    """

    callers: tuple[Caller, ...]
    origin: Origin
    action: Action
    account_id: str
    """The key's account."""
    key_arn: str
    now: float
    plain_callers: int = 1
    endpoint: bool = False
    any_id: bool = False
    """Whether the caller's unique id may be one that the policy mentions."""

    @property
    def kind(self) -> PrincipalKind:
        return self.callers[0].kind

    @property
    def is_session(self) -> bool:
        return self.kind in (PrincipalKind.ROLE, PrincipalKind.SESSION, PrincipalKind.FEDERATED_USER)

    @property
    def is_direct(self) -> bool:
        """Whether no service makes this request with its own context keys."""
        return self.action.name == PUT_KEY_POLICY

    @property
    def by_service(self) -> bool:
        return self.kind is PrincipalKind.SERVICE

    @property
    def is_stranger(self) -> bool:
        return self.origin is Origin.STRANGER
