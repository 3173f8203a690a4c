"""Who uses the demo's keys, from where, and how often in the last weeks: a table, and who is turned away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kms_tui.demo.demo_account import ACCOUNT_ID, PARTNER_ACCOUNT_ID


@dataclass(frozen=True, slots=True)
class DemoCaller:
    """A role's session, where its calls come from, and whether its IAM policy lets it use keys at all."""

    session: str
    address: str
    agent: str
    account: str = ACCOUNT_ID
    may_use_keys: bool = True

    @property
    def arn(self) -> str:
        return f"arn:aws:sts::{self.account}:assumed-role/{self.session}"


CALLERS: Mapping[str, DemoCaller] = {
    "app": DemoCaller("app/orders-7f9c", "10.20.4.17", "aws-sdk-java/2.31.6"),
    "batch": DemoCaller("batch/nightly", "10.20.9.3", "Boto3/1.42.4 lang/python#3.13"),
    "ci": DemoCaller("ci/release-3811", "10.20.7.60", "aws-cli/2.31.20"),
    "finance": DemoCaller("finance/ledger", "10.20.11.8", "aws-sdk-go-v2/1.39.0"),
    "people-ops": DemoCaller("people-ops/files", "10.20.12.5", "aws-sdk-js/3.890.0"),
    "reporting": DemoCaller(
        "reporting/ad-hoc", "203.0.113.24", "Boto3/1.40.1 lang/python#3.12", may_use_keys=False
    ),
    "importer": DemoCaller(
        "importer/inbound", "198.51.100.40", "aws-sdk-java/2.29.0", PARTNER_ACCOUNT_ID, may_use_keys=False
    ),
}


@dataclass(frozen=True, slots=True)
class Traffic:
    """The same call again and again, the latest ``last`` days ago; ``error`` is the code it is refused with.

    Decrypt opens what was last sealed under the key, with its encryption context.
    """

    caller: str
    operation: str
    last: float
    every: float = 1.0
    times: int = 1
    context: Mapping[str, str] = field(default_factory=dict)
    error: str = ""

    def days(self) -> Iterator[float]:
        for number in range(self.times):
            yield self.last + number * self.every


_ORDERS, _PEOPLE = {"table": "orders"}, {"table": "customers", "column": "address"}

TRAFFIC: Mapping[str, tuple[Traffic, ...]] = {
    "orders-db": (
        Traffic("app", "GenerateDataKey", 1.9, 14, 5, _ORDERS),
        Traffic("app", "Decrypt", 0.3, 2.3, 8),
        Traffic("batch", "Decrypt", 0.45, 7, 4),
    ),
    "customer-pii": (
        Traffic("app", "GenerateDataKey", 5.2, 21, 3, _PEOPLE),
        Traffic("app", "Decrypt", 0.1, 4, 5),
        Traffic("reporting", "Decrypt", 6.07, 0.01, 2, error="AccessDeniedException"),
    ),
    "warehouse": (Traffic("batch", "Encrypt", 8.6, 30, 2, {"export": "weekly"}), Traffic("batch", "Decrypt", 1.6, 7, 3)),
    "ledger": (Traffic("finance", "GenerateDataKey", 1.3, 30, 2), Traffic("finance", "Decrypt", 0.4, 10, 3)),
    "partner-exchange": (
        Traffic("app", "Encrypt", 10.2, 1, 1, {"exchange": "inbound"}),
        Traffic("importer", "Decrypt", 1.2, 4, 2),
    ),
    "chat-archive": (Traffic("batch", "Decrypt", 13.6, 14, 4, error="DisabledException"),),
}  # fmt: skip
"""Alias -> its traffic; what is older than the uses of the account's table leaves those the last."""
