"""Earlier policies: kept before they are replaced, listed, and brought back through the guard."""

from __future__ import annotations

import stat
from typing import Any

from textual.pilot import Pilot
from textual.widgets import OptionList

from kms_tui.atomic import FileError
from kms_tui.backend.base import Backend
from kms_tui.data_files import PolicyFiles
from kms_tui.ui.policy_editor.policy_history import HistoryDialog
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, press, settled
from tests.ui.policy.workspace import (
    SOUND,
    Elsewhere,
    dialog_text,
    editor_of,
    key_policy,
    open_editor,
    save,
    shown,
    write,
)


def test_the_policy_that_a_save_replaces_is_kept_for_its_owner_alone(
    make_app: MakeApp, demo: Backend, files: PolicyFiles
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        before = key_policy(demo, editor.subject.key_id)
        await write(pilot, editor, SOUND)
        await save(pilot)
        assert [version.text for version in files.versions(editor.subject.arn).entries] == [before]
        modes = {
            stat.S_IMODE(path.stat().st_mode) for path in files.folder(editor.subject.arn).glob("version*")
        }
        assert modes == {0o600}

    drive(make_app(Elsewhere(demo)), script)


def test_a_save_is_not_made_where_the_policy_before_cannot_be_kept(
    make_app: MakeApp, demo: Backend, monkeypatch: Any
) -> None:
    backend = Elsewhere(demo)

    def full(*_: object) -> None:
        raise FileError("The disk is full.")

    monkeypatch.setattr(PolicyFiles, "keep_version", full)

    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, SOUND)
        await save(pilot)
        assert "The disk is full." in shown(pilot, "#policy-error")
        assert "PutKeyPolicy" not in backend.calls

    drive(make_app(backend), script)


def test_going_back_to_an_earlier_policy_is_a_save_like_any_other(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        first = key_policy(demo, editor.subject.key_id)
        await write(pilot, editor, SOUND)
        await save(pilot)
        await press(pilot, "f5")
        assert isinstance(pilot.app.screen, HistoryDialog)
        assert "role/app loses" in dialog_text(pilot)
        await press(pilot, "enter", "enter")
        assert editor.area.policy_text == first
        assert key_policy(demo, editor.subject.key_id) == SOUND
        await save(pilot)
        assert key_policy(demo, editor.subject.key_id) == first

    drive(make_app(Elsewhere(demo)), script)


def test_the_offline_kms_shows_all_versions_and_nothing_is_kept_beside_it(
    make_app: MakeApp, demo: Backend, files: PolicyFiles
) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        first = key_policy(demo, editor.subject.key_id)
        await write(pilot, editor, SOUND)
        await save(pilot)
        assert files.versions(editor.subject.arn).entries == ()
        await press(pilot, "escape", "H")
        dialog = pilot.app.screen
        assert isinstance(dialog, HistoryDialog)
        assert [listed.version.text for listed in dialog.versions] == [SOUND, first]
        assert shown(pilot, "#version-head").startswith("It says the same")
        dialog.query_one("#versions", OptionList).highlighted = 1
        await settled(pilot)
        assert "role/app loses" in dialog_text(pilot)
        await press(pilot, "enter", "enter")
        assert editor_of(pilot).area.policy_text == first
        assert key_policy(demo, editor.subject.key_id) == SOUND

    drive(make_app(), script)


def test_a_key_without_earlier_policies_says_so(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "H")
        assert "None yet" in dialog_text(pilot)
        await press(pilot, "enter")
        assert not isinstance(pilot.app.screen, HistoryDialog)

    drive(make_app(Elsewhere(demo)), script)
