"""Aliases: create, delete, and repoint at another key that fits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import OptionList

from kms_tui.kms.arn import ALIAS_PREFIX, AccountRegion
from kms_tui.kms.keyspecs import alias_kind, spec_title
from kms_tui.kms.model import Key, KeyState, KeyUsage
from kms_tui.ui.base.safe_text import Content, column, safe
from kms_tui.ui.base.subject import Reason, Subject, aws_managed, subject_of
from kms_tui.ui.base.words import STATE_WORDS, USAGE_WORDS
from kms_tui.ui.dialogs.affected_requests import affected_requests, alias_repointing
from kms_tui.ui.dialogs.dialog import Dialog
from kms_tui.ui.dialogs.form import Form, FormField
from kms_tui.ui.dialogs.questions import Choose, Confirm
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.widgets.facts_table import FactsTable
from kms_tui.ui.widgets.text_widgets import Button, Input, Option, Static

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


_MOST = 500
"""Keys listed at most; typing narrows them down."""


class _Filter(Input):
    """Down goes to the keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "to_keys", "To the keys", id="choose-key.down", tooltip="Go to the keys")
    ]

    def action_to_keys(self) -> None:
        self.screen.query_one(OptionList).focus()


class ChooseKey(Dialog[Subject]):
    """Answers with one of ``subjects``; ``lead`` says why these are offered."""

    initial_focus = "#key-filter"
    dialog_classes = "-list"

    def __init__(self, title: str, subjects: Sequence[Subject], lead: Content) -> None:
        super().__init__(title)
        self.subjects = subjects
        self.lead = lead
        self._shown: Sequence[Subject] = ()

    def compose_body(self) -> Iterable[Widget]:
        yield Static(self.lead, classes="dialog-line")
        yield _Filter(placeholder="part of an alias, a key id, a spec", id="key-filter")
        yield OptionList(id="choices", compact=True)

    def compose_buttons(self) -> Iterable[Widget]:
        yield Button(Content("Cancel"), id="cancel")

    def on_mount(self) -> None:
        self._fill()

    @on(Input.Changed, "#key-filter")
    def _fill(self) -> None:
        words = self.query_one("#key-filter", Input).value.lower().split()
        matching = [each for each in self.subjects if all(word in _searched_text(each) for word in words)]
        self._shown = matching[:_MOST]
        choices = self.query_one("#choices", OptionList)
        choices.set_options(Option(_line(each)) for each in self._shown)
        choices.highlighted = 0 if self._shown else None
        self.show_error("" if self._shown else "No key that fits matches.")

    @on(Input.Submitted, "#key-filter")
    def _submitted(self) -> None:
        index = self.query_one("#choices", OptionList).highlighted
        if index is not None:
            self.dismiss(self._shown[index])

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._shown[event.option_index])


def _searched_text(subject: Subject) -> str:
    spec = spec_title(subject.key.spec) if subject.key is not None else ""
    return f"{' '.join(subject.aliases)} {subject.key_id} {spec}".lower()


def _line(subject: Subject) -> Content:
    name = safe(column(subject.name, 38))
    if subject.key is None:
        return name + Content.styled("  not read yet", "$foreground-muted")
    enabled = subject.key.state == KeyState.ENABLED
    state = STATE_WORDS.get(subject.key.state, subject.key.state)
    spec = column(spec_title(subject.key.spec), 12)
    return name + Content(f"  {spec}") + safe(state).stylize("$foreground-muted" if enabled else "$warning")


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
