"""Partitions and service principals agree with what botocore knows."""

from __future__ import annotations

import json
from importlib.resources import files

import botocore.session
import pytest

from kms_tui.kms.arn import PARTITIONS, partition_of
from kms_tui.kms.service_principals import SERVICES

KNOWN = json.loads((files("botocore") / "data" / "partitions.json").read_text())["partitions"]


def test_every_partition_of_botocore_is_in_the_table() -> None:
    assert {partition["id"] for partition in KNOWN} == set(PARTITIONS)


def test_every_region_is_of_its_partition() -> None:
    regions = [(name, each["id"]) for each in KNOWN for name in each["regions"] if "global" not in name]
    assert len(regions) > 40
    assert [(name, partition_of(name)) for name, _ in regions] == regions


@pytest.mark.parametrize(
    "text", ["", "us-east", "us-east-1a", "US-EAST-1", "xx-north-1", "us-east-1\n", "global"]
)
def test_what_is_no_region_has_no_partition(text: str) -> None:
    assert partition_of(text) == ""


def test_botocores_services_are_in_the_table() -> None:
    session = botocore.session.get_session()
    missing = {name for name in session.get_available_services() if name not in SERVICES}
    assert not missing


def test_the_services_of_the_guides_are_in_the_table() -> None:
    named = "cloudtrail cloudwatch delivery.logs events logs s3 sns sqs config guardduty bedrock ses"
    assert set(named.split()) <= SERVICES
