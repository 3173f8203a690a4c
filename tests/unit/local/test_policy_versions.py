"""The versions of a key policy that the offline KMS offers beside the API."""

from __future__ import annotations

import pytest

from kms_tui.backend.base import KeepsPolicyVersions
from kms_tui.backend.kms_facade import Kms
from kms_tui.backend.local import LocalBackend, Store
from kms_tui.backend.wrappers.metering import Meter, Metered
from kms_tui.backend.wrappers.read_only import ReadOnly
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.model import PolicyVersion
from kms_tui.policy import default_policy
from tests.contract.client import KmsClient
from tests.unit.local.conftest import ACCOUNT, REGION, START, TestClock

ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT}:user/administrator"
OTHER = default_policy(ACCOUNT).replace("key-default-1", "other")


def test_they_come_newest_first_with_time_and_author(
    kms: KmsClient, backend: LocalBackend, clock: TestClock
) -> None:
    key_id = kms.key()
    first = kms("GetKeyPolicy", KeyId=key_id)["Policy"]
    clock.advance(hours=2)
    kms("PutKeyPolicy", KeyId=key_id, Policy=OTHER)
    assert isinstance(backend, KeepsPolicyVersions)
    assert backend.policy_versions(key_id) == [
        PolicyVersion(OTHER, clock.now, ADMINISTRATOR),
        PolicyVersion(first, START, ADMINISTRATOR),
    ]


def test_they_are_found_through_the_wrappers_and_by_arn(kms: KmsClient, backend: LocalBackend) -> None:
    key_id = kms.key()
    facade = Kms(ReadOnly(Metered(backend, Meter())))
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key_id}"
    assert facade.policy_versions(arn) == backend.policy_versions(key_id)


def test_a_key_that_is_not_there_has_none(backend: LocalBackend) -> None:
    with pytest.raises(ServiceError, match="NotFoundException"):
        backend.policy_versions("1234abcd-12ab-34cd-56ef-1234567890ab")


def test_whoever_may_not_read_the_policy_may_not_read_its_past(kms: KmsClient, store: Store) -> None:
    key_id = kms.key()
    stranger = LocalBackend(
        store,
        account_id=ACCOUNT,
        region=REGION,
        caller_arn=f"arn:aws:iam::{ACCOUNT}:role/stranger",
        iam_policies=(),
    )
    with pytest.raises(ServiceError, match="AccessDeniedException"):
        stranger.policy_versions(key_id)
