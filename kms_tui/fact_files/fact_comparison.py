"""What changed from one fact file to another: keys, aliases, and every fact of the keys that are in both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from kms_tui.counts import in_words
from kms_tui.fact_files.changes import ChangedKey, ChangeKind, KeyChange, NotCompared, in_order
from kms_tui.fact_files.fact_file import FactFile, FactFileError, KeyFacts, ListedRegion, unread_state
from kms_tui.fact_files.key_comparison import key_changes
from kms_tui.kms.arn import AccountRegion, short_alias
from kms_tui.kms.facts import Fact, Known

NO_ALIASES: Mapping[str, str] = {}

_NAMED = 3
"""Regions that a refusal names of each side."""


@dataclass(frozen=True, slots=True)
class FactChanges:
    """``changes`` in order, and what they do not cover.

    ``only_then`` and ``only_now`` are Regions of one file alone; ``rewritten`` are keys whose policy is
    written otherwise and means the same.
    """

    then: datetime
    now: datetime
    places: tuple[AccountRegion, ...]
    keys: int
    """The keys that were compared, and those that are new or gone."""
    changes: tuple[KeyChange, ...]
    not_compared: tuple[NotCompared, ...]
    only_then: tuple[AccountRegion, ...]
    only_now: tuple[AccountRegion, ...]
    rewritten: tuple[ChangedKey, ...]

    @property
    def whole(self) -> bool:
        """Whether all that either file covers was compared."""
        return not (self.not_compared or self.only_then or self.only_now)


def compared(old: FactFile, new: FactFile) -> FactChanges:
    """What changed. FactFileError where the files have no Region of an account in common."""
    then, now = ({region.place: region for region in each.regions} for each in (old, new))
    require_common(then, now)
    both = tuple(sorted(then.keys() & now.keys()))
    comparing = _Comparing()
    keys_then, keys_now = _by_place(old), _by_place(new)
    for place in both:
        comparing.region(then[place], now[place], keys_then[place], keys_now[place])
    return FactChanges(
        old.time,
        new.time,
        both,
        comparing.keys,
        in_order(comparing.changes),
        tuple(comparing.not_compared),
        tuple(sorted(then.keys() - now.keys())),
        tuple(sorted(now.keys() - then.keys())),
        tuple(comparing.rewritten),
    )


def require_common(then: Collection[AccountRegion], now: Collection[AccountRegion]) -> None:
    """FactFileError where a snapshot and what it is compared with have no Region of an account in common."""
    if set(then).isdisjoint(now):
        was, is_now = (_some(each) for each in (then, now))
        raise FactFileError(
            f"There is nothing to compare: the snapshot is of {was}, the other of {is_now}.",
            next_step="Compare with the same account and Region.",
        )


def _some(places: Collection[AccountRegion]) -> str:
    names = [str(place) for place in sorted(places)]
    return in_words(names, _NAMED) or "no Region"


def _by_place(facts: FactFile) -> Mapping[AccountRegion, dict[str, KeyFacts]]:
    found: defaultdict[AccountRegion, dict[str, KeyFacts]] = defaultdict(dict)
    for key in facts.keys:
        found[key.place][key.arn] = key
    return found


class _Comparing:
    """Compares Regions, one after the other."""

    def __init__(self) -> None:
        self.keys = 0
        self.changes: list[KeyChange] = []
        self.not_compared: list[NotCompared] = []
        self.rewritten: list[ChangedKey] = []

    def region(
        self, then: ListedRegion, now: ListedRegion, old: Mapping[str, KeyFacts], new: Mapping[str, KeyFacts]
    ) -> None:
        place = then.place
        listed = self._known("keys", place, then.keys, now.keys)
        self.keys += len(old.keys() | new.keys() if listed else old.keys() & new.keys())
        if listed:
            self.changes += map(_gone, (old[arn] for arn in old.keys() - new.keys()))
            self.changes += map(_added, (new[arn] for arn in new.keys() - old.keys()))
        if self._known("aliases", place, then.aliases, now.aliases):
            self.changes += _aliases(old, new, listed=listed)
        targets = _targets(new.values())
        for arn in sorted(old.keys() & new.keys()):
            key = _named(new[arn], old[arn], targets)
            self.changes += key_changes(key, old[arn], new[arn], self.rewritten)
            self._note_unknown(key, old[arn], new[arn])

    def _known(self, what: str, place: AccountRegion, then: Fact[int], now: Fact[int]) -> bool:
        if isinstance(then, Known) and isinstance(now, Known):
            return True
        self.not_compared.append(NotCompared(what, place, unread_state(then), unread_state(now)))
        return False

    def _note_unknown(self, key: ChangedKey, old: KeyFacts, new: KeyFacts) -> None:
        states = dict(new.facts())
        for name, fact in old.facts():
            then, now = unread_state(fact), unread_state(states[name])
            if (then or now) and name != "aliases":  # aliases are compared by Region
                self.not_compared.append(NotCompared(name, key.place, then, now, key))


def _named(
    key: KeyFacts, before: KeyFacts | None = None, targets: Mapping[str, str] = NO_ALIASES
) -> ChangedKey:
    """A key by the alias it has now, else by one that it had and that names no other key, else by its id."""
    if before is None or _alias_names(key):
        return ChangedKey(key.arn, key.name)
    former = [name for name in _alias_names(before) if name not in targets]
    return ChangedKey(key.arn, short_alias(former[0]) if former else key.name)


def _alias_names(key: KeyFacts) -> tuple[str, ...]:
    return key.aliases.value if isinstance(key.aliases, Known) else ()


def _gone(old: KeyFacts) -> KeyChange:
    told = "is not listed any more"
    before = old.described.value if isinstance(old.described, Known) else None
    if before is not None and before.pending_deletion and before.deletion_date is not None:
        told += f": its deletion was scheduled for {before.deletion_date:%Y-%m-%d}"
    return KeyChange(ChangeKind.KEY_GONE, _named(old), told, _summary(old), None)


def _added(new: KeyFacts) -> KeyChange:
    words = []
    if isinstance(new.described, Known):
        key = new.described.value
        words = [key.spec, key.usage, key.state, *(["AWS-managed"] if key.is_aws_managed else [])]
    told = ", ".join([*words, *_alias_names(new)]) or "is new"
    return KeyChange(ChangeKind.KEY_ADDED, _named(new), told, None, _summary(new))


def _summary(key: KeyFacts) -> Mapping[str, object]:
    found: dict[str, object] = {
        "aliases": list(key.aliases.value) if isinstance(key.aliases, Known) else None
    }
    if isinstance(key.described, Known):
        described = key.described.value
        found |= {"spec": described.spec, "usage": described.usage, "state": described.state}
    return found


def _aliases(
    old: Mapping[str, KeyFacts], new: Mapping[str, KeyFacts], *, listed: bool
) -> Iterator[KeyChange]:
    """Aliases of one Region that moved, are new or gone; those of a key that is itself new or gone are told
    with it.
    """
    before, after = _targets(old.values()), _targets(new.values())
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name), after.get(name)
        if was == now:
            continue
        if was is not None and now is not None:
            told = f"{name} names this key, {_label(was, old, new)} before"
            yield KeyChange(ChangeKind.ALIAS_MOVED, _named(new[now]), told, was, now)
        elif now is not None and (now in old or not listed):
            yield KeyChange(ChangeKind.ALIAS_ADDED, _named(new[now]), name, None, now)
        elif was is not None and (was in new or not listed):
            key = _named(new.get(was, old[was]), old[was], after)
            yield KeyChange(ChangeKind.ALIAS_DELETED, key, name, was, None)


def _targets(keys: Iterable[KeyFacts]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key in keys:
        found |= dict.fromkeys(_alias_names(key), key.arn)
    return found


def _label(arn: str, old: Mapping[str, KeyFacts], new: Mapping[str, KeyFacts]) -> str:
    """Another key in a sentence: by an alias that it has now, else by its id."""
    return new.get(arn, old[arn]).name
