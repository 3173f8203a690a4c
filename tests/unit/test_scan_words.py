"""A scan in words: what was not looked at is said with its reason, and never as nothing there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kms_tui.evidence.references import KeyNames
from kms_tui.evidence.scan_shortfalls import name_gaps, shortfall_words, use_words
from kms_tui.evidence.scan_task import FailedCall, Section, Use
from kms_tui.evidence.scans import Scan
from kms_tui.kms.facts import Denied, Failed, Known
from kms_tui.ui.details.scan_words import progress_words, scanned_words, unchecked_words, used_by_content
from tests.unit.evidence.world import ACCOUNT, REGION, denied, throttled

_KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
_NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
_NAMES = KeyNames(ACCOUNT, REGION, Known(frozenset({_KEY})), Known({}))


def section(title: str = "EBS volumes", *uses: Use, **members: object) -> Section:
    whole: dict[str, object] = {"listed": 5, "checked": 5, "calls": 2, "is_whole_list": True, "is_over": True}
    return Section(title, uses, **{**whole, **members})  # type: ignore[arg-type]


def scan(*sections: Section, names: KeyNames = _NAMES, cancelled: bool = False) -> Scan:
    started, took = _NOW - timedelta(minutes=26), timedelta(seconds=3.14)
    return Scan.of(REGION, started, took, sections, names, is_cancelled=cancelled)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            section(
                listed=0,
                checked=0,
                failed_calls=(FailedCall("", denied("DescribeVolumes")),),
                is_whole_list=False,
            ),
            "denied: you may not call DescribeVolumes",
        ),
        (
            section(failed_calls=(FailedCall("", throttled("DescribeVolumes")),), is_whole_list=False),
            "only 5 checked, then ThrottlingException: Rate exceeded",
        ),
        (
            section(checked=4, failed_calls=(FailedCall("a", denied("GetX")),)),
            "1 of 5 not checked (a): denied: you may not call GetX",
        ),
        (
            section(
                checked=1, failed_calls=(FailedCall("a", denied("GetX")), FailedCall("b", denied("GetX")))
            ),
            "4 of 5 not checked (a and others): denied: you may not call GetX",
        ),
    ],
)
def test_a_shortfall_says_how_much_and_why(found: Section, words: str) -> None:
    assert shortfall_words(found, scan(found)) == words
    assert unchecked_words(scan(found)) == "1 kind not checked whole: EBS volumes"
    assert progress_words(found) == "not checked"


def test_what_a_cancelled_scan_did_not_get_to_was_cancelled() -> None:
    found = scan(section(is_over=False, checked=2), cancelled=True)
    assert shortfall_words(found.sections[0], found) == "cancelled"
    assert "cancelled after 3.1 s" in scanned_words(found, _NOW)


def test_the_time_has_its_day_once_that_is_another() -> None:
    started = scan().started.astimezone()
    assert scanned_words(scan(), scan().started) == f"scanned {started:%H:%M}, 3.1 s"
    later = scanned_words(scan(), _NOW + timedelta(days=2))
    assert later == f"scanned {started:%Y-%m-%d %H:%M}, 3.1 s"


def test_nothing_found_is_nothing_that_was_checked_and_says_what_was_not() -> None:
    found = scan(section(), section("SNS topics", checked=0, failed_calls=(FailedCall("t", denied("GetX")),)))
    words = used_by_content(found, _KEY, _NOW, width=54).plain
    assert "nothing that was checked names it" in words
    assert "1 kind not checked whole: SNS topics" in words


def test_what_was_found_is_counted_by_kind() -> None:
    uses = [Use("EBS volumes", f"v{number}", _KEY) for number in range(3)]
    found = scan(section("EBS volumes", *uses), section("SNS topics", Use("SNS topics", "t", _KEY)))
    words = used_by_content(found, _KEY, _NOW, width=54).plain
    assert words.splitlines()[0] == "4 resources: EBS volumes 3, SNS topics 1"
    assert "not checked" not in words


def test_lists_of_kms_that_were_refused_are_gaps_too() -> None:
    names = KeyNames(ACCOUNT, REGION, Failed(throttled("ListKeys")), Denied(denied("ListAliases")))
    gaps = dict(name_gaps(scan(names=names)))
    assert gaps["Aliases"].startswith("denied: you may not call ListAliases")
    assert gaps["Keys"].startswith("ThrottlingException")
    assert "Aliases: denied" in used_by_content(scan(names=names), _KEY, _NOW, width=54).plain
    assert not list(name_gaps(scan()))


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (Use("k", "r", _KEY), ""),
        (Use("k", "r", _KEY, label="orders", purpose="storage"), "orders, storage"),
        (Use("k", "r", "alias/x"), "as alias/x"),
        (
            Use("k", "r", "alias/aws/s3", purpose="default encryption", by_default=True),
            "default encryption, by default",
        ),
    ],
)
def test_a_use_says_what_for_and_under_which_name(use: Use, words: str) -> None:
    assert use_words(use) == words


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (section(is_over=False, calls=0, listed=0, checked=0), "waits"),
        (section(is_over=False, calls=1, listed=0, checked=0), "listing…"),
        (section(is_over=False, checked=2), "2 of 5"),
        (section(), "5 checked"),
    ],
)
def test_progress_is_told_in_numbers_as_soon_as_there_are_any(found: Section, words: str) -> None:
    assert progress_words(found) == words
