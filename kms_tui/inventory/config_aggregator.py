"""AWS Config's aggregator as the source of a list of keys: one query instead of a ListKeys in every account.

What it tells is as old as its last update: ``AggregateListing`` puts it into the rows as facts to be read
again, so that a row on screen is soon what KMS says. Where the aggregator has no key of a Region, KMS lists
that Region. The members of the queries are those of AWS Config's resource schema (AWS::KMS::Key,
AWS::KMS::Alias).
"""

from __future__ import annotations

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from kms_tui.backend.base import Services
from kms_tui.backend.kms_facade import KeyRef
from kms_tui.inventory.listing import RecordedListing, Region
from kms_tui.inventory.row import FactName
from kms_tui.inventory.row_table import RowTable
from kms_tui.kms.errors import AnswerError, KmsTuiError
from kms_tui.kms.facts import Fact, Known
from kms_tui.kms.model import Alias, Key, KeyRotationStatus, Tag

_SERVICE = "config"
_DATES = ("CreationDate", "DeletionDate")
_GROUP, _THREADS = 10, 4
"""Accounts of one query, and queries at a time."""
_PAGE = 100
"""The most that SelectAggregateResourceConfig gives at once."""
_KEYS = (
    "SELECT accountId, awsRegion, arn, resourceId, configurationItemCaptureTime, configuration, tags, "
    "supplementaryConfiguration.KeyRotationStatus WHERE resourceType = 'AWS::KMS::Key'"
)
_ALIASES = "SELECT accountId, awsRegion, resourceId, configuration WHERE resourceType = 'AWS::KMS::Alias'"


class Aggregator(NamedTuple):
    """An aggregator of AWS Config; ``regions`` is empty where it has every Region."""

    name: str
    regions: frozenset[str] = frozenset()

    def covers(self, region: str) -> bool:
        return not self.regions or region in self.regions


def find_aggregator(services: Services) -> Aggregator | None:
    """The organization's aggregator in this account and Region, or another one; None without any.

    Raises KmsTuiError where they may not be listed (DescribeConfigurationAggregators).
    """
    if not services.offers(_SERVICE):
        return None
    answer = services.call(_SERVICE, "DescribeConfigurationAggregators", {"Limit": 100})
    found = [
        (bool(each.get("OrganizationAggregationSource")), _aggregator(each))
        for each in answer.get("ConfigurationAggregators", ())
    ]
    return max(found, key=lambda each: (each[0], not each[1].regions))[1] if found else None


def _aggregator(shape: Mapping[str, Any]) -> Aggregator:
    organization = shape.get("OrganizationAggregationSource")
    sources = [organization] if organization else shape.get("AccountAggregationSources", ())
    if any(source.get("AllAwsRegions") for source in sources):
        return Aggregator(shape["ConfigurationAggregatorName"])
    regions = frozenset(region for source in sources for region in source.get("AwsRegions", ()))
    return Aggregator(shape["ConfigurationAggregatorName"], regions)


def _results(services: Services, aggregator: Aggregator, query: str) -> Iterator[list[Mapping[str, Any]]]:
    """The pages of a query; raises KmsTuiError."""
    params = {"ConfigurationAggregatorName": aggregator.name, "Expression": query, "Limit": _PAGE}
    while True:
        answer = services.call(_SERVICE, "SelectAggregateResourceConfig", params)
        try:
            yield [json.loads(each) for each in answer.get("Results", ())]
        except ValueError as error:
            raise AnswerError("AWS Config answers something else than JSON.") from error
        if not answer.get("NextToken"):
            return
        params = {**params, "NextToken": answer["NextToken"]}


class RecordedKey(NamedTuple):
    """A key as AWS Config recorded it at ``captured``."""

    ref: KeyRef
    key: Key
    rotation: KeyRotationStatus | None
    tags: tuple[Tag, ...]
    captured: datetime | None


def recorded_key(item: Mapping[str, Any]) -> RecordedKey | None:
    """A key of a query's result; None for one that is deleted, or lacks what a row needs."""
    shape = item.get("configuration")
    if not isinstance(shape, Mapping) or not isinstance(shape.get("keyId"), str):
        return None
    arn = str(item.get("arn") or shape.get("arn") or "")
    if not arn.startswith("arn:") or arn.count(":") < 5:
        return None
    members = {
        name[:1].upper() + name[1:]: value for name, value in shape.items() if isinstance(value, str | bool)
    }
    dates = {name: _moment(shape.get(name[:1].lower() + name[1:])) for name in _DATES}
    key = Key.from_api({**members, "Arn": arn, "AWSAccountId": str(item.get("accountId", "")), **dates})
    rotates = item.get("supplementaryConfiguration.KeyRotationStatus")
    if isinstance(item.get("supplementaryConfiguration"), Mapping):
        rotates = item["supplementaryConfiguration"].get("KeyRotationStatus")
    tags = tuple(
        Tag(str(each["key"]), str(each.get("value", "")))
        for each in item.get("tags") or ()
        if isinstance(each, Mapping) and "key" in each
    )
    rotation = KeyRotationStatus(rotates) if isinstance(rotates, bool) else None
    return RecordedKey(
        KeyRef(key.key_id, arn), key, rotation, tags, _moment(item.get("configurationItemCaptureTime"))
    )


def recorded_alias(item: Mapping[str, Any]) -> Alias | None:
    """An alias of a query's result; None for one without a key."""
    shape = item.get("configuration")
    if not isinstance(shape, Mapping):
        return None
    name = str(shape.get("AliasName") or item.get("resourceId") or "")
    target = str(shape.get("TargetKeyId") or "").rpartition("/")[2]
    if not name.startswith("alias/") or not target:
        return None
    return Alias(name, f"arn:aws:kms:{item.get('awsRegion', '')}:{item.get('accountId', '')}:{name}", target)


def _moment(value: Any) -> datetime | None:
    """A date as AWS Config writes them: ISO 8601, or seconds or milliseconds of the epoch."""
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value.replace("Z", "+00:00"))
            return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


class AggregateListing:
    """Lists Regions of accounts from an aggregator; ``run`` blocks, on a thread of the inventory.

    ``aggregator`` is what the list is from, once it is found; ``error`` says why the list is not from one, or
    not whole; ``oldest`` is the capture of the oldest record.
    """

    def __init__(self, services: Services, table: RowTable) -> None:
        self._services = services
        self._table = table
        self._lock = threading.Lock()
        self.aggregator: Aggregator | None = None
        self.error: KmsTuiError | None = None
        self.oldest: datetime | None = None

    def run(self, regions: Sequence[Region], rest: Callable[[Sequence[Region]], None]) -> None:
        """List what the aggregator has; ``rest`` gets the Regions that KMS is to list, some at a time."""
        try:
            self.aggregator = find_aggregator(self._services)
        except KmsTuiError as error:
            self.error = error
        aggregator = self.aggregator
        if aggregator is None:
            rest(regions)
            return
        covered: defaultdict[str, list[Region]] = defaultdict(list)
        for region in regions:
            covered[region.account.id if aggregator.covers(region.name) else ""].append(region)
        rest(covered.pop("", []))
        accounts = list(covered)
        groups = [
            [region for account in accounts[at : at + _GROUP] for region in covered[account]]
            for at in range(0, len(accounts), _GROUP)
        ]
        with ThreadPoolExecutor(_THREADS, "kms-tui config") as threads:
            for left in threads.map(partial(self._list_group, aggregator), groups):
                rest(left)

    def _list_group(self, aggregator: Aggregator, regions: Sequence[Region]) -> list[Region]:
        """List the Regions of some accounts; those that KMS is still to list."""
        listings = {(region.account.id, region.name): region.recorded() for region in regions}
        accounts = ", ".join(f"'{account}'" for account in dict.fromkeys(account for account, _ in listings))
        found: Counter[tuple[str, str]] = Counter()
        is_whole = False
        try:
            for page in _results(self._services, aggregator, f"{_KEYS} AND accountId IN ({accounts})"):
                for place, items in _by_place(page, listings).items():
                    found[place] += self._add(listings[place], items)
            for page in _results(self._services, aggregator, f"{_ALIASES} AND accountId IN ({accounts})"):
                for place, items in _by_place(page, listings).items():
                    aliases = [alias for item in items if (alias := recorded_alias(item)) is not None]
                    listings[place].add_aliases(aliases)
            is_whole = True
        except KmsTuiError as error:
            self.error = error
        except Exception as error:
            self.error = AnswerError.of(error)
        for place, listing in listings.items():
            listing.end(is_whole=is_whole and found[place] > 0)
        return [region for region in regions if not (is_whole and found[region.account.id, region.name])]

    def _add(self, listing: RecordedListing, items: Sequence[Mapping[str, Any]]) -> int:
        keys = [key for item in items if (key := recorded_key(item)) is not None]
        for key, row in zip(keys, listing.add_keys([key.ref for key in keys]), strict=True):
            facts: dict[FactName, Fact[Any]] = {FactName.DESCRIBED: Known(key.key)}
            facts[FactName.TAGS] = Known(key.tags)
            if key.rotation is not None:
                facts[FactName.ROTATION] = Known(key.rotation)
            self._table.set_recorded(row, facts)
        captured = [key.captured for key in keys if key.captured is not None]
        with self._lock:
            self.oldest = min([*captured, *([self.oldest] if self.oldest else [])], default=None)
        return len(keys)


def _by_place(
    page: Sequence[Mapping[str, Any]], covered: Mapping[tuple[str, str], RecordedListing]
) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    """The items of a page by account and Region; those of no listed account are left out."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for item in page:
        place = (str(item.get("accountId", "")), str(item.get("awsRegion", "")))
        if place in covered:
            found[place].append(item)
    return found
