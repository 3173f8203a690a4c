"""Templates that cfn-lint finds no fault with, and what is imported into the stacks."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import yaml
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from kms_tui.as_code.cloudformation import MAX_RESOURCES, cloudformation
from kms_tui.as_code.code import Code
from kms_tui.kms.model import KeyUsage
from tests.as_code_account import REGIONS, read

_ID = "1234abcd-12ab-34cd-56ef-0000000000"


def everything() -> Code:
    return cloudformation(read().definitions)


def template(code: Code, name: str = "kms-keys.yaml") -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(code.files[name])
    return found


@pytest.mark.parametrize("region", REGIONS)
def test_cfn_lint_finds_no_fault(region: str) -> None:
    text = everything().files[f"kms-keys-111122223333-{region}.yaml"]
    assert [str(match) for match in lint(text, config=ManualArgs(regions=[region]))] == []


@pytest.mark.parametrize("region", REGIONS)
def test_every_resource_is_imported_and_outlives_its_stack(region: str) -> None:
    code = everything()
    resources = template(code, f"kms-keys-111122223333-{region}.yaml")["Resources"]
    listed = json.loads(code.files[f"resources-to-import-111122223333-{region}.json"])
    assert {each["LogicalResourceId"]: each["ResourceType"] for each in listed} == {
        name: resource["Type"] for name, resource in resources.items()
    }
    for each in listed:
        resource = resources[each["LogicalResourceId"]]
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")
        identifier = {"AWS::KMS::Alias": "AliasName"}.get(each["ResourceType"], "KeyId")
        assert list(each["ResourceIdentifier"]) == [identifier]


def test_a_key_is_written_as_it_is() -> None:
    code = cloudformation(read("alias/orders-v2", "alias/waiting").definitions)
    assert list(code.files) == ["kms-keys.yaml", "resources-to-import.json"]
    assert "create-change-set --region eu-west-1" in code.files["kms-keys.yaml"]
    resources = template(code)["Resources"]
    properties = resources["OrdersV2"]["Properties"]
    (definition,) = read("alias/orders-v2").definitions
    assert properties["KeyPolicy"] == json.loads(definition.policy)
    assert (properties["Description"], properties["Enabled"]) == (definition.key.description, False)
    assert resources["OrdersV2Alias"]["Properties"]["TargetKeyId"] == {"Ref": "OrdersV2"}
    waiting = resources["Waiting"]["Properties"]
    assert (waiting["Origin"], waiting["Enabled"]) == ("EXTERNAL", True)


def test_what_no_template_holds_is_said() -> None:
    notes = everything().notes
    assert "alias/orders: its 5 grants stay as they are; no resource type holds grants." in notes
    assert "alias/imported: its key material is imported; no template holds it." in notes
    assert {note.partition(":")[0] for note in notes if "is left out" in note} == {
        "alias/in-hsm in eu-west-1 is left out",
        "alias/in-xks in eu-west-1 is left out",
        f"mrk-{'c' * 32} in us-east-1 is left out",
    }


def test_a_stack_that_is_too_large_is_said() -> None:
    (one,) = read("alias/coin").definitions
    many = [
        replace(one, aliases=(), key=replace(one.key, arn=f"{one.key.arn}{number}", key_id=f"{number:08x}"))
        for number in range(MAX_RESOURCES + 1)
    ]
    notes = cloudformation(many).notes
    assert [note.split(":")[0].partition(" has ")[0] for note in notes] == [
        "The template of 111122223333 in eu-west-1",
        "The template of 111122223333 in eu-west-1 is larger than 51,200 bytes",
    ]


def test_a_policy_that_is_no_object_leaves_its_key_out() -> None:
    (one,) = read("alias/coin").definitions
    code = cloudformation([replace(one, policy='{"Version": "a", "Version": "b"}')])
    assert (code.files, code.notes) == (
        {},
        ("alias/coin in eu-west-1 is left out: its policy is no JSON object.",),
    )


def test_a_key_spec_that_the_resource_type_lacks_leaves_its_key_out() -> None:
    (one,) = read("alias/coin").definitions
    key = replace(one.key, spec="ML_KEM_768", usage=KeyUsage.ENCAPSULATE_DECAPSULATE)
    assert cloudformation([replace(one, key=key)]).notes == (
        "alias/coin in eu-west-1 is left out: AWS::KMS::Key is not known to take the key spec ML_KEM_768.",
    )
