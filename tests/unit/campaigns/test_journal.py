"""The journal: what it keeps, what a killed program leaves of it, and files that are none."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kms_tui.atomic import NoRoomError
from kms_tui.campaigns.campaign import (
    ALIASES,
    GRANTS,
    KINDS,
    Campaign,
    CampaignHead,
    CampaignItem,
    ItemRecord,
    ItemState,
)
from kms_tui.campaigns.campaign_formats import WRITERS, head_in_words
from kms_tui.campaigns.journal import CampaignFiles, JournalError, campaign_files, read_journal
from kms_tui.evidence.scan_task import Use
from kms_tui.key_moves.move import MoveStep
from kms_tui.key_moves.move_table import MOVES
from kms_tui.kms.operations import SERVICE_WRITES
from tests.unit.campaigns.services import ACCOUNT, NEW, OLD, REGION

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
_HOSTILE = "a\x1b[31m|b\n\ud800"
_ITEMS = [
    CampaignItem(
        ACCOUNT, REGION, Use(GRANTS, "g1", OLD), {"GranteePrincipal": "arn", "Operations": ["Decrypt"]}
    ),
    CampaignItem(ACCOUNT, REGION, Use("SSM SecureStrings", _HOSTILE, OLD, "label", "purpose")),
    CampaignItem(ACCOUNT, REGION, Use(ALIASES, "alias/orders", OLD)),
]


def _begun(files: CampaignFiles) -> Path:
    head = CampaignHead("c1", NOW, OLD, "", frozenset({OLD, "alias/orders"}), ("RDS instances: 1",))
    with files.begin(head, _ITEMS[:2]) as journal:
        journal.made(NEW, NOW)
        journal.add(_ITEMS[2:])
        journal.command(1, "aws ssm put-parameter", NOW)
        journal.state(1, ItemState.MOVED, NOW, _HOSTILE)
        journal.state(0, ItemState.FAILED, NOW, "denied")
        journal.note("The run ended.", NOW)
        return journal.path


@pytest.fixture
def files(tmp_path: Path) -> CampaignFiles:
    return CampaignFiles(tmp_path)


def test_what_is_written_is_read_again(files: CampaignFiles) -> None:
    path = _begun(files)
    campaign = read_journal(path, OLD)
    assert campaign.items == _ITEMS
    assert campaign.records == [
        ItemRecord(ItemState.FAILED, NOW, "denied"),
        ItemRecord(ItemState.MOVED, NOW, _HOSTILE, ("aws ssm put-parameter",)),
        ItemRecord(),
    ]
    assert (campaign.head.new, campaign.head.left) == (NEW, ("RDS instances: 1",))
    assert (campaign.open_items, campaign.is_finished, campaign.first_write) == ([0, 2], False, NOW)
    assert (
        campaign.missing([*_ITEMS, CampaignItem("9" * 12, REGION, Use("x", "y", OLD))])[0].account == "9" * 12
    )


@contextmanager
def _room_for(size: int) -> Iterator[None]:
    """No file can grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_line_that_finds_no_room_leaves_no_part_of_itself(files: CampaignFiles) -> None:
    path = _begun(files)
    whole = path.read_bytes()
    with files.resume(OLD) as journal:
        with _room_for(len(whole) + 20), pytest.raises(NoRoomError):
            journal.command(2, "aws kms update-alias", NOW)
        assert (path.read_bytes(), journal.campaign.records[2].commands) == (whole, ())
        journal.note("there is room again", NOW)
    assert [note.words for note in read_journal(path, OLD).notes] == ["The run ended.", "there is room again"]


@pytest.mark.parametrize("cut", [1, 30, 60])
def test_a_line_that_was_cut_off_counts_as_never_written(files: CampaignFiles, cut: int) -> None:
    path = _begun(files)
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    assert read_journal(path, OLD).notes == []
    with files.resume(OLD) as journal:
        journal.note("again", NOW)
    notes = read_journal(path, OLD).notes
    assert [note.words for note in notes] == ["again"]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "{}",
        '{"item": 7, "state": "moved", "words": "", "at": "2026-11-30T12:00:00+00:00"}',
        '{"item": 0, "state": "lost", "words": "", "at": "2026-11-30T12:00:00+00:00"}',
        '{"item": 0, "state": "moved", "words": 1, "at": "2026-11-30T12:00:00+00:00"}',
        '{"item": 0, "state": "moved", "words": "", "at": "2026-11-30"}',
        '{"items": [{"account": 1}]}',
        '{"items": 5}',
    ],
)
def test_a_line_that_is_none_is_named(files: CampaignFiles, line: str) -> None:
    path = _begun(files)
    count = path.read_bytes().count(b"\n")
    path.write_bytes(path.read_bytes() + line.encode() + b"\n")
    with pytest.raises(JournalError, match=f"line {count + 1}, is no line of a journal"):
        files.newest(OLD)
    with pytest.raises(JournalError):
        files.resume(OLD)
    path.unlink()
    assert files.newest(OLD) is None  # the lock was released
    with pytest.raises(JournalError, match="There is no campaign"):
        files.resume(OLD)


def test_a_journal_of_another_key_or_version_is_refused(files: CampaignFiles) -> None:
    path = _begun(files)
    with pytest.raises(JournalError, match=f"is of another key, {OLD}"):
        read_journal(path, NEW)
    path.write_bytes(path.read_bytes().replace(b'{"kms_tui_campaign":1', b'{"kms_tui_campaign":2'))
    with pytest.raises(JournalError, match="line 1, is no line"):
        read_journal(path, OLD)
    path.write_bytes(b"")
    with pytest.raises(JournalError, match="it has no line"):
        read_journal(path, OLD)


def test_each_form_tells_the_same_and_hides_nothing(files: CampaignFiles) -> None:
    campaign = read_journal(_begun(files), OLD)
    assert head_in_words(campaign) == (
        f"From {OLD} to {NEW}, begun 2026-11-30 12:00:00 UTC: 1 waiting, 1 moved, 1 failed."
    )
    table, markdown, document = (WRITERS[name](campaign) for name in ("table", "md", "json"))
    for text in (table, markdown):
        assert "a␛" in text
        assert "\x1b" not in text
        assert "RDS instances: 1" in text
    shape = json.loads(document)
    assert [each["state"] for each in shape["items"]] == ["failed", "moved", "waiting"]
    assert shape["items"][1]["resource"] == _HOSTILE
    assert shape["items"][1]["commands"] == ["aws ssm put-parameter"]
    assert not shape["finished"]


def test_a_campaign_that_was_given_up_is_finished(files: CampaignFiles) -> None:
    path = _begun(files)
    with files.resume(OLD) as journal:
        journal.give_up(NOW)
    campaign = read_journal(path, OLD)
    assert campaign.is_finished
    assert "given up: 1 waiting" in head_in_words(campaign)


def test_the_journals_of_a_demo_do_not_stay() -> None:
    assert campaign_files(kept=False).root != campaign_files(kept=True).root


def test_the_kinds_are_those_whose_writes_are_in_the_table() -> None:
    assert KINDS == (
        GRANTS,
        "S3 buckets",
        "DynamoDB tables",
        "Secrets Manager secrets",
        "SSM SecureStrings",
        "Lambda functions",
        "SQS queues",
        "SNS topics",
        "CloudWatch log groups",
        "Kinesis streams",
        ALIASES,
    )
    written = {
        (step.call.service, step.call.operation)
        for move in MOVES
        if move.kind in KINDS
        for step in move.steps
        if isinstance(step, MoveStep) and step.done
    }
    listed = {(service, each) for service, names in SERVICE_WRITES.items() for each in names}
    assert written == {pair for pair in listed if pair[0] != "s3control"}


def test_an_empty_campaign_says_so() -> None:
    head = CampaignHead("c1", NOW, OLD, NEW, frozenset())
    assert head_in_words(Campaign(head, [], [])).endswith("nothing to move.")


_THIRD = OLD.replace("1111-1111", "3333-3333")


def _campaigns_of(files: CampaignFiles, arn: str) -> list[str]:
    return [campaign.head.old for campaign in files.unfinished(frozenset({arn}))]


def test_an_unfinished_campaign_is_found_by_either_of_its_keys(files: CampaignFiles) -> None:
    assert _campaigns_of(files, OLD) == []
    _begun(files)
    files.begin(CampaignHead("c2", NOW, _THIRD, OLD, frozenset({_THIRD})), _ITEMS[:1]).close()
    assert _campaigns_of(files, NEW) == [OLD], "named by a later line than the first"
    assert _campaigns_of(files, _THIRD) == [_THIRD]
    assert sorted(_campaigns_of(files, OLD)) == sorted([OLD, _THIRD])
    assert _campaigns_of(files, "arn:aws:kms:eu-west-1:111122223333:key/none") == []
    with files.resume(OLD) as journal:
        journal.give_up(NOW)
    assert _campaigns_of(files, NEW) == []


def test_only_the_journal_of_the_key_itself_must_be_readable(files: CampaignFiles) -> None:
    _begun(files).write_text("{}\n")
    (files.folder(_THIRD)).mkdir()
    (files.root / "stray").write_text("")
    assert _campaigns_of(files, NEW) == []
    with pytest.raises(JournalError, match="line 1, is no line of a journal"):
        _campaigns_of(files, OLD)
