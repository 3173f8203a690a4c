"""A denial with all its layers as one JSON file, which goes into a ticket and comes back.

``caller`` (an ARN), ``action``, ``key`` (an ARN), ``context`` (condition keys and their values) and
``layers``: ``key_policy``, ``grants`` (as ListGrants answers), ``identity`` (a list of policies),
``boundary``, ``session`` (a list), ``scps`` and ``rcps`` (lists of levels, from the root down) and
``endpoint``. A policy is a document, an object of its ``name`` and ``document``, or the answer of AWS that
holds one (of GetPolicyVersion, GetRolePolicy, DescribePolicy and the like). A member that is absent
is not known; null and an empty list are known to be none. What cannot be read of a layer makes that layer
unknown, with the reason; the grants and policies beside it still count. Without ``context`` all of it is
open; a context that is there is complete, but for what follows from the caller and the key.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from kms_tui.kms.arn import Arn
from kms_tui.kms.model import Grant
from kms_tui.policy import actions
from kms_tui.policy.condition_keys import ENCRYPTION_CONTEXT, ENCRYPTION_CONTEXT_KEYS
from kms_tui.policy.describe import quoted
from kms_tui.policy.evaluation import AccessRequest, ContextValue
from kms_tui.policy.grant_statements import EQUALS, SOURCE_ARN, SUBSET
from kms_tui.policy.layers import Layer, Layers, Levels, NamedPolicy, Policies, UnreadLayer, read_policy
from kms_tui.policy.principals import Caller

MAX_BYTES = 32 * 1024 * 1024
"""The longest case that is read: 50,000 grants are half of it."""
_NOT_IN_FILE = "the case does not have it"


class CaseError(ValueError):
    """Why a text is no case, as one sentence that names the member."""


@dataclass(frozen=True, slots=True)
class DenialCase:
    """A request with the layers that judge it."""

    request: AccessRequest
    layers: Layers


def read_case(text: str | bytes) -> DenialCase:
    """The case in a file's content; raises CaseError where it has no request, or no object of layers."""
    root = _object(_json(text), "the case")
    caller = _caller(root)
    key = _key(root)
    action = _action(root)
    context = _context(root["context"]) if "context" in root else None
    request = AccessRequest(caller, action, key, context or {}, complete=context is not None)
    return DenialCase(request, _layers(_object(root.get("layers", {}), "layers")))


def _json(text: str | bytes) -> object:
    if len(text) > MAX_BYTES:
        raise CaseError(f"The case is longer than {MAX_BYTES // 1024 // 1024} MB.")
    try:
        return json.loads(
            text.removeprefix("\ufeff") if isinstance(text, str) else text, object_pairs_hook=_members
        )
    except RecursionError as error:
        raise CaseError("The case is nested too deeply.") from error
    except UnicodeDecodeError as error:
        raise CaseError("The case is not text in UTF-8.") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise CaseError(f"The case is not JSON: {error.msg}, {where}.") from error
    except ValueError as error:  # a number of thousands of digits
        raise CaseError("The case has a number that is too long.") from error


class _Again(str):
    """A name that an object already has. It equals only itself, so that the object keeps both members."""

    __slots__ = ()
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object with all its members: a policy in which one is given twice is written so, and not valid."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        found[_Again(name) if name in found else name] = value
    return found


def _object(value: object, member: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise CaseError(f"{_start(member)} must be an object.")
    again = next((name for name in value if isinstance(name, _Again)), None)
    if again is not None:
        raise CaseError(f"{_start(member)} has {quoted(again)} twice.")
    return value


def _list(value: object, member: str) -> list[Any]:
    if not isinstance(value, list):
        raise CaseError(f"{_start(member)} must be a list.")
    return value


def _start(member: str) -> str:
    return member[0].upper() + member[1:] if member.startswith("the ") else f"Member {member} of the case"


def _string(root: Mapping[str, Any], member: str, place: str = "") -> str:
    value = root.get(member)
    if not isinstance(value, str) or not value:
        raise CaseError(f"{_start(place or member)} must be a string.")
    return value


def _caller(root: Mapping[str, Any]) -> Caller:
    text = _string(root, "caller")
    try:
        return Caller.parse(text)
    except ValueError as error:
        raise CaseError(f"{_start('caller')} is no principal that can call KMS: {quoted(text)}.") from error


def _key(root: Mapping[str, Any]) -> str:
    text = _string(root, "key")
    try:
        arn = Arn.parse(text)
    except ValueError as error:
        raise CaseError(f"{_start('key')} must be the ARN of a key, not {quoted(text)}.") from error
    if arn.service != "kms":
        raise CaseError(f"{_start('key')} is an ARN of {quoted(arn.service)}, not of KMS.")
    return text


def _action(root: Mapping[str, Any]) -> str:
    text = _string(root, "action")
    action = actions.find(text) or actions.find(actions.PREFIX + text)
    if action is None:
        raise CaseError(f"{_start('action')} is no action of KMS: {quoted(text)}.")
    return action.name


def _context(value: object) -> dict[str, ContextValue]:
    pairs = {} if value is None else _object(value, "context")
    context = {key: _value(each, f"context {quoted(key)}") for key, each in pairs.items()}
    named = {key.lower() for key in context}
    names = [key[len(ENCRYPTION_CONTEXT) :] for key in context if key.lower().startswith(ENCRYPTION_CONTEXT)]
    if names and ENCRYPTION_CONTEXT_KEYS not in named:
        context["kms:EncryptionContextKeys"] = names
    return context


def _value(value: object, member: str) -> ContextValue:
    if value is None:
        return None
    if isinstance(value, list):
        return [_text(each, member) for each in value]
    return _text(value, member)


def _text(value: object, member: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return json.dumps(value)
    if isinstance(value, str):
        return value
    raise CaseError(f"{_start(member)} must be a string, a list of strings or null.")


def _layers(members: Mapping[str, Any]) -> Layers:
    unknown = next((name for name in members if name not in _READERS), None)
    hint = f"; it has {quoted(unknown)}, which is no layer" if unknown is not None else ""
    found: dict[str, Any] = dict.fromkeys(_READERS, UnreadLayer(_NOT_IN_FILE + hint))
    found |= {name: _layer(name, members[name]) for name in _READERS if name in members}
    if isinstance(found["grants"], _ReadGrants):
        found |= {"grants": found["grants"].sound, "unread_grants": found["grants"].unread}
    return Layers(**found)


def _layer(name: str, value: object) -> object:
    """A field of ``Layers``: the layer, or why it cannot be read."""
    try:
        return _READERS[name](value, f"layers.{name}")
    except CaseError as error:
        return UnreadLayer(str(error))


def _policy(layer: Layer, value: object, member: str, name: str) -> NamedPolicy:
    """A policy of a layer: its document, alone or with its name, as an object or as text.

    What is no policy is one that is not valid; the policies beside it still count.
    """
    document = value
    if isinstance(value, dict) and "document" in value:
        document = value["document"]
        given = value.get("name")
        name = given if isinstance(given, str) and given else name
    if isinstance(document, str):
        return read_policy(layer, name, document)
    try:
        return read_policy(layer, name, json.dumps(document, indent=2, ensure_ascii=False))
    except RecursionError as error:
        raise CaseError(f"{_start(member)} is nested too deeply.") from error


def _one(layer: Layer, name: str) -> Reader:
    def read(value: object, member: str) -> NamedPolicy | None:
        return None if value is None else _policy(layer, value, member, name)

    return read


def _several(layer: Layer, name: str) -> Reader:
    def read(value: object, member: str) -> Policies:
        return _policies(layer, value, member, name)

    return read


def _policies(layer: Layer, value: object, member: str, name: str) -> Policies:
    listed = [] if value is None else _list(value, member)
    return tuple(
        _policy(layer, each, f"{member}[{index}]", f"{name} {index + 1}") for index, each in enumerate(listed)
    )


def _by_level(layer: Layer, name: str) -> Reader:
    def read(value: object, member: str) -> Levels:
        listed = [] if value is None else _list(value, member)
        return tuple(
            _policies(layer, level, f"{member}[{index}]", f"{name} of level {index + 1}, number")
            for index, level in enumerate(listed)
        )

    return read


class _ReadGrants(NamedTuple):
    """The grants that can be read, and why the others cannot."""

    sound: tuple[Grant, ...]
    unread: UnreadLayer | None


_UNREAD = "unread"
"""Member of a grant that could not be read, in a case that is written: why."""


def _grants(value: object, member: str) -> _ReadGrants:
    """The grants as a list, or as ListGrants' whole answer. CaseError where none of them can be read."""
    if isinstance(value, dict) and "Grants" in value:
        value = value["Grants"]
    sound: list[Grant] = []
    faults: list[CaseError] = []
    for index, each in enumerate([] if value is None else _list(value, member)):
        try:
            sound.append(_grant(each, f"{member}[{index}]"))
        except CaseError as error:
            faults.append(error)
    if faults and not sound:
        raise faults[0]
    others = f" {len(faults) - 1} more of its grants cannot be read." if len(faults) > 1 else ""
    return _ReadGrants(tuple(sound), UnreadLayer(f"{faults[0]}{others}") if faults else None)


_GRANT_TEXTS = (
    "GrantId",
    "KeyId",
    "Name",
    "GranteePrincipal",
    "GranteeServicePrincipal",
    "RetiringPrincipal",
    "RetiringServicePrincipal",
    "IssuingAccount",
)


def _grant(value: object, member: str) -> Grant:
    """A grant as ListGrants answers it; when it was made decides nothing, and is left out if unreadable."""
    entry = _object(value, member)
    if isinstance(entry.get(_UNREAD), str):
        raise CaseError(entry[_UNREAD])
    shape: dict[str, Any] = {}
    for name in _GRANT_TEXTS:
        if entry.get(name) is not None:
            shape[name] = _string(entry, name, f"{member}.{name}")
    operations = _list(entry.get("Operations", []), f"{member}.Operations")
    shape["Operations"] = [_text(each, f"{member}.Operations") for each in operations]
    constraints = entry.get("Constraints")
    shape["Constraints"] = {} if constraints is None else _constraints(constraints, f"{member}.Constraints")
    return replace(Grant.from_api(shape), created=_moment(entry.get("CreationDate")))


def _constraints(value: object, member: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, each in _object(value, member).items():
        if name == SOURCE_ARN:
            found[name] = _text(each, f"{member}.{name}")
        elif name in (EQUALS, SUBSET):
            pairs = _object(each, f"{member}.{name}")
            found[name] = {key: _text(text, f"{member}.{name}") for key, text in pairs.items()}
        else:
            raise CaseError(f"{_start(member)} has {quoted(name)}, which is no constraint of a grant.")
    return found


def _moment(value: object) -> datetime | None:
    try:
        if isinstance(value, str):
            return datetime.fromisoformat(value)
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


Reader = Callable[[object, str], object]

_READERS: Mapping[str, Reader] = {
    "key_policy": _one(Layer.KEY_POLICY, "key policy"),
    "grants": _grants,
    "identity": _several(Layer.IDENTITY, "identity policy"),
    "boundary": _one(Layer.BOUNDARY, "permissions boundary"),
    "session": _several(Layer.SESSION, "session policy"),
    "scps": _by_level(Layer.SCP, "SCP"),
    "rcps": _by_level(Layer.RCP, "RCP"),
    "endpoint": _one(Layer.ENDPOINT, "VPC endpoint policy"),
}
"""Member of ``layers``, and field of ``Layers``, -> what reads it."""


def write_case(case: DenialCase) -> str:
    """The case as the content of a file; ``read_case`` of it gives an equal request and equal layers."""
    request = case.request
    root: dict[str, Any] = {"caller": request.caller.arn, "action": request.action, "key": request.key_arn}
    if request.complete or request.context:
        root["context"] = dict(request.context)
    root["layers"] = {
        name: _written(value)
        for name in _READERS
        if not isinstance(value := getattr(case.layers, name), UnreadLayer)
    }
    if case.layers.unread_grants is not None:
        root["layers"]["grants"].append({_UNREAD: case.layers.unread_grants.reason})
    return json.dumps(root, indent=2)


def _written(value: object) -> object:
    if isinstance(value, tuple):
        return [_written(each) for each in value]
    if isinstance(value, NamedPolicy):
        return {"name": value.name, "document": _document(value)}
    return _written_grant(value) if isinstance(value, Grant) else value


def _document(policy: NamedPolicy) -> object:
    """The document as JSON, or as its text where that is no JSON."""
    try:
        return json.loads(policy.document.text)
    except (ValueError, RecursionError):
        return policy.document.text


def _written_grant(grant: Grant) -> dict[str, Any]:
    shape = {
        "GrantId": grant.grant_id,
        "KeyId": grant.key_id,
        "Name": grant.name,
        "GranteePrincipal": grant.grantee,
        "RetiringPrincipal": grant.retiring,
        "IssuingAccount": grant.issuing_account,
        "CreationDate": grant.created.isoformat() if grant.created else "",
        "Operations": list(grant.operations),
        "Constraints": dict(grant.constraints),
    }
    return {name: value for name, value in shape.items() if value not in ("", {})}
