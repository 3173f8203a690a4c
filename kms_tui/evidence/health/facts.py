"""Facts about a key beside DescribeKey's answer, what a check answers, and the numbers it goes by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from kms_tui.inventory.row import FactName
from kms_tui.kms.facts import UNASKED, Fact, Known
from kms_tui.kms.model import Key, KeyLastUsage, KeyRotationStatus, Tag

T = TypeVar("T")


class Need(StrEnum):
    """A fact beside DescribeKey's answer; the values are attributes of Examined."""

    ALIASES = "aliases"
    ROTATION = "rotation"
    POLICY = "policy"
    TAGS = "tags"
    LAST_USAGE = "last_usage"
    PRIMARY_POLICY = "primary_policy"
    DISABLED_SINCE = "disabled_since"

    @property
    def operation(self) -> str:
        """The call that it takes."""
        return _OPERATIONS[self]

    @property
    def column(self) -> FactName | None:
        """The inventory's own fact that it is; None for what comes from elsewhere."""
        return _COLUMNS.get(self)


_OPERATIONS = {
    Need.ALIASES: "ListAliases",
    Need.ROTATION: "GetKeyRotationStatus",
    Need.POLICY: "GetKeyPolicy",
    Need.TAGS: "ListResourceTags",
    Need.LAST_USAGE: "GetKeyLastUsage",
    Need.PRIMARY_POLICY: "GetKeyPolicy",
    Need.DISABLED_SINCE: "LookupEvents",
}
_COLUMNS = {
    Need.ROTATION: FactName.ROTATION,
    Need.POLICY: FactName.POLICY,
    Need.TAGS: FactName.TAGS,
    Need.LAST_USAGE: FactName.LAST_USAGE,
}


@dataclass(frozen=True, slots=True)
class Since:
    """When something began; with ``before`` it was at that moment or earlier."""

    moment: datetime
    before: bool = False


@dataclass(frozen=True, slots=True)
class Examined:
    """One key, described, and what else is known of it."""

    key: Key
    aliases: Fact[tuple[str, ...]] = UNASKED
    rotation: Fact[KeyRotationStatus] = UNASKED
    policy: Fact[str] = UNASKED
    tags: Fact[tuple[Tag, ...]] = UNASKED
    last_usage: Fact[KeyLastUsage] = UNASKED
    primary_policy: Fact[str] = UNASKED
    """The policy of the primary of a replica."""
    disabled_since: Fact[Since] = UNASKED

    def fact(self, need: Need) -> Fact[Any]:
        fact: Fact[Any] = getattr(self, need.value)
        return fact


def known(fact: Fact[T]) -> T:
    """The value of a fact that a check ``needs``, and so is judged only once it is known."""
    assert isinstance(fact, Known)
    return fact.value


Reason = str
"""Why something is a finding: one sentence or two with the key's own numbers; untrusted text may be in it."""


@dataclass(frozen=True, slots=True)
class Unsure:
    """The facts were read, and do not tell; ``reason`` says why."""

    reason: str


Verdict = Reason | Unsure | None
"""None is a pass."""


@dataclass(frozen=True, slots=True)
class Settings:
    """``unused_days`` is None where nobody asked for it: GetKeyLastUsage is 5 calls a second."""

    unused_days: int | None = None
    disabled_days: int = 30
    expires_days: int = 30
    required_tags: tuple[str, ...] = ()
