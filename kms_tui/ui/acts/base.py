"""What an act is, what it is done to, and what it may ask of the screen that it runs on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kms_tui.kms.model import Key

if TYPE_CHECKING:
    from kms_tui.ui.screens.base import ModeScreen


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


@dataclass(frozen=True, slots=True)
class Act:
    """One thing to do to the key under the cursor, or to all marked ones where ``many`` holds.

    ``run`` is awaited in a worker of the screen. ``refusal`` gives the reason why the act is not possible for
    a key, from what is already known of it.
    """

    id: str
    key: str
    title: str
    tooltip: str
    run: Callable[[ModeScreen, Sequence[Subject]], Awaitable[None]]
    mutating: bool = True
    many: bool = False
    show: bool = False
    refusal: Callable[[Subject], Reason] = lambda _: ""


def aws_managed(subject: Subject) -> Reason:
    """AWS-managed keys can be viewed, not changed."""
    managed = subject.key is not None and subject.key.is_aws_managed
    managed = managed or any(alias.startswith("aws/") for alias in subject.aliases)
    return "AWS manages this key: it can be viewed, not changed" if managed else ""
