"""What ``kms-tui drift`` finds, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from kms_tui.drift.state import PlannedLoss, StateResource

SENSITIVE = "(sensitive)"


class DriftKind(StrEnum):
    CHANGED = "changed"
    GONE = "gone"
    PENDING_DELETION = "scheduled for deletion"


class Difference(NamedTuple):
    """An attribute that differs; ``words`` say more of a policy. Values of sensitive ones are not there."""

    attribute: str
    in_state: object
    in_account: object
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drifted:
    """A resource that is not as the state says. ``note`` is the date of a deletion, or ""."""

    resource: StateResource
    kind: DriftKind
    differences: tuple[Difference, ...] = ()
    note: str = ""


class UncomparedResource(NamedTuple):
    address: str
    reason: str


class Loss(NamedTuple):
    """What a plan takes away, and what goes with it: sentences."""

    planned: PlannedLoss
    consequences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DriftReport:
    """``unmanaged`` are keys without a resource (ARN, name); None where they were not looked for.

    ``others`` is the number of managed resources that are none of KMS; None where there are some of KMS.
    """

    is_plan: bool
    resources: int
    drifted: tuple[Drifted, ...]
    not_compared: tuple[UncomparedResource, ...]
    losses: tuple[Loss, ...]
    unmanaged: tuple[tuple[str, str], ...] | None = None
    others: int | None = None

    @property
    def is_clean(self) -> bool:
        """Whether nothing differs and nothing is taken away; keys without a resource are no drift."""
        return not (self.drifted or self.losses)
