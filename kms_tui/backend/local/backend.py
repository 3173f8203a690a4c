"""LocalBackend: one call is checked, found, run and recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any

from kms_tui.backend.base import Services
from kms_tui.backend.local import (
    agreement,
    aliases,
    datakeys,
    encryption,
    grants,
    importing,
    keys,
    keystores,
    lastuse,
    macs,
    multiregion,
    policies,
    randomness,
    reencrypt,
    rotation,
    signing,
    tags,
)
from kms_tui.backend.local.access import ADMINISTRATOR_POLICY
from kms_tui.backend.local.authorise import allow_administrator, decide
from kms_tui.backend.local.authorise_caller import identity_of
from kms_tui.backend.local.call import Call, JsonShape, Origin, Scope
from kms_tui.backend.local.clock import to_datetime
from kms_tui.backend.local.keyring import Keyring
from kms_tui.backend.local.lapse import catch_up
from kms_tui.backend.local.rows import key_by_id, policies_of
from kms_tui.backend.local.services import LocalServices
from kms_tui.backend.local.store import Store
from kms_tui.backend.local.validation import check, operations
from kms_tui.kms.arn import key_id_of
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.model import CallerIdentity, PolicyVersion
from kms_tui.policy import Document

OPERATIONS: Mapping[str, Callable[[Call], JsonShape]] = {
    **keys.OPERATIONS,
    **aliases.OPERATIONS,
    **policies.OPERATIONS,
    **tags.OPERATIONS,
    **rotation.OPERATIONS,
    **encryption.OPERATIONS,
    **reencrypt.OPERATIONS,
    **datakeys.OPERATIONS,
    **signing.OPERATIONS,
    **macs.OPERATIONS,
    **agreement.OPERATIONS,
    **randomness.OPERATIONS,
    **multiregion.OPERATIONS,
    **lastuse.OPERATIONS,
    **grants.OPERATIONS,
    **importing.OPERATIONS,
    **keystores.OPERATIONS,
}
"""THE table: API operation -> what does it."""


class LocalBackend:
    """One region of one account's offline KMS; implements ``kms_tui.backend.base.Backend``.

    ``caller_arn`` is who calls, with ``iam_policies``; its account, not ``account_id``, is then the one that
    key ids and lists mean. Without it the account's administrator calls, whom no policy refuses. Safe to
    use from several threads, and from several processes on one store.
    """

    def __init__(
        self,
        store: Store,
        *,
        account_id: str,
        region: str,
        partition: str = "aws",
        caller_arn: str | None = None,
        iam_policies: Sequence[Document] = (),
        origin: Origin | None = None,
    ) -> None:
        self.store = store
        self._origin = origin or Origin()
        self._caller = identity_of(partition, account_id, caller_arn)
        self._scope = Scope(partition, region, self._caller.account)
        self._authorise = decide if caller_arn else allow_administrator
        self._iam_policies = iam_policies if caller_arn else (ADMINISTRATOR_POLICY,)
        self._keyring = Keyring(store)

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
        return self._caller

    def in_region(self, region: str) -> LocalBackend:
        other = copy(self)
        other._scope = Scope(self.partition, region, self.account_id)
        return other

    def called_from(self, address: str, agent: str) -> LocalBackend:
        other = copy(self)
        other._origin = Origin(address, agent)
        return other

    @property
    def services(self) -> Services:
        """CloudTrail alone, out of the store's own record of calls."""
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
        """A call of this caller, now and here, that nothing has been done for yet."""
        return Call(
            operation,
            {},
            self._scope,
            self._caller,
            self.store,
            self._keyring,
            self._authorise,
            self._iam_policies,
            self.store.now(),
            self._origin,
        )

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
        call = self.begin(operation)
        try:
            call.params = check(operation, params)
            if catch_up(self.store, call.now):
                self._keyring.forget()
            answer = run(call)
        except ServiceError as error:
            error.operation = operation
            call.record(error)
            raise
        call.record()
        return answer
