"""The words of a campaign: the stages of leaving a key, the states of the lines, the progress of a run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kms_tui.campaigns.campaign import (
    Campaign,
    CampaignNote,
    ItemRecord,
    ItemState,
    head_of,
    items_of,
    left_by,
)
from kms_tui.campaigns.campaign_run import CampaignProgress
from kms_tui.campaigns.later_uses import LaterUse, LaterUses
from kms_tui.evidence.refused_uses import Refusals
from kms_tui.key_moves.plan_formats import notes
from kms_tui.kms.model import KeyState
from kms_tui.ui.screens import campaign_words, move_details, move_words
from kms_tui.ui.screens.campaign_dialogs import uses_words
from kms_tui.ui.screens.campaign_stages import (
    CampaignStage,
    Mark,
    StageFacts,
    later_uses_note,
    marks,
    next_words,
    rescan_note,
    stages_line,
    too_early,
)
from kms_tui.ui.screens.campaign_words import CampaignView
from kms_tui.ui.screens.move_words import PlanSection
from tests.unit.test_move_words import NOW, PLAN, WHOLE, key

OLD = key("1234abcd-12ab-34cd-56ef-1234567890a0")
LATER = NOW + timedelta(hours=1)


def shown_key(binding_id: str, default: str) -> str:
    return "^o" if default == "ctrl+o" else default


def campaign(*states: ItemState, notes: tuple[str, ...] = (), aliases: bool = True) -> Campaign:
    """A campaign of PLAN; items without a state wait."""
    items = [*items_of(PLAN, aliases=aliases)]
    records = [ItemRecord(state, NOW, f"words of {state}", ("aws x",)) for state in states]
    records += [ItemRecord() for _ in items[len(states) :]]
    noted = [CampaignNote(LATER, words) for words in notes]
    return Campaign(head_of(PLAN, "c1", NOW, aliases=aliases), items, records, noted)


MOVED = campaign(*[ItemState.MOVED] * 4)
CLEAN = rescan_note(WHOLE)
FOUND = rescan_note(PLAN)
NO_USE = later_uses_note(LaterUses(NOW, (), is_complete=True))
TOO_SOON = later_uses_note(LaterUses(NOW, (), is_complete=True), is_told_by_now=False)
USE = LaterUse("app\x1b", "arn", "Decrypt", (("table", "orders"),), 7, 0, NOW)
USED = later_uses_note(LaterUses(NOW, (USE,), is_complete=True))


def facts(*notes: str, state: KeyState = KeyState.ENABLED, refusals: Refusals | None = None) -> StageFacts:
    """Everything is moved, and then this was noted."""
    told = [CampaignNote(LATER, words) for words in notes]
    return StageFacts(replace(OLD, state=state), None, replace_notes(MOVED, told), refusals=refusals)


def replace_notes(found: Campaign, notes: list[CampaignNote]) -> Campaign:
    return Campaign(found.head, found.items, [*found.records], notes)


REFUSED = Refusals(OLD.arn, "eu-west-1", NOW, True, (("app", 2),), checked=NOW)


@pytest.mark.parametrize(
    ("told", "signs", "says"),
    [
        (StageFacts(OLD, PLAN), "✓▸···–", "Next: solve what is in the way, on top of the list. Then ^o"),
        (StageFacts(OLD, WHOLE), "✓▸···–", "Next: ^o carries out what is moved in place"),
        (StageFacts(OLD, None, campaign()), "✓▸···–", "Next: ^o goes on with the 4 items that wait."),
        (
            StageFacts(OLD, None, campaign(ItemState.FAILED)),
            "✓▸···–",
            "Next: ^o tries again what failed (1) and goes on.",
        ),
        (StageFacts(OLD, None, campaign(), CampaignProgress(1, 4)), "✓…···–", ""),
        (facts(), "✓✓▸··–", "Next: r scans again"),
        (facts(FOUND), "✓✓▸··–", "6 resources (3 in place, 1 by copy, 1 impossible, 1 not planned)"),
        (facts(CLEAN), "✓✓✓▸··", "Next: u asks CloudTrail"),
        (facts(CLEAN, USED), "✓✓✓▸·–", "app␛ Decrypt 7. Next: u asks"),
        (facts(CLEAN, NO_USE), "✓✓✓✓▸·", "Next: X disables the old key"),
        (facts(CLEAN, TOO_SOON), "✓✓✓▸··", "Not all was told yet, none of the old key since"),
        (
            facts(CLEAN, NO_USE, state=KeyState.DISABLED),
            "✓✓✓✓✓▸",
            "2 moved resources may have earlier data under it, which is lost with it. Next: D schedules",
        ),
        (
            facts(CLEAN, NO_USE, state=KeyState.DISABLED, refusals=REFUSED),
            "✓✓✓✓✗–",
            "Not yet: 2 uses of it were refused. Way back from Disabled: x enables it.",
        ),
        (facts(state=KeyState.PENDING_DELETION), "✓✓▸·✓✓", "Way back: U cancels it, then x enables the key."),
        (
            facts(FOUND, state=KeyState.PENDING_DELETION),
            "✓✓▸·✓✗",
            "Its deletion is scheduled, and 6 resources still name the old key. Way back: U cancels it",
        ),
        (
            StageFacts(replace(OLD, state=KeyState.PENDING_DELETION), PLAN),
            "✓▸··✓✗",
            "Its deletion is scheduled, and nothing is carried out yet. Way back: U",
        ),
    ],
    ids=range(16),
)
def test_one_stage_is_next_and_its_key_and_way_back_are_said(told: StageFacts, signs: str, says: str) -> None:
    found = marks(told)
    assert "".join(found[stage].value[0] for stage in CampaignStage) == signs
    assert sum(mark is Mark.NEXT for mark in found.values()) <= 1
    if says:
        assert says in next_words(told, shown_key).plain
    for width in (76, 106, 156):
        line = stages_line(told, width, shown_key)
        assert line.cell_length <= width
        assert len(line.plain.split("  ")) == len(CampaignStage)
        assert (found[CampaignStage.DELETE] is Mark.NOT_YET) == line.plain.endswith(": not yet")
    assert "Schedule deletion" in stages_line(told, 156, shown_key).plain


@pytest.mark.parametrize(
    ("told", "signs", "keys"),
    [
        (StageFacts(OLD, None, campaign()), "✓····–", "ru"),
        (facts(), "✓✓▸··–", "ru"),
        (facts(CLEAN, NO_USE), "✓✓✓✓··", ""),
    ],
    ids=range(3),
)
def test_a_read_only_session_has_no_stage_next_that_changes_anything(
    told: StageFacts, signs: str, keys: str
) -> None:
    told = replace(told, read_only=True)
    found = marks(told)
    assert "".join(found[stage].value[0] for stage in CampaignStage) == signs
    words = stages_line(told, 156, shown_key).plain.split()
    assert "".join(key for key in ("^o", "r", "u", "X", "D") if key in words) == keys


def test_the_line_fits_though_there_are_many_items() -> None:
    many = Campaign(MOVED.head, MOVED.items * 3000, [ItemRecord()] * 12_000)
    line = stages_line(StageFacts(OLD, None, many), 76, shown_key)
    assert line.cell_length <= 76
    assert "0/12,000" in line.plain


def test_what_was_found_counts_until_something_else_is_moved() -> None:
    told = facts(CLEAN, NO_USE)
    assert told.campaign is not None
    told.campaign.records[0] = ItemRecord(ItemState.MOVED, LATER + timedelta(minutes=1))
    assert marks(told)[CampaignStage.RESCAN] is Mark.NEXT
    told.campaign.records[0] = ItemRecord(ItemState.FAILED, LATER + timedelta(minutes=1))
    assert marks(told)[CampaignStage.CARRY_OUT] is Mark.NEXT
    assert too_early(told) == ["1 item is not moved"]


def test_a_plan_of_which_nothing_is_moved_in_place_is_carried_out_by_hand() -> None:
    nothing = replace(WHOLE, grants=(), aliases=())
    assert marks(StageFacts(OLD, nothing))[CampaignStage.CARRY_OUT] is Mark.DONE
    assert too_early(StageFacts(OLD, nothing)) == []


def test_an_alias_that_was_not_asked_for_goes_with_the_key() -> None:
    left = campaign(*[ItemState.MOVED] * 3, aliases=False)
    told = StageFacts(OLD, PLAN, left)
    assert told.campaign is not None
    assert marks(told)[CampaignStage.CARRY_OUT] is Mark.DONE
    assert marks(told)[CampaignStage.DELETE] is Mark.NOT_YET
    assert "1 alias still names the old key" in too_early(told)
    told.campaign.notes += [CampaignNote(LATER, CLEAN), CampaignNote(LATER, NO_USE)]
    disabled = replace(told, old=replace(OLD, state=KeyState.DISABLED))
    assert "names the old key. ^o offers to repoint aliases." in next_words(disabled, shown_key).plain
    assert not any("alias" in why for why in too_early(StageFacts(OLD, PLAN, MOVED)))


def test_what_a_later_plan_has_besides_is_to_be_carried_out() -> None:
    few = Campaign(MOVED.head, MOVED.items[:1], MOVED.records[:1])
    assert marks(StageFacts(OLD, PLAN, few))[CampaignStage.CARRY_OUT] is Mark.NEXT
    assert (
        "carries out what the campaign does not have yet"
        in next_words(StageFacts(OLD, PLAN, few), shown_key).plain
    )


def test_each_line_says_its_state_or_who_moves_it() -> None:
    states = [ItemState.MOVED, ItemState.FAILED, ItemState.LEFT_ALONE]
    view = CampaignView(campaign(*states), PLAN)
    items = move_words.items(PLAN, view)
    columns = move_words.columns(several=False, has_campaign=True)
    told = {}
    for row in move_words.rows(items, {}, several=False, view=view):
        cells = [cell if isinstance(cell, str) else cell[0] for cell in row.cells]
        if len(cells) > 1:
            assert len(cells) == len(columns)
            told[cells[0], cells[1]] = cells[2]
    assert told["Grant", "role/app"] == "✓ moved"
    assert told["S3 buckets", "logs"] == "✗ failed"
    assert told["SQS queues", "jobs"] == "! left alone"
    assert told["Alias", "alias/orders"] == "waiting"
    assert told["EBS volumes", "vol-1"] == "by the script"
    assert told["Quantum lakes", "q"] == "by hand"
    first = next(item for item in items if item.section is not PlanSection.OBSTACLES)
    assert first.section is PlanSection.FAILED
    text = move_details.whole_text(first, PLAN, {}, view)
    assert "State: ✗ failed: words of failed" in text
    assert "Sent\naws x" in text


def test_a_campaign_alone_is_told_whole() -> None:
    alone = campaign(ItemState.MOVED, notes=("The run ended.\x1b",))
    view = CampaignView(alone, None)
    items = move_words.items(None, view)
    assert [*dict.fromkeys(item.section for item in items)] == [
        PlanSection.CAMPAIGN,
        PlanSection.LEFT,
        PlanSection.RUNS,
    ]
    assert len([item for item in items if item.section is PlanSection.CAMPAIGN]) == len(alone.items)
    grant = items[0]
    assert move_details.copied(grant, None, {}, view) == ("The command", "aws x\n")
    for item in items:
        assert "\x1b" not in move_details.whole_text(item, None, {}, view)


def test_an_alias_that_was_not_chosen_still_names_the_old_key() -> None:
    (alias,) = PLAN.aliases
    without = campaign(aliases=False)
    assert CampaignView(without, PLAN).state_cell(alias)[0] == "names old key"
    elsewhere = replace(PLAN, new=key(OLD.key_id, "444455556666"))
    assert CampaignView(without, elsewhere).state_cell(alias)[0] == "by hand"
    few = Campaign(without.head, [], [])
    assert CampaignView(few, PLAN).state_cell(PLAN.grants[0])[0] == "to do"


@pytest.mark.parametrize(
    ("progress", "is_stopping", "said"),
    [
        (CampaignProgress(0, 0), False, "Beginning…"),
        (
            CampaignProgress(12, 34, "SSM parameters: /a\x1b", 95.0),
            False,
            "Moving 12 of 34 · SSM parameters: /a␛ · about 2 min left",
        ),
        (CampaignProgress(0, 0, "3 changes that are not seen yet"), False, "3 changes that are not seen yet"),
        (CampaignProgress(12, 34), True, "Stopping after the item in hand…"),
    ],
    ids=range(4),
)
def test_a_run_says_how_far_it_is_and_how_to_stop_it(
    progress: CampaignProgress, is_stopping: bool, said: str
) -> None:
    lines = campaign_words.run_words(progress, is_stopping=is_stopping).plain.splitlines()
    assert lines[0] == said
    assert ("esc stops" in lines[-1]) is not is_stopping


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.2, "about 1 s"), (59, "about 59 s"), (600, "about 10 min"), (7200, "about 2 h")]
)
def test_the_time_left_is_a_round_number(seconds: float, said: str) -> None:
    assert campaign_words.time_left(seconds) == said


def test_who_still_uses_the_key_is_told_with_what_may_be_missing() -> None:
    found = LaterUses(NOW, (USE, replace(USE, operation="Encrypt", count=1)), is_complete=False)
    lines = [line.plain for line in uses_words(found, is_live=False)]
    assert lines[0] == f"✗ 8 uses by 1 caller since {NOW:%Y-%m-%d %H:%M} UTC."
    assert lines[1].startswith("? Not all events were read")
    assert lines[2] == "CloudTrail tells a use up to 15 minutes late."
    none = [line.plain for line in uses_words(LaterUses(NOW, (), is_complete=True), is_live=True)]
    assert none[0].startswith("✓ No use since")
    part = later_uses_note(LaterUses(NOW, (), is_complete=False))
    assert marks(facts(CLEAN, part))[CampaignStage.STILL_USED] is Mark.NEXT


def test_the_age_of_a_campaign_is_told() -> None:
    said = campaign_words.age_words(MOVED, datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
    assert said == "begun 2026-11-20, 2 d ago: 4 moved"


@pytest.mark.parametrize(
    ("aliases", "grants", "left", "told"),
    [
        (
            1,
            1,
            "Alias: alias/0 still names the old key.",
            "1 of its grants is of a service, which creates its",
        ),
        (2, 2, "Aliases: alias/0, alias/1 still name the old key.", "2 of its grants are of services, which"),
    ],
    ids=["one", "two"],
)
def test_one_of_a_kind_is_said_as_one(aliases: int, grants: int, left: str, told: str) -> None:
    names = tuple(PLAN.aliases[0]._replace(name=f"alias/{number}") for number in range(aliases))
    plan = replace(PLAN, aliases=names, service_grants=grants)
    assert left in left_by(plan, aliases=False)
    assert notes(plan)[-1].startswith(told)
