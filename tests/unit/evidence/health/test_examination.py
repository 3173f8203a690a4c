"""An examination reads what the checks need, each fact once, of the keys that they are for, and no more."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest

from kms_tui.backend.kms_facade import Kms
from kms_tui.evidence.health.examination import Examination
from kms_tui.evidence.health.examined import Examined, Settings
from kms_tui.evidence.health.formats.writers import WRITERS
from kms_tui.evidence.health.health_report import Judging, KeyName, Report
from kms_tui.evidence.health.row_judge import RowJudge
from kms_tui.inventory import FactName, Inventory, Pace
from kms_tui.kms.errors import CredentialsError, EndpointError, KmsTuiError, ServiceError
from kms_tui.policy import default_policy
from tests.unit.evidence.health.build import ACCOUNT, days
from tests.unit.inventory.world import NOW, FakeAccount, FakeKey, denied, key_id

PACE = Pace(demand=100_000, usage=100_000, read_unasked=0)
FINE = default_policy(ACCOUNT, "aws")
ASYMMETRIC = {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}


def fine(number: int, *aliases: str, policy: str = FINE, **metadata: Any) -> FakeKey:
    return FakeKey(key_id(number), aliases or (f"key-{number}",), metadata, policy=policy, tags={"team": "a"})


def account() -> FakeAccount:
    """Six keys, of which AWS manages one."""
    return FakeAccount(
        [
            fine(1),
            fine(2, **ASYMMETRIC),
            fine(3, KeyState="Disabled"),
            fine(4, KeyState="PendingDeletion", DeletionDate=NOW + days(9)),
            fine(5, KeyState="PendingImport", Origin="EXTERNAL"),
            FakeKey(key_id(6), ("aws/s3",)),
        ]
    )


@contextmanager
def opened(backend: FakeAccount, *regions: str) -> Iterator[Inventory]:
    inventory = Inventory(Kms(backend), judge=RowJudge(), regions=regions, now=lambda: NOW, pace=PACE)
    inventory.open()
    try:
        yield inventory
    finally:
        inventory.close()


def run(backend: FakeAccount, settings: Settings | None = None, *regions: str) -> Report:
    with opened(backend, *regions) as inventory:
        return Examination(inventory, Kms(backend).in_region_of, settings or Settings()).run()


def found(report: Report) -> dict[str, set[str]]:
    names: dict[str, set[str]] = {}
    for finding in report.findings:
        names.setdefault(finding.check.id, set()).add(finding.key.name)
    return names


def test_each_fact_is_read_once_and_only_of_the_keys_that_a_check_is_for() -> None:
    backend = account()
    report = run(backend, Settings(unused_days=90, required_tags=("team",)))
    per_key = Counter(call for call in backend.calls if call[1])
    assert set(per_key.values()) == {1}
    read: dict[str, set[str]] = {}
    for operation, key in per_key:
        read.setdefault(operation, set()).add(key)
    customers = {key_id(number) for number in range(1, 6)}
    assert read == {
        "DescribeKey": customers,
        "GetKeyRotationStatus": {key_id(1)},
        "GetKeyPolicy": customers - {key_id(4)},
        "ListResourceTags": customers - {key_id(4)},
        "GetKeyLastUsage": {key_id(1), key_id(2)},
    }
    assert (report.keys, report.aws_managed, report.complete, report.unexamined) == (5, 1, True, 0)
    assert found(report)["pending-deletion"] == {"key-4"}
    assert found(report)["material-missing"] == {"key-5"}


def test_what_nobody_asked_for_is_not_read() -> None:
    backend = account()
    run(backend)
    operations = {operation for operation, _ in backend.calls}
    assert not operations & {"GetKeyLastUsage", "ListResourceTags", "ListGrants"}


def test_what_the_inventory_knows_is_not_read_again() -> None:
    backend = account()
    with opened(backend) as inventory:
        Examination(inventory, Kms(backend).in_region_of, Settings()).run()
        backend.calls.clear()
        again = Examination(inventory, Kms(backend).in_region_of, Settings())
        assert again.estimate().total == 0
        again.run()
        assert backend.calls == []


def test_the_estimate_is_no_less_than_what_is_called_and_the_same_once_keys_are_described() -> None:
    backend = account()
    with opened(backend) as inventory:
        settings = Settings(unused_days=90)
        before = Examination(inventory, Kms(backend).in_region_of, settings)
        before.wait_for_listing()
        most = before.estimate()
        assert most.calls["DescribeKey"] == 5
        backend.calls.clear()
        before.run()
        made = Counter(operation for operation, _ in backend.calls)
        assert made <= most.calls
        inventory._table.expire(inventory.rows(), [FactName.POLICY])
        assert Examination(inventory, Kms(backend).in_region_of, settings).estimate().calls == {
            "GetKeyPolicy": 4
        }


def test_a_denied_fact_is_a_gap_of_that_key_alone() -> None:
    backend = account()
    backend.fail["GetKeyPolicy", key_id(1)] = denied("GetKeyPolicy")
    report = run(backend)
    (gap,) = [gap for gap in report.gaps if gap.key.name == "key-1"]
    assert "GetKeyPolicy was denied" in gap.reason
    public = next(tally for tally in report.tallies if tally.check.id == "public-policy")
    assert (public.keys, public.found, public.not_known, public.passed) == (4, 0, 1, 3)


def test_keys_that_cannot_be_described_are_not_known_in_any_check() -> None:
    backend = account()
    backend.fail["DescribeKey"] = denied("DescribeKey")
    report = run(backend)
    assert report.findings == ()
    assert len(report.gaps) == 5
    assert all(tally.passed == 0 for tally in report.tallies)


def test_without_the_aliases_no_key_is_said_to_have_none() -> None:
    backend = account()
    backend.fail["ListAliases"] = denied("ListAliases")
    report = run(backend)
    assert "no-alias" not in found(report)
    assert sum("ListAliases was denied" in gap.reason for gap in report.gaps) == 4
    assert report.aws_managed == 1


def test_a_region_that_cannot_be_listed_is_a_gap_and_the_others_are_examined() -> None:
    backend = account()
    other = FakeAccount([fine(9, policy="{}")], region="us-east-1")
    other.fail["ListKeys"] = EndpointError("us-east-1 could not be reached.")
    other.fail["ListAliases"] = EndpointError("us-east-1 could not be reached.")
    backend.others["us-east-1"] = other
    report = run(backend, None, "eu-west-1", "us-east-1")
    assert report.keys == 5
    assert [gap.key.name for gap in report.gaps if not gap.key.arn] == ["all of us-east-1"]


@pytest.mark.parametrize(
    "error", [CredentialsError("expired"), EndpointError("not reached"), denied("ListKeys")]
)
def test_an_account_of_which_nothing_can_be_seen_is_no_healthy_one(error: KmsTuiError) -> None:
    backend = account()
    backend.fail |= {"ListKeys": error, "ListAliases": error}
    with pytest.raises(type(error)):
        run(backend)


def test_credentials_that_expire_on_the_way_end_it() -> None:
    backend = account()
    backend.fail["GetKeyPolicy"] = ServiceError("ExpiredTokenException", "expired")
    with pytest.raises(ServiceError, match="ExpiredToken"):
        run(backend)


def test_cancelling_gives_what_is_known_and_the_rest_as_not_known() -> None:
    backend = account()
    held, go_on = threading.Event(), threading.Event()

    def before(operation: str, _key: str) -> None:
        if operation == "GetKeyPolicy":
            held.set()
            go_on.wait(10)

    backend.before = before
    with opened(backend) as inventory:
        examination = Examination(inventory, Kms(backend).in_region_of, Settings())
        reports: list[Report] = []
        thread = threading.Thread(target=lambda: reports.append(examination.run()))
        thread.start()
        assert held.wait(10)
        examination.cancel()
        thread.join(10)
        go_on.set()
    (report,) = reports
    assert not report.complete
    assert any("was not called before the examination was stopped" in gap.reason for gap in report.gaps)
    assert 0 < report.unexamined <= report.keys == 5
    told = f"The examination was stopped after {5 - report.unexamined} of 5 listed customer keys: "
    for name in ("table", "md", "html"):
        assert told in WRITERS[name](report), name
    assert json.loads(WRITERS["json"](report))["unexamined"] == report.unexamined


def test_cancelling_stops_the_reading_before_the_demand_is_withdrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread of ``run`` may wake late; until then the workers find nothing to read."""
    backend = FakeAccount([fine(number) for number in range(60)])
    with opened(backend) as inventory:
        examination = Examination(inventory, Kms(backend).in_region_of, Settings())
        monkeypatch.setattr(Inventory, "cancel_demand", lambda _inventory: None)

        def before(operation: str, _key: str) -> None:
            if operation == "GetKeyPolicy":
                examination.cancel()

        backend.before = before
        report = examination.run()
    assert not report.complete
    assert backend.count("GetKeyPolicy") <= 16  # one for each worker


def test_a_region_of_which_the_listing_was_stopped_is_not_said_to_have_no_keys() -> None:
    backend = account()
    held, go_on = threading.Event(), threading.Event()

    def before(operation: str, _key: str) -> None:
        if operation in ("ListKeys", "ListAliases"):
            held.set()
            go_on.wait(10)

    backend.before = before
    with opened(backend) as inventory:
        examination = Examination(inventory, Kms(backend).in_region_of, Settings())
        assert held.wait(10)
        examination.cancel()
        report = examination.run()
        go_on.set()
    assert (report.keys, report.complete, report.is_whole, report.empty) == (0, False, False, ())
    for name in ("table", "md", "html"):
        text = WRITERS[name](report)
        assert "No customer keys" not in text, name
        assert "The examination was stopped before a customer key was listed." in text, name
        assert f"Not all keys of eu-west-1 in {ACCOUNT} could be listed." in text, name
    (gap,) = report.gaps
    assert gap.reason == "ListKeys had not ended when the examination was stopped."


def test_cancelling_stops_judging_too(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = account()
    with opened(backend) as inventory:
        examination = Examination(inventory, Kms(backend).in_region_of, Settings())
        judge = Judging.judge

        def judge_one(judging: Judging, name: KeyName, examined: Examined) -> None:
            judge(judging, name, examined)
            examination.cancel()

        monkeypatch.setattr(Judging, "judge", judge_one)
        report = examination.run()
    assert not report.complete
    assert sum("was not checked" in gap.reason for gap in report.gaps) == report.unexamined == 4


def test_an_endpoint_that_answers_no_more_is_given_up_and_blamed() -> None:
    backend = account()
    backend.fail["GetKeyPolicy"] = EndpointError("kms went away.")

    seconds = count(0.0, 1000.0)
    with opened(backend) as inventory:

        def clock() -> float:
            """Time stands still until the error is known."""
            progress = inventory.progress()
            return next(seconds) if progress is not None and progress.error else 0.0

        report = Examination(inventory, Kms(backend).in_region_of, Settings(), clock=clock).run()
    assert not report.complete
    assert any(gap.reason == "GetKeyPolicy got no answer: kms went away." for gap in report.gaps)


def replicated(primary_policy: str) -> FakeAccount:
    """A replica here, its primary in a region that is not looked at."""
    home = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{key_id(1)}"
    config = {"MultiRegionKeyType": "REPLICA", "PrimaryKey": {"Arn": home, "Region": "us-east-1"}}
    backend = FakeAccount([fine(1, MultiRegionConfiguration=config)])
    backend.others["us-east-1"] = FakeAccount([fine(1, policy=primary_policy)], region="us-east-1")
    return backend


def test_the_primarys_policy_is_read_once_in_its_own_region() -> None:
    backend = replicated(FINE.replace("kms:*", "kms:Describe*"))
    report = run(backend)
    assert found(report) == {"replica-policy": {"key-1"}}
    home = backend.others["us-east-1"]
    assert [operation for operation, _ in home.calls] == ["GetKeyPolicy"]


def test_a_primary_that_may_not_be_read_is_a_gap() -> None:
    backend = replicated(FINE)
    backend.others["us-east-1"].fail["GetKeyPolicy"] = denied("GetKeyPolicy")
    (gap,) = run(backend).gaps
    assert [check.id for check in gap.checks] == ["replica-policy"]
    assert gap.reason.startswith("GetKeyPolicy of its primary was denied")


def test_a_primary_that_is_examined_too_is_not_read_twice() -> None:
    backend = replicated(FINE)
    home = backend.others["us-east-1"]
    home.others["eu-west-1"] = backend
    report = run(backend, None, "eu-west-1", "us-east-1")
    assert report.gaps == ()
    assert home.count("GetKeyPolicy") == 1


def test_reading_again_takes_nothing_for_granted() -> None:
    backend = account()
    with opened(backend) as inventory:
        Examination(inventory, Kms(backend).in_region_of, Settings()).run()
        backend.keys[key_id(7)] = fine(7, policy="{}")
        backend.keys[key_id(1)].rotation = {"KeyRotationEnabled": False}
        again = Examination(inventory, Kms(backend).in_region_of, Settings())
        again.read_again()
        names = found(again.run())
    assert names["rotation-off"] == {"key-1"}
    assert "key-7" in names["no-account-control"]


def test_what_concerns_one_key_is_asked_for_by_its_arn() -> None:
    backend = replicated(FINE)
    backend.keys[key_id(3)] = fine(3, KeyState="Disabled")
    asked: dict[str, list[str]] = {"kms": [], "services": []}

    def kms_for(arn: str) -> Kms:
        asked["kms"].append(arn)
        return Kms(backend).in_region_of(arn)

    def services_for(arn: str) -> None:
        asked["services"].append(arn)

    with opened(backend) as inventory:
        Examination(inventory, kms_for, Settings(), services_for).run()
    assert asked["kms"] == [f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{key_id(1)}"]
    assert asked["services"] == [f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{key_id(3)}"]


def test_a_report_counts_by_account_and_region() -> None:
    backend = account()
    backend.others["us-east-1"] = FakeAccount([fine(8)], region="us-east-1")
    report = run(backend, None, "eu-west-1", "us-east-1")
    assert [(each.place, each.keys) for each in report.places] == [
        ((ACCOUNT, "eu-west-1"), 5),
        ((ACCOUNT, "us-east-1"), 1),
    ]
    assert report.accounts == (ACCOUNT,)
    assert {finding.key.account for finding in report.findings} == {ACCOUNT}
    for tally in report.tallies:
        of_places = [
            each for place in report.places for each in place.tallies if each.check.id == tally.check.id
        ]
        assert tally.keys == sum(each.keys for each in of_places)
        assert tally.found == sum(each.found for each in of_places)
