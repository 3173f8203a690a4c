"""The condition keys of a recorded request, and whether a condition holds for it.

A key is known with its values, known to be absent, or open where the record does not tell it. Source: the KMS
developer guide (conditions-kms, conditions-aws) and the CloudTrail user guide
(cloudtrail-event-reference-record-contents).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kms_tui.evidence.request_history.recorded_request import Context, RecordedRequest
from kms_tui.kms.arn import Arn
from kms_tui.kms.keyspecs import RAW, SYMMETRIC_DEFAULT
from kms_tui.kms.operations import Trait, has
from kms_tui.kms.service_principals import SERVICES
from kms_tui.policy.actions import lowered
from kms_tui.policy.condition_keys import ENCRYPTION_CONTEXT, ENCRYPTION_CONTEXT_KEYS, Presence, find
from kms_tui.policy.conditions import ConditionTest
from kms_tui.policy.evaluation import AccessRequest, ContextValue, Unknown
from kms_tui.policy.principals import Caller

_OPEN = object()
"""In place of a value: the record does not tell it."""
_ABSENT_DIRECTLY = frozenset({"aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "kms:viaservice"})
"""Keys that a request has only where a service forwards it."""
_DEFAULTS: Mapping[str, str] = {"kms:encryptionalgorithm": SYMMETRIC_DEFAULT, "kms:messagetype": RAW}
_PROBE = "\x00no policy names this"


def access_request(
    request: RecordedRequest, caller: Caller, asked: Iterable[str], facts: Mapping[str, str]
) -> AccessRequest:
    """The request as policies judge it; ``asked`` are the condition keys, in lower case, that matter."""
    context: dict[str, ContextValue] = {}
    for key in asked:
        value = facts[key] if key in facts else _value(request, key)
        if value is not _OPEN:
            context[key] = value
    return AccessRequest(caller, f"kms:{request.operation}", request.key_arn, context)


def holds(test: ConditionTest, judged: AccessRequest, context: Context | None) -> bool | None:
    """Whether a condition is true for a request; None where the record leaves it open."""
    prefix = _folded(test.key, context)
    if prefix is not None:
        return _holds_for_all(test, prefix, judged)
    values = judged.values(test)
    if isinstance(values, Unknown) or any(judged.is_open(key) for key in test.references):
        return None
    return test.holds(values, judged.resolve)


def _folded(key: str, context: Context | None) -> str | None:
    """The beginning of the values that a folded pair stands for; None where the key is no such pair."""
    if not key.startswith(ENCRYPTION_CONTEXT):
        return None
    name = key.removeprefix(ENCRYPTION_CONTEXT)
    return next((pair.value for pair in context or () if pair.folded and lowered(pair.name) == name), None)


def _holds_for_all(test: ConditionTest, prefix: str, judged: AccessRequest) -> bool | None:
    """Whether the condition is the same for every value that begins with ``prefix``; None if not."""
    if test.operator.base.family == "null":
        return test.holds((prefix,), judged.resolve)
    if test.references:
        return None
    for text in test.values:
        literal = text.value
        if test.operator.base.takes_wildcards:
            literal = literal.replace("?", "*").partition("*")[0]
        if len(literal) > len(prefix) and literal.startswith(prefix):
            return None
        if literal != text.value and not text.value.replace("?", "*").endswith("*"):
            return None
    return test.holds((prefix + _PROBE,), judged.resolve)


def _value(request: RecordedRequest, key: str) -> Any:
    """The value of one key, None where the request has none, ``_OPEN`` where the record does not tell."""
    known = _KEYS.get(key)
    if known is not None:
        return known(request)
    if key.startswith(ENCRYPTION_CONTEXT):
        return _context_value(request, key.removeprefix(ENCRYPTION_CONTEXT))
    settings = dict(request.settings)
    if key in settings:
        values = settings[key]
        return values if find(key).multivalued else values[0] if values else None
    info = find(key)
    if info.presence is Presence.UNKNOWN:
        return None
    if info.actions and request.operation not in info.actions:
        return None
    if request.context is not None and key in _DEFAULTS:
        return _DEFAULTS[key]
    if key in _ABSENT_DIRECTLY:
        return None if not request.service and request.principal_type != "AWSService" else _OPEN
    return _OPEN


def _context_value(request: RecordedRequest, name: str) -> Any:
    if request.context is None:
        return _OPEN
    pairs = (pair for pair in request.context if lowered(pair.name) == name)
    return next((_OPEN if pair.folded else pair.value for pair in pairs), None)


def _context_keys(request: RecordedRequest) -> Any:
    if request.context is None:
        return _OPEN
    return tuple(pair.name for pair in request.context) or None


def _via_service(request: RecordedRequest) -> Any:
    """``s3.amazonaws.com`` in the record is ``s3.REGION.amazonaws.com`` in kms:ViaService."""
    if not request.service:
        return None
    name = request.service.partition(".amazonaws.com")[0]
    if name == request.service or not name:
        return _OPEN
    try:
        arn = Arn.parse(request.key_arn)
    except ValueError:
        return _OPEN
    service = name.split(".")[0]
    if service not in SERVICES:
        return _OPEN
    suffix = "amazonaws.com.cn" if arn.partition == "aws-cn" else "amazonaws.com"
    return f"{service}.{arn.region}.{suffix}"


def _via(request: RecordedRequest) -> Any:
    return "true" if request.service else "false"


def _address(request: RecordedRequest) -> Any:
    """aws:SourceIp: the address of a request that comes neither through an endpoint nor through a service."""
    if request.vpc_endpoint:
        return None
    return request.address if not request.service and _is_address(request.address) else _OPEN


def _endpoint_address(request: RecordedRequest) -> Any:
    if not request.vpc_endpoint:
        return None if not request.service else _OPEN
    return request.address if _is_address(request.address) else _OPEN


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _endpoint(request: RecordedRequest) -> Any:
    if request.vpc_endpoint:
        return request.vpc_endpoint
    return _OPEN if request.service else None


def _endpoint_fact(request: RecordedRequest) -> Any:
    """What follows from a VPC endpoint that the record only names."""
    return _OPEN if request.vpc_endpoint or request.service else None


def _mfa(request: RecordedRequest) -> Any:
    return request.mfa or _OPEN


def _alias(request: RecordedRequest) -> Any:
    if request.alias:
        return request.alias
    return _OPEN if request.context is None and has(request.operation, Trait.TAKES_ALIAS) else None


def _for_service(request: RecordedRequest) -> Any:
    """kms:GrantIsForAWSResource: a service makes the grant for its own resource."""
    if request.operation not in find("kms:grantisforawsresource").actions:
        return None
    return _via(request) if request.principal_type != "AWSService" else "true"


def _open(_request: RecordedRequest) -> Any:
    return _OPEN


_KEYS: Mapping[str, Callable[[RecordedRequest], Any]] = {
    ENCRYPTION_CONTEXT_KEYS: _context_keys,
    "kms:viaservice": _via_service,
    "kms:requestalias": _alias,
    "kms:grantisforawsresource": _for_service,
    "aws:viaawsservice": _via,
    "aws:sourceip": _address,
    "aws:vpcsourceip": _endpoint_address,
    "aws:sourcevpce": _endpoint,
    "aws:sourcevpc": _endpoint_fact,
    "aws:sourcevpcarn": _endpoint_fact,
    "aws:vpceaccount": _endpoint_fact,
    "aws:vpceorgid": _endpoint_fact,
    "aws:vpceorgpaths": _endpoint_fact,
    "aws:multifactorauthpresent": _mfa,
    "kms:grantconstrainttype": _open,
}
"""Condition key -> its value in a recorded request."""
