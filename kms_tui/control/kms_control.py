"""All that a test orders of one offline KMS: the clock, faults, earlier states, and what was called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kms_tui.backend.local.principals.access_keys import AccessKey
from kms_tui.backend.local.principals.key_table import AccessKeys
from kms_tui.backend.local.store.snapshots import StoreSnapshot
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.backend.service_model import operations
from kms_tui.control.call_journal import CallJournal
from kms_tui.control.clock import ClockState, ControlledClock
from kms_tui.control.fault_rules import FaultRules


@dataclass(frozen=True, slots=True)
class KmsSnapshot:
    """The state of an offline KMS at one moment: its store, its access keys, its clock."""

    content: StoreSnapshot
    access_keys: Mapping[str, AccessKey]
    clock: ClockState


class KmsControl:
    """Controls one store in memory; safe to use from several threads.

    ``begin`` is the state that ``reset`` goes back to: at first that of the opening.
    """

    def __init__(
        self, store: Store, clock: ControlledClock, access_keys: AccessKeys, *, from_anywhere: bool = False
    ) -> None:
        self.from_anywhere = from_anywhere
        """Whether other machines may order something, too, where it is served."""
        self.store = store
        self.clock = clock
        self.access_keys = access_keys
        self.faults = FaultRules(lambda: StoreSnapshot(store), operations())
        self.calls = CallJournal()
        self.begin = self.snapshot()

    def snapshot(self) -> KmsSnapshot:
        return KmsSnapshot(StoreSnapshot(self.store), self.access_keys.copy(), self.clock.state())

    def restore(self, snapshot: KmsSnapshot) -> None:
        """Go back to a state of this KMS. The calls made so far, and faults that are ordered, stay.

        ValueError for a state of another KMS.
        """
        snapshot.content.put_into(self.store)
        self.access_keys.replace(snapshot.access_keys)
        self.clock.restore(snapshot.clock)

    def reset(self) -> None:
        """Go back to the beginning: no faults, and no calls."""
        self.faults.clear()
        self.restore(self.begin)
        self.calls.clear()
