"""What a row of THE table of moves says: how resources of one kind get under another key, and what it does.

Calls are in botocore's shapes. Their texts are templates: ``$key`` is the new key's ARN, ``$resource`` and
``$label`` are the names that the scan tells, ``$plain`` the name in letters, digits and hyphens, ``$quoted``
the name as a JMESPath string; ``$region``, ``$account`` and ``$partition`` are those of the resource; what an
earlier step keeps has the name that it is kept under.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from string import Template
from typing import Any

PREFIXES = {
    "amp": "aps",
    "bedrock-agent": "bedrock",
    "docdb": "rds",
    "efs": "elasticfilesystem",
    "emr": "elasticmapreduce",
    "mwaa": "airflow",
    "neptune": "rds",
    "opensearch": "es",
    "opensearchserverless": "aoss",
    "stepfunctions": "states",
    "timestream-write": "timestream",
}
"""botocore's name of a service -> the prefix of its IAM actions and of kms:ViaService, where they differ."""


class How(StrEnum):
    """How a resource gets under another key."""

    IN_PLACE = "in place"
    BY_COPY = "by copy"
    IMPOSSIBLE = "impossible"
    NOT_PLANNED = "not planned"


@dataclass(frozen=True, slots=True)
class ServiceCall:
    """One API call of a service, by botocore's names; its texts are templates."""

    service: str
    operation: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """A step is done already where the text at ``path`` of a read's answer is ``value``.

    ``left_alone`` is a path to something that is there only where the resource is to be left as it is, and
    why. ``under_way`` is an expression that is true while the service is still at the change, ``failure`` one
    whose text is why it has not made it. ``paged`` says that the read's answer may come in pages.
    """

    read: ServiceCall
    path: str
    value: str = "$key"
    left_alone: tuple[str, str] = ("", "")
    paged: bool = False
    under_way: str = ""
    failure: str = ""


@dataclass(frozen=True, slots=True)
class VersionRead:
    """A further read of a step, of one version of the resource alone: earlier ones may be unreadable.

    ``newest`` is the path to the newest version's number in the answer of the step's read. ``call`` and the
    step's ``taken`` have the number as $version; ``taken`` is an expression on the answer of ``call``.

    ``written`` is the path to a number in the answer of the step's call. Where it does not follow the one
    that was read, somebody else has written in between: the version before it, which is then written again.
    """

    newest: str
    call: ServiceCall
    taken: str
    written: str


@dataclass(frozen=True, slots=True)
class MoveStep:
    """One call that changes something, or tells what later steps need.

    ``taken`` is a JMESPath expression on the answer of ``read``: an object of further members;
    ``version_read`` adds to them. ``keeps`` is a name, and the path in the call's own answer whose text later
    steps need. ``only_where`` says in words when a step is for a resource at all: it follows a write of the
    step before it, and is left out without one.
    """

    call: ServiceCall
    read: ServiceCall | None = None
    taken: str = ""
    done: Done | None = None
    keeps: tuple[str, str] = ("", "")
    version_read: VersionRead | None = None
    only_where: str = ""

    @property
    def reads(self) -> tuple[ServiceCall, ...]:
        """All its reads, in their order."""
        further = self.version_read.call if self.version_read is not None else None
        done = self.done.read if self.done is not None else None
        return tuple(call for call in (self.read, further, done) if call is not None)


@dataclass(frozen=True, slots=True)
class Remainder:
    """What stays under the old key after a move: a path to a list of texts in the answer of a read.

    ``words`` say what they are, with "{}" in place of them.
    """

    read: ServiceCall
    path: str
    words: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait with one of botocore's waiters until something is as the next step needs it."""

    service: str
    waiter: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CallingService:
    """A service that calls KMS in its own name, so that the key policy must name it.

    ``name`` and ``condition`` are templates.
    """

    name: str
    actions: tuple[str, ...]
    condition: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Move:
    """How one kind of resource is moved; ``purposes`` are those of the scan, () for all that no row names.

    ``data`` says what happens to the data that is there, ``by_hand`` what no command here does, in the
    imperative. ``sources`` are operations ("service:Operation") or documents that say so. ``old_key_needed``:
    data stays under the old key afterwards. ``for_new``: a default for what will be made.
    ``needs_encrypt``: data that is there is encrypted again only if the caller may do kms:Encrypt with the
    new key, and else stays without a word. ``down`` and
    ``cost`` are rough.
    """

    kind: str
    how: How
    data: str
    sources: tuple[str, ...]
    purposes: tuple[str, ...] = ()
    steps: tuple[MoveStep | Wait, ...] = ()
    by_hand: str = ""
    down: str = ""
    cost: str = ""
    old_key_needed: bool = False
    for_new: bool = False
    calling_service: CallingService | None = None
    remainder: Remainder | None = None
    needs_encrypt: bool = False
    spec: str = "SYMMETRIC_DEFAULT"


def filled(template: Any, values: Mapping[str, str]) -> Any:
    """A template of a call with its texts filled in; other values stay. KeyError for an unknown name."""
    if isinstance(template, str):
        return Template(template).substitute(values)
    if isinstance(template, Mapping):
        return {name: filled(value, values) for name, value in template.items()}
    if isinstance(template, list | tuple):
        return [filled(each, values) for each in template]
    return template


def quoted_name(name: str) -> str:
    """A name as a raw string of JMESPath."""
    return "'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'"


def plain_name(name: str) -> str:
    """A name as one that most services take for a new resource: letters, digits, hyphens."""
    return re.sub("-+", "-", re.sub("[^A-Za-z0-9]", "-", name)).strip("-") or "resource"


def unless_missing(*members: str) -> str:
    """A JMESPath expression: an object of those members that are there (services take no null)."""
    parts = [f"({name} && {{{name}: {name}}}) || `{{}}`" for name in members]
    return f"merge({', '.join(parts)})"
