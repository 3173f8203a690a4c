"""``OutputScreen``: what was made of a key (a signature, a token, code), to copy, to save and to check."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll

from kms_tui.atomic import SHARED, atomic_file, typed_path
from kms_tui.session import Connection
from kms_tui.ui.base.background import start
from kms_tui.ui.base.clipboard import copy_text
from kms_tui.ui.base.command_lines import shell_line
from kms_tui.ui.base.host import host_of
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.dialogs.form import FlagField, Form, FormField, Values
from kms_tui.ui.dialogs.modal import Modal
from kms_tui.ui.widgets.facts_table import Facts, facts_table
from kms_tui.ui.widgets.text_widgets import Static

_MOST_SHOWN = 20_000
"""Characters of a text on the screen; all of it is copied and saved."""


def _none(file_name: str) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Output:
    """What was made: a text to copy or bytes to save, a file name for it, and what checks it."""

    title: str
    content: bytes
    file_name: str
    """A name that the form to save it suggests; "" where it is in files already."""
    facts: Facts = ()
    checks: Callable[[str], Sequence[str]] = _none
    """Command lines of other tools that check it in a file of this name."""
    check: Callable[[str], Sequence[str]] = _none
    """The arguments of the ``kms-tui`` command that checks it in a file of this name."""
    is_bad: bool = False
    """Whether it is a verdict that something does not verify."""

    @property
    def text(self) -> str | None:
        """The content as text; None for other bytes."""
        try:
            text = self.content.decode()
        except UnicodeDecodeError:
            return None
        return None if "\0" in text else text


class OutputScreen(Modal[None]):
    """A result with its facts, and the lines that check it."""

    HELP: ClassVar[str] = (
        "c copies what was made, w writes it to a file, x copies the kms-tui command that does the same, "
        "esc closes this."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Close", id="output.close", tooltip="Close this"),
        Binding("c", "copy", "Copy", id="output.copy", tooltip="Copy what was made"),
        Binding("w", "save", "Save", id="output.save", tooltip="Write it to a file"),
        Binding("x", "copy_command", "Command", id="output.command", tooltip="Copy the command line"),
        Binding("question_mark,f1", "app.help", "Help", id="output.help", tooltip="Explain the keys"),
        Binding("down", "scroll(1)", show=False),
        Binding("up", "scroll(-1)", show=False),
        Binding("pagedown", "scroll(10)", id="output.page-down", show=False),
        Binding("pageup", "scroll(-10)", show=False),
    ]

    def __init__(self, output: Output, command: str, connection: Connection) -> None:
        super().__init__()
        self.output = output
        self.command = command
        self._connection = connection

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="-help -danger" if self.output.is_bad else "-help"):
            yield Static(safe(self.output.title), id="dialog-title")
            with VerticalScroll(id="dialog-body"):
                if self.output.content:
                    yield Static(self._shown(), classes="dialog-line")
                if self.output.facts:
                    yield Static(facts_table(self.output.facts), classes="dialog-line")
                if checks := self._checks(self.output.file_name):
                    yield Static(Content("Once it is written, check it with"), classes="field-label")
                    yield Static(checks, id="checks", classes="dialog-line")
                yield Static(Content("The same from a shell"), classes="field-label")
                yield Static(safe(self.command, newlines=True))
            yield Static(id="dialog-keys")

    def _checks(self, file_name: str) -> Content:
        """The lines that check it in this file."""
        lines = list(self.output.checks(file_name))
        if arguments := self.output.check(file_name):
            lines.append(shell_line(arguments, "", self._connection))
        return safe("\n".join(lines), newlines=True)

    def on_mount(self) -> None:
        self._show_keys()
        self.watch(self.query_one("#dialog-body"), "virtual_size", self._show_keys, init=False)

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_keys)

    def _show_keys(self) -> None:
        shown = host_of(self).shown_key
        made = (("output.copy", "c", "copy"), ("output.save", "w", "write to a file"))
        keys = [
            (shown(binding, key), words)
            for binding, key, words in (
                *(made if self.output.content else ()),
                ("output.command", "x", "copy the command"),
                ("output.close", "escape", "close"),
            )
        ]
        if self.query_one("#dialog-body").max_scroll_y > 0:
            keys.append((shown("output.page-down", "pagedown"), "more"))
        words = [Content.styled(key, "$accent") + Content(f" {words}") for key, words in keys]
        self.query_one("#dialog-keys", Static).update(Content("   ").join(words))

    def _shown(self) -> Content:
        """What was made; bytes in base64, as they are copied."""
        text = self._copied
        end = Content(f"\n… {len(text):,} characters in all") if len(text) > _MOST_SHOWN else Content()
        shown = safe(text[:_MOST_SHOWN], newlines=True) + end
        if self.output.text is not None:
            return shown
        about = f"{len(self.output.content):,} bytes, here in base64; the file gets the bytes.\n"
        return Content.styled(about, "$foreground-muted") + shown

    @property
    def _copied(self) -> str:
        text = self.output.text
        return base64.b64encode(self.output.content).decode() if text is None else text.rstrip("\n")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("copy", "save"):
            return bool(self.output.content)
        return super().check_action(action, parameters)

    def action_scroll(self, by: int) -> None:
        self.query_one("#dialog-body", VerticalScroll).scroll_relative(y=by, animate=False)

    def action_copy(self) -> None:
        app, text = host_of(self), self.output.text
        copy_text(app, self._copied if text is None else text)
        app.notify("Copied in base64." if text is None else "Copied.")

    def action_copy_command(self) -> None:
        app = host_of(self)
        copy_text(app, self.command)
        app.notify("The command line is copied.")

    def action_save(self) -> None:
        start(self, partial(self._save), group="save", description="save the output")

    def save_form(self) -> Form:
        """Asks where to write it: the field "path" names the place."""
        return SaveForm(self.output)

    async def _save(self) -> None:
        app = host_of(self)
        values = await app.ask(self.save_form())
        if values is not None:
            path = typed_path(values["path"])
            app.notify(f"Written to {path.absolute()}.")
            for checks in self.query("#checks").results(Static):
                checks.update(self._checks(str(path)))


class SaveForm(Form):
    """The file for an output."""

    def __init__(self, output: Output) -> None:
        self.output = output
        super().__init__(
            "Write to a file",
            [
                FormField("path", "File", output.file_name, check=_check_path),
                FlagField("overwrite", "If it exists", hint="replace it", is_consent=True),
            ],
            self._write,
            confirm="Write",
            blame={"FileError": "path"},
        )

    def _write(self, values: Values) -> None:
        path = typed_path(values["path"])
        with atomic_file(path, overwrite=bool(values["overwrite"]), mode=SHARED) as file:
            file.write(self.output.content)


def _check_path(text: str) -> str:
    if not text.strip():
        return "Name a file."
    return "This text can name no file." if "\0" in text else ""
