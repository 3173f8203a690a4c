"""The dialogs of saving: what changes, and what to do where somebody else changed the policy meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widget import Widget

from kms_tui.policy import Verdict
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.dialogs.dialog import Dialog, Result
from kms_tui.ui.policy_editor.review import Review, paragraphs
from kms_tui.ui.widgets.plain import Button, Static


class ScrollingDialog(Dialog[Result]):
    """A dialog with more to read than fits; its keys scroll while a button has the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll(-1)", "Up", id="review.up", tooltip="Scroll up", show=False),
        Binding("down", "scroll(1)", "Down", id="review.down", tooltip="Scroll down", show=False),
        Binding("pageup", "scroll(-10)", "Page up", id="review.page-up", tooltip="A page up", show=False),
        Binding(
            "pagedown,space",
            "scroll(10)",
            "Page down",
            id="review.page-down",
            tooltip="A page down",
            show=False,
        ),
    ]

    def arm(self) -> None:
        super().arm()
        self.take_room()

    def take_room(self) -> None:
        """Be as tall as the screen allows where there is more to read than fits."""
        if self.query_one("#dialog-body", VerticalScroll).max_scroll_y > 0:
            self.add_class("-long")

    def action_scroll(self, by: int) -> None:
        self.query_one("#dialog-body", VerticalScroll).scroll_relative(y=by, animate=False)


class ReviewDialog(ScrollingDialog[bool]):
    """Shows a change; answers True where it is to be saved."""

    def __init__(self, title: str, change: Review, *, save: bool) -> None:
        warned = change.result is not None and change.result.verdict is Verdict.WARN
        super().__init__(title, confirm="Save policy", danger=save and warned)
        self.change = change
        self.saves = save

    def compose_body(self) -> Iterable[Widget]:
        for paragraph in paragraphs(self.change):
            yield Static(paragraph, classes="dialog-line")

    def compose_buttons(self) -> Iterable[Widget]:
        if self.saves:
            yield from super().compose_buttons()
        else:
            yield Button(Content("Close"), id="cancel")

    def confirm(self) -> None:
        self.dismiss(True)


class Choice(Enum):
    """What to do after somebody else changed the policy."""

    MINE = "mine"
    THEIRS = "theirs"


class ConflictDialog(ScrollingDialog[Choice]):
    """Shows both changes; overwriting is not offered, only to go on from the newer policy."""

    def __init__(self, name: str, on_key: Review, mine: Review) -> None:
        super().__init__(f"The policy of {name} was changed meanwhile", danger=True)
        self.on_key = on_key
        self.mine = mine

    def compose_body(self) -> Iterable[Widget]:
        yield Static(Content("Nothing was saved, and nothing is lost."), classes="dialog-line")
        yield Static(Content.styled("What was changed on the key", "bold underline"), classes="dialog-line")
        for paragraph in paragraphs(self.on_key):
            yield Static(paragraph, classes="dialog-line")
        yield Static(
            Content.styled("What your text would now change", "bold underline"), classes="dialog-line"
        )
        for paragraph in paragraphs(self.mine):
            yield Static(paragraph, classes="dialog-line")

    def compose_buttons(self) -> Iterable[Widget]:
        yield Button(Content("Cancel"), id="cancel")
        yield Button(Content("Take the newer policy"), id="theirs")
        yield Button(Content("Go on with mine"), id="mine")

    @on(Button.Pressed, "#mine")
    def _mine(self) -> None:
        self.dismiss(Choice.MINE)

    @on(Button.Pressed, "#theirs")
    def _theirs(self) -> None:
        self.dismiss(Choice.THEIRS)
