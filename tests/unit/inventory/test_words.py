"""What a row says: a healthy key says nothing, every other one why and, where it helps, a number."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from kms_tui.inventory import COLUMNS
from kms_tui.inventory import cells as words
from kms_tui.inventory.cells import Cell, Look
from kms_tui.inventory.row import Row
from kms_tui.kms.errors import EndpointError
from kms_tui.kms.facts import LOADING, Denied, Failed, Known
from kms_tui.kms.model import Key, KeyLastUsage, KeyRotationStatus
from tests.unit.inventory.world import NOW, FakeAccount, FakeKey, denied, key_id


def row(*aliases: str, rotation: Any = None, **metadata: Any) -> Row:
    """A row of a described key."""
    account = FakeAccount([FakeKey(key_id(1), aliases, metadata)])
    made = Row(account.arn(key_id(1)), key_id(1), "eu-west-1", aliases)
    shape = account.call("DescribeKey", {"KeyId": key_id(1)})["KeyMetadata"]
    made.described = Known(Key.from_api(shape))
    if rotation is not None:
        made.rotation = rotation
    made.derive(NOW)
    return made


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({}, ""),
        ({"KeyState": "Disabled"}, "disabled"),
        (
            {"KeyState": "PendingDeletion", "DeletionDate": NOW + timedelta(days=12, hours=3)},
            "deleted in 12 d",
        ),
        ({"KeyState": "PendingDeletion", "DeletionDate": NOW + timedelta(hours=5)}, "deleted in 5 h"),
        ({"KeyState": "PendingDeletion", "DeletionDate": NOW - timedelta(hours=1)}, "being deleted"),
        ({"KeyState": "PendingDeletion"}, "pending deletion"),
        ({"KeyState": "PendingReplicaDeletion"}, "deleted after its replicas"),
        ({"KeyState": "PendingImport"}, "awaiting key material"),
        ({"KeyState": "Unavailable"}, "custom key store offline"),
        ({"KeyState": "Creating"}, "creating"),
        ({"Origin": "EXTERNAL", "ValidTo": NOW + timedelta(days=9, hours=1)}, "material expires in 9 d"),
        ({"Origin": "EXTERNAL", "ValidTo": NOW + timedelta(days=31)}, ""),
        ({"Origin": "EXTERNAL", "ValidTo": NOW - timedelta(days=1)}, "material expired"),
        ({"KeyState": "Disabled", "ValidTo": NOW + timedelta(days=9, hours=1)}, "material expires in 9 d"),
    ],
)
def test_attention_says_the_most_urgent_cause(metadata: dict[str, Any], said: str) -> None:
    on = Known(KeyRotationStatus(enabled=True))
    assert words.attention(row("orders", rotation=on, **metadata), NOW).text == said


def test_attention_is_blank_only_where_nothing_more_is_to_be_learnt() -> None:
    unread = Row("arn", key_id(1), "eu-west-1")
    assert words.attention(unread, NOW).look is Look.UNASKED
    assert words.attention(row("orders"), NOW).look is Look.UNASKED
    assert words.attention(row("orders", rotation=LOADING), NOW).look is Look.LOADING
    assert words.attention(row("orders", KeySpec="RSA_2048"), NOW).text == ""


def test_rotation_off_needs_attention_but_is_the_least_of_it() -> None:
    off = Known(KeyRotationStatus(enabled=False))
    assert words.attention(row("orders", rotation=off), NOW) == Cell("rotation off", Look.WARNING)
    assert words.attention(row("orders", rotation=off, KeyState="Disabled"), NOW).text == "disabled"


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
    unread.derive(NOW)
    assert words.attention(unread, NOW).text == said


def test_a_denied_rotation_is_never_off() -> None:
    refused = row("orders", rotation=Denied(denied("GetKeyRotationStatus")))
    assert words.rotation(refused) == Cell("denied", Look.DENIED)
    assert words.attention(refused, NOW).text == ""


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
    assert words.attention(newer, NOW).text == ""


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
