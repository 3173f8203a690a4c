"""The regions that have KMS, from botocore's own endpoint data, and those that an account has enabled."""

from __future__ import annotations

from collections.abc import Sequence

import botocore.session

from kms_tui.backend.base import Services
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.facts import NOT_APPLICABLE, Fact, Known, unreadable


def kms_regions(partition: str = "aws") -> list[str]:
    """Every region of a partition that has KMS, whether or not the account has enabled it.

    Slow the first time (50 ms).
    """
    session = botocore.session.Session()
    regions: list[str] = session.get_available_regions("kms", partition_name=partition)
    return sorted(region for region in regions if "-fips" not in region and not region.startswith("ProdFips"))


def enabled_regions(services: Services | None) -> Fact[Sequence[str]]:
    """The regions enabled for the account, by EC2 DescribeRegions, which leaves the others out.

    NOT_APPLICABLE offline, where every region answers.
    """
    if services is None or not services.offers("ec2"):
        return NOT_APPLICABLE
    try:
        answer = services.call("ec2", "DescribeRegions", {"AllRegions": False})
    except KmsTuiError as error:
        return unreadable(error)
    return Known(sorted(region["RegionName"] for region in answer["Regions"]))
