"""The demo's services beside KMS, which answer out of its resources in the shapes of AWS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Self

from kms_tui.backend.base import EventGroup, GroupsEvents, Services
from kms_tui.backend.local import LocalBackend
from kms_tui.backend.local.local_backend import LocalServices
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.demo.demo_account import ACCOUNT_ID
from kms_tui.demo.demo_answers import DETAILS, LISTS, PREFIXES, REFUSED, DemoRegion, refuse
from kms_tui.demo.demo_resources import DemoResources, Resource, Shape
from kms_tui.kms.errors import UnavailableError
from kms_tui.kms.operations import may_read_secrets, may_write

_OTHER_EMPTY_LISTS: dict[tuple[str, str], Shape] = {
    ("codebuild", "ListProjects"): {},
    ("codebuild", "ListReportGroups"): {},
    ("config", "DescribeConfigurationAggregators"): {"ConfigurationAggregators": []},
    ("firehose", "ListDeliveryStreams"): {"DeliveryStreamNames": [], "HasMoreDeliveryStreams": False},
    ("kinesis", "ListStreams"): {"StreamNames": [], "HasMoreStreams": False},
}


@cache
def _empty_lists() -> Mapping[tuple[str, str], Shape]:
    """The answers to the list calls of a scan in an account that has none of what they list."""
    from kms_tui.evidence.scanners import SCANNERS  # the first rows need no scan

    lists: dict[tuple[str, str], Shape] = {}
    for each in SCANNERS:
        # A name in quotes is that of the one thing that there is, which is not in a list.
        is_one = each.name.startswith("'")
        lists[each.service, each.listing.operation] = {} if is_one else {each.listing.items: []}
    return lists | _OTHER_EMPTY_LISTS


class DemoServices:
    """``kms_tui.backend.base.Services`` of a Region of the demo; other calls go to ``others`` there."""

    def __init__(self, place: DemoRegion, others: Services, *, writes: bool = False) -> None:
        self._place = place
        self._others = others
        self._writes = writes

    @property
    def region(self) -> str:
        return self._place.region

    def offers(self, service: str) -> bool:
        own = any(service == offered for offered, _ in (*LISTS, *REFUSED))
        return own or self._others.offers(service) or any(service == offered for offered, _ in _empty_lists())

    def in_region(self, region: str) -> DemoServices:
        place = DemoRegion(self._place.resources, self._place.backend.in_region(region))
        return DemoServices(place, self._others.in_region(region), writes=self._writes)

    def writing(self) -> DemoServices:
        return DemoServices(self._place, self._others, writes=True)

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        name = (service, operation)
        refuse(name, operation)
        if may_write(*name) or may_read_secrets(*name):
            return self._write(name, params)
        if name in LISTS:
            kind, member, entry = LISTS[name]
            begins = str(params.get(PREFIXES.get(name, ""), ""))
            listed = self._place.resources.of_kind(kind, self.region)
            return {member: [entry(each) for each in listed if each.name.startswith(begins)]}
        if name in DETAILS:
            kind, member, answer = DETAILS[name]
            return answer(self._place.find(name, kind, str(params[member])))
        if name in _empty_lists():
            return _empty_lists()[name]
        return self._others.call(service, operation, params)

    def event_groups(self, key_arn: str, since: datetime, until: datetime) -> Sequence[EventGroup]:
        """The groups of ``others``; raises as LookupEvents does, also where there are none to ask."""
        if not isinstance(self._others, GroupsEvents):
            raise UnavailableError("cloudtrail", "LookupEvents")
        return self._others.event_groups(key_arn, since, until)

    def _write(self, call: tuple[str, str], params: Mapping[str, Any]) -> Mapping[str, Any]:
        from kms_tui.demo.demo_writes import WRITES  # no scan needs it

        if not self._writes or call not in WRITES:
            raise UnavailableError(*call)
        with self._place.resources.lock:
            return WRITES[call](self._place, params)


class DemoBackend(LocalBackend):
    """A LocalBackend (with its ``options``) with the demo's services."""

    def __init__(self, store: Store, resources: Iterable[Resource], **options: Any) -> None:
        super().__init__(store, **options)
        self._resources = DemoResources(resources)

    def in_account(self, account_id: str) -> Self:
        other = super().in_account(account_id)
        if account_id != ACCOUNT_ID:
            other._resources = DemoResources(())
        return other

    @property
    def services(self) -> Services:
        return DemoServices(DemoRegion(self._resources, self), LocalServices(self))
