"""``InputPane``: one input, typed, pasted, in a file or handed on by another operation, with its format."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.message import Message

from kms_tui.atomic import FileError
from kms_tui.crypto_ops.check import Limit, OverLimit
from kms_tui.crypto_ops.inputs import (
    TAKEN_FROM,
    TYPED_FORMATS,
    Entered,
    FromFile,
    InputError,
    InputField,
    detected_format,
    file_input,
    other_formats,
    read_text,
)
from kms_tui.crypto_ops.inputs import Input as GivenInput
from kms_tui.crypto_ops.scratchpad_operations import Role
from kms_tui.formats import Format, FormatError, encode
from kms_tui.kms.model import Secret
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.scratchpad.pane_fields import FactTable, NoteLine, PathInput, ProblemLine, show_part
from kms_tui.ui.scratchpad.secret_area import DOT, SecretArea
from kms_tui.ui.widgets.form_widgets import Select
from kms_tui.ui.widgets.text_widgets import Input, Static

DETECT, FILE = "detect", "file"
_KINDS = ((DETECT, "detect"), *((form.value, form.value) for form in TYPED_FORMATS), (FILE, "file"))
_MOST_DOTS = 32
_MOST_GUESSED = 10_000
"""Longer texts are not tried in other formats."""
_PLACEHOLDERS = {
    Role.PLAINTEXT: "Type or paste what to encrypt; any length",
    Role.CIPHERTEXT: "Paste a ciphertext: base64 or hex",
    Role.MESSAGE: "Type or paste the message",
    Role.SIGNATURE: "Paste the signature: base64 or hex",
    Role.MAC: "Paste the MAC: base64 or hex",
    Role.PUBLIC_KEY: "Paste the other side's public key: PEM, base64, JWK, certificate, …",
}


@dataclass(frozen=True, slots=True)
class HeldSecret:
    """A secret that another operation handed on; it is shown as dots only."""

    data: Secret
    origin: str


class HeldLine(Static, can_focus=True):
    """The dots of a held secret; Delete drops it."""

    BINDINGS = [
        Binding("delete,backspace", "drop", "Drop", id="held.drop", tooltip="Forget this secret input")
    ]

    class Dropped(Message):
        """The secret is to be forgotten."""

    def action_drop(self) -> None:
        self.post_message(self.Dropped())


class InputPane(Vertical):
    """The input of one role; ``given`` is the input, ``problem`` shows why it cannot be used."""

    class Changed(Message):
        """The input, or the format it is read in, has changed."""

        def __init__(self, pane: InputPane) -> None:
            super().__init__()
            self.pane = pane

    def __init__(self, role: Role) -> None:
        name = f"source-{role.name.lower().replace('_', '-')}"
        super().__init__(id=name, classes="source")
        self.role = role
        self.field = InputField.SECOND if role in (Role.SIGNATURE, Role.MAC) else InputField.INPUT
        self.area = SecretArea(secret=role.is_secret, placeholder=_PLACEHOLDERS[role])
        self.path = PathInput(f"{name}-path", "Name of the file; → completes it")
        self.problem = ProblemLine(self)
        self.note = NoteLine(self, below=[self.problem])
        self._kind: Select[str] = Select(
            [(Content(title), value) for value, title in _KINDS], value=DETECT, classes="kind"
        )
        self._read_as, self._count = Static(classes="read-as"), Static(classes="count")
        self._body = Vertical(classes="body")
        self._held_line = HeldLine(classes="held")
        self._known = FactTable(classes="known")
        self._held: HeldSecret | None = None
        self._file: FromFile | None = None
        self._file_error = ""
        self._limit: Limit | None = None

    def compose(self) -> ComposeResult:
        with Horizontal(classes="row"):
            yield Static(Content(self.role.value), classes="label")
            yield self._kind
            yield self._read_as
            yield self._count
        with self._body:
            yield self.area

    @property
    def kind(self) -> str:
        return str(self._kind.value)

    @property
    def is_file(self) -> bool:
        return self._held is None and self.kind == FILE

    # The input

    @property
    def given(self) -> GivenInput | None:
        """The input, None while there is none; InputError where it cannot be read."""
        if self._held is not None:
            return Entered(self._held.data)
        if self.kind == FILE:
            if self._file_error:
                raise InputError(self.field, self._file_error)
            return self._file
        if not self.area.text:
            return None
        try:
            return read_text(self.area.text, self._format(), self.role)
        except FormatError as error:
            raise InputError(self.field, str(error), next_step=error.next_step) from error

    def _format(self) -> Format:
        kind = self.kind
        if kind != DETECT:
            return Format(kind)
        limit = self._limit
        return detected_format(self.area.text, self.role, limit.most if limit and limit.exact else None)

    def set_text(self, text: str, form: Format | None = None) -> None:
        """Replace the input by text; without ``form`` its format is detected."""
        self._held = None
        self._set_kind(form.value if form else DETECT)
        self.area.load_text(text)
        self._changed()

    def set_file(self, path: str) -> None:
        self._held = None
        self._set_kind(FILE)
        self._show_body()
        self.path.value = path
        self._changed()

    def hold(self, data: Secret, origin: str) -> None:
        """Take a secret as the input without showing it."""
        self.clear()
        self._held = HeldSecret(data, origin)
        self._changed()

    def clear(self) -> None:
        """Drop the input."""
        self._held, self._file, self._file_error = None, None, ""
        self._set_kind(DETECT)
        self.area.load_text("")
        self.path.value = ""
        self._changed()

    def _set_kind(self, kind: str) -> None:
        with self.prevent(Select.Changed):
            self._kind.value = kind

    def focus_input(self) -> None:
        widget = self._held_line if self._held else self.path if self.is_file else self.area
        widget.focus()

    def hide(self) -> None:
        self.area.hide()

    # Events

    @on(Select.Changed)
    def _kind_chosen(self, event: Select.Changed) -> None:
        event.stop()
        if self._held is not None:  # the list is hidden: this is its first value, reported late
            return
        self._changed()
        if self.has_focus_within:
            self.focus_input()

    @on(SecretArea.Changed)
    def _typed(self, event: SecretArea.Changed) -> None:
        event.stop()
        self._changed()

    @on(SecretArea.ControlsPasted)
    def _controls_pasted(self, event: SecretArea.ControlsPasted) -> None:
        """Text with control characters is shown as the hex of its bytes."""
        event.stop()
        data = event.text.encode(errors="replace")
        self.set_text(encode(data, Format.HEX), Format.HEX)
        self.show_known((("Pasted", "as hex, because it has control characters"),))

    @on(Input.Changed)
    def _path_typed(self, event: Input.Changed) -> None:
        event.stop()
        start(self, self._look, group="look", description="look at the file")

    @on(HeldLine.Dropped)
    def _dropped(self, event: HeldLine.Dropped) -> None:
        event.stop()
        self.clear()
        self.focus_input()

    async def _look(self) -> None:
        path = self.path.path
        self._file, self._file_error = None, ""
        if path is not None:
            try:
                self._file = await off_loop(lambda: file_input(path))
            except FileError as error:
                self._file_error = str(error)
        self._changed()

    def _changed(self) -> None:
        self.problem.say("")
        self.show_known(self._origin())
        self._show_body()
        self.show_count(self._limit)
        self.post_message(self.Changed(self))

    # Showing

    def _show_body(self) -> None:
        held = self._held
        self._kind.display = held is None
        show_part(self.area, held is None and not self.is_file, self._body)
        show_part(self.path, self.is_file, self._body)
        show_part(self._held_line, held is not None, self._body)
        if held is not None:
            self._held_line.update(Content(DOT * min(len(held.data), _MOST_DOTS)))
        self._read_as.update(self._how_read())

    def _how_read(self) -> Content:
        if self._held is not None:
            return Content.styled(f"hidden, from {self._held.origin}", "$foreground-muted")
        if self.is_file or not self.area.text or self.kind != DETECT:
            return Content("")
        form = self._format()
        if self.role.is_binary and form is Format.TEXT:
            return Content("")
        text = f"→ {form.value}"
        others = (
            other_formats(self.area.text, form)
            if self.role.is_secret and len(self.area.text) <= _MOST_GUESSED
            else ()
        )
        if others:
            text += f", or {others[0].value}?"
        return Content.styled(text, "$foreground-muted")

    def _origin(self) -> tuple[tuple[str, str], ...]:
        """What the bytes were taken out of, as a fact; the text is untrusted."""
        try:
            given = self.given if self.role.is_binary else None
        except InputError:
            return ()
        return ((TAKEN_FROM, given.origin),) if isinstance(given, Entered) and given.origin else ()

    def show_count(self, limit: Limit | None) -> None:
        """Show the size against the operation's limit, and what happens beyond it."""
        if limit != self._limit:
            self._limit = limit
            self._read_as.update(self._how_read())
        try:
            size = given.size if (given := self.given) is not None else 0
        except InputError as error:
            self._count.update()
            self.note.say("")
            if self.is_file or self.area.text:
                self.problem.say(str(error), soft=True)
            return
        self._count.update(_count(size, limit))
        self.note.say(_what_happens(size, limit))

    def show_known(self, facts: Iterable[tuple[str, str]]) -> None:
        """Show what the content reveals without being decrypted or used."""
        self._known.show(facts)
        show_part(self._known, bool(self._known.rows), self, before=[self.note, self.problem])


def _count(size: int, limit: Limit | None) -> Content:
    if limit is None:
        return Content.styled(f"{size:,} bytes", "$foreground-muted") if size else Content("")
    wrong = size != limit.most if limit.exact else size > limit.most
    if wrong and limit.over is not OverLimit.REFUSED:
        return Content.styled(f"{size:,} bytes", "$accent")
    style = "$error" if wrong else "$foreground-muted"
    return Content.styled(f"{size:,} of {limit.most:,} bytes", style)


_OVER_LIMIT_WORDS = {
    OverLimit.ENVELOPE: "More than KMS takes: sealed by envelope encryption, in the Encryption SDK's format.",
    OverLimit.DIGEST: "More than KMS takes: its digest is made here and signed, which is the same signature.",
    OverLimit.REFUSED: "",
}


def _what_happens(size: int, limit: Limit | None) -> str:
    return _OVER_LIMIT_WORDS[limit.over] if limit is not None and size > limit.most else ""
