"""Going elsewhere without restarting: another profile, other regions."""

from __future__ import annotations

import queue
from dataclasses import replace
from typing import TYPE_CHECKING

from kms_tui.kms.errors import KmsTuiError
from kms_tui.session import BackendKind, Connection, Prompt
from kms_tui.ui.background import off_loop
from kms_tui.ui.dialogs.ask_secret import AskSecret
from kms_tui.ui.dialogs.choose import Choose
from kms_tui.ui.dialogs.choose_regions import ChooseRegions
from kms_tui.ui.safe_text import safe

if TYPE_CHECKING:
    from kms_tui.ui.app import KmsApp


async def choose_profile(app: KmsApp) -> None:
    """Open another profile, the demo or the local store."""
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
    lines = [
        safe(name.ljust(24)) + safe(f"  {note}").stylize("$foreground-muted") for name, note, _ in entries
    ]
    chosen = await app.ask(Choose("Open which account?", lines))
    if chosen is not None:
        app.open(entries[chosen][2])


async def choose_regions(app: KmsApp) -> None:
    """Show the keys of one region, or of several in one list."""
    if app.session is None:
        return
    from kms_tui.backend.aws.boto_session import enabled_regions, kms_regions

    kms, services = app.session.kms, app.session.services
    regions = await off_loop(lambda: kms_regions(kms.partition))
    shown = [region.name for region in app.session.inventory.regions]
    offered = [*shown, *(region for region in regions if region not in shown)]
    chosen = await app.ask(ChooseRegions(offered, shown, lambda: enabled_regions(services)))
    if chosen is not None and set(chosen) != set(shown):
        app.open(replace(app.connection, region=chosen[0], regions=chosen))


async def tell_what_takes_long(app: KmsApp, connection: Connection) -> None:
    """Name what an opening that takes long waits for, and the ways out of it."""
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


def prompter(app: KmsApp) -> Prompt:
    """Asks for a secret on the screen, from the thread that opens a connection; None is Cancel."""

    def prompt(question: str) -> str | None:
        answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()

        def show() -> None:
            app.push_screen(AskSecret(question), answers.put)

        app.call_from_thread(show)
        return answers.get()

    return prompt
