"""Opening another profile or other Regions, and what is asked or said while a connection opens."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.facts import LOADING, NOT_APPLICABLE, Denied, Fact, Failed, Known
from kms_tui.session import BackendKind, Connection
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.host import Host
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.dialogs.dialog import Dialog
from kms_tui.ui.dialogs.questions import AskSecret, Choose
from kms_tui.ui.widgets.form_widgets import Selection, SelectionList
from kms_tui.ui.widgets.text_widgets import Static

_ALL_OFFERED = "All regions of the partition are offered; one that is not enabled says so in the list."


class ChooseRegions(Dialog[tuple[str, ...]]):
    """Space chooses, ``a`` all or none, enter goes on; at least one Region must be chosen.

    ``enabled`` reads, off the event loop, which Regions are enabled for the account; then only those are
    offered.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "confirm", "Go on", id="many.confirm", tooltip="Go on with what is chosen", priority=True
        ),
        Binding("a", "all", "All", id="many.all", tooltip="Choose all of them, or none"),
    ]
    initial_focus = "#choices"

    def __init__(
        self, offered: Sequence[str], shown: Sequence[str], enabled: Callable[[], Fact[Sequence[str]]]
    ) -> None:
        super().__init__("Show the keys of which regions?", confirm="Show")
        self.offered = offered
        self._shown = shown
        self._enabled = enabled

    def compose_body(self) -> Iterable[Widget]:
        yield Static(_note(LOADING), id="regions-note", classes="dialog-line muted")
        yield SelectionList[str](*self._selections(self._shown), id="choices")
        yield Static(Content("space chooses one, a chooses all"), classes="muted")

    @property
    def choices(self) -> SelectionList[str]:
        choices: SelectionList[str] = self.query_one("#choices", SelectionList)
        return choices

    def on_mount(self) -> None:
        start(self, self._read, group="regions", description="read which regions are enabled")

    async def _read(self) -> None:
        fact = await off_loop(self._enabled)
        self.query_one("#regions-note", Static).update(_note(fact))
        if isinstance(fact, Known):
            self._offer([*self._shown, *(region for region in fact.value if region not in self._shown)])

    def _offer(self, regions: Sequence[str]) -> None:
        """Replace the Regions; those that are chosen and remain stay chosen."""
        self.offered = regions
        chosen, highlighted = self.choices.selected, self.choices.highlighted
        self.choices.clear_options()
        self.choices.add_options(self._selections(chosen))
        self.choices.highlighted = highlighted

    def _selections(self, chosen: Sequence[str]) -> list[Selection[str]]:
        return [Selection(safe(region), region, region in chosen) for region in self.offered]

    def action_all(self) -> None:
        if len(self.choices.selected) == len(self.offered):
            self.choices.deselect_all()
        else:
            self.choices.select_all()

    def action_confirm(self) -> None:
        if self.armed:
            if self.query_one("#cancel").has_focus:
                self.action_cancel()
            else:
                self.confirm()

    def confirm(self) -> None:
        selected = tuple(region for region in self.offered if region in set(self.choices.selected))
        if selected:
            self.dismiss(selected)
        else:
            self.show_error("Choose at least one, with the space bar, or all with a.")


def _note(fact: Fact[Sequence[str]]) -> Content:
    """Which Regions are enabled, as far as that is known, and so which are offered."""
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


async def connections(app: Host) -> list[tuple[str, str, Connection]]:
    """The demo, the local store and each profile: name, note, connection."""
    from kms_tui.backend.aws.profiles import profiles

    try:
        found = await off_loop(profiles)
    except KmsTuiError as error:
        app.notify(str(error), title="Could not read the profiles", severity="error")
        found = []
    read_only = app.connection.read_only
    entries = [
        ("Demo", "in memory", Connection(BackendKind.DEMO, read_only=read_only)),
        ("Local store", "on this machine", Connection(BackendKind.LOCAL, read_only=read_only)),
    ]
    for profile in found:
        note = " · ".join(part for part in (profile.account, profile.region, profile.sso_session) if part)
        entries.append(
            (profile.name, note, Connection(BackendKind.AWS, profile=profile.name, read_only=read_only))
        )
    return entries


async def choose_profile(app: Host) -> None:
    """Open another profile, the demo or the local store."""
    entries = await connections(app)
    lines = [
        safe(name.ljust(24)) + safe(f"  {note}").stylize("$foreground-muted") for name, note, _ in entries
    ]
    chosen = await app.ask(Choose("Open which account?", lines))
    if chosen is not None:
        app.open(entries[chosen][2])


async def choose_regions(app: Host) -> None:
    """Show the keys of one region, or of several in one list."""
    if app.session is None:
        return
    from kms_tui.backend.regions import enabled_regions, kms_regions

    kms, services = app.session.kms, app.session.services
    regions = await off_loop(lambda: kms_regions(kms.partition))
    shown = list(app.session.inventory.region_names)
    offered = [*shown, *(region for region in regions if region not in shown)]
    chosen = await app.ask(ChooseRegions(offered, shown, lambda: enabled_regions(services)))
    if chosen is not None and set(chosen) != set(shown):
        app.open(replace(app.connection, region=chosen[0], regions=chosen))


async def notify_slow_opening(app: Host, connection: Connection) -> None:
    """Notify of what a long opening waits for, and of the ways out."""
    if connection.kind not in (None, BackendKind.AWS) or isinstance(app.screen, AskSecret):
        return
    from kms_tui.backend.aws.credential_sources import waits_for

    try:
        source = await off_loop(lambda: waits_for(connection.profile))
    except KmsTuiError:
        return  # the opening meets the same file, and says what is wrong with it
    app.notify(
        f"It waits for {source}. p opens another profile instead, q quits.",
        title="Opening takes long",
        severity="warning",
        timeout=20,
    )


def ask_secret(app: Host, question: str) -> str | None:
    """A person's answer to the thread that opens a connection; None is Cancel. It blocks the thread."""
    answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def show() -> None:
        app.push_screen(AskSecret(question), answers.put)

    app.call_from_thread(show)
    return answers.get()
