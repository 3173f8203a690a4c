"""Disable and watch: who is refused, since when, and when that ends; offline and at CloudTrail's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from kms_tui.backend.local import LocalBackend, Store, open_store
from kms_tui.backend.wrappers.metering import Meter, Metered
from kms_tui.evidence.activity import Trail
from kms_tui.evidence.refused_uses import RefusalMonitor, Refusals, RefusalWrapper
from kms_tui.kms.errors import ServiceError
from kms_tui.policy import parse
from tests.unit.evidence.trail import ACCOUNT, KEY, NOW, OTHER, REGION, FakeTrail, Time, entry
from tests.unit.local.conftest import TestClock

USE = parse(
    '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}}',
    identity=True,
)


class Account:
    """An offline account: one key, an administrator whose calls are watched, and others who use the key."""

    def __init__(self, store: Store, clock: TestClock) -> None:
        self.store, self.clock = store, clock
        self.admin = LocalBackend(store, account_id=ACCOUNT, region=REGION)
        self.monitor = RefusalMonitor(Trail(self.admin.services, is_live=True), clock)
        self.watched = RefusalWrapper(Metered(self.admin, Meter()), self.monitor, clock)
        metadata = self.admin.call("CreateKey", {})["KeyMetadata"]
        self.key_id, self.arn = metadata["KeyId"], metadata["Arn"]

    def call(self, operation: str, **params: object) -> None:
        self.clock.advance(seconds=1)
        self.watched.call(operation, {"KeyId": self.key_id, **params})

    def use(self, role: str, times: int = 1) -> None:
        """Encrypt as somebody else, from another process for all the watch knows."""
        other = LocalBackend(
            self.store,
            account_id=ACCOUNT,
            region=REGION,
            caller_arn=f"arn:aws:iam::{ACCOUNT}:role/{role}",
            iam_policies=[USE],
        )
        for _ in range(times):
            self.clock.advance(seconds=1)
            try:
                other.call("Encrypt", {"KeyId": self.arn, "Plaintext": b"x"})
            except ServiceError as error:
                assert error.code == "DisabledException"  # noqa: PT017

    def poll(self) -> Refusals | None:
        self.monitor.poll()
        return self.monitor.of(self.arn)


@pytest.fixture
def account() -> Iterator[Account]:
    clock = TestClock()
    with open_store(clock=clock) as store:
        yield Account(store, clock)


def test_refused_uses_are_counted_by_caller_from_the_moment_of_disabling(account: Account) -> None:
    account.use("app")
    account.call("DisableKey")
    found = account.poll()
    assert found is not None
    assert (found.count, found.since_known, found.checked) == (0, True, account.clock.now)
    account.use("batch")
    account.use("app", 2)
    found = account.poll()
    assert found is not None
    assert found.callers == (("app", 2), ("batch", 1))
    assert found.last is not None
    assert found.last.who == "app"


def test_looking_again_counts_nothing_twice(account: Account) -> None:
    account.call("DisableKey")
    account.use("app", 3)
    account.poll()
    account.use("app")
    for _ in range(3):
        found = account.poll()
    assert found is not None
    assert found.count == 4


def test_refusals_of_an_earlier_time_of_disabling_do_not_count(account: Account) -> None:
    account.call("DisableKey")
    account.use("app", 3)
    account.call("EnableKey")
    account.call("DisableKey")
    account.use("app")
    found = account.poll()
    assert found is not None
    assert found.count == 1


@pytest.mark.parametrize(
    ("operation", "params"), [("EnableKey", {}), ("ScheduleKeyDeletion", {"PendingWindowInDays": 7})]
)
@pytest.mark.parametrize("by_us", [True, False], ids=["here", "elsewhere"])
def test_a_watch_ends_when_the_key_is_enabled_or_its_deletion_scheduled(
    account: Account, operation: str, params: dict[str, object], by_us: bool
) -> None:
    account.call("DisableKey")
    account.use("app")
    account.poll()
    if by_us:
        account.call(operation, **params)
        assert account.monitor.of(account.arn) is None
    else:
        account.clock.advance(seconds=1)
        account.admin.call(operation, {"KeyId": account.key_id, **params})
        assert account.monitor.of(account.arn) is not None
    assert account.poll() is None
    assert account.monitor.all == []


def test_a_key_disabled_before_the_session_is_watched_from_when_that_was(account: Account) -> None:
    account.admin.call("DisableKey", {"KeyId": account.key_id})
    disabled = account.clock.now
    account.clock.advance(days=3)
    account.use("batch", 2)
    account.monitor.begin(account.arn, REGION)
    found = account.poll()
    assert found is not None
    assert (found.since, found.since_known, found.count) == (disabled, True, 2)


def test_a_key_disabled_longer_ago_than_the_trail_goes_back_says_so(account: Account) -> None:
    account.admin.call("DisableKey", {"KeyId": account.key_id})
    account.clock.advance(days=100)
    account.use("batch")
    account.monitor.begin(account.arn, REGION)
    found = account.poll()
    assert found is not None
    assert (found.since_known, found.count) == (False, 1)
    assert found.since >= account.clock.now - timedelta(days=90, seconds=1)


def test_a_failed_disabling_begins_no_watch(account: Account) -> None:
    account.call("ScheduleKeyDeletion", PendingWindowInDays=7)
    with pytest.raises(ServiceError):
        account.call("DisableKey")
    assert account.monitor.all == []


# At CloudTrail's: late, limited, and with refusals that name no key among their resources


def watch(
    fake: FakeTrail, time: Time | None = None, since_minutes: float = 30
) -> Callable[[], Refusals | None]:
    time = time or Time()
    monitor = RefusalMonitor(Trail(fake, clock=time, sleep=time.sleep), lambda: NOW)
    monitor.begin(KEY, REGION, NOW - timedelta(minutes=since_minutes))

    def poll() -> Refusals | None:
        monitor.poll()
        return monitor.of(KEY)

    return poll


def disabled(event_id: str, who: str = "app", **more: object) -> dict[str, object]:
    return entry(event_id, who=who, error="DisabledException", message=f"{KEY} is disabled.", **more)  # type: ignore[arg-type]


def test_a_refusal_that_arrives_late_is_counted_in_its_turn() -> None:
    fake = FakeTrail([disabled("1", minutes_ago=2)])
    poll = watch(fake)
    poll()
    fake.entries.append(disabled("late", "batch", minutes_ago=14))
    found = poll()
    assert found is not None
    assert found.callers == (("app", 1), ("batch", 1))
    # The second look asks for what may have come late, and not for everything again.
    assert fake.asked("ResourceName")[-1]["StartTime"] == NOW - timedelta(minutes=20)


def test_a_refusal_that_names_its_key_only_in_its_text_is_counted() -> None:
    fake = FakeTrail(
        [
            disabled("1", keys=()),
            entry("2", error="DisabledException", message=f"{OTHER} is disabled.", keys=()),
            entry("3", error="AccessDenied", message=f"{KEY} no", keys=()),
            entry("4"),
        ]
    )
    found = watch(fake)()
    assert found is not None
    assert found.callers == (("app", 1),)


def test_the_regions_other_events_are_read_within_bounds() -> None:
    fake = FakeTrail([entry(str(number), keys=[OTHER]) for number in range(500)])
    watch(fake)()
    assert len(fake.asked("EventSource")) == 2


def test_more_than_one_look_reads_is_said_to_be_more() -> None:
    fake = FakeTrail([disabled(str(number), minutes_ago=1) for number in range(1200)])
    found = watch(fake)()
    assert found is not None
    assert found.at_least
    assert found.count == 1000


def test_looks_keep_to_two_requests_a_second() -> None:
    time, fake = Time(), FakeTrail([disabled(str(number), minutes_ago=1) for number in range(200)])
    watch(fake, time)()
    assert time.now >= (len(fake.calls) - 1) * 0.5


def test_a_throttled_look_says_so_keeps_its_count_and_is_made_again() -> None:
    fake = FakeTrail([disabled("1")])
    poll = watch(fake)
    poll()
    fake.error = ServiceError("ThrottlingException", "Rate exceeded", operation="LookupEvents")
    found = poll()
    assert found is not None
    assert found.count == 1
    assert found.error is fake.error
    fake.error = None
    found = poll()
    assert found is not None
    assert found.error is None


def test_a_denied_look_says_so_and_is_not_repeated() -> None:
    fake = FakeTrail()
    fake.error = ServiceError("AccessDeniedException", "no", operation="LookupEvents")
    poll = watch(fake)
    poll()
    calls = len(fake.calls)
    found = poll()
    assert found is not None
    assert found.error is fake.error
    assert len(fake.calls) == calls
