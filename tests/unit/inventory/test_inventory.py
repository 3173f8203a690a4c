"""The inventory: rows from two lists, facts as they are shown, and the truth under every fault."""

from __future__ import annotations

import pytest

from kms_tui.inventory import FactName, Pace, Scope
from kms_tui.kms.errors import CredentialsError, EndpointError, ServiceError
from kms_tui.kms.facts import LOADING, NOT_APPLICABLE, UNASKED, Denied, Failed, Known
from tests.unit.inventory.world import FakeAccount, FakeKey, World, denied, key_id, named, small_account

CREDENTIALS = CredentialsError("The SSO session has expired.", login_command="aws sso login --profile dev")


def test_rows_come_from_the_two_lists_alone() -> None:
    world = World(small_account()).open()
    assert world.names == ["billing", "orders", key_id(3)]
    assert {operation for operation, _ in world.account.calls} == {"ListKeys", "ListAliases"}
    assert world.row("orders").described is UNASKED


def test_aws_managed_keys_are_known_by_their_alias() -> None:
    world = World(small_account()).open()
    assert world.row("aws/s3").aws
    world.view.set_scope(Scope.AWS)
    assert world.names == ["aws/s3"]
    world.view.set_scope(Scope.ALL)
    assert len(world.names) == 4


def test_an_account_of_many_pages_is_listed_whole() -> None:
    keys = named(*(f"key-{number:03}" for number in range(95)))
    world = World(FakeAccount(keys, page=10)).open()
    assert world.names == [f"key-{number:03}" for number in range(95)]
    assert world.account.count("ListKeys") == 10
    assert [region.keys for region in world.inventory.regions] == [Known(95)]


def test_the_page_after_an_empty_one_is_read_though_its_thread_has_not_yet_said_that_it_is_done() -> None:
    world = World(FakeAccount(named("orders")))
    world.account.keys[key_id(1)].aliases = ()
    world.inventory.open()
    queue, taken = world.workers.queues, []
    while job := queue.take():
        job.run()
        taken.append(job)
        if len(taken) % 3 == 0:  # at most half of the workers list
            for each in taken[:-1]:
                queue.done(each)
            del taken[:-1]
    assert not world.inventory.busy


def test_a_predefined_alias_without_a_key_is_no_row_and_is_never_described() -> None:
    account = small_account()
    account.extra_aliases.append({"AliasName": "alias/aws/ebs", "AliasArn": "arn:aws:kms:x:y:alias/aws/ebs"})
    world = World(account).open()
    world.view.set_scope(Scope.ALL)
    world.inventory.show(world.view.rows)
    world.work(seconds=100)
    assert len(world.view.rows) == 4
    assert not any("alias/" in key for _, key in account.calls)


def test_what_is_shown_is_described_first_and_aws_managed_keys_are_not_probed() -> None:
    account = FakeAccount([*named(*(f"key-{number}" for number in range(9))), FakeKey("aws-1", ("aws/s3",))])
    world = World(account).open()
    account.calls.clear()
    shown = [world.row("key-5"), world.row("aws/s3")]
    world.inventory.show(shown, [world.row("key-6")])
    world.work()
    on_screen = [("DescribeKey", key_id(6)), ("DescribeKey", "aws-1"), ("GetKeyRotationStatus", key_id(6))]
    assert account.calls == on_screen
    world.work(1, seconds=1)
    assert account.calls == [*on_screen, ("DescribeKey", key_id(7))]
    assert world.row("aws/s3").rotation is NOT_APPLICABLE


@pytest.mark.parametrize(
    ("metadata", "asked"),
    [
        ({}, True),
        ({"KeyState": "Disabled"}, True),
        ({"KeyState": "PendingDeletion"}, False),
        ({"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}, False),
        ({"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}, False),
        ({"Origin": "EXTERNAL"}, False),
        ({"Origin": "AWS_CLOUDHSM"}, False),
    ],
)
def test_rotation_is_asked_of_keys_that_can_rotate(metadata: dict[str, str], asked: bool) -> None:
    world = World(FakeAccount(named("key", **metadata))).open()
    world.inventory.show(world.view.rows)
    world.work()
    assert world.account.count("GetKeyRotationStatus") == asked
    assert (world.row("key").rotation is NOT_APPLICABLE) is not asked


def test_rows_scrolled_past_are_not_described() -> None:
    world = World(FakeAccount(named(*"abcdef")), pace=Pace(read_unasked=0)).open()
    world.inventory.show([world.row(name) for name in "abc"])
    world.inventory.show([world.row(name) for name in "def"])
    world.work()
    described = [key for operation, key in world.account.calls if operation == "DescribeKey"]
    assert described == [key_id(4), key_id(5), key_id(6)]


def test_a_small_account_is_read_whole_at_a_polite_rate() -> None:
    world = World(FakeAccount(named(*map(str, range(50)))), pace=Pace(rest=10)).open()
    listed = len(world.account.calls)
    world.work(seconds=1)
    assert 9 <= len(world.account.calls) - listed <= 11
    world.work(seconds=10)
    assert world.account.count("DescribeKey") == world.account.count("GetKeyRotationStatus") == 50
    assert world.inventory.tally(aws=False).read == 50


def test_the_rest_of_a_larger_account_is_described_and_no_more() -> None:
    world = World(FakeAccount(named(*map(str, range(50)))), pace=Pace(read_whole=49)).open()
    world.work(seconds=10)
    assert world.account.count("DescribeKey") == 50
    assert world.account.count("GetKeyRotationStatus") == 0
    assert world.inventory.tally(aws=False) == (50, 50, 0, 0)


def test_the_rest_of_a_large_account_is_not_described_unasked() -> None:
    world = World(FakeAccount(named(*map(str, range(50)))), pace=Pace(read_unasked=49)).open()
    world.work(seconds=1000)
    assert world.account.count("DescribeKey") == 0


def test_a_fact_is_loading_while_it_is_asked_for() -> None:
    world = World(small_account()).open()
    row = world.row("orders")
    seen = []
    world.account.before = lambda operation, key: seen.append(row.described)
    world.inventory.show([row])
    world.work(1)
    assert seen == [LOADING]
    assert isinstance(row.described, Known)


def test_a_key_that_cannot_be_described_keeps_its_row_and_its_name() -> None:
    world = World(small_account())
    world.account.fail["DescribeKey"] = denied("DescribeKey")
    world.open()
    world.inventory.show(world.view.rows)
    world.work(seconds=100)
    assert world.names == ["billing", "orders", key_id(3)]
    assert isinstance(world.row("orders").described, Denied)
    assert world.row("orders").rotation is UNASKED


def test_a_denied_rotation_status_is_not_off() -> None:
    world = World(small_account())
    world.account.fail["GetKeyRotationStatus"] = denied("GetKeyRotationStatus")
    world.open()
    world.inventory.show(world.view.rows)
    world.work()
    assert isinstance(world.row("orders").rotation, Denied)
    assert not world.row("orders").health.findings
    assert world.row("orders").health.refused == {FactName.ROTATION}


def test_an_answer_that_makes_no_sense_costs_one_cell() -> None:
    world = World(small_account()).open()
    del world.account.keys[key_id(1)].metadata
    world.inventory.show(world.view.rows)
    world.work()
    assert isinstance(world.row("orders").described, Failed)
    assert isinstance(world.row("billing").described, Known)


@pytest.mark.parametrize(
    "metadata", [{"KeyState": None}, {"ValidTo": "soon", "Origin": "EXTERNAL"}, {"CreationDate": 12}]
)
def test_an_answer_of_the_wrong_types_costs_one_row(metadata: dict[str, object]) -> None:
    world = World(FakeAccount(named("a", "b"))).open()
    world.account.keys[key_id(1)].metadata.update(metadata)
    world.inventory.show(world.view.rows)
    world.work()
    assert isinstance(world.row("a").described, Failed)
    assert isinstance(world.row("b").rotation, Known)
    assert world.inventory.tally(aws=False) == (2, 1, 1, 0)


def test_keys_are_listed_by_their_aliases_where_listing_keys_is_denied() -> None:
    account = small_account()
    account.fail["ListKeys"] = denied("ListKeys")
    world = World(account).open()
    assert world.names == ["billing", "orders"]
    assert isinstance(world.inventory.regions[0].keys, Denied)
    assert world.row("billing").arn == account.arn(key_id(2))


def test_keys_are_listed_by_their_ids_where_listing_aliases_fails() -> None:
    account = small_account()
    account.fail["ListAliases"] = EndpointError("no answer")
    world = World(account).open()
    assert world.names == [key_id(1), key_id(2), key_id(3), key_id(4)]
    assert isinstance(world.inventory.regions[0].aliases, Failed)


def test_a_page_that_breaks_off_keeps_what_came_before_it() -> None:
    account = FakeAccount(named(*"abcdef"), page=2)
    world = World(account)
    world.inventory.open()
    world.work(4)
    account.fail["ListKeys"] = account.fail["ListAliases"] = EndpointError("dropped")
    world.work()
    assert len(world.inventory) == 4
    assert not world.inventory.busy
    assert world.inventory.regions[0].error is account.fail["ListKeys"]


def test_a_region_that_fails_costs_the_others_nothing() -> None:
    account, other = small_account(), FakeAccount(region="us-east-1")
    third = FakeAccount(named("tokyo"), region="ap-northeast-1")
    account.others = {"us-east-1": other, "ap-northeast-1": third}
    other.fail["ListKeys"] = other.fail["ListAliases"] = denied("ListKeys")
    world = World(account, regions=("eu-west-1", "us-east-1", "ap-northeast-1")).open()
    assert world.names == ["billing", "orders", "tokyo", key_id(3)]
    assert [region.error is None for region in world.inventory.regions] == [True, False, True]
    world.inventory.show([world.row("tokyo")])
    world.work()
    assert third.count("DescribeKey") == 1


def test_a_replica_is_a_row_of_its_own() -> None:
    key = "mrk-" + "a" * 32
    account = FakeAccount([FakeKey(key, ("global",))])
    account.others["us-east-1"] = FakeAccount([FakeKey(key, ("global",))], region="us-east-1")
    world = World(account, regions=("eu-west-1", "us-east-1")).open()
    assert [row.region for row in world.view.rows] == ["eu-west-1", "us-east-1"]
    assert len(world.inventory.rows_of(key)) == 2


def test_missing_credentials_stop_all_calls_until_resumed_and_lose_nothing() -> None:
    world = World(FakeAccount(named(*"abcdef")), pace=Pace(read_unasked=0)).open()
    world.inventory.show(world.view.rows)
    world.work(3)
    world.account.fail["DescribeKey"] = world.account.fail["GetKeyRotationStatus"] = CREDENTIALS
    world.work()
    calls = len(world.account.calls)
    assert world.inventory.stopped is CREDENTIALS
    assert world.row("f").fact(FactName.DESCRIBED) is UNASKED
    world.inventory.show(world.view.rows)
    world.work()
    assert len(world.account.calls) == calls
    world.account.fail.clear()
    world.inventory.resume()
    world.work()
    assert not world.inventory.stopped
    assert all(isinstance(row.rotation, Known) for row in world.view.rows)


def test_listeners_are_told_once_that_credentials_are_missing() -> None:
    world = World(small_account())
    world.account.fail["ListKeys"] = world.account.fail["ListAliases"] = CREDENTIALS
    world.open()
    for _ in range(3):
        world.inventory.flush()
    told = len(world.heard)
    world.inventory.flush()
    assert len(world.heard) == told


def test_an_expired_token_stops_calls_like_missing_credentials() -> None:
    world = World(small_account())
    world.account.fail["ListKeys"] = world.account.fail["ListAliases"] = ServiceError("ExpiredTokenException")
    world.open()
    assert world.inventory.stopped is not None
    world.account.fail.clear()
    world.inventory.resume()
    world.list_all()
    assert world.names == ["billing", "orders", key_id(3)]


def test_work_that_no_one_looks_at_waits_out_a_passing_fault() -> None:
    world = World(FakeAccount(named(*"abc"))).open()
    world.account.fail["DescribeKey"] = ServiceError("ThrottlingException")
    world.work(seconds=20)
    tries = world.account.count("DescribeKey")
    assert 3 <= tries <= 20
    assert all(row.described is UNASKED for row in world.view.rows)
    world.account.fail.clear()
    world.work(seconds=60)
    assert all(isinstance(row.described, Known) for row in world.view.rows)


def test_a_refresh_keeps_what_is_shown_and_says_what_changed() -> None:
    world = World(small_account()).open()
    world.inventory.show(world.view.rows)
    world.work()
    world.account.keys[key_id(1)].metadata["KeyState"] = "Disabled"
    world.account.keys[key_id(2)].rotation = {"KeyRotationEnabled": False}
    world.account.keys[key_id(9)] = FakeKey(key_id(9), ("added",))
    del world.account.keys[key_id(3)]
    world.inventory.refresh()
    world.work(1)
    assert isinstance(world.row("orders").described, Known)
    world.work()
    changes = {name: world.inventory.recent_change(world.row(name).arn) for name in ("orders", "billing")}
    assert changes == {"orders": "now disabled", "billing": "rotation turned off"}
    assert world.inventory.recent_change(world.row("added").arn) == "new"
    assert world.row(key_id(3)).gone
    assert world.names == ["billing", "orders", key_id(3), "added"]
    world.clock.seconds += 60
    assert world.inventory.recent_change(world.row("orders").arn) == ""
    world.inventory.refresh()
    world.work()
    world.view.rebuild()
    assert world.names == ["added", "billing", "orders"]


def test_a_disabled_key_that_tells_no_period_has_not_changed_its_rotation() -> None:
    world = World(small_account()).open()
    world.inventory.show(world.view.rows)
    world.work()
    key = world.account.keys[key_id(1)]
    key.metadata["KeyState"] = "Disabled"
    key.rotation = {"KeyRotationEnabled": True}
    world.inventory.refresh()
    world.work()
    assert world.inventory.recent_change(world.row("orders").arn) == "now disabled"
    key.rotation = {"KeyRotationEnabled": True, "RotationPeriodInDays": 200}
    world.inventory.refresh()
    world.work()
    key.rotation = {"KeyRotationEnabled": True, "RotationPeriodInDays": 90}
    world.inventory.refresh()
    world.work()
    assert world.inventory.recent_change(world.row("orders").arn) == "rotation changed"


def test_a_refresh_before_all_was_listed_makes_no_news_of_the_rest() -> None:
    world = World(FakeAccount(named(*"abcdef"), page=2))
    world.inventory.open()
    world.work(3)
    world.inventory.refresh()
    world.work()
    assert world.names == ["a", "b", "c", "d", "e", "f"]
    assert {world.inventory.recent_change(row.arn) for row in world.view.rows} == {""}


def test_a_refresh_that_fails_takes_no_row_away() -> None:
    world = World(small_account()).open()
    world.account.fail["ListKeys"] = EndpointError("down")
    world.inventory.refresh()
    world.work()
    assert not any(row.gone for row in world.inventory.rows())


def test_a_refresh_reads_again_only_what_is_looked_at() -> None:
    world = World(FakeAccount(named(*"abcdef")), pace=Pace(read_unasked=0)).open()
    world.inventory.show(world.view.rows)
    world.work()
    world.inventory.show(world.view.rows[:2])
    world.account.calls.clear()
    world.inventory.refresh()
    world.work()
    assert world.account.count("DescribeKey") == 2


def test_a_key_is_read_again_after_a_change_without_listing_the_region() -> None:
    world = World(small_account()).open()
    world.inventory.show(world.view.rows)
    world.work()
    world.account.calls.clear()
    world.account.keys[key_id(1)].metadata["KeyState"] = "Disabled"
    world.account.keys[key_id(1)].aliases = ("orders", "orders-2", "orders-3")
    world.inventory.reread(key_id(1))
    world.work()
    assert sorted(world.account.calls) == [
        ("DescribeKey", key_id(1)),
        ("GetKeyRotationStatus", key_id(1)),
        ("ListAliases", key_id(1)),
    ]
    key = world.row("orders").key
    assert key is not None
    assert key.state == "Disabled"
    assert world.row("orders").aliases == ("orders", "orders-2", "orders-3")


def test_a_key_made_here_appears_by_rereading_it() -> None:
    world = World(small_account()).open()
    world.account.keys[key_id(9)] = FakeKey(key_id(9), ("added",))
    world.inventory.reread(key_id(9))
    world.work()
    assert "added" in world.names


def test_a_fact_asked_for_by_name_is_read_of_an_aws_managed_key_too() -> None:
    world = World(small_account()).open()
    row = world.row("aws/s3")
    assert row.fact(FactName.POLICY) is NOT_APPLICABLE
    world.inventory.ask(row, FactName.POLICY, FactName.TAGS)
    world.work(2)
    assert row.fact(FactName.POLICY) == Known("{}")
    assert row.fact(FactName.TAGS) == Known(())


def test_counts_follow_what_is_known() -> None:
    account = FakeAccount([*named("a", "b", "c"), FakeKey("x", ("aws/s3",))])
    account.keys[key_id(1)].metadata["KeyState"] = "PendingDeletion"
    world = World(account).open()
    assert world.inventory.tally(aws=False) == (3, 0, 0, 0)
    world.inventory.show([world.row("a"), world.row("b")])
    world.work(2)
    assert world.inventory.tally(aws=False) == (3, 2, 1, 1)  # a key pending deletion has one check
    world.work(1)
    assert world.inventory.tally(aws=False) == (3, 2, 2, 1)
    assert world.inventory.tally(aws=True) == (1, 0, 0, 0)


def test_listeners_hear_of_each_row_once_a_batch() -> None:
    world = World(small_account()).open()
    world.heard.clear()
    world.inventory.show(world.view.rows)
    world.work(6)
    assert len(world.heard) == 1
    assert world.heard[0].rows == {row.arn for row in world.view.rows}


def test_closing_stops_the_work_and_the_news() -> None:
    world = World(small_account()).open()
    world.inventory.close()
    assert world.workers.closed
    heard = len(world.heard)
    world.inventory.show(world.view.rows)
    world.work()
    assert len(world.heard) == heard


def test_rows_share_what_answers_say_alike() -> None:
    world = World(FakeAccount(named(*"ab"))).open()
    world.account.keys[key_id(1)].metadata["KeySpec"] = "".join(["RSA", "_2048"])
    world.account.keys[key_id(2)].metadata["KeySpec"] = "".join(["RSA_", "2048"])
    world.inventory.show(world.view.rows)
    world.work()
    first, second = (row.key for row in world.view.rows)
    assert first is not None
    assert second is not None
    assert first.spec is second.spec
    assert first.arn is world.view.rows[0].arn
