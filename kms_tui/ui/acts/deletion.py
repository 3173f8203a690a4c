"""Scheduling a key's deletion, and cancelling it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from kms_tui.kms.model import KeyState
from kms_tui.ui.acts.base import Reason, Subject, aws_managed
from kms_tui.ui.acts.many import agree, change_each
from kms_tui.ui.dialogs.base import Dialog
from kms_tui.ui.safe_text import safe

if TYPE_CHECKING:
    from kms_tui.ui.screens.base import ModeScreen

MIN_WINDOW_DAYS, MAX_WINDOW_DAYS = 7, 30


def cannot_schedule(subject: Subject) -> Reason:
    if reason := aws_managed(subject):
        return reason
    if subject.key is None:
        return ""
    pending = subject.key.state in (KeyState.PENDING_DELETION, KeyState.PENDING_REPLICA_DELETION)
    return "its deletion is scheduled already" if pending else ""


def cannot_cancel(subject: Subject) -> Reason:
    if subject.key is None:
        return ""
    pending = subject.key.state in (KeyState.PENDING_DELETION, KeyState.PENDING_REPLICA_DELETION)
    return "" if pending else "its deletion is not scheduled"


@dataclass(frozen=True, slots=True)
class Deletion:
    """What the dialog was answered with."""

    window_days: int


class ScheduleDeletion(Dialog[Deletion]):
    """Asks for the waiting period, and for the name to be typed: after it there is no way back."""

    initial_focus = "#cancel"

    def __init__(self, subject: Subject) -> None:
        super().__init__(
            f"Schedule the deletion of {subject.name}?", confirm="Schedule deletion", danger=True
        )
        self.subject = subject

    def compose_body(self) -> Iterable[Widget]:
        yield Static(
            "After the waiting period the key material is destroyed. What is encrypted under this key, "
            "and the data keys it protects, can then never be opened again, by anyone.",
            classes="dialog-line",
        )
        yield Static(
            "Until then the key cannot be used, and the deletion can be cancelled. To see who still needs "
            "the key, disable it first and watch.",
            classes="dialog-line",
        )
        if self.subject.aliases:
            names = ", ".join(self.subject.aliases)
            yield Static(safe(f"Aliases that will go with it: {names}"), classes="dialog-line")
        yield Static(f"Waiting period in days, {MIN_WINDOW_DAYS} to {MAX_WINDOW_DAYS}")
        yield Input("30", id="window", type="integer", compact=True)
        choices = Content(" or ").join([safe(name).stylize("$accent") for name in self.subject.confirm_names])
        yield Static(Content("To confirm, type ") + choices)
        yield Input(id="typed-name", compact=True)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.confirm()

    def confirm(self) -> None:
        window, name = self.query_one("#window", Input), self.query_one("#typed-name", Input)
        days = int(window.value) if window.value.isdecimal() else 0
        if not MIN_WINDOW_DAYS <= days <= MAX_WINDOW_DAYS:
            self.show_error(f"The waiting period is {MIN_WINDOW_DAYS} to {MAX_WINDOW_DAYS} days.")
            window.focus()
        elif name.value.strip() not in self.subject.confirm_names:
            self.show_error("That is not the name shown above.")
            name.focus()
        else:
            self.dismiss(Deletion(days))


async def schedule(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """ScheduleKeyDeletion."""
    (subject,) = subjects
    deletion = await screen.ask(ScheduleDeletion(subject))
    if deletion is not None:
        await change_each(
            screen,
            subjects,
            lambda kms, each: kms.schedule_deletion(each.key_id, deletion.window_days),
            doing="schedule the deletion of",
            done=f"will be deleted in {deletion.window_days} days; until then this can be cancelled",
        )


async def cancel(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """CancelKeyDeletion; the key comes back disabled."""
    chosen = await agree(
        screen, subjects, "Cancel the deletion of", confirm="Keep them", refusal=cannot_cancel
    )
    await change_each(
        screen,
        chosen,
        lambda kms, subject: kms.cancel_deletion(subject.key_id),
        doing="cancel the deletion of",
        done="will not be deleted; it is disabled until you enable it",
    )
