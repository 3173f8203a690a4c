"""The layers of a caller: those given at opening, and for the others what the store's account policies say.

What the store says is read as from AWS, by ``kms_tui.backend.account_reading``. A caller, an account or an
endpoint of which the store holds nothing has no policies: so one may call as any principal.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from kms_tui.backend.local.account_policies.account_rows import RowKind
from kms_tui.backend.local.account_policies.account_services import AccountServices
from kms_tui.backend.local.authorization.principal_context import (
    ROW_KINDS,
    Context,
    organization_context,
    stored_context,
)
from kms_tui.backend.local.store.schema import VERIFY
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.backend.local.store.stored_account import StoredAccount
from kms_tui.kms.errors import StoreError
from kms_tui.policy.layers import UNLIMITED, Layers, UnreadLayer
from kms_tui.policy.principals import Caller, PrincipalKind

_OF_CALLER = ("identity", "boundary", "session", "scps", "rcps", "endpoint")
"""The fields of ``Layers`` that are a caller's own, not its key's."""


class _Reading(NamedTuple):
    """What was read in one state of the store: the caller's condition keys; a key's account -> layers, and
    the condition keys of its organization.
    """

    state: int
    context: Context
    layers: dict[str, Layers]
    organizations: dict[str, Context]


class CallerLayers:
    """The layers of one caller at any moment; safe to use from several threads.

    A layer that is unread in ``given`` is the store's; ``endpoint`` is the id of the VPC endpoint that the
    caller comes through, or "".
    """

    def __init__(self, store: Store, caller: Caller, given: Layers, endpoint: str) -> None:
        self._stored = StoredAccount(store)
        self._caller = caller
        self._given = given
        self._endpoint = endpoint
        self._open = [name for name in _OF_CALLER if isinstance(getattr(given, name), UnreadLayer)]
        self._without = self._completed({})
        self._reading: _Reading | None = None

    def of_keys_in(self, account: str) -> Layers:
        """The layers for the keys of an account, whose RCPs they hold; the keys' own are unread.

        Raises StoreError for account policies that cannot be read.
        """
        reading = self._present() if self._open else None
        if reading is None:
            return self._without
        if account not in reading.layers:
            reading.layers[account] = self._from_store(account, reading.state)
        return reading.layers[account]

    def context(self) -> Context:
        """The condition keys of the caller that the store tells of (``stored_context``)."""
        reading = self._present()
        return {} if reading is None else reading.context

    def organization_of(self, account: str) -> Context:
        """The condition keys that tell the organization of a key's account."""
        reading = self._present()
        if reading is None:
            return {}
        if account not in reading.organizations:
            reading.organizations[account] = organization_context(self._stored, "resource", account)
        return reading.organizations[account]

    def _present(self) -> _Reading | None:
        """What was read of the store as it is now; None where it holds no account policies."""
        state = self._stored.state()
        if state is None:
            return None
        reading = self._reading
        if reading is None or reading.state != state:
            self._reading = reading = _Reading(state, stored_context(self._stored, self._caller), {}, {})
        return reading

    def _from_store(self, key_account: str, state: int) -> Layers:
        """What the store says, all of it in one state: another process may replace it meanwhile."""
        while True:
            found = self._stored_layers(key_account)
            present = self._stored.state_now()
            if present == state:
                self._require_read(found)
                return self._completed(found)
            if present is None:
                return self._without
            state = present

    def _stored_layers(self, key_account: str) -> dict[str, Any]:
        """Field of ``Layers`` -> what the store holds for it, where it holds something."""
        from kms_tui.backend.account_reading.account_reader import UNBOUNDED, AccountReader  # rarely needed

        caller, rows = self._caller, self._stored
        reader = AccountReader(
            AccountServices(rows, caller.account, ""), caller.account, lambda: True, UNBOUNDED
        )
        found: dict[str, Any] = {}
        kind = ROW_KINDS.get(caller.kind)
        if kind is not None and rows.find(kind, caller.account, caller.name) is not None:
            found |= {"identity": reader.identity(caller), "boundary": reader.boundary(caller)}
        if rows.find(RowKind.TARGET, "", caller.account) is not None:
            found["scps"] = reader.scps(caller)
        if rows.find(RowKind.TARGET, "", key_account) is not None:
            found["rcps"] = reader.rcps(key_account)
        if rows.find(RowKind.ENDPOINT, "", self._endpoint) is not None:
            found["endpoint"] = reader.endpoint([self._endpoint])
        return found

    def _require_read(self, found: dict[str, Any]) -> None:
        """StoreError for a layer that the store holds and that cannot be read, as in a damaged store."""
        for layer in found.values():
            if isinstance(layer, UnreadLayer):
                what = f"The account policies of {self._caller.arn} in the store"
                raise StoreError(f"{what} cannot be read: {layer.reason}.", next_step=VERIFY)

    def _completed(self, stored: dict[str, Any]) -> Layers:
        """The given layers, those of the store for the open ones, and none where neither has any.

        A federated user has no more than the policy of its session: here its IAM policies, where no other is
        given.
        """
        found = {name: stored.get(name, getattr(UNLIMITED, name)) for name in self._open}
        layers = replace(self._given, **found)
        if self._caller.kind is PrincipalKind.FEDERATED_USER and not layers.session:
            return replace(layers, session=layers.identity)
        return layers
