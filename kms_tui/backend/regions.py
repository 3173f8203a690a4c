"""Which Regions a partition has, from botocore's data, and which of them an account has enabled, from EC2."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from kms_tui.backend.base import Services
from kms_tui.backend.service_model import botocore_file
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.facts import NOT_APPLICABLE, Fact, Known, unreadable

_PARTITIONS, _ENDPOINTS = "data/partitions.json", "data/endpoints.json"
_GLOBAL = "-global"
"""How the names of those entries end that are no Region."""


@cache
def regions_of(partition: str) -> frozenset[str]:
    """The Regions of a partition; none for a partition that botocore does not know."""
    found = _partitions(_PARTITIONS, "id", partition)
    return frozenset(name for each in found for name in each["regions"] if not name.endswith(_GLOBAL))


@cache
def kms_regions(partition: str = "aws") -> Sequence[str]:
    """Those that have KMS, enabled for the account or not; sorted. Slow the first time (20 ms)."""
    names: set[str] = set()
    for each in _partitions(_ENDPOINTS, "partition", partition):
        names |= each["services"]["kms"]["endpoints"].keys() & each["regions"]
    return tuple(sorted(names))


def _partitions(file: str, member: str, name: str) -> Sequence[Any]:
    partitions = json.loads(botocore_file(file).read_bytes())["partitions"]
    return [each for each in partitions if each[member] == name]


def enabled_regions(services: Services | None) -> Fact[Sequence[str]]:
    """The Regions enabled for the account, by EC2 DescribeRegions, which leaves the others out.

    NOT_APPLICABLE offline, where every Region answers.
    """
    if services is None or not services.offers("ec2"):
        return NOT_APPLICABLE
    try:
        answer = services.call("ec2", "DescribeRegions", {"AllRegions": False})
    except KmsTuiError as error:
        return unreadable(error)
    return Known(sorted(region["RegionName"] for region in answer["Regions"]))
