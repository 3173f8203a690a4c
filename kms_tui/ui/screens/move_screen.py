"""Move off…: the plan, carried out in the background, and the stages after it up to the key's deletion."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.events import Key, ScreenResume

from kms_tui.campaigns.campaign import Campaign, ItemRecord, ItemState
from kms_tui.counts import counted_as
from kms_tui.kms.arn import key_id_of, key_region
from kms_tui.session import Session
from kms_tui.ui.actions.action_screen import perform
from kms_tui.ui.actions.action_table import ACTIONS
from kms_tui.ui.base.campaign_runs import (
    BackgroundCampaign,
    carry_out_in_background,
    files_of,
    running_campaign,
)
from kms_tui.ui.base.host import CampaignEnded, KeysChanged, RefusalsChanged
from kms_tui.ui.base.safe_text import Content
from kms_tui.ui.base.subject import Subject, subject_of
from kms_tui.ui.base.words import refused_uses_of
from kms_tui.ui.dialogs.questions import Confirm
from kms_tui.ui.screens.campaign_begin import prepare
from kms_tui.ui.screens.campaign_dialogs import CarryOutDialog, LaterUsesDialog
from kms_tui.ui.screens.campaign_stages import (
    StageFacts,
    later_uses_note,
    next_words,
    rescan_note,
    stages_line,
)
from kms_tui.ui.screens.campaign_words import CampaignView, run_words
from kms_tui.ui.screens.move_words import PlanSection
from kms_tui.ui.screens.plan_screen import MoveFound, PlanScreen
from kms_tui.ui.widgets.line_table import LineTable
from kms_tui.ui.widgets.screen_bars import TopBar
from kms_tui.ui.widgets.text_widgets import Static

_TICK = 0.25
_READ_ONLY = Content.styled("This session is read-only: it plans and looks, and moves nothing.", "$warning")
"""In place of the next step."""
_PADDING = 4
"""Cells beside the stages."""
_CHANGES = (
    ("move.carry-out", "ctrl+o", "Carry out"),
    *(
        (f"move.{action_id}", ACTIONS[action_id].key, ACTIONS[action_id].title)
        for action_id in ("disable", "enable", "schedule-deletion", "cancel-deletion")
    ),
)
"""(binding id, keys, title) of what changes something."""


def _step(action_id: str) -> Binding:
    """The key of an action that is a stage, or a way back from one; it is done to the old key."""
    action = ACTIONS[action_id]
    return Binding(
        action.key,
        f"do('{action_id}')",
        action.title,
        id=f"move.{action_id}",
        tooltip=f"Of the old key: {action.tooltip[:1].lower()}{action.tooltip[1:]}",
        show=False,
    )


class MoveScreen(PlanScreen):
    """Opened with the ARN of the key that is left, that of the other one (None for a new key), and whether
    its campaign is gone on with, without a scan.
    """

    HELP = (
        "How each resource that names the key gets under the other key, and what has become of it. Planning "
        "only reads; the scan asks slowly, since the account's programs share its quotas. The stages on top "
        "go from the plan to the deletion of the old key: ✓ is over, ▸ is next, – is too early. ctrl+o "
        "carries out what is moved in place, after it shows every write; it goes on when you leave this "
        "screen or open another, and esc stops it between two items. What a journal keeps is gone on with "
        "at any time, also after a crash: Q on the key offers it. r then scans for what still names the old "
        "key, u asks CloudTrail who still uses it, X disables it and counts who is refused (x enables it "
        "again), D schedules its deletion (U cancels that). w writes the plan, its script, or the evidence."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+o",
            "carry_out",
            "Carry out",
            id="move.carry-out",
            tooltip="Move what is moved in place, after a look at every write; or go on with it",
        ),
        Binding(
            "u",
            "still_used",
            "Still used?",
            id="move.still-used",
            tooltip="Who used the old key since its first resource was moved (LookupEvents)",
            show=False,
        ),
        *(_step(action_id) for action_id in ("disable", "enable", "watch")),
        *(_step(action_id) for action_id in ("schedule-deletion", "cancel-deletion")),
        Binding(
            "Z",
            "give_up",
            "Give up",
            id="move.give-up",
            tooltip="End the campaign: what is moved stays moved, and the rest is left",
            show=False,
        ),
    ]

    # What is shown

    def on_mount(self) -> None:
        self._moving = self.set_interval(_TICK, self._show_run, pause=True)
        self._told: ItemRecord | None = None

    @property
    def _campaign(self) -> Campaign | None:
        return self._view.campaign if self._view is not None else None

    @property
    def _background_run(self) -> BackgroundCampaign | None:
        return running_campaign(self.host, self._arn)

    def show_found(self, found: MoveFound) -> None:
        running = self._background_run
        campaign = running.campaign if running is not None else found.campaign
        if campaign is not None and self._is_told(campaign, found):
            if self._moves_elsewhere(campaign, found):
                words = (
                    f"An unfinished campaign moves it to {self.name_of(campaign.head.new)}: r plans for that."
                )
                self.host.notify(words, title="Another destination", severity="warning", timeout=12)
            self._view = CampaignView(campaign, found.plan)
            self._to = campaign.head.new or self._to
        super().show_found(found)
        self._follow_run()
        if found.trouble is not None:
            self.notify_error(found.trouble, doing="read the key's campaign")
        if found.plan is not None and self._campaign is not None and running is None:
            note = partial(self._note, rescan_note(found.plan))
            self.start_action(note, description="note a rescan")

    def _is_told(self, campaign: Campaign, found: MoveFound) -> bool:
        """Whether a campaign is that of this screen: one that is finished may be to another key."""
        if campaign.given_up:
            return False
        return found.plan is None or not campaign.is_finished or campaign.head.new == self._to

    @staticmethod
    def _moves_elsewhere(campaign: Campaign, found: MoveFound) -> bool:
        planned = found.plan.new if found.plan is not None else None
        return planned is not None and campaign.head.new not in ("", planned.arn) and not campaign.is_finished

    def _take(self, campaign: Campaign) -> None:
        """Show a campaign that was begun, or has changed."""
        self._view = CampaignView(campaign, self._plan)
        self._to = campaign.head.new or self._to
        self.show_all()
        self._follow_run()

    def show_head(self) -> None:
        super().show_head()
        session = self.session
        if self._old is None or session is None:
            return
        running = self._background_run
        monitor = session.account_of(self._arn).refusal_monitor
        facts = StageFacts(
            self._old,
            self._plan,
            self._campaign,
            running.run.progress() if running is not None else None,
            monitor.of(self._arn) if monitor is not None else None,
            session.read_only,
        )
        shown_key = self.host.shown_key
        lines = [stages_line(facts, self.size.width - _PADDING, shown_key)]
        if running is not None:
            lines.append(run_words(running.run.progress(), is_stopping=running.is_stopping))
        else:
            if facts.refused and (refused := refused_uses_of(session, self._arn)) is not None:
                lines.append(refused)
            lines.append(_READ_ONLY if session.read_only else next_words(facts, shown_key))
        self.query_one("#move-stages", Static).update(Content("\n").join(lines))

    def _follow_run(self) -> None:
        """Show the states as they change, while a run goes on."""
        (self._moving.resume if self._background_run is not None else self._moving.pause)()
        self.query_one(TopBar).refresh_session()
        self.show_head()
        self.refresh_bindings()

    def _show_run(self) -> None:
        if self.is_active and self._old is not None:
            self.show_head()
            self.query_one(TopBar).refresh_session()
            self.query_one(LineTable).refresh()
            if self._record_in_sight() is not self._told:
                self.show_detail()

    def _record_in_sight(self) -> ItemRecord | None:
        """What has become of the item whose details are shown."""
        item = self.current_item()
        return self._view.record_of(item.subject) if item is not None and self._view is not None else None

    def show_detail(self) -> None:
        super().show_detail()
        self._told = self._record_in_sight()

    @on(ScreenResume)
    def _looked_at_again(self) -> None:
        if self._old is not None:
            self._follow_run()

    @on(CampaignEnded)
    def _ended(self) -> None:
        """Have what failed come first, and the cursor on it."""
        campaign = self._campaign
        if campaign is None or self._old is None:
            return
        self.show_all()
        self._follow_run()
        if campaign.counts[ItemState.FAILED]:
            first = next((item for item in self._items if item.section is PlanSection.FAILED), None)
            if first is not None:
                self.query_one(LineTable).go_to(first.key)

    @on(RefusalsChanged)
    def _refusals_changed(self) -> None:
        self.show_head()

    @on(KeysChanged)
    def _changed(self, message: KeysChanged) -> None:
        if self.session is not None:
            self.session.reread(*message.key_ids)
        self.host.poll_refused_uses()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("carry_out", "do", "still_used", "give_up") and self._old is None:
            return False
        read_only = self.session is not None and self.session.read_only
        if action == "carry_out":
            return not read_only
        if action == "do":
            return not (read_only and ACTIONS[str(parameters[0])].mutating)
        if action == "give_up":
            return self._campaign is not None and not self._campaign.is_finished
        return super().check_action(action, parameters)

    def on_key(self, event: Key) -> None:
        self.host.explain_refused_key(event.key, _CHANGES)

    # The stages

    def _is_busy(self) -> bool:
        """Whether a run goes on, which is said then: what would come in its way waits."""
        if self._background_run is None:
            return False
        self.host.notify("The campaign is being carried out: wait for its end, or stop it with esc.")
        return True

    def _old_subject(self) -> Subject:
        assert self._old is not None
        return replace(self._subject(self._arn), key=self._old)

    def _subject(self, arn: str) -> Subject:
        assert self.session is not None
        row = self.session.inventory.row(arn)
        return subject_of(row) if row is not None else Subject(key_id_of(arn), arn, key_region(arn), (), None)

    def action_carry_out(self) -> None:
        if not self._is_busy():
            self.start_action(self._carry_out, description="carry out a campaign")

    async def _carry_out(self) -> None:
        session = self.session
        if session is None:
            return
        plan, old = self._plan, self._old_subject()
        work = partial(prepare, session, files_of(session), self._arn, plan)
        prepared = await self.attempt(work, doing="carry it out")
        if prepared is None:
            return
        if self._old is None or self._plan is not plan:
            prepared.close()
            self.host.notify("Another scan was begun meanwhile: carry out what it plans.", severity="warning")
            return
        journal = None
        try:
            new = self._subject(prepared.new) if prepared.new else None
            if await self.confirm_protected("Move off…", [old, new] if new is not None else [old]):
                journal = await self.ask(CarryOutDialog(prepared, old, new), about=[old])
        finally:
            if journal is None:
                prepared.close()
        if journal is not None:
            carry_out_in_background(self.host, session, journal, self.name_of(self._arn))
            self._take(journal.campaign)
        elif prepared.makes_key and self._plan is plan:
            await self._take_begun(session)

    async def _take_begun(self, session: Session) -> None:
        """Show the campaign whose key was made and whose preparation then failed: it can go on."""
        newest = partial(files_of(session).newest, self._arn)
        begun = await self.attempt(newest, doing="read the key's campaign")
        if begun is not None and not begun.is_finished:
            self._take(begun)

    def stop_background(self) -> bool:
        running = self._background_run
        if running is None or running.is_stopping:
            return False
        running.stop()
        self.host.notify("Stops after the item in hand. The journal keeps the rest: ctrl+o goes on.")
        self.show_head()
        return True

    def action_refresh(self) -> None:
        if not self._is_busy():
            super().action_refresh()

    def action_still_used(self) -> None:
        self.start_action(self._still_used, description="see who uses the old key")

    async def _still_used(self) -> None:
        session, campaign = self.session, self._campaign
        if session is None:
            return
        if campaign is None:
            words = "Nothing was moved yet. This tells who uses the old key after that."
            self.host.notify(words, title="Still used?", severity="warning")
            return
        monitor = session.account_of(self._arn).refusal_monitor
        if monitor is None:
            self.host.notify("CloudTrail is not available here.", title="Still used?", severity="warning")
            return
        since = campaign.first_write or campaign.head.begun
        dialog = LaterUsesDialog(monitor.trail, self._arn, self.name_of(self._arn), since, session.now())
        await self.ask(dialog, about=[self._old_subject()])
        if dialog.found is not None:
            is_told = monitor.trail.is_live or dialog.found.is_seen_until(session.now()) > since
            await self._note(later_uses_note(dialog.found, is_told_by_now=is_told))

    def action_do(self, action_id: str) -> None:
        if not self._is_busy():
            work = partial(self._do_step, action_id)
            self.start_action(work, description=ACTIONS[action_id].title)

    async def _do_step(self, action_id: str) -> None:
        """Do an action to the old key, as everywhere else, and note in the journal what it has become."""
        session, action = self.session, ACTIONS[action_id]
        if session is None:
            return
        describe = partial(session.kms_for(self._arn).describe, self._arn)
        before = await self.attempt(describe, doing="look at the old key")
        if before is None or self.session is not session:
            return
        self._old = before
        await perform(self, action, [self._old_subject()])
        after = await self.attempt(describe, doing="look at the old key")
        if after is None:
            return
        self._old = after
        if after.state != before.state:
            await self._note(f"{action.title}: the old key is {after.state} now.")
        self._follow_run()

    async def _note(self, words: str) -> None:
        """Have the journal say what was done beside the items."""
        session, campaign = self.session, self._campaign
        if session is None or campaign is None or self._background_run is not None:
            return
        work = partial(_noted, session, self._arn, words)
        noted = await self.attempt(work, doing="note it in the campaign")
        if noted is not None:
            self._take(noted)

    def action_give_up(self) -> None:
        if not self._is_busy():
            self.start_action(self._give_up, description="give up a campaign")

    async def _give_up(self) -> None:
        session, campaign = self.session, self._campaign
        if session is None or campaign is None:
            return
        left = counted_as(len(campaign.open_items), "item is left, and stays", "items are left, and stay")
        sentences = [
            Content(f"What is moved stays moved. {left} under the old key."),
            Content("The journal stays as evidence. Another campaign can be begun from a plan."),
        ]
        if not await self.ask(Confirm("Give the campaign up?", sentences, confirm="Give up")):
            return
        work = partial(_given_up, session, self._arn)
        if await self.succeeds(work, doing="give the campaign up"):
            self.host.notify("The campaign is given up.")
            self._view = None
            if self._plan is not None:
                self.show_all()
                self._follow_run()
            else:
                self.app.pop_screen()


def _noted(session: Session, arn: str, words: str) -> Campaign:
    """Write a note into the newest journal of a key; it blocks. Raises JournalError, FileError."""
    with files_of(session).resume(arn) as journal:
        journal.note(words, session.now())
        return journal.campaign


def _given_up(session: Session, arn: str) -> None:
    with files_of(session).resume(arn) as journal:
        journal.give_up(session.now())
