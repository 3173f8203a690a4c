"""Every change that has a way back is made and taken back on the offline KMS, which is then as it was."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kms_tui.backend.base import Backend, Wrapper
from kms_tui.kms.errors import ServiceError
from kms_tui.undo import REVERSALS, UndoHistory, UndoRecorder, not_undone
from kms_tui.undo.recorder import NO_WAY_BACK, NOTHING_CHANGED, SKIPPED, UNREADABLE
from tests.demo_copies import demo_copy

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
Change = tuple[str, dict[str, Any]]


@pytest.fixture
def demo() -> Backend:
    return demo_copy(NOW)


def _now() -> datetime:
    return NOW


def key_id(backend: Backend, alias: str) -> str:
    return str(backend.call("DescribeKey", {"KeyId": f"alias/{alias}"})["KeyMetadata"]["KeyId"])


def snapshot(backend: Backend, key: str) -> dict[str, Any]:
    """All that the changes below may change of a key."""
    aliases = backend.call("ListAliases", {"KeyId": key})["Aliases"]
    metadata = backend.call("DescribeKey", {"KeyId": key})["KeyMetadata"]
    rotation = {}
    if metadata["KeyState"] != "PendingDeletion":
        rotation = dict(backend.call("GetKeyRotationStatus", {"KeyId": key}))
        # The schedule begins anew when rotation is turned on again: no call can bring the old date back.
        rotation.pop("NextRotationDate", None)
    tags = backend.call("ListResourceTags", {"KeyId": key})["Tags"]
    return {
        "aliases": {alias["AliasName"] for alias in aliases},
        "state": metadata["KeyState"],
        "description": metadata["Description"],
        "rotation": rotation,
        "tags": {tag["TagKey"]: tag["TagValue"] for tag in tags},
        "policy": backend.call("GetKeyPolicy", {"KeyId": key, "PolicyName": "default"})["Policy"],
    }


def _tags(**values: str) -> list[dict[str, str]]:
    return [{"TagKey": key, "TagValue": value} for key, value in values.items()]


# Alias of the key, operation, parameters without the key.
CHANGES: list[tuple[str, str, dict[str, Any]]] = [
    ("sandbox", "CreateAlias", {"AliasName": "alias/another"}),
    ("search-index", "UpdateAlias", {"AliasName": "alias/sandbox"}),
    ("sandbox", "DeleteAlias", {"AliasName": "alias/sandbox"}),
    ("sandbox", "DisableKey", {}),
    ("sandbox-old", "EnableKey", {}),
    ("sandbox", "ScheduleKeyDeletion", {"PendingWindowInDays": 7}),
    ("sandbox-old", "ScheduleKeyDeletion", {"PendingWindowInDays": 30}),
    ("sandbox", "UpdateKeyDescription", {"Description": "other"}),
    ("sandbox", "TagResource", {"Tags": _tags(team="others", fresh="1")}),
    ("sandbox", "TagResource", {"Tags": _tags(fresh="1")}),
    ("sandbox", "UntagResource", {"TagKeys": ["team"]}),
    ("sandbox", "EnableKeyRotation", {"RotationPeriodInDays": 200}),
    ("orders-db", "EnableKeyRotation", {"RotationPeriodInDays": 200}),
    ("orders-db", "DisableKeyRotation", {}),
]


def made(demo: Backend, alias: str, operation: str, params: Mapping[str, Any]) -> Change:
    key = key_id(demo, alias)
    if operation == "DeleteAlias":
        return operation, dict(params)
    return operation, {**params, "TargetKeyId" if "Alias" in operation else "KeyId": key}


@pytest.mark.parametrize(("alias", "operation", "params"), CHANGES)
def test_a_change_taken_back_leaves_the_key_as_it_was(
    demo: Backend, alias: str, operation: str, params: dict[str, Any]
) -> None:
    keys = {key_id(demo, alias), key_id(demo, "sandbox")}
    before = {key: snapshot(demo, key) for key in keys}
    history = UndoHistory()
    change = made(demo, alias, operation, params)
    UndoRecorder(demo, history, _now).call(*change)
    assert {key: snapshot(demo, key) for key in keys} != before
    (step,), skipped = history.last()
    assert skipped == ()
    assert step.is_in_effect()
    step.undo_calls()
    assert {key: snapshot(demo, key) for key in keys} == before
    assert not step.is_in_effect()


def test_a_policy_comes_back_to_the_letter(demo: Backend) -> None:
    key, other = key_id(demo, "sandbox"), key_id(demo, "ledger")
    before = snapshot(demo, key)
    text = snapshot(demo, other)["policy"]
    history = UndoHistory()
    params = {"KeyId": key, "PolicyName": "default", "Policy": text}
    UndoRecorder(demo, history, _now).call("PutKeyPolicy", params)
    (step,), _ = history.last()
    assert step.is_in_effect()
    step.undo_calls()
    assert snapshot(demo, key) == before


def test_every_reversal_is_tried_above() -> None:
    others = {"PutKeyPolicy", "CreateGrant", "RevokeGrant", "RetireGrant", "CancelKeyDeletion"}
    others |= {"UpdatePrimaryRegion", "ConnectCustomKeyStore", "DisconnectCustomKeyStore"}
    others |= {"CreateCustomKeyStore", "UpdateCustomKeyStore"}  # test_undone_key_stores.py
    assert {operation for _, operation, _ in CHANGES} | others == set(REVERSALS)


def test_a_cancelled_deletion_is_scheduled_again_with_the_longest_window_and_that_is_said(
    demo: Backend,
) -> None:
    history, key = UndoHistory(), key_id(demo, "sandbox")
    demo.call("ScheduleKeyDeletion", {"KeyId": key, "PendingWindowInDays": 7})
    UndoRecorder(demo, history, _now).call("CancelKeyDeletion", {"KeyId": key})
    (step,), _ = history.last()
    assert step.is_in_effect()
    assert step.note == "The deletion gets a new date, 30 days from now."
    step.undo_calls()
    metadata = demo.call("DescribeKey", {"KeyId": key})["KeyMetadata"]
    assert metadata["KeyState"] == "PendingDeletion"
    assert metadata["DeletionDate"] - NOW > timedelta(days=29)
    assert not step.is_in_effect()


def test_a_primary_goes_back_to_the_region_where_it_was(demo: Backend) -> None:
    history, home = UndoHistory(), demo.region
    key = demo.call("CreateKey", {"MultiRegion": True})["KeyMetadata"]["KeyId"]
    demo.call("ReplicateKey", {"KeyId": key, "ReplicaRegion": "us-east-1"})
    arn = demo.call("DescribeKey", {"KeyId": key})["KeyMetadata"]["Arn"]
    backend = UndoRecorder(demo, history, _now)
    backend.call("UpdatePrimaryRegion", {"KeyId": arn, "PrimaryRegion": "us-east-1"})

    def primary() -> str:
        metadata = demo.call("DescribeKey", {"KeyId": key})["KeyMetadata"]
        return str(metadata["MultiRegionConfiguration"]["PrimaryKey"]["Region"])

    assert primary() == "us-east-1"
    (step,), _ = history.last()
    assert [call.region for call in step.undo] == ["us-east-1"]
    assert step.is_in_effect()
    step.undo_calls()
    assert primary() == home
    assert not step.is_in_effect()


def test_a_key_store_is_connected_and_disconnected_again(demo: Backend) -> None:
    history = UndoHistory()
    stores = demo.call("DescribeCustomKeyStores", {})["CustomKeyStores"]
    store = {"CustomKeyStoreId": stores[0]["CustomKeyStoreId"]}
    was = stores[0]["ConnectionState"]
    assert was in ("CONNECTED", "DISCONNECTED")
    backend = UndoRecorder(demo, history, _now)
    first, second = "DisconnectCustomKeyStore", "ConnectCustomKeyStore"
    if was == "DISCONNECTED":
        first, second = second, first

    def state() -> str:
        return str(demo.call("DescribeCustomKeyStores", store)["CustomKeyStores"][0]["ConnectionState"])

    for operation in (first, second):
        before = state()
        backend.call(operation, store)
        (step,), _ = history.last()
        assert step.is_in_effect()
        assert state() != before
        step.undo_calls()
        assert state() == before
        assert not step.is_in_effect()
        history.drop(step)
        demo.call(operation, store)


def test_a_grant_retired_by_its_token_alone_cannot_be_looked_at(demo: Backend) -> None:
    history, key = UndoHistory(), key_id(demo, "sandbox")
    token = demo.call("CreateGrant", {"KeyId": key, **GRANT})["GrantToken"]
    UndoRecorder(demo, history, _now).call("RetireGrant", {"GrantToken": token})
    steps, (skipped,) = history.last()
    assert (steps, skipped.reason, skipped.is_in_effect()) == ((), NO_WAY_BACK, True)


def test_an_import_token_is_no_change(demo: Backend) -> None:
    history = UndoHistory()
    key = demo.call("CreateKey", {"Origin": "EXTERNAL"})["KeyMetadata"]["KeyId"]
    wrap = {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"}
    UndoRecorder(demo, history, _now).call("GetParametersForImport", {"KeyId": key, **wrap})
    assert history.last() == ((), ())


def test_later_changes_from_here_of_the_same_key_are_told_from_others(demo: Backend) -> None:
    history, key = UndoHistory(), key_id(demo, "sandbox")
    arn = demo.call("DescribeKey", {"KeyId": key})["KeyMetadata"]["Arn"]
    backend = UndoRecorder(demo, history, _now)
    backend.call("ScheduleKeyDeletion", {"KeyId": arn, "PendingWindowInDays": 7})
    backend.call("DisableKey", {"KeyId": key_id(demo, "orders-db")})
    backend.call("CancelKeyDeletion", {"KeyId": key})
    for operation in ("CancelKeyDeletion", "DisableKey"):
        (step,), _ = history.last()
        assert step.call.operation == operation
        history.skip(step)
    (schedule,), skipped = history.last()
    assert [step.reason for step in skipped] == [SKIPPED, SKIPPED]
    assert not schedule.is_in_effect()
    assert [step.call.operation for step in history.later(schedule)] == ["CancelKeyDeletion"]


GRANT: dict[str, Any] = {
    "GranteePrincipal": "arn:aws:iam::111122223333:role/Reporter",
    "RetiringPrincipal": "arn:aws:iam::111122223333:role/Owner",
    "Operations": ["Decrypt", "Encrypt"],
    "Constraints": {"EncryptionContextEquals": {"app": "reports"}},
    "Name": "reports",
}


def grants(backend: Backend, key: str) -> list[dict[str, Any]]:
    """The grants of a key without what each has of its own."""
    return [
        {name: value for name, value in grant.items() if name not in ("GrantId", "CreationDate")}
        for grant in backend.call("ListGrants", {"KeyId": key})["Grants"]
    ]


def test_a_grant_that_was_made_is_revoked_by_its_own_id_and_others_stay(demo: Backend) -> None:
    history, key = UndoHistory(), key_id(demo, "partner-exchange")
    before = demo.call("ListGrants", {"KeyId": key})["Grants"]
    backend = UndoRecorder(demo, history, _now)
    backend.call("CreateGrant", {"KeyId": key, **GRANT})
    (step,), _ = history.last()
    assert step.is_in_effect()
    backend.call("CreateGrant", {"KeyId": key, **GRANT})
    again = history.last()[1]
    assert [each.reason for each in again] == [NOTHING_CHANGED], "the same name and members: the same grant"
    step.undo_calls()
    assert demo.call("ListGrants", {"KeyId": key})["Grants"] == before
    assert not step.is_in_effect()


@pytest.mark.parametrize("operation", ["RevokeGrant", "RetireGrant"])
def test_a_grant_that_was_taken_back_is_given_anew_with_another_id_and_that_is_said(
    demo: Backend, operation: str
) -> None:
    history, key = UndoHistory(), key_id(demo, "sandbox")
    grant = demo.call("CreateGrant", {"KeyId": key, **GRANT})["GrantId"]
    arn = demo.call("DescribeKey", {"KeyId": key})["KeyMetadata"]["Arn"]
    before = grants(demo, key)
    UndoRecorder(demo, history, _now).call(operation, {"KeyId": arn, "GrantId": grant})
    (step,), _ = history.last()
    assert step.is_in_effect()
    assert "another grant id" in step.note
    (answer,) = step.undo_calls()
    assert answer["GrantId"] != grant
    assert grants(demo, key) == before


SERVICE_GRANT: dict[str, Any] = {
    "GranteeServicePrincipal": "sns.amazonaws.com",
    "RetiringServicePrincipal": "sns.amazonaws.com",
    "Operations": ["Decrypt"],
    "Constraints": {"SourceArn": "arn:aws:sns:eu-west-1:111122223333:orders"},
}


def test_a_grant_to_a_service_is_undone_and_given_again_with_all_its_members(demo: Backend) -> None:
    history, key = UndoHistory(), key_id(demo, "sandbox")
    before = grants(demo, key)
    backend = UndoRecorder(demo, history, _now)
    grant = backend.call("CreateGrant", {"KeyId": key, **SERVICE_GRANT})["GrantId"]
    (made,), _ = history.last()
    assert made.is_in_effect()
    with_it = grants(demo, key)
    backend.call("RevokeGrant", {"KeyId": key, "GrantId": grant})
    assert not made.is_in_effect()
    (revoked,), _ = history.last()
    revoked.undo_calls()
    assert grants(demo, key) == with_it
    history.drop(revoked)
    (again,) = demo.call("ListGrants", {"KeyId": key})["Grants"]
    demo.call("RevokeGrant", {"KeyId": key, "GrantId": again["GrantId"]})
    assert grants(demo, key) == before


def test_what_somebody_else_changed_since_no_longer_stands(demo: Backend) -> None:
    history, key = UndoHistory(), key_id(demo, "sandbox")
    UndoRecorder(demo, history, _now).call("UpdateKeyDescription", {"KeyId": key, "Description": "mine"})
    demo.call("UpdateKeyDescription", {"KeyId": key, "Description": "theirs"})
    (step,), _ = history.last()
    assert not step.is_in_effect()


def test_a_change_that_changed_nothing_is_not_taken_back(demo: Backend) -> None:
    history = UndoHistory()
    UndoRecorder(demo, history, _now).call("DisableKey", {"KeyId": key_id(demo, "sandbox-old")})
    steps, (skipped,) = history.last()
    assert steps == ()
    assert skipped.reason == NOTHING_CHANGED


class Denying(Wrapper):
    def __init__(self, inner: Backend, denied: str) -> None:
        super().__init__(inner)
        self._denied = denied

    def around(self, inner: Backend) -> Denying:
        return Denying(inner, self._denied)

    def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if operation == self._denied:
            raise ServiceError("AccessDeniedException", "no", operation=operation)
        return self.inner.call(operation, params)


def test_who_may_not_look_may_still_change_but_has_no_way_back(demo: Backend) -> None:
    history, key = UndoHistory(), key_id(demo, "sandbox")
    UndoRecorder(Denying(demo, "DescribeKey"), history, _now).call("DisableKey", {"KeyId": key})
    assert snapshot(demo, key)["state"] == "Disabled"
    steps, (skipped,) = history.last()
    assert (steps, skipped.reason) == ((), UNREADABLE)


def test_a_change_that_failed_is_not_remembered(demo: Backend) -> None:
    history, key = UndoHistory(), key_id(demo, "sandbox")
    with pytest.raises(ServiceError):
        UndoRecorder(Denying(demo, "DisableKey"), history, _now).call("DisableKey", {"KeyId": key})
    assert history.last() == ((), ())


def test_what_has_no_way_back_is_named_and_what_came_before_it_is_next(demo: Backend) -> None:
    history, key = UndoHistory(), key_id(demo, "orders-db")
    backend = UndoRecorder(demo, history, _now)
    backend.call("DisableKeyRotation", {"KeyId": key})
    backend.call("RotateKeyOnDemand", {"KeyId": key})
    (step,), (skipped,) = history.last()
    assert step.call.operation == "DisableKeyRotation"
    assert (skipped.call.operation, skipped.reason) == ("RotateKeyOnDemand", NO_WAY_BACK)


def test_changes_made_together_are_one_group_newest_first_and_other_regions_belong_to_it(
    demo: Backend,
) -> None:
    history = UndoHistory()
    backend = UndoRecorder(demo, history, _now)
    backend.call("DisableKey", {"KeyId": key_id(demo, "ledger")})
    elsewhere = backend.in_region("us-east-1")
    key = elsewhere.call("CreateKey", {})["KeyMetadata"]["KeyId"]
    with history.together():
        backend.call("DisableKey", {"KeyId": key_id(demo, "sandbox")})
        elsewhere.call("DisableKey", {"KeyId": key})
    steps, _ = history.last()
    assert [step.region for step in steps] == ["us-east-1", "eu-west-1"]
    for step in steps:
        step.undo_calls()
        history.drop(step)
    assert snapshot(elsewhere, key)["state"] == snapshot(demo, key_id(demo, "sandbox"))["state"] == "Enabled"
    assert [step.call.params["KeyId"] for step in history.last()[0]] == [key_id(demo, "ledger")]


def test_reading_is_not_remembered_and_nothing_is_shown_of_values(demo: Backend) -> None:
    history = UndoHistory()
    backend = UndoRecorder(demo, history, _now)
    backend.call("ListKeys", {})
    assert history.last() == ((), ())
    backend.call("UpdateKeyDescription", {"KeyId": key_id(demo, "sandbox"), "Description": "my secret plan"})
    assert "secret plan" not in repr(history.last())


def test_many_changes_made_together_are_undone_together_however_many(demo: Backend) -> None:
    history = UndoHistory(limit=5)
    backend = UndoRecorder(demo, history, _now)
    key = key_id(demo, "sandbox")
    backend.call("DisableKey", {"KeyId": key_id(demo, "ledger")})
    with history.together():
        for number in range(12):
            backend.call("UpdateKeyDescription", {"KeyId": key, "Description": str(number)})
    steps, _ = history.last()
    assert len(steps) == 12
    for number in range(5):
        backend.call("UpdateKeyDescription", {"KeyId": key, "Description": f"later {number}"})
    for _ in range(5):
        ((step,), _) = history.last()
        history.drop(step)
    assert history.last() == ((), ()), "the groups before the last five are forgotten"


def test_an_undo_of_two_calls_goes_on_at_the_one_that_failed(demo: Backend) -> None:
    history, key = UndoHistory(), key_id(demo, "sandbox")
    denied = {"EnableKey"}

    class Once(Wrapper):
        def around(self, inner: Backend) -> Once:
            return Once(inner)

        def call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
            if operation in denied:
                denied.remove(operation)
                raise ServiceError("ThrottlingException", operation=operation)
            return self.inner.call(operation, params)

    UndoRecorder(Once(demo), history, _now).call("ScheduleKeyDeletion", {"KeyId": key})
    (step,), _ = history.last()
    with pytest.raises(ServiceError, match="Throttling"):
        step.undo_calls()
    assert snapshot(demo, key)["state"] == "Disabled"
    step.undo_calls()
    assert snapshot(demo, key)["state"] == "Enabled"


def test_a_deletion_that_was_cancelled_meanwhile_still_enables_the_key(demo: Backend) -> None:
    history, key = UndoHistory(), key_id(demo, "sandbox")
    UndoRecorder(demo, history, _now).call("ScheduleKeyDeletion", {"KeyId": key})
    demo.call("CancelKeyDeletion", {"KeyId": key})
    (step,), _ = history.last()
    step.undo_calls()
    assert snapshot(demo, key)["state"] == "Enabled"


def test_what_keeps_an_account_of_its_own_is_not_offered(demo: Backend) -> None:
    history = UndoHistory()
    recorder = UndoRecorder(demo, history, _now)
    key = key_id(demo, "sandbox")
    recorder.call("DisableKey", {"KeyId": key})
    with not_undone("a campaign did it"):
        recorder.call("UpdateAlias", {"AliasName": "alias/secrets", "TargetKeyId": key})
        recorder.call("CreateKey", {})
    (offered,), skipped = history.last()
    assert offered.call.operation == "DisableKey"
    assert [(each.call.operation, each.reason) for each in skipped] == [
        ("CreateKey", "a campaign did it"),
        ("UpdateAlias", "a campaign did it"),
    ]
    recorder.call("EnableKey", {"KeyId": key})
    assert history.last()[0][0].call.operation == "EnableKey"
