"""SARIF 2.1.0, the form in which code scanning reads what was found: rules, results, notifications.

Source: the OASIS standard, SARIF 2.1.0; which properties GitHub reads, and its bounds: "SARIF support for
code scanning" in GitHub's documentation. Texts are untrusted: they become plain text in which nothing is a
link or a placeholder (3.11.5, 3.11.6), without control or invisible characters.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import quote

from kms_tui.visible import visible

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_MOST_TAGS = 10
"""Of a rule; GitHub shows no more."""
_MOST_RESULTS = 25_000
"""Of a run; GitHub refuses a file with more."""
_MOST_NOTIFICATIONS = 1_000
_ESCAPES = {ord("{"): "{{", ord("}"): "}}", ord("["): "\\[", ord("]"): "\\]"}


class Level(StrEnum):
    """The gravest first."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class SarifRule:
    """What is looked for. ``security`` is GitHub's security-severity, 0.1 to 10.0, or "" for none."""

    id: str
    level: Level
    title: str
    text: str
    help: str
    security: str = ""
    tags: Sequence[str] = ()

    def as_dict(self) -> dict[str, Any]:
        properties: dict[str, Any] = {"tags": [visible(tag) for tag in self.tags][:_MOST_TAGS]}
        if self.security:
            properties["security-severity"] = self.security
        else:
            severity = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "recommendation"}
            properties["problem.severity"] = severity[self.level]
        # A name that is the id but for its case would say nothing (3.49.7).
        name = "".join(part.capitalize() for part in self.id.split("-"))
        return {
            "id": self.id,
            **({"name": name} if name.lower() != self.id else {}),
            "shortDescription": {"text": visible(self.title)},
            "fullDescription": {"text": visible(self.text)},
            "help": {"text": visible(self.help, newlines=True)},
            "defaultConfiguration": {"level": self.level.value},
            "properties": properties,
        }


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a file, counted from 1, the end exclusive. ``path`` is relative to the repository's root."""

    path: str
    line: int = 1
    column: int = 1
    end_line: int = 0
    end_column: int = 0

    def as_dict(self) -> dict[str, Any]:
        region = {"startLine": self.line, "startColumn": self.column}
        if self.end_line:
            region |= {"endLine": self.end_line, "endColumn": self.end_column}
        return {"artifactLocation": {"uri": quote(visible(self.path))}, "region": region}


@dataclass(frozen=True, slots=True)
class Thing:
    """What a result is about, where it is not a place in a file: its name, and its full name (an ARN)."""

    name: str
    full_name: str

    def as_dict(self) -> dict[str, Any]:
        return {"name": visible(self.name), "fullyQualifiedName": visible(self.full_name), "kind": "resource"}


@dataclass(frozen=True, slots=True)
class SarifResult:
    """Something that was found. ``identity`` is the same in each run for the same finding.

    ``suppressed`` says why it is accepted, or "".
    """

    rule: str
    level: Level
    text: str
    spot: Spot
    identity: str
    thing: Thing | None = None
    suppressed: str = ""

    def as_dict(self, places: dict[str, int]) -> dict[str, Any]:
        location: dict[str, Any] = {"physicalLocation": self.spot.as_dict()}
        if self.thing is not None:
            location["logicalLocations"] = [self.thing.as_dict()]
        shape: dict[str, Any] = {
            "ruleId": self.rule,
            "ruleIndex": places[self.rule],
            "level": self.level.value,
            "message": {"text": plain_text(self.text)},
            "locations": [location],
            "partialFingerprints": {"primaryLocationLineHash": fingerprint(self.identity)},
        }
        if self.suppressed:
            shape["suppressions"] = [
                {"kind": "external", "status": "accepted", "justification": visible(self.suppressed)}
            ]
        return shape


@dataclass(frozen=True, slots=True)
class Notification:
    """What could not be done, in a sentence, and what it is about."""

    level: Level
    text: str
    thing: Thing | None = None

    def as_dict(self) -> dict[str, Any]:
        shape: dict[str, Any] = {"level": self.level.value, "message": {"text": plain_text(self.text)}}
        if self.thing is not None:
            shape["locations"] = [{"logicalLocations": [self.thing.as_dict()]}]
        return shape


def plain_text(text: str) -> str:
    """A text as a message of SARIF."""
    return visible(text).replace("\\", "\\\\").translate(_ESCAPES)


def fingerprint(identity: str) -> str:
    """In the form of GitHub's own: a hash, and a number that tells equal ones apart."""
    return f"{hashlib.sha256(identity.encode(errors='replace')).hexdigest()[:16]}:1"


def sarif_text(
    rules: Iterable[SarifRule],
    results: Sequence[SarifResult],
    notifications: Sequence[Notification] = (),
    *,
    is_whole: bool,
    category: str,
) -> str:
    """The log of one run, with a final line end. ``category`` names the kind of run: GitHub keeps the newest
    log of each.

    More results than code scanning takes are left out, the last ones, and a notification says so; likewise
    notifications.
    """
    described = list(rules)
    places = {rule.id: place for place, rule in enumerate(described)}
    told = [each.as_dict() for each in notifications[:_MOST_NOTIFICATIONS]]
    for count, most, what in (
        (len(results), _MOST_RESULTS, "results"),
        (len(notifications), _MOST_NOTIFICATIONS, "notifications"),
    ):
        if count > most:
            left_out = f"{count - most:,} {what} more are left out: code scanning takes {most:,}."
            told.append(Notification(Level.WARNING, left_out).as_dict())
    driver: dict[str, Any] = {"name": "kms-tui", "rules": [rule.as_dict() for rule in described]}
    with suppress(PackageNotFoundError):
        driver["semanticVersion"] = version("kms-tui")
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"{category}/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": is_whole, "toolExecutionNotifications": told}],
        "results": [each.as_dict(places) for each in results[:_MOST_RESULTS]],
    }
    # Escaped to ASCII: safe in a terminal, and any JSON reader restores the text.
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"
