"""The other accounts of the demo's organization: THE table of their keys, and how they are made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from kms_tui.backend.local import LocalBackend
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.demo.demo_account import REGION, SIGN, SYMMETRIC
from kms_tui.demo.demo_history import TravellingClock

MAIN_NAME = "payments"
"""The name of the demo's own account among others."""


@dataclass(frozen=True, slots=True)
class OtherKey:
    """A key of another account; ``created`` is days ago, ``state`` an operation that changed it since."""

    alias: str
    description: str
    created: int
    region: str = REGION
    spec: str = SYMMETRIC
    usage: str = "ENCRYPT_DECRYPT"
    rotates: bool = True
    state: str = ""


@dataclass(frozen=True, slots=True)
class OtherAccount:
    """An account of the organization; one that is ``suspended`` cannot be opened."""

    id: str
    name: str
    keys: tuple[OtherKey, ...] = ()
    is_suspended: bool = False


OTHER_ACCOUNTS = (
    OtherAccount(
        "222233334444",
        "data-platform",
        (
            OtherKey("lake-raw", "Raw objects of the data lake", 610),
            OtherKey("lake-curated", "Curated tables of the data lake", 605, rotates=False),
            OtherKey("lake-raw", "Raw objects, in the United States", 200, "us-east-1"),
            OtherKey("warehouse", "The old warehouse", 1240, state="DisableKey"),
            OtherKey("events", "Event streams", 95),
        ),
    ),
    OtherAccount(
        "333344445555",
        "security",
        (
            OtherKey("cloudtrail-logs", "Logs of all accounts", 1400),
            OtherKey("audit-evidence", "Evidence for auditors", 420),
            OtherKey("root-ca", "Signs the intermediate CAs", 900, spec="ECC_NIST_P384", usage=SIGN),
            OtherKey("break-glass-2023", "Replaced by hardware tokens", 980, state="ScheduleKeyDeletion"),
        ),
    ),
    OtherAccount("555566667777", "sandbox", is_suspended=True),
)


def make_other_accounts(store: Store, clock: TravellingClock) -> None:
    """Make the keys of the other accounts by real calls, each at its time."""
    for account in OTHER_ACCOUNTS:
        for key in account.keys:
            backend = LocalBackend(store, account_id=account.id, region=key.region)
            for days, operation, params in _calls(key):
                clock.offset = timedelta(days=days)
                if operation == "CreateKey":
                    made = {"KeyId": backend.call(operation, params)["KeyMetadata"]["KeyId"]}
                else:
                    named = {"TargetKeyId": made["KeyId"]} if operation == "CreateAlias" else made
                    backend.call(operation, {**named, **params})


def _calls(key: OtherKey) -> list[tuple[float, str, dict[str, Any]]]:
    """(days ago, operation, parameters beside the key), oldest first."""
    made = {"Description": key.description, "KeySpec": key.spec, "KeyUsage": key.usage}
    calls: list[tuple[float, str, dict[str, Any]]] = [
        (key.created, "CreateKey", made),
        (key.created, "CreateAlias", {"AliasName": f"alias/{key.alias}"}),
    ]
    if key.rotates and key.spec == SYMMETRIC:
        calls.append((key.created, "EnableKeyRotation", {}))
    if key.state:
        calls.append((3, key.state, {"PendingWindowInDays": 30} if key.state.startswith("Schedule") else {}))
    return calls
