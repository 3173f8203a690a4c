"""CloudTrail's LookupEvents over the store's record of calls: the same request, the same answer.

Source: CloudTrail's API reference (LookupEvents) and botocore's cloudtrail model; of an event, the CloudTrail
user guide (cloudtrail-event-reference-record-contents, …-user-identity) and the KMS developer guide
(understanding-kms-entries). Events are there at once, not minutes later; they go back 90 days, and no further
than the store's newest 100,000. What this KMS cannot know is left out of them: access keys, TLS.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from kms_tui.backend.base import EventGroup
from kms_tui.backend.local.authorization.callers import identity_of
from kms_tui.backend.local.engine.call import Call, JsonShape
from kms_tui.backend.local.engine.paging import position_in, sealed_marker
from kms_tui.backend.local.store.sources import DAY, to_datetime, to_millis
from kms_tui.backend.service_model import Shape, compiled, service_model
from kms_tui.kms.arn import Arn, key_arn
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.operations import NOT_MUTATING, is_mutating
from kms_tui.policy import Caller
from kms_tui.policy.principals import PrincipalKind

KMS_SOURCE = "kms.amazonaws.com"
RESOURCE_TYPE = "AWS::KMS::Key"


class TrailRow(NamedTuple):
    """A row of the store's ``events``; ``at`` in milliseconds, ``source_key`` the ARN of ReEncrypt's."""

    row: int
    event_id: str
    at: int
    account: str
    region: str
    operation: str
    key_id: str | None
    caller: str
    error: str
    request: str
    key_account: str | None
    source_key: str | None
    message: str
    address: str
    agent: str


_WINDOW = 90 * DAY
_MOST = 50
_SECOND = 1000
_MEMBERS = frozenset({"LookupAttributes", "StartTime", "EndTime", "EventCategory", "MaxResults", "NextToken"})
_COLUMNS = ", ".join(TrailRow._fields)
_NEWEST = (1 << 62, 1 << 62)


class _Condition(NamedTuple):
    """A part of a WHERE clause, and its parameters."""

    sql: str
    parameters: tuple[Any, ...] = ()


class _Page(NamedTuple):
    """Which events: from ``since`` to ``until`` (milliseconds), older than that at ``position`` (at, row)."""

    since: int
    until: int
    position: tuple[int, int]
    limit: int


def lookup_events(call: Call, params: Mapping[str, Any]) -> JsonShape:
    """Up to 50 events of the caller's account and Region, newest first, and a NextToken for the next ones.

    Raises ServiceError with CloudTrail's codes for a request that CloudTrail would refuse.
    """
    if unknown := set(params) - _MEMBERS:
        raise ServiceError("ValidationException", f"Unknown parameter: {', '.join(sorted(unknown))}")
    limit = params.get("MaxResults", _MOST)
    if not isinstance(limit, int) or not 1 <= limit <= _MOST:
        raise ServiceError("InvalidMaxResultsException", f"MaxResults must be from 1 to {_MOST}.")
    key, value = _attribute(params)
    position = _position(call, params)
    since, until = _times(call, params)
    page = _Page(since, min(until, position[0]), position, limit + 1)
    if "EventCategory" in params:
        if params["EventCategory"] != "insight":
            raise ServiceError("InvalidEventCategoryException", "The only event category here is insight.")
        rows = []
    elif key == "ResourceName":
        rows = _of_resource(call, value, page)
    else:
        rows = _recent(call, _CONDITIONS[key](value), page)
    scope = call.scope
    answer: JsonShape = {
        "Events": [cloudtrail_event(row, scope.partition, scope.account) for row in rows[:limit]]
    }
    if len(rows) > limit:
        answer["NextToken"] = sealed_marker(_scope(call, params), (rows[limit - 1].at, rows[limit - 1].row))
    return answer


# What is asked for

_CONDITIONS: Mapping[str, Callable[[str], _Condition]] = {
    "": lambda _: _Condition("1"),
    "AccessKeyId": lambda _: _Condition("0"),
    "EventId": lambda value: _Condition("event_id = ?", (value,)),
    "EventName": lambda value: _Condition("operation = ?", (value,)),
    "EventSource": lambda value: _Condition("?", (value == KMS_SOURCE,)),
    "ReadOnly": lambda value: _Condition(
        f"(operation IN {tuple(sorted(NOT_MUTATING))}) = ?", (value == "true",)
    ),
    "ResourceType": lambda value: _Condition("key_id IS NOT NULL AND ?", (value == RESOURCE_TYPE,)),
    "Username": lambda value: _user(value),
}
"""Lookup attribute -> which events have that value; ResourceName, for which there are indexes, aside."""


def _user(name: str) -> _Condition:
    end = ":root" if name == "root" else f"/{name}"
    return _Condition("(substr(caller, -length(?)) = ? OR caller = ?)", (end, end, name))


def _attribute(params: Mapping[str, Any]) -> tuple[str, str]:
    """The lookup attribute and its value, both "" where there is none."""
    attributes = params.get("LookupAttributes") or [{"AttributeKey": "", "AttributeValue": ""}]
    if len(attributes) > 1:
        raise ServiceError("InvalidLookupAttributesException", "Only one lookup attribute can be given.")
    key, value = attributes[0].get("AttributeKey"), attributes[0].get("AttributeValue")
    if key not in _CONDITIONS and key != "ResourceName":
        raise ServiceError("InvalidLookupAttributesException", f"There is no lookup attribute {key}.")
    if not isinstance(value, str) or (key and not value):
        raise ServiceError("InvalidLookupAttributesException", "The lookup attribute needs a value.")
    return key, value


def _times(call: Call, params: Mapping[str, Any]) -> tuple[int, int]:
    """The first and the last millisecond asked for; the seconds that are named belong to it."""
    oldest = call.now - _WINDOW
    since, until = (_millis(params.get(name), name) for name in ("StartTime", "EndTime"))
    if since is not None and until is not None and since > until:
        raise ServiceError("InvalidTimeRangeException", "StartTime is after EndTime.")
    return (
        max(oldest, oldest if since is None else since // _SECOND * _SECOND),
        call.now if until is None else until // _SECOND * _SECOND + _SECOND - 1,
    )


def _millis(moment: Any, name: str) -> int | None:
    if moment is not None and not (isinstance(moment, datetime) and moment.tzinfo):
        raise ServiceError("InvalidTimeRangeException", f"{name} is no point in time.")
    return to_millis(moment) if moment is not None else None


# Reading the store


def _recent(call: Call, condition: _Condition, page: _Page) -> list[TrailRow]:
    """From the newest row back, for conditions without an index."""
    account = call.scope.account
    rows = call.store.rows(
        f"SELECT {_COLUMNS} FROM events WHERE row < ? AND at BETWEEN ? AND ? AND region = ? AND {_VISIBLE} "
        f"AND {condition.sql} ORDER BY row DESC LIMIT ?",
        (
            page.position[1],
            page.since,
            page.until,
            call.scope.region,
            account,
            account,
            *condition.parameters,
            page.limit,
        ),
    )
    return [TrailRow._make(row) for row in rows]


_VISIBLE = "(account = ? OR (key_account = ? AND error <> 'AccessDeniedException'))"
"""A call on another account's key is in the trails of both, but a denied one in the caller's alone."""


def _of_resource(call: Call, name: str, page: _Page) -> list[TrailRow]:
    """The events of the key whose ARN is ``name``, from two indexes whose orders SQLite merges."""
    try:
        arn = Arn.parse(name)
    except ValueError:
        return []
    kind, _, key_id = arn.resource.partition("/")
    if kind != "key" or arn.region != call.scope.region:
        return []
    account = call.scope.account
    within = f"at BETWEEN ? AND ? AND (at, row) < (?, ?) AND {_VISIBLE}"
    span = (page.since, page.until, *page.position, account, account)
    rows = call.store.rows(
        f"SELECT {_COLUMNS} FROM events WHERE key_id = ? AND region = ? AND key_account = ? AND {within} "
        f"UNION ALL SELECT {_COLUMNS} FROM events WHERE source_key = ? AND {within} "
        "ORDER BY at DESC, row DESC LIMIT ?",
        (key_id, arn.region, arn.account, *span, name, *span, page.limit),
    )
    return [TrailRow._make(row) for row in rows]


_ALIKE = (
    "account, region, operation, key_id, caller, error, request, key_account, source_key, message, address"
)
"""The columns that the events of a group have in common."""


def event_groups(call: Call, key_arn: str, since: datetime, until: datetime) -> list[EventGroup]:
    """The events of a key ("": of any) in the trail of the caller's account and Region, grouped by SQLite."""
    account, region = call.scope.account, call.scope.region
    within = f"region = ? AND at BETWEEN ? AND ? AND {_VISIBLE}"
    span = (region, max(call.now - _WINDOW, to_millis(since)), to_millis(until), account, account)
    about = _about(key_arn)
    if about is None:
        return []
    rows = call.store.rows(
        f"SELECT {_COLUMNS}, COUNT(*), MIN(at), MAX(at) FROM events WHERE {about.sql} AND {within} "
        f"GROUP BY {_ALIKE}",
        (*about.parameters, *span),
    )
    return [
        EventGroup(
            cloudtrail_record(TrailRow._make(row[:-3]), call.scope.partition, account),
            row[-3],
            to_datetime(row[-2]),
            to_datetime(row[-1]),
        )
        for row in rows
    ]


def _about(key_arn: str) -> _Condition | None:
    """Which events are about a key; None for the ARN of none."""
    if not key_arn:
        return _Condition("1")
    try:
        arn = Arn.parse(key_arn)
    except ValueError:
        return None
    key_id = arn.resource.removeprefix("key/")
    sql = "row IN (SELECT row FROM events WHERE key_id = ? AND key_account = ? UNION ALL "
    return _Condition(f"{sql}SELECT row FROM events WHERE source_key = ?)", (key_id, arn.account, key_arn))


def _position(call: Call, params: Mapping[str, Any]) -> tuple[int, int]:
    token = params.get("NextToken")
    if token is None:
        return _NEWEST
    try:
        at, row = position_in(_scope(call, params), token)
    except (TypeError, ValueError) as error:
        raise ServiceError("InvalidNextTokenException", "The token is not one of this request's.") from error
    return at, row


def _scope(call: Call, params: Mapping[str, Any]) -> bytes:
    """What a token is good for: the same request alone."""
    asked = {name: value for name, value in params.items() if name not in ("NextToken", "MaxResults")}
    place = [call.scope.account, call.scope.region, asked]
    return json.dumps(place, default=str, sort_keys=True).encode()


# An event

_VERSION = "1.11"
_TYPES = {
    PrincipalKind.ACCOUNT: "Root",
    PrincipalKind.USER: "IAMUser",
    PrincipalKind.ROLE: "Role",
    PrincipalKind.SESSION: "AssumedRole",
    PrincipalKind.FEDERATED_USER: "FederatedUser",
    PrincipalKind.SERVICE: "AWSService",
}
_CODES = {"AccessDeniedException": "AccessDenied"}
"""Error code on the wire -> as CloudTrail writes it, where that differs."""

Spelling = Callable[[Any], Any]


def cloudtrail_event(row: TrailRow, partition: str, recipient: str) -> JsonShape:
    """An entry of LookupEvents' ``Events``, in the trail of the account ``recipient``."""
    record = cloudtrail_record(row, partition, recipient)
    return {
        "EventId": row.event_id,
        "EventName": row.operation,
        "ReadOnly": "true" if record["readOnly"] else "false",
        "EventTime": _whole_seconds(row.at),
        "EventSource": KMS_SOURCE,
        "Username": user_name(Caller.parse(row.caller)),
        "Resources": [
            {"ResourceType": RESOURCE_TYPE, "ResourceName": resource["ARN"]}
            for resource in record["resources"]
        ],
        "CloudTrailEvent": json.dumps(record, separators=(",", ":")),
    }


def _whole_seconds(at: int) -> datetime:
    """CloudTrail's times are whole seconds."""
    return datetime.fromtimestamp(at // 1000, UTC)


def cloudtrail_record(row: TrailRow, partition: str, recipient: str) -> JsonShape:
    """The record of an event, in the trail of the account ``recipient``."""
    keys = [row.source_key] if row.source_key else []
    if row.key_id and row.key_account:
        keys.append(key_arn(partition, row.region, row.key_account, row.key_id))
    record: JsonShape = {
        "eventVersion": _VERSION,
        "userIdentity": _identity(Caller.parse(row.caller), row, recipient),
        "eventTime": _whole_seconds(row.at).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": KMS_SOURCE,
        "eventName": row.operation,
        "awsRegion": row.region,
        "sourceIPAddress": row.address,
        "userAgent": row.agent,
    }
    if row.error:
        record["errorCode"] = _CODES.get(row.error, row.error)
        record["errorMessage"] = row.message
    record |= {
        "requestParameters": _request(row),
        "responseElements": None,
        "requestID": str(uuid.uuid5(uuid.NAMESPACE_OID, row.event_id)),
        "eventID": row.event_id,
        "readOnly": not is_mutating(row.operation),
        "resources": [{"accountId": arn.split(":")[4], "type": RESOURCE_TYPE, "ARN": arn} for arn in keys],
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": recipient,
        "eventCategory": "Management",
    }
    return record


def user_name(caller: Caller) -> str:
    """LookupEvents' Username: the user, the name of the role's session, or the service."""
    return "root" if caller.is_root else caller.session or caller.name


def _identity(caller: Caller, row: TrailRow, recipient: str) -> JsonShape:
    unique_id = identity_of(caller.partition, row.account, row.caller).user_id
    if caller.kind is PrincipalKind.SERVICE:
        return {"type": "AWSService", "invokedBy": caller.name}
    if row.account != recipient:
        # The owner of a key learns which account used it, not who there did.
        return {"type": "AWSAccount", "principalId": unique_id, "accountId": row.account}
    identity: JsonShape = {
        "type": _TYPES[caller.kind],
        "principalId": unique_id,
        "arn": row.caller,
        "accountId": row.account,
    }
    if caller.kind in (PrincipalKind.USER, PrincipalKind.ROLE):
        identity["userName"] = caller.name
    elif caller.kind is PrincipalKind.SESSION:
        identity["sessionContext"] = {
            "sessionIssuer": {
                "type": "Role",
                "principalId": unique_id.partition(":")[0],
                "arn": caller.principal_arn,
                "accountId": row.account,
                "userName": caller.name,
            }
        }
    return identity


def _request(row: TrailRow) -> Any:
    """The request's members in the spelling of CloudTrail; None where there are none."""
    request = json.loads(row.request)
    operation = service_model()["operations"].get(row.operation, {})
    return _spelling_of(operation["input"]["shape"])(request) if request and "input" in operation else None


@compiled
def _spelling_of(shape: Shape, parts: Mapping[str, Spelling]) -> Spelling:
    """Members of structures begin in lower case; the keys of maps, which people choose, stay."""

    def spelled(value: Any) -> Any:
        if shape["type"] == "structure" and isinstance(value, dict):
            return {
                name[0].lower() + name[1:]: parts[name](inner)
                for name, inner in value.items()
                if name in parts
            }
        if shape["type"] == "list" and isinstance(value, list):
            return [parts["member"](inner) for inner in value]
        return value

    return spelled
