"""THE table of what each change sets: how to see whether an answer has it, and how to put it in.

KMS is eventually consistent: for some seconds after a change that it has confirmed, a reading call may still
answer from before. Pure. An operation that is not here has no effect that its parameters and its answer
alone tell (ImportKeyMaterial), or one that comes later anyway (UpdatePrimaryRegion).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from kms_tui.kms.arn import key_id_of, short_alias
from kms_tui.kms.model import KeyState

Shape = Mapping[str, Any]
DEFAULT_PERIOD_DAYS = 365
ALIAS_PART, MADE_PART = "alias ", "made"


class _Untold:
    """The type of UNTOLD."""


UNTOLD: Final = _Untold()
"""The value of a part that an answer does not tell: one page of several, or a foreign shape."""


class ChangeEffect(NamedTuple):
    """One part of a key or of the region that a change has set.

    ``get`` gives the part as an answer of the reading operation ``reads`` tells it (parameters, answer), and
    ``put`` that answer with the part as it was set. ``part`` names it within the key: a later change of the
    same part takes the place of an earlier one. ``words`` say what was set ("disabled"), or are ""
    where nobody needs to be told.
    """

    key_id: str
    part: str
    words: str
    reads: str
    value: Hashable
    get: Callable[[Shape, Shape], Hashable]
    put: Callable[[Shape, Shape], Shape]

    def concerns(self, operation: str, params: Shape) -> bool:
        """Whether a reading call tells this part; the aliases of a key tell of those that it lost, too."""
        if operation != self.reads:
            return False
        if "KeyId" not in params or self.part.startswith(ALIAS_PART):
            return True
        return key_id_of(str(params["KeyId"])) == self.key_id


# DescribeKey


def _metadata(member: str) -> Callable[[Shape, Shape], Hashable]:
    return lambda _, answer: answer["KeyMetadata"].get(member)


def _put_metadata(**members: Any) -> Callable[[Shape, Shape], Shape]:
    """Members given as None are taken out."""

    def put(_: Shape, answer: Shape) -> Shape:
        merged = {**answer["KeyMetadata"], **members}
        kept = {name: value for name, value in merged.items() if value is not None}
        return {**answer, "KeyMetadata": kept}

    return put


def _state(key_id: str, state: str, words: str, **members: Any) -> ChangeEffect:
    members = {"KeyState": state, "Enabled": state == KeyState.ENABLED, **members}
    return ChangeEffect(
        key_id, "state", words, "DescribeKey", state, _metadata("KeyState"), _put_metadata(**members)
    )


_NOT_DELETED: Shape = {"DeletionDate": None, "PendingDeletionWindowInDays": None}


def _to_state(state: str, words: str, **members: Any) -> Callable[[Shape, Shape], Iterable[ChangeEffect]]:
    return lambda params, _: (_state(_key(params), state, words, **members),)


def _scheduled(params: Shape, answer: Shape) -> Iterable[ChangeEffect]:
    state = answer.get("KeyState", KeyState.PENDING_DELETION.value)
    yield _state(_key(params), state, "deletion scheduled", DeletionDate=answer.get("DeletionDate"))


def _described(params: Shape, _: Shape) -> Iterable[ChangeEffect]:
    text = params["Description"]
    yield ChangeEffect(
        _key(params),
        "description",
        "description",
        "DescribeKey",
        text,
        lambda _, answer: answer["KeyMetadata"].get("Description", ""),
        _put_metadata(Description=text),
    )


# Rotation


def _rotation(params: Shape, words: str, days: int | None) -> ChangeEffect:
    """``days`` is the period, None while rotation is off."""

    def get(_: Shape, answer: Shape) -> Hashable:
        return (
            answer.get("RotationPeriodInDays") or DEFAULT_PERIOD_DAYS
            if answer["KeyRotationEnabled"]
            else None
        )

    def put(_: Shape, answer: Shape) -> Shape:
        kept = {name: each for name, each in answer.items() if name != "NextRotationDate"}
        kept.pop("RotationPeriodInDays", None)
        period = {"RotationPeriodInDays": days} if days is not None else {}
        return {**kept, "KeyRotationEnabled": days is not None, **period}

    return ChangeEffect(_key(params), "rotation", words, "GetKeyRotationStatus", days, get, put)


def _rotates(params: Shape, _: Shape) -> Iterable[ChangeEffect]:
    yield _rotation(params, "rotation on", params.get("RotationPeriodInDays", DEFAULT_PERIOD_DAYS))


def _rotates_no_more(params: Shape, _: Shape) -> Iterable[ChangeEffect]:
    yield _rotation(params, "rotation off", None)


# Entries of lists: tags, aliases, grants, keys


def _entry(
    key_id: str, part: str, words: str, reads: str, member: str, name: tuple[str, str], value: Shape | None,
    told: Callable[[Shape], Hashable],
) -> ChangeEffect:  # fmt: skip
    """The entry of a list whose member ``name[0]`` is ``name[1]``; ``value`` None where it was taken away.

    ``told`` is what of an entry is compared.
    """
    naming, named = name

    def find(answer: Shape) -> Shape | None:
        return next((each for each in answer[member] if each.get(naming) == named), None)

    def get(params: Shape, answer: Shape) -> Hashable:
        found = find(answer)
        if found is None:
            return None if _is_whole(params, answer) else UNTOLD
        return told(found)

    def put(_: Shape, answer: Shape) -> Shape:
        others = [each for each in answer[member] if each.get(naming) != named]
        found = find(answer) or {}
        return {**answer, member: others if value is None else [*others, {**found, **value}]}

    return ChangeEffect(key_id, part, words, reads, None if value is None else told(value), get, put)


def _is_whole(params: Shape, answer: Shape) -> bool:
    """Whether an answer is the whole list, and not one page of several."""
    return "Marker" not in params and not answer.get("Truncated")


def _tag(key_id: str, key: str, value: str | None) -> ChangeEffect:
    entry = None if value is None else {"TagKey": key, "TagValue": value}
    return _entry(
        key_id, f"tag {key}", "tags", "ListResourceTags", "Tags", ("TagKey", key), entry,
        lambda tag: str(tag["TagValue"]),
    )  # fmt: skip


def _tagged(params: Shape, _: Shape) -> Iterable[ChangeEffect]:
    return [_tag(_key(params), tag["TagKey"], tag["TagValue"]) for tag in params["Tags"]]


def _untagged(params: Shape, _: Shape) -> Iterable[ChangeEffect]:
    return [_tag(_key(params), key, None) for key in params["TagKeys"]]


def _named(params: Shape, _: Shape) -> Iterable[ChangeEffect]:
    yield _alias(params["AliasName"], key_id_of(params["TargetKeyId"]))


def _unnamed(params: Shape, _: Shape) -> Iterable[ChangeEffect]:
    yield _alias(params["AliasName"], None)


def _alias(name: str, target: str | None) -> ChangeEffect:
    """An alias that points at a key, or (None) at none; the listing of another key lacks it either way."""

    def find(answer: Shape) -> Shape | None:
        return next((each for each in answer["Aliases"] if each["AliasName"] == name), None)

    def belongs(params: Shape) -> bool:
        return "KeyId" not in params or key_id_of(str(params["KeyId"])) == target

    def get(params: Shape, answer: Shape) -> Hashable:
        found = find(answer)
        if found is not None:
            return str(found.get("TargetKeyId", ""))
        return None if belongs(params) and _is_whole(params, answer) else UNTOLD

    def put(params: Shape, answer: Shape) -> Shape:
        others = [each for each in answer["Aliases"] if each["AliasName"] != name]
        if target is None or not belongs(params):
            return {**answer, "Aliases": others}
        entry = {"AliasName": name, "AliasArn": "", **(find(answer) or {}), "TargetKeyId": target}
        return {**answer, "Aliases": [*others, entry]}

    words = f"alias {short_alias(name)}"
    return ChangeEffect(target or "", f"{ALIAS_PART}{name}", words, "ListAliases", target, get, put)


def _granted(params: Shape, answer: Shape) -> Iterable[ChangeEffect]:
    grant_id = answer["GrantId"]
    entry = {name: value for name, value in params.items() if name not in ("GrantTokens", "DryRun")}
    yield _grant(_key(params), grant_id, {**entry, "GrantId": grant_id})


def _taken(params: Shape, _: Shape) -> Iterable[ChangeEffect]:
    if "KeyId" in params and "GrantId" in params:
        yield _grant(_key(params), params["GrantId"], None)


def _grant(key_id: str, grant_id: str, entry: Shape | None) -> ChangeEffect:
    return _entry(
        key_id, f"grant {grant_id}", "grants", "ListGrants", "Grants", ("GrantId", grant_id), entry,
        lambda grant: str(grant["GrantId"]),
    )  # fmt: skip


def _made(_: Shape, answer: Shape) -> Iterable[ChangeEffect]:
    metadata = answer["KeyMetadata"]
    key_id = metadata["KeyId"]
    yield ChangeEffect(
        key_id, MADE_PART, "created", "DescribeKey", True, lambda *_: True,
        lambda *_: {"KeyMetadata": metadata},
    )  # fmt: skip
    entry = {"KeyId": key_id, "KeyArn": metadata["Arn"]}
    yield _entry(
        key_id, "listed", "", "ListKeys", "Keys", ("KeyId", key_id), entry, lambda key: str(key["KeyId"])
    )


# Policies


def _canonical(text: str) -> str:
    try:
        return json.dumps(json.loads(text), sort_keys=True)
    except ValueError:
        return text


def _policy(params: Shape, _: Shape) -> Iterable[ChangeEffect]:
    yield ChangeEffect(
        _key(params),
        "policy",
        "policy",
        "GetKeyPolicy",
        _canonical(params["Policy"]),
        lambda _, answer: _canonical(answer["Policy"]),
        lambda _, answer: {**answer, "Policy": params["Policy"]},
    )


def _key(params: Shape) -> str:
    return key_id_of(str(params["KeyId"]))


EFFECTS: Mapping[str, Callable[[Shape, Shape], Iterable[ChangeEffect]]] = {
    "CreateKey": _made,
    "EnableKey": _to_state(KeyState.ENABLED.value, "enabled"),
    "DisableKey": _to_state(KeyState.DISABLED.value, "disabled"),
    "ScheduleKeyDeletion": _scheduled,
    "CancelKeyDeletion": _to_state(KeyState.DISABLED.value, "deletion cancelled", **_NOT_DELETED),
    "UpdateKeyDescription": _described,
    "EnableKeyRotation": _rotates,
    "DisableKeyRotation": _rotates_no_more,
    "TagResource": _tagged,
    "UntagResource": _untagged,
    "CreateAlias": _named,
    "UpdateAlias": _named,
    "DeleteAlias": _unnamed,
    "CreateGrant": _granted,
    "RevokeGrant": _taken,
    "RetireGrant": _taken,
    "PutKeyPolicy": _policy,
}
"""Operation -> the effects of a call that succeeded, from its parameters and its answer."""


def effects_of(operation: str, params: Shape, answer: Shape) -> tuple[ChangeEffect, ...]:
    """What a call that succeeded has set; a dry run sets nothing."""
    make = EFFECTS.get(operation)
    return tuple(make(params, answer)) if make is not None and not params.get("DryRun") else ()
