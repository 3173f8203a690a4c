"""The menu "Sign…": what the key can sign, and why it cannot the rest."""

from __future__ import annotations

from collections.abc import Sequence

from kms_tui.ui.base.safe_text import Content, column, safe
from kms_tui.ui.base.subject import Reason, Subject, cannot_sign
from kms_tui.ui.dialogs.output_screen import OutputScreen
from kms_tui.ui.dialogs.questions import Choose
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.signing.authority_tasks import AUTHORITY_TASKS
from kms_tui.ui.signing.certificate_tasks import CERTIFICATE_TASKS, LOOK_TASK
from kms_tui.ui.signing.file_tasks import FILE_TASKS
from kms_tui.ui.signing.public_key_task import PUBLIC_KEY_TASK
from kms_tui.ui.signing.signing_form import SigningForm, command_line
from kms_tui.ui.signing.signing_task import SigningTask
from kms_tui.ui.signing.ssh_tasks import SSH_TASKS
from kms_tui.ui.signing.token_tasks import TOKEN_TASKS

TASKS: Sequence[SigningTask] = (
    *CERTIFICATE_TASKS,
    *AUTHORITY_TASKS,
    LOOK_TASK,
    *TOKEN_TASKS,
    *FILE_TASKS,
    *SSH_TASKS,
    PUBLIC_KEY_TASK,
)
_TITLE_CELLS = 26


async def open_menu(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """Choose what to sign, and sign it."""
    (subject,) = subjects
    key = subject.key
    if key is None:
        return
    reasons = [task.refuses(key) for task in TASKS]
    refused = frozenset(index for index, reason in enumerate(reasons) if reason)
    lines = [_line(task, reason) for task, reason in zip(TASKS, reasons, strict=True)]
    chosen = await screen.ask(Choose(f"Sign with {subject.name}", lines, disabled=refused))
    if chosen is None:
        return
    await open_form(screen, subject, TASKS[chosen])


async def open_task(screen: ModeScreen, subjects: Sequence[Subject], task: SigningTask) -> None:
    """The form of one task, or why the key cannot do it; as from the menu."""
    (subject,) = subjects
    reason = task.refuses(subject.key) if subject.key is not None else cannot_sign(subject)
    if reason:
        screen.host.notify(f"{reason[0].upper()}{reason[1:]}.", title=task.title, severity="warning")
    else:
        await open_form(screen, subject, task)


async def open_form(screen: ModeScreen, subject: Subject, task: SigningTask) -> None:
    """Fill the form of a task, and show what was made."""
    kms, session = screen.kms_for(subject), screen.session
    assert session is not None
    opened = await screen.attempt(lambda: task.open(kms, subject), doing="read its public key")
    if opened is None:
        return
    form = SigningForm(task, subject, opened, session.now)
    values = await screen.ask(form)
    if values is not None and form.output is not None:
        connection = session.connection_for(subject.arn)
        command = command_line(task, subject, values, connection)
        screen.app.push_screen(OutputScreen(form.output, command, connection))


def _line(task: SigningTask, reason: Reason) -> Content:
    title = safe(column(task.title, _TITLE_CELLS))
    return title + safe(f"no: {reason}" if reason else task.words).stylize("$foreground-muted")
