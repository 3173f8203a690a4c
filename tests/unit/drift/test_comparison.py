"""States that Terraform wrote of an account, against the account: as it was, and changed by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kms_tui.backend.kms_facade import Kms
from kms_tui.backend.local import LocalBackend
from kms_tui.drift.comparison import StateComparison
from kms_tui.drift.drift import SENSITIVE, Difference, DriftReport
from kms_tui.drift.live_account import LiveAccount
from kms_tui.drift.state import State, StateResource
from kms_tui.drift.state_reading import read_state
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.model import CallerIdentity
from tests.as_code_account import account

_DATA = Path(__file__).parents[2] / "data" / "terraform"
_ID = "1234abcd-12ab-34cd-56ef-0000000000"
_MRK = f"mrk-{'a' * 32}"
Change = tuple[str, Mapping[str, Any]]


def state(name: str = "as-code.tfstate") -> State:
    return read_state((_DATA / name).read_bytes(), name)


def compared(found: State, kms: Kms, keys: Mapping[str, str] | None = None) -> DriftReport:
    comparison = StateComparison(found, LiveAccount(kms.in_region_of, kms))
    comparison.run()
    assert comparison.done == len(found.resources)
    return comparison.report(keys)


def after(*changes: Change, name: str = "as-code.tfstate") -> DriftReport:
    backend = account(key_stores=False).backend
    for operation, params in changes:
        backend.call(operation, params)
    return compared(state(name), Kms(backend))


@pytest.mark.parametrize("name", ["as-code.tfstate", "as-code-show.json"])
def test_the_account_that_terraform_read_is_as_the_state_says(name: str) -> None:
    report = after(name=name)
    assert (report.resources, report.drifted, report.not_compared) == (39, (), ())
    assert report.is_clean


def _policy(*statements: dict[str, Any]) -> str:
    root = "arn:aws:iam::111122223333:root"
    owner = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [owner, *statements]})


_APP = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::111122223333:role/app"},
    "Action": "kms:Decrypt",
    "Resource": "*",
}


@pytest.mark.parametrize(
    ("change", "address", "kind", "differences"),
    [
        (
            ("UpdateKeyDescription", {"KeyId": f"{_ID}04", "Description": "new"}),
            "aws_kms_key.rsa",
            "changed",
            [("description", "", "new", ())],
        ),
        (
            ("DisableKey", {"KeyId": f"{_ID}04"}),
            "aws_kms_key.rsa",
            "changed",
            [("is_enabled", True, False, ())],
        ),
        (
            ("DisableKey", {"KeyId": f"{_ID}0a"}),
            "aws_kms_external_key.imported",
            "changed",
            [("enabled", True, False, ())],
        ),
        (
            ("EnableKeyRotation", {"KeyId": f"{_ID}01", "RotationPeriodInDays": 180}),
            "aws_kms_key.orders",
            "changed",
            [("rotation_period_in_days", 90, 180, ())],
        ),
        (
            ("DisableKeyRotation", {"KeyId": f"{_ID}01"}),
            "aws_kms_key.orders",
            "changed",
            [("enable_key_rotation", True, False, ())],
        ),
        (
            ("TagResource", {"KeyId": f"{_ID}01", "Tags": [{"TagKey": "team", "TagValue": "b"}]}),
            "aws_kms_key.orders",
            "changed",
            [("tags.team", "payments", "b", ())],
        ),
        (
            ("UntagResource", {"KeyId": f"{_ID}01", "TagKeys": ["empty"]}),
            "aws_kms_key.orders",
            "changed",
            [("tags.empty", "", None, ())],
        ),
        (("DeleteAlias", {"AliasName": "alias/mac"}), "aws_kms_alias.mac", "gone", []),
        (
            ("UpdateAlias", {"AliasName": "alias/mac", "TargetKeyId": f"{_ID}09"}),
            "aws_kms_alias.mac",
            "changed",
            [("target_key_id", f"{_ID}08", f"{_ID}09", ())],
        ),
        (
            ("RevokeGrant", {"KeyId": f"{_ID}01", "GrantId": "1" * 64}),
            "aws_kms_grant.orders_workers",
            "gone",
            [],
        ),
        (
            ("ScheduleKeyDeletion", {"KeyId": f"{_ID}06", "PendingWindowInDays": 7}),
            "aws_kms_key.coin",
            "scheduled for deletion",
            [],
        ),
        (
            ("DeleteImportedKeyMaterial", {"KeyId": f"{_ID}0a"}),
            "aws_kms_external_key.imported",
            "changed",
            [
                ("enabled", True, False, ()),
                ("expiration_model", "KEY_MATERIAL_EXPIRES", "", ()),
                ("valid_to", "2027-06-01T12:30:00Z", None, ()),
            ],
        ),
    ],
)
def test_what_was_changed_by_hand_is_found(
    change: Change, address: str, kind: str, differences: list[Any]
) -> None:
    (drifted,) = after(change).drifted
    assert (drifted.resource.address, drifted.kind) == (address, kind)
    assert [tuple(each) for each in drifted.differences] == differences


def test_a_policy_of_the_same_meaning_is_no_drift_and_another_is_told_in_effect() -> None:
    put = ("PutKeyPolicy", {"KeyId": f"{_ID}04", "Policy": _policy()})
    assert after(put).is_clean
    report = after(("PutKeyPolicy", {"KeyId": f"{_ID}04", "Policy": _policy(_APP)}))
    (drifted,) = report.drifted
    (difference,) = drifted.differences
    assert (difference.attribute, difference.words) == ("policy", ("role/app gains kms:Decrypt",))


def test_a_change_in_one_region_is_found_there() -> None:
    backend = account(key_stores=False).backend
    backend.in_region("us-east-1").call("UpdateKeyDescription", {"KeyId": _MRK, "Description": "x"})
    (drifted,) = compared(state(), Kms(backend)).drifted
    assert drifted.resource.arn == f"arn:aws:kms:us-east-1:111122223333:key/{_MRK}"


def test_a_plan_says_what_it_takes_away_and_what_goes_with_it() -> None:
    report = after(name="as-code-plan.json")
    # The plan was made after changes by hand, which the account of this test has not.
    assert report.drifted == ()
    assert not report.is_clean
    losses = {loss.planned.resource.address: loss for loss in report.losses}
    assert {address: loss.planned.replaces for address, loss in losses.items()} == {
        "aws_kms_alias.waiting": False,
        "aws_kms_external_key.waiting": False,
        "aws_kms_grant.orders_root": False,
        "aws_kms_key.rsa": True,
    }
    rsa = losses["aws_kms_key.rsa"]
    assert rsa.planned.reasons == ('customer_master_key_spec changes from "RSA_3072" to "RSA_4096"',)
    assert rsa.consequences[:2] == (
        "The key is scheduled for deletion; what is encrypted under it can then not be read.",
        "Its aliases name another key afterwards, or none: alias/rsa.",
    )
    assert losses["aws_kms_alias.waiting"].consequences == (
        "Requests that name alias/waiting fail while it is gone.",
    )
    assert losses["aws_kms_grant.orders_root"].consequences == (
        "arn:aws:iam::444455556666:root loses DescribeKey.",
    )


# Places and bad values


def _key(**attributes: Any) -> StateResource:
    return StateResource("aws_kms_key.k", "aws_kms_key", attributes)


@pytest.fixture(scope="module")
def backend() -> LocalBackend:
    return account(key_stores=False).backend


@pytest.mark.parametrize(
    ("arn", "reason"),
    [
        (
            f"arn:aws:kms:eu-west-1:999999999999:key/{_ID}01",
            "its account 999999999999 is not one of this session",
        ),
        ("", "nothing is no ARN"),
        ("key/x", "key/x is no ARN"),
    ],
)
def test_what_the_session_cannot_reach_is_said(backend: LocalBackend, arn: str, reason: str) -> None:
    report = compared(State(False, (_key(arn=arn),)), Kms(backend))
    (missed,) = report.not_compared
    assert missed.reason.startswith(reason)
    assert report.drifted == ()


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        ("111122223333", "its account 999999999999 is not one of this session (111122223333)"),
        ("", "its account 999999999999 is not one of this session as far as is known"),
    ],
)
def test_an_account_that_is_not_known_yet_is_asked_for(
    backend: LocalBackend, account: str, reason: str
) -> None:
    class Unknowing(Kms):
        @property
        def account_id(self) -> str:
            return ""

        def caller(self) -> CallerIdentity:
            return CallerIdentity(account)

        def in_region_of(self, key: str) -> Kms:
            return self

    alias = {"arn": "arn:aws:kms:eu-west-1:999999999999:alias/rsa", "name": "alias/none"}
    other = StateResource("aws_kms_alias.a", "aws_kms_alias", alias)
    key = _key(arn=f"arn:aws:kms:eu-west-1:111122223333:key/{_ID}04", is_enabled=True)
    report = compared(State(False, (other, key)), Unknowing(backend))
    assert report.drifted == ()
    assert report.not_compared[0] == ("aws_kms_alias.a", reason)
    assert len(report.not_compared) == (1 if account else 2)


def test_a_refused_call_leaves_its_resource_out_and_the_others_compared(backend: LocalBackend) -> None:
    class Refusing(Kms):
        def key_policy(self, key: str) -> str:
            raise ServiceError("AccessDeniedException", "no")

    alias = StateResource(
        "aws_kms_alias.a",
        "aws_kms_alias",
        {"arn": "arn:aws:kms:eu-west-1:111122223333:alias/none", "name": "alias/none"},
    )
    key = _key(arn=f"arn:aws:kms:eu-west-1:111122223333:key/{_ID}01", policy="{}")
    report = compared(State(False, (key, alias)), Refusing(backend))
    assert [each.reason for each in report.not_compared] == ["AccessDeniedException: no"]
    assert [each.kind for each in report.drifted] == ["gone"]


def test_a_key_that_never_was_is_gone(backend: LocalBackend) -> None:
    arn = f"arn:aws:kms:eu-west-1:111122223333:key/{_ID}99"
    (drifted,) = compared(State(False, (_key(arn=arn),)), Kms(backend)).drifted
    assert drifted.kind == "gone"


def test_sensitive_values_are_not_in_the_report(backend: LocalBackend) -> None:
    arn = f"arn:aws:kms:eu-west-1:111122223333:key/{_ID}01"
    attributes = {"arn": arn, "description": "hidden", "policy": _policy(_APP), "tags": {"a": "hidden"}}
    resource = StateResource(
        "aws_kms_key.k", "aws_kms_key", attributes, frozenset({"description", "policy", "tags"})
    )
    (drifted,) = compared(State(False, (resource,)), Kms(backend)).drifted
    assert {each.attribute for each in drifted.differences} > {"description", "policy", "tags.a"}
    assert {(each.in_state, each.in_account) for each in drifted.differences} == {(SENSITIVE, SENSITIVE)}


@pytest.mark.parametrize(
    ("attributes", "provider", "is_there"),
    [
        ({"key_id": f"arn:aws:kms:eu-central-1:111122223333:key/{_MRK}"}, "", True),
        ({"key_id": f"arn:aws:kms:us-east-1:111122223333:key/{_MRK}"}, "", False),
        ({"key_id": _MRK, "region": "eu-central-1"}, "", True),
        ({"key_id": _MRK}, "in us-east-1", False),
        ({"key_id": _MRK}, "", True),  # it may be of any of them
        ({"key_id": f"{_ID}01"}, "", False),
    ],
)
def test_a_grant_is_looked_for_where_its_key_is(
    backend: LocalBackend, attributes: dict[str, Any], provider: str, is_there: bool
) -> None:
    keys = tuple(
        StateResource(
            region,
            "aws_kms_key",
            {"arn": f"arn:aws:kms:{region}:111122223333:key/{_MRK}"},
            provider=f"in {region}",
        )
        for region in ("us-east-1", "eu-central-1", "eu-west-1")
    )
    grant = {
        "id": f"{_MRK}:{'6' * 64}",
        "name": "at:the/replica",
        "grantee_principal": "arn:aws:iam::111122223333:role/worker",
        "operations": ["Decrypt"],
        **attributes,
    }
    resource = StateResource("aws_kms_grant.g", "aws_kms_grant", grant, provider=provider)
    report = compared(State(False, (*keys, resource)), Kms(backend))
    found = [each.kind for each in report.drifted if each.resource.kind == "aws_kms_grant"]
    assert found == ([] if is_there else ["gone"])


def test_a_policy_resource_is_compared_with_its_key(backend: LocalBackend) -> None:
    key = StateResource("k", "aws_kms_key", {"arn": f"arn:aws:kms:eu-west-1:111122223333:key/{_ID}04"})
    same = StateResource("p", "aws_kms_key_policy", {"key_id": f"{_ID}04", "policy": _policy()})
    other = StateResource("q", "aws_kms_key_policy", {"key_id": f"{_ID}04", "policy": _policy(_APP)})
    (drifted,) = compared(State(False, (key, same, other)), Kms(backend)).drifted
    assert drifted.resource.address == "q"
    assert drifted.differences[0].words == ("role/app loses kms:Decrypt",)


def test_a_policy_of_a_key_in_several_regions_is_not_guessed(backend: LocalBackend) -> None:
    keys = tuple(
        StateResource(region, "aws_kms_key", {"arn": f"arn:aws:kms:{region}:111122223333:key/{_MRK}"})
        for region in ("eu-west-1", "us-east-1")
    )
    policy = StateResource("p", "aws_kms_key_policy", {"key_id": _MRK, "policy": _policy()})
    report = compared(State(False, (*keys, policy)), Kms(backend))
    assert report.not_compared == (("p", "the state does not say which Region's key it means"),)


def test_custom_key_stores_are_compared_by_their_settings() -> None:
    backend = account().backend
    store: Any = backend.call("DescribeCustomKeyStores", {})["CustomKeyStores"][0]
    attributes = {
        "id": store["CustomKeyStoreId"],
        "custom_key_store_name": "renamed",
        "cloud_hsm_cluster_id": store["CloudHsmClusterId"],
        "key_store_password": "secret",
    }
    kind = "aws_kms_custom_key_store"
    resources = (StateResource("s", kind, attributes), StateResource("t", kind, {"id": "cks-none"}))
    changed, gone = compared(State(False, resources), Kms(backend)).drifted
    assert changed.differences == (Difference("custom_key_store_name", "renamed", "hsm"),)
    assert gone.kind == "gone"


@pytest.mark.parametrize(
    "attributes",
    [
        {"description": 7, "is_enabled": "x", "tags_all": [], "policy": {}, "rotation_period_in_days": []},
        {"description": None, "tags": {"a": None, "b": 3}, "valid_to": "soon"},
    ],
)
def test_odd_values_differ_and_nothing_breaks(backend: LocalBackend, attributes: dict[str, Any]) -> None:
    arn = f"arn:aws:kms:eu-west-1:111122223333:key/{_ID}01"
    (drifted,) = compared(State(False, (_key(arn=arn, **attributes),)), Kms(backend)).drifted
    assert drifted.differences


def test_keys_that_the_state_does_not_hold(backend: LocalBackend) -> None:
    held = f"arn:aws:kms:eu-west-1:111122223333:key/{_ID}01"
    other = f"arn:aws:kms:eu-west-1:111122223333:key/{_ID}02"
    report = compared(State(False, (_key(arn=held),)), Kms(backend), {held: "a", other: "b"})
    assert (report.unmanaged, report.is_clean) == (((other, "b"),), True)
