"""What is read of states and plans, and one sentence for everything that is none."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kms_tui.drift.state import KINDS, State, merged
from kms_tui.drift.state_reading import read_state
from kms_tui.kms.errors import ConfigurationError

_DATA = Path(__file__).parents[2] / "data" / "terraform"
_ARN = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-000000000001"


def read(document: object) -> State:
    return read_state(json.dumps(document).encode(), "x")


def addresses(state: State) -> list[str]:
    return [resource.address for resource in state.resources]


@pytest.mark.parametrize("name", ["as-code.tfstate", "as-code-show.json", "as-code-plan.json"])
def test_what_terraform_writes_of_one_state_is_read_alike(name: str) -> None:
    state = read_state((_DATA / name).read_bytes(), name)
    raw = read_state((_DATA / "as-code.tfstate").read_bytes(), "raw")
    assert sorted(addresses(state)) == sorted(addresses(raw))
    assert len(addresses(raw)) == 39
    assert state.is_plan == (name == "as-code-plan.json")
    assert {resource.kind for resource in raw.resources} <= KINDS


def _resource(kind: str = "aws_kms_key", *instances: Any, **members: Any) -> dict[str, Any]:
    return {"mode": "managed", "type": kind, "name": "a", "instances": list(instances), **members}


def _raw(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"version": 4, "lineage": "", "serial": 1, "resources": list(resources)}


def test_addresses_of_a_state_file_are_those_of_terraform() -> None:
    state = read(
        _raw(
            _resource("aws_kms_key", {"attributes": {"arn": _ARN}}, {"index_key": 1}, module='module.m["x"]'),
            _resource("aws_kms_alias", {"index_key": 'a"b'}, {"deposed": "8cd1"}),
            _resource("aws_kms_key", {"attributes": {}}, mode="data"),
            _resource("aws_s3_bucket", {}, {}),
            _resource("aws_kms_ciphertext", {"attributes": {"plaintext": "secret"}}),
        )
    )
    assert addresses(state) == [
        'module.m["x"].aws_kms_key.a',
        'module.m["x"].aws_kms_key.a[1]',
        'aws_kms_alias.a["a\\"b"]',
        "aws_kms_alias.a (deposed 8cd1)",
    ]
    assert (state.resources[0].arn, state.others) == (_ARN, 3)


def test_modules_within_modules_of_a_shown_state() -> None:
    inner = {
        "resources": [
            {"address": "module.a.module.b.aws_kms_key.k[0]", "mode": "managed", "type": "aws_kms_key"}
        ]
    }
    root = {"child_modules": [{"child_modules": [inner]}]}
    state = read({"format_version": "1.0", "values": {"root_module": root}})
    assert addresses(state) == ["module.a.module.b.aws_kms_key.k[0]"]


def test_what_is_sensitive_is_known_by_name() -> None:
    path = [{"type": "get_attr", "value": "policy"}, {"type": "index", "value": 0}]
    (raw,) = read(
        _raw(_resource("aws_kms_key", {"attributes": {}, "sensitive_attributes": [path]}))
    ).resources
    assert {"policy", "grant_token"} <= raw.sensitive
    entry = {
        "address": "k",
        "mode": "managed",
        "type": "aws_kms_key",
        "sensitive_values": {"tags": {"a": True}, "b": {}},
    }
    (shown,) = read({"format_version": "1.0", "values": {"root_module": {"resources": [entry]}}}).resources
    assert ("tags" in shown.sensitive, "b" in shown.sensitive) == (True, False)


def _change(actions: list[str], **change: Any) -> dict[str, Any]:
    entry = {
        "address": "aws_kms_key.k",
        "mode": "managed",
        "type": "aws_kms_key",
        "change": {"actions": actions, **change},
    }
    return entry | {"action_reason": change.pop("reason", "")}


def _plan(*changes: dict[str, Any]) -> dict[str, Any]:
    return {"format_version": "1.2", "resource_changes": list(changes)}


@pytest.mark.parametrize(
    ("change", "replaces", "reasons"),
    [
        (
            _change(["delete"], reason="delete_because_no_resource_config"),
            False,
            ["the configuration no longer has the resource"],
        ),
        (_change(["create", "delete"], reason="replace_because_tainted"), True, ["it is tainted"]),
        (
            _change(["delete", "create"], reason="replace_by_some_new_reason"),
            True,
            ["replace by some new reason"],
        ),
        (
            _change(
                ["delete", "create"],
                reason="replace_because_cannot_update",
                before={"key_usage": "A", "valid_to": None, "policy": "hidden"},
                after={"key_usage": "B", "policy": "hidden too"},
                after_unknown={"valid_to": True},
                before_sensitive={"policy": True},
                replace_paths=[["key_usage"], ["valid_to"], ["policy", 0, "x"], [7]],
            ),
            True,
            [
                'key_usage changes from "A" to "B"',
                "valid_to changes from none to what only the apply tells",
                "policy changes, which is sensitive",
            ],
        ),
    ],
)
def test_what_a_plan_takes_away_is_told_with_why(
    change: dict[str, Any], replaces: bool, reasons: list[str]
) -> None:
    (loss,) = read(_plan(change)).losses
    assert (loss.replaces, list(loss.reasons)) == (replaces, reasons)


def test_other_changes_of_a_plan_are_no_losses() -> None:
    changes = [_change([action]) for action in ("create", "update", "no-op", "read", "forget")]
    assert read(_plan(*changes)).losses == ()


def test_a_plan_that_only_makes_keys_holds_nothing_to_compare_and_is_not_empty() -> None:
    state = read(_plan(_change(["create"]), _change(["update"])))
    assert (state.resources, state.new, state.is_empty) == ((), 1, False)


def test_a_plan_is_compared_as_the_state_was_before_its_refresh() -> None:
    prior = {
        "address": "aws_kms_key.k",
        "mode": "managed",
        "type": "aws_kms_key",
        "values": {"description": "new"},
    }
    drift = _change(["update"], before={"description": "old"}, after={"description": "new"})
    gone = _change(["delete"], before={"description": "gone"}) | {"address": "aws_kms_key.gone"}
    plan = {
        **_plan(),
        "prior_state": {"values": {"root_module": {"resources": [prior]}}},
        "resource_drift": [drift, gone],
    }
    assert {each.address: each.text("description") for each in read(plan).resources} == {
        "aws_kms_key.k": "old",
        "aws_kms_key.gone": "gone",
    }


def test_a_tainted_resource_is_replaced_by_the_next_plan() -> None:
    (loss,) = read(_raw(_resource("aws_kms_key", {"attributes": {}, "status": "tainted"}))).losses
    assert (loss.replaces, loss.reasons) == (True, ("it is tainted",))


def test_several_files_are_one_state_with_their_names_before_the_addresses() -> None:
    one = read(_raw(_resource("aws_kms_key", {"status": "tainted"}, provider="p")))
    state = merged({"a": one, "b": read(_raw())})
    assert addresses(state) == ["a: aws_kms_key.a"]
    assert state.losses[0].resource.address == "a: aws_kms_key.a"
    assert (state.is_empty, merged({"b": read(_raw())}).is_empty) == (False, True)


_STATE = (_DATA / "as-code.tfstate").read_bytes()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "x is empty."),
        (b" \n", "x is empty."),
        (
            b"PK\x03\x04rest",
            "x is a saved plan in Terraform's own form. `terraform show -json FILE` prints what",
        ),
        (_STATE[:5000], "x ends in the middle: it is not whole."),
        (b'{"version": 4, "resources": [', "x ends in the middle: it is not whole."),
        (b'{"a": nonsense}', "x is no JSON: line 1, column 7: Expecting value."),
        (b"\x00\xff\xfe binary", "x is no JSON: line 1, column 1"),
        (b"[" * 100_000, "x is nested too deeply for a state."),
        (b'{"version": ' + b"9" * 5000 + b"}", "x is no JSON that can be read: a number in it is too long."),
        (b'{"@level":"info"}\n{"@level":"info"}', "x is the log of `terraform plan -json`, not the plan."),
        (b"[]", "x is no Terraform state or plan: its JSON is no object."),
        (b"{}", "x is no Terraform state or plan. `terraform show -json FILE` prints what is read here."),
        (b'{"version": 4}', "x is no Terraform state or plan."),
        (b'{"version": 3, "serial": 1, "modules": []}', "x is a state of version 3; version 4 is read here"),
        (b'{"version": true, "serial": 1}', "x is a state of version True;"),
        (b'{"version": [1], "serial": 1}', "x is a state of version [1];"),
        (
            b'{"version": 3, "serial": 1, "backend": {"type": "s3"}}',
            "x only says where the state is; `terraform state",
        ),
        (b'{"encrypted_data": "x", "serial": 1}', "x is encrypted by OpenTofu; `tofu show -json` prints"),
        (
            b'{"format_version": "2.0", "values": {}}',
            "x has the format 2.0 of `terraform show -json`; 1 is read",
        ),
        (b'{"format_version": {}, "values": {}}', "x has the format {} of"),
        (
            b'{"version": 4, "serial": 1, "resources": {}}',
            'x is no whole state or plan: its "resources" is no list.',
        ),
        (
            b'{"version": 4, "serial": 1, "resources": ["secret"]}',
            "x is no whole state or plan: something else stands",
        ),
        (
            b'{"format_version": "1.0", "values": {"root_module": [1]}}',
            "x is no whole state or plan: something else",
        ),
        (
            b'{"format_version": "1.0", "resource_changes": [1]}',
            "x is no whole state or plan: something else",
        ),
    ],
)
def test_what_is_no_state_gets_one_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_state(content, "x")
    assert str(caught.value).startswith(sentence)
    assert "secret" not in str(caught.value)


def test_a_state_with_a_byte_order_mark_or_in_utf_16_is_read() -> None:
    text = json.dumps(_raw(_resource("aws_kms_key", {})))
    for encoding in ("utf-8-sig", "utf-16"):
        assert addresses(read_state(text.encode(encoding), "x")) == ["aws_kms_key.a"]


_NAMES = ["resources", "instances", "type", "mode", "address", "values", "root_module", "child_modules"]
_NAMES += ["change", "actions", "before", "replace_paths", "sensitive_attributes", "attributes"]
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(_NAMES), inner | st.sampled_from(["aws_kms_key", "managed", "delete"]), max_size=4
        )
    ),
    max_leaves=12,
)


@given(_VALUES, st.sampled_from([{"version": 4, "serial": 1}, {"format_version": "1.0"}]), st.booleans())
def test_whatever_stands_where_gets_an_answer_or_a_sentence(
    value: Any, head: dict[str, Any], plan: bool
) -> None:
    document = {**head, "resources": value, "values": value, "prior_state": value}
    if plan:
        document["resource_changes"] = document["resource_drift"] = value
    with contextlib.suppress(ConfigurationError):
        read(document)
