"""Amazon Resource Names, the four ways in which KMS lets one name a key, and THE table of partitions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

ALIAS_PREFIX = "alias/"
AWS_ALIAS_PREFIX = "alias/aws/"

_KEY_ID = re.compile(r"(?:mrk-[0-9a-f]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\Z")
_ACCOUNT_ID = re.compile(r"[0-9]{12}\Z")
_NAMED_REGIONS = 4
"""Regions that a title names."""


@dataclass(frozen=True, slots=True)
class Arn:
    """``arn:partition:service:region:account:resource``; region and account may be empty."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> Arn:
        """Split an ARN; ValueError where the text is none."""
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[0] != "arn" or not parts[1] or not parts[2] or not parts[5]:
            raise ValueError(f"not an ARN: {text!r}")
        return cls(*parts[1:])

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"


class AccountRegion(NamedTuple):
    """A Region of an account; the account is "" where it is not known."""

    account: str
    region: str

    @classmethod
    def of(cls, arn: str) -> AccountRegion:
        """Those of an ARN; ValueError where the text is none."""
        parsed = Arn.parse(arn)
        return cls(parsed.account, parsed.region)

    def __str__(self) -> str:
        return f"{self.region} of {self.account}" if self.account else self.region


def places_in_words(places: Sequence[AccountRegion]) -> str:
    """ "eu-west-1 and us-east-1 of 111122223333", or "6 Regions of 200 accounts": short, however many."""
    from kms_tui.counts import in_words  # the first text does without

    regions = list(dict.fromkeys(place.region for place in places))
    accounts = list(dict.fromkeys(place.account for place in places))
    where = in_words(regions) if len(regions) <= _NAMED_REGIONS else f"{len(regions):,} Regions"
    if len(accounts) > 1:
        return f"{where} of {len(accounts):,} accounts"
    return f"{where} of {accounts[0]}" if any(accounts) else where


def is_key_id(text: str) -> bool:
    """Whether the text has the form of a key id: a UUID, or ``mrk-`` and 32 hex digits."""
    return _KEY_ID.match(text) is not None


def is_account_id(text: str) -> bool:
    """Whether the text has the form of an account's id: 12 digits."""
    return _ACCOUNT_ID.match(text) is not None


def key_arn(partition: str, region: str, account: str, key_id: str) -> str:
    return f"arn:{partition}:kms:{region}:{account}:key/{key_id}"


def alias_arn(partition: str, region: str, account: str, alias_name: str) -> str:
    """The ARN of an alias; ``alias_name`` has its ``alias/`` prefix."""
    return str(Arn(partition, "kms", region, account, alias_name))


def key_id_of(reference: str) -> str:
    """The key id in a key ARN; any other reference comes back unchanged."""
    _, separator, key_id = reference.partition(":key/")
    return key_id if separator else reference


def key_account(reference: str) -> str:
    """The account in a key ARN; "" for any other reference."""
    try:
        return Arn.parse(reference).account
    except ValueError:
        return ""


def key_region(reference: str) -> str:
    """The Region in the ARN of a key or an alias; "" for any other reference."""
    try:
        arn = Arn.parse(reference)
    except ValueError:
        return ""
    return arn.region if arn.service == "kms" else ""


def short_alias(alias_name: str) -> str:
    """The alias name as people say it, without ``alias/``."""
    return alias_name.removeprefix(ALIAS_PREFIX)


PARTITIONS: Mapping[str, re.Pattern[str]] = {
    name: re.compile(rf"{prefix}-[a-z0-9_]+-[0-9]+\Z")
    for name, prefix in (
        ("aws", "(?:us|eu|ap|sa|ca|me|af|il|mx)"),
        ("aws-cn", "cn"),
        ("aws-eusc", "eusc-de"),
        ("aws-iso", "us-iso"),
        ("aws-iso-b", "us-isob"),
        ("aws-iso-e", "eu-isoe"),
        ("aws-iso-f", "us-isof"),
        ("aws-us-gov", "us-gov"),
    )
}
"""Partition -> what the names of its Regions look like: a Region decides the second part of every ARN.

Source: botocore's partitions.json (``regionRegex``), as of 2026-11-29.
"""


_ORDINARY = "aws"


def arn_partition(region: str) -> str:
    """The partition in ARNs of a Region, the ordinary one where no partition has Regions of that name."""
    return partition_of(region) or _ORDINARY


def partition_of(region: str) -> str:
    """The partition of a Region; "" where no partition has Regions of that name."""
    return next((name for name, pattern in PARTITIONS.items() if pattern.match(region)), "")
