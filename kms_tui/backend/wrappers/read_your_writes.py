"""A session reads its own writes: changes that KMS has confirmed, put into reads that do not show them yet.

A change counts from its own answer on. A later read that still tells what was there before is an older one:
it is given back with the change in it, and the change is *pending*, until a read agrees or ``SECONDS`` have
passed. A read that tells a third thing is somebody else's newer change, and stands as it is.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.kms.arn import key_id_of
from kms_tui.kms.change_effects import ALIAS_PART, MADE_PART, UNTOLD, ChangeEffect, Shape, effects_of
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.operations import is_mutating

SECONDS = 60.0
"""How long an older read is taken for one; most changes have spread after a few seconds."""
_FIRST_WAIT, _LAST_WAIT = 1.0, 8.0
"""Seconds until a key with pending changes is to be read again: each time twice as many."""
_REMEMBERED = 256
"""Answers kept, to know what was there before a change."""
_MALFORMED = (KeyError, TypeError, AttributeError)
"""What answers raise that lack what the API promises, as endpoints other than AWS give them."""
_READS = frozenset({"DescribeKey", "GetKeyRotationStatus", "ListResourceTags", "GetKeyPolicy"})


@dataclass(slots=True)
class _Change:
    effect: ChangeEffect
    region: str
    older: frozenset[Hashable] | None
    """What an older read may tell; None where that is not known: then anything else."""
    until: float
    is_seen: bool = False
    """An older read has come in: the change is shown as pending."""
    next_read: float = 0.0
    wait: float = _FIRST_WAIT

    def is_older(self, value: Hashable) -> bool:
        return self.older is None or value in self.older


class PendingChanges:
    """The changes of a session that may not have spread yet; all regions and threads share one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._changes: list[_Change] = []
        self._answers: OrderedDict[tuple[str, str, str], tuple[Shape, Shape]] = OrderedDict()

    def changed(self, region: str, operation: str, params: Shape, answer: Shape) -> None:
        """A mutating call has succeeded."""
        try:
            effects = effects_of(operation, params, answer)
        except _MALFORMED:
            return
        with self._lock:
            for effect in effects:
                self._expect(region, effect if effect.key_id else self._with_owner(region, effect))

    def _with_owner(self, region: str, effect: ChangeEffect) -> ChangeEffect:
        """A deleted alias belongs to the key that it named, where that was looked at."""
        name = effect.part.removeprefix(ALIAS_PART)
        _, answer = self._answers.get((region, "DescribeKey", name), ({}, {}))
        return effect._replace(key_id=str(answer.get("KeyMetadata", {}).get("KeyId", "")))

    def _expect(self, region: str, effect: ChangeEffect) -> None:
        same = [each for each in self._changes if _is_same(each, region, effect)]
        known = self._answers.get((region, effect.reads, effect.key_id))
        older: frozenset[Hashable] | None = None
        if known is not None:
            before = [each.older or frozenset() for each in same]
            older = frozenset().union(*before) | {each.effect.value for each in same}
            # A read may have told of the change before its own answer came: what was before is not known.
            older = ((older | {_told(effect, *known)}) - {effect.value, UNTOLD}) or None
        self._changes = [each for each in self._changes if each not in same]
        self._changes.append(_Change(effect, region, older, self._clock() + SECONDS))

    def read(self, region: str, operation: str, params: Shape, answer: Shape) -> Shape:
        """The answer of a reading call, with the changes in it that have not spread yet."""
        with self._lock:
            if self._changes:
                answer = self._with_changes(region, operation, params, answer)
            if operation in _READS and "Marker" not in params:
                self._remember((region, operation, key_id_of(str(params.get("KeyId", "")))), params, answer)
        return answer

    def _with_changes(self, region: str, operation: str, params: Shape, answer: Shape) -> Shape:
        now = self._clock()
        for change in list(self._changes):
            effect = change.effect
            if change.region != region or not effect.concerns(operation, params) or now >= change.until:
                continue
            told = _told(effect, params, answer)
            if told is UNTOLD:
                continue
            if told == effect.value or not change.is_older(told):
                self._changes.remove(change)
                continue
            answer = effect.put(params, answer)
            self._show(change)
        return answer

    def missing(self, region: str, operation: str, params: Shape) -> Shape | None:
        """The answer instead of NotFoundException, where the key was just made; else None."""
        with self._lock:
            now = self._clock()
            mine = [
                each
                for each in self._changes
                if each.region == region and now < each.until and each.effect.concerns(operation, params)
            ]
            made = next((each for each in mine if each.effect.part == MADE_PART), None)
            if made is None:
                return None
            self._show(made)
            answer: Shape = {}
            for change in mine:
                answer = change.effect.put(params, answer)
            return answer

    def _show(self, change: _Change) -> None:
        if not change.is_seen:
            change.is_seen, change.next_read = True, self._clock() + change.wait

    def _remember(self, key: tuple[str, str, str], params: Shape, answer: Shape) -> None:
        self._answers[key] = (params, answer)
        self._answers.move_to_end(key)
        while len(self._answers) > _REMEMBERED:
            self._answers.popitem(last=False)

    def words(self, region: str, key_id: str) -> str:
        """What of a key is pending ("disabled, tags"), or "" for nothing."""
        if not self._changes:
            return ""
        with self._lock:
            now = self._clock()
            mine = [
                each.effect.words
                for each in self._changes
                if each.is_seen and now < each.until and (each.region, each.effect.key_id) == (region, key_id)
            ]
        return ", ".join(dict.fromkeys(filter(None, mine)))

    def due(self) -> frozenset[str]:
        """The ids of keys to read again now; one whose time has passed is named a last time."""
        if not self._changes:
            return frozenset()
        with self._lock:
            now, due = self._clock(), set()
            for change in list(self._changes):
                over = now >= change.until
                if over:
                    self._changes.remove(change)
                if change.is_seen and change.effect.words and (over or now >= change.next_read):
                    due.add(change.effect.key_id)
                    change.wait = min(2 * change.wait, _LAST_WAIT)
                    change.next_read = now + change.wait
        return frozenset(due)


def _told(effect: ChangeEffect, params: Shape, answer: Shape) -> Hashable:
    try:
        return effect.get(params, answer)
    except _MALFORMED:
        return UNTOLD


def _is_same(change: _Change, region: str, effect: ChangeEffect) -> bool:
    mine, other = change.effect, effect
    # An alias belongs to no one key: repointed, it leaves the one and goes to the other.
    owners = mine.part.startswith(ALIAS_PART) or mine.key_id == other.key_id
    return change.region == region and mine.part == other.part and owners


class ReadYourWrites(Wrapper):
    """Puts the changes of this session into reads that are older than they; see ``PendingChanges``.

    All regions share one ``PendingChanges``.
    """

    def __init__(self, inner: Backend, pending: PendingChanges) -> None:
        super().__init__(inner)
        self.pending = pending

    def around(self, inner: Backend) -> Self:
        return type(self)(inner, self.pending)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            answer = self.inner.call(operation, params)
        except ServiceError as error:
            if error.code != "NotFoundException":
                raise
            missing = self.pending.missing(self.region, operation, params)
            if missing is None:
                raise
            return missing
        if is_mutating(operation):
            self.pending.changed(self.region, operation, params, answer)
            return answer
        return self.pending.read(self.region, operation, params, answer)
