"""The regions that have KMS, from botocore's own endpoint data; slow the first time (50 ms)."""

from __future__ import annotations

import botocore.session


def kms_regions(partition: str = "aws") -> list[str]:
    """Every region of a partition that has a KMS endpoint, whether or not the account has enabled it."""
    session = botocore.session.Session()
    regions: list[str] = session.get_available_regions("kms", partition_name=partition)
    return sorted(region for region in regions if "-fips" not in region and not region.startswith("ProdFips"))
