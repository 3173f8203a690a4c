"""What keys cost a month, and what deleting them would save."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kms_tui.evidence.prices import PRICES, Prices
from kms_tui.kms.model import Key, KeyState


@dataclass(frozen=True, slots=True)
class MonthlyCost:
    """Dollars a month; ``at_least`` where the number of rotations is not known."""

    dollars: float
    at_least: bool = False
    reason: str = ""

    def __str__(self) -> str:
        return f"{'at least ' if self.at_least else ''}${self.dollars:.2f}"


def monthly_cost(key: Key, rotations: int | None, prices: Prices = PRICES) -> MonthlyCost:
    """The month's price of one key in its region; ``rotations``: how often it was, None where not known."""
    if key.is_aws_managed:
        return MonthlyCost(0.0, reason="AWS-managed keys are free; their use is not")
    if key.state in (KeyState.PENDING_DELETION, KeyState.PENDING_REPLICA_DELETION):
        return MonthlyCost(0.0, reason="free while its deletion is pending")
    charged = min(rotations or 0, prices.charged_rotations)
    dollars = prices.key_month + charged * prices.rotation_month
    rotates = key.spec == "SYMMETRIC_DEFAULT"
    material = f"1 key and {charged} rotation{'s' if charged != 1 else ''}" if charged else "1 key"
    return MonthlyCost(dollars, at_least=rotates and rotations is None, reason=material)


def total(costs: Iterable[MonthlyCost]) -> MonthlyCost:
    """The sum; a lower bound as soon as one of them is."""
    costs = list(costs)
    return MonthlyCost(sum(cost.dollars for cost in costs), at_least=any(cost.at_least for cost in costs))
