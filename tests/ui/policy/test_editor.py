"""The editor by keyboard: typing, findings, completion, files, other programs, hostile text, read-only."""

from __future__ import annotations

import asyncio
import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Checkbox, Input

from kms_tui.backend.base import Backend
from kms_tui.config import ProfileSettings
from kms_tui.kms.model import CallerIdentity
from kms_tui.policy import Severity
from kms_tui.policy.rule_guide import RULES
from kms_tui.ui.policy_editor import editor_commands
from kms_tui.ui.policy_editor.completion_list import CompletionList
from kms_tui.ui.policy_editor.editor_screen import PolicyEditor
from kms_tui.ui.policy_editor.findings_list import FindingsList
from kms_tui.ui.policy_editor.text_files import OutsideEdit, editor_command
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, notifications, press, settled
from tests.ui.policy.workspace import (
    APP,
    APP_USES,
    NO_ACCOUNT,
    ROOT,
    SOUND,
    Elsewhere,
    dialog_text,
    edit_of,
    editor_of,
    key_policy,
    open_editor,
    policy_with,
    save,
    shown,
    write,
)


def row_of(editor: PolicyEditor, text: str) -> int:
    return next(row for row, line in enumerate(editor.area.document.lines) if text in line)


def into_the_empty_string(editor: PolicyEditor) -> None:
    """Put the cursor between the quotes of the one empty string."""
    row = row_of(editor, '""')
    editor.area.move_cursor((row, editor.area.document.get_line(row).index('""') + 1))


def offered(editor: PolicyEditor) -> tuple[str, ...]:
    """What the list of completions offers; nothing while it is closed."""
    completion = editor.query_one(CompletionList).completion
    return completion.offered if completion is not None else ()


def screen_text(pilot: Pilot[Any]) -> str:
    """What the terminal is sent, without its styles."""
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join(strip.text for strip in strips)


def test_every_key_with_a_character_is_typed_and_none_is_a_command(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await press(pilot, "q", "question_mark", "colon", "slash", "1", "e")
        assert pilot.app.screen is editor
        assert edit_of(editor).text.startswith("q?:/1e{")

    drive(make_app(), script)


def test_findings_are_marked_in_the_gutter_and_the_list_jumps_to_them(make_app: MakeApp) -> None:
    public = policy_with(ROOT, APP_USES | {"Principal": "*", "Sid": "Anyone"})

    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, public)
        assert shown(pilot, "#policy-verdict").startswith("warning: ")
        findings = editor.query_one(FindingsList)
        finding = next(each for each in findings.findings if each.severity is Severity.WARN)
        row = finding.line - 1
        gutter = editor.area.render_line(row - editor.area.scroll_offset.y).text
        assert gutter.startswith("!")
        await press(pilot, "ctrl+g")
        assert findings.has_focus
        findings.highlighted = findings.findings.index(finding)
        await press(pilot, "enter")
        assert editor.area.has_focus
        assert editor.area.cursor_location[0] == row
        await press(pilot, "ctrl+g", "escape")
        assert pilot.app.screen is editor
        assert editor.area.has_focus

    drive(make_app(), script)


def test_a_findings_rule_is_explained(make_app: MakeApp) -> None:
    public = policy_with(ROOT, APP_USES | {"Principal": "*", "Sid": "Anyone"})

    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, public)
        findings = editor.query_one(FindingsList)
        await press(pilot, "ctrl+g")
        findings.highlighted = [each.rule for each in findings.findings].index("public")
        await press(pilot, "question_mark")
        assert shown(pilot, "#dialog-title") == "public"
        assert RULES["public"].why in dialog_text(pilot)
        await press(pilot, "escape")
        assert findings.has_focus

    drive(make_app(), script)


def test_format_takes_the_policy_out_of_what_was_pasted(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, json.dumps({"Policy": SOUND, "PolicyName": "default"}))
        assert shown(pilot, "#policy-verdict").startswith("refused: This is the JSON answer of")
        await press(pilot, "ctrl+l")
        assert json.loads(edit_of(editor).text) == json.loads(SOUND)
        assert shown(pilot, "#policy-verdict").startswith("ok: ")

    drive(make_app(), script)


def test_a_mistake_is_named_with_its_line_as_soon_as_it_is_typed(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        editor.area.move_cursor((row_of(editor, '"Action"'), 4))
        await press(pilot, "x")
        assert shown(pilot, "#policy-verdict").startswith("refused: ")
        assert editor.query_one(FindingsList).findings[0].line == row_of(editor, '"Action"') + 1
        await press(pilot, "ctrl+z")
        assert shown(pilot, "#policy-verdict").startswith("ok: ")

    drive(make_app(), script)


def test_f8_goes_from_finding_to_finding_and_round(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        wrong = [APP_USES | {"Sid": name, "Action": "kms:Decypt"} for name in "ab"]
        await write(pilot, editor, policy_with(ROOT, *wrong))
        lines = {finding.line - 1 for finding in editor.query_one(FindingsList).findings}
        seen = set()
        for _ in range(len(editor.query_one(FindingsList).findings) + 1):
            await press(pilot, "f8")
            seen.add(editor.area.cursor_location[0])
        assert seen == lines

    drive(make_app(), script)


def test_ctrl_down_and_up_jump_by_statement_in_broken_text_too(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, SOUND[:-3])
        editor.area.move_cursor((0, 0))
        await press(pilot, "ctrl+down", "ctrl+down")
        row, column = editor.area.cursor_location
        assert editor.area.document.get_line(row)[column] == "{"
        assert APP_USES["Sid"] in editor.area.document.get_line(row + 1)
        await press(pilot, "ctrl+up")
        assert ROOT["Sid"] in editor.area.document.get_line(editor.area.cursor_location[0] + 1)

    drive(make_app(), script)


def test_format_lays_out_and_undo_brings_the_old_lines_back(make_app: MakeApp) -> None:
    compact = json.dumps(json.loads(SOUND))

    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, compact)
        await press(pilot, "ctrl+l")
        assert editor.area.policy_text == SOUND
        await press(pilot, "ctrl+z")
        assert editor.area.policy_text == compact
        await press(pilot, "ctrl+y")
        assert editor.area.policy_text == SOUND
        await write(pilot, editor, compact[:-1])
        await press(pilot, "ctrl+l")
        assert editor.area.policy_text == compact[:-1]
        assert "Not formatted" in shown(pilot, "#policy-error")

    drive(make_app(), script)


def test_a_snippet_is_chosen_from_the_menu_and_saved(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await press(pilot, "ctrl+t", "down", "down", "enter")
        await save(pilot)
        statements = json.loads(key_policy(demo, editor.subject.key_id))["Statement"]
        assert [statement["Sid"] for statement in statements] == [ROOT["Sid"], "Allow use of the key"]

    drive(make_app(), script)


def test_a_completion_is_offered_as_one_types_and_tab_takes_it(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, policy_with(ROOT, APP_USES | {"Action": [""]}))
        into_the_empty_string(editor)
        await press(pilot, "d", "e", "c", "r")
        assert offered(editor)[0] == "kms:Decrypt"
        await press(pilot, "tab")
        assert offered(editor) == ()
        assert '"kms:Decrypt"' in editor.area.policy_text
        assert shown(pilot, "#policy-verdict").startswith("ok: ")

    drive(make_app(), script)


def test_escape_closes_the_completions_first_and_arrows_choose_among_them(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, policy_with(ROOT, APP_USES | {"Action": [""]}))
        into_the_empty_string(editor)
        await press(pilot, "ctrl+space")
        second = offered(editor)[1]
        await press(pilot, "escape")
        assert offered(editor) == ()
        assert pilot.app.screen is editor
        await press(pilot, "ctrl+space", "down", "enter")
        assert f'"{second}"' in editor.area.policy_text

    drive(make_app(), script)


def test_the_completions_close_when_the_cursor_leaves_the_word(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, policy_with(ROOT, APP_USES | {"Action": [""]}))
        into_the_empty_string(editor)
        await press(pilot, "e")
        assert offered(editor)
        await press(pilot, "home")
        assert offered(editor) == ()

    drive(make_app(), script)


def test_principals_seen_in_this_sitting_are_offered(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await open_editor(pilot, "payments-cards")
        await press(pilot, "escape")
        editor = await open_editor(pilot, "orders-db")
        await write(pilot, editor, policy_with(ROOT, APP_USES | {"Principal": {"AWS": ""}}))
        into_the_empty_string(editor)
        await press(pilot, "k", "e", "y", "a")
        assert offered(editor)[0] == "arn:aws:iam::111122223333:role/KeyAdmin"

    drive(make_app(), script)


# Files and other programs


def test_a_policy_is_loaded_from_and_written_to_a_file(
    make_app: MakeApp, demo: Backend, tmp_path: Path
) -> None:
    source, target = tmp_path / "in.json", tmp_path / "out.json"
    source.write_bytes(SOUND.replace("\n", "\r\n").encode())

    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        before = key_policy(demo, editor.subject.key_id)
        await press(pilot, "ctrl+o")
        pilot.app.screen.query_one("#path", Input).value = str(tmp_path / "missing.json")
        await press(pilot, "enter")
        assert "missing.json could not be read" in dialog_text(pilot)
        pilot.app.screen.query_one("#path", Input).value = str(source)
        pilot.app.screen.query_one("#path").focus()
        await press(pilot, "enter")
        assert editor.area.policy_text == SOUND.replace("\n", "\r\n")
        assert key_policy(demo, editor.subject.key_id) == before
        await press(pilot, "f2")
        pilot.app.screen.query_one("#path", Input).value = str(target)
        await press(pilot, "enter")
        assert target.read_bytes() == source.read_bytes()
        await press(pilot, "f2")
        pilot.app.screen.query_one("#path", Input).value = str(target)
        await press(pilot, "enter")
        assert "exists already" in dialog_text(pilot)
        pilot.app.screen.query_one("#overwrite", Checkbox).value = True
        pilot.app.screen.query_one("#path").focus()
        await press(pilot, "enter")
        assert pilot.app.screen is editor

    drive(make_app(), script)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"\xff\xfe{\x00", "is not UTF-8"), (b" " * 1_048_577, "larger than any policy")],
    ids=["UTF-16", "too large"],
)
def test_a_file_that_is_no_policy_is_refused_beside_the_field(
    make_app: MakeApp, tmp_path: Path, content: bytes, sentence: str
) -> None:
    (tmp_path / "p.json").write_bytes(content)

    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        before = edit_of(editor).text
        await press(pilot, "ctrl+o")
        pilot.app.screen.query_one("#path", Input).value = str(tmp_path / "p.json")
        await press(pilot, "enter")
        assert sentence in dialog_text(pilot)
        await press(pilot, "escape")
        assert edit_of(editor).text == before

    drive(make_app(), script)


def test_what_another_editor_wrote_is_a_change_that_can_be_undone(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_in_program(editor: PolicyEditor, text: str) -> str:
        script = "import sys, pathlib; p = pathlib.Path(sys.argv[1]); p.write_text(p.read_text() + 'more')"
        return OutsideEdit(text).run([sys.executable, "-c", script])

    monkeypatch.setattr(editor_commands, "run_outside", write_in_program)

    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        before = edit_of(editor).text
        await press(pilot, "f4")
        assert edit_of(editor).text == before + "more"
        await press(pilot, "ctrl+z")
        assert edit_of(editor).text == before

    drive(make_app(), script)


def test_the_file_for_another_editor_is_private_and_gone_afterwards() -> None:
    outside = OutsideEdit(SOUND)
    assert stat.S_IMODE(outside.path.stat().st_mode) == 0o600
    assert outside.run([sys.executable, "-c", ""]) == SOUND
    assert not outside.path.exists()
    assert not outside.path.parent.exists()


@pytest.mark.parametrize(
    "program", ["import sys; sys.exit(3)", "import sys; open(sys.argv[1], 'wb').write(b'\\xff')"]
)
def test_what_an_editor_left_stays_where_it_cannot_be_taken(program: str) -> None:
    from kms_tui.atomic import FileError

    outside = OutsideEdit(SOUND)
    with pytest.raises(FileError, match=str(outside.path)):
        outside.run([sys.executable, "-c", program])
    assert outside.path.exists()
    outside.remove()


def test_a_program_that_is_not_there_is_named_and_the_text_stays(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        editor_commands, "run_outside", lambda _, text: OutsideEdit(text).run(["/nonexistent/editor"])
    )

    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        before = edit_of(editor).text
        await press(pilot, "f4")
        assert "could not be started" in shown(pilot, "#policy-error")
        assert edit_of(editor).text == before

    drive(make_app(), script)


def test_visual_comes_before_editor_and_arguments_are_kept() -> None:
    assert editor_command({"VISUAL": "code --wait", "EDITOR": "ed"}) == ["code", "--wait"]
    assert editor_command({"VISUAL": " ", "EDITOR": "ed"}) == ["ed"]
    assert editor_command({}) == ["vi"]


# Hostile text

HOSTILE_SID = "a\x1b[2J\x9b31m\u202e[/b][@click=app.quit]x[/]"


def test_controls_in_a_policy_never_reach_the_terminal_and_are_saved_unchanged(
    make_app: MakeApp, demo: Backend
) -> None:
    hostile = policy_with(ROOT, APP_USES | {"Sid": "SID"}).replace("SID", "x\x9b31m\x85\xad[/b][red]y")

    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, hostile)
        editor.area.move_cursor((row_of(editor, "[/b]"), 0))
        await settled(pilot)
        sent = screen_text(pilot)
        assert "[/b][red]y" in sent
        assert not any(char in sent for char in "\x9b\x85\xad")
        await press(pilot, "ctrl+s")
        assert not any(char in screen_text(pilot) for char in "\x9b\x85\xad")
        await press(pilot, "tab", "enter")
        assert key_policy(demo, editor.subject.key_id) == hostile

    drive(make_app(), script)


def test_escapes_pasted_or_typed_are_shown_as_pictures_and_refused(make_app: MakeApp, demo: Backend) -> None:
    from textual.events import Paste

    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        before = key_policy(demo, editor.subject.key_id)
        editor.area.post_message(Paste(HOSTILE_SID + "\r\nsecond"))
        await settled(pilot)
        sent = screen_text(pilot)
        assert "\x1b" not in sent
        assert "\u202e" not in sent
        assert "␛[2J" in sent
        assert edit_of(editor).text.startswith(HOSTILE_SID + "\nsecond")
        assert shown(pilot, "#policy-verdict").startswith("refused: ")
        await press(pilot, "ctrl+s", "f3")
        assert "\x1b" not in screen_text(pilot)
        assert key_policy(demo, editor.subject.key_id) == before

    drive(make_app(), script)


def test_cutting_and_pasting_inside_the_editor_keeps_hidden_characters(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, "a\x1b\x9b\ue000\nb")
        editor.area.move_cursor((0, 0))
        await press(pilot, "ctrl+x")
        assert edit_of(editor).text == "b"
        await press(pilot, "ctrl+v")
        assert edit_of(editor).text == "a\x1b\x9b\ue000\nb"

    drive(make_app(), script)


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, '"' * 130_000, "x" * 131_073, "\ud800" * 100, "[" * 3_000 + "\x00", "*?" * 30_000],
    ids=["brackets", "quotes", "too long", "surrogates", "nul", "wildcards"],
)
def test_no_text_makes_the_editor_stumble(make_app: MakeApp, text: str) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        async with asyncio.timeout(20):
            await write(pilot, editor, text)
            await press(pilot, "end", "x", "ctrl+down", "ctrl+l", "ctrl+space", "f8")
        assert shown(pilot, "#policy-verdict").startswith("refused: ")
        await press(pilot, "ctrl+s")
        assert pilot.app.screen is editor
        assert text[:50] in edit_of(editor).text

    drive(make_app(), script, size=(80, 24))


def test_findings_stand_at_their_line_after_lone_carriage_returns(make_app: MakeApp) -> None:
    text = policy_with(ROOT, APP_USES | {"Action": "kms:Decypt"}).replace("{\n", "{\r\n", 1)
    text = text.replace('"2012-10-17",\n', '"2012-10-17",\r', 1)

    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, text)
        finding = next(f for f in editor.query_one(FindingsList).findings if "Decypt" in f.sentence)
        editor.area.go_to(finding.line, finding.column)
        row, column = editor.area.cursor_location
        assert editor.area.document.get_line(row)[column:].startswith('"kms:Decypt"')

    drive(make_app(), script)


# Who may save


def test_a_text_that_is_no_policy_is_not_said_to_take_rights_away(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, SOUND + "{}")
        await press(pilot, "f3")
        assert "The text is no policy yet" in dialog_text(pilot)
        assert "loses" not in dialog_text(pilot)

    drive(make_app(), script)


def test_a_read_only_session_drafts_but_is_not_offered_to_save(make_app: MakeApp, demo: Backend) -> None:
    backend = Elsewhere(demo)

    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, SOUND)
        assert "saving is not offered" in shown(pilot, "#policy-note")
        await press(pilot, "ctrl+s")
        assert pilot.app.screen is editor
        assert "policy.save" not in {active.binding.id for active in editor.active_bindings.values()}
        await press(pilot, "f3")
        assert pilot.app.screen is not editor
        await press(pilot, "escape", "escape", "e", "enter")
        assert editor_of(pilot).area.policy_text == SOUND
        assert "PutKeyPolicy" not in backend.calls

    drive(make_app(backend, read_only=True), script)


def test_a_session_opened_meanwhile_ends_saving_to_the_one_before(make_app: MakeApp, demo: Backend) -> None:
    app = make_app()

    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, SOUND)
        before = key_policy(demo, editor.subject.key_id)
        app.open(app.connection)
        await settled(pilot)
        await press(pilot, "ctrl+s")
        assert pilot.app.screen is editor
        assert "Another session is open" in shown(pilot, "#policy-note")
        assert key_policy(demo, editor.subject.key_id) == before

    drive(app, script)


def test_a_protected_key_asks_for_its_name_before_a_save(make_app: MakeApp, demo: Backend) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        assert editor.session is not None
        editor.session.current.settings = ProfileSettings(protected=("orders-*",))
        await write(pilot, editor, SOUND)
        before = key_policy(demo, editor.subject.key_id)
        await save(pilot)
        assert "protects this key" in dialog_text(pilot)
        await press(pilot, "escape")
        assert key_policy(demo, editor.subject.key_id) == before
        await save(pilot)
        pilot.app.screen.query_one("#typed-name", Input).value = "orders-db"
        pilot.app.screen.query_one("#typed-name").focus()
        await press(pilot, "enter")
        assert key_policy(demo, editor.subject.key_id) == SOUND

    drive(make_app(), script)


def test_the_policy_of_an_aws_managed_key_is_not_edited(make_app: MakeApp) -> None:
    async def script(pilot: Pilot[Any]) -> None:
        await press(pilot, "W", "e")
        assert not isinstance(pilot.app.screen, PolicyEditor)
        assert "AWS manages this key" in notifications(pilot.app)  # type: ignore[arg-type]

    drive(make_app(), script)


def test_every_binding_of_the_workspace_has_id_description_and_tooltip() -> None:
    from kms_tui.ui.policy_editor.policy_area import PolicyArea
    from kms_tui.ui.policy_editor.policy_review import ScrollingDialog
    from kms_tui.ui.policy_editor.simulate_screen import SimulateScreen

    for widget in (PolicyEditor, PolicyArea, ScrollingDialog, SimulateScreen):
        for binding in widget.BINDINGS:
            assert not isinstance(binding, tuple)
            assert binding.id, binding.key
            assert binding.description, binding.key
            assert binding.tooltip, binding.key


def test_the_caller_s_own_loss_is_told_while_typing(make_app: MakeApp, demo: Backend) -> None:
    backend = Elsewhere(demo)
    backend.caller = lambda: CallerIdentity("111122223333", APP, "")  # type: ignore[method-assign]
    text = policy_with(ROOT | {"Condition": {"ArnNotEquals": {"aws:PrincipalArn": APP}}})

    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, text)
        sentences = " ".join(finding.sentence for finding in editor.query_one(FindingsList).findings)
        assert "You yourself lose access" in sentences

    drive(make_app(backend), script)


def test_a_refused_save_shows_the_statement_and_its_line(make_app: MakeApp) -> None:
    denied = policy_with(ROOT, ROOT | {"Sid": "Nobody", "Effect": "Deny", "Principal": "*"})

    async def script(pilot: Pilot[Any]) -> None:
        editor = await open_editor(pilot)
        await write(pilot, editor, denied)
        await press(pilot, "ctrl+s")
        error = shown(pilot, "#policy-error")
        assert "Nobody" in error
        assert "line " in error
        await write(pilot, editor, NO_ACCOUNT)
        assert shown(pilot, "#policy-error") == ""

    drive(make_app(), script)
