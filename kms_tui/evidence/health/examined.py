"""The facts that checks examine, the reading of those that take more than one call, and a check's verdict."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from kms_tui.backend.base import Services
from kms_tui.backend.kms_facade import Kms
from kms_tui.inventory.row import FactName
from kms_tui.inventory.row_health import EXPIRES_SOON
from kms_tui.kms.arn import Arn
from kms_tui.kms.errors import AnswerError, KmsTuiError, UnavailableError
from kms_tui.kms.facts import UNASKED, Fact, Failed, Known, unreadable
from kms_tui.kms.model import Key, KeyLastUsage, KeyRotationStatus, Tag
from kms_tui.kms.operations import Trait, names_with

T = TypeVar("T")


class Need(StrEnum):
    """A fact beside DescribeKey's answer; the values are attributes of Examined."""

    ALIASES = "aliases"
    ROTATION = "rotation"
    POLICY = "policy"
    TAGS = "tags"
    LAST_USAGE = "last_usage"
    PRIMARY_POLICY = "primary_policy"
    DISABLED_SINCE = "disabled_since"

    @property
    def operation(self) -> str:
        """The call that it takes."""
        return _OPERATIONS[self]

    @property
    def column(self) -> FactName | None:
        """The inventory's fact; None for facts that the inventory does not read."""
        return _COLUMNS.get(self)


_OPERATIONS = {
    Need.ALIASES: "ListAliases",
    Need.ROTATION: "GetKeyRotationStatus",
    Need.POLICY: "GetKeyPolicy",
    Need.TAGS: "ListResourceTags",
    Need.LAST_USAGE: "GetKeyLastUsage",
    Need.PRIMARY_POLICY: "GetKeyPolicy",
    Need.DISABLED_SINCE: "LookupEvents",
}
_COLUMNS = {
    Need.ROTATION: FactName.ROTATION,
    Need.POLICY: FactName.POLICY,
    Need.TAGS: FactName.TAGS,
    Need.LAST_USAGE: FactName.LAST_USAGE,
}


@dataclass(frozen=True, slots=True)
class Since:
    """When something began; with ``before``, at that moment or earlier."""

    moment: datetime
    before: bool = False


@dataclass(frozen=True, slots=True)
class Examined:
    """One described key and its other facts."""

    key: Key
    aliases: Fact[tuple[str, ...]] = UNASKED
    rotation: Fact[KeyRotationStatus] = UNASKED
    policy: Fact[str] = UNASKED
    tags: Fact[tuple[Tag, ...]] = UNASKED
    last_usage: Fact[KeyLastUsage] = UNASKED
    primary_policy: Fact[str] = UNASKED
    """The policy of the primary of a replica."""
    disabled_since: Fact[Since] = UNASKED

    def fact(self, need: Need) -> Fact[Any]:
        fact: Fact[Any] = getattr(self, need.value)
        return fact


def known(fact: Fact[T]) -> T:
    """The value of a fact that a check ``needs``: judging waits until it is known."""
    assert isinstance(fact, Known)
    return fact.value


Reason = str
"""Why a key has a finding: one or two sentences with the key's own numbers; may hold untrusted text."""


@dataclass(frozen=True, slots=True)
class Unsure:
    """The facts are known and do not decide; ``reason`` says why."""

    reason: str


Verdict = Reason | Unsure | None
"""None is a pass."""


@dataclass(frozen=True, slots=True)
class Settings:
    """``unused_days`` is None by default, since GetKeyLastUsage allows 5 calls a second."""

    unused_days: int | None = None
    disabled_days: int = 30
    expires_days: int = EXPIRES_SOON.days
    required_tags: tuple[str, ...] = ()


HISTORY = timedelta(days=90)
"""The length of CloudTrail's event history (LookupEvents)."""
_PAGE = 50
_PAGES = 40
"""Most pages for one kind of event: 20 seconds at the quota of 2 calls a second."""
_BETWEEN_PAGES = 0.5

Wait = Callable[[float], bool]
"""Waits a number of seconds; True as soon as the caller is cancelled."""


def disabled_since(
    services: Services | None, keys: Collection[str], now: datetime, wait: Wait
) -> Mapping[str, Fact[Since]]:
    """When the disabled keys of one region, given by ARN, were disabled, by CloudTrail.

    One search through the region's events serves all of them. A key without an event was disabled before the
    history begins; if the history was not read to its end, the fact is Failed.
    """
    if services is None or not services.offers("cloudtrail"):
        return dict.fromkeys(keys, Failed(UnavailableError("cloudtrail")))
    begin = now - HISTORY
    found: dict[str, datetime] = {}
    whole = True
    try:
        for event_name in names_with(Trait.DISABLES):
            whole &= _look_up(services, event_name, set(keys), found, begin, now, wait)
    except KmsTuiError as error:
        return {arn: _dated(found[arn]) if arn in found else unreadable(error) for arn in keys}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return dict.fromkeys(keys, Failed(AnswerError.of(error)))
    early: Fact[Since] = Known(Since(begin, before=True))
    if not whole:
        early = Failed(KmsTuiError(f"CloudTrail has more than {_PAGE * _PAGES:,} such events to search."))
    return {arn: _dated(found[arn]) if arn in found else early for arn in keys}


def _dated(moment: datetime) -> Fact[Since]:
    return Known(Since(moment))


def _look_up(
    services: Services,
    event_name: str,
    left: set[str],
    found: dict[str, datetime],
    begin: datetime,
    now: datetime,
    wait: Wait,
) -> bool:
    """Add the newest event of each key; True if all were found, or the history was read to its end."""
    params: dict[str, Any] = {
        "LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": event_name}],
        "StartTime": begin,
        "EndTime": now,
        "MaxResults": _PAGE,
    }
    for page in range(_PAGES):
        if page and wait(_BETWEEN_PAGES):
            return False
        answer = services.call("cloudtrail", "LookupEvents", params)
        for event in answer.get("Events", ()):
            detail = json.loads(event["CloudTrailEvent"])
            # CloudTrail lists refused calls, too.
            if not detail.get("errorCode"):
                for arn in [arn for arn in left if _names(event, detail, arn)]:
                    found[arn] = max(_moment(event), found.get(arn, begin))
                    left.discard(arn)
        token = answer.get("NextToken")
        if not token or not left:
            return True
        params["NextToken"] = token
    return False


def _moment(event: Mapping[str, Any]) -> datetime:
    moment = event["EventTime"]
    if not isinstance(moment, datetime):
        raise TypeError("EventTime is not a time")
    return moment


def _names(event: Mapping[str, Any], detail: Mapping[str, Any], arn: str) -> bool:
    """Whether an event is about a key: by its resources, or by its KeyId (an ARN or a key id)."""
    names = {resource.get("ResourceName") for resource in event.get("Resources") or ()}
    names.add((detail.get("requestParameters") or {}).get("keyId"))
    return arn in names or arn.rpartition("/")[2] in names


class Primaries:
    """Reads policies of the primaries of replicas; ``known`` gives those that are already read.

    ``kms_for`` gives the façade in the account and Region of a key's ARN.
    """

    def __init__(self, kms_for: Callable[[str], Kms], known: Callable[[str], Fact[str] | None]) -> None:
        self._kms_for = kms_for
        self._known = known
        self._opened: dict[tuple[str, str], Kms] = {}
        self._lock = threading.Lock()

    def read(self, arn: str) -> Fact[str]:
        known = self._known(arn)
        if known is not None:
            return known
        try:
            return Known(self._kms_of(arn).key_policy(arn))
        except KmsTuiError as error:
            return unreadable(error)
        except Exception as error:
            return Failed(AnswerError.of(error))

    def _kms_of(self, arn: str) -> Kms:
        """The façade for a key; one for all keys of an account and Region, since it may be slow to make."""
        parsed = Arn.parse(arn)
        with self._lock:
            place = parsed.account, parsed.region
            if place not in self._opened:
                self._opened[place] = self._kms_for(arn)
            return self._opened[place]
