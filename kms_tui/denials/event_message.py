"""Reads what else says that a request was denied: a CloudTrail event, or a decoded authorization message.

Source: the CloudTrail user guide (cloudtrail-event-reference-record-contents), the STS API reference
(DecodeAuthorizationMessage). Any member may be missing, of another type, or hostile: nothing raises for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kms_tui.backend.base import Services
from kms_tui.denials.message import ErrorMessage, action_for, read_message
from kms_tui.denials.message_kinds import MessageKind
from kms_tui.denials.pasted_json import is_decoded, is_event, logged_text, pasted_values, read_json
from kms_tui.evidence.events import usage_event
from kms_tui.kms.errors import KmsTuiError
from kms_tui.policy.layers import Layer

_CONTEXT = "kms:EncryptionContext:"
_DENIED_BY_ENDPOINT = "VpceAccessDenied"
"""The error code of a network activity event that an endpoint policy denied; it says no more."""
_CONTEXT_KEYS = "kms:EncryptionContextKeys"


def read_paste(text: str) -> ErrorMessage:
    """What a pasted text says: an error message, CloudTrail's JSON, or a decoded authorization message."""
    values = pasted_values(text)
    decoded = next((value for value in values if is_decoded(value)), None)
    said = decoded_message(decoded)
    if said is not None:
        return said
    try:
        said = _first_refused([value for value in values if is_event(value)])
    except RecursionError:  # nested as deeply as JSON may be, and written once more
        said = None
    if said is not None and said.kind is not MessageKind.NOTHING:
        return said
    beside = read_message(logged_text(text))
    return said if said is not None and not beside.is_denial else beside


def _first_refused(events: Sequence[Mapping[str, Any]]) -> ErrorMessage | None:
    """What the first refused event says, one of KMS before others; None without events."""
    if not events:
        return None
    refused = [event for event in events if event.get("errorCode")]
    found = [event for event in refused if event.get("eventSource") == "kms.amazonaws.com"] or refused
    if not found:
        return ErrorMessage(MessageKind.NOTHING, notes=("The event says that the call was answered.",))
    return replace(event_message(found[0]), more=len(found) - 1)


def event_message(record: Mapping[str, Any]) -> ErrorMessage:
    """What a refused event says: its message, and what the event knows besides."""
    event = usage_event({"CloudTrailEvent": json.dumps(record)})
    said = read_message(f"{event.error}: {event.message}")
    action = action_for(_text(record.get("eventName")))
    kind = said.kind
    by_endpoint = event.error == _DENIED_BY_ENDPOINT
    if by_endpoint or (kind is MessageKind.WITHOUT_REASON and action is not None):
        kind = MessageKind.DENIED
    return replace(
        said,
        kind=kind,
        principal=said.principal or event.principal or None,
        action=said.action or action,
        resource=said.resource or next(iter(event.keys), None) or _requested_key(record),
        layer=Layer.ENDPOINT if by_endpoint else said.layer,
        notes=tuple(note for note in said.notes if "beginning of the message" not in note),
        context=_context(record, event.context),
    )


def _requested_key(record: Mapping[str, Any]) -> str | None:
    """The key or alias that the request names by its ARN."""
    name = _text(_mapping(record.get("requestParameters")).get("keyId"))
    return name if ":key/" in name or ":alias/" in name else None


def record_message(text: str) -> ErrorMessage:
    """What an event's record says, as JSON text; a text that is no JSON is read as a message."""
    value = read_json(text)
    return event_message(value) if isinstance(value, dict) else read_message(text)


def decoded_message(value: object) -> ErrorMessage | None:
    """What sts:DecodeAuthorizationMessage answers, as parsed JSON; None for anything else."""
    if not isinstance(value, dict) or not is_decoded(value):
        return None
    context = _mapping(value.get("context"))
    action = _text(context.get("action")) or None
    of_kms = action is None or action.startswith("kms:")
    return ErrorMessage(
        MessageKind.DENIED if of_kms else MessageKind.OTHER_SERVICE,
        _text(_mapping(context.get("principal")).get("arn")) or None,
        action,
        _text(context.get("resource")) or None,
        explicit=value["explicitDeny"] if isinstance(value["explicitDeny"], bool) else None,
        context=dict(_conditions(context)),
    )


def decoded_by(services: Services | None, message: ErrorMessage) -> ErrorMessage:
    """An encoded message as sts:DecodeAuthorizationMessage opens it; the same, with a note, where it does
    not.
    """
    name = "sts DecodeAuthorizationMessage"
    if services is None or not services.offers("sts"):
        return replace(message, notes=(*message.notes, f"This connection has no {name}."))
    try:
        answer = services.call("sts", "DecodeAuthorizationMessage", {"EncodedMessage": message.encoded or ""})
    except KmsTuiError as error:
        note = f"The message stays encoded: {name} failed: {error}"
        return replace(message, notes=(*message.notes, note))
    decoded = decoded_message(read_json(_text(answer.get("DecodedMessage"))))
    if decoded is None:
        return replace(message, notes=(*message.notes, f"{name} answered in an unknown form."))
    return replace(
        decoded,
        principal=decoded.principal or message.principal,
        action=decoded.action or message.action,
        resource=decoded.resource or message.resource,
        layer=message.layer,
        policy_arn=message.policy_arn,
    )


def _conditions(context: Mapping[str, Any]) -> Iterator[tuple[str, str | tuple[str, ...]]]:
    for item in _list(_mapping(context.get("conditions")).get("items")):
        condition = _mapping(item)
        key = _text(condition.get("key"))
        values = [
            _text(_mapping(each).get("value"))
            for each in _list(_mapping(condition.get("values")).get("items"))
        ]
        if key and values:
            yield key, values[0] if len(values) == 1 else tuple(values)


def _context(
    record: Mapping[str, Any], pairs: tuple[tuple[str, str], ...]
) -> dict[str, str | tuple[str, ...]]:
    """The condition keys that follow from an event."""
    context: dict[str, str | tuple[str, ...]] = {f"{_CONTEXT}{name}": value for name, value in pairs}
    if pairs:
        context[_CONTEXT_KEYS] = tuple(dict.fromkeys(name for name, _ in pairs))
    endpoint = _text(record.get("vpcEndpointId"))
    if endpoint:
        context["aws:SourceVpce"] = endpoint
    address, service = (
        _text(record.get("sourceIPAddress")),
        _text(_mapping(record.get("userIdentity")).get("invokedBy")),
    )
    region = _text(record.get("awsRegion"))
    if service.endswith(".amazonaws.com") and region:
        context["kms:ViaService"] = f"{service.removesuffix('.amazonaws.com')}.{region}.amazonaws.com"
    elif address and not address.endswith(".amazonaws.com"):
        context["aws:VpcSourceIp" if endpoint else "aws:SourceIp"] = address
    return context


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
