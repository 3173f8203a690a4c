"""No route of the console saves a policy that the guard refuses."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

import kms_tui.ui
from kms_tui.backend.base import Backend
from kms_tui.backend.kms_facade import Kms
from kms_tui.backend.wrappers.policy_guard import PolicyRefusedError
from kms_tui.data_files import Draft, PolicyFiles
from kms_tui.kms.model import PolicyVersion
from kms_tui.ui.policy_editor import editor_commands
from kms_tui.ui.policy_editor.findings_list import FindingsList
from kms_tui.ui.policy_editor.policy_edit import BYPASS_PHRASE, DraftWriter, EditTarget, PolicyEdit
from tests.ui.conftest import NOW, MakeApp
from tests.ui.console import drive, go_to, notifications, press, settled
from tests.ui.policy.workspace import (
    ACCOUNT,
    REFUSED,
    REGION,
    ROOT,
    SOUND,
    Elsewhere,
    edit_of,
    editor_of,
    key_policy,
    open_editor,
    policy_with,
    shown,
    write,
)
from tests.ui.policy.workspace import save as press_save

WARNED = policy_with(ROOT, ROOT | {"Sid": "Anyone", "Principal": "*", "Action": "kms:Decrypt"})
SAMPLE = Path(__file__).parents[2] / "data" / "policies" / "judged_policies.jsonl"


async def typed(pilot: Pilot[Any], text: str, _: pytest.MonkeyPatch, __: Path, ___: PolicyFiles) -> None:
    await write(pilot, await open_editor(pilot), text)


async def loaded_from_a_file(
    pilot: Pilot[Any], text: str, _: pytest.MonkeyPatch, folder: Path, __: PolicyFiles
) -> None:
    (folder / "policy.json").write_text(text, encoding="utf-8")
    await open_editor(pilot)
    await press(pilot, "ctrl+o")
    pilot.app.screen.query_one("#path").value = str(folder / "policy.json")  # type: ignore[attr-defined]
    await press(pilot, "enter")


async def written_in_another_editor(
    pilot: Pilot[Any], text: str, monkeypatch: pytest.MonkeyPatch, _: Path, __: PolicyFiles
) -> None:
    monkeypatch.setattr(editor_commands, "run_outside", lambda *_: text)
    await open_editor(pilot)
    await press(pilot, "f4")


async def taken_from_the_history(
    pilot: Pilot[Any], text: str, _: pytest.MonkeyPatch, __: Path, files: PolicyFiles
) -> None:
    key_id = await go_to(pilot, "orders-db")
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key_id}"
    files.keep_version(arn, PolicyVersion(text, NOW))
    await press(pilot, "H")
    await press(pilot, "enter", "enter")


async def begun_as_a_draft(
    pilot: Pilot[Any], text: str, _: pytest.MonkeyPatch, __: Path, files: PolicyFiles
) -> None:
    key_id = await go_to(pilot, "orders-db")
    arn = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key_id}"
    assert pilot.app.session is not None  # type: ignore[attr-defined]
    base = pilot.app.session.kms.key_policy(key_id)  # type: ignore[attr-defined]
    files.keep_draft(arn, Draft("before", NOW, text, base))
    await press(pilot, "e", "enter")


ROUTES = (typed, loaded_from_a_file, written_in_another_editor, taken_from_the_history, begun_as_a_draft)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.__name__)
def test_a_refused_policy_is_not_sent_however_it_came_into_the_editor(
    make_app: MakeApp,
    demo: Backend,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    files: PolicyFiles,
    route: Any,
) -> None:
    backend = Elsewhere(demo)
    text = REFUSED["no account"]

    async def script(pilot: Pilot[Any]) -> None:
        await route(pilot, text, monkeypatch, tmp_path, files)
        editor = editor_of(pilot)
        assert editor.area.policy_text == text
        before = key_policy(demo, editor.subject.key_id)
        await press(pilot, "ctrl+s")
        assert pilot.app.screen is editor
        await pilot.app.run_action("save", editor)  # as the palette runs it
        await settled(pilot)
        assert pilot.app.screen is editor
        assert "Not saved" in shown(pilot, "#policy-error")
        assert shown(pilot, "#policy-verdict").startswith("refused: ")
        assert editor.area.policy_text == text
        assert [draft.text for draft in files.drafts(editor.subject.arn).entries] == [text]
        assert key_policy(demo, editor.subject.key_id) == before
        assert "PutKeyPolicy" not in backend.calls

    drive(make_app(backend), script)


def test_each_kind_of_refusal_keeps_the_text_and_says_why(make_app: MakeApp, demo: Backend) -> None:
    backend = Elsewhere(demo)

    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        for text in REFUSED.values():
            await write(pilot, editor, text)
            await press(pilot, "ctrl+s")
            assert pilot.app.screen is editor
            assert "Not saved" in shown(pilot, "#policy-error")
            assert editor.area.policy_text == text
        assert "PutKeyPolicy" not in backend.calls

    drive(make_app(backend), script)


def test_the_guard_looks_at_what_is_sent_and_not_at_what_it_saw_last(
    make_app: MakeApp, demo: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Saving right after a keystroke, before the guard has looked at it, is refused all the same."""
    backend = Elsewhere(demo)

    async def script(pilot: Pilot[Any]) -> None:
        from kms_tui.ui.policy_editor import editor_screen

        editor = await open_editor(pilot)
        monkeypatch.setattr(editor_screen, "JUDGE_SECONDS", 60.0)
        editor.area.replace_policy(REFUSED["no account"])
        await pilot.press("ctrl+s")
        async with __import__("asyncio").timeout(10):
            while not editor.query_one("#policy-error").has_class("-shown"):
                await pilot.pause(0.01)
        assert pilot.app.screen is editor
        assert "PutKeyPolicy" not in backend.calls

    drive(make_app(backend), script)


def test_taking_a_change_back_does_not_bring_a_refused_policy_back(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot, "invoices")
        key_id, before = editor.subject.key_id, edit_of(editor).text
        assert shown(pilot, "#policy-verdict").startswith("refused: ")
        await write(pilot, editor, SOUND)
        await press_save(pilot)
        await press(pilot, "escape", "ctrl+z", "tab", "enter")
        assert key_policy(demo, key_id) == SOUND != before
        assert "Could not undo" in notifications(pilot.app)  # type: ignore[arg-type]

    drive(make_app(), script)


def test_ctrl_z_beside_the_text_takes_no_change_of_the_session_back(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, WARNED)
        await press_save(pilot)
        await press(pilot, "ctrl+g")
        assert editor.query_one(FindingsList).has_focus
        await press(pilot, "ctrl+z")
        assert pilot.app.screen is editor

    drive(make_app(), script)


def _cases() -> list[dict[str, Any]]:
    return [json.loads(line) for line in SAMPLE.read_text(encoding="utf-8").splitlines()]


class OneKey:
    """A backend with one key, whose account and caller are those of a case; it counts what is put."""

    def __init__(self, case: dict[str, Any]) -> None:
        self.account_id = case["account"]
        self.partition = case["partition"]
        self.region = REGION
        self.put: list[Any] = []

    def call(self, operation: str, params: Any) -> Any:
        if operation == "PutKeyPolicy":
            self.put.append(params)
            return {}
        return {"Policy": "the policy before", "PolicyName": "default"}


@pytest.mark.parametrize("phrase", ["", BYPASS_PHRASE], ids=["plainly", "bypassing the check"])
def test_the_one_function_that_puts_a_policy_sends_none_of_the_refused_sample(
    files: PolicyFiles, phrase: str
) -> None:
    cases = [case for case in _cases() if case["expect"] == "refuse"]
    assert len(cases) > 30
    for case in cases:
        backend = OneKey(case)
        arn = case["key_arn"] or f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
        target = EditTarget(Kms(backend), "1", arn, case["caller_arn"] or "")  # type: ignore[arg-type]
        edit = PolicyEdit(target, "the policy before", case["policy"], DraftWriter(files, arn, lambda: NOW))
        with pytest.raises(PolicyRefusedError):
            edit.save(edit.check(NOW.timestamp()), lambda: NOW, bypass_phrase=phrase)
        assert backend.put == [], case["id"]


def test_no_other_module_of_the_console_puts_a_key_policy() -> None:
    root = Path(kms_tui.ui.__file__).parent
    callers = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Attribute) and node.attr == "put_key_policy")
        or (isinstance(node, ast.Constant) and node.value == "PutKeyPolicy")
    }
    assert callers == {"policy_editor/policy_edit.py"}
