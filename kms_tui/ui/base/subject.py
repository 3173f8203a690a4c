"""What an act is, what it is done to, and what it may ask of the screen that it runs on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kms_tui.inventory.row import Row
from kms_tui.kms.model import Key

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True)
class Subject:
    """A key that an act is done to; ``key`` is None where it could not be described."""

    key_id: str
    arn: str
    region: str
    aliases: tuple[str, ...]
    """Without ``alias/``; the first is the name that people use."""
    key: Key | None

    @property
    def name(self) -> str:
        """The name people use: the first alias without its prefix, or the key id."""
        return self.aliases[0] if self.aliases else self.key_id

    @property
    def confirm_names(self) -> tuple[str, ...]:
        """What may be typed to confirm an act without a way back."""
        return (self.name, self.key_id) if self.aliases else (self.key_id,)


Reason = str
"""Why an act is not offered; "" where it is."""


def aws_managed(subject: Subject) -> Reason:
    """AWS-managed keys can be viewed, not changed."""
    managed = subject.key is not None and subject.key.is_aws_managed
    managed = managed or any(alias.startswith("aws/") for alias in subject.aliases)
    return "AWS manages this key: it can be viewed, not changed" if managed else ""


def subject_of(row: Row) -> Subject:
    return Subject(row.key_id, row.arn, row.region, row.aliases, row.key)
