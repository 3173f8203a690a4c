"""The key policy: edit it, go back to an earlier one, ask what it allows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from kms_tui.ui.acts.base import Subject
from kms_tui.ui.background import off_loop

if TYPE_CHECKING:
    from kms_tui.ui.policy_editor.policy_edit import EditTarget
    from kms_tui.ui.screens.base import ModeScreen


async def edit_policy(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """Open the editor on a screen of its own."""
    from kms_tui.ui.policy_editor.editor_screen import PolicyEditor

    (subject,) = subjects
    screen.app.push_screen(PolicyEditor(screen, subject))


async def show_history(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """Show earlier policies; the one chosen opens in the editor, not saved yet."""
    from kms_tui.drafts import policy_files
    from kms_tui.ui.policy_editor.editor_screen import PolicyEditor
    from kms_tui.ui.policy_editor.policy_history import HistoryDialog, read_versions

    (subject,) = subjects
    target = await _target(screen, subject)
    files = policy_files()
    current = await screen.attempt(target.read, doing="read the key policy")
    if current is None:
        return
    reading = partial(read_versions, target, files, current)
    versions = await screen.attempt(reading, doing="read earlier policies")
    if versions is None:
        return
    version = await screen.ask(HistoryDialog(target, subject.name, versions, current))
    if version is not None:
        screen.app.push_screen(PolicyEditor(screen, subject, begin_with=version.text))


async def simulate(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """Ask the policy as it stands."""
    from kms_tui.ui.policy_editor.policy_opening import policy_context
    from kms_tui.ui.policy_editor.simulate_screen import SimulateScreen

    (subject,) = subjects
    session = screen.session
    assert session is not None
    target = await _target(screen, subject)
    text = await screen.attempt(target.read, doing="read the key policy")
    if text is not None:
        screen.app.push_screen(SimulateScreen(subject, text, policy_context(session, target, text)))


async def _target(screen: ModeScreen, subject: Subject) -> EditTarget:
    from kms_tui.ui.policy_editor.policy_edit import EditTarget

    kms = screen.kms_for(subject)
    caller = await off_loop(kms.caller)
    return EditTarget(kms, subject.key_id, subject.arn, caller.arn)
