"""Reads a Terraform state (version 4), or what ``terraform show -json`` prints of a state or a plan.

Source: Terraform's "JSON Output Format" (format versions 0 and 1) and its state file version 4.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from kms_tui.drift.state import KINDS, PlannedLoss, State, StateResource
from kms_tui.formats import encoding_of
from kms_tui.kms.errors import ConfigurationError

MAX_BYTES = 128 << 20
_VERSION = 4
_FORMATS = ("0", "1")
_ZIP = b"PK\x03\x04"
_GZIP = b"\x1f\x8b"
_SHOW = "`terraform show -json FILE` prints what is read here."
_NEVER_SHOWN = frozenset({"key_material_base64", "grant_token", "key_store_password", "plaintext"})
_LONGEST = 80

_REASONS = {
    "replace_because_tainted": "it is tainted",
    "replace_because_cannot_update": "",
    "replace_by_request": "-replace asks for it",
    "replace_by_triggers": "replace_triggered_by asks for it",
    "delete_because_no_resource_config": "the configuration no longer has the resource",
    "delete_because_no_module": "the configuration no longer has the module",
    "delete_because_wrong_repetition": "count or for_each was added or removed",
    "delete_because_count_index": "count is smaller",
    "delete_because_each_key": "for_each no longer has its key",
    "delete_because_no_move_target": "a moved block leads to no resource",
}
"""Terraform's ``action_reason`` -> words; "" where the attributes say it."""


class _Malformed(Exception):  # noqa: N818 - never leaves the module
    """What stands where something else must; the words go behind the file's name."""


def read_state(content: bytes, name: str) -> State:
    """The KMS resources in a file; ConfigurationError, in a sentence, for any that is no state or plan of a
    version that is read.
    """
    try:
        state = _state(_document(content))
    except _Malformed as error:
        raise ConfigurationError(f"{name} {error}") from None
    if state.is_plan:
        return state
    tainted = [PlannedLoss(each, True, ("it is tainted",)) for each in state.resources if each.tainted]
    return state._replace(losses=tuple(tainted))


def _document(content: bytes) -> Mapping[str, Any]:
    if len(content) > MAX_BYTES:
        raise _Malformed(f"is larger than {MAX_BYTES >> 20} MiB.")
    if content.startswith((_ZIP, _GZIP)):
        raise _Malformed(f"is a saved plan in Terraform's own form. {_SHOW}")
    if not content.strip():
        raise _Malformed("is empty.")
    text = content.decode(encoding_of(content), "replace").removeprefix("\ufeff")
    try:
        document = json.loads(text)
    except RecursionError:
        raise _Malformed("is nested too deeply for a state.") from None
    except json.JSONDecodeError as error:
        raise _Malformed(_no_json(text, error)) from None
    except ValueError:
        raise _Malformed("is no JSON that can be read: a number in it is too long.") from None
    return _mapping(document, "is no Terraform state or plan: its JSON is no object.")


def _no_json(text: str, error: json.JSONDecodeError) -> str:
    if text.lstrip().startswith('{"@level"'):
        return "is the log of `terraform plan -json`, not the plan. " + _SHOW
    if error.pos >= len(text.rstrip()) or "Unterminated" in error.msg:
        return "ends in the middle: it is not whole."
    return f"is no JSON: line {error.lineno}, column {error.colno}: {error.msg}."


def _state(document: Mapping[str, Any]) -> State:
    if "encrypted_data" in document:
        raise _Malformed("is encrypted by OpenTofu; `tofu show -json` prints what is read here.")
    if "format_version" in document:
        return _shown(document)
    if "version" not in document or not document.keys() & {"resources", "modules", "lineage", "serial"}:
        raise _Malformed(f"is no Terraform state or plan. {_SHOW}")
    version = document["version"]
    if isinstance(document.get("backend"), Mapping):
        raise _Malformed("only says where the state is; `terraform state pull` prints the state.")
    if version != _VERSION or isinstance(version, bool):
        raise _Malformed(
            f"is a state of version {str(version)[:_LONGEST]}; version {_VERSION} is read here, which "
            "Terraform since 0.12 writes."
        )
    return _raw(document)


# A state file of version 4


def _raw(document: Mapping[str, Any]) -> State:
    found: list[StateResource] = []
    others = 0
    for entry in _list(document, "resources"):
        resource = _mapping(entry)
        if resource.get("mode") != "managed":
            continue
        instances = _list(resource, "instances")
        if _text(resource, "type") in KINDS:
            found += [_raw_instance(resource, _mapping(each)) for each in instances]
        else:
            others += len(instances)
    return State(False, tuple(found), (), others)


def _raw_instance(resource: Mapping[str, Any], instance: Mapping[str, Any]) -> StateResource:
    index = instance.get("index_key")
    module = _text(resource, "module")
    address = f"{module}." if module else ""
    address += f"{_text(resource, 'type')}.{_text(resource, 'name')}"
    if index is not None:
        address += f"[{json.dumps(index)}]"
    if deposed := _text(instance, "deposed"):
        address += f" (deposed {deposed})"
    return StateResource(
        address,
        _text(resource, "type"),
        _mapping(instance.get("attributes") or {}),
        _NEVER_SHOWN | frozenset(_first_steps(instance)),
        _text(resource, "provider"),
        instance.get("status") == "tainted",
    )


def _first_steps(instance: Mapping[str, Any]) -> Iterator[str]:
    """The attributes within which something is sensitive."""
    for path in _list(instance, "sensitive_attributes"):
        if isinstance(path, list) and path and isinstance(path[0], Mapping):
            yield _text(path[0], "value")


# What `terraform show -json` prints


def _shown(document: Mapping[str, Any]) -> State:
    version = str(document["format_version"])
    if version.partition(".")[0] not in _FORMATS:
        raise _Malformed(f"has the format {version[:_LONGEST]} of `terraform show -json`; 1 is read here.")
    if not document.keys() & {"resource_changes", "planned_values", "prior_state"}:
        return _shown_state(document, is_plan=False)
    before = _mapping(document.get("prior_state") or {})
    drifted = {_text(each, "address"): each for each in map(_mapping, _list(document, "resource_drift"))}
    state = _shown_state(before, is_plan=True)
    resources = {resource.address: resource for resource in state.resources}
    # The plan has refreshed its state: what it found different is told apart, as it was before.
    resources |= {address: _before(each) for address, each in drifted.items() if _text(each, "type") in KINDS}
    changes = [_mapping(each) for each in _list(document, "resource_changes")]
    losses = [loss for each in changes if _text(each, "type") in KINDS and (loss := _loss(each)) is not None]
    others = sum(_text(each, "type") not in KINDS and each.get("mode") == "managed" for each in changes)
    new = sum(_text(each, "type") in KINDS and _actions(each) == ["create"] for each in changes)
    return State(True, tuple(resources.values()), tuple(losses), max(others, state.others), new)


def _shown_state(document: Mapping[str, Any], *, is_plan: bool) -> State:
    values = _mapping(document.get("values") or {})
    found: list[StateResource] = []
    others = 0
    for entry in _in_modules(_mapping(values.get("root_module") or {})):
        if entry.get("mode") != "managed":
            continue
        if _text(entry, "type") not in KINDS:
            others += 1
            continue
        deposed = _text(entry, "deposed_key")
        found.append(
            StateResource(
                _text(entry, "address") + (f" (deposed {deposed})" if deposed else ""),
                _text(entry, "type"),
                _mapping(entry.get("values") or {}),
                _NEVER_SHOWN | _marked(entry.get("sensitive_values")),
                tainted=entry.get("tainted") is True,
            )
        )
    return State(is_plan, tuple(found), (), others)


def _in_modules(root: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    waiting = [root]
    while waiting:
        module = waiting.pop()
        yield from map(_mapping, _list(module, "resources"))
        waiting += map(_mapping, reversed(_list(module, "child_modules")))


def _marked(sensitive: object) -> frozenset[str]:
    """The attributes within which something is sensitive, in a mask of the values."""
    if not isinstance(sensitive, Mapping):
        return frozenset()
    return frozenset(name for name, mask in sensitive.items() if _has_true(mask))


def _has_true(mask: object) -> bool:
    if isinstance(mask, Mapping):
        return any(map(_has_true, mask.values()))
    return any(map(_has_true, mask)) if isinstance(mask, list) else mask is True


def _before(entry: Mapping[str, Any]) -> StateResource:
    change = _mapping(entry.get("change") or {})
    masks = (change.get("before_sensitive"), change.get("after_sensitive"))
    return StateResource(
        _text(entry, "address"),
        _text(entry, "type"),
        _mapping(change.get("before") or {}),
        _NEVER_SHOWN.union(*map(_marked, masks)),
    )


def _loss(entry: Mapping[str, Any]) -> PlannedLoss | None:
    change, actions = _mapping(entry.get("change") or {}), _actions(entry)
    if "delete" not in actions:
        return None
    resource = _before(entry)
    after, unknown = (_mapping(change.get(name) or {}) for name in ("after", "after_unknown"))
    reasons = [
        _changed(resource, name, after, unknown)
        for name in dict.fromkeys(_first_names(_list(change, "replace_paths")))
    ]
    told = _text(entry, "action_reason")
    reasons += [words] if (words := _REASONS.get(told, told.replace("_", " "))) else []
    return PlannedLoss(resource, "create" in actions, tuple(reasons))


def _actions(entry: Mapping[str, Any]) -> list[Any]:
    return _list(_mapping(entry.get("change") or {}), "actions")


def _first_names(paths: Sequence[Any]) -> Iterator[str]:
    steps = chain.from_iterable(path[:1] if isinstance(path, list) else [path] for path in paths)
    return (step for step in steps if isinstance(step, str))


def _changed(resource: StateResource, name: str, after: Mapping[str, Any], unknown: Mapping[str, Any]) -> str:
    if name in resource.sensitive:
        return f"{name} changes, which is sensitive"
    then = "what only the apply tells" if _has_true(unknown.get(name)) else shown(after.get(name))
    return f"{name} changes from {shown(resource.attributes.get(name))} to {then}"


def shown(value: object) -> str:
    """A value of an attribute for people, on one line and not long."""
    if value is None:
        return "none"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


# Members that must be of a type


def _mapping(value: object, otherwise: str = "") -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _Malformed(otherwise or "is no whole state or plan: something else stands for an object.")
    return value


def _list(owner: Mapping[str, Any], name: str) -> list[Any]:
    value = owner.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise _Malformed(f'is no whole state or plan: its "{name}" is no list.')
    return value


def _text(owner: Mapping[str, Any], name: str) -> str:
    value = owner.get(name)
    return value if isinstance(value, str) else ""
