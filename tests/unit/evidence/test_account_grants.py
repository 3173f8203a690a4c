"""The grants of many keys: which are known, denied or unread, and the order of the stale ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.backend.kms_facade import Kms
from kms_tui.evidence.account_grants import (
    GrantCoverage,
    GrantReading,
    is_deleted,
    retirable_grants,
    stale_first,
)
from kms_tui.kms.errors import CredentialsError, KmsTuiError, ServiceError
from kms_tui.kms.facts import Known
from kms_tui.kms.model import Grant
from tests.demo_copies import demo_copy

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
FAST = 100_000.0
ROLE, PARTNER = "arn:aws:iam::111122223333:role/app", "arn:aws:iam::444455556666:root"


@pytest.fixture
def demo() -> Backend:
    return demo_copy(NOW)


def customer_keys(kms: Kms) -> list[str]:
    refs = [ref for page in kms.key_pages() for ref in page]
    return [ref.arn for ref in refs if not kms.describe(ref.key_id).is_aws_managed]


def test_every_grant_of_every_key_is_read(demo: Backend) -> None:
    kms = Kms(demo)
    keys = customer_keys(kms)
    reading = GrantReading(kms.in_region_of, keys, FAST)
    reading.run()
    assert {arn: fact.value for arn, fact in reading.facts.items() if isinstance(fact, Known)} == {
        arn: kms.grants(arn) for arn in keys
    }
    assert GrantCoverage.of(keys, reading.facts) == GrantCoverage(len(keys), len(keys), 0, 0)
    assert sum(len(kms.grants(arn)) for arn in keys) > 3


class Refused(Wrapper):
    """Refuses ListGrants with one error."""

    def __init__(self, inner: Backend, error: KmsTuiError) -> None:
        super().__init__(inner)
        self.error = error

    def around(self, inner: Backend) -> Refused:
        return Refused(inner, self.error)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if operation == "ListGrants":
            raise self.error
        return self.inner.call(operation, params)


@pytest.mark.parametrize(
    ("code", "counts"), [("AccessDeniedException", (0, 42, 0)), ("KMSInvalidStateException", (0, 0, 42))]
)
def test_what_is_refused_is_counted_and_is_not_no_grants(
    demo: Backend, code: str, counts: tuple[int, int, int]
) -> None:
    keys = customer_keys(Kms(demo))
    refused = Refused(demo, ServiceError(code, "no", operation="ListGrants"))
    reading = GrantReading(Kms(refused).in_region_of, keys, FAST)
    reading.run()
    assert GrantCoverage.of(keys, reading.facts) == GrantCoverage(len(keys), *counts)


def test_credentials_that_end_stop_the_reading(demo: Backend) -> None:
    keys = customer_keys(Kms(demo))
    reading = GrantReading(Kms(Refused(demo, CredentialsError("Sign in."))).in_region_of, keys, FAST)
    reading.run()
    coverage = GrantCoverage.of(keys, reading.facts)
    assert 1 <= coverage.failed <= 4
    assert coverage.keys == len(keys)


def test_a_cancelled_reading_reads_nothing_more(demo: Backend) -> None:
    kms = Kms(demo)
    reading = GrantReading(kms.in_region_of, customer_keys(kms), FAST)
    reading.cancel()
    reading.run()
    assert reading.facts == {}


def test_no_keys_are_read_at_once(demo: Backend) -> None:
    reading = GrantReading(Kms(demo).in_region_of, [], FAST)
    reading.run()
    assert reading.facts == {}


@pytest.mark.parametrize(
    ("principal", "deleted"),
    [
        ("AIDAJQABLZS4A3QDU576Q", True),
        ("AROAJQABLZS4A3QDU576Q", True),
        (ROLE, False),
        (PARTNER, False),
        ("rds.eu-west-1.amazonaws.com", False),
        ("AIDAlower", False),
        ("arn:aws:iam::111122223333:role/AROAJQABLZS4A3QDU576Q", False),
        ("", False),
    ],
)
def test_a_deleted_principal_is_shown_by_its_unique_id(principal: str, deleted: bool) -> None:
    assert is_deleted(principal) is deleted


def test_deleted_principals_come_first_then_the_oldest_and_no_date_last() -> None:
    def grant(grant_id: str, grantee: str, days: int | None) -> Grant:
        created = None if days is None else NOW - timedelta(days=days)
        return Grant(grant_id, "key", grantee, ("Decrypt",), created=created)

    grants = [
        grant("undated", ROLE, None),
        grant("young", ROLE, 1),
        grant("old", ROLE, 900),
        grant("deleted", "AROAJQABLZS4A3QDU576Q", 2),
    ]
    assert [each.grant_id for each in stale_first(grants)] == ["deleted", "old", "young", "undated"]


def test_what_may_be_retired_is_listed_for_a_principal_and_for_a_service(demo: Backend) -> None:
    kms = Kms(demo)
    found = retirable_grants(kms, PARTNER, is_service=False)
    assert [each.name for each in found] == ["partner-importer"]
    assert found[0].key_id.startswith("arn:aws:kms:")
    services = retirable_grants(kms, "rds.eu-west-1.amazonaws.com", is_service=True)
    assert {each.grantee for each in services} == {"rds.eu-west-1.amazonaws.com"}
    assert retirable_grants(kms, ROLE, is_service=False) == []
