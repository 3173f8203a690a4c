"""Reads the layers of policies behind a request: those of the key from KMS, the others from its account.

Each denied or failed call leaves its layer unread.

Source: the IAM user guide (reference_policies_evaluation-logic).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, TypeVar

from kms_tui.backend.account_reading.account_reader import AccountReader, has_identity_policies
from kms_tui.backend.base import Services
from kms_tui.backend.kms_facade import Kms
from kms_tui.evidence.activity import KeepGoing, always
from kms_tui.kms.arn import key_account
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.kms.model import Grant, Key
from kms_tui.policy.actions import find
from kms_tui.policy.evaluation import AccessRequest
from kms_tui.policy.layers import UNLIMITED, Layer, Layers, NamedPolicy, Policies, UnreadLayer, read_policy
from kms_tui.policy.principals import Caller, PrincipalKind

SOURCE_VPCE = "aws:sourcevpce"
_SSO_ROLE = "AWSReservedSSO_"
_FROM_INSTANCE = "i-"
_SESSION_HIDDEN = UnreadLayer(
    "AWS tells nobody which policies were passed when the session began: give one as a file "
    "(--session-policy), or say that there is none (--no-session-policy)"
)
_OFFLINE = UnreadLayer(
    "this offline KMS holds no account policies: put them into the store (kms-tui store policies set), or "
    "give a file (--iam-policy)"
)
Read = TypeVar("Read")


class ReadLayers(NamedTuple):
    """The layers of a request, and what else was read of its key and its caller."""

    layers: Layers
    key: Key | None
    """As DescribeKey answers it; None where that was not answered."""
    role_arn: str | None
    """Of a session, the ARN of its role with the path, as GetRole answers it; None where it is not known."""


def read_layers(
    kms: Kms, services: Services | None, request: AccessRequest, keep_going: KeepGoing = always
) -> ReadLayers:
    """The layers of a request, as far as this connection may read them. It blocks and raises nothing for a
    layer that cannot be read.

    ``request.key_arn`` is a key's ARN; the endpoint is that of ``aws:SourceVpce`` in the context. Without
    that key the request is taken as one that comes through no endpoint.
    """
    of_key = _KeyReader(kms, request, keep_going)
    reader = AccountReader(_in_region(services, of_key.region), kms.account_id, keep_going)
    caller, endpoints = request.caller, request.known.get(SOURCE_VPCE) or ()
    own = kms.caller_layers(key_account(request.key_arn))
    role_arn = None
    if own is not None and kms.caller().arn == caller.arn:
        limits = own
        if endpoints and own.endpoint is None and _offers_iam(services):
            limits = replace(own, endpoint=reader.endpoint(endpoints))
        role_arn = reader.role_arn(caller)
    elif own is not None and not _offers_iam(services):
        limits = replace(UNLIMITED, identity=_OFFLINE if has_identity_policies(caller) else ())
    else:
        limits = Layers(
            identity=reader.identity(caller),
            boundary=reader.boundary(caller),
            session=() if own is not None else session_of(caller),
            scps=reader.scps(caller),
            rcps=reader.rcps(key_account(request.key_arn) or caller.account),
            endpoint=reader.endpoint(endpoints),
        )
        role_arn = reader.role_arn(caller)
    key = of_key.key()
    layers = replace(
        limits,
        key_policy=of_key.key_policy(),
        grants=of_key.grants(),
        aws_managed=key is not None and key.is_aws_managed,
    )
    return ReadLayers(layers, key, role_arn)


def read_identity(
    kms: Kms, services: Services | None, caller: Caller, keep_going: KeepGoing = always
) -> Policies | UnreadLayer:
    """A caller's IAM policies alone, as ``read_layers`` reads them."""
    if kms.caller_layers() is not None and not _offers_iam(services):
        return _OFFLINE
    return AccountReader(services, kms.account_id, keep_going).identity(caller)


def _offers_iam(services: Services | None) -> bool:
    return services is not None and services.offers("iam")


def _in_region(services: Services | None, region: str) -> Services | None:
    return services if services is None or services.region == region else services.in_region(region)


def session_of(caller: Caller) -> Policies | UnreadLayer:
    """The session policies of a caller; known to be none where it can have none.

    A role's ARN means its sessions in general, without a policy of their own.
    """
    if caller.kind is PrincipalKind.FEDERATED_USER:
        return _SESSION_HIDDEN
    if caller.kind is not PrincipalKind.SESSION:
        return ()
    known_none = caller.name.startswith(_SSO_ROLE) or caller.session.startswith(_FROM_INSTANCE)
    return () if known_none else _SESSION_HIDDEN


class _KeyReader:
    """Reads the layers of the key that a request is about."""

    def __init__(self, kms: Kms, request: AccessRequest, keep_going: KeepGoing) -> None:
        self._request = request
        self._own_account = kms.account_id
        self._keep_going = keep_going
        self._key_account, self._kms = key_account(request.key_arn), kms.in_region_of(request.key_arn)

    @property
    def region(self) -> str:
        """The Region of the key."""
        return self._kms.region

    def key_policy(self) -> NamedPolicy | UnreadLayer | None:
        if self._is_about_no_key():
            return None
        return self._of_key("GetKeyPolicy", self._read_key_policy)

    def _read_key_policy(self) -> NamedPolicy:
        return read_policy(Layer.KEY_POLICY, "key policy", self._kms.key_policy(self._request.key_arn))

    def grants(self) -> tuple[Grant, ...] | UnreadLayer:
        if self._is_about_no_key():
            return ()
        return self._of_key("ListGrants", lambda: tuple(self._kms.grants(self._request.key_arn)))

    def key(self) -> Key | None:
        if self._is_about_no_key() or not self._keep_going():
            return None
        try:
            return self._kms.describe(self._request.key_arn)
        except KmsTuiError:
            return None

    def _is_about_no_key(self) -> bool:
        action = find(self._request.action)
        return action is not None and action.iam_only

    def _of_key(self, operation: str, read: Callable[[], Read]) -> Read | UnreadLayer:
        if not self._keep_going():
            return UnreadLayer("the reading was stopped")
        if self._key_account and self._own_account and self._key_account != self._own_account:
            return UnreadLayer(
                f"the key is of account {self._key_account}, and kms {operation} answers only that account"
            )
        try:
            return read()
        except KmsTuiError as error:
            if isinstance(error, ServiceError) and error.denied:
                return UnreadLayer(f"kms {operation} was denied")
            return UnreadLayer(f"kms {operation} failed: {str(error).rstrip('.')}")
