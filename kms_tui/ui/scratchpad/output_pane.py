"""``OutputPane``: the result of an operation, masked where it is secret, in the chosen format."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.timer import Timer

from kms_tui.crypto_ops.results import Part, Result
from kms_tui.formats import Format, encode, hex_dump, is_text
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.scratchpad.pane_fields import FactTable, ProblemLine, Rows
from kms_tui.ui.scratchpad.secret_area import DOT
from kms_tui.ui.widgets.form_widgets import Select
from kms_tui.ui.widgets.text_widgets import Static

_FORMS = {
    Format.TEXT: "text",
    Format.BASE64: "base64",
    Format.BASE64URL: "base64url",
    Format.HEX: "hex",
    Format.BINARY: "hex dump",
}
_MOST_SHOWN = 16_384
"""Bytes of an output that are written on the screen."""
_DUMP_WIDTH = 80
"""Columns that a hex dump needs; with fewer it has 8 bytes a line."""
_MASK = DOT * 24


class OutputText(Static):
    """The text; it cannot be selected with the mouse, since such a copy would never be cleared."""

    ALLOW_SELECT = False


class OutputView(VerticalScroll, can_focus=True):
    """Scrolls the output; copying, saving and showing are keys of the screen."""

    ALLOW_SELECT = False
    BINDINGS = [
        Binding(
            "right_square_bracket",
            "next_part(1)",
            "Next output",
            id="output.next-part",
            tooltip="Look at the next of several outputs",
            show=False,
        ),
        Binding(
            "left_square_bracket",
            "next_part(-1)",
            "Previous output",
            id="output.previous-part",
            tooltip="Look at the previous of several outputs",
            show=False,
        ),
    ]

    class Left(Message):
        """The focus left the output."""

    class OtherPart(Message):
        """Another of several outputs is to be shown."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    def action_next_part(self, step: int) -> None:
        self.post_message(self.OtherPart(step))

    def __init__(self) -> None:
        super().__init__()
        self.text = OutputText()

    def on_blur(self) -> None:
        self.post_message(self.Left())

    def compose(self) -> ComposeResult:
        yield self.text


class OutputPane(Vertical):
    """The result of the last operation. Revealed secrets are masked again after ``HIDE_SECONDS``."""

    HIDE_SECONDS = 30.0

    def __init__(self) -> None:
        super().__init__(id="output")
        self.result: Result | None = None
        self.title = ""
        self.revealed = False
        self._is_new = False
        self.view = OutputView()
        self.facts = FactTable(id="facts")
        self.problem = ProblemLine(self)
        self._line = Horizontal(classes="row")
        self._part_name = Static(id="part-name")
        self._parts: Select[str] = Select([(Content("–"), "–")], value="–", id="part")
        self._forms: Select[Format] = Select(
            [(Content(title), form) for form, title in _FORMS.items()], value=Format.BASE64, id="form"
        )
        self._count = Static(classes="count")
        self._verdict = Static(id="verdict")
        self._steps = Static(id="steps")
        self._hiding: Timer | None = None

    def compose(self) -> ComposeResult:
        with self._line:
            yield Static(Content("Output"), classes="label")
            yield from (self._part_name, self._count)

    # The result

    @property
    def part(self) -> Part | None:
        """The output that is shown."""
        parts = self.result.parts if self.result is not None else ()
        if len(parts) < 2:
            return parts[0] if parts else None
        return next((part for part in parts if part.name == self._parts.value), parts[0])

    @property
    def form(self) -> Format:
        """The format of the output that is shown; base64 while there is none."""
        return Format.BASE64 if self.part is None else Format(str(self._forms.value))

    def clear(self) -> None:
        """Drop the result and the secrets in it."""
        self.result, self.title = None, ""
        self._show_all(())

    async def show(self, result: Result, title: str, facts: Rows) -> None:
        """Show a result instead of the last one; ``title`` is the operation's."""
        with self.app.batch_update():
            await self._mount_parts(result)
        self.result, self.title = result, title
        if len(result.parts) > 1:
            with self.prevent(Select.Changed):
                self._parts.set_options((safe(part.name), part.name) for part in result.parts)
        self._choose_form()
        self._show_all(facts)

    async def _mount_parts(self, result: Result) -> None:
        """Mount what the first result needs, and what the first of several outputs needs."""
        if self.view.parent is None:
            await self._line.mount(self._forms, before=self._count)
            above = self.problem if self.problem.parent is self else None
            await self.mount(self._verdict, self.view, self._steps, self.facts, before=above)
        if len(result.parts) > 1 and self._parts.parent is None:
            await self._line.mount(self._parts, before=self._forms)

    # Masking

    def reveal(self) -> None:
        """Show a secret output until ``hide``, or for a time."""
        if self.part is not None and self.part.secret:
            self.revealed = True
            self.view.focus()
            self._stop_hiding()
            self._hiding = self.set_timer(self.HIDE_SECONDS, self.hide)
            self._show_text()

    def hide(self) -> None:
        """Show dots instead of a secret."""
        self._stop_hiding()
        if self.revealed:
            self.revealed = False
            self._show_text()

    def _stop_hiding(self) -> None:
        if self._hiding is not None:
            self._hiding.stop()
            self._hiding = None

    @property
    def is_masked(self) -> bool:
        part = self.part
        return part is not None and part.secret and not self.revealed

    @on(OutputView.Left)
    def _left(self, event: OutputView.Left) -> None:
        event.stop()
        self.hide()

    # Showing

    def focus_output(self) -> None:
        """Scroll to the output, and focus it where there is one."""
        if self.part is not None:
            self.view.focus()
        self._is_new = True
        self._bring_into_view()

    def on_resize(self) -> None:
        """A new result reaches its place a layout or two after it is shown, so scroll again."""
        if self._is_new:
            self._bring_into_view()

    def leave(self) -> None:
        """The next operation is being set up: hide secrets, and no longer scroll the output into view."""
        self._is_new = False
        self.hide()

    def _bring_into_view(self) -> None:
        self.scroll_visible(top=True, animate=False)

    def _show_all(self, facts: Rows) -> None:
        result, part = self.result, self.part
        self.revealed = False
        self._stop_hiding()
        self.problem.say("")
        several = result is not None and len(result.parts) > 1
        self._part_name.update(safe(part.name if part is not None else ""))
        self._part_name.display, self._parts.display = not several, several
        self._forms.display = self.view.display = part is not None
        self._verdict.update(_verdict(result))
        self._verdict.display = result is not None and bool(result.sentence)
        self.facts.show(facts)
        self._steps.update(_steps(result))
        self._steps.display = result is not None and bool(result.steps)
        self._show_text()

    def _choose_form(self) -> None:
        part = self.part
        if part is None:
            return
        readable = is_text(part.value.reveal())
        with self.prevent(Select.Changed):
            self._forms.set_options(
                (Content(title), form)
                for form, title in _FORMS.items()
                if readable or form is not Format.TEXT
            )
            self._forms.value = part.form

    def _show_text(self) -> None:
        part, text = self.part, self.view.text
        if part is None:
            text.update()
            self._count.update()
            return
        self._count.update(Content.styled(f"{len(part):,} bytes", "$foreground-muted"))
        if self.is_masked:
            text.update(Content(_MASK) + Content.styled("  hidden: v shows it", "$foreground-muted"))
        else:
            text.update(_content(part, self.form, narrow=self.view.size.width < _DUMP_WIDTH))

    @on(Select.Changed, "#part")
    def _part_chosen(self, event: Select.Changed) -> None:
        event.stop()
        self.hide()
        self._choose_form()
        self._show_text()

    @on(Select.Changed, "#form")
    def _form_chosen(self, event: Select.Changed) -> None:
        event.stop()
        self._show_text()

    @on(OutputView.OtherPart)
    def _other_part(self, event: OutputView.OtherPart) -> None:
        event.stop()
        if self.result is not None and len(self.result.parts) > 1:
            names = [part.name for part in self.result.parts]
            self._parts.value = names[(names.index(str(self._parts.value)) + event.step) % len(names)]


def _content(part: Part, form: Format, *, narrow: bool) -> Content:
    data = part.value.reveal()
    cut = data[:_MOST_SHOWN]
    if form is Format.BINARY:
        shown = "\n".join(hex_dump(cut, narrow=narrow))
    elif form is Format.TEXT:
        shown = cut.decode(errors="replace")
    else:
        shown = encode(cut[: _MOST_SHOWN - _MOST_SHOWN % 3], form)
    content = safe(shown, newlines=True)
    if len(data) > len(cut):
        more = f"\n… and {len(data) - len(cut):,} bytes more: copy or save it to have all"
        content += Content.styled(more, "$foreground-muted")
    return content


def _verdict(result: Result | None) -> Content:
    if result is None:
        return Content("")
    style = {True: "$success bold", False: "$error bold", None: ""}[result.good]
    return safe(result.sentence).stylize(style) if style else safe(result.sentence)


def _steps(result: Result | None) -> Content:
    steps = result.steps if result is not None else ()
    lines = [Content.styled(f"{number} ", "$accent") + safe(step) for number, step in enumerate(steps, 1)]
    return Content("\n").join(lines)
