"""GetKeyLastUsage."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.contract.client import KmsClient


@pytest.mark.parametrize("by", ["id", "arn"])
def test_a_key_that_was_never_used_has_an_empty_last_usage(kms: KmsClient, by: str) -> None:
    key_id = kms.key()
    answer = kms("GetKeyLastUsage", KeyId=key_id if by == "id" else kms.arn(key_id))
    assert answer["KeyLastUsage"] == {}


def test_tracking_starts_with_the_key(kms: KmsClient) -> None:
    key_id = kms.key()
    created = kms.describe(key_id)["CreationDate"]
    answer = kms("GetKeyLastUsage", KeyId=key_id)
    assert abs(answer["KeyCreationDate"] - created) < timedelta(seconds=1)
    assert answer["TrackingStartDate"] >= answer["KeyCreationDate"]


def test_the_last_usage_is_not_told_by_alias(kms: KmsClient) -> None:
    kms.refused("GetKeyLastUsage", "InvalidArnException", KeyId=kms.alias(kms.key()))
