"""Undo the last change, after showing which calls that makes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual import on
from textual.widget import Widget

from kms_tui.command_text import aws_cli
from kms_tui.kms.arn import key_id_of, short_alias
from kms_tui.kms.errors import KmsTuiError
from kms_tui.session import Session
from kms_tui.ui.base.background import off_loop
from kms_tui.ui.base.host import KeysChanged
from kms_tui.ui.base.safe_text import Content, fit, safe
from kms_tui.ui.base.subject import Subject
from kms_tui.ui.dialogs.questions import Confirm
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.widgets.text_widgets import Button
from kms_tui.undo import UndoStep

_SHOWN = 4
"""How many commands, and how many changes without an undo, are listed."""
_COMMAND_WIDTH = 280


class ConfirmUndo(Confirm):
    """Asks before a change is undone; ``is_skipped`` asks for the change before it instead."""

    is_skipped = False

    def compose_buttons(self) -> Iterable[Widget]:
        yield from super().compose_buttons()
        yield Button(
            Content("Skip it"), id="skip", tooltip=Content("Leave it, and go on to the change before it")
        )

    @on(Button.Pressed, "#skip")
    def _skipped(self) -> None:
        self.is_skipped = True
        self.dismiss(False)


async def undo_last(screen: ModeScreen) -> None:
    """Undo the last change that can be undone, of one key or of many, or one before it."""
    session = screen.session
    if session is None:
        return
    while True:
        steps, skipped = session.history.last()
        if not steps:
            reasons = " ".join(f"{_step_words(session, step)}: {step.reason}." for step in skipped[:_SHOWN])
            screen.host.notify(
                reasons or "Nothing has been changed in this session.", title="Nothing to undo"
            )
            return
        what = (
            _step_words(session, steps[0])
            if len(steps) == 1
            else f"{steps[0].call.operation} on {len(steps)} keys"
        )
        subjects = _subjects(session, steps)
        sentences = await _sentences(session, steps, skipped)
        if not await screen.confirm_protected("Undo", subjects):
            return
        dialog = ConfirmUndo(
            f"Undo {what}?", sentences, confirm="Undo", type_to_confirm=_names_to_type(steps, subjects)
        )
        if await screen.ask(dialog, about=subjects):
            await _undo(screen, session, steps, what)
        if not dialog.is_skipped:
            return
        for step in steps:
            session.history.skip(step)


async def _sentences(
    session: Session, steps: Sequence[UndoStep], skipped: Sequence[UndoStep]
) -> list[Content]:
    """The calls that undo, what they do not restore, and whether the keys changed again meanwhile."""
    lines, standing = await off_loop(
        lambda: (_commands(session, steps), [step.is_in_effect() for step in steps])
    )
    sentences = [
        Content(f"Done at {steps[0].time.astimezone():%H:%M:%S}. Undoing it calls:"),
        *(safe(fit(line, _COMMAND_WIDTH)).stylize("$accent") for line in lines[:_SHOWN]),
    ]
    if len(lines) > _SHOWN:
        sentences.append(Content(f"and {len(lines) - _SHOWN} more like these."))
    if not all(standing):
        changed = [step for step, is_in_effect in zip(steps, standing, strict=True) if not is_in_effect]
        later = [each for step in changed for each in session.history.later(step)]
        by = f"from here, by {later[-1].call.operation}" if later else "from somewhere else"
        sentences.append(
            Content.styled(f"It was changed again since, {by}: that is overwritten.", "$warning")
        )
    sentences += [Content(note) for note in dict.fromkeys(step.note for step in steps) if note]
    sentences += [
        Content("Stays as it is: ") + safe(f"{_step_words(session, step)} ({step.reason}).")
        for step in skipped[:_SHOWN]
    ]
    return sentences


def _names_to_type(steps: Sequence[UndoStep], subjects: Sequence[Subject]) -> Sequence[str]:
    """What must be typed where undoing schedules a deletion."""
    if not any(call.operation == "ScheduleKeyDeletion" for step in steps for call in step.undo):
        return ()
    if len(steps) > 1:
        return (f"delete {len(steps)} keys",)
    return subjects[0].confirm_names if subjects else (steps[0].target,)


async def _undo(screen: ModeScreen, session: Session, steps: Sequence[UndoStep], what: str) -> None:
    done = 0
    for step in steps:
        try:
            answers = await off_loop(step.undo_calls)
        except KmsTuiError as error:
            screen.notify_error(error, doing=f"undo {_step_words(session, step)}")
            continue
        for grant_id in (answer["GrantId"] for answer in answers if "GrantId" in answer):
            screen.host.notify(f"The new grant is {grant_id}.")
        session.history.drop(step)
        done += 1
    if done == len(steps):
        screen.host.withdraw_change(steps)
        screen.host.notify(f"{what} is undone.")
    elif done:
        screen.host.notify(f"{done} of {len(steps)} are undone.", severity="warning")
    screen.post_message(KeysChanged(*_keys(steps)))


def _keys(steps: Sequence[UndoStep]) -> set[str]:
    """The keys to read again; none (which means all) where a step changed an alias or a custom key store."""
    if any("KeyId" not in step.call.params for step in steps):
        return set()
    return {key_id_of(str(step.call.params["KeyId"])) for step in steps}


def _subjects(session: Session, steps: Sequence[UndoStep]) -> list[Subject]:
    """The keys that the steps changed, and for an alias the key that it pointed at."""
    params = [call.params for step in steps for call in (step.call, *step.undo)]
    references = {str(each.get("KeyId") or each.get("TargetKeyId") or "") for each in params}
    rows = [
        row for reference in sorted(references) for row in session.inventory.rows_of(key_id_of(reference))
    ]
    # A deleted alias is no name of its key now, but the configuration may protect the key by it.
    names = {short_alias(each["AliasName"]) for each in params if "AliasName" in each}
    return [
        Subject(row.key_id, row.arn, row.region, (*row.aliases, *sorted(names - set(row.aliases))), row.key)
        for row in rows
    ]


def _step_words(session: Session, step: UndoStep) -> str:
    """ "DisableKey of orders-db"."""
    rows = session.inventory.rows_of(step.target) if "KeyId" in step.call.params else []
    name = next((row.aliases[0] for row in rows if row.aliases), step.target)
    return f"{step.call.operation} of {name}" if name else step.call.operation


def _commands(session: Session, steps: Sequence[UndoStep]) -> list[str]:
    lines = []
    for step in steps:
        account = session.account_with(step.backend.account_id)
        for call in step.undo:
            region = call.region or step.region
            line = aws_cli(call.operation, call.params, region=region, profile=account.profile)
            lines.append(line + session.account_note(account))
    return lines
