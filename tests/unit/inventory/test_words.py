"""What a row says: a healthy key says nothing, every other one why and, where it helps, a number."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from kms_tui.evidence.health.checks import CHECKS
from kms_tui.evidence.health.examined import Since
from kms_tui.evidence.health.row_judge import RowJudge
from kms_tui.inventory import COLUMNS
from kms_tui.inventory import cells as words
from kms_tui.inventory.cells import Cell, Look
from kms_tui.inventory.row import FactName, Row
from kms_tui.inventory.row_health import FINDING_WORDS
from kms_tui.kms.errors import EndpointError
from kms_tui.kms.facts import LOADING, Denied, Failed, Known
from kms_tui.kms.model import Key, KeyLastUsage, KeyRotationStatus
from tests.unit.inventory.world import NOW, FakeAccount, FakeKey, denied, key_id

ON, OFF = Known(KeyRotationStatus(enabled=True)), Known(KeyRotationStatus(enabled=False))


def _policy(**members: Any) -> Known[str]:
    statement = {
        "Sid": "root",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return Known(json.dumps({"Version": "2012-10-17", "Statement": [statement | members]}))


SAFE = _policy()
PUBLIC = _policy(Principal="*")


def row(*aliases: str, rotation: Any = None, policy: Any = None, **metadata: Any) -> Row:
    """A row of a described key, of which all aliases are known."""
    account = FakeAccount([FakeKey(key_id(1), aliases, metadata)])
    made = Row(account.arn(key_id(1)), key_id(1), "eu-west-1", aliases, aliases_known=True)
    shape = account.call("DescribeKey", {"KeyId": key_id(1)})["KeyMetadata"]
    made.described = Known(Key.from_api(shape))
    if rotation is not None:
        made.rotation = rotation
    if policy is not None:
        made.policy = policy
    made.derive(NOW, RowJudge())
    return made


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({}, ""),
        ({"KeyState": "Disabled"}, "disabled"),
        ({"KeyState": "Creating"}, "creating"),
        (
            {"KeyState": "PendingDeletion", "DeletionDate": NOW + timedelta(days=12, hours=3)},
            "▲ deleted in 12 d",
        ),
        ({"KeyState": "PendingDeletion", "DeletionDate": NOW + timedelta(hours=5)}, "▲ deleted in 5 h"),
        ({"KeyState": "PendingDeletion", "DeletionDate": NOW - timedelta(hours=1)}, "▲ being deleted"),
        ({"KeyState": "PendingDeletion"}, "▲ pending deletion"),
        ({"KeyState": "PendingReplicaDeletion"}, "▲ pending deletion"),
        ({"KeyState": "PendingImport", "Origin": "EXTERNAL"}, "▲ key material missing"),
        (
            {"KeyState": "Unavailable", "Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": "cks-1"},
            "▲ key store offline",
        ),
        ({"Origin": "EXTERNAL", "ValidTo": NOW + timedelta(days=9, hours=1)}, "◆ expires in 9 d"),
        ({"Origin": "EXTERNAL", "ValidTo": NOW + timedelta(days=31)}, ""),
        ({"Origin": "EXTERNAL", "ValidTo": NOW - timedelta(days=1)}, "▲ key material missing"),
    ],
)
def test_attention_says_what_health_finds(metadata: dict[str, Any], said: str) -> None:
    assert words.attention(row("orders", rotation=ON, policy=SAFE, **metadata), NOW).text == said


def test_attention_says_the_worst_and_the_number_of_the_others() -> None:
    found = words.attention(row(rotation=OFF, policy=PUBLIC), NOW)
    assert found == Cell("▲ anyone may use it +2", Look.DANGER)
    assert words.attention(row(rotation=OFF, policy=SAFE), NOW) == Cell("◆ rotation off +1", Look.WARNING)
    assert words.attention(row(rotation=ON, policy=SAFE), NOW) == Cell("▽ no alias", Look.PLAIN)


def test_a_finding_is_said_before_all_is_read() -> None:
    assert words.attention(row("orders", rotation=OFF), NOW).text == "◆ rotation off"
    assert not row("orders", rotation=OFF).row_class.is_read


def test_attention_is_blank_only_where_nothing_more_is_to_be_learnt() -> None:
    unread = Row("arn", key_id(1), "eu-west-1")
    assert words.attention(unread, NOW) == Cell("not read", Look.UNASKED)
    assert words.attention(row("orders", policy=SAFE), NOW) == Cell("not read", Look.UNASKED)
    assert words.attention(row("orders", rotation=ON), NOW) == Cell("not read", Look.UNASKED)
    assert words.attention(row("orders", rotation=LOADING, policy=SAFE), NOW).look is Look.LOADING
    assert words.attention(row("orders", policy=SAFE, KeySpec="RSA_2048"), NOW).text == ""


def test_no_alias_is_a_finding_once_all_aliases_were_listed() -> None:
    made = row(rotation=ON, policy=SAFE)
    made.aliases_known = False
    made.derive(NOW, RowJudge())
    assert made.health.findings == ()


def test_a_policy_that_cannot_be_judged_is_said_so() -> None:
    made = row("orders", rotation=ON, policy=Known("no policy"))
    assert words.attention(made, NOW).text != ""


def test_what_only_an_examination_reads_counts_once_it_is_there() -> None:
    made = row("orders", rotation=ON, policy=SAFE, KeyState="Disabled")
    assert made.row_class.is_read
    made.disabled_since = Known(Since(NOW - timedelta(days=40)))
    made.derive(NOW, RowJudge())
    assert words.attention(made, NOW).text == "▽ disabled for long"


def test_a_required_tag_is_read_and_missed() -> None:
    judge = RowJudge(("team",))
    made = row("orders", rotation=ON, policy=SAFE)
    made.derive(NOW, judge)
    assert FactName.TAGS in judge.reads
    assert words.attention(made, NOW).text == "not read"
    made.tags = Known(())
    made.derive(NOW, judge)
    assert words.attention(made, NOW).text == "▽ tags missing"


def test_refused_uses_stand_beside_the_state() -> None:
    made = row("orders", KeyState="Disabled")
    assert words.state(made) == Cell("disabled", Look.PLAIN)
    made.refused = 3
    assert words.state(made) == Cell("disabled, 3 refused", Look.DANGER)


def test_the_words_of_findings_are_those_of_the_checks_in_their_order() -> None:
    assert list(FINDING_WORDS) == [check.id for check in CHECKS]


def test_each_state_of_a_fact_looks_and_reads_differently() -> None:
    unread = Row("arn", key_id(1), "eu-west-1")
    cells = [words.spec(unread)]
    for fact in (LOADING, Denied(denied("DescribeKey")), Failed(EndpointError("down"))):
        unread.described = fact
        cells.append(words.spec(unread))
    cells.append(words.rotation(row("orders", KeySpec="RSA_2048")))
    cells.append(words.spec(row("orders")))
    assert [cell.text for cell in cells] == ["·", "?", "denied", "failed", "–", "AES-256"]
    assert len({cell.look for cell in cells}) == 6


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        (Denied(denied("DescribeKey")), "cannot describe: denied"),
        (Failed(EndpointError("x")), "cannot describe: failed"),
    ],
)
def test_a_key_that_cannot_be_described_says_so(fact: Any, said: str) -> None:
    unread = Row("arn", key_id(1), "eu-west-1", ("orders",))
    unread.described = fact
    unread.derive(NOW, RowJudge())
    assert words.attention(unread, NOW).text == said


def test_a_denied_rotation_is_never_off() -> None:
    refused = row("orders", rotation=Denied(denied("GetKeyRotationStatus")), policy=SAFE)
    assert words.rotation(refused) == Cell("denied", Look.DENIED)
    assert words.attention(refused, NOW) == Cell("rotation denied", Look.DENIED)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (KeyRotationStatus(True, 365), "365 d"),
        (KeyRotationStatus(True, 90), "90 d"),
        (KeyRotationStatus(True), "on"),
        (KeyRotationStatus(False), "off"),
    ],
)
def test_rotation_is_its_period(status: KeyRotationStatus, said: str) -> None:
    assert words.rotation(row("orders", rotation=Known(status))).text == said


def test_aws_managed_keys_rotate_yearly_without_being_asked() -> None:
    assert words.rotation(row("aws/s3", KeyManager="AWS")).text == "yearly"


def test_names_are_the_first_alias_or_the_id() -> None:
    named = row("orders", "orders-db", "orders-old")
    assert (words.name(named), words.more_aliases(named)) == ("orders", "+2")
    assert (words.name(row()), words.more_aliases(row())) == (key_id(1), "")


def test_what_a_newer_service_invents_is_shown_as_it_is() -> None:
    newer = row("orders", KeySpec="FUTURE_9", KeyUsage="TELEPORT", KeyState="Dreaming", Origin="ELSEWHERE")
    said = [COLUMNS[name].cell(newer, NOW).text for name in ("spec", "usage", "state", "origin")]
    assert said == ["FUTURE_9", "teleport", "dreaming", "elsewhere"]
    assert words.attention(newer, NOW).text == "not read"


@pytest.mark.parametrize(
    ("usage", "said"),
    [
        (KeyLastUsage("Decrypt", NOW - timedelta(hours=2)), "2 h ago"),
        (KeyLastUsage(tracking_start=NOW - timedelta(days=30)), "not since 2026-05-02"),
        (KeyLastUsage(), "never seen"),
    ],
)
def test_last_use_never_claims_more_than_was_tracked(usage: KeyLastUsage, said: str) -> None:
    used = row("orders")
    used.last_usage = Known(usage)
    assert words.last_used(used, NOW).text == said


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(seconds=5), "1 min"),
        (timedelta(minutes=59), "59 min"),
        (timedelta(hours=25), "1 d"),
        (timedelta(days=400), "400 d"),
        (timedelta(days=800), "2 y"),
    ],
)
def test_spans_are_told_in_their_largest_unit(length: timedelta, said: str) -> None:
    assert words.span(length) == said
