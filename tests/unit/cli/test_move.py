"""``kms-tui move`` on the demo: previewed, refused, carried out, resumed, told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kms_tui.campaigns.campaign import CampaignHead, CampaignItem, ItemState
from kms_tui.campaigns.journal import CampaignFiles
from kms_tui.cli.connection import open_backend
from kms_tui.demo import demo_backend
from kms_tui.demo.demo_account import ACCOUNT_ID, REGION
from kms_tui.evidence.scan_task import Use
from kms_tui.session import utc_now
from tests.unit.cli.conftest import Run

_TO = ("move", "alias/orders-db", "--to", "alias/secrets", "--demo")
_WRITES = "--allow-service-writes"


@pytest.fixture(autouse=True)
def files(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CampaignFiles:
    monkeypatch.setattr("kms_tui.cli.connection.open_backend", open_backend)
    monkeypatch.setattr("kms_tui.campaigns.journal.passing_root", lambda: tmp_path / "passing")
    return CampaignFiles(tmp_path / "passing" / "campaigns")


def _arn(alias: str) -> str:
    answer = demo_backend().call("DescribeKey", {"KeyId": f"alias/{alias}"})
    return str(answer["KeyMetadata"]["Arn"])


def _unfinished(files: CampaignFiles, new: str) -> str:
    """A campaign of which one queue is still to be moved."""
    old = _arn("orders-db")
    head = CampaignHead("c1", utc_now(), old, new, frozenset({old, "alias/orders-db"}))
    item = CampaignItem(ACCOUNT_ID, REGION, Use("SQS queues", "order-events-dead", "alias/orders-db"))
    files.begin(head, [item]).close()
    return old


def test_a_dry_run_prints_the_whole_commands_and_sends_none(run: Run, files: CampaignFiles) -> None:
    ended = run(*_TO, "--dry-run", "--read-only")
    text = ended.out.decode()
    assert ended.code == 0
    assert "aws s3api put-bucket-encryption --bucket acme-orders-snapshots" in text
    assert f'"KMSMasterKeyID": "{_arn("secrets")}"' in text
    assert "RDS instances: 2, by copy" in text
    assert files.newest(_arn("orders-db")) is None


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ((), "Writes to other services than KMS are not allowed in 111122223333."),
        (("--only", "KMS grants"), "Writes to other services than KMS are not allowed in 111122223333."),
        (("--read-only", _WRITES), "Start kms-tui without --read-only, and without read_only in its"),
        (("--only", "RDS instances", _WRITES), "--only: 'RDS instances' is none of: KMS grants, S3 buckets"),
        (("--regions", "eu-west-1", _WRITES), "a key is used in its own Region"),
    ],
)
def test_what_may_not_be_written_is_refused_before_anything_is(
    run: Run, files: CampaignFiles, flags: tuple[str, ...], said: str
) -> None:
    ended = run(*_TO, "--yes", *flags)
    assert ended.code == 2
    assert said in ended.err
    assert files.newest(_arn("orders-db")) is None


def test_a_name_without_alias_is_told_how_an_alias_begins(run: Run) -> None:
    ended = run("move", "orders-db", "--to", "alias/warehouse", "--demo", "--dry-run")
    assert ended.code == 2
    assert "check Region and name (an alias begins with alias/)" in ended.err


def test_no_key_is_made_where_nothing_may_be_written(run: Run, files: CampaignFiles) -> None:
    for flags in ((), ("--read-only", _WRITES)):
        ended = run(
            "move", "alias/orders-db", "--to", "new", "--demo", "--yes", "--only", "KMS grants", *flags
        )
        assert (ended.code, ended.out) == (2, b"")
        assert files.newest(_arn("orders-db")) is None


def test_the_commands_for_a_key_that_is_still_to_be_made_never_name_the_old_one(run: Run) -> None:
    ended = run("move", "alias/orders-db", "--to", "new", "--demo", "--dry-run")
    lines = [line for line in ended.out.decode().splitlines() if line.startswith("aws ")]
    assert lines[0].startswith("aws kms create-key ")
    assert lines[1].startswith("aws kms enable-key-rotation --key-id arn:aws:kms:")
    assert all(":key/NEW_KEY" in line and _arn("orders-db") not in line for line in lines[1:])


def test_without_a_terminal_it_wants_to_be_told_yes(run: Run, files: CampaignFiles) -> None:
    ended = run(*_TO, _WRITES)
    assert (ended.code, "there is no terminal to ask on: add --yes" in ended.err) == (2, True)
    assert files.newest(_arn("orders-db")) is None


def test_what_is_in_the_way_is_said_and_nothing_is_written(run: Run, files: CampaignFiles) -> None:
    to = ("move", "alias/orders-db", "--to", "alias/chat-archive", "--demo", "--yes", _WRITES)
    ended = run(*to)
    assert (ended.code, "In the way: " in ended.err, "Nothing was written." in ended.err) == (2, True, True)
    assert files.newest(_arn("orders-db")) is None


def test_it_is_carried_out_and_told(run: Run, files: CampaignFiles, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[accounts.111122223333]\nallow_service_writes = true\n")
    ended = run(*_TO, "--yes", "--repoint-aliases")
    assert (ended.code, ended.err) == (0, "")
    assert ": 8 moved.\nThe old key is still needed" in ended.out.decode()
    old = _arn("orders-db")
    assert run("move", old, "--demo", "--status").out.decode().count("The run ended.") == 1
    shape = json.loads(run("move", old, "--demo", "--status", "--format", "json").out)
    assert shape["finished"]
    assert shape["items"][-1]["commands"][0].startswith("aws kms update-alias --alias-name alias/orders-db")
    ended = run("move", old, "--demo", "--status", "--format", "md", "-o", "evidence.md")
    assert ended.out.decode().startswith("From ")
    assert "| moved |" in Path("evidence.md").read_text()
    # Without --to, what is finished is shown.
    assert b": 8 moved." in run("move", old, "--demo").out


def test_an_unfinished_campaign_goes_on(run: Run, files: CampaignFiles) -> None:
    old = _unfinished(files, _arn("secrets"))
    other = run("move", old, "--to", "alias/ledger", "--demo", _WRITES, "--yes")
    assert other.code == 2
    assert run("move", old, "--demo", "--status").code == 1
    with files.resume(old):  # a preview neither waits for the journal nor writes it
        dry = run("move", old, "--demo", "--dry-run")
    assert b"aws sqs set-queue-attributes" in dry.out
    for flags in (("--repoint-aliases",), ("--only", "SNS topics")):
        refused = run("move", old, "--demo", _WRITES, "--yes", *flags)
        assert (refused.code, f"{flags[0]}: the unfinished campaign" in refused.err) == (2, True)
    assert run("move", old, "--demo", "--yes").code == 2
    ended = run("move", old, "--demo", _WRITES, "--yes")
    assert (ended.code, ended.out.decode().count("1 moved.")) == (0, 1)
    assert "A run begins, with 1 item to do." in run("move", old, "--demo", "--status").out.decode()
    campaign = files.newest(old)
    assert campaign is not None
    assert campaign.records[0].state is ItemState.MOVED


def test_a_campaign_whose_key_was_perhaps_made_wants_to_be_told_which(run: Run, files: CampaignFiles) -> None:
    old = _unfinished(files, "")
    with files.resume(old) as journal:
        journal.note("A key like the old one is being made.", utc_now())
    ended = run("move", old, "--demo", _WRITES, "--yes")
    assert ended.code == 2
    assert "One may have been made all the same" in ended.err
    assert run("move", old, "--to", "alias/secrets", "--demo", _WRITES, "--yes").code == 0


def test_a_campaign_is_given_up(run: Run, files: CampaignFiles) -> None:
    old = _unfinished(files, _arn("secrets"))
    assert b"given up: 1 waiting" in run("move", old, "--demo", "--give-up").out
    campaign = files.newest(old)
    assert campaign is not None
    assert campaign.is_finished


def test_a_key_is_made_like_the_old_one(run: Run, files: CampaignFiles) -> None:
    ended = run("move", "alias/orders-db", "--to", "new", "--demo", "--yes", _WRITES)
    assert (ended.code, ended.err) == (0, "")
    campaign = files.newest(_arn("orders-db"))
    assert campaign is not None
    assert f"Made {campaign.head.new}." in ended.out.decode()
    assert [record.state for record in campaign.records] == [ItemState.MOVED] * 6


def test_without_a_campaign_there_is_nothing_to_tell(run: Run) -> None:
    old = _arn("orders-db")
    ended = run("move", old, "--status")
    assert (ended.code, ended.err) == (2, f"There is no campaign of {old}.\n")
    assert run("move", old, "--demo").code == 2
    assert run("move", old, "--demo", "--give-up").code == 2


def test_who_still_uses_the_key_is_told(run: Run, files: CampaignFiles) -> None:
    old = _unfinished(files, _arn("secrets"))
    ended = run("move", old, "--demo", "--later-uses")
    assert ended.code == 0
    assert ended.err.startswith("No use of the key since ")
    assert run("move", _arn("secrets"), "--demo", "--later-uses").code == 2
    campaign = files.newest(old)
    assert campaign is not None
    path = files.newest_path(old)
    assert path is not None
    begun = campaign.head.begun.isoformat()
    path.write_text(path.read_text().replace(begun, "2020-01-01T00:00:00+00:00"))
    ended = run("move", old, "--demo", "--later-uses")
    assert ended.code == 1
    assert "Decrypt" in ended.out.decode()
