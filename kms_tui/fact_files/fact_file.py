"""What a fact file holds: the facts of all keys of an account at one moment, and of which Regions.

A fact is known, denied, failed, not applicable or not read, as in the inventory, and never mistaken for
another: what was denied is not absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from kms_tui.atomic import FileError
from kms_tui.kms.arn import AccountRegion, key_id_of, short_alias
from kms_tui.kms.facts import LOADING, UNASKED, Denied, Fact, Failed
from kms_tui.kms.model import Grant, Key, KeyRotationStatus, Tag

FORMAT = "kms-tui snapshot"
VERSION = 1
MOST_BYTES = 512 * 1024 * 1024
"""The largest file that is read: the facts of some 250,000 keys."""


class FactFileError(FileError):
    """A file is no fact file that this program can read; the sentence names the file and what is wrong."""


@dataclass(frozen=True, slots=True)
class ListedRegion:
    """``keys`` and ``aliases`` are the numbers that ListKeys and ListAliases gave."""

    place: AccountRegion
    keys: Fact[int]
    aliases: Fact[int]


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """The facts of one key; ``aliases`` have their prefix, ``policy`` is a text."""

    arn: str
    aliases: Fact[tuple[str, ...]] = UNASKED
    described: Fact[Key] = UNASKED
    rotation: Fact[KeyRotationStatus] = UNASKED
    tags: Fact[tuple[Tag, ...]] = UNASKED
    policy: Fact[str] = UNASKED
    grants: Fact[tuple[Grant, ...]] = UNASKED

    @property
    def place(self) -> AccountRegion:
        return AccountRegion.of(self.arn)

    @property
    def name(self) -> str:
        """The alias that people use, or the key id. Untrusted."""
        aliases = getattr(self.aliases, "value", ())
        return short_alias(aliases[0]) if aliases else key_id_of(self.arn)

    def facts(self) -> Iterator[tuple[str, Fact[Any]]]:
        """The name and the state of each fact."""
        for name in FACTS:
            yield name, getattr(self, name)


FACTS = tuple(field.name for field in fields(KeyFacts) if field.name != "arn")


@dataclass(frozen=True, slots=True)
class FactFile:
    """Who read it, and when; regions in the order of account and Region, keys in that of their ARNs."""

    time: datetime
    caller: str
    """The ARN of who read it, "" if that was not known."""
    regions: tuple[ListedRegion, ...]
    keys: tuple[KeyFacts, ...]

    @property
    def by_arn(self) -> Mapping[str, KeyFacts]:
        return {key.arn: key for key in self.keys}

    def gaps(self) -> Iterator[str]:
        """What could not be read, in sentences. They hold untrusted text."""
        for region in self.regions:
            for what, fact in (("keys", region.keys), ("aliases", region.aliases)):
                if isinstance(fact, Denied | Failed):
                    yield f"The {what} of {region.place} could not be listed: {fact.error}"
        unread: dict[tuple[str, str], list[str]] = {}
        for key in self.keys:
            for name, fact in key.facts():
                if name == "aliases" or not (state := unread_state(fact)):
                    continue  # aliases are listed by Region
                unread.setdefault((name, state), []).append(key.name)
        for (name, state), keys in unread.items():
            of = keys[0] if len(keys) == 1 else f"{len(keys):,} keys"
            yield f"{FACT_WORDS[name]} of {of}: {state}."


FACT_WORDS: Mapping[str, str] = {
    "aliases": "The aliases",
    "described": "What DescribeKey tells",
    "rotation": "The rotation",
    "tags": "The tags",
    "policy": "The key policy",
    "grants": "The grants",
}


def unread_state(fact: Fact[Any]) -> str:
    """ "denied", "failed" or "not read" for a fact that should be known and is not; else ""."""
    if isinstance(fact, Denied):
        return "denied"
    if isinstance(fact, Failed):
        return "failed"
    return "not read" if fact in (UNASKED, LOADING) else ""
