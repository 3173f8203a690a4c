"""A row of the inventory: one key of one region, and the state of each fact about it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from kms_tui.inventory.row_class import UNREAD, RowClass, reading_of, row_class_of
from kms_tui.inventory.row_health import RowHealth
from kms_tui.kms.facts import LOADING, NOT_APPLICABLE, UNASKED, Fact, Known
from kms_tui.kms.model import Key, KeyLastUsage, KeyOrigin, KeyRotationStatus, Tag

if TYPE_CHECKING:
    from kms_tui.backend.kms_facade import Kms
    from kms_tui.backend.wrappers.read_your_writes import PendingChanges

_DEFAULT_PERIOD = 365


class ListedAccount(Hashable, Protocol):
    """An account whose keys are listed."""

    @property
    def name(self) -> str:
        """Its name for people, or ""."""

    @property
    def id(self) -> str:
        """The 12 digits, or "" where they are not known yet."""

    @property
    def read_only(self) -> bool:
        """Whether no call that changes anything is sent there."""

    @property
    def pending(self) -> PendingChanges:
        """Its changes that reads may not show yet."""

    def kms(self, region: str = "") -> Kms:
        """The façade in a Region ("": its first one); may be slow. Raises KmsTuiError."""


class RowPlace(Protocol):
    """A Region of an account, by whose listing a row is there."""

    @property
    def name(self) -> str:
        """The Region's name."""

    @property
    def account(self) -> ListedAccount: ...

    @property
    def aliases(self) -> Fact[int]:
        """The number that ListAliases returned there."""

    def kms(self) -> Kms:
        """The façade there; may be slow. Raises KmsTuiError."""


class FactName(StrEnum):
    """The facts that take a call each, the cheapest first; the values are attributes of Row."""

    DESCRIBED = "described"
    ROTATION = "rotation"
    TAGS = "tags"
    POLICY = "policy"
    LAST_USAGE = "last_usage"
    ROTATIONS = "rotations"


@dataclass(slots=True, eq=False)
class Row:
    """One key; only the inventory writes to it, under its lock, and calls ``derive`` after each change.

    Readers need no lock: each attribute is replaced whole.
    """

    arn: str
    """The row's key: unique over regions, as the replicas of a multi-Region key share their id."""
    key_id: str
    region: str
    aliases: tuple[str, ...] = ()
    """Without ``alias/``, sorted; the first is the name that people use."""
    aliases_known: bool = False
    """Whether all aliases of the region were listed once, so that no alias means none."""
    seen: int = 0
    """The last listing of the region that had this key."""
    stale: frozenset[FactName] = frozenset()
    """Facts read before the last refresh: still shown, read again when the row is."""
    gone: bool = False
    """No longer listed; the row stays until the list is sorted or filtered again."""
    described: Fact[Key] = UNASKED
    rotation: Fact[KeyRotationStatus] = UNASKED
    tags: Fact[tuple[Tag, ...]] = UNASKED
    policy: Fact[str] = UNASKED
    last_usage: Fact[KeyLastUsage] = UNASKED
    rotations: Fact[int] = UNASKED
    """How often the key has rotated."""
    primary_policy: Fact[str] = UNASKED
    """The policy of a replica's primary; the health screen reads it."""
    disabled_since: Fact[Any] = UNASKED
    """Since when a disabled key is disabled; the health screen reads it."""
    place: RowPlace | None = None
    """Where the row was listed; None for a row of no list."""
    refused: int | None = None
    """Refused uses since the key was disabled; None while no one watches the key."""
    # Filters and sorts read these of every row at every keystroke; derive() sets them.
    search_text: str = ""
    sort_name: str = ""
    created: float | None = None
    """Seconds since the epoch."""
    row_class: RowClass = UNREAD

    @property
    def account(self) -> str:
        """The 12 digits of the key's account."""
        return self.arn.split(":", 5)[4]

    @property
    def account_name(self) -> str:
        """The name of the key's account for people, or ""."""
        return self.place.account.name if self.place is not None else ""

    @property
    def account_title(self) -> str:
        """The account's name, or its 12 digits."""
        return self.account_name or self.account

    @property
    def key(self) -> Key | None:
        """DescribeKey's answer, where there is one."""
        return self.described.value if isinstance(self.described, Known) else None

    @property
    def aws(self) -> bool:
        """Managed by AWS: by DescribeKey, or by an ``alias/aws/`` alias until it has answered."""
        return self.row_class.aws

    @property
    def health(self) -> RowHealth:
        return self.row_class.health

    def fact(self, name: FactName) -> Fact[Any]:
        fact: Fact[Any] = getattr(self, name)
        return fact

    def wants(self, name: FactName) -> bool:
        """Whether a fact is still to be read, for the first time or since the last refresh."""
        fact: Fact[Any] = getattr(self, name)  # for every row on screen, each time a thread is free
        return fact is UNASKED or fact is LOADING or name in self.stale

    def applies(self, name: FactName) -> bool | None:
        """Whether reading a fact makes sense for this key; None until the key is described.

        Automatic rotation is for symmetric encryption keys of AWS_KMS origin (EnableKeyRotation), and is off
        while a deletion is pending; past rotations cost nothing then. AWS-managed keys are not probed: that
        would set off their owners' alarms, and ``aws/acm`` denies everyone.
        """
        if name is FactName.DESCRIBED:
            return True
        key = self.key
        if self.managed_by_aws(key):
            return False
        if name not in (FactName.ROTATION, FactName.ROTATIONS):
            return True
        if key is None:
            return None
        if not key.may_have_rotated or key.pending_deletion:
            return False
        return name is FactName.ROTATIONS or key.origin == KeyOrigin.AWS_KMS

    def derive(self, now: datetime, judge: Judge) -> None:
        """Recompute the values derived from the facts."""
        for name in _MAY_NOT_APPLY:
            fact = self.fact(name)
            if fact is UNASKED and self.applies(name) is False:
                setattr(self, name, NOT_APPLICABLE)
            elif fact is NOT_APPLICABLE and self.applies(name):
                setattr(self, name, UNASKED)
        key = self.key
        parts = [*self.aliases, self.key_id]
        if key is not None and key.description:
            parts.append(key.description)
        if isinstance(self.tags, Known):
            parts.extend(f"{tag.key}={tag.value}" for tag in self.tags.value)
        self.search_text = "\n".join(parts).lower()
        # "~" sorts after every character of an alias: keys without a name come last.
        first = self.aliases[0].lower() if self.aliases else "~" + self.key_id
        account = self.account_name
        self.sort_name = f"{first} {account} {self.region}" if account else f"{first} {self.region}"
        self.created = key.created.timestamp() if key is not None and key.created is not None else None
        self.row_class = self._row_class(key, judge.health(self, now))

    def _row_class(self, key: Key | None, health: RowHealth) -> RowClass:
        described = (key.spec, key.usage, key.state, key.origin) if key is not None else ("", "", "", "")
        days = 0
        if isinstance(self.rotation, Known) and self.rotation.value.enabled:
            days = self.rotation.value.period_days or _DEFAULT_PERIOD
        return row_class_of(
            self.region,
            self.managed_by_aws(key),
            self.gone,
            health,
            reading_of(self.described),
            *described,
            reading_of(self.rotation),
            days,
            reading_of(self.tags),
            reading_of(self.policy),
            reading_of(self.last_usage),
        )

    def managed_by_aws(self, key: Key | None) -> bool:
        """As ``aws``, by the facts themselves."""
        if key is not None:
            return key.is_aws_managed
        return bool(self.aliases) and self.aliases[0].startswith("aws/")


class Judge(Protocol):
    """Judges a row by the health checks."""

    @property
    def reads(self) -> tuple[FactName, ...]:
        """The facts that it needs of every row on screen."""

    def health(self, row: Row, now: datetime) -> RowHealth:
        """What the checks say; quick, as it is asked under the lock of the table."""

    def prepare(self, row: Row, policy: str, now: datetime) -> None:
        """Judge a policy that was read; takes milliseconds, and is called outside the lock."""


_MAY_NOT_APPLY = tuple(name for name in FactName if name is not FactName.DESCRIBED)
