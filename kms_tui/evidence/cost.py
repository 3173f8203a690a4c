"""THE price table, and the costs that follow: of keys a month, of calls, and the savings of a deletion."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from kms_tui.backend.wrappers.metering import PricedCall
from kms_tui.kms.keyspecs import KEY_SPECS
from kms_tui.kms.model import Key, KeyOrigin
from kms_tui.kms.operations import Access, Trait, names_with

# Source: the AWS KMS pricing page (aws.amazon.com/kms/pricing), as quoted, and AWS's price list, usage types
# KMS-Keys and KMS-Requests:
#
# - A key of any spec and origin costs the same a month: symmetric, asymmetric, HMAC, imported, in a CloudHSM
#   or external key store (which charges extra), and each primary and replica of a multi-Region key.
# - "The first and second rotation of the key adds $1/month (prorated hourly) in cost. This price increase is
#   capped at the second rotation, and any subsequent rotations will not be billed."
# - AWS-managed keys are free, and so is a customer key while its deletion is scheduled; after a cancellation
#   it is charged "as though it was never scheduled for deletion".
# - Every request costs the same, reads included, except those on asymmetric keys other than RSA_2048
#   ("asymmetric requests except RSA 2048", GetPublicKey among them) and those for data key pairs, priced by
#   the pair. HMAC keys are symmetric here; ML-DSA and ML-KEM keys asymmetric.
# - 20,000 requests a month are free, none of them on asymmetric keys. That is ignored here: the account's
#   applications use them up.

_DATA_KEY_PAIRS = names_with(Trait.MAKES_KEY, Access.USE)


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars; requests by 10,000. ``date`` is the ISO date of the prices."""

    date: str = "2026-11-01"
    key_month: float = 1.00
    rotation_month: float = 1.00
    charged_rotations: int = 2
    requests: float = 0.03
    asymmetric_requests: float = 0.15
    rsa_pair_requests: float = 12.00
    ecc_pair_requests: float = 0.10

    def per_request(self, operation: str, spec: str = "SYMMETRIC_DEFAULT") -> float:
        """The price of one request; ``spec`` is the key's spec, or a data key pair's KeyPairSpec."""
        if operation in _DATA_KEY_PAIRS:
            return (self.rsa_pair_requests if "RSA" in spec else self.ecc_pair_requests) / 10_000
        known = KEY_SPECS.get(spec)
        dear = known is not None and known.is_asymmetric and spec != "RSA_2048"
        return (self.asymmetric_requests if dear else self.requests) / 10_000


PRICES = Prices()


def money(dollars: float) -> str:
    """ "$1,234.00"."""
    return f"${dollars:,.2f}"


@dataclass(frozen=True, slots=True)
class MonthlyCost:
    """Dollars a month, ``at_least`` if the number of rotations is not known; ``reason`` says what for."""

    dollars: float
    at_least: bool = False
    reason: str = ""

    def __str__(self) -> str:
        return f"{'at least ' if self.at_least else ''}{money(self.dollars)}"


def monthly_cost(key: Key, rotations: int | None, prices: Prices = PRICES) -> MonthlyCost:
    """The month's price of one key in its region; ``rotations`` is the number of rotations, None: unknown."""
    if key.is_aws_managed:
        return MonthlyCost(0.0, reason="AWS-managed keys are free; their use is not")
    if key.pending_deletion:
        return MonthlyCost(0.0, reason="free while its deletion is scheduled")
    return cost_if_kept(key, rotations, prices)


def cost_if_kept(key: Key, rotations: int | None, prices: Prices = PRICES) -> MonthlyCost:
    """The month's price of a customer key as if its deletion were not scheduled."""
    charged = min(rotations or 0, prices.charged_rotations)
    reason = "1 key"
    if charged and rotations == charged:
        reason += f" and {charged} rotation{'s' if charged != 1 else ''}"
    elif charged:
        reason += f", {charged} of {rotations} rotations"
    if key.origin == KeyOrigin.AWS_CLOUDHSM:
        reason += "; its CloudHSM cluster is charged apart"
    return MonthlyCost(
        prices.key_month + charged * prices.rotation_month,
        at_least=rotations is None and key.may_have_rotated,
        reason=reason,
    )


def total(costs: Iterable[MonthlyCost]) -> MonthlyCost:
    """The sum; a lower bound if any cost is one."""
    costs = list(costs)
    return MonthlyCost(sum(cost.dollars for cost in costs), at_least=any(cost.at_least for cost in costs))


@dataclass(frozen=True, slots=True)
class PricedKey:
    """The facts that price a key: ``key`` is None until described, ``rotations`` until read."""

    key: Key | None
    rotations: int | None = None


@dataclass(frozen=True, slots=True)
class AccountCost:
    """The cost of all customer keys. ``month`` is a lower bound if any part of it is not known."""

    month: MonthlyCost
    charged: int
    """Keys that cost something."""
    rotations: int
    """Charged rotations, of those known."""
    pending: int
    """Keys that are free because their deletion is scheduled."""
    if_kept: MonthlyCost
    """The cost of those if their deletion were cancelled."""
    unread: int
    """Keys that may have rotated an unknown number of times."""
    unknown: int
    """Keys that are not described: they are in no sum."""


def account_cost(keys: Iterable[PricedKey], prices: Prices = PRICES) -> AccountCost:
    """The sum over customer keys, each replica counted; AWS-managed keys are left out."""
    given = list(keys)
    known = [(each.key, each.rotations) for each in given if each.key is not None]
    ours = [(key, rotations) for key, rotations in known if not key.is_aws_managed]
    pending = [cost_if_kept(key, count, prices) for key, count in ours if key.pending_deletion]
    charged = [(key, count) for key, count in ours if not key.pending_deletion]
    costs = [monthly_cost(key, count, prices) for key, count in charged]
    unknown = len(given) - len(known)
    sum_of = total(costs)
    return AccountCost(
        MonthlyCost(sum_of.dollars, at_least=sum_of.at_least or unknown > 0),
        len(charged),
        sum(min(count or 0, prices.charged_rotations) for _, count in charged),
        len(pending),
        total(pending),
        sum(cost.at_least for cost in costs),
        unknown,
    )


@dataclass(frozen=True, slots=True)
class CallsCost:
    """The price of calls without the free tier; ``unknown`` ones count at the lowest price."""

    calls: int
    dollars: float
    unknown: int = 0
    """Uses of keys whose spec is not known."""

    @property
    def at_least(self) -> bool:
        return self.unknown > 0


def calls_cost(
    calls: Mapping[str, int],
    uses: Mapping[PricedCall, int],
    spec_of: Callable[[str], str],
    prices: Prices = PRICES,
) -> CallsCost:
    """The price of ``calls`` by operation; ``uses`` are those priced by their key.

    ``spec_of`` gives the spec of a key, "" if unknown.
    """
    by_key = sum(uses.values())
    dollars = (sum(calls.values()) - by_key) * prices.per_request("DescribeKey")
    unknown = 0
    for use, count in uses.items():
        spec = use.pair_spec or (spec_of(use.key) if use.key else "SYMMETRIC_DEFAULT")
        unknown += 0 if spec else count
        dollars += count * prices.per_request(use.operation, spec)
    return CallsCost(sum(calls.values()), dollars, unknown)
