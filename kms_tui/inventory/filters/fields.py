"""THE table of filter fields: what each takes, what it asks of a row, and the facts that it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from kms_tui.inventory import words
from kms_tui.inventory.filters import texts, times
from kms_tui.inventory.filters.choice import Choice, alternatives, plain
from kms_tui.inventory.filters.verdict import Test, Verdict
from kms_tui.inventory.kind import Concern, Kind, Reading
from kms_tui.inventory.row import FactName
from kms_tui.kms.keyspecs import KEY_SPECS, Family


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
_ROTATION = (FactName.DESCRIBED, FactName.ROTATION)

_STATES = tuple(word.replace(" ", "-") for word in words.STATE_WORDS.values())
_USAGES = tuple(words.USAGE_WORDS.values())
_FAMILIES = ("aes", *(family.value for family in Family if family is not Family.SYMMETRIC))
_TITLES = tuple(spec.title.replace(" ", "-") for spec in KEY_SPECS.values())


def _described(kind: Kind) -> Reading:
    return kind.described


def _spec_words(kind: Kind) -> Iterable[str]:
    spec = KEY_SPECS.get(kind.spec)
    return (spec.name, spec.title, spec.family.value) if spec else (kind.spec,)


def _usage_words(kind: Kind) -> Iterable[str]:
    return (words.USAGE_WORDS.get(kind.usage, kind.usage), kind.usage)


def _rotation_words(kind: Kind) -> Iterable[str]:
    return ("on", f"{kind.rotation_days}d") if kind.rotation_days else ("off",)


_state = Choice(_STATES, _described, lambda kind: (words.STATE_WORDS.get(kind.state, kind.state),))
_spec = Choice(
    (*_FAMILIES, *_TITLES),
    _described,
    _spec_words,
    also=(*KEY_SPECS, Family.SYMMETRIC.value),
    anywhere=True,
)
_usage = Choice(_USAGES, _described, _usage_words, also=tuple(words.USAGE_WORDS))
_rotation = Choice(
    ("on", "off", "none"),
    lambda kind: kind.rotation,
    _rotation_words,
    also=tuple(f"{days}d" for days in range(90, 2561)),
    not_applicable=("none",),
)

_CONCERNS = {
    concern: concern.name.lower().replace("_", "-") for concern in Concern if concern.needs_attention
}
_ATTENTION = ("any", "none", *_CONCERNS.values())


def _attention(value: str, _now: datetime) -> Test:
    """Why a key needs someone. A key that looks healthy is undecided while its rotation is not known."""
    wanted = alternatives(value, "any")
    healthy = any("none".startswith(each) for each in wanted)
    concerns = {
        concern
        for concern, word in _CONCERNS.items()
        if any(each in plain(word) or "any".startswith(each) for each in wanted)
    }
    if not concerns and not healthy:
        raise ValueError(f'"{value}" is none of {", ".join(_ATTENTION)}')

    def of_kind(kind: Kind) -> Verdict:
        if kind.concern is Concern.UNKNOWN:
            return None
        if kind.concern is not Concern.HEALTHY:
            return kind.concern in concerns
        if kind.rotation is Reading.PENDING:
            return None if healthy or Concern.ROTATION_OFF in concerns else False
        return healthy

    return Test(of_kind)


def _manager(value: str, _now: datetime) -> Test:
    wanted = alternatives(value, "customer")
    managers = {
        aws
        for aws, word in ((False, "customer"), (True, "aws"))
        if any(word.startswith(each) for each in wanted)
    }
    if not managers:
        raise ValueError(f'"{value}" is none of customer, aws')
    return Test(lambda kind: kind.aws in managers)


FIELDS: Mapping[str, Field] = {
    field.name: field
    for field in (
        Field("state", "the key's state", _state, _DESCRIBED, _STATES),
        Field("spec", "the kind of key material", _spec, _DESCRIBED, (*_FAMILIES, *_TITLES)),
        Field("usage", "what the key is for", _usage, _DESCRIBED, _USAGES),
        Field("rotation", "automatic rotation", _rotation, _ROTATION, ("on", "off", "none", "denied")),
        Field("tag", "a tag: key, or key=value", texts.tag, (FactName.TAGS,)),
        Field(
            "unused",
            "not used for so long; reads GetKeyLastUsage at 5 a second",
            times.unused,
            (FactName.LAST_USAGE,),
            (">30d", ">90d", ">1y"),
        ),
        Field("age", "made so long ago", times.age, _DESCRIBED, (">1y", ">2y", "<7d")),
        Field("expires", "imported material expires within", times.expires, _DESCRIBED, ("<30d", "<90d")),
        Field("attention", "why a key needs someone", _attention, _ROTATION, _ATTENTION),
        Field("manager", "who manages the key", _manager, (), ("customer", "aws")),
        Field("region", "the key's region", texts.region),
        Field("name", "an alias of the key", texts.name),
        Field("id", "the key id", texts.key_id),
        Field("description", "the key's description", texts.description, _DESCRIBED),
    )
}
