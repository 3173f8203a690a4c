"""CloudTrail records to recorded requests; a record that is none is passed over, and nothing raises.

Source: the CloudTrail user guide (cloudtrail-event-reference-record-contents, …-user-identity) and the KMS
developer guide (understanding-kms-entries, encryption-context; services-s3 for bucket keys).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Set
from datetime import datetime
from typing import Any, NamedTuple

from kms_tui.evidence.events import mapping_of, text_of, time_of
from kms_tui.evidence.request_history.recorded_request import (
    S3_OBJECTS,
    Context,
    ContextPair,
    RecordedRequest,
    RequestDetail,
    alias_in,
    refused_by,
)
from kms_tui.kms.arn import key_id_of
from kms_tui.kms.errors import ACCESS_DENIED
from kms_tui.kms.operations import Trait, has

KMS_SOURCE = "kms.amazonaws.com"
_SERVICE_EVENT = "AwsServiceEvent"
"""eventType of what KMS does by itself, as an automatic rotation: nobody's request."""
_KEY_ARN = re.compile(r"arn:[a-z0-9-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]{1,64}")
_OBJECT = re.compile(r"(arn:[a-z0-9-]+:s3:::[^/]+/).+", re.DOTALL)
_LONGEST = 2048
"""Characters of one text that are kept; longer ones are cut."""

_SETTINGS: Mapping[str, str] = {
    "signingAlgorithm": "kms:signingalgorithm",
    "messageType": "kms:messagetype",
    "macAlgorithm": "kms:macalgorithm",
    "keyAgreementAlgorithm": "kms:keyagreementalgorithm",
    "keyPairSpec": "kms:datakeypairspec",
    "encryptionAlgorithm": "kms:encryptionalgorithm",
    "granteePrincipal": "kms:granteeprincipal",
    "granteeServicePrincipal": "kms:granteeserviceprincipal",
    "retiringPrincipal": "kms:retiringprincipal",
    "retiringServicePrincipal": "kms:retiringserviceprincipal",
    "operations": "kms:grantoperations",
    "replicaRegion": "kms:replicaregion",
    "primaryRegion": "kms:primaryregion",
    "wrappingAlgorithm": "kms:wrappingalgorithm",
    "wrappingKeySpec": "kms:wrappingkeyspec",
    "expirationModel": "kms:expirationmodel",
    "pendingWindowInDays": "kms:schedulekeydeletionpendingwindowindays",
    "rotationPeriodInDays": "kms:rotationperiodindays",
    "bypassPolicyLockoutSafetyCheck": "kms:bypasspolicylockoutsafetycheck",
}
"""Member of requestParameters -> the condition key that has its value."""
_RENAMED: Mapping[str, Mapping[str, str]] = {
    "ReEncryptFrom": {
        "keyId": "sourceKeyId",
        "encryptionContext": "sourceEncryptionContext",
        "encryptionAlgorithm": "sourceEncryptionAlgorithm",
    },
    "ReEncryptTo": {
        "keyId": "destinationKeyId",
        "encryptionContext": "destinationEncryptionContext",
        "encryptionAlgorithm": "destinationEncryptionAlgorithm",
    },
}
"""Action -> the names that its members have in the request, where they are others."""


class DatedRequest(NamedTuple):
    """A request and its time."""

    request: RecordedRequest
    time: datetime | None


def requests_in(record: object, details: Set[RequestDetail] = frozenset()) -> Iterator[DatedRequest]:
    """The requests on keys in one CloudTrail record (the JSON object), one for each key and action."""
    event = mapping_of(record)
    if text_of(event.get("eventSource")) not in ("", KMS_SOURCE) or event.get("eventType") == _SERVICE_EVENT:
        return
    operation = text_of(event.get("eventName"))
    if not operation:
        return
    identity = mapping_of(event.get("userIdentity"))
    principal, kind = _principal(identity, details)
    error, message = text_of(event.get("errorCode")), text_of(event.get("errorMessage"))
    parameters = event.get("requestParameters")
    time = time_of(event.get("eventTime"))
    for action, key in _actions(operation, event):
        members = _members(action, mapping_of(parameters))
        request = RecordedRequest(
            principal,
            kind,
            text_of(identity.get("accountId"))[:12],
            action,
            key,
            alias=alias_in(text_of(members.get("keyId")))[:_LONGEST],
            service=_service(identity, event),
            context=_context(action, members, error, parameters, event),
            error=error[:_LONGEST],
            refused_by=refused_by(message) if error in ACCESS_DENIED else "",
            vpc_endpoint=text_of(event.get("vpcEndpointId"))[:64],
            address=text_of(event.get("sourceIPAddress"))[:_LONGEST]
            if RequestDetail.ADDRESS in details
            else "",
            mfa=_mfa(identity),
            key_exchange=_key_exchange(event) if RequestDetail.TLS in details else "",
            settings=tuple(_settings(members)),
        )
        yield DatedRequest(request, time)


def _principal(identity: Mapping[str, Any], details: Set[RequestDetail]) -> tuple[str, str]:
    """The principal and the type of its identity."""
    kind = text_of(identity.get("type"))[:64]
    arn = text_of(identity.get("arn"))[:_LONGEST]
    if kind == "AWSService" or (not kind and not arn):
        return (text_of(identity.get("invokedBy")) or arn)[:_LONGEST], kind
    if kind == "AWSAccount":
        return text_of(identity.get("accountId"))[:12], kind
    if kind == "AssumedRole" and RequestDetail.SESSION not in details:
        issuer = mapping_of(mapping_of(identity.get("sessionContext")).get("sessionIssuer"))
        return text_of(issuer.get("arn"))[:_LONGEST] or _role_of(arn), kind
    return arn or text_of(identity.get("principalId"))[:_LONGEST], kind


def _role_of(session: str) -> str:
    """The ARN of the role of a session's ARN; it lacks the role's path."""
    head, separator, rest = session.partition(":assumed-role/")
    if not separator:
        return session
    return f"{head.replace(':sts:', ':iam:', 1)}:role/{rest.partition('/')[0]}"


def _service(identity: Mapping[str, Any], event: Mapping[str, Any]) -> str:
    if identity.get("type") == "AWSService":
        return ""
    invoked_by, address = text_of(identity.get("invokedBy")), text_of(event.get("sourceIPAddress"))
    return (invoked_by or (address if address.endswith((".amazonaws.com", ".amazonaws.com.cn")) else ""))[
        :256
    ]


def _mfa(identity: Mapping[str, Any]) -> str:
    attributes = mapping_of(mapping_of(identity.get("sessionContext")).get("attributes"))
    value = attributes.get("mfaAuthenticated")
    text = str(value).lower()
    return text if text in ("true", "false") else ""


def _key_exchange(event: Mapping[str, Any]) -> str:
    tls = mapping_of(event.get("tlsDetails"))
    return text_of(tls.get("keyExchange"))[:64] or (text_of(tls.get("tlsVersion"))[:64] and "not told")


def _actions(operation: str, event: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The actions of an operation, each with the ARN of its key, "" for none."""
    keys = list(dict.fromkeys(_keys(event)))
    if operation != "ReEncrypt":
        yield operation[:64], keys[0] if keys else ""
        return
    parameters = mapping_of(event.get("requestParameters"))
    for action, member, place in (
        ("ReEncryptFrom", "sourceKeyId", 0),
        ("ReEncryptTo", "destinationKeyId", -1),
    ):
        named = key_id_of(text_of(parameters.get(member)))
        yield action, next((key for key in keys if key_id_of(key) == named), keys[place] if keys else "")


def _keys(event: Mapping[str, Any]) -> Iterator[str]:
    resources = event.get("resources")
    for resource in resources if isinstance(resources, list) else ():
        name = text_of(mapping_of(resource).get("ARN"))
        if _KEY_ARN.fullmatch(name):
            yield name
    for member in ("keyId", "sourceKeyId", "destinationKeyId"):
        name = text_of(mapping_of(event.get("requestParameters")).get(member))
        if _KEY_ARN.fullmatch(name):
            yield name
    if found := _KEY_ARN.search(text_of(event.get("errorMessage"))[:_LONGEST]):
        yield found.group()


def _members(action: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """The request's members under the names that they have in most operations."""
    renamed = _RENAMED.get(action)
    if not renamed:
        return parameters
    return {name: parameters[other] for name, other in renamed.items() if other in parameters}


def _settings(members: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for member in sorted(_SETTINGS.keys() & members.keys()):
        key, value = _SETTINGS[member], members[member]
        if isinstance(value, list):
            yield key, tuple(text_of(each)[:_LONGEST] for each in value[:64])
        elif isinstance(value, bool):
            yield key, (str(value).lower(),)
        elif text := text_of(value):
            yield key, (text[:_LONGEST],)


def _context(
    action: str, members: Mapping[str, Any], error: str, parameters: object, event: Mapping[str, Any]
) -> Context | None:
    """The encryption context; None where it is left out: of a refused or large request, of a grant."""
    if not has(action, Trait.ENCRYPTION_CONTEXT):
        return ()
    if action == "RetireGrant":
        return None  # that of the grant, which the event only names
    if not isinstance(parameters, dict) and (error or parameters is not None or event.get("omitted")):
        return None
    if action == "CreateGrant":
        constraints = mapping_of(members.get("constraints"))
        pairs = {
            **mapping_of(constraints.get("encryptionContextSubset")),
            **mapping_of(constraints.get("encryptionContextEquals")),
        }
        return _pairs(pairs)
    given = members.get("encryptionContext")
    return () if given is None else _pairs(_read(given))


def _read(given: object) -> Mapping[str, Any] | None:
    """A context as an object, as JSON text, or as CloudTrail Lake's text of it: {table=orders}."""
    if isinstance(given, dict):
        return given
    if not isinstance(given, str):
        return None
    try:
        found = json.loads(given)
    except (ValueError, RecursionError):
        return _braced(given)
    return found if isinstance(found, dict) else None


def _braced(text: str) -> Mapping[str, str] | None:
    """``{a=b, c=d}``; None where commas or equals signs in a value make it ambiguous."""
    if not (text.startswith("{") and text.endswith("}")):
        return None
    inner = text[1:-1]
    if not inner:
        return {}
    parts = [part.split("=") for part in inner.split(", ")]
    return {part[0]: part[1] for part in parts} if all(len(part) == 2 for part in parts) else None


def _pairs(pairs: Mapping[str, Any] | None) -> Context | None:
    if pairs is None or len(pairs) > 64:
        return None
    return tuple(
        sorted(_pair(str(name)[:_LONGEST], text_of(value)[:_LONGEST]) for name, value in pairs.items())
    )


def _pair(name: str, value: str) -> ContextPair:
    """S3's objects are folded to all of their bucket: there may be billions of them."""
    found = _OBJECT.match(value) if name == S3_OBJECTS else None
    return ContextPair(name, found.group(1), True) if found else ContextPair(name, value)
