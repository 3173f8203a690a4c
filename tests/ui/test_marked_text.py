"""Nothing from outside reaches the terminal as anything but text, whatever shows it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import content, events
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

import kms_tui.ui
from kms_tui.backend.base import Backend
from kms_tui.session import BackendKind, Connection
from kms_tui.ui.app import KmsApp
from kms_tui.ui.base.safe_text import Content, Part, visible
from kms_tui.ui.widgets.form_widgets import Checkbox, Select
from kms_tui.ui.widgets.text_widgets import Button, Option, Static, Tab
from tests.ui.conftest import MakeApp
from tests.ui.console import drive, go_to, press, settled
from tests.ui.marked import MARK, Marked, Written, refused
from tests.ui.nonsense import SCENES, ask_for, home, with_mine

pytestmark = pytest.mark.painted

if TYPE_CHECKING:
    # mypy refuses each of these: were one taken, it would call the comment unused.
    raw = "what came from outside"
    Static(raw)  # type: ignore[arg-type]
    Static().update(raw)  # type: ignore[arg-type]
    Static(content.Content(raw)).update(f"Delete {raw}?")  # type: ignore[arg-type]
    Button(raw)  # type: ignore[arg-type]
    Option(raw)  # type: ignore[arg-type]
    Checkbox(raw)  # type: ignore[arg-type]
    Select([(raw, raw)], value=raw)  # type: ignore[list-item]
    Tab(raw, id="tab")  # type: ignore[arg-type]

PROFILE = f"prod{MARK}"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Written:
    return Written(monkeypatch)


@pytest.mark.contained
@pytest.mark.parametrize("enums", [False, True])
def test_no_member_of_any_answer_leaves_as_anything_but_text(
    make_app: MakeApp, demo: Backend, written: Written, enums: bool
) -> None:
    marked = Marked(with_mine(demo), enums=enums)
    asked = (
        *("ListAliases", "GetKeyPolicy", "ListGrants", "DescribeCustomKeyStores", "ListKeyRotations"),
        *("DeleteAlias", "UpdateAlias", "ScheduleKeyDeletion", "CreateGrant", "ReplicateKey", "Sign"),
    )

    async def script(pilot: Pilot[Any]) -> None:
        for operation in asked[enums::2]:
            await ask_for(pilot, operation)
            await home(pilot)
        await press(pilot, *"23456")

    drive(make_app(marked, profile=PROFILE), script)
    assert "owned" in written.text, "nothing marked was shown"
    assert len(marked.members) > 15, sorted(marked.members)
    assert written.obeyed() == []
    assert written.clears() <= 1


@pytest.mark.contained
def test_no_refusal_leaves_as_anything_but_text(make_app: MakeApp, demo: Backend, written: Written) -> None:
    marked = Marked(with_mine(demo))
    marked._marked = lambda value, _shape, _path: value  # type: ignore[assignment]

    async def script(pilot: Pilot[Any]) -> None:
        for operation in list(SCENES)[::4]:
            marked.refuses = operation
            await ask_for(pilot, operation)
            marked.refuses = ""
            await home(pilot)

    drive(make_app(marked, profile=PROFILE), script)
    assert len(marked.members) >= 6
    assert "SomeException" in written.text
    assert written.obeyed() == []


def test_a_connection_that_fails_says_so_in_text(written: Written) -> None:
    drive(
        KmsApp(lambda connection, _: refused(connection), Connection(BackendKind.AWS, profile=MARK)),
        settled,
        size=(80, 24),
    )
    assert "No such account" in written.text
    assert written.obeyed() == []


FIELDS = (*("slash", "a", "i", "t", "f", "D", "w", "3", "ctrl+p", "2 slash", "n enter", "e", "S", "A"),)
"""Keys that lead to something that can be typed into."""


@pytest.mark.parametrize("keys", FIELDS)
def test_what_is_pasted_anywhere_is_drawn_as_text(make_app: MakeApp, written: Written, keys: str) -> None:
    """And the field holds it as it was pasted."""

    async def script(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "sandbox")
        await press(pilot, *keys.split())
        for field in [*pilot.app.screen.query(Input), *pilot.app.screen.query(TextArea)]:
            if field.is_on_screen and field.focusable:
                field.focus()
                await settled(pilot)
                pilot.app.post_message(events.Paste(f"pasted{MARK}"))
                await settled(pilot)

    drive(make_app(profile=PROFILE), script)
    assert written.obeyed() == []


STEPS = st.tuples(st.sampled_from(["new", "add", "join", "styled", "assemble"]), st.text())


@given(st.lists(STEPS, min_size=1))
def test_content_holds_nothing_but_text_however_it_is_put_together(steps: list[tuple[str, str]]) -> None:
    made = Content()
    for how, text in steps:
        part: Part = content.Content(text, strip_control_codes=False) if len(text) % 2 else text
        match how:
            case "new":
                made = Content(text)
            case "add":
                made = made + part
            case "join":
                made = made.join([part, made.stylize("bold")])
            case "styled":
                made = made + Content.styled(text, "$accent")
            case "assemble":
                made = Content.assemble(made, part, (text, "bold"))
        made = made.truncate(400, ellipsis=True).extend_right(1)
    assert made.plain == visible(made.plain, newlines=True)
    assert all(0 <= span.start <= span.end <= len(made) for span in made.spans)


WRAPPERS = {
    "widgets/text_widgets.py": (
        *("Static", "Button", "Label", "option_list.Option", "Input", "MaskedInput", "Tab", "TabPane"),
    ),
    "widgets/form_widgets.py": ("TextArea", "Checkbox", "RadioButton", "Select", "selection_list.Selection"),
    "widgets/access_matrix.py": ("DataTable",),  # of cells that column made
    "nobody": ("Markdown", "Tree", "RichLog", "Log", "Collapsible", "Digits", "Link"),
}
"""Module below kms_tui/ui -> the widgets of Textual that it alone imports."""
ALLOWED = {
    "textual.content": {"base/safe_text.py"},
    "rich.text.Text": {
        *(
            "base/safe_text.py",
            "widgets/form_widgets.py",
            "widgets/text_widgets.py",
            "widgets/access_matrix.py",
        ),
        *("policy_editor/policy_area.py", "scratchpad/secret_area.py"),
    },
    **{f"textual.widgets.{name}": {path} for path, names in WRAPPERS.items() for name in names},
}
"""What takes markup or raw text -> the modules that may import it."""
MARKUP = frozenset(
    {"from_markup", "from_text", "from_rich_text", "render_str", "border_title", "border_subtitle"}
)


def sources() -> Iterator[tuple[str, ast.AST]]:
    root = Path(kms_tui.ui.__path__[0])
    for path in sorted(root.rglob("*.py")):
        yield path.relative_to(root).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom) and node.module is not None:
        yield node.module
        yield from (f"{node.module}.{name.name}" for name in node.names)
    elif isinstance(node, ast.Import):
        yield from (name.name for name in node.names)


def test_only_the_wrappers_import_what_takes_markup_or_raw_text() -> None:
    found = [
        f"{path}: {name}"
        for path, tree in sources()
        for node in ast.walk(tree)
        for name in imported(node)
        if path not in ALLOWED.get(name, {path})
    ]
    assert found == []


def test_nobody_parses_markup_or_titles_a_border() -> None:
    found = [
        f"{path}:{node.lineno}: {node.attr}"
        for path, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in MARKUP
    ]
    assert found == []
