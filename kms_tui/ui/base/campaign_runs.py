"""Campaigns that are carried out in the background: they go on when the move screen is left."""

from __future__ import annotations

import threading
from functools import partial

from kms_tui.campaigns.campaign import Campaign, ItemState
from kms_tui.campaigns.campaign_formats import counts_in_words
from kms_tui.campaigns.campaign_run import CampaignRun, SessionAccess
from kms_tui.campaigns.journal import CampaignFiles, Journal, campaign_files
from kms_tui.kms.arn import key_id_of
from kms_tui.kms.errors import KmsTuiError
from kms_tui.session import BackendKind, Session
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.host import BackgroundRun, CampaignEnded, Host

_TO_BE_LOOKED_AT = (ItemState.FAILED, ItemState.CHANGED, ItemState.LEFT_ALONE)


def files_of(session: Session) -> CampaignFiles:
    """The journals of a session; those of a demo are gone when the program ends."""
    return campaign_files(kept=session.connection.kind is not BackendKind.DEMO)


class BackgroundCampaign(BackgroundRun):
    """A run on a thread. ``name`` is that of the key which is left; untrusted."""

    def __init__(self, session: Session, journal: Journal, name: str) -> None:
        self.session = session
        self.name = name
        self.journal = journal
        self.run = CampaignRun(journal, SessionAccess(session), session.now)
        self.ended = threading.Event()

    @property
    def campaign(self) -> Campaign:
        return self.journal.campaign

    @property
    def is_stopping(self) -> bool:
        return self.run.is_cancelled

    @property
    def status(self) -> str:
        """ "moving 12/34", for the bar on top of every screen."""
        progress = self.run.progress()
        return "stopping" if self.is_stopping else f"moving {progress.done:,}/{progress.total:,}"

    def stop(self) -> None:
        """Begin no other item; the one in hand is finished."""
        self.run.cancel()

    def wait(self, seconds: float) -> None:
        self.ended.wait(seconds)

    def work(self) -> None:
        """Carry out what is open, and close the journal. It blocks; raises FileError of the journal."""
        try:
            self.run.run()
        finally:
            self.journal.close()
            self.ended.set()


def running_campaign(host: Host, arn: str) -> BackgroundCampaign | None:
    """The campaign that is carried out now for the key which is left."""
    found = host.background.get(arn)
    return found if isinstance(found, BackgroundCampaign) else None


def carry_out_in_background(host: Host, session: Session, journal: Journal, name: str) -> None:
    """Begin a run, which the journal belongs to from now on; its end is notified and told to every screen."""
    arn = journal.campaign.head.old
    running = host.background[arn] = BackgroundCampaign(session, journal, name)
    work = partial(_follow, host, arn, running)
    start(host, work, group=f"campaign {arn}", description="carry out a campaign")


async def _follow(host: Host, arn: str, running: BackgroundCampaign) -> None:
    error: KmsTuiError | None = None
    try:
        await off_loop(running.work)
    except KmsTuiError as failure:
        error = failure
    if host.background.get(arn) is running:
        del host.background[arn]
    head = running.campaign.head
    if host.session is running.session:
        host.session.reread(key_id_of(head.old), key_id_of(head.new))
    error = error or running.run.stopped
    counts = counts_in_words(running.campaign)
    title = f"Move off {running.name}"
    if error is not None:
        host.notify(f"Stopped: {error.with_next_step} {counts}.", title=title, severity="error", timeout=12)
    elif running.is_stopping:
        host.notify(f"Stopped between two items: {counts}. It can go on at any time.", title=title)
    else:
        needs_look = any(running.campaign.counts[state] for state in _TO_BE_LOOKED_AT)
        host.notify(
            f"{counts[:1].upper()}{counts[1:]}.",
            title=title,
            severity="warning" if needs_look else "information",
            timeout=12,
        )
    for screen in host.all_screens:
        screen.post_message(CampaignEnded())
