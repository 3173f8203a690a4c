"""What differs between two states of one key: each fact by its meaning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, TypeVar

from kms_tui.fact_files.changes import ChangedKey, ChangeKind, KeyChange
from kms_tui.fact_files.fact_file import KeyFacts
from kms_tui.fact_files.fact_writing import policy_shape, time_text
from kms_tui.kms.arn import Arn, key_region
from kms_tui.kms.facts import Fact, Known
from kms_tui.kms.model import Grant, Key, KeyRotationStatus, KeyState, MultiRegion, Tag
from kms_tui.policy.policy_meaning import MeaningKind, compared_meaning

T = TypeVar("T")
_SHOWN = 80
"""Characters of a description or a tag's value that a sentence quotes."""


def key_changes(
    key: ChangedKey, old: KeyFacts, new: KeyFacts, rewritten: list[ChangedKey]
) -> Iterator[KeyChange]:
    """The changes of a key that is in both, without its aliases; only facts known in both are compared.

    A key whose policy is written otherwise and means the same is put into ``rewritten``.
    """
    yield from _both(key, old.described, new.described, _described)
    yield from _both(key, old.rotation, new.rotation, _rotation)
    yield from _both(key, old.tags, new.tags, _tags)
    yield from _both(key, old.policy, new.policy, partial(_policy, rewritten))
    yield from _both(key, old.grants, new.grants, _grants)


def _both(
    key: ChangedKey, old: Fact[T], new: Fact[T], compare: Callable[[ChangedKey, T, T], Iterator[KeyChange]]
) -> Iterator[KeyChange]:
    if isinstance(old, Known) and isinstance(new, Known) and old.value != new.value:
        yield from compare(key, old.value, new.value)


def _day(moment: datetime | None) -> str:
    return str(_date(moment) or "a day that is not known")


def _date(moment: datetime | None) -> date | None:
    """Days are compared: what moves within one is told to nobody."""
    return None if moment is None else moment.astimezone(UTC).date()


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else time_text(moment)


def shown(text: str) -> str:
    """A text in quotation marks, its end left out where it is long."""
    return f'"{text}"' if len(text) <= _SHOWN else f'"{text[:_SHOWN]}…"'


# DescribeKey


def _described(key: ChangedKey, old: Key, new: Key) -> Iterator[KeyChange]:
    yield from _state(key, old, new)
    if old.description != new.description:
        yield KeyChange(
            ChangeKind.DESCRIPTION,
            key,
            f"{shown(old.description)} → {shown(new.description)}",
            old.description,
            new.description,
        )
    if _date(old.valid_to) != _date(new.valid_to) and not _lost_material(new):
        told = f"expires on {_day(new.valid_to)}" if new.valid_to else "no longer expires"
        before = f", {_day(old.valid_to)} before" if old.valid_to else ""
        yield KeyChange(ChangeKind.EXPIRY, key, told + before, _time(old.valid_to), _time(new.valid_to))
    was, now = old.current_key_material_id, new.current_key_material_id
    if was != now and was and now:
        yield KeyChange(ChangeKind.ROTATED, key, "has other key material", was, now)
    if old.multi_region != new.multi_region:
        yield from _multi_region(key, old.multi_region, new.multi_region)


def _lost_material(key: Key) -> bool:
    return key.state == KeyState.PENDING_IMPORT


_STATES: Mapping[str, tuple[ChangeKind, str]] = {
    KeyState.DISABLED: (ChangeKind.DISABLED, "is disabled"),
    KeyState.ENABLED: (ChangeKind.ENABLED, "is enabled"),
    KeyState.PENDING_IMPORT: (ChangeKind.MATERIAL_GONE, "has no key material: deleted, or expired"),
    KeyState.UNAVAILABLE: (ChangeKind.UNAVAILABLE, "is unavailable: its key store is not connected"),
}
"""The state now -> the kind of change, and what is told."""


def _state(key: ChangedKey, old: Key, new: Key) -> Iterator[KeyChange]:
    if new.pending_deletion:
        if (old.state, _date(old.deletion_date)) == (new.state, _date(new.deletion_date)):
            return
        told = f"is deleted on {_day(new.deletion_date)}"
        if new.state == KeyState.PENDING_REPLICA_DELETION:
            told = "is deleted once its replicas are"
        if old.pending_deletion:
            told += f", {_day(old.deletion_date)} before"
        yield KeyChange(ChangeKind.DELETION_SCHEDULED, key, told, _deletion(old), _deletion(new))
    elif old.pending_deletion:
        told = f"deletion was cancelled; the key is {new.state.lower()}"
        yield KeyChange(ChangeKind.DELETION_CANCELLED, key, told, _deletion(old), _deletion(new))
    elif old.state != new.state:
        kind, told = _STATES.get(new.state, (ChangeKind.STATE, f"is {new.state}"))
        yield KeyChange(kind, key, f"{told}, {old.state} before", old.state, new.state)


def _deletion(key: Key) -> Mapping[str, str | None]:
    return {"state": key.state, "deletion_date": _time(key.deletion_date)}


def _multi_region(key: ChangedKey, old: MultiRegion | None, new: MultiRegion | None) -> Iterator[KeyChange]:
    was, now = old.primary_arn if old else "", new.primary_arn if new else ""
    if was != now:
        told = (
            f"the primary is in {key_region(now) or 'no Region'}, in {key_region(was) or 'no Region'} before"
        )
        yield KeyChange(ChangeKind.PRIMARY_MOVED, key, told, was or None, now or None)
        return  # what was a replica is the primary, and the reverse: that is no other change
    before, after = set(old.replica_arns if old else ()), set(new.replica_arns if new else ())
    parts = [
        f"{sign} {key_region(arn)}"
        for sign, arns in (("+", after - before), ("−", before - after))
        for arn in sorted(arns)
    ]
    if parts:
        yield KeyChange(ChangeKind.REPLICAS, key, ", ".join(parts), sorted(before), sorted(after))


# Rotation and tags


def _rotation(key: ChangedKey, old: KeyRotationStatus, new: KeyRotationStatus) -> Iterator[KeyChange]:
    """Rotation on or off, or its period, which KMS does not tell of a key that is disabled."""
    before, after = _rotation_words(old), _rotation_words(new)
    kind = None
    if old.enabled and not new.enabled:
        kind = ChangeKind.ROTATION_OFF
    elif new.enabled and not old.enabled:
        kind = ChangeKind.ROTATION_ON
    elif old.period_days and new.period_days and old.period_days != new.period_days:
        kind = ChangeKind.ROTATION_PERIOD
    if kind is not None:
        yield KeyChange(kind, key, f"{after}, {before} before", before, after)


def _rotation_words(status: KeyRotationStatus) -> str:
    if not status.enabled:
        return "off"
    return f"every {status.period_days} days" if status.period_days else "on"


def _tags(key: ChangedKey, old: Sequence[Tag], new: Sequence[Tag]) -> Iterator[KeyChange]:
    before, after = dict(old), dict(new)
    parts = []
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name), after.get(name)
        if was is None:
            parts.append(f"+ {name}={now}")
        elif now is None:
            parts.append(f"− {name}={was}")
        elif was != now:
            parts.append(f"{name}: {shown(was)} → {shown(now)}")
    if parts:
        yield KeyChange(ChangeKind.TAGS, key, parts[0] + _more(parts), before, after, tuple(parts[1:]))


def _more(parts: Sequence[object]) -> str:
    return f"; {len(parts) - 1} more" if len(parts) > 1 else ""


# Policies


def _policy(rewritten: list[ChangedKey], key: ChangedKey, old: str, new: str) -> Iterator[KeyChange]:
    arn = Arn.parse(key.arn)
    meaning = compared_meaning(old, new, account_id=arn.account, partition=arn.partition, key_arn=key.arn)
    values = policy_shape(old), policy_shape(new)
    if meaning.kind is MeaningKind.SAME:
        rewritten.append(key)
    elif meaning.kind is MeaningKind.UNDECIDED:
        told = "its text differs; whether its meaning does was not worked out"
        yield KeyChange(ChangeKind.POLICY_CHANGED, key, told, *values)
    elif meaning.kind is MeaningKind.OTHER:
        kind = ChangeKind.POLICY_CHANGED
        if meaning.widens or meaning.narrows:
            kind = ChangeKind.POLICY_WIDENED if meaning.widens else ChangeKind.POLICY_NARROWED
        effects = sorted(meaning.effects, key=lambda effect: not effect.widens)
        told, *details = (effect.sentence for effect in effects)
        yield KeyChange(kind, key, told + _more(effects), *values, tuple(details))


# Grants


def _grants(key: ChangedKey, old: Sequence[Grant], new: Sequence[Grant]) -> Iterator[KeyChange]:
    """Grants that mean the same are the same, whatever their ids; then those of one id are a changed one."""
    gone, added = _without_pairs(old, new), _without_pairs(new, old)
    by_id = {grant.grant_id: grant for grant in gone}
    for grant in added:
        was = by_id.pop(grant.grant_id, None)
        if was is None:
            yield KeyChange(ChangeKind.GRANT_ADDED, key, _grant_words(grant), None, _grant(grant))
        else:
            told = f"{_grant_words(grant)}; before: {_grant_words(was)}"
            yield KeyChange(ChangeKind.GRANT_CHANGED, key, told, _grant(was), _grant(grant))
    for grant in by_id.values():
        yield KeyChange(ChangeKind.GRANT_GONE, key, _grant_words(grant), _grant(grant), None)


def _without_pairs(grants: Sequence[Grant], others: Sequence[Grant]) -> list[Grant]:
    """The grants for which there is none among the others that means the same; each pairs once."""
    ids = {grant.grant_id for grant in others}
    left = Counter(map(_meaning, others))
    found = []
    # Grants that kept their id pair first, so that of two equal ones the newer is told.
    for grant in sorted(grants, key=lambda each: (each.grant_id not in ids, each.grant_id)):
        if left[_meaning(grant)]:
            left[_meaning(grant)] -= 1
        else:
            found.append(grant)
    return found


def _meaning(grant: Grant) -> object:
    return (
        grant.grantee,
        frozenset(grant.operations),
        grant.retiring,
        grant.issuing_account,
        _frozen(grant.constraints),
    )


def _frozen(value: Any) -> object:
    if isinstance(value, Mapping):
        return frozenset((name, _frozen(each)) for name, each in value.items())
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


def _grant_words(grant: Grant) -> str:
    name = f" ({grant.name})" if grant.name else ""
    under = " under constraints" if grant.constraints else ""
    return f"{grant.grantee or 'nobody'}: {', '.join(sorted(grant.operations))}{under}{name}"


def _grant(grant: Grant) -> Mapping[str, Any]:
    return {
        "grant_id": grant.grant_id,
        "grantee": grant.grantee,
        "operations": sorted(grant.operations),
        "constraints": grant.constraints,
        "retiring": grant.retiring,
    }
