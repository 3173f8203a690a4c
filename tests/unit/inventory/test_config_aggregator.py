"""The list of an organization from AWS Config's aggregator: what is taken from it, and what KMS lists."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from itertools import product
from typing import Any

import pytest

from kms_tui.accounts.account_choice import AccountChoice
from kms_tui.cli.account_opening import chosen_accounts
from kms_tui.config import Config
from kms_tui.inventory import Pace
from kms_tui.inventory.config_aggregator import find_aggregator, recorded_alias, recorded_key
from kms_tui.inventory.row import FactName
from kms_tui.kms.facts import Known
from kms_tui.session import BackendKind, Connection, Session, open_accounts
from tests.demo_copies import demo_copy
from tests.endpoints.environment import use_static_credentials
from tests.endpoints.organization import OWN, Organization, account_id, serving
from tests.unit.inventory.world import NOW

REGIONS = ("eu-west-1", "us-east-1")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Callable[[Organization], Session]]:
    """Opens a session on all accounts of an organization, and lists it whole."""
    use_static_credentials(monkeypatch)
    monkeypatch.setenv("HOME", str(tmp_path))
    with ExitStack() as stack:

        def run(organization: Organization) -> Session:
            url = stack.enter_context(serving(organization))
            choice = AccountChoice(organization=True, role="KmsReader")
            connection = Connection(
                BackendKind.AWS, region=REGIONS[0], regions=REGIONS, endpoint_url=url, accounts=choice
            )
            chosen = chosen_accounts(connection, choice, Config(), None)
            session = open_accounts(
                connection, chosen.sources, pace=Pace(read_unasked=0), config_services=chosen.home
            )
            stack.callback(session.close)
            listed = threading.Event()
            inventory = session.inventory
            inventory.listen(lambda _: None if inventory.busy else listed.set())
            inventory.open()
            assert listed.wait(20)
            return session

        yield run


def names(session: Session) -> set[tuple[str, str, str]]:
    return {(row.account_name, row.region, *row.aliases) for row in session.inventory.rows()}  # type: ignore[misc]


EVERYTHING = {
    (f"team-{number:03}", region, f"service-{key:03}")
    for number, region, key in product(range(3), REGIONS, range(2))
}


def test_the_aggregator_lists_all_accounts_without_a_call_of_kms(
    opened: Callable[[Organization], Session],
) -> None:
    organization = Organization(3, 2, recorded=REGIONS)
    session = opened(organization)
    assert names(session) == EVERYTHING
    assert organization.calls["ListKeys"] == organization.calls["DescribeKey"] == 0
    aggregate = session.inventory.aggregate
    assert aggregate is not None
    assert aggregate.aggregator is not None
    assert aggregate.aggregator.name == "all"
    assert session.inventory.recorded_since is not None
    (row, *_) = session.inventory.rows()
    assert row.key is not None
    assert row.key.spec == "SYMMETRIC_DEFAULT"
    assert isinstance(row.rotation, Known)
    # What was recorded is shown, and read from KMS once the row is on screen.
    assert row.wants(FactName.DESCRIBED)
    assert row.wants(FactName.ROTATION)


def test_a_region_that_the_aggregator_lacks_is_listed_by_kms(
    opened: Callable[[Organization], Session],
) -> None:
    organization = Organization(3, 2, recorded=REGIONS[:1])
    session = opened(organization)
    assert names(session) == EVERYTHING
    assert organization.calls["ListKeys"] == 3


def test_without_an_aggregator_kms_lists_all(opened: Callable[[Organization], Session]) -> None:
    organization = Organization(3, 2)
    session = opened(organization)
    assert names(session) == EVERYTHING
    assert organization.calls["ListKeys"] == 6
    assert session.inventory.recorded_since is None


def test_an_aggregator_that_fails_leaves_the_list_to_kms_and_says_why(
    opened: Callable[[Organization], Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: Organization, _account: str, _region: str, _params: Mapping[str, Any]) -> Any:
        return {"Results": ["{"]}

    from tests.endpoints import organization as endpoint

    monkeypatch.setitem(endpoint._OPERATIONS, "SelectAggregateResourceConfig", broken)
    session = opened(Organization(3, 2, recorded=REGIONS))
    assert names(session) == EVERYTHING
    aggregate = session.inventory.aggregate
    assert aggregate is not None
    assert "something else than JSON" in str(aggregate.error)


def test_a_denied_account_is_a_line_of_its_own(opened: Callable[[Organization], Session]) -> None:
    session = opened(Organization(3, 2, denied=frozenset({account_id(1)})))
    assert names(session) == {each for each in EVERYTHING if each[0] != "team-001"}
    broken = [region for region in session.inventory.regions if region.error is not None]
    assert {region.account.id for region in broken} == {account_id(1)}
    assert all("sts:AssumeRole" in str(region.error) for region in broken)
    assert session.current.id == OWN


def test_kept_credentials_that_are_refused_are_fetched_anew_once(
    opened: Callable[[Organization], Session],
) -> None:
    organization = Organization(3, 2)
    opened(organization)
    assert organization.calls["AssumeRole"] == 2
    opened(organization)
    assert organization.calls["AssumeRole"] == 2
    organization.refused.update(organization.issued)
    assert names(opened(organization)) == EVERYTHING
    assert organization.calls["AssumeRole"] == 4


ITEM = {
    "accountId": "111122223333",
    "awsRegion": "eu-west-1",
    "arn": "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "configurationItemCaptureTime": "2026-11-29T08:00:00.000Z",
    "configuration": {
        "keyId": "1234abcd-12ab-34cd-56ef-1234567890ab",
        "customerMasterKeySpec": "RSA_2048",
        "keyState": "PendingDeletion",
        "deletionDate": 1_800_000_000_000,
        "creationDate": "2024-03-02T10:00:00",
        "keyManager": "CUSTOMER",
        "enabled": False,
    },
    "tags": [{"key": "team", "value": "pay", "tag": "team=pay"}, "no tag", {"value": "nameless"}],
}


def test_a_record_of_a_key_is_read_as_kms_describes_it() -> None:
    found = recorded_key(ITEM)
    assert found is not None
    assert (found.key.spec, found.key.state, found.key.manager) == ("RSA_2048", "PendingDeletion", "CUSTOMER")
    assert found.key.deletion_date is not None
    assert found.key.deletion_date.year == 2027
    assert found.key.created is not None
    assert found.key.created.tzinfo is not None
    assert [(tag.key, tag.value) for tag in found.tags] == [("team", "pay")]
    assert found.rotation is None


@pytest.mark.parametrize(
    "item",
    [
        {},
        {**ITEM, "configuration": None},
        {**ITEM, "configuration": {}},
        {**ITEM, "configuration": {"keyId": 3}},
        {**ITEM, "arn": "nonsense", "configuration": {"keyId": "x"}},
    ],
)
def test_a_record_that_is_no_key_is_left_out(item: Mapping[str, Any]) -> None:
    assert recorded_key(item) is None


@pytest.mark.parametrize("value", ["soon", True, [], 1e300, "9999-99-99"])
def test_a_date_that_is_none_is_unknown(value: object) -> None:
    found = recorded_key({**ITEM, "configurationItemCaptureTime": value})
    assert found is not None
    assert found.captured is None


def test_a_record_of_an_alias_names_its_key() -> None:
    item = {
        "accountId": "1",
        "awsRegion": "eu-west-1",
        "resourceId": "alias/a",
        "configuration": {"TargetKeyId": "k"},
    }
    found = recorded_alias(item)
    assert found is not None
    assert (found.name, found.target_key_id) == ("alias/a", "k")
    assert recorded_alias({**item, "configuration": {}}) is None
    assert recorded_alias({**item, "configuration": None}) is None


class Aggregators:
    """Services with nothing but AWS Config's list of aggregators."""

    region = "eu-west-1"

    def __init__(self, *aggregators: Mapping[str, Any]) -> None:
        self.aggregators = aggregators

    def offers(self, service: str) -> bool:
        return service == "config"

    def in_region(self, _region: str) -> Aggregators:
        return self

    def call(self, _service: str, _operation: str, _params: Any) -> Any:
        return {"ConfigurationAggregators": self.aggregators}


def test_the_organizations_aggregator_is_preferred_and_the_one_with_every_region() -> None:
    some = {
        "ConfigurationAggregatorName": "some",
        "AccountAggregationSources": [{"AwsRegions": ["eu-west-1"]}],
    }
    every = {"ConfigurationAggregatorName": "every", "AccountAggregationSources": [{"AllAwsRegions": True}]}
    organization = {
        "ConfigurationAggregatorName": "org",
        "OrganizationAggregationSource": {"AwsRegions": ["us-east-1"]},
    }
    found = find_aggregator(Aggregators(some, every))
    assert found is not None
    assert (found.name, found.covers("ap-south-1")) == ("every", True)
    found = find_aggregator(Aggregators(every, organization))
    assert found is not None
    assert (found.name, found.covers("us-east-1"), found.covers("eu-west-1")) == ("org", True, False)
    assert find_aggregator(Aggregators()) is None


def test_a_local_store_has_no_aggregator() -> None:
    assert find_aggregator(demo_copy(NOW).services) is None
