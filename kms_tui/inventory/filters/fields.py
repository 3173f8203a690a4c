"""THE table of filter fields: what each takes, what it asks of a row, and the facts that it needs."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from kms_tui.inventory import words
from kms_tui.inventory.row import Concern, FactName, Row
from kms_tui.kms.facts import NOT_APPLICABLE, Absent, Denied, Fact, Known
from kms_tui.kms.keyspecs import KEY_SPECS
from kms_tui.kms.model import Key, KeyRotationStatus

Test = Callable[[Row], bool | None]
"""Whether a row passes; None where that is not known."""


@dataclass(frozen=True, slots=True)
class Field:
    """``compile`` makes the test for a value, or raises ValueError with a sentence about the value."""

    name: str
    help: str
    compile: Callable[[str, datetime], Test]
    needs: tuple[FactName, ...] = ()
    values: tuple[str, ...] = ()
    """What completion offers."""


_DESCRIBED = (FactName.DESCRIBED,)
_UNREADABLE = ("denied", "failed")


def _plain(text: str) -> str:
    """Case and separators do not count: "pending deletion", PendingDeletion and pending-deletion are one."""
    return re.sub(r"[\s_-]", "", text.lower())


def _alternatives(value: str, example: str) -> list[str]:
    wanted = [_plain(part) for part in value.split(",") if _plain(part)]
    if not wanted:
        raise ValueError(f"needs a value, such as {example}")
    return wanted


def _starts(word: str, wanted: str) -> bool:
    return word.startswith(wanted)


def _contains(word: str, wanted: str) -> bool:
    return wanted in word


def _one_of(
    values: tuple[str, ...],
    fact: Callable[[Row], Fact[Any]],
    words_of: Callable[[Any], Iterable[str]],
    *,
    raw: Callable[[Any], Hashable],
    matches: Callable[[str, str], bool] = _starts,
    also: tuple[str, ...] = (),
    not_applicable: tuple[str, ...] = (),
) -> Callable[[str, datetime], Test]:
    """A field with few values: any of several, by their beginnings, so that it answers while one types.

    ``raw`` is what a known value is remembered by, ``words_of`` all that it may be called.
    ``also`` are further words that are no mistake; ``denied`` and ``failed`` find the rows whose fact could
    not be read.
    """

    def compile_(value: str, _now: datetime) -> Test:
        wanted = _alternatives(value, values[0])
        known = {_plain(word) for word in (*values, *also, *not_applicable, *_UNREADABLE)}
        for each in wanted:
            if not any(matches(word, each) for word in known):
                raise ValueError(f'"{value}" is none of {", ".join(values)}')
        verdicts: dict[Hashable, bool] = {}
        unreadable = {word: word in wanted or None for word in _UNREADABLE}
        when_not_applicable = any(matches(word, each) for word in not_applicable for each in wanted)

        def test(row: Row) -> bool | None:
            value = fact(row)
            if value.__class__ is Known:
                name = raw(value.value)
                verdict = verdicts.get(name)
                if verdict is None:
                    called = [_plain(word) for word in words_of(value.value)]
                    verdict = any(matches(word, each) for word in called for each in wanted)
                    verdicts[name] = verdict
                return verdict
            if isinstance(value, Absent):
                return when_not_applicable if value is NOT_APPLICABLE else None
            return unreadable["denied" if isinstance(value, Denied) else "failed"]

        return test

    return compile_


def _described(row: Row) -> Fact[Key]:
    return row.described


_SPEC_WORDS = tuple(
    name for spec in KEY_SPECS.values() for name in (spec.name, spec.title, spec.family.value)
)
_USAGES = tuple(words.USAGE_WORDS.values())
_STATES = tuple(word.replace(" ", "-") for word in words.STATE_WORDS.values())


def _spec_words(key: Key) -> Iterable[str]:
    spec = KEY_SPECS.get(key.spec)
    return (key.spec, spec.title, spec.family.value) if spec else (key.spec,)


def _rotation_words(status: KeyRotationStatus) -> Iterable[str]:
    return ("on", f"{status.period_days}d") if status.enabled else ("off",)


_SPANS = {"h": 1 / 24, "d": 1, "w": 7, "mo": 30, "m": 30, "y": 365}
_SPAN = re.compile(r"([<>]?)=?\s*(\d+)\s*(h|d|w|mo|m|y)\Z")


def _age(value: str, example: str) -> tuple[bool, timedelta]:
    """Whether older (else younger) is asked for, and than what."""
    match = _SPAN.match(value.lower())
    if match is None:
        raise ValueError(f"needs a time, such as {example} (h, d, w, mo or y)")
    try:
        return match[1] != "<", timedelta(days=int(match[2]) * _SPANS[match[3]])
    except OverflowError as error:
        raise ValueError("is longer than any key has been there") from error


def _age_field(value: str, now: datetime) -> Test:
    older, span = _age(value, ">1y")

    def test(row: Row) -> bool | None:
        key = row.key
        if key is None or key.created is None:
            return None
        return (now - key.created > span) is older

    return test


def _unused_field(value: str, now: datetime) -> Test:
    """A key not seen since a too recent TrackingStartDate is undecided: it may have been used before that."""
    longer, span = _age(value, ">90d")

    def test(row: Row) -> bool | None:
        if row.last_usage is NOT_APPLICABLE:
            return False
        if not isinstance(row.last_usage, Known):
            return None
        usage = row.last_usage.value
        if usage.time is not None:
            return (now - usage.time > span) is longer
        if usage.tracking_start is not None and now - usage.tracking_start > span:
            return longer
        return None

    return test


def _expires_field(value: str, now: datetime) -> Test:
    later, span = _age(value if value[:1] in "<>" else f"<{value}", "<30d")

    def test(row: Row) -> bool | None:
        key = row.key
        if key is None:
            return None
        return key.valid_to is not None and (key.valid_to - now > span) is later

    return test


def _glob(value: str) -> Callable[[str], bool]:
    """A test of lower-case text: whole where the value has * or ?, else anywhere in it."""
    wanted = value.lower()
    if any(sign in wanted for sign in "*?["):
        return lambda text: fnmatchcase(text, wanted)
    return lambda text: wanted in text


def _needs_text(value: str, example: str) -> str:
    if not value:
        raise ValueError(f"needs a value, such as {example}")
    return value


def _tag_field(value: str, _now: datetime) -> Test:
    name, equals, wanted = _needs_text(value, "team=payments").lower().partition("=")
    any_value = not equals

    def test(row: Row) -> bool | None:
        if row.tags is NOT_APPLICABLE:
            return False
        if not isinstance(row.tags, Known):
            return None
        return any(
            fnmatchcase(tag.key.lower(), name) and (any_value or fnmatchcase(tag.value.lower(), wanted))
            for tag in row.tags.value
        )

    return test


def _name_field(value: str, _now: datetime) -> Test:
    matches = _glob(_needs_text(value, "orders-*").removeprefix("alias/"))
    return lambda row: any(matches(alias.lower()) for alias in row.aliases)


def _id_field(value: str, _now: datetime) -> Test:
    matches = _glob(_needs_text(value, "1234abcd"))
    return lambda row: matches(row.key_id)


def _description_field(value: str, _now: datetime) -> Test:
    matches = _glob(_needs_text(value, "payroll"))

    def test(row: Row) -> bool | None:
        key = row.key
        return None if key is None else matches(key.description.lower())

    return test


def _region_field(value: str, _now: datetime) -> Test:
    wanted = _needs_text(value, "eu-*").lower()
    verdicts: dict[str, bool] = {}

    def test(row: Row) -> bool:
        if row.region not in verdicts:
            verdicts[row.region] = any(fnmatchcase(row.region, each + "*") for each in wanted.split(","))
        return verdicts[row.region]

    return test


def _manager_field(value: str, _now: datetime) -> Test:
    wanted = _alternatives(value, "customer")
    managers = [word for word in ("customer", "aws") if any(_starts(word, each) for each in wanted)]
    if not managers:
        raise ValueError(f'"{value}" is none of customer, aws')
    if len(managers) == 2:
        return lambda row: True
    aws = managers == ["aws"]
    return lambda row: row.aws is aws


_ATTENTION_WORDS = {concern: _plain(concern.name) for concern in Concern if concern.needs_attention}


def _attention_field(value: str, _now: datetime) -> Test:
    wanted = _alternatives(value, "any")
    healthy = any(_starts("none", each) for each in wanted)
    concerns = {
        concern
        for concern, word in _ATTENTION_WORDS.items()
        if any(each in word or _starts("any", each) for each in wanted)
    }
    if not concerns and not healthy:
        raise ValueError(f'"{value}" is none of any, none, {", ".join(_ATTENTION_VALUES)}')

    def test(row: Row) -> bool | None:
        if row.concern is Concern.HEALTHY:
            # Healthy as far as it is known: rotation may still turn out to be off.
            return healthy if not row.wants(FactName.ROTATION) else None
        return None if row.concern is Concern.UNKNOWN else row.concern in concerns

    return test


_ATTENTION_VALUES = tuple(concern.name.lower().replace("_", "-") for concern in _ATTENTION_WORDS)

FIELDS: Mapping[str, Field] = {
    field.name: field
    for field in (
        Field(
            "state",
            "the key's state",
            _one_of(
                _STATES,
                _described,
                lambda key: (words.STATE_WORDS.get(key.state, key.state),),
                raw=lambda key: key.state,
            ),
            _DESCRIBED,
            _STATES,
        ),
        Field(
            "spec",
            "the kind of key material, or its family",
            _one_of(
                ("rsa", "aes", "ecc", "hmac", "ml-dsa", "ml-kem"),
                _described,
                _spec_words,
                raw=lambda key: key.spec,
                matches=_contains,
                also=_SPEC_WORDS,
            ),
            _DESCRIBED,
            ("aes", "rsa", "ecc", "hmac", "ml-dsa", "ml-kem", *(spec.title for spec in KEY_SPECS.values())),
        ),
        Field(
            "usage",
            "what the key is for",
            _one_of(
                _USAGES,
                _described,
                lambda key: (words.USAGE_WORDS.get(key.usage, key.usage), key.usage),
                raw=lambda key: key.usage,
                also=tuple(words.USAGE_WORDS),
            ),
            _DESCRIBED,
            _USAGES,
        ),
        Field(
            "rotation",
            "automatic rotation; none: the key cannot rotate by itself",
            _one_of(
                ("on", "off"),
                lambda row: row.rotation,
                _rotation_words,
                raw=lambda status: (status.enabled, status.period_days),
                not_applicable=("none",),
            ),
            (FactName.DESCRIBED, FactName.ROTATION),
            ("on", "off", "none", "denied"),
        ),
        Field("tag", "a tag: key, or key=value; * stands for anything", _tag_field, (FactName.TAGS,)),
        Field(
            "unused",
            "not used for longer than this (reads GetKeyLastUsage, 5 a second)",
            _unused_field,
            (FactName.LAST_USAGE,),
            (">30d", ">90d", ">1y"),
        ),
        Field("age", "made longer ago than this", _age_field, _DESCRIBED, (">1y", ">2y", "<7d")),
        Field(
            "expires",
            "imported material that expires within this time",
            _expires_field,
            _DESCRIBED,
            ("<30d",),
        ),
        Field(
            "attention",
            "why a key needs someone",
            _attention_field,
            (FactName.DESCRIBED, FactName.ROTATION),
            ("any", "none", *_ATTENTION_VALUES),
        ),
        Field("manager", "who manages the key", _manager_field, (), ("customer", "aws")),
        Field("region", "the key's region; * stands for anything", _region_field),
        Field("name", "an alias of the key; * stands for anything", _name_field),
        Field("id", "the key id", _id_field),
        Field("description", "the key's description", _description_field, _DESCRIBED),
    )
}
