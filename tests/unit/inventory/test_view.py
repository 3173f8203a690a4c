"""The view: what is on screen stays where it is, and numbers say what is not known."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from kms_tui.inventory import FactName, FilterError, Pace, Scope, Sort, complete
from kms_tui.inventory import view as view_module
from kms_tui.inventory.changes import Changes
from kms_tui.inventory.listing import Region
from kms_tui.inventory.row import Judge, Row
from kms_tui.kms.errors import EndpointError
from tests.unit.inventory.world import FakeAccount, FakeKey, World, denied, key_id, named

LARGE = Pace(read_unasked=0)


def test_names_that_arrive_page_by_page_move_nothing() -> None:
    world = World(FakeAccount([*named(*(f"key-{n:02}" for n in range(30))), FakeKey("aaaa")], page=7))
    world.inventory.open()
    shown: list[str] = []
    while world.inventory.busy:
        world.work(1)
        assert world.names[: len(shown)] == shown
        shown = list(world.names)
    assert shown == [*(f"key-{n:02}" for n in range(30)), "aaaa"]


def test_keys_without_a_known_name_wait_and_can_be_released() -> None:
    world = World(FakeAccount([FakeKey("bbbb"), *named("a", "c")], page=1))
    world.inventory.open()
    while world.account.count("ListKeys") < 1 or not world.view.rows:
        world.work(1)
    assert "bbbb" not in world.names
    assert world.view.waiting >= 1
    assert world.view.release()
    assert "bbbb" in world.names
    before = list(world.names)
    world.list_all()
    assert world.names[: len(before)] == before
    assert sorted(world.names) == ["a", "bbbb", "c"]


def test_a_key_that_turns_out_to_be_awss_while_its_name_was_awaited_does_not_join_the_customers() -> None:
    world = World(FakeAccount([FakeKey("bbbb", ("aws/s3",)), *named("a", "z")], page=1))
    world.inventory.open()
    waited = 0
    while world.inventory.busy:
        world.work(1)
        waited = max(waited, world.view.waiting)
    assert waited
    assert world.names == ["a", "z"]


def test_aliases_that_end_while_rows_are_arranged_leave_awss_keys_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(FakeAccount([FakeKey("bbbb", ("aws/s3",)), *named("a", "aa", "ab", "z")], page=1))
    world.inventory.open()
    while "bbbb" not in {row.key_id for row in world.inventory.rows()}:
        world.work(1)
    assert world.row("bbbb").aliases == ()
    filtered = view_module._filtered

    def then_all_is_listed(*args: Any) -> Any:
        found = yield from filtered(*args)
        while world.inventory.busy:
            world.workers.work(1)
        return found

    monkeypatch.setattr(view_module, "_filtered", then_all_is_listed)
    world.view.rebuild()
    world.inventory.flush()
    assert sorted(world.names) == ["a", "aa", "ab", "z"]


def test_aliases_that_end_before_they_are_told_leave_awss_keys_out() -> None:
    world = World(FakeAccount([FakeKey("bbbb", ("aws/s3",)), *named("a", "z")], page=1))
    world.inventory.open()
    while not world.view.waiting:
        world.work(1)
    while world.inventory.busy:
        world.workers.work(1)
    world.view.update(Changes(listing=True))
    world.inventory.flush()
    assert sorted(world.names) == ["a", "z"]


def test_an_alias_that_is_set_while_the_view_looks_leaves_awss_key_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A row's class is worked out after its aliases are set, on another thread."""
    world = World(FakeAccount([FakeKey("bbbb", ("aws/s3",)), *named("a", "z")], page=1))
    derive = Row.derive

    def then_derive(row: Row, now: datetime, judge: Judge) -> None:
        world.view.update(Changes(frozenset([row.arn])))
        derive(row, now, judge)

    monkeypatch.setattr(Row, "derive", then_derive)
    world.inventory.open()
    world.work()
    assert sorted(world.names) == ["a", "z"]


def test_a_key_of_awss_that_a_refresh_finds_does_not_join_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """That all aliases are listed is known before the rows have them."""
    account = FakeAccount(named("a", "z"), page=1)
    world = World(account)
    world.inventory.open()
    world.work()
    reconcile = Region._reconcile

    def then_reconcile(region: Region, feed: Any) -> None:
        world.view.update(Changes(frozenset(row.arn for row in world.inventory.rows()), listing=True))
        reconcile(region, feed)

    monkeypatch.setattr(Region, "_reconcile", then_reconcile)
    account.keys["bbbb"] = FakeKey("bbbb", ("aws/s3",))
    world.inventory.refresh()
    world.work()
    assert sorted(world.names) == ["a", "z"]
    assert world.row("bbbb").aliases == ("aws/s3",)


def test_a_filter_looks_at_keys_that_wait_for_their_names_too() -> None:
    world = World(FakeAccount([FakeKey("bbbb"), *named("a")], page=1))
    world.inventory.open()
    world.work(2)
    world.view.set_filter("bbb")
    assert world.names == ["bbbb"]


def test_facts_that_arrive_move_no_row_until_it_is_sorted_again() -> None:
    world = World(FakeAccount(named(*"abc")), pace=LARGE).open()
    world.account.keys[key_id(3)].metadata["KeyState"] = "PendingDeletion"
    world.view.set_sort(Sort("attention"))
    world.inventory.show(world.view.rows)
    world.work()
    assert world.names == ["a", "b", "c"]
    world.view.rebuild()
    assert world.names == ["c", "a", "b"]


def test_a_row_that_comes_to_match_is_added_at_the_end() -> None:
    world = World(FakeAccount(named(*"abc")), pace=LARGE).open()
    world.account.keys[key_id(1)].metadata["KeyState"] = "Disabled"
    world.account.keys[key_id(3)].metadata["KeyState"] = "Disabled"
    world.view.set_filter("state:disabled")
    assert (world.names, world.view.summary().undecided) == ([], 3)
    world.inventory.show([world.row("c")])
    world.work()
    world.inventory.show([world.row("a")])
    world.work()
    assert world.names == ["c", "a"]
    summary = world.view.summary()
    assert (summary.undecided, summary.arrived) == (1, 1)
    world.view.rebuild()
    assert world.names == ["a", "c"]
    assert world.view.summary().arrived == 0


def test_what_a_filter_cannot_know_is_counted_apart() -> None:
    world = World(FakeAccount(named(*"abcd")), pace=LARGE)
    world.account.fail["DescribeKey", key_id(2)] = denied("DescribeKey")
    world.account.keys[key_id(1)].metadata["KeyState"] = "Disabled"
    world.open()
    world.view.set_filter("state:disabled")
    world.inventory.show([world.row("a"), world.row("b")])
    world.work()
    summary = world.view.summary()
    assert (summary.shown, summary.undecided, summary.unreadable) == (1, 2, 1)


def test_a_filter_of_words_says_how_many_it_could_only_see_the_name_of() -> None:
    world = World(FakeAccount(named("orders", "orders-db", "billing", Description="for orders")), pace=LARGE)
    world.open()
    world.inventory.show([world.row("orders")])
    world.work()
    world.view.set_filter("orders")
    assert world.names == ["orders", "orders-db"]
    assert world.view.summary().names_only == 1
    world.inventory.show([world.row("orders-db")])
    world.work()
    assert world.view.summary().names_only == 1
    world.inventory.show([world.row("billing")])
    world.work()
    assert world.names == ["orders", "orders-db", "billing"]
    assert world.view.summary().names_only == 0


def test_a_demand_reads_what_the_filter_needs_and_no_more() -> None:
    world = World(FakeAccount(named("orders", "orders-db", "billing")), pace=LARGE).open()
    world.view.set_filter("orders rotation:off")
    world.account.keys[key_id(2)].rotation = {"KeyRotationEnabled": False}
    world.view.read_missing()
    world.work(seconds=10)
    assert world.names == ["orders-db"]
    assert world.account.count("DescribeKey") == world.account.count("GetKeyRotationStatus") == 2
    assert world.inventory.progress() is None


def test_a_demand_tells_its_progress_and_can_be_given_up() -> None:
    world = World(FakeAccount(named(*map(str, range(100)))), pace=Pace(read_unasked=0, demand=10)).open()
    world.view.set_filter("state:disabled")
    world.view.read_missing()
    world.work(seconds=2)
    progress = world.inventory.progress()
    assert progress is not None
    assert progress.total == 100
    assert 18 <= progress.done <= 22
    assert progress.seconds == pytest.approx(8, abs=0.3)
    world.inventory.cancel_demand()
    calls = len(world.account.calls)
    world.work(seconds=10)
    assert len(world.account.calls) == calls
    assert world.inventory.progress() is None


def test_looking_at_rows_takes_nothing_off_a_demand_for_other_facts() -> None:
    world = World(FakeAccount(named(*map(str, range(40)))), pace=Pace(read_unasked=0, demand=10)).open()
    world.inventory.show(world.view.rows)
    world.work()
    world.view.set_filter("tag:team")
    world.view.read_missing()
    world.work(seconds=1)
    world.inventory.show(world.view.rows)
    world.inventory.show(world.inventory.rows())
    world.work()
    progress = world.inventory.progress()
    assert progress is not None
    assert progress.total - progress.done == 40 - world.account.count("ListResourceTags")
    world.work(seconds=10)
    assert world.account.count("ListResourceTags") == 40
    assert world.inventory.progress() is None


def test_last_usage_is_asked_at_five_a_second_and_only_where_it_decides() -> None:
    account = FakeAccount(named(*map(str, range(20))))
    for number in range(1, 11):
        account.keys[key_id(number)].metadata["KeyState"] = "Disabled"
    world = World(account, pace=LARGE).open()
    world.view.set_filter("state:disabled unused:>90d")
    world.view.read_missing()
    world.work(seconds=0.5)
    progress = world.inventory.progress()
    assert progress is not None
    assert progress.seconds == pytest.approx((progress.total - progress.done) / 5)
    world.work(seconds=10)
    assert account.count("GetKeyLastUsage") == 10
    assert account.count("DescribeKey") == 20


def test_a_filter_of_words_asks_for_nothing() -> None:
    world = World(FakeAccount(named(*"abc")), pace=LARGE).open()
    world.view.set_filter("a")
    world.view.read_missing()
    world.work(seconds=10)
    assert world.account.count("DescribeKey") == 0


def test_a_sort_asks_for_its_column_and_says_how_much_is_known() -> None:
    account = FakeAccount(named(*"abcd"))
    account.keys[key_id(2)].metadata["KeySpec"] = "RSA_2048"
    account.keys[key_id(3)].metadata["KeySpec"] = "ECC_NIST_P256"
    world = World(account, pace=LARGE).open()
    world.inventory.show([world.row("a"), world.row("b"), world.row("c")])
    world.work()
    world.view.set_sort(Sort("spec"))
    assert world.names == ["a", "c", "b", "d"]
    assert world.view.summary().sort_known == 3
    world.view.set_sort(Sort("spec", descending=True))
    assert world.names == ["b", "c", "a", "d"]
    world.view.read_missing()
    world.work(seconds=5)
    assert account.count("DescribeKey") == 4


@pytest.mark.parametrize("column", ["id", "created", "rotation", "used", "description", "region", "state"])
def test_every_column_sorts_with_the_unknown_last(column: str) -> None:
    world = World(FakeAccount(named(*"dcba")), pace=LARGE).open()
    world.inventory.show([world.row("c")])
    world.work()
    world.view.set_sort(Sort(column))
    assert sorted(world.names) == ["a", "b", "c", "d"]
    if column not in ("id", "region", "used"):
        assert world.names == ["c", "a", "b", "d"]


def test_the_scopes_keep_customer_and_aws_managed_keys_apart() -> None:
    world = World(FakeAccount([*named("a"), FakeKey("x", ("aws/s3",))])).open()
    assert world.names == ["a"]
    world.view.set_scope(Scope.AWS)
    assert (world.names, world.view.summary().total) == (["aws/s3"], 1)
    world.view.set_scope(Scope.ALL)
    assert (world.names, world.view.summary().total) == (["a", "aws/s3"], 2)


def test_marks_survive_a_filter_and_the_hidden_ones_are_counted() -> None:
    world = World(FakeAccount(named("orders", "billing"))).open()
    world.view.mark_shown()
    world.view.set_filter("orders")
    summary = world.view.summary()
    assert (summary.marked, summary.marked_hidden) == (2, 1)
    world.view.toggle_mark(world.row("orders").arn)
    assert world.view.marks == {world.row("billing").arn}
    world.view.clear_marks()
    assert world.view.summary().marked == 0


def test_a_filter_that_is_not_understood_changes_nothing() -> None:
    world = World(FakeAccount(named("orders", "billing"))).open()
    world.view.set_filter("orders")
    with pytest.raises(FilterError):
        world.view.set_filter("orders sate:x")
    assert world.names == ["orders"]
    assert world.view.query.text == "orders"


def test_typing_narrows_and_deleting_widens_again() -> None:
    world = World(FakeAccount(named("orders", "orchid", "billing"))).open()
    seen = []
    for text in ("o", "or", "ord", "or", ""):
        world.view.set_filter(text)
        seen.append(list(world.names))
    assert seen == [
        ["orchid", "orders"],
        ["orchid", "orders"],
        ["orders"],
        ["orchid", "orders"],
        ["billing", "orchid", "orders"],
    ]


def test_a_key_that_is_gone_stays_in_place_until_the_list_is_made_again() -> None:
    world = World(FakeAccount(named(*"abc"))).open()
    del world.account.keys[key_id(2)]
    world.view.mark([world.row("b").arn])
    world.inventory.refresh()
    world.work()
    assert (world.names, world.row("b").gone) == (["a", "b", "c"], True)
    world.view.rebuild()
    assert world.names == ["a", "c"]
    world.inventory.refresh()
    world.work()
    world.view.rebuild()
    assert (len(world.inventory), world.view.marks) == (2, set())


def test_keys_whose_aliases_could_not_be_listed_are_shown_by_id() -> None:
    world = World(FakeAccount(named(*"abc"), page=1))
    world.account.fail["ListAliases"] = EndpointError("down")
    world.open()
    assert world.names == [key_id(1), key_id(2), key_id(3)]
    assert world.view.waiting == 0


def test_completion_is_offered_the_regions_and_tags_of_this_account() -> None:
    account = FakeAccount(named("a", "b"))
    account.keys[key_id(1)].tags = {"team": "payments"}
    world = World(account, pace=LARGE).open()
    assert world.view.values() == {"region": ["eu-west-1"], "account": [], "tag": []}
    world.inventory.ask(world.row("a"), FactName.TAGS)
    world.work()
    assert world.view.values()["tag"] == ["team=payments"]
    assert [each.text for each in complete("tag:t", 5, world.view.values())] == ["team=payments"]
