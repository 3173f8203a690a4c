"""``FirstSteps``: four cards below the key list of the demo, each gone once its key was used."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.containers import Horizontal

from kms_tui.ui.base.host import host_of
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.widgets.text_widgets import Static


class Card(NamedTuple):
    """A key that is worth knowing: its binding, default key and action, and what it does."""

    binding_id: str
    key: str
    action: str
    title: str
    sentence: str


CARDS = (
    Card("keys.filter", "slash", "filter", "Filter", "orders, state:disabled"),
    Card("action.menu", "m", "menu", "Do something", "everything for this key"),
    Card("app.palette", "colon", "command_palette", "Find anything", "keys, actions, places"),
    Card("session.undo", "ctrl+z", "undo", "Undo", "your last change"),
)


class FirstSteps(Horizontal):
    """A click on a card does what it says; the cross hides all of them, "Tour" starts the tour."""

    HIDDEN_BY: ClassVar[str] = "hide_first_steps"
    DEFAULT_CSS = """
    FirstSteps {
        height: 3;
        padding: 0 1 0 2;
        margin: 1 0 0 0;
        .card { width: 1fr; height: 3; padding: 0 1; margin: 0 1 0 0; background: $surface; }
        .card { border-left: outer $accent; }
        #first-steps-end { width: 9; height: 3; color: $foreground-muted; link-style: none; }
    }
    """

    def compose(self) -> ComposeResult:
        shown = host_of(self).shown_key
        for card in CARDS:
            key = Content.styled(shown(card.binding_id, card.key), "$accent bold")
            title = Content.styled(f" {card.title}", f"bold @click=screen.{card.action}")
            if card.action == "command_palette":
                title = Content.styled(f" {card.title}", "bold @click=app.command_palette")
            sentence = Content.styled(card.sentence, "$foreground-muted")
            yield Static(key + title + Content("\n") + sentence, classes="card", id=f"card-{card.action}")
        ends = (
            Content.styled("Tour", "@click=app.tour"),
            Content.styled("× hide", f"@click=app.{self.HIDDEN_BY}"),
        )
        yield Static(Content("\n").join(ends), id="first-steps-end")

    def used(self, action: str) -> None:
        """An action was performed: its card, where it has one, has done its work."""
        cards = list(self.query(".card"))
        left = [card for card in cards if card.id != f"card-{action}"]
        if not left:
            self.remove()
        elif len(left) < len(cards):
            self.query_one(f"#card-{action}").remove()
