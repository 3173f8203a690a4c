"""``Dialog``: a modal box; esc cancels, and it ignores keys for a moment after it opens."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widget import Widget

from kms_tui.ui.base.background import off_loop
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.widgets.text_widgets import Button, Static

Result = TypeVar("Result")
T = TypeVar("T")


class Dialog(ModalScreen[Result]):
    """A modal box with a title, a body and buttons.

    For ``ARM_SECONDS`` everything in it is disabled, so that a key pressed before it opened cannot answer it;
    then ``initial_focus`` gets the focus.
    """

    HELP: ClassVar[str] = (
        "Tab and the arrow keys go from one thing to the next, enter presses the button that has the focus, "
        "and esc closes this without doing anything. What was typed before it opened does not count."
    )
    ARM_SECONDS: ClassVar[float] = 0.4
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape", "cancel", "Cancel", id="dialog.cancel", tooltip="Close this without doing anything"
        ),
        Binding(
            "question_mark,f1",
            "app.help",
            "Help",
            id="dialog.help",
            tooltip="Explain this dialog and its keys; f1 where one types",
        ),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
    ]
    initial_focus = "#cancel"
    dialog_classes: ClassVar[str] = ""

    def __init__(self, title: str, *, confirm: str = "OK", danger: bool = False) -> None:
        super().__init__()
        self.dialog_title = title
        self.confirm_label = confirm
        self.danger = danger
        self.is_calling = False
        """Whether a call waits for its answer; until then the dialog neither closes nor calls again."""

    def compose(self) -> ComposeResult:
        with Vertical(
            id="dialog", classes=f"{'-danger' if self.danger else ''} {self.dialog_classes}".strip()
        ):
            yield Static(safe(self.dialog_title), id="dialog-title")
            with VerticalScroll(id="dialog-body", can_focus=False):
                yield from self.compose_body()
            yield Static(Content(), id="dialog-error")
            with Horizontal(id="dialog-buttons"):
                yield from self.compose_buttons()

    def compose_body(self) -> Iterable[Widget]:
        return ()

    def compose_buttons(self) -> Iterable[Widget]:
        yield Button(Content("Cancel"), id="cancel")
        yield Button(Content(self.confirm_label), id="confirm", variant="error" if self.danger else "primary")

    def on_mount(self) -> None:
        box = self.query_one("#dialog")
        box.disabled = True
        self.set_timer(self.ARM_SECONDS, self.arm)

    def arm(self) -> None:
        """Accept keys from now on."""
        self.query_one("#dialog").disabled = False
        self.add_class("-armed")
        self.query_one(self.initial_focus).focus()

    @property
    def armed(self) -> bool:
        return self.has_class("-armed")

    def show_error(self, sentence: str) -> None:
        """Show an error above the buttons; nothing typed is lost."""
        line = self.query_one("#dialog-error", Static)
        line.update(safe(sentence))
        line.set_class(bool(sentence), "-shown")

    async def call(self, function: Callable[[], T]) -> T:
        """Make this dialog's call off the event loop, and keep the dialog open until it is answered.

        Closing the dialog would not undo the call, and would hide its answer.
        """
        button = self.query_one("#confirm", Button)
        self.is_calling = button.disabled = True
        try:
            return await off_loop(function)
        finally:
            self.is_calling = button.disabled = False

    def action_cancel(self) -> None:
        if self.armed:
            self.cancel()

    def cancel(self) -> None:
        """Close without an answer, unless a call is under way."""
        if self.is_calling:
            self.show_error("The call is under way: wait for its answer.")
        else:
            self.dismiss(None)

    @on(Button.Pressed, "#cancel")
    def _cancelled(self) -> None:
        self.cancel()

    @on(Button.Pressed, "#confirm")
    def _confirmed(self) -> None:
        self.confirm()

    def confirm(self) -> None:
        """The confirm button was pressed; subclasses dismiss with their result."""
        raise NotImplementedError
