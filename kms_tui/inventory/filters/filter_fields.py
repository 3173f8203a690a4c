"""THE table of filter fields: their values, tests and facts; and completion from the table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from kms_tui.inventory import cells
from kms_tui.inventory.filters import value_tests
from kms_tui.inventory.filters.syntax import split
from kms_tui.inventory.filters.value_tests import RowTest, Verdict, WordChoice, alternatives, plain
from kms_tui.inventory.row import FactName
from kms_tui.inventory.row_class import Reading, RowClass
from kms_tui.inventory.row_health import FINDING_WORDS, HealthSeverity
from kms_tui.kms.keyspecs import KEY_SPECS, Family


class FilterField(NamedTuple):
    """``compile`` makes the test for a value; ValueError explains a wrong value."""

    name: str
    help: str
    compile: Callable[[str, datetime], RowTest]
    needs: tuple[FactName, ...] = ()
    values: tuple[str, ...] = ()
    """Values that completion offers."""


_DESCRIBED = (FactName.DESCRIBED,)
_ROTATION = (FactName.DESCRIBED, FactName.ROTATION)
_JUDGED = (*_ROTATION, FactName.POLICY)

_STATES = tuple(word.replace(" ", "-") for word in cells.STATE_WORDS.values())
_USAGES = tuple(cells.USAGE_WORDS.values())
_FAMILIES = ("aes", *(family.value for family in Family if family is not Family.SYMMETRIC))
_TITLES = tuple(spec.title.replace(" ", "-") for spec in KEY_SPECS.values())


def _described(row_class: RowClass) -> Reading:
    return row_class.described


def _spec_words(row_class: RowClass) -> Iterable[str]:
    spec = KEY_SPECS.get(row_class.spec)
    return (spec.name, spec.title, spec.family.value) if spec else (row_class.spec,)


def _usage_words(row_class: RowClass) -> Iterable[str]:
    return (cells.USAGE_WORDS.get(row_class.usage, row_class.usage), row_class.usage)


def _rotation_words(row_class: RowClass) -> Iterable[str]:
    return ("on", f"{row_class.rotation_days}d") if row_class.rotation_days else ("off",)


_state = WordChoice(
    _STATES, _described, lambda row_class: (cells.STATE_WORDS.get(row_class.state, row_class.state),)
)
_spec = WordChoice(
    (*_FAMILIES, *_TITLES), _described, _spec_words, also=(*KEY_SPECS, Family.SYMMETRIC.value), anywhere=True
)
_usage = WordChoice(_USAGES, _described, _usage_words, also=tuple(cells.USAGE_WORDS))
_rotation = WordChoice(
    ("on", "off", "none"),
    lambda row_class: row_class.rotation,
    _rotation_words,
    also=tuple(f"{days}d" for days in range(90, 2561)),
    not_applicable=("none",),
)

_SEVERITIES = tuple(HealthSeverity)
_ATTENTION = ("any", "none", *_SEVERITIES, *FINDING_WORDS)


def _attention(value: str, _now: datetime) -> RowTest:
    """What the health checks found: anything, nothing, a severity, or one check by its id.

    Where a check is not judged yet, a key is undecided unless another finding decides.
    """
    wanted = alternatives(value, "any")
    healthy = any("none".startswith(each) for each in wanted)
    found_any = any("any".startswith(each) for each in wanted)
    severities = {severity for severity in _SEVERITIES if any(severity.startswith(each) for each in wanted)}
    checks = {check for check in FINDING_WORDS if any(each in plain(check) for each in wanted)}
    if not (healthy or found_any or severities or checks):
        raise ValueError(f'"{value}" is none of {", ".join(_ATTENTION)}')

    def of_class(row_class: RowClass) -> Verdict:
        health = row_class.health
        for finding in health.findings:
            if found_any or finding.severity in severities or finding.check in checks:
                return True
        if health.findings and not (severities or checks):
            return False
        if not health.is_whole:
            return None
        return healthy and not health.findings

    return RowTest(of_class)


def _manager(value: str, _now: datetime) -> RowTest:
    wanted = alternatives(value, "customer")
    managers = {
        aws
        for aws, word in ((False, "customer"), (True, "aws"))
        if any(word.startswith(each) for each in wanted)
    }
    if not managers:
        raise ValueError(f'"{value}" is none of customer, aws')
    return RowTest(lambda row_class: row_class.aws in managers)


# fmt: off
FIELDS: Mapping[str, FilterField] = {
    field.name: field
    for field in (
        FilterField("state", "the key's state", _state, _DESCRIBED, _STATES),
        FilterField("spec", "the kind of key material", _spec, _DESCRIBED, (*_FAMILIES, *_TITLES)),
        FilterField("usage", "what the key is for", _usage, _DESCRIBED, _USAGES),
        FilterField("rotation", "automatic rotation", _rotation, _ROTATION, ("on", "off", "none", "denied")),
        FilterField("tag", "a tag: key, or key=value", value_tests.tag, (FactName.TAGS,)),
        FilterField("unused", "not used for this long; reads GetKeyLastUsage at 5 a second", value_tests.unused, (FactName.LAST_USAGE,), (">30d", ">90d", ">1y")),
        FilterField("age", "created this long ago", value_tests.age, _DESCRIBED, (">1y", ">2y", "<7d")),
        FilterField("expires", "imported material expires within this time", value_tests.expires, _DESCRIBED, ("<30d", "<90d")),
        FilterField("attention", "what the health checks found", _attention, _JUDGED, _ATTENTION),
        FilterField("manager", "who manages the key", _manager, (), ("customer", "aws")),
        FilterField("region", "the key's region", value_tests.region),
        FilterField("account", "the key's account, by its name or id", value_tests.account),
        FilterField("name", "an alias of the key", value_tests.name),
        FilterField("id", "the key id", value_tests.key_id),
        FilterField("description", "the key's description", value_tests.description, _DESCRIBED),
    )
}
# fmt: on


class Candidate(NamedTuple):
    """Replace ``start`` to ``end`` of the filter with ``text``; ``help`` says what it means."""

    text: str
    help: str
    start: int
    end: int


def complete(text: str, cursor: int, known: Mapping[str, Iterable[str]] | None = None) -> list[Candidate]:
    """Candidates for the term that ends at the cursor, the best first.

    ``known`` adds values of this account to a field ("region", "tag").
    """
    terms = split(text[:cursor])
    term = terms[-1] if terms and terms[-1].end == cursor else None
    if term is None:
        return [Candidate(f"{field.name}:", field.help, cursor, cursor) for field in FIELDS.values()]
    if not term.field:
        start = term.start + term.negated
        word = text[start:cursor].lower()
        return [
            Candidate(f"{field.name}:", field.help, start, cursor)
            for field in FIELDS.values()
            if field.name.startswith(word)
        ]
    field = FIELDS.get(term.field)
    if field is None:
        return []
    head, comma, last = term.value.rpartition(",")
    start = term.value_start + len(head) + len(comma)
    values = dict.fromkeys([*field.values, *(known or {}).get(field.name, ())])
    return [
        Candidate(_quoted(value), "", start, cursor)
        for value in values
        if value.lower().startswith(last.lower()) and value.lower() != last.lower()
    ]


def _quoted(value: str) -> str:
    return f'"{value}"' if any(character.isspace() for character in value) else value
