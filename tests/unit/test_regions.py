"""The regions that are offered: those that have KMS, and those that an account has enabled."""

from __future__ import annotations

from typing import Any, cast

import pytest

from kms_tui.backend.base import Services
from kms_tui.backend.regions import enabled_regions, kms_regions
from kms_tui.kms.errors import KmsTuiError, ServiceError
from kms_tui.kms.facts import NOT_APPLICABLE, Denied, Known


class Ec2:
    """Answers DescribeRegions, or refuses it."""

    def __init__(self, answer: dict[str, Any] | KmsTuiError, *, offered: bool = True) -> None:
        self.answer = answer
        self.offered = offered
        self.calls: list[tuple[str, str, Any]] = []

    def offers(self, service: str) -> bool:
        return self.offered and service == "ec2"

    def call(self, service: str, operation: str, params: Any) -> dict[str, Any]:
        self.calls.append((service, operation, params))
        if isinstance(self.answer, KmsTuiError):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(("partition", "region"), [("aws", "eu-west-1"), ("aws-us-gov", "us-gov-west-1")])
def test_every_region_of_a_partition_is_offered_without_its_fips_twins(partition: str, region: str) -> None:
    regions = kms_regions(partition)
    assert region in regions
    assert list(regions) == sorted(regions)
    assert not [each for each in regions if "fips" in each.lower()]


def test_the_enabled_ones_are_asked_of_ec2() -> None:
    ec2 = Ec2({"Regions": [{"RegionName": "us-east-1"}, {"RegionName": "eu-west-1"}]})
    assert enabled_regions(cast(Services, ec2)) == Known(["eu-west-1", "us-east-1"])
    assert ec2.calls == [("ec2", "DescribeRegions", {"AllRegions": False})]


def test_who_may_not_ask_is_told_so_and_offline_there_is_nothing_to_ask() -> None:
    refused = ServiceError("UnauthorizedOperation", "no", operation="DescribeRegions")
    assert isinstance(enabled_regions(cast(Services, Ec2(refused))), Denied)
    assert enabled_regions(None) is NOT_APPLICABLE
    assert enabled_regions(cast(Services, Ec2({}, offered=False))) is NOT_APPLICABLE
