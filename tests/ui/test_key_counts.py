"""The key list in numbers never claims more than is known, and says what a filter will cost."""

from __future__ import annotations

import pytest

from kms_tui.inventory import Pace
from kms_tui.inventory.view import Scope
from kms_tui.kms.errors import EndpointError, ServiceError
from kms_tui.ui.screens import key_counts
from tests.unit.inventory.world import FakeAccount, World, denied, named

UNASKED = Pace(read_unasked=0)


def note(world: World) -> str:
    return key_counts.filter_note(world.view, world.view.summary())


def status(world: World) -> str:
    return key_counts.status(world.view, world.view.summary()).plain


@pytest.mark.parametrize(("keys", "length"), [(400, "80 s"), (2_000, "7 minutes")], ids=str)
def test_unused_says_how_long_it_takes_at_five_calls_a_second(keys: int, length: str) -> None:
    world = World(FakeAccount(named(*(f"key-{n:06}" for n in range(keys)))), pace=UNASKED).open()
    world.view.set_filter("unused:>90d")
    assert key_counts.takes_long(world.view, world.view.summary())
    assert note(world) == (f"unused: takes about {length} at 5 calls a second; enter starts it, esc stops it")


def test_an_unused_filter_that_is_started_tells_its_progress() -> None:
    world = World(FakeAccount(named(*(f"key-{n:03}" for n in range(400)))), pace=UNASKED).open()
    world.view.set_filter("unused:>90d")
    world.view.read_missing()
    world.work(3, seconds=10)
    assert note(world).startswith("reading what the filter needs: 2 of 400, about 80 s left")
    world.account.fail["GetKeyLastUsage"] = ServiceError("ThrottlingException", "Rate exceeded")
    world.work(1, seconds=1)
    assert note(world).endswith("(ThrottlingException: Rate exceeded)")


def test_a_short_unused_filter_needs_no_consent() -> None:
    world = World(FakeAccount(named(*"abc")), pace=UNASKED).open()
    world.view.set_filter("unused:>90d")
    assert not key_counts.takes_long(world.view, world.view.summary())
    assert note(world).startswith("3 keys not judged yet")


def test_an_account_that_could_not_be_listed_is_not_one_without_keys() -> None:
    account = FakeAccount()
    world = World(account).open()
    assert (key_counts.scopes(world.view).plain, status(world)) == ("Customer 0 · AWS 0 · All 0", "0 keys")
    account.fail["ListKeys"] = account.fail["ListAliases"] = denied("ListKeys")
    world = World(account).open()
    assert (key_counts.scopes(world.view).plain, status(world)) == ("Customer ? · AWS ? · All ?", "")


def test_keys_known_by_their_aliases_alone_are_at_least_so_many() -> None:
    account = FakeAccount(named(*"ab"))
    account.fail["ListKeys"] = denied("ListKeys")
    assert status(World(account).open()).startswith("0 of at least 2 read")


def test_all_keys_count_the_read_ones_of_aws_too() -> None:
    world = World(FakeAccount(named(*"ab", "aws/s3")), pace=UNASKED).open()
    world.view.set_scope(Scope.ALL)
    assert status(world) == "0 of 3 read"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ServiceError("ThrottlingException"), "throttled, trying again"),
        (ServiceError("KMSInternalException", status=500), "KMS fails, trying again"),
        (EndpointError("gone"), "no answer, trying again"),
    ],
)
def test_what_is_tried_again_comes_first(error: Exception, words: str) -> None:
    account = FakeAccount(named(*"ab"))
    account.fail["ListKeys"] = error
    assert status(World(account, pace=UNASKED).open()).split(" · ") == [words, "0 of at least 2 read"]
