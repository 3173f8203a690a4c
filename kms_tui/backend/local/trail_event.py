"""One call of the store's record, as CloudTrail tells it.

Source: the CloudTrail user guide (cloudtrail-event-reference-record-contents, …-user-identity) and the KMS
developer guide (understanding-kms-entries). What this KMS cannot know is left out: access keys, TLS.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any, NamedTuple

from kms_tui.backend.local.authorise_caller import identity_of
from kms_tui.backend.local.call import JsonShape
from kms_tui.backend.servicemodel import service_model
from kms_tui.kms.arn import key_arn
from kms_tui.kms.operations import is_mutating
from kms_tui.policy import Caller
from kms_tui.policy.principals import PrincipalKind

KMS_SOURCE = "kms.amazonaws.com"
RESOURCE_TYPE = "AWS::KMS::Key"
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


def event(row: TrailRow, partition: str, recipient: str) -> JsonShape:
    """An entry of LookupEvents' ``Events``, in the trail of the account ``recipient``."""
    keys = [row.source_key] if row.source_key else []
    if row.key_id and row.key_account:
        keys.append(key_arn(partition, row.region, row.key_account, row.key_id))
    # CloudTrail's times are whole seconds.
    time = datetime.fromtimestamp(row.at // 1000, UTC)
    read_only = not is_mutating(row.operation)
    caller = Caller.parse(row.caller)
    record: JsonShape = {
        "eventVersion": _VERSION,
        "userIdentity": _identity(caller, row, partition, recipient),
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
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
        "readOnly": read_only,
        "resources": [{"accountId": arn.split(":")[4], "type": RESOURCE_TYPE, "ARN": arn} for arn in keys],
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": recipient,
        "eventCategory": "Management",
    }
    return {
        "EventId": row.event_id,
        "EventName": row.operation,
        "ReadOnly": "true" if read_only else "false",
        "EventTime": time,
        "EventSource": KMS_SOURCE,
        "Username": user_name(caller),
        "Resources": [{"ResourceType": RESOURCE_TYPE, "ResourceName": arn} for arn in keys],
        "CloudTrailEvent": json.dumps(record, separators=(",", ":")),
    }


def user_name(caller: Caller) -> str:
    """LookupEvents' Username: the user, the name of the role's session, or the service."""
    return "root" if caller.is_root else caller.session or caller.name


def _identity(caller: Caller, row: TrailRow, partition: str, recipient: str) -> JsonShape:
    unique_id = identity_of(partition, row.account, row.caller).user_id
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
    shapes = service_model()
    operation = shapes["operations"].get(row.operation, {})
    return _spelled(operation["input"]["shape"], request) if request and "input" in operation else None


def _spelled(shape_name: str, value: Any) -> Any:
    """Members of structures begin in lower case; the keys of maps, which people choose, stay."""
    shape = service_model()["shapes"][shape_name]
    if shape["type"] == "structure" and isinstance(value, dict):
        members = shape["members"]
        return {
            name[0].lower() + name[1:]: _spelled(members[name]["shape"], inner)
            for name, inner in value.items()
            if name in members
        }
    if shape["type"] == "list" and isinstance(value, list):
        return [_spelled(shape["member"]["shape"], inner) for inner in value]
    return value
