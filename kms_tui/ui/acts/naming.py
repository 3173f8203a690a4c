"""Aliases: create and delete; and the description."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kms_tui.kms.arn import ALIAS_PREFIX
from kms_tui.kms.model import KeyState
from kms_tui.ui.acts.base import Reason, Subject, aws_managed
from kms_tui.ui.dialogs.choose import Choose
from kms_tui.ui.dialogs.confirm import Confirm
from kms_tui.ui.dialogs.form import Field, Form, TextField
from kms_tui.ui.safe_text import Content, safe

if TYPE_CHECKING:
    from kms_tui.ui.screens.base import ModeScreen

_ALIAS = re.compile(r"[a-zA-Z0-9/_-]+\Z")
MAX_DESCRIPTION = 8192

_PENDING = (KeyState.PENDING_DELETION, KeyState.PENDING_REPLICA_DELETION)


def full_alias(name: str) -> str:
    """The alias with its prefix, however it was typed."""
    name = name.strip()
    return name if name.startswith(ALIAS_PREFIX) else ALIAS_PREFIX + name


def check_alias(name: str) -> str:
    """What is wrong with an alias name, or "" (CreateAlias: AliasName)."""
    short = full_alias(name).removeprefix(ALIAS_PREFIX)
    if not short:
        return "An alias needs a name."
    if short.startswith("aws/"):
        return "Names that begin with aws/ are reserved for AWS-managed keys."
    if len(ALIAS_PREFIX + short) > 256:
        return "An alias may have 256 characters, with its prefix alias/."
    if not _ALIAS.match(short):
        return "An alias may have letters, digits, / _ and - only."
    return ""


def check_description(text: str) -> str:
    return "" if len(text) <= MAX_DESCRIPTION else f"A description may have {MAX_DESCRIPTION} characters."


def cannot_name(subject: Subject) -> Reason:
    if reason := aws_managed(subject):
        return reason
    pending = subject.key is not None and subject.key.state in _PENDING
    return "its deletion is scheduled" if pending else ""


def cannot_unname(subject: Subject) -> Reason:
    return aws_managed(subject) or ("" if subject.aliases else "it has no alias")


async def create_alias(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """CreateAlias."""
    (subject,) = subjects
    kms = screen.kms_for(subject)
    values = await screen.ask(
        Form(
            f"New alias for {subject.name}",
            [Field("alias", "Alias", hint="without alias/", check=check_alias)],
            lambda values: kms.create_alias(full_alias(values["alias"]), subject.key_id),
            confirm="Create alias",
            blame=dict.fromkeys(
                ("AlreadyExistsException", "InvalidAliasNameException", "ValidationException"), "alias"
            ),
        )
    )
    if values is not None:
        screen.changed(subjects, f"{full_alias(values['alias'])} now points at {subject.key_id}.")


async def choose_alias(screen: ModeScreen, subject: Subject, title: str) -> str | None:
    """The alias to act on, with its prefix; asked for only where there are several."""
    if len(subject.aliases) == 1:
        return ALIAS_PREFIX + subject.aliases[0]
    chosen = await screen.ask(Choose(title, [safe(alias) for alias in subject.aliases]))
    return None if chosen is None else ALIAS_PREFIX + subject.aliases[chosen]


async def delete_alias(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """DeleteAlias."""
    (subject,) = subjects
    alias = await choose_alias(screen, subject, "Delete which alias?")
    if alias is None:
        return
    sentences = [
        Content("Whoever uses the key by this name gets NotFoundException from then on."),
        Content(f"The key itself stays. The alias can be made again while {subject.key_id} exists."),
    ]
    if await screen.ask(Confirm(f"Delete {alias}?", sentences, confirm="Delete alias", danger=True)):
        kms = screen.kms_for(subject)
        if await screen.succeeds(lambda: kms.delete_alias(alias), doing=f"delete {alias}"):
            screen.changed(subjects, f"{alias} is deleted.")


async def edit_description(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """UpdateKeyDescription."""
    (subject,) = subjects
    kms = screen.kms_for(subject)
    key = await screen.attempt(lambda: kms.describe(subject.key_id), doing="read the description")
    if key is None:
        return
    values = await screen.ask(
        Form(
            f"Description of {subject.name}",
            [TextField("description", "Description", key.description, check=check_description)],
            lambda values: kms.update_description(subject.key_id, values["description"]),
            confirm="Save",
            blame={"ValidationException": "description"},
        )
    )
    if values is not None:
        screen.changed(subjects, f"The description of {subject.name} is saved.")
