"""Who still uses a key: uses alone, by caller and context, read to the end or said not to be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from kms_tui.campaigns.later_uses import LaterUse, later_uses, told_since
from kms_tui.evidence.activity import Trail
from tests.unit.evidence.trail import KEY, NOW, REGION, FakeTrail, entry

_SINCE = NOW - timedelta(hours=2)


def test_uses_are_grouped_by_caller_operation_and_context_the_latest_first() -> None:
    trail = FakeTrail(
        [
            entry("1", minutes_ago=5, context={"table": "orders"}),
            entry("2", minutes_ago=9, context={"table": "orders"}, error="DisabledException"),
            entry("3", minutes_ago=2, context={"table": "crm"}),
            entry("4", "DescribeKey"),
            entry("5", "DisableKey"),
            entry("6", "Encrypt", error="DryRunOperationException"),
            entry("7", "GenerateDataKey", who="s3", minutes_ago=60),
            entry("8", minutes_ago=200),
        ]
    )
    found = later_uses(Trail(trail, is_live=True), KEY, REGION, _SINCE, NOW)
    assert found.is_complete
    assert [(use.who, use.operation, use.context, use.count, use.refused) for use in found.uses] == [
        ("app", "Decrypt", (("table", "crm"),), 1, 0),
        ("app", "Decrypt", (("table", "orders"),), 2, 1),
        ("s3", "GenerateDataKey", (), 1, 0),
    ]
    assert [use.last for use in found.uses][1] == NOW - timedelta(minutes=5)
    assert found.is_seen_until(NOW) == NOW - timedelta(minutes=15)
    assert found.is_seen_until(_SINCE) == _SINCE


def test_what_was_not_read_to_the_end_says_so() -> None:
    trail = FakeTrail([entry(str(number), minutes_ago=1) for number in range(120)])
    asked = iter([True, True, False, False])
    found = later_uses(Trail(trail, is_live=True), KEY, REGION, _SINCE, NOW, lambda: next(asked))
    assert not found.is_complete
    (use,) = found.uses
    assert isinstance(use, LaterUse)
    assert use.count < 120


def test_uses_are_told_for_ninety_days_by_cloudtrail() -> None:
    now, long_ago = datetime(2026, 11, 30, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    assert told_since(long_ago, now, is_live=True) == long_ago
    assert told_since(long_ago, now, is_live=False) == datetime(2026, 9, 1, tzinfo=UTC)
    assert told_since(now, now, is_live=False) == now
