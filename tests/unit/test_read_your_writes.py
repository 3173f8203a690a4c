"""An older read never hides a change of this session, and never lasts: each operation, on the offline KMS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from kms_tui.backend.base import Backend
from kms_tui.backend.wrappers.read_your_writes import SECONDS, PendingChanges, ReadYourWrites
from kms_tui.kms.change_effects import EFFECTS
from kms_tui.kms.errors import ServiceError
from tests.demo_copies import demo_copy
from tests.unit.lagging import Lagging

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ROLE = "arn:aws:iam::111122223333:role/Reporter"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class World:
    """A session's backend on a lagging KMS."""

    def __init__(self) -> None:
        self.truth = demo_copy(NOW)
        self.lagging = Lagging(self.truth, demo_copy(NOW))
        self.clock = Clock()
        self.pending = PendingChanges(self.clock)
        self.backend: Backend = ReadYourWrites(self.lagging, self.pending)

    def key_id(self, alias: str) -> str:
        return str(self.truth.call("DescribeKey", {"KeyId": f"alias/{alias}"})["KeyMetadata"]["KeyId"])

    def words(self, key_id: str) -> str:
        return self.pending.words("eu-west-1", key_id)

    def state(self, key_id: str) -> str:
        return str(self.backend.call("DescribeKey", {"KeyId": key_id})["KeyMetadata"]["KeyState"])


@pytest.fixture
def world() -> World:
    return World()


POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    }
)
READS: list[tuple[str, str]] = [
    ("DescribeKey", "KeyMetadata"),
    ("GetKeyRotationStatus", "KeyRotationEnabled"),
    ("ListResourceTags", "Tags"),
    ("ListAliases", "Aliases"),
    ("ListGrants", "Grants"),
    ("GetKeyPolicy", "Policy"),
]
CHANGES: list[tuple[str, str, dict[str, Any], str]] = [
    ("EnableKey", "sandbox-old", {}, "enabled"),
    ("DisableKey", "sandbox", {}, "disabled"),
    ("ScheduleKeyDeletion", "sandbox", {"PendingWindowInDays": 7}, "deletion scheduled"),
    ("CancelKeyDeletion", "old-backups", {}, "deletion cancelled"),
    ("UpdateKeyDescription", "sandbox", {"Description": "mine"}, "description"),
    ("EnableKeyRotation", "sandbox", {"RotationPeriodInDays": 180}, "rotation on"),
    ("EnableKeyRotation", "sandbox", {}, "rotation on"),
    ("DisableKeyRotation", "orders-db", {}, "rotation off"),
    ("TagResource", "sandbox", {"Tags": [{"TagKey": "team", "TagValue": "web"}]}, "tags"),
    ("UntagResource", "sandbox", {"TagKeys": ["team"]}, "tags"),
    ("CreateGrant", "sandbox", {"GranteePrincipal": ROLE, "Operations": ["Decrypt"]}, "grants"),
    ("PutKeyPolicy", "ledger", {"PolicyName": "default", "Policy": POLICY}, "policy"),
]


def told(backend: Backend, key_id: str) -> dict[str, Any]:
    """What all reads say of a key, as far as it can be compared."""

    def ask(operation: str, member: str) -> Any:
        params = {"KeyId": key_id, **({"PolicyName": "default"} if operation == "GetKeyPolicy" else {})}
        try:
            value = backend.call(operation, params)[member]
        except ServiceError as error:
            return error.code
        if operation == "DescribeKey":
            return {name: value.get(name) for name in ("KeyState", "Enabled", "Description", "DeletionDate")}
        if operation == "GetKeyPolicy":
            return json.loads(value)
        if isinstance(value, list):
            names = ("TagKey", "TagValue", "AliasName", "GrantId", "GranteePrincipal")
            return sorted(str({name: entry.get(name) for name in names}) for entry in value)
        return value

    return {operation: ask(operation, member) for operation, member in READS}


@pytest.mark.parametrize(("operation", "alias", "params", "words"), CHANGES)
def test_an_older_read_shows_the_change_and_the_key_settles_until_a_read_agrees(
    world: World, operation: str, alias: str, params: Mapping[str, Any], words: str
) -> None:
    key_id = world.key_id(alias)
    told(world.backend, key_id)
    world.backend.call(operation, {"KeyId": key_id, **params})
    assert world.words(key_id) == "", "nothing has been read yet"
    after = told(world.truth, key_id)
    # An offline KMS refuses to tell the rotation of a key whose deletion is pending; no read can show that.
    skipped = {"GetKeyRotationStatus"} if "Deletion" in operation else set()
    shown = told(world.backend, key_id)
    assert {name: value for name, value in shown.items() if name not in skipped} == {
        name: value for name, value in after.items() if name not in skipped
    }
    assert world.words(key_id) == words
    world.lagging.caught_up.set()
    assert told(world.backend, key_id) == after
    assert world.words(key_id) == ""


def test_each_operation_with_an_effect_is_tried_here() -> None:
    elsewhere = {"CreateKey", "CreateAlias", "UpdateAlias", "DeleteAlias", "RevokeGrant", "RetireGrant"}
    assert {each[0] for each in CHANGES} | elsewhere == set(EFFECTS)


def aliases(backend: Backend, key_id: str | None = None) -> dict[str, str]:
    answer = backend.call("ListAliases", {"KeyId": key_id} if key_id else {"Limit": 100})
    return {each["AliasName"]: each.get("TargetKeyId", "") for each in answer["Aliases"]}


def test_an_alias_that_is_made_repointed_or_deleted_counts_in_each_listing(world: World) -> None:
    one, other = world.key_id("sandbox"), world.key_id("search-index")
    world.backend.call("CreateAlias", {"AliasName": "alias/new", "TargetKeyId": one})
    world.backend.call("UpdateAlias", {"AliasName": "alias/sandbox", "TargetKeyId": other})
    world.backend.call("DeleteAlias", {"AliasName": "alias/search-index"})
    assert aliases(world.backend) == aliases(world.truth)
    assert aliases(world.backend, one) == aliases(world.truth, one)
    assert aliases(world.backend, other) == aliases(world.truth, other)
    assert world.words(one) == "alias new"
    assert world.words(other) == "alias sandbox"


def test_a_grant_that_was_revoked_is_not_listed_by_an_older_read(world: World) -> None:
    key_id = world.key_id("partner-exchange")
    (grant,) = world.backend.call("ListGrants", {"KeyId": key_id})["Grants"]
    world.backend.call("RevokeGrant", {"KeyId": key_id, "GrantId": grant["GrantId"]})
    assert world.backend.call("ListGrants", {"KeyId": key_id})["Grants"] == []
    assert world.words(key_id) == "grants"


def test_a_key_that_was_just_made_is_described_and_listed_before_reads_know_it(world: World) -> None:
    made = world.backend.call("CreateKey", {})["KeyMetadata"]
    assert world.backend.call("DescribeKey", {"KeyId": made["KeyId"]})["KeyMetadata"] == made
    keys = world.backend.call("ListKeys", {"Limit": 1000})["Keys"]
    assert made["Arn"] in {each["KeyArn"] for each in keys}
    assert world.words(made["KeyId"]) == "created"
    world.lagging.caught_up.set()
    world.backend.call("DescribeKey", {"KeyId": made["KeyId"]})
    assert world.words(made["KeyId"]) == ""
    with pytest.raises(ServiceError, match="NotFoundException"):
        world.backend.call("DescribeKey", {"KeyId": "00000000-0000-0000-0000-000000000000"})


def test_the_last_of_several_changes_counts_and_reads_from_between_them_are_older(world: World) -> None:
    key_id = world.key_id("sandbox")
    assert world.state(key_id) == "Enabled"
    world.backend.call("DisableKey", {"KeyId": key_id})
    assert world.state(key_id) == "Disabled"
    world.backend.call("ScheduleKeyDeletion", {"KeyId": key_id, "PendingWindowInDays": 7})
    assert world.state(key_id) == "PendingDeletion"
    world.lagging.older.call("DisableKey", {"KeyId": key_id})
    assert world.state(key_id) == "PendingDeletion", "this read knows the first change only"
    assert world.words(key_id) == "deletion scheduled"


def test_an_older_read_is_one_though_a_quicker_one_told_of_the_change(world: World) -> None:
    """Another thread reads the key as changed, then the change's answer arrives, then a lagging read."""
    key_id = world.key_id("sandbox")
    world.truth.call("DisableKey", {"KeyId": key_id})
    world.lagging.caught_up.set()
    assert world.state(key_id) == "Disabled"
    world.pending.changed("eu-west-1", "DisableKey", {"KeyId": key_id}, {})
    world.lagging.caught_up.clear()
    assert world.state(key_id) == "Disabled"
    assert world.words(key_id) == "disabled"


def test_what_somebody_else_changed_since_is_shown_as_it_is(world: World) -> None:
    key_id = world.key_id("sandbox")
    assert world.state(key_id) == "Enabled"
    world.backend.call("DisableKey", {"KeyId": key_id})
    world.truth.call("ScheduleKeyDeletion", {"KeyId": key_id, "PendingWindowInDays": 7})
    world.lagging.caught_up.set()
    assert world.state(key_id) == "PendingDeletion"
    assert world.words(key_id) == ""


def test_it_ends_after_a_time_and_the_key_is_read_a_last_time(world: World) -> None:
    key_id = world.key_id("sandbox")
    world.backend.call("DisableKey", {"KeyId": key_id})
    assert world.pending.due() == frozenset(), "no read has shown that it is not there yet"
    assert world.state(key_id) == "Disabled"
    reads = []
    while world.clock.now < SECONDS + 5:
        world.clock.now += 0.5
        if key_id in world.pending.due():
            reads.append(world.clock.now)
            world.state(key_id)
    assert reads[:4] == [1.0, 3.0, 7.0, 15.0]
    assert reads[-1] == SECONDS
    assert world.state(key_id) == "Enabled", "KMS never took it over: that is shown then"
    assert world.words(key_id) == ""


def test_another_region_is_another_key(world: World) -> None:
    key_id = world.key_id("global-config")
    world.backend.call("DisableKey", {"KeyId": key_id})
    world.lagging.caught_up.set()
    there = world.backend.in_region("us-east-1")
    assert there.call("DescribeKey", {"KeyId": key_id})["KeyMetadata"]["KeyState"] == "Enabled"
    assert world.pending.words("us-east-1", key_id) == ""


@pytest.mark.parametrize("answer", [{}, {"KeyMetadata": None}, {"Tags": [{}], "KeyMetadata": {}}])
def test_answers_that_are_not_aws_cost_nothing_but_the_pending_changes(answer: Mapping[str, Any]) -> None:
    pending = PendingChanges()
    for operation in EFFECTS:
        pending.changed("eu-west-1", operation, {"KeyId": "k", "Tags": [{}]}, answer)
    pending.changed("eu-west-1", "DisableKey", {"KeyId": "k"}, {})
    for operation, _ in READS:
        read = pending.read("eu-west-1", operation, {"KeyId": "k"}, answer)
        assert read == answer or "KeyState" in read["KeyMetadata"]
