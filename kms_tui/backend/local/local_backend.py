"""LocalBackend: one call is checked, found, run and recorded. Beside it, CloudTrail over its own record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from copy import copy
from dataclasses import replace
from datetime import datetime
from typing import Any, Self, TypeVar

from kms_tui.backend.base import EventGroup, Services
from kms_tui.backend.local.account_policies.account_services import AccountServices
from kms_tui.backend.local.attestation.attestations import NO_TRUST, AttestationTrust
from kms_tui.backend.local.authorization.caller_layers import CallerLayers
from kms_tui.backend.local.authorization.callers import identity_known_in, identity_of
from kms_tui.backend.local.authorization.decision import (
    ADMINISTRATOR_POLICY,
    allow_administrator,
    decide,
    denied_by,
)
from kms_tui.backend.local.authorization.principal_context import VIA_SERVICE, origin_of, service_context
from kms_tui.backend.local.cloudtrail import event_groups, lookup_events
from kms_tui.backend.local.crypto import data_keys, encryption, key_agreement, signatures
from kms_tui.backend.local.engine.call import Call, CallOrigin, CallScope, ContextValues, JsonShape
from kms_tui.backend.local.engine.request_validation import check_request
from kms_tui.backend.local.importing import import_operations
from kms_tui.backend.local.key_stores import key_store_operations
from kms_tui.backend.local.keys import (
    aliases_and_tags,
    grant_operations,
    key_operations,
    key_policies,
    key_replication,
    key_rotation,
)
from kms_tui.backend.local.keys.due_transitions import apply_due_transitions
from kms_tui.backend.local.principals.access_keys import AccessKey
from kms_tui.backend.local.store.key_rows import key_by_id, policies_of
from kms_tui.backend.local.store.sources import to_datetime
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.backend.local.store.stored_account import StoredAccount
from kms_tui.backend.local.store.stored_material import Keyring
from kms_tui.backend.service_model import operations
from kms_tui.kms.arn import arn_partition, key_id_of, partition_of
from kms_tui.kms.errors import ServiceError, UnavailableError
from kms_tui.kms.model import CallerIdentity, PolicyVersion
from kms_tui.policy import Caller, Document, wildcard
from kms_tui.policy.actions import lowered
from kms_tui.policy.document import Statement
from kms_tui.policy.evaluation import ContextValue
from kms_tui.policy.layer_matches import SOURCE_VPCE
from kms_tui.policy.layers import UNLIMITED, UNREAD, Layer, Layers, NamedPolicy

_TRAIL = "cloudtrail"
_LOOKUP = "LookupEvents"
_ACTION = f"cloudtrail:{_LOOKUP}"
T = TypeVar("T")
ENDPOINT_ID = "vpce-0123456789abcdef0"
"""The VPC endpoint that calls come through where its policy is given."""


OPERATIONS: Mapping[str, Callable[[Call], JsonShape]] = {
    **key_operations.OPERATIONS,
    **aliases_and_tags.OPERATIONS,
    **key_policies.OPERATIONS,
    **key_rotation.OPERATIONS,
    **encryption.OPERATIONS,
    **data_keys.OPERATIONS,
    **signatures.OPERATIONS,
    **key_agreement.OPERATIONS,
    **key_replication.OPERATIONS,
    **grant_operations.OPERATIONS,
    **import_operations.OPERATIONS,
    **key_store_operations.OPERATIONS,
}
"""THE table: API operation -> what does it."""


class LocalBackend:
    """One region of one account's offline KMS; implements ``kms_tui.backend.base.Backend``.

    ``caller_arn`` is who calls, with ``iam_policies`` and within ``limits``; its account, not ``account_id``,
    is then the one that key ids and lists mean. A layer that is unread in ``limits`` is what the store's
    account policies say. ``endpoint`` is the VPC endpoint that it comes through, ``context`` are condition
    keys that come with it. Without a caller the account's administrator calls, whom no policy refuses. The
    Region decides the partition. ``attestation_trust`` says which attestation documents are believed. Safe to
    use from several threads, and from several processes on one store.
    """

    def __init__(
        self,
        store: Store,
        *,
        account_id: str,
        region: str,
        caller_arn: str | None = None,
        iam_policies: Sequence[Document] = (),
        limits: Layers = UNREAD,
        endpoint: str = "",
        context: Mapping[str, ContextValue] | None = None,
        origin: CallOrigin | None = None,
        attestation_trust: AttestationTrust = NO_TRUST,
    ) -> None:
        self.store = store
        self._origin = origin or CallOrigin()
        self._limits = _with_identity(limits, iam_policies)
        self._endpoint = endpoint
        self._attestation_trust = attestation_trust
        partition = arn_partition(region)
        self._caller_arn = caller_arn
        self._caller = identity_of(partition, account_id, caller_arn)
        self._scope = CallScope(partition, region, self._caller.account)
        self._keyring = Keyring(store)
        self._call_as(caller_arn, self._limits, context or {})

    def _call_as(self, arn: str | None, limits: Layers, context: Mapping[str, ContextValue]) -> None:
        """Judge all calls as those of ``_caller``, whose ``arn`` is None for the account's administrator."""
        endpoint = self._endpoint
        limited = bool(arn) or bool(limits.policies(Layer.SESSION))
        self._authorize = decide if limited else allow_administrator
        if not arn:
            administrator = replace(UNLIMITED, session=limits.policies(Layer.SESSION))
            limits, endpoint = _with_identity(administrator, (ADMINISTRATOR_POLICY,)), ""
        elif isinstance(limits.endpoint, NamedPolicy):
            endpoint = endpoint or ENDPOINT_ID  # a caller with an endpoint policy comes through the endpoint
        self._layers = CallerLayers(self.store, Caller.parse(self._caller.arn), limits, endpoint)
        came_through: dict[str, ContextValue] = {SOURCE_VPCE: endpoint} if endpoint else {}
        own = {lowered(key): value for key, value in context.items()}
        # The keys of STS (sts:TransitiveTagKeys) are of its own requests only.
        self._given_context = came_through | {
            key: value for key, value in own.items() if not key.startswith("sts:")
        }
        self._go_to(self.region)

    def _go_to(self, region: str) -> None:
        self._scope = CallScope(self.partition, region, self.account_id)
        self._context = service_context(self._given_context, region, self.partition) | {
            key: value for key, value in self._given_context.items() if key != VIA_SERVICE
        }

    @property
    def account_id(self) -> str:
        return self._scope.account

    @property
    def region(self) -> str:
        return self._scope.region

    @property
    def partition(self) -> str:
        return self._scope.partition

    def caller(self) -> CallerIdentity:
        """Who calls; its unique id is the one that the account policies tell, if they do."""
        self.store.notice_changes()
        known = self._layers.context().get("aws:userid")
        return self._caller._replace(user_id=known) if isinstance(known, str) else self._caller

    def in_region(self, region: str) -> Self:
        """The same caller in another Region, where another partition has an administrator of its own.

        UnrecognizedClientException for a user or role, which another partition does not know.
        """
        other = copy(self)
        partition = partition_of(region) or self.partition
        if partition != self.partition:
            other._caller = identity_known_in(partition, self.account_id, self._caller_arn)
            other._scope = CallScope(partition, region, self.account_id)
        other._go_to(region)
        return other

    def in_account(self, account_id: str) -> Self:
        """The administrator of another account of the store, in the same Region."""
        other = copy(self)
        other._caller_arn = None
        other._caller = identity_of(self.partition, account_id, None)
        other._scope = CallScope(self.partition, self.region, account_id)
        other._call_as(None, UNREAD, {})
        return other

    def called_by(self, key: AccessKey, region: str | None = None) -> Self:
        """The same for the principal that an access key stands for: its account, its policies, its session.

        The caller's own key keeps the layers that were given for the caller; any other's are the store's.
        UnrecognizedClientException for a principal that the partition of the Region (None: this one) does
        not know.
        """
        other = copy(self)
        other._caller_arn = key.caller_arn
        partition = partition_of(region or self.region) or self.partition
        other._caller = identity_known_in(partition, key.account, key.caller_arn)
        other._scope = CallScope(partition, region or self.region, other._caller.account)
        own = key.caller_arn is not None and other._caller == self._caller
        limits = self._limits if own else UNREAD
        if key.session_policies:
            limits = replace(limits, session=(*limits.policies(Layer.SESSION), *key.session_policies))
        other._call_as(key.caller_arn, limits, key.context)
        return other

    def called_from(self, address: str, agent: str) -> Self:
        other = copy(self)
        other._origin = CallOrigin(address, agent, remote=True)
        return other

    def on_store(self, store: Store) -> LocalBackend:
        """The same caller on another store, which has the root key of this one."""
        other = copy(self)
        other.store = store
        other._keyring = Keyring(store)
        return other

    def together(self) -> AbstractContextManager[None]:
        return self.store.together()

    def caller_layers(self, key_account: str) -> Layers:
        self.store.notice_changes()
        return self._layers.of_keys_in(key_account or self.account_id)

    @property
    def services(self) -> Services:
        """CloudTrail, out of the store's own record of calls, and what its account policies tell."""
        return LocalServices(self)

    def policy_versions(self, key: str) -> list[PolicyVersion]:
        """Every policy that the key has had, newest first; whoever may read the policy may read them.

        Raises as GetKeyPolicy does.
        """
        self.call("GetKeyPolicy", {"KeyId": key})
        row = key_by_id(self.store, self.account_id, self.region, key_id_of(key))
        found = policies_of(self.store, row) if row is not None else []
        return [PolicyVersion(text, to_datetime(put_at), put_by) for text, put_at, put_by in found]

    def begin(self, operation: str) -> Call:
        """A new call of this caller, at the present time, in this Region."""
        caller = self._caller
        return Call(
            operation,
            {},
            self._scope,
            caller,
            self.store,
            self._keyring,
            self._authorize,
            self._layers.of_keys_in,
            self.store.now(),
            origin_of(self._origin, caller, self._context),
            self._read_context,
            organization_of=self._layers.organization_of,
            attestation_trust=self._attestation_trust,
        )

    def _read_context(self) -> ContextValues:
        return self._layers.context() | self._context

    def call(self, operation: str, params: Mapping[str, Any]) -> JsonShape:
        """Make one API call; raises ServiceError as KMS would answer it, StoreError where the store fails."""
        run = OPERATIONS.get(operation)
        if run is None:
            known = operation in operations()
            raise ServiceError(
                "UnsupportedOperationException" if known else "UnknownOperationException",
                f"{operation} is not offered by this KMS.",
                operation=operation,
            )
        self.store.notice_changes()
        call = self.begin(operation)
        try:
            call.params = check_request(operation, params)
            if apply_due_transitions(self.store, call.now):
                self._keyring.forget()
            answer = run(call)
        except ServiceError as error:
            error.operation = operation
            call.record(error)
            raise
        call.record()
        return answer


def _with_identity(limits: Layers, policies: Sequence[Document]) -> Layers:
    """The layers with further IAM policies."""
    if not policies:
        return limits
    named = tuple(NamedPolicy("IAM policy", document) for document in policies)
    return replace(limits, identity=(*limits.policies(Layer.IDENTITY), *named))


class LocalServices:
    """``kms_tui.backend.base.Services`` of a LocalBackend: its caller, its Region, its store.

    IAM, Organizations and VPC endpoints are offered where the store holds account policies; whoever opens the
    store may read them.
    """

    def __init__(self, backend: LocalBackend) -> None:
        self._backend = backend
        self._stored = StoredAccount(backend.store)
        self._account = AccountServices(self._stored, backend.account_id, backend.region)

    @property
    def region(self) -> str:
        return self._backend.region

    def offers(self, service: str) -> bool:
        if service == _TRAIL:
            return True
        self._backend.store.notice_changes()
        return self._account.offers(service) and self._stored.state() is not None

    def in_region(self, region: str) -> LocalServices:
        return LocalServices(self._backend.in_region(region))

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if (service, operation) != (_TRAIL, _LOOKUP):
            if not self.offers(service):
                raise UnavailableError(service, operation)
            return self._account.call(service, operation, params)
        return self._looking_up(lambda call: lookup_events(call, params))

    def event_groups(self, key_arn: str, since: datetime, until: datetime) -> Sequence[EventGroup]:
        """LookupEvents without its pages: the store groups its record of calls."""
        return self._looking_up(lambda call: event_groups(call, key_arn, since, until))

    def _looking_up(self, read: Callable[[Call], T]) -> T:
        """What a call of LookupEvents reads; ServiceError where the caller may not."""
        call = self._backend.begin(_LOOKUP)
        try:
            _require_permission(call)
            return read(call)
        except ServiceError as error:
            error.operation = _LOOKUP
            raise


def _require_permission(call: Call) -> None:
    """AccessDeniedException where the caller's IAM policies do not let it look up events.

    Key policies do not apply to CloudTrail. Conditions are not judged: a conditional Allow does not count, a
    conditional Deny does.
    """
    if call.authorize is allow_administrator:
        return
    policies = [policy.document for policy in call.layers_for(call.scope.account).policies(Layer.IDENTITY)]
    named = [each for policy in policies for each in policy.statements if _is_named(each)]
    if any(not each.is_allow for each in named):
        raise denied_by(call, Layer.IDENTITY, _ACTION, "", explicitly=True)
    allowed = any(not each.conditions and "*" in [text.value for text in each.resources] for each in named)
    # No policy of the account limits its root user.
    if not allowed and not Caller.parse(call.caller.arn).is_root:
        raise denied_by(call, Layer.IDENTITY, _ACTION, "")


def _is_named(statement: Statement) -> bool:
    patterns = [wildcard.squeezed(text.value.lower()) for text in statement.actions]
    return any(wildcard.matches(pattern, _ACTION.lower()) for pattern in patterns) != statement.not_action
