"""Actions that change nothing: copy, raw JSON, used by, scratchpad, policy editor, history, simulation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from kms_tui.kms.arn import ALIAS_PREFIX, alias_arn
from kms_tui.ui.base.background import off_loop
from kms_tui.ui.base.clipboard import copy_text
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import Reason, Subject
from kms_tui.ui.details.key_details import KeyDetails
from kms_tui.ui.dialogs.questions import Choose
from kms_tui.ui.mode_screen import ModeScreen
from kms_tui.ui.widgets.key_list import KeyList

if TYPE_CHECKING:
    from kms_tui.ui.policy_editor.policy_edit import EditTarget

_TAB, _SECTION = "Grants and uses", "used-by"


async def copy(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """Offer the key's id, ARN and aliases, and copy the one chosen."""
    (subject,) = subjects
    session = screen.session
    assert session is not None
    kms = session.kms
    entries = [("Key id", subject.key_id), ("Key ARN", subject.arn)]
    for alias in subject.aliases:
        name = ALIAS_PREFIX + alias
        arn = alias_arn(kms.partition, subject.region, kms.account_id, name)
        entries += [("Alias", name), ("Alias ARN", arn)]
    lines = [Content.styled(label.ljust(11), "$foreground-muted") + safe(text) for label, text in entries]
    chosen = await screen.ask(Choose("Copy", lines))
    if chosen is not None:
        copy_name(screen, *entries[chosen])


def copy_name(screen: ModeScreen, label: str, text: str) -> None:
    """Copy a text that is no secret, and notify."""
    copied = copy_text(screen.host, text)
    how = " through the terminal" if copied.through_terminal else ""
    screen.host.notify(f"{label} copied{how}.")


async def raw_json(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """Show DescribeKey's answer as JSON."""
    from kms_tui.ui.dialogs.text_screen import TextScreen

    (subject,) = subjects
    kms = screen.kms_for(subject)
    answer = await screen.attempt(
        lambda: kms.call("DescribeKey", KeyId=subject.key_id), doing="describe the key"
    )
    if answer is not None:
        screen.app.push_screen(
            TextScreen(f"DescribeKey {subject.name}", json.dumps(answer, indent=2, default=str))
        )


async def used_by(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """Open the tab and scan the Region unless it was scanned; on the open tab scan again, or stop."""
    (subject,) = subjects
    assert screen.session is not None
    scans, region = screen.session.account_of(subject.arn).scans, subject.region
    details = next((each for each in screen.query(KeyDetails) if each.display), None)
    is_open = details is not None and details.is_open(_TAB)
    if scans.is_running(region):
        if is_open:
            scans.cancel(region)
    elif is_open or scans.result(region) is None:
        scans.start(region)
    if details is None:
        await screen.host.open_screen("key", subject, _TAB, _SECTION)
        return
    for key_list in screen.query(KeyList):
        key_list.go_to(subject.arn)
    details.open_tab(_TAB, _SECTION)
    details.show(screen.session, subject)


def cannot_use_on_scratchpad(subject: Subject) -> Reason:
    """Without a description, which operations the key offers is not known."""
    return "" if subject.key is not None else "its description is not read, so what it offers is not known"


async def use_on_scratchpad(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """Go to the scratchpad, with this key chosen."""
    from kms_tui.crypto_ops.request import ChosenKey
    from kms_tui.ui.scratchpad.scratchpad_screen import ScratchpadScreen

    (subject,) = subjects
    session = screen.session
    assert session is not None
    await screen.app.switch_mode("scratchpad")
    scratchpad = screen.app.screen
    if isinstance(scratchpad, ScratchpadScreen):
        account = session.account_of(subject.arn).name if session.has_several_accounts else ""
        await scratchpad.use_key(ChosenKey(subject.arn, subject.name, subject.region, subject.key, account))


async def edit_policy(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """Open the editor on a screen of its own."""
    from kms_tui.ui.policy_editor.editor_screen import PolicyEditor

    (subject,) = subjects
    screen.app.push_screen(PolicyEditor(screen, subject))


async def show_policy_history(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """Show earlier policies; the one chosen opens in the editor, not saved yet."""
    from kms_tui.ui.policy_editor.editor_screen import PolicyEditor
    from kms_tui.ui.policy_editor.policy_history import HistoryDialog, read_versions

    (subject,) = subjects
    target = await _target(screen, subject)
    assert screen.session is not None
    files = screen.session.policy_files
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
    """Open the simulation with the key's present policy."""
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

    return await off_loop(partial(EditTarget.of, screen.kms_for(subject), subject))
