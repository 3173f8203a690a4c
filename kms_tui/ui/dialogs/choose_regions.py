"""Choosing regions: those of the partition at once, and only the enabled ones as soon as those are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from textual.widget import Widget

from kms_tui.kms.facts import LOADING, NOT_APPLICABLE, Denied, Fact, Failed, Known
from kms_tui.ui.background import off_loop, start
from kms_tui.ui.dialogs.choose_many import ChooseMany
from kms_tui.ui.safe_text import Content, safe
from kms_tui.ui.widgets.text_widgets import Static

_ALL_OFFERED = "All regions of the partition are offered; one that is not enabled says so in the list."


class ChooseRegions(ChooseMany):
    """``enabled`` reads, off the event loop, which regions are enabled for the account."""

    def __init__(
        self, offered: Sequence[str], shown: Sequence[str], enabled: Callable[[], Fact[Sequence[str]]]
    ) -> None:
        super().__init__("Show the keys of which regions?", offered, shown, confirm="Show")
        self._shown = shown
        self._enabled = enabled

    def compose_body(self) -> Iterable[Widget]:
        yield Static(_note(LOADING), id="regions-note", classes="dialog-line muted")
        yield from super().compose_body()

    def on_mount(self) -> None:
        start(self, self._read, group="regions", description="read which regions are enabled")

    async def _read(self) -> None:
        fact = await off_loop(self._enabled)
        self.query_one("#regions-note", Static).update(_note(fact))
        if isinstance(fact, Known):
            self.offer([*self._shown, *(region for region in fact.value if region not in self._shown)])


def _note(fact: Fact[Sequence[str]]) -> Content:
    """How far it is known which regions are enabled, and what is offered therefore."""
    if isinstance(fact, Known):
        return Content(f"{len(fact.value)} regions are enabled for this account.")
    if isinstance(fact, Denied):
        return Content(
            f"Which are enabled is denied: you may not call {fact.error.operation}. {_ALL_OFFERED}"
        )
    if isinstance(fact, Failed):
        return safe(f"Which are enabled is not known: {fact.error} {_ALL_OFFERED}")
    if fact is NOT_APPLICABLE:
        return Content("Every region is enabled.")
    return Content("Reading which regions are enabled…")
