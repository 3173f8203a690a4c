"""Baselines: findings that someone answers for, each with a reason and a last day.

    [[accepted]]
    check = "rotation-off"          # the id of a check
    key = "alias/test-*"            # an ARN of a key or alias, alias/NAME, an account; * ? [] as in a shell
    owner = "Kim"
    reason = "only tests use it"
    expires = 2027-03-31            # the last day

TOML, YAML or JSON, by the ending of the file's name; TOML or JSON where it has none. An entry of which
something is wrong accepts nothing, and is told by file and line; the others hold.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fnmatch import fnmatchcase, translate
from functools import partial
from pathlib import Path
from typing import Any

from kms_tui.evidence.health.checks import CHECKS
from kms_tui.evidence.health.health_report import Acceptance, Gap, HealthFinding, KeyName, Report, StrayEntry
from kms_tui.kms.arn import ALIAS_PREFIX, AccountRegion, Arn, alias_arn, is_account_id
from kms_tui.kms.errors import ConfigurationError
from kms_tui.seed.seed_document import SeedDocument, SeedError, alike, ended
from kms_tui.seed.seed_text import read_bytes, read_file
from kms_tui.visible import visible

_ENDINGS = (".toml", ".yaml", ".yml", ".json")
_MEMBERS = ("check", "key", "owner", "reason", "expires")
_PLACEHOLDER = "FILL IN"
_TERM = timedelta(days=90)
"""For how long a new baseline accepts."""
_LONGEST = 2_000
"""Characters of a member."""
_WILD = re.compile(r"[*?\[]")
_PLACE_PARTS = 6
"""Of an ARN, between colons."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a baseline; ``where`` is its file and line."""

    check: str
    key: str
    acceptance: Acceptance
    where: str
    pattern: re.Pattern[str] | None = field(repr=False)
    """None for the ARN of one key, and for an account."""

    def matches(self, names: Sequence[str], account: str) -> bool:
        """Whether it is about a key of these ``names``: its ARN, its aliases, and theirs."""
        if self.pattern is None:
            return self.key in (account, names[0])
        return any(self.pattern.match(name) for name in names)

    def may_be_in(self, places: Sequence[AccountRegion]) -> bool:
        """Whether a key of it may be in one of these accounts and Regions."""
        if is_account_id(self.key):
            return any(place.account in ("", self.key) for place in places)
        if not self.key.startswith("arn:"):
            return bool(places)
        region, account = self.key.split(":", _PLACE_PARTS - 1)[3:5]
        return any(
            fnmatchcase(place.region, region) and (not place.account or fnmatchcase(place.account, account))
            for place in places
        )


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a file accepts on a day. ``problems`` are sentences about entries that are wrong."""

    entries: tuple[Entry, ...]
    today: date
    problems: tuple[str, ...] = ()

    def applied_to(self, report: Report) -> tuple[Report, tuple[str, ...]]:
        """The report with its accepted findings marked and with entries for other places, and remarks on
        entries that accept nothing any more.
        """
        index = _Index(entry for entry in self.entries if not self._is_expired(entry))
        used: set[str] = set()
        findings = []
        for finding in report.findings:
            entry = index.find(finding.check.id, finding.key)
            if entry is not None:
                used.add(entry.where)
                finding = replace(finding, accepted=entry.acceptance)
            findings.append(finding)
        marked = replace(_with_findings(report, tuple(findings)), strays=self._strays(report))
        return marked, tuple(self._remarks(report, used))

    def _strays(self, report: Report) -> tuple[StrayEntry, ...]:
        places = [each.place for each in report.places]
        return tuple(
            StrayEntry(entry.where, entry.key)
            for entry in self.entries
            if not self._is_expired(entry) and not entry.may_be_in(places)
        )

    def _is_expired(self, entry: Entry) -> bool:
        return entry.acceptance.expires < self.today

    def _remarks(self, report: Report, used: set[str]) -> Iterator[str]:
        asked = {tally.check.id for tally in report.tallies}
        places = [each.place for each in report.places]
        unknown = _Unknown(report.gaps)
        for entry in self.entries:
            if self._is_expired(entry):
                yield f"{entry.where}: it expired on {entry.acceptance.expires} and accepts nothing any more."
            elif (
                entry.where not in used
                and entry.check in asked
                and entry.may_be_in(places)
                and not unknown.has(entry)
            ):
                yield f"{entry.where}: nothing is found any more that it accepts; take it out."


class _Unknown:
    """What a report does not know, to be asked for many entries."""

    def __init__(self, gaps: Sequence[Gap]) -> None:
        self._exact: set[tuple[str, str]] = set()
        self._names: dict[str, list[tuple[Sequence[str], str]]] = defaultdict(list)
        self._places: list[AccountRegion] = []
        for gap in gaps:
            key = gap.key
            if not key.arn:
                self._places.append(AccountRegion(key.account, key.region))
                continue
            names = _names(key)
            for check in gap.checks:
                self._exact |= {(check.id, key.arn), (check.id, key.account)}
                self._names[check.id].append((names, key.account))

    def has(self, entry: Entry) -> bool:
        """Whether an entry may be about a key that is not known, or of a Region that was not listed."""
        if (entry.check, entry.key) in self._exact or entry.may_be_in(self._places):
            return True
        if entry.pattern is None:
            return False
        return any(entry.matches(names, account) for names, account in self._names[entry.check])


def _names(key: KeyName) -> tuple[str, ...]:
    """The ARN of a key, its aliases, and their ARNs."""
    aliases = [ALIAS_PREFIX + alias for alias in key.aliases]
    try:
        arn = Arn.parse(key.arn)
    except ValueError:
        return (key.arn, *aliases)
    arns = (alias_arn(arn.partition, arn.region, arn.account, alias) for alias in aliases)
    return (key.arn, *aliases, *arns)


class _Index:
    """Finds the entry for a finding: those that name one key are looked up, patterns are tried."""

    def __init__(self, entries: Iterator[Entry]) -> None:
        self._exact: dict[tuple[str, str], Entry] = {}
        self._patterns: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            if entry.pattern is None:
                self._exact[entry.check, entry.key] = entry
            else:
                self._patterns[entry.check].append(entry)

    def find(self, check: str, key: KeyName) -> Entry | None:
        exact = self._exact.get((check, key.arn)) or self._exact.get((check, key.account))
        if exact is not None or check not in self._patterns:
            return exact
        names = _names(key)
        return next((entry for entry in self._patterns[check] if entry.matches(names, key.account)), None)


def _with_findings(report: Report, findings: tuple[HealthFinding, ...]) -> Report:
    """The report with these findings, and the numbers of those that are accepted."""
    accepted: dict[tuple[AccountRegion, str], int] = defaultdict(int)
    of_check: dict[str, int] = defaultdict(int)
    for finding in findings:
        if finding.accepted is not None:
            accepted[AccountRegion(finding.key.account, finding.key.region), finding.check.id] += 1
            of_check[finding.check.id] += 1
    return replace(
        report,
        findings=findings,
        tallies=tuple(replace(each, accepted=of_check[each.check.id]) for each in report.tallies),
        places=tuple(
            replace(
                each,
                tallies=tuple(
                    replace(tally, accepted=accepted[each.place, tally.check.id]) for tally in each.tallies
                ),
            )
            for each in report.places
        ),
    )


# Reading


def read_baseline(path: Path, today: date) -> Baseline:
    """The baseline of a file. Raises KmsTuiError for a file that cannot be read at all."""
    if path.suffix.lower() not in _ENDINGS:
        raise ConfigurationError(f"{path} is no baseline: its name must end in {', '.join(_ENDINGS)}.")
    return _baseline(partial(read_file, path), today)


def baseline_in(content: bytes, name: str, today: date) -> Baseline:
    """The baseline in the bytes of a text, in TOML or JSON; ``name`` stands for it in sentences. Raises
    KmsTuiError for what is none.
    """
    return _baseline(partial(read_bytes, content, name, is_toml=True), today)


def _baseline(read: Callable[[], SeedDocument], today: date) -> Baseline:
    try:
        document = read()
    except SeedError as error:
        raise ConfigurationError(" ".join(error.sentences)) from error
    return _Reader(document, today).whole()


class _Reader:
    """Reads the entries of a document, and notes what is wrong."""

    def __init__(self, document: SeedDocument, today: date) -> None:
        self._document = document
        self._today = today
        self._problems: list[str] = []
        self._seen: dict[tuple[str, str], str] = {}

    def whole(self) -> Baseline:
        data = self._document.data
        if not isinstance(data, Mapping) or not isinstance(data.get("accepted"), list):
            raise ConfigurationError(f"{self._document.name} is no baseline: it has no list named accepted.")
        for name in data:
            if name != "accepted":
                self._problem((name,), f"there is no such member{alike(name, ['accepted'])}")
        entries = [self._entry(place, each) for place, each in enumerate(data["accepted"])]
        return Baseline(tuple(filter(None, entries)), self._today, tuple(self._problems))

    def _problem(self, path: tuple[str | int, ...], sentence: str) -> None:
        self._problems.append(f"{self._document.place(path)}: {ended(sentence)}")

    def _entry(self, place: int, data: Any) -> Entry | None:
        at = ("accepted", place)
        if not isinstance(data, Mapping):
            self._problem(at, f"an entry has the members {', '.join(_MEMBERS)}")
            return None
        before = len(self._problems)
        for name in data:
            if name not in _MEMBERS:
                self._problem((*at, name), f"there is no such member{alike(name, _MEMBERS)}")
        texts = {name: self._text(at, data, name) for name in _MEMBERS}
        check, key = texts["check"], texts["key"]
        known = [each.id for each in CHECKS]
        if check and check not in known:
            self._problem((*at, "check"), f"there is no check {check!r}{alike(check, known)}")
        if key and (fault := _key_fault(key)):
            self._problem((*at, "key"), fault)
        expires = self._day(at, texts["expires"])
        where = self._document.place(at)
        if check and key:
            first = self._seen.setdefault((check, key), where)
            if first != where:
                self._problem(at, f"the same check and key are accepted above, in {first}")
        if expires is None or len(self._problems) > before:
            return None
        is_pattern = not is_account_id(key) and (not key.startswith("arn:") or bool(_WILD.search(key)))
        is_pattern |= f":{ALIAS_PREFIX}" in key
        pattern = re.compile(translate(key)) if is_pattern else None
        acceptance = Acceptance(texts["owner"], texts["reason"], expires)
        return Entry(check, key, acceptance, where, pattern)

    def _text(self, at: tuple[str | int, ...], data: Mapping[str, Any], name: str) -> str:
        """A member's text; "" where it is wrong, which is noted."""
        value = data.get(name)
        if value is None:
            self._problem(at, f"it has no {name}")
        elif not isinstance(value, str):
            self._problem((*at, name), "it is no text in quotes" if name != "expires" else "it is no date")
        elif not value.strip() or value.strip().upper().startswith(_PLACEHOLDER):
            self._problem((*at, name), "it is not filled in")
        elif len(value) > _LONGEST:
            self._problem((*at, name), f"it is longer than {_LONGEST:,} characters")
        else:
            return value.strip()
        return ""

    def _day(self, at: tuple[str | int, ...], text: str) -> date | None:
        if not text:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            self._problem((*at, "expires"), f"{text[:40]!r} is no date like 2027-03-31")
            return None


def _key_fault(key: str) -> str:
    """What is wrong with the key of an entry, or ""."""
    if is_account_id(key) or (key.startswith(ALIAS_PREFIX) and key != ALIAS_PREFIX):
        return ""
    parts = key.split(":", _PLACE_PARTS - 1)
    if parts[0] == "arn" and len(parts) == _PLACE_PARTS and all(parts):
        return ""
    return f"{key[:80]!r} is neither an ARN of a key or an alias, nor alias/NAME, nor an account"


# Writing

_HEAD = """\
# Findings of `kms-tui report` that are accepted: kms-tui report --baseline THIS_FILE --fail-on low
# Fill in owner and reason of each, and take out what is to be put right. `expires` is the last day.
# `key` may also be a pattern (arn:aws:kms:*:111122223333:key/*), alias/NAME, or an account.
"""


def baseline_text(report: Report) -> str:
    """A baseline in TOML that accepts all findings of a report; those that are not accepted yet have
    placeholders, which are refused.
    """
    expires = report.time.date() + _TERM
    fresh = Acceptance(f"{_PLACEHOLDER}: who answers for it", f"{_PLACEHOLDER}: why it is accepted", expires)
    parts = [_HEAD]
    for finding in report.findings:
        accepted = finding.accepted or fresh
        check, key = finding.check, finding.key
        parts.append(
            f"\n# {check.severity.value}: {check.title}, {visible(f'{key.name}, {key.region}')}\n"
            "[[accepted]]\n"
            f"check = {_quoted(check.id)}\n"
            f"key = {_quoted(_exact(key.arn))}\n"
            f"owner = {_quoted(accepted.owner)}\n"
            f"reason = {_quoted(accepted.reason)}\n"
            f"expires = {accepted.expires}\n"
        )
    return "".join(parts)


def _exact(arn: str) -> str:
    """The ARN as a pattern that only it matches."""
    return _WILD.sub(lambda match: f"[{match[0]}]", arn)


def _quoted(text: str) -> str:
    """A basic string of TOML."""
    shown = visible(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{shown}"'
