"""Moving everything off a key: ask where to, and open the screen of the plan."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from kms_tui.campaigns.campaign import Campaign
from kms_tui.campaigns.campaign_formats import counts_in_words
from kms_tui.key_moves.destination import cannot_be_made, find_destination, unfit
from kms_tui.kms.arn import AccountRegion
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.model import Key
from kms_tui.session import Session
from kms_tui.ui.base.background import off_loop, start
from kms_tui.ui.base.campaign_runs import files_of, running_campaign
from kms_tui.ui.base.safe_text import Content, safe
from kms_tui.ui.base.subject import Reason, Subject, aws_managed, subject_of
from kms_tui.ui.base.words import USAGE_WORDS
from kms_tui.ui.dialogs.choose_key import KeyChoice, Offer, key_line, matching_keys
from kms_tui.ui.dialogs.questions import Choose
from kms_tui.ui.mode_screen import ModeScreen

_OPEN = 0
"""The answer that opens the newest campaign."""
MADE = ""
"""The answer that has a key made like the old one."""
_MADE_TITLE = "a new key, made like this one"
_CHECKING = "Asking KMS about the key…"


def cannot_move(subject: Subject) -> Reason:
    """A key that AWS manages is left by resources, one by one; nothing can be done to the key."""
    if reason := aws_managed(subject):
        return reason
    return "" if subject.key is not None else "it is not described yet"


async def plan_move(screen: ModeScreen, subjects: Sequence[Subject]) -> None:
    """Open the key's campaign, or ask for the destination and open a plan; nothing is changed."""
    (subject,) = subjects
    session, key = screen.session, subject.key
    if session is None or key is None:
        return
    if running_campaign(screen.host, subject.arn) is not None:
        screen.host.open_screen("move", subject.arn, None, True)
        return
    campaign = await screen.attempt(
        partial(files_of(session).newest, subject.arn), doing="read the key's campaign"
    )
    if campaign is not None and campaign.head.new and not campaign.given_up:
        answer = await screen.ask(_campaign_question(session, subject, campaign))
        if answer is None:
            return
        if answer == _OPEN or not campaign.is_finished:
            screen.host.open_screen("move", subject.arn, campaign.head.new, answer == _OPEN)
            return
    others = await off_loop(partial(_that_fit, session, key))
    to = await screen.ask(ChooseDestination(session, subject, key, others))
    if to is not None:
        screen.host.open_screen("move", subject.arn, None if to == MADE else to)


def _campaign_question(session: Session, subject: Subject, campaign: Campaign) -> Choose:
    """Whether to open the newest campaign of the key, or to plan again."""
    head = campaign.head
    row = session.inventory.row(head.new)
    to = subject_of(row).name if row is not None else head.new
    does = "Look at it" if campaign.is_finished else "Go on with it"
    again = "to any key" if campaign.is_finished else "to the same key"
    entries = [
        Content.assemble((does, "bold"), safe(f": to {to}, {counts_in_words(campaign)}")),
        Content.assemble(("Plan again", "bold"), f": scan what names the key, and move {again}"),
    ]
    begun = f"{head.begun:%Y-%m-%d %H:%M} UTC"
    return Choose(f"A campaign of {begun} moves everything off {subject.name}", entries)


def _that_fit(session: Session, old: Key) -> list[Subject]:
    """The keys of the Region, those of the key's own account first, that everything could move to.

    One that is not described yet is offered, and KMS decides.
    """
    here = AccountRegion.of(old.arn)
    rows = sorted(session.inventory.rows(), key=lambda row: (row.account != here.account, row.sort_name))
    return [
        subject_of(row)
        for row in rows
        if row.region == here.region
        and row.arn != old.arn
        and not (row.aws or row.gone)
        and (row.key is None or unfit(old, row.key, row.arn) is None)
    ]


class ChooseDestination(KeyChoice[str]):
    """Answers with the ARN of a key, or MADE; a key that nothing can move to is refused below the field."""

    HELP: ClassVar[str] = (
        "Type a part of an alias, a key id or an account to narrow the list down, or the whole id, alias or "
        "ARN of a key that is not on it, of another account say. enter takes the first line; down goes to "
        "the list. Planning only reads: nothing is changed."
    )
    HINT = "part of an alias or a key id; or the ARN of any key"

    def __init__(self, session: Session, subject: Subject, key: Key, others: Sequence[Subject]) -> None:
        usage = USAGE_WORDS.get(key.usage, key.usage)
        lead = Content("This scans what names the key, and plans; it changes nothing.\n")
        about = f"A key is used in its own Region: {key.region}. These {usage}."
        super().__init__(
            f"Move everything off {subject.name} to which key?",
            lead + Content.styled(about, "$foreground-muted"),
        )
        self._session = session
        self._key = key
        self._others = others

    def offers(self, typed: str) -> Sequence[Offer]:
        typed = typed.strip()
        found: list[Offer] = []
        if cannot_be_made(self._key) is None and typed.lower() in _MADE_TITLE:
            found.append((Content(_MADE_TITLE[0].upper() + _MADE_TITLE[1:]), self._take_new))
        found += [
            (key_line(each, each.title), partial(self._check, each.arn))
            for each in matching_keys(self._others, typed)
        ]
        if typed:
            line = Content.styled("the key named ", "$foreground-muted") + safe(typed)
            found.append((line, partial(self._check, typed)))
        return found

    def _take_new(self) -> None:
        if not self.is_calling:
            self.dismiss(MADE)

    def _check(self, named: str) -> None:
        if not self.is_calling:
            start(self, partial(self._find, named), group="destination", description="look at a key")

    async def _find(self, named: str) -> None:
        kms_for = self._session.kms_for
        self.is_calling = True
        self.show_key_error("")
        self.show_error(_CHECKING)
        try:
            new = await off_loop(lambda: find_destination(self._key, named, kms_for(self._key.arn), kms_for))
        except KmsTuiError as error:
            self.show_key_error(error.with_next_step)
            self.query_one(self.initial_focus).focus()
        else:
            self.dismiss(new.arn)
        finally:
            self.is_calling = False
            self.show_error("")
