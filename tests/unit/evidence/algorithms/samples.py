"""Keys for the inventory of algorithms, in few words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from kms_tui.evidence.algorithms.algorithm_inventory import AlgorithmInventory, grouped
from kms_tui.evidence.algorithms.algorithm_key import AlgorithmKey
from kms_tui.evidence.algorithms.siblings import signing_keys
from kms_tui.kms.arn import AccountRegion
from kms_tui.kms.facts import UNASKED, Known
from kms_tui.kms.keyspecs import KEY_SPECS
from kms_tui.kms.model import Tag

ACCOUNT = "111122223333"
NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)


def arn(number: int, region: str = "eu-west-1", account: str = ACCOUNT, partition: str = "aws") -> str:
    return f"arn:{partition}:kms:{region}:{account}:key/{number:08x}-12ab-34cd-56ef-1234567890ab"


def key(
    number: int, spec: str, *aliases: str, tags: dict[str, str] | None = None, **members: Any
) -> AlgorithmKey:
    """A described key; its first legal use unless another is given."""
    each = AlgorithmKey(
        arn=arn(number),
        aliases=tuple(f"alias/{alias}" for alias in aliases),
        aliases_known=True,
        tags=UNASKED if tags is None else Known(tuple(Tag(*pair) for pair in tags.items())),
        spec=spec,
        usage=KEY_SPECS[spec].usages[0] if spec in KEY_SPECS else "SIGN_VERIFY",
        state="Enabled",
        origin="AWS_KMS",
        description="",
        aws_managed=False,
        pending_deletion=False,
        created=datetime(2025, 1, 2, tzinfo=UTC),
        expires=None,
        multi_region=None,
    )
    return replace(each, **members)


def signing(number: int, spec: str, *aliases: str, **members: Any) -> AlgorithmKey:
    return key(number, spec, *aliases, usage="SIGN_VERIFY", **members)


def inventory(*keys: AlgorithmKey, **members: Any) -> AlgorithmInventory:
    groups = grouped(keys)
    ordered = [each for group in groups for each in group.keys]
    found = AlgorithmInventory(
        NOW, (AccountRegion(ACCOUNT, "eu-west-1"),), groups, signing_keys(ordered, frozenset()), (), ()
    )
    return replace(found, **members)
