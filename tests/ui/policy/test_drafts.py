"""Drafts in the editor: nothing typed is lost, and it is offered again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from kms_tui.backend.base import Backend
from kms_tui.data_files import Draft, PolicyFiles
from kms_tui.ui.dialogs.questions import Choose
from kms_tui.ui.policy_editor import editor_screen
from kms_tui.ui.policy_editor.editor_screen import PolicyEditor
from kms_tui.ui.policy_editor.policy_review import ConflictDialog
from tests.ui.conftest import NOW, MakeApp
from tests.ui.console import drive, notifications, press, settled
from tests.ui.policy.workspace import (
    BROKEN,
    NO_ACCOUNT,
    SOUND,
    dialog_text,
    edit_of,
    editor_of,
    key_policy,
    open_editor,
    put_policy,
    save,
    write,
)


def texts(files: PolicyFiles, arn: str) -> list[str]:
    return [draft.text for draft in files.drafts(arn).entries]


def test_leaving_keeps_what_was_typed_says_so_and_offers_it_again(
    make_app: MakeApp, demo: Backend, files: PolicyFiles
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        before = key_policy(demo, editor.subject.key_id)
        await write(pilot, editor, BROKEN)
        await press(pilot, "escape")
        assert not isinstance(pilot.app.screen, PolicyEditor)
        assert "kept as a draft" in notifications(pilot.app)  # type: ignore[arg-type]
        assert key_policy(demo, editor.subject.key_id) == before
        await press(pilot, "e")
        assert isinstance(pilot.app.screen, Choose)
        await press(pilot, "enter")
        assert editor_of(pilot).area.policy_text == BROKEN
        assert texts(files, editor.subject.arn) == [BROKEN]

    drive(make_app(), script)


def test_leaving_an_unchanged_policy_leaves_nothing_behind(make_app: MakeApp, files: PolicyFiles) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await press(pilot, "space", "backspace", "escape")
        assert "draft" not in notifications(pilot.app)  # type: ignore[arg-type]
        assert texts(files, editor.subject.arn) == []

    drive(make_app(), script)


def test_quitting_in_the_midst_of_typing_keeps_the_last_keystroke(
    make_app: MakeApp, files: PolicyFiles, monkeypatch: Any
) -> None:
    seen: list[PolicyEditor] = []

    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        seen.append(editor)
        monkeypatch.setattr(editor_screen, "KEEP_SECONDS", 60.0)
        await pilot.press("x", "y", "z")
        await pilot.press("ctrl+q")

    drive(make_app(), script)
    assert texts(files, seen[0].subject.arn) == [edit_of(seen[0]).text]
    assert "xyz" in edit_of(seen[0]).text


def test_a_draft_of_a_program_that_died_is_offered(
    make_app: MakeApp, demo: Backend, files: PolicyFiles
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        arn = editor.subject.arn
        await press(pilot, "escape")
        files.keep_draft(arn, Draft("dead", NOW, SOUND, edit_of(editor).base))
        await press(pilot, "e")
        assert isinstance(pilot.app.screen, Choose)
        assert "draft of 2026-11-20 12:00" in str(pilot.app.screen.entries[0])
        await press(pilot, "enter")
        await save(pilot)
        assert key_policy(demo, editor.subject.key_id) == SOUND
        assert texts(files, arn) == []

    drive(make_app(), script)


def test_a_draft_that_was_begun_from_an_older_policy_meets_the_newer_one_when_saved(
    make_app: MakeApp, demo: Backend, files: PolicyFiles
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await press(pilot, "escape")
        files.keep_draft(editor.subject.arn, Draft("old", NOW, SOUND, edit_of(editor).base))
        newer = SOUND.replace("role/app", "role/other")
        put_policy(demo, editor.subject.key_id, newer)
        await press(pilot, "e", "enter")
        await save(pilot)
        assert isinstance(pilot.app.screen, ConflictDialog)
        assert key_policy(demo, editor.subject.key_id) == newer

    drive(make_app(), script)


def test_one_can_start_from_the_key_and_keep_the_draft_or_discard_it(
    make_app: MakeApp, demo: Backend, files: PolicyFiles
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        arn = editor.subject.arn
        await press(pilot, "escape")
        files.keep_draft(arn, Draft("one", NOW, SOUND, edit_of(editor).base))
        await press(pilot, "e", "down", "enter")
        assert not edit_of(editor_of(pilot)).is_changed
        assert texts(files, arn) == [SOUND]
        await press(pilot, "escape", "e", "down", "down", "enter")
        assert not edit_of(editor_of(pilot)).is_changed
        assert texts(files, arn) == []

    drive(make_app(), script)


def test_a_save_removes_the_draft_and_a_refused_one_does_not(make_app: MakeApp, files: PolicyFiles) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, NO_ACCOUNT)
        await save(pilot)
        assert texts(files, editor.subject.arn) == [NO_ACCOUNT]
        await write(pilot, editor, SOUND)
        assert texts(files, editor.subject.arn) == [SOUND]
        await save(pilot)
        assert texts(files, editor.subject.arn) == []

    drive(make_app(), script)


def test_discarding_asks_and_then_shows_the_key_s_policy_which_undo_takes_back(
    make_app: MakeApp, files: PolicyFiles
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, SOUND)
        await press(pilot, "ctrl+r", "enter")
        assert editor.area.policy_text == SOUND
        await press(pilot, "ctrl+r", "tab", "enter")
        assert editor.area.policy_text == edit_of(editor).base
        assert texts(files, editor.subject.arn) == []
        await press(pilot, "ctrl+z")
        assert editor.area.policy_text == SOUND
        assert texts(files, editor.subject.arn) == [SOUND]

    drive(make_app(), script)


def test_a_draft_that_cannot_be_written_is_told_and_leaving_asks(
    make_app: MakeApp, files: PolicyFiles
) -> None:
    files.root.parent.mkdir(exist_ok=True)
    Path(files.root).write_text("a file in the way")

    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        editor.area.replace_policy(SOUND)
        await settled(pilot)
        assert "draft is not kept" in str(editor.query_one("#policy-error").render())
        await press(pilot, "escape")
        assert "Leave and lose your changes?" in dialog_text(pilot)
        await press(pilot, "enter")
        assert pilot.app.screen is editor
        assert editor.area.policy_text == SOUND

    drive(make_app(), script)
