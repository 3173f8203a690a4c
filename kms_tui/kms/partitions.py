"""THE table of AWS partitions: a Region decides its partition, and so the second part of every ARN.

Source: botocore's partitions.json (``regionRegex``), as of 2026-11-29.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

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
"""Partition -> what the names of its Regions look like."""


def partition_of(region: str) -> str:
    """The partition of a Region; "" where no partition has Regions of that name."""
    return next((name for name, pattern in PARTITIONS.items() if pattern.match(region)), "")
