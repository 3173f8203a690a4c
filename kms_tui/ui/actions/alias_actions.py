"""Aliases: create, delete, and repoint at another key that fits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from kms_tui.kms.arn import ALIAS_PREFIX, AccountRegion
from kms_tui.kms.keyspecs import alias_kind
from kms_tui.kms.model import Key, KeyUsage
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import Reason, Subject, aws_managed, subject_of
from kms_tui.ui.base.words import USAGE_WORDS
from kms_tui.ui.dialogs.affected_requests import affected_requests, alias_repointing
from kms_tui.ui.dialogs.choose_key import ChooseKey
from kms_tui.ui.dialogs.form import Form, FormField
from kms_tui.ui.dialogs.questions import Choose, Confirm
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.widgets.facts_table import FactsTable

_ALIAS = re.compile(r"[a-zA-Z0-9/_-]+\Z")


def full_alias(name: str) -> str:
    """The alias with its prefix, typed with or without it."""
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


def cannot_name(subject: Subject) -> Reason:
    if reason := aws_managed(subject):
        return reason
    pending = subject.key is not None and subject.key.pending_deletion
    return "its deletion is scheduled" if pending else ""


def cannot_change_alias(subject: Subject) -> Reason:
    return aws_managed(subject) or ("" if subject.aliases else "it has no alias")


async def create_alias(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """CreateAlias."""
    (subject,) = subjects
    kms = screen.kms_for(subject)
    values = await screen.ask(
        Form(
            f"New alias for {subject.name}",
            [FormField("alias", "Alias", hint="without alias/", check=check_alias)],
            lambda values: kms.create_alias(full_alias(values["alias"]), subject.key_id),
            confirm="Create alias",
            about=subject.arn,
            blame=dict.fromkeys(
                ("AlreadyExistsException", "InvalidAliasNameException", "ValidationException"), "alias"
            ),
        )
    )
    if values is not None:
        screen.changed(subjects, f"{full_alias(values['alias'])} now points at {subject.key_id}.")


async def choose_alias(screen: ModeScreen, subject: Subject, title: str) -> str | None:
    """The alias to change, with its prefix; asked for only where the key has several."""
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


async def repoint_alias(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """UpdateAlias, to a key of the same type and usage."""
    (subject,) = subjects
    alias = await choose_alias(screen, subject, "Repoint which alias?")
    if alias is None:
        return
    what = Content.styled("An alias stays with keys of the same type and usage: ", "$foreground-muted")
    which = safe(_kind_words(subject.key)) if subject.key is not None else Content("its key is not known.")
    choice = ChooseKey(f"Repoint {alias} to which key?", _fitting(screen, subject), what + which)
    target = await screen.ask(choice)
    if target is None or not await screen.confirm_protected("Repoint an alias to it", [target]):
        return
    sentences = [
        FactsTable([("now", _named(subject)), ("then", _named(target))]),
        Content(_MEANING.get(subject.key.usage if subject.key is not None else "", _MEANING[""])),
    ]
    assert screen.session is not None
    kms = screen.kms_for(subject)
    affected = affected_requests(screen.session, kms, subjects, alias_repointing(alias, target))
    title = f"Repoint {alias} to {target.name}?"
    if not await screen.ask(Confirm(title, sentences, confirm="Repoint", below=affected)):
        return
    if await screen.succeeds(lambda: kms.update_alias(alias, target.key_id), doing=f"repoint {alias}"):
        screen.changed((), f"{alias} now points at {target.name}.")


def _fitting(screen: ModeScreen, subject: Subject) -> list[Subject]:
    """The keys of its account and Region that the alias may point at.

    One that is not described yet is offered, and KMS decides.
    """
    assert screen.session is not None
    kind, here = _kind(subject), AccountRegion.of(subject.arn)
    rows = sorted(screen.session.inventory.rows(), key=lambda row: row.sort_name)
    others = [
        subject_of(row)
        for row in rows
        if (row.account, row.region) == here and row.key_id != subject.key_id and not (row.aws or row.gone)
    ]
    return [each for each in others if _fits(each, kind)]


def _fits(subject: Subject, kind: tuple[str, bool, bool] | None) -> bool:
    known = _kind(subject)
    return not cannot_name(subject) and (kind is None or known is None or known == kind)


def _kind(subject: Subject) -> tuple[str, bool, bool] | None:
    return alias_kind(subject.key.spec, subject.key.usage) if subject.key is not None else None


def _kind_words(key: Key) -> str:
    _, symmetric, asymmetric = alias_kind(key.spec, key.usage)
    type_ = "symmetric" if symmetric else "asymmetric" if asymmetric else "HMAC"
    return f"{type_}, {USAGE_WORDS.get(key.usage, key.usage)}."


def _named(subject: Subject) -> Content:
    if not subject.aliases:
        return safe(subject.key_id)
    return safe(subject.name) + safe(f"  {subject.key_id}").stylize("$foreground-muted")


_MEANING: Mapping[str, str] = {
    KeyUsage.ENCRYPT_DECRYPT: (
        "What is encrypted through this alias from now on needs the other key. What is encrypted already "
        "still needs the present one, which must stay enabled: symmetric ciphertext finds it by itself, "
        "RSA ciphertext must be decrypted under its key id."
    ),
    KeyUsage.SIGN_VERIFY: (
        "New signatures are made by the other key. Those made already verify with the present one alone; "
        "who verifies offline needs the other public key."
    ),
    KeyUsage.GENERATE_VERIFY_MAC: (
        "New MACs are made by the other key. Those made already verify with the present one alone."
    ),
    "": (
        "Whoever uses this alias uses the other key from then on; what was made with the present one still "
        "needs that."
    ),
}
"""What repointing means for old and new data, by the key's usage."""
