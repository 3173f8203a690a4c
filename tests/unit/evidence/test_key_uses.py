"""The uses of one key in several accounts: by ARN and alias, and what of the answer is missing."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest

from kms_tui.backend.base import Services
from kms_tui.backend.kms_facade import Kms
from kms_tui.backend.local import LocalBackend, open_store
from kms_tui.evidence.key_uses import FoundUse, KeyUses, KeyUseScan
from kms_tui.evidence.scan_task import Use
from kms_tui.evidence.scanners import SCANNERS
from kms_tui.kms.errors import KmsTuiError, NotOfferedError, ServiceError
from tests.unit.evidence.world import (
    ACCOUNT,
    NOW,
    REGION,
    Answer,
    FakeServices,
    arn_of,
    denied,
    local_backend,
    new_key,
)

_OTHER = "444455556666"


class FakeAccount:
    """An account with a KMS and services, or one that cannot be opened."""

    def __init__(
        self,
        backend: LocalBackend,
        answers: Mapping[str, Answer] | None = None,
        *,
        failure: KmsTuiError | None = None,
    ) -> None:
        self.id = backend.account_id
        self.title = f"account {self.id}"
        self._backend = backend
        self._services = FakeServices(answers)
        self._failure = failure

    def kms(self, region: str = "") -> Kms:
        return Kms(self._backend.in_region(region))

    def services(self, region: str = "") -> Services | None:
        if self._failure is not None:
            raise self._failure
        return self._services.in_region(region)


@pytest.fixture
def kms() -> LocalBackend:
    return local_backend()


@pytest.fixture
def key(kms: LocalBackend) -> str:
    return new_key(kms, "orders")


@pytest.fixture
def other() -> LocalBackend:
    return LocalBackend(open_store(), account_id=_OTHER, region=REGION)


def uses_of(key: str, *accounts: FakeAccount) -> KeyUses:
    return KeyUseScan(arn_of(key), accounts, lambda: NOW).run()


def volumes(*keys: str) -> Mapping[str, Any]:
    named = [{"VolumeId": f"vol-{number}", "KmsKeyId": key} for number, key in enumerate(keys)]
    return {"DescribeVolumes": {"Volumes": named}}


def test_another_account_names_a_key_by_its_arn_or_that_of_an_alias(
    kms: LocalBackend, key: str, other: LocalBackend
) -> None:
    alias = f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/orders"
    theirs = new_key(other, "orders")
    named = (arn_of(key), alias, "alias/orders", arn_of(theirs, account=_OTHER), alias.replace("orders", "x"))
    found = uses_of(key, FakeAccount(kms, volumes(key, "alias/orders")), FakeAccount(other, volumes(*named)))
    assert found.uses == [
        FoundUse(ACCOUNT, Use("EBS volumes", "vol-0", key)),
        FoundUse(ACCOUNT, Use("EBS volumes", "vol-1", "alias/orders")),
        FoundUse(_OTHER, Use("EBS volumes", "vol-0", arn_of(key))),
        FoundUse(_OTHER, Use("EBS volumes", "vol-1", alias)),
    ]
    assert (found.gaps, found.not_offered, found.checked) == ([], [], 7)


def test_a_key_of_an_account_that_is_not_scanned_has_aliases_that_nobody_knows(
    key: str, other: LocalBackend
) -> None:
    alias = f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/orders"
    found = uses_of(key, FakeAccount(other, volumes(arn_of(key), alias)))
    assert [each.use.resource for each in found.uses] == ["vol-0"]
    (gap,) = found.gaps
    assert gap.why == f"the aliases of {ACCOUNT} were not read: who names the key by one is not known"


def test_what_still_names_a_key_that_is_gone_is_found(kms: LocalBackend) -> None:
    gone = "0d9f7b61-3c2e-4a58-8f14-6be0a95d7c42"
    found = uses_of(gone, FakeAccount(kms, volumes(arn_of(gone), gone, arn_of(gone, account=_OTHER))))
    assert [each.use.resource for each in found.uses] == ["vol-0", "vol-1"]
    assert found.is_gone
    there = uses_of(new_key(kms), FakeAccount(kms))
    assert not there.is_gone


def test_the_failure_of_one_account_is_a_line_of_its_own(
    kms: LocalBackend, key: str, other: LocalBackend
) -> None:
    failure = ServiceError("AccessDenied", "not authorized to assume the role", operation="AssumeRole")
    found = uses_of(key, FakeAccount(kms, volumes(key)), FakeAccount(other, failure=failure))
    assert [each.account for each in found.uses] == [ACCOUNT]
    (gap,) = found.gaps
    assert (gap.account, gap.what) == (_OTHER, "")
    assert gap.why == f"account {_OTHER} was not scanned: denied: you may not call AssumeRole"


def test_what_is_denied_is_a_gap_and_what_is_not_offered_is_none(kms: LocalBackend, key: str) -> None:
    answers = {"ListFunctions": denied("ListFunctions"), "ListIndices": NotOfferedError("kendra", REGION)}
    found = uses_of(key, FakeAccount(kms, answers))
    assert [(each.what, each.why) for each in found.gaps] == [
        ("Lambda functions", "denied: you may not call ListFunctions")
    ]
    assert found.not_offered == ["Kendra indexes"]


def test_an_account_without_services_is_not_scanned(kms: LocalBackend, key: str) -> None:
    class KmsAlone(FakeAccount):
        def services(self, region: str = "") -> Services | None:
            return None

    (gap,) = uses_of(key, KmsAlone(kms)).gaps
    assert gap.why.endswith("S3 and other services is not available here.")


def test_a_cancelled_scan_tells_what_it_has_and_what_it_did_not_get_to(
    kms: LocalBackend, key: str, other: LocalBackend
) -> None:
    hangs, let_go = threading.Event(), threading.Event()

    def hang(_: Mapping[str, Any]) -> Mapping[str, Any]:
        hangs.set()
        let_go.wait(10)
        return {}

    answers = {**volumes(key), "ListFunctions": hang}
    scan = KeyUseScan(arn_of(key), [FakeAccount(kms, answers)], lambda: NOW)
    thread = threading.Thread(target=scan.run, daemon=True)
    thread.start()
    assert hangs.wait(10)
    here = sum(not scanner.home for scanner in SCANNERS)
    deadline = time.monotonic() + 10
    while scan.progress()[0] < here - 1:
        assert time.monotonic() < deadline, "the other kinds do not end"
        time.sleep(0.001)
    assert scan.progress() == (here - 1, here, "Lambda functions")
    scan.cancel()
    let_go.set()
    found = scan.result()
    assert [each.use.resource for each in found.uses] == ["vol-0"]
    assert [(each.what, each.why) for each in found.gaps] == [("Lambda functions", "cancelled")]
    thread.join(10)
    never = KeyUseScan(arn_of(key), [FakeAccount(other)], lambda: NOW)
    assert [each.why for each in never.result().gaps] == [f"account {_OTHER} was not scanned: cancelled"]
