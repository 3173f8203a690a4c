"""CreateKey, DescribeKey, ListKeys, UpdateKeyDescription, EnableKey, DisableKey."""

from __future__ import annotations

from tests.contract.client import KmsClient


def test_a_new_key_is_an_enabled_symmetric_customer_key(kms: KmsClient) -> None:
    metadata = kms("CreateKey")["KeyMetadata"]
    assert metadata["Arn"] == kms.arn(metadata["KeyId"])
    assert metadata["KeyState"] == "Enabled"
