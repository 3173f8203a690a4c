"""The words of the move screen: every kind of line, its details, and what is copied of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from kms_tui.evidence.key_uses import FoundUse, KeyUses, UseGap
from kms_tui.evidence.scan_task import Use
from kms_tui.key_moves.destination import Obstacle
from kms_tui.key_moves.move import How, Move
from kms_tui.key_moves.move_plan import MoveGroup, MovePlan, PlannedMove
from kms_tui.key_moves.move_table import MOVES, move_of
from kms_tui.key_moves.planning import PlanningProgress, PlanningStoppedError
from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.model import Alias, Grant, Key
from kms_tui.ui.screens import move_details, move_head, move_words
from kms_tui.ui.screens.move_words import PlanItem, PlanSection
from tests.unit.evidence.world import ACCOUNT, REGION, arn_of

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OLD_ID, NEW_ID = ("1234abcd-12ab-34cd-56ef-1234567890a" + end for end in "01")
HOSTILE = "it's\x1b[2J\n\u202eName: fine"
STATEMENT = {"Sid": "Logs", "Effect": "Allow"}


def key(key_id: str, account: str = ACCOUNT) -> Key:
    spec = ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "AWS_KMS")
    return Key(key_id, arn_of(key_id, account=account), account, "CUSTOMER", "Enabled", *spec)


def planned(kind: str, resource: str, purpose: str = "") -> PlannedMove:
    use = Use(kind, resource, arn_of(OLD_ID), purpose=purpose)
    return PlannedMove(FoundUse(ACCOUNT, use), move_of(use), REGION, "aws")


PLAN = MovePlan(
    made=NOW,
    old=key(OLD_ID),
    new=key(NEW_ID),
    draft=None,
    uses=KeyUses(arn_of(OLD_ID), ()),
    moves=(
        planned("S3 buckets", "logs"),
        planned("SQS queues", "jobs"),
        planned("SQS queues", HOSTILE),
        planned("EBS volumes", "vol-1"),
        planned("RDS instances", "db", "Performance Insights"),
        planned("Quantum lakes", "q"),
    ),
    obstacles=(Obstacle("The new key is Disabled."), Obstacle("Logs is not let in.", STATEMENT)),
    notes=("Keep the old key.",),
    grants=(Grant("g1", OLD_ID, f"arn:aws:iam::{ACCOUNT}:role/app", ("Decrypt", "Encrypt"), HOSTILE),),
    service_grants=2,
    aliases=(Alias("alias/orders", "", OLD_ID),),
    unread=(UseGap(ACCOUNT, "Tags", f"denied {HOSTILE}"), UseGap(ACCOUNT, "", "not scanned")),
)
OF_CAMPAIGNS = (PlanSection.FAILED, PlanSection.CAMPAIGN, PlanSection.LEFT, PlanSection.RUNS)
SECTIONS = [section for section in PlanSection if section not in OF_CAMPAIGNS]
WHOLE = replace(PLAN, moves=(), obstacles=(), unread=())
ITEMS = move_words.items(PLAN)


def of(section: PlanSection, number: int = 0, plan: MovePlan = PLAN) -> PlanItem:
    return [item for item in move_words.items(plan) if item.section is section][number]


def cells(item: PlanItem, *, several: bool = False) -> list[str]:
    (row,) = move_words.rows([item], {ACCOUNT: "payments"}, several=several)
    return [cell if isinstance(cell, str) else cell[0] for cell in row.cells]


def test_the_sections_stand_in_the_order_of_the_plan() -> None:
    assert [*dict.fromkeys(item.section for item in ITEMS)] == SECTIONS
    moves = [item.subject for item in ITEMS if isinstance(item.subject, PlannedMove)]
    assert moves == [each for group in MoveGroup for each in PLAN.of_group(group)]
    lines = move_words.with_headings(ITEMS)
    assert [item.section for item in lines if item.is_heading] == SECTIONS
    headings = [row.cells for row in move_words.rows(lines, {}, several=False) if len(row.cells) == 1]
    assert (("In place  2", "accent"),) in headings


def test_a_line_has_the_same_key_in_the_next_plan_and_no_other_has_it() -> None:
    assert len({item.key for item in ITEMS}) == len(ITEMS)
    again = move_words.items(replace(PLAN, moves=PLAN.moves[1:], obstacles=()))
    assert {item.key for item in again} < {item.key for item in ITEMS}
    twice = move_words.items(replace(PLAN, moves=PLAN.moves[:1] * 2))
    assert len({item.key for item in twice}) == len(twice)


@pytest.mark.parametrize(
    ("section", "shown"),
    [
        (PlanSection.DEFAULTS, ["S3 buckets", "logs", "in place", "needs old key", ""]),
        (PlanSection.BY_COPY, ["EBS volumes", "vol-1", "by copy", "in the copy", ""]),
        (
            PlanSection.IMPOSSIBLE,
            ["RDS instances", "db", "✗ impossible", "needs old key", "Performance Insights"],
        ),
        (PlanSection.NOT_PLANNED, ["Quantum lakes", "q", "? not planned", "needs old key", ""]),
        (PlanSection.ALIASES, ["Alias", "alias/orders", "repoint", "", ""]),
        (PlanSection.OBSTACLES, ["✗ The new key is Disabled."]),
        (PlanSection.NOTES, ["· Keep the old key."]),
        (PlanSection.PERMISSIONS, ["An IAM policy: enter shows it, c copies it"]),
    ],
)
def test_a_row_says_what_how_and_what_becomes_of_the_data(section: PlanSection, shown: list[str]) -> None:
    assert cells(of(section)) == shown


def test_of_several_accounts_a_row_names_its_own() -> None:
    assert [each.title for each in move_words.columns(several=True)][2] == "ACCOUNT"
    assert cells(of(PlanSection.DEFAULTS), several=True)[2] == "payments"
    assert cells(of(PlanSection.GAPS), several=True)[0].startswith("? payments · Tags: denied")
    assert len(cells(of(PlanSection.GRANTS), several=True)) == len(move_words.columns(several=True))
    assert len(cells(of(PlanSection.GRANTS))) == len(move_words.columns(several=False))


@pytest.mark.parametrize("move", MOVES, ids=[f"{number} {move.kind}" for number, move in enumerate(MOVES)])
def test_each_way_to_move_is_told_whole(move: Move) -> None:
    use = Use(move.kind, "0a1b2c3d", arn_of(OLD_ID), "default", (*move.purposes, "")[0])
    item = PlanItem("k", PlanSection.IN_PLACE, PlannedMove(FoundUse(ACCOUNT, use), move, REGION, "aws"))
    text = move_details.whole_text(item, PLAN, {})
    told = (move.data, move.by_hand, move.down, move.cost, *move.sources)
    assert all(each in text for each in told)
    assert ("needed afterwards" in text) is move.old_key_needed
    assert bool(cells(item)[3])
    assert ("Commands\n" in text) is bool(move.steps)
    assert ("=yes" in text) is (move.how is How.BY_COPY and bool(move.steps) and not move.for_new)


def test_what_others_wrote_cannot_pass_for_our_own_lines() -> None:
    for item in ITEMS:
        text = move_details.whole_text(item, PLAN, {})
        assert not set(text) & {"\x1b", "\u202e"}
        assert "\nName: fine" not in text
    hostile = of(PlanSection.IN_PLACE, 1)
    assert "No command is made: the name cannot be put into one." in move_details.whole_text(
        hostile, PLAN, {}
    )
    assert move_details.copied(hostile, PLAN, {}) == ("", "")


def test_what_is_copied_are_commands_or_what_is_missing() -> None:
    what, text = move_details.copied(of(PlanSection.BY_COPY), PLAN, {"AWS_PROFILE": "prod"})
    assert what == "The 5 commands"
    assert f"NEW_KEY={arn_of(NEW_ID)}" in text
    assert "AWS_PROFILE=prod" in text
    what, text = move_details.copied(of(PlanSection.ALIASES), PLAN, {})
    assert what == "The command"
    assert 'aws kms update-alias --alias-name alias/orders --target-key-id "$NEW_KEY"' in text
    assert "aws kms create-grant" in move_details.copied(of(PlanSection.GRANTS), PLAN, {})[1]
    assert move_details.copied(of(PlanSection.OBSTACLES, 1), PLAN, {}) == (
        "The missing statement",
        json.dumps(STATEMENT, indent=2),
    )
    assert '"Sid": "NewKey"' in move_details.copied(of(PlanSection.PERMISSIONS), PLAN, {})[1]
    for section, number in ((PlanSection.OBSTACLES, 0), (PlanSection.GAPS, 0), (PlanSection.NOTES, 0)):
        assert move_details.copied(of(section, number), PLAN, {}) == ("", "")


def test_no_alias_is_repointed_to_another_account() -> None:
    plan = replace(PLAN, new=key(NEW_ID, "444455556666"))
    assert move_details.copied(of(PlanSection.ALIASES), plan, {}) == ("", "")
    assert "make aliases in the new key's account" in move_details.whole_text(
        of(PlanSection.ALIASES), plan, {}
    )
    assert "of account 444455556666" in move_head.head(plan, {}, 160).plain


def test_the_head_counts_and_says_what_the_plan_lacks() -> None:
    names = {arn_of(OLD_ID): "orders", arn_of(NEW_ID): "next\x1b"}
    assert move_head.head(PLAN, names, 80).plain.splitlines() == [
        "orders  →  next␛",
        "6 resources name it: 3 in place · 1 by copy · 1 impossible · 1 not planned",
        "✗ 2 things in the way, first · ? not whole: 2 not checked",
    ]
    assert f"orders {OLD_ID}  →" in move_head.head(PLAN, names, 160).plain
    assert move_head.head(replace(WHOLE, new=None), {}, 80).plain.splitlines() == [
        f"{OLD_ID}  →  a new key made like it",
        "Nothing that was checked names this key.",
    ]


def test_every_word_of_the_filter_is_wanted() -> None:
    def found(*words: str) -> list[str]:
        shown = [item for item in ITEMS if move_words.matches(item, words, {ACCOUNT: "payments"})]
        return [move_details.title(item) for item in shown]

    assert found("by copy", "vol") == ["EBS volumes: vol-1"]
    assert found("role/app") == ["Grant for role/app"]
    assert len(found("payments", "sqs")) == 2
    assert found("nothing", "such") == []


def test_progress_counts_kinds_and_names_the_current_one() -> None:
    begun = move_head.progress(PlanningProgress(), "orders", 1).plain
    assert "Looking at both keys…" in begun
    text = move_head.progress(PlanningProgress(30, 120, "EBS volumes"), "orders\x1b", 3).plain
    assert "30 of 120 kinds of 3 accounts" in text
    assert "Now: EBS volumes" in text
    assert "esc stops it" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    "error", [PlanningStoppedError("Stopped."), KmsTuiError("Denied.", next_step="Ask for it.")]
)
def test_without_a_plan_it_says_why_and_what_to_do(error: KmsTuiError) -> None:
    text = move_head.failed(error, "orders").plain
    assert str(error) in text
    assert error.next_step in text
    assert "r plans again" in text
