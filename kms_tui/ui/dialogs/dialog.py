"""``Dialog``: a modal box; esc cancels, ctrl+s confirms, and its last line says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widget import Widget

from kms_tui.ui.base.background import off_loop
from kms_tui.ui.base.host import host_of
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.dialogs.modal import Modal
from kms_tui.ui.widgets.text_widgets import Button, Static

Result = TypeVar("Result")
T = TypeVar("T")


class Dialog(Modal[Result]):
    """A modal box with a title, a body, buttons, and a line that says its keys.

    A dialog with ``danger`` ignores keys for ``ARM_SECONDS``, so that a key pressed before it opened cannot
    answer it; any other takes them at once. Then ``initial_focus`` gets the focus.
    """

    HELP: ClassVar[str] = (
        "Tab and the arrow keys go from one thing to the next, enter presses the button that has the focus, "
        "ctrl+s is the button on the right, y too where nothing is typed, and esc closes this without doing "
        "anything. A dialog that destroys something ignores keys for a moment, and says so."
    )
    ARM_SECONDS: ClassVar[float] = 0.4
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,q", "cancel", "Cancel", id="dialog.cancel", tooltip="Close this without doing anything"
        ),
        Binding(
            "question_mark,f1",
            "app.help",
            "Help",
            id="dialog.help",
            tooltip="Explain this dialog and its keys; f1 where one types",
        ),
        Binding(
            "ctrl+s",
            "confirm",
            "Confirm",
            id="dialog.confirm",
            tooltip="The same as the button on the right",
            show=False,
        ),
        Binding("y", "yes", "Yes", id="dialog.yes", tooltip="The same, where nothing is typed", show=False),
        Binding(
            "pageup", "scroll(-10)", "Page up", id="dialog.page-up", tooltip="Scroll up a page", show=False
        ),
        Binding(
            "pagedown", "scroll(10)", "Page down", id="dialog.page-down", tooltip="Scroll on", show=False
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
        self.account = ""
        """ "account a", "accounts a and b": what it is about, shown below the title; "" where one account is
        listed. Untrusted.
        """
        self.armed = False
        """Whether it accepts keys."""
        self.is_calling = False
        """Whether a call waits for its answer; until then the dialog neither closes nor calls again."""

    def compose(self) -> ComposeResult:
        with Vertical(
            id="dialog", classes=f"{'-danger' if self.danger else ''} {self.dialog_classes}".strip()
        ):
            yield Static(
                safe(self.dialog_title), id="dialog-title", classes="-of-account" if self.account else None
            )
            if self.account:
                yield Static(safe(f"in {self.account}"), id="dialog-account")
            with VerticalScroll(id="dialog-body", can_focus=False):
                yield from self.compose_body()
            yield from self.compose_confirmation()
            yield Static(Content(), id="dialog-error")
            with Horizontal(id="dialog-buttons"):
                yield from self.compose_buttons()
            yield Static(id="dialog-keys")

    def compose_body(self) -> Iterable[Widget]:
        return ()

    def compose_confirmation(self) -> Iterable[Widget]:
        """What must be typed to confirm: below the body, so that it is seen however long that is."""
        return ()

    def compose_buttons(self) -> Iterable[Widget]:
        yield Button(Content("Cancel"), id="cancel")
        yield Button(Content(self.confirm_label), id="confirm", variant="error" if self.danger else "primary")

    def on_mount(self) -> None:
        self.watch(self.query_one("#dialog-body"), "virtual_size", self.body_changed, init=False)
        if not self.danger:
            self.arm()
            return
        self.query_one("#dialog").disabled = True
        self.query_one("#dialog-keys", Static).update(Content("takes keys in a moment…"))
        self.set_timer(self.ARM_SECONDS, self.arm)

    def arm(self) -> None:
        """Accept keys from now on."""
        self.query_one("#dialog").disabled = False
        self.armed = True
        self.query_one(self.initial_focus).focus()
        self.body_changed()

    def body_changed(self) -> None:
        """The body has another size: once it is laid out, say how to scroll if it does not fit."""
        self._show_keys()
        self.call_after_refresh(self._fit)

    def on_resize(self) -> None:
        self.body_changed()

    def _fit(self) -> None:
        """Keep in sight what has the focus, with the label above it."""
        self._show_keys()
        body, focused = self.query_one("#dialog-body", VerticalScroll), self.focused
        if focused is None:
            return
        if body not in focused.ancestors:
            focused.scroll_visible(animate=False)
        elif focused.region.bottom - body.region.y + body.scroll_offset.y <= body.size.height:
            body.scroll_home(animate=False)

    def _show_keys(self) -> None:
        if self.armed:
            self.query_one("#dialog-keys", Static).update(self.keys_line())

    def keys_line(self) -> Content:
        """The keys that close the dialog, by their buttons, and the one that scrolls what is out of sight."""
        shown = host_of(self).shown_key
        parts = []
        if self.can_confirm:
            one = shown("dialog.confirm", "ctrl+s")
            other = "" if self.takes_text else f" or {shown('dialog.yes', 'y')}"
            parts.append(Content.styled(f"{one}{other}", "$accent") + safe(f" {self.confirm_label}"))
        word = next((str(button.label) for button in self.query("#cancel, #stop").results(Button)), "Cancel")
        parts.append(Content.styled(shown("dialog.cancel", "escape"), "$accent") + safe(f" {word}"))
        body = self.query_one("#dialog-body", VerticalScroll)
        if body.size.height and body.max_scroll_y > 0:
            parts.append(Content.styled(shown("dialog.page-down", "pagedown"), "$accent") + Content(" More"))
        return Content("   ").join(parts)

    @property
    def can_confirm(self) -> bool:
        """Whether there is a button to confirm with."""
        return bool(self.query("#confirm"))

    @property
    def takes_text(self) -> bool:
        """Whether something is typed here, so that y is a letter."""
        return bool(self.query("Input, TextArea"))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "yes":
            return self.can_confirm and not self.takes_text
        if action == "confirm":
            return self.can_confirm
        return super().check_action(action, parameters)

    def action_confirm(self) -> None:
        if self.armed and not self.is_calling:
            self.confirm()

    def action_yes(self) -> None:
        self.action_confirm()

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

    def action_scroll(self, by: int) -> None:
        self.query_one("#dialog-body", VerticalScroll).scroll_relative(y=by, animate=False)

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
