"""Fact files for tests, in few words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from kms_tui.fact_files.changes import KeyChange
from kms_tui.fact_files.fact_comparison import FactChanges, compared
from kms_tui.fact_files.fact_file import FactFile, KeyFacts, ListedRegion
from kms_tui.kms.arn import AccountRegion
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.kms.facts import NOT_APPLICABLE, Denied, Failed, Known
from kms_tui.kms.model import Grant, Key, KeyRotationStatus, MultiRegion, Tag
from kms_tui.policy import default_policy

ACCOUNT = "111122223333"
REGION = "eu-west-1"
THEN, NOW = datetime(2026, 11, 1, 10, tzinfo=UTC), datetime(2026, 11, 30, 9, tzinfo=UTC)
DENIED = Denied(ServiceError("AccessDeniedException", "not allowed: ever"))
FAILED = Failed(KmsTuiError("kms went away."))
APP = f"arn:aws:iam::{ACCOUNT}:role/app"


def arn(number: int, region: str = REGION, account: str = ACCOUNT) -> str:
    return f"arn:aws:kms:{region}:{account}:key/{number:08x}-12ab-34cd-56ef-1234567890ab"


def described(number: int = 1, **members: Any) -> Key:
    key = Key(
        key_id=arn(number).rpartition("/")[2],
        arn=arn(number),
        account_id=ACCOUNT,
        manager="CUSTOMER",
        state="Enabled",
        spec="SYMMETRIC_DEFAULT",
        usage="ENCRYPT_DECRYPT",
        origin="AWS_KMS",
        enabled=True,
        created=datetime(2025, 1, 2, 3, 4, 5, 678000, UTC),
        current_key_material_id="m1",
        algorithms=("SYMMETRIC_DEFAULT",),
    )
    return replace(key, **members)


def grant(number: int = 1, **members: Any) -> Grant:
    each = Grant(f"g{number}", arn(1), APP, ("Decrypt",), issuing_account=f"arn:aws:iam::{ACCOUNT}:root")
    return replace(each, **members)


def key(number: int = 1, *aliases: str, **facts: Any) -> KeyFacts:
    """A key all of whose facts are known; others than the usual ones are given as facts or as values."""
    usual: dict[str, Any] = {
        "aliases": tuple(f"alias/{alias}" for alias in sorted(aliases)),
        "described": described(number),
        "rotation": KeyRotationStatus(True, 365, datetime(2027, 1, 2, tzinfo=UTC)),
        "tags": (Tag("team", "shop"),),
        "policy": default_policy(ACCOUNT, "aws"),
        "grants": (),
    }
    states = (Known, Denied, Failed, type(NOT_APPLICABLE))
    found = {
        name: value if isinstance(value, states) else Known(value) for name, value in (usual | facts).items()
    }
    return KeyFacts(arn(number), **found)


def listed(region: str = REGION, account: str = ACCOUNT, **facts: Any) -> ListedRegion:
    place = AccountRegion(account, region)
    return ListedRegion(place, facts.get("keys", Known(1)), facts.get("aliases", Known(1)))


def file(*keys: KeyFacts, regions: tuple[ListedRegion, ...] = (), time: datetime = THEN) -> FactFile:
    return FactFile(time, APP, regions or (listed(),), tuple(sorted(keys, key=lambda each: each.arn)))


def changes(old: KeyFacts, new: KeyFacts) -> FactChanges:
    return compared(file(old), file(new, time=NOW))


def change(old: KeyFacts, new: KeyFacts) -> KeyChange:
    """The one change between two states of a key."""
    (found,) = changes(old, new).changes
    return found


def told(found: FactChanges) -> list[tuple[str, str, str]]:
    return [(each.kind.value, each.key.name, each.sentence) for each in found.changes]


def multi_region(*replicas: str, primary: str = REGION) -> MultiRegion:
    return MultiRegion(primary == REGION, arn(1, primary), tuple(arn(1, each) for each in replicas))
