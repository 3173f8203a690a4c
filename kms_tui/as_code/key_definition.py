"""``KeyDefinition``: what code has to say of one key, read with one call for each kind of fact."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kms_tui.backend.kms_facade import Kms
from kms_tui.kms.arn import AccountRegion, is_account_id
from kms_tui.kms.errors import AnswerError, KmsTuiError
from kms_tui.kms.model import Grant, Key, KeyOrigin, KeyRotationStatus, Tag
from kms_tui.workers import on_threads

STACK_TAG = "aws:cloudformation:stack-name"
_THREADS = 4
_REGION = re.compile("[a-z0-9-]+")
_NAMED = 3
"""Names in a sentence about several keys."""


@dataclass(frozen=True, slots=True)
class KeyDefinition:
    """A key with all that code says of it; ``aliases`` are whole names, ``tags`` has those of AWS, too."""

    key: Key
    policy: str
    tags: tuple[Tag, ...] = ()
    rotation: KeyRotationStatus | None = None
    """None for a key that never rotates automatically."""
    aliases: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()

    @property
    def place(self) -> AccountRegion:
        return AccountRegion(self.key.account_id, self.key.region)

    @property
    def name(self) -> str:
        """What sentences call the key: its first alias, or its id."""
        return self.aliases[0] if self.aliases else self.key.key_id

    @property
    def is_replica(self) -> bool:
        return self.key.multi_region is not None and not self.key.multi_region.is_primary

    @property
    def own_tags(self) -> tuple[Tag, ...]:
        """The tags that people set: no code may set those of AWS."""
        return tuple(tag for tag in self.tags if not tag.key.lower().startswith("aws:"))


class ReadKeys(NamedTuple):
    """What was read: definitions in order of their ARNs, and sentences."""

    definitions: tuple[KeyDefinition, ...]
    left_out: tuple[str, ...] = ()
    """Keys that no code can hold, a sentence for each reason."""
    unread: tuple[str, ...] = ()
    """What could not be read, a sentence each: the code is not whole."""


def reason_left_out(key: Key) -> str:
    """Why no code holds a key, in words that follow its name; "" for one that it holds."""
    if key.is_aws_managed:
        return "is an AWS managed key, which AWS makes and keeps"
    if key.pending_deletion:
        return "is scheduled for deletion, which tools take for deleted; cancel the deletion first"
    return ""


def read_definition(kms: Kms, key: Key, *, grants: bool = True) -> KeyDefinition:
    """All of one key that ``reason_left_out`` has no reason for. ``kms`` is of its account and Region.

    Without ``grants`` they are not read. Raises KmsTuiError for anything that cannot be read: half a key in
    code would take the other half away.
    """
    rotates = key.may_have_rotated and key.origin == KeyOrigin.AWS_KMS
    return KeyDefinition(
        key,
        kms.key_policy(key.key_id),
        tuple(sorted(kms.tags(key.key_id))),
        kms.rotation_status(key.key_id) if rotates else None,
        tuple(sorted(alias.name for alias in kms.aliases(key.key_id))),
        tuple(sorted(kms.grants(key.key_id), key=_grant_order)) if grants else (),
    )


def _grant_order(grant: Grant) -> tuple[str, str, str]:
    return grant.name, grant.grantee, grant.grant_id


class KeyReading:
    """Reads keys by id, ARN or alias on a few threads; a key that is named twice counts once.

    ``kms_for`` gives the façade for a reference. ``done`` says how many references are read.
    """

    def __init__(
        self, references: Sequence[str], kms_for: Callable[[str], Kms], *, grants: bool = True
    ) -> None:
        self.references = tuple(dict.fromkeys(references))
        self.done = 0
        self._kms_for = kms_for
        self._grants = grants
        self._lock = threading.Lock()
        self._found: dict[str, KeyDefinition] = {}
        self._left_out: dict[str, tuple[str, str]] = {}
        self._unread: dict[str, str] = {}

    def read(self) -> ReadKeys:
        """All of it; blocks."""
        on_threads(len(self.references), self._read_one, threads=_THREADS, name="read keys")
        return ReadKeys(
            tuple(self._found[arn] for arn in sorted(self._found)),
            tuple(left_out_sentences([self._left_out[arn] for arn in sorted(self._left_out)])),
            tuple(self._unread[name] for name in self.references if name in self._unread),
        )

    def _read_one(self, number: int) -> None:
        reference = self.references[number]
        try:
            self._read(reference)
        except KmsTuiError as error:
            self._unread[reference] = f"{reference} could not be read: {error}"
        except Exception as error:
            self._unread[reference] = f"{reference} could not be read: {AnswerError.of(error)}"
        with self._lock:
            self.done += 1

    def _read(self, reference: str) -> None:
        kms = self._kms_for(reference)
        key = kms.describe(reference)
        # Both stand in names of files and in commands.
        if not is_account_id(key.account_id) or not _REGION.fullmatch(key.region):
            raise AnswerError("DescribeKey answered no ARN of a key, or no account")
        if reason := reason_left_out(key):
            self._left_out[key.arn] = reference, reason
        elif key.arn not in self._found:
            self._found[key.arn] = read_definition(kms, key, grants=self._grants)


def left_out_sentences(found: Sequence[tuple[str, str]]) -> list[str]:
    """What is left out, as (name, reason): a sentence for each reason, with the first names."""
    reasons: dict[str, list[str]] = {}
    for name, reason in found:
        reasons.setdefault(reason, []).append(name)
    sentences = []
    for reason, names in reasons.items():
        if len(names) == 1:
            sentences.append(f"{names[0]} is left out: it {reason}.")
            continue
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        sentences.append(f"{', '.join(names[:_NAMED])}{more} are left out: each {reason}.")
    return sentences


def stack_notes(definitions: Sequence[KeyDefinition]) -> list[str]:
    """A sentence for each key that a CloudFormation stack holds already."""
    stacks = {
        definition.name: tag.value
        for definition in definitions
        for tag in definition.tags
        if tag.key == STACK_TAG
    }
    return [
        f"{name} is held by the CloudFormation stack {stack}: take it out of there first "
        "(DeletionPolicy: Retain), or two tools change it in turn."
        for name, stack in stacks.items()
    ]
