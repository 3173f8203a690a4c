"""Key policies and tags."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kms_tui.backend.local import Store
from tests.contract.client import KmsClient

_ROOT = {
    "Sid": "root",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    "Action": "kms:*",
    "Resource": "*",
}


def _policy(*statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def test_a_key_without_a_policy_gets_the_default_one(kms: KmsClient) -> None:
    answer = kms("GetKeyPolicy", KeyId=kms.key())
    assert answer["PolicyName"] == "default"
    assert json.loads(answer["Policy"]) == {
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [{**_ROOT, "Sid": "Enable IAM User Permissions"}],
    }


def test_a_policy_comes_back_as_it_was_put(kms: KmsClient) -> None:
    first, second = _policy(_ROOT), _policy({**_ROOT, "Sid": "\u00e9"})
    key_id = kms.key(Policy=first)
    assert kms("GetKeyPolicy", KeyId=key_id, PolicyName="default")["Policy"] == first
    assert kms("PutKeyPolicy", KeyId=key_id, PolicyName="default", Policy=second) == {}
    assert kms("GetKeyPolicy", KeyId=key_id)["Policy"] == second


def test_every_version_of_a_policy_stays_in_the_store(kms: KmsClient, store: Store) -> None:
    texts = [_policy({**_ROOT, "Sid": f"version{number}"}) for number in range(3)]
    key_id = kms.key(Policy=texts[0])
    for text in texts[1:]:
        kms("PutKeyPolicy", KeyId=key_id, Policy=text)
    assert store.rows("SELECT version, text, put_by FROM policies ORDER BY version") == [
        (number, text, "arn:aws:iam::111122223333:user/administrator") for number, text in enumerate(texts, 1)
    ]


def test_there_is_one_policy_name(kms: KmsClient) -> None:
    key_id = kms.key()
    assert kms("ListKeyPolicies", KeyId=key_id) == {"PolicyNames": ["default"], "Truncated": False}
    kms.refused("GetKeyPolicy", "NotFoundException", "No such policy exists", KeyId=key_id, PolicyName="x")
    kms.refused("GetKeyPolicy", "NotFoundException", KeyId=key_id, PolicyName="AWS_RAM")
    kms.refused(
        "PutKeyPolicy",
        "ValidationException",
        "The AWS_RAM policy can only be managed by the RAM service",
        KeyId=key_id,
        PolicyName="AWS_RAM",
        Policy=_policy(_ROOT),
    )


@pytest.mark.parametrize("text", ["{", "[]", "nonsense", '{"Version":"2012-10-17"}', "[" * 30_000])
@pytest.mark.parametrize("operation", ["PutKeyPolicy", "CreateKey"])
def test_text_that_is_no_policy_is_malformed(kms: KmsClient, operation: str, text: str) -> None:
    key = {"KeyId": kms.key()} if operation == "PutKeyPolicy" else {}
    kms.refused(operation, "MalformedPolicyDocumentException", **key, Policy=text)


_LOCKED_OUT = "The new key policy will not allow you to update the key policy in the future."
_ADMINISTRATOR = "arn:aws:iam::111122223333:user/administrator"


@pytest.mark.parametrize(
    "statement",
    [
        {**_ROOT, "Principal": {"AWS": "arn:aws:iam::111122223333:role/KeyAdmin"}},
        {**_ROOT, "Action": ["kms:Encrypt", "kms:Decrypt"]},
        {**_ROOT, "Effect": "Deny"},
        {**_ROOT, "Principal": {"AWS": "444455556666"}},
        {**_ROOT, "Condition": {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}},
        {name: value for name, value in _ROOT.items() if name != "Action"},
    ],
)
@pytest.mark.parametrize("operation", ["PutKeyPolicy", "CreateKey"])
def test_a_policy_that_shuts_its_caller_out_needs_the_bypass(
    kms: KmsClient, operation: str, statement: dict[str, Any]
) -> None:
    key = {"KeyId": kms.key()} if operation == "PutKeyPolicy" else {}
    text = _policy(statement)
    kms.refused(operation, "MalformedPolicyDocumentException", _LOCKED_OUT, **key, Policy=text)
    answer = kms(operation, **key, Policy=text, BypassPolicyLockoutSafetyCheck=True)
    key_id = key.get("KeyId") or answer["KeyMetadata"]["KeyId"]
    assert kms("GetKeyPolicy", KeyId=key_id)["Policy"] == text


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": _ADMINISTRATOR}, {"AWS": "111122223333"}])
def test_a_policy_that_leaves_its_caller_in_is_taken_whatever_the_account_loses(
    kms: KmsClient, principal: Any
) -> None:
    kms("PutKeyPolicy", KeyId=kms.key(), Policy=_policy({**_ROOT, "Principal": principal}))


@pytest.mark.parametrize(
    "principal", [{"AWS": "arn:aws:iam::111122223333:group/Admins"}, {"AWS": "x"}, {"AWS": []}, {"Who": "*"}]
)
def test_a_principal_that_cannot_be_is_refused(kms: KmsClient, principal: Any) -> None:
    kms.refused(
        "PutKeyPolicy",
        "MalformedPolicyDocumentException",
        "Policy contains a statement with one or more invalid principals.",
        KeyId=kms.key(),
        Policy=_policy({**_ROOT, "Principal": principal}),
    )


def test_a_statement_without_a_principal_is_refused(kms: KmsClient) -> None:
    kms.refused(
        "PutKeyPolicy",
        "MalformedPolicyDocumentException",
        "Policy contains a statement with no principal.",
        KeyId=kms.key(),
        Policy=_policy(_ROOT, {name: value for name, value in _ROOT.items() if name != "Principal"}),
    )


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:ResourceTag/team": "red"}},
        {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/app"}},
        {"ForAllValues:StringEquals": {"kms:EncryptionContext:app": "x"}},
    ],
)
def test_conditions_that_key_policies_do_not_take_are_refused(
    kms: KmsClient, condition: dict[str, dict[str, str]]
) -> None:
    kms.refused(
        "PutKeyPolicy",
        "MalformedPolicyDocumentException",
        KeyId=kms.key(),
        Policy=_policy(_ROOT, _ROOT | {"Condition": condition}),
    )


def test_a_policy_over_the_limit_is_refused_for_its_length(kms: KmsClient) -> None:
    text = _policy(_ROOT)
    kms.refused("PutKeyPolicy", "LimitExceededException", KeyId=kms.key(), Policy=text.ljust(32_769))
    kms("PutKeyPolicy", KeyId=kms.key(), Policy=text.ljust(32_768))
    kms.refused("CreateKey", "LimitExceededException", Policy=text.ljust(32_769))


def test_the_length_of_a_policy_is_counted_in_bytes(kms: KmsClient) -> None:
    in_latin = _policy(_ROOT | {"Sid": ""}).replace('"Sid": ""', '"Sid": "' + "\u00e9" * 16_400 + '"')
    error = kms.refused("PutKeyPolicy", "LimitExceededException", KeyId=kms.key(), Policy=in_latin)
    assert error.message == "The key policy is longer than the limit of 32768 bytes."


def test_characters_beyond_latin_1_are_refused(kms: KmsClient) -> None:
    refusal = kms.refused("PutKeyPolicy", "ValidationException", KeyId=kms.key(), Policy='{"a":"\u20ac"}')
    assert "Member must satisfy regular expression pattern" in refusal.message


def test_an_aws_managed_key_can_be_viewed_and_used_but_not_changed(kms: KmsClient) -> None:
    key_id = kms.describe("alias/aws/s3")["KeyId"]
    policy = json.loads(kms("GetKeyPolicy", KeyId=key_id)["Policy"])
    assert policy["Id"] == "auto-s3-1"
    kms("Encrypt", KeyId="alias/aws/s3", Plaintext=b"x")
    changes: dict[str, dict[str, Any]] = {
        "PutKeyPolicy": {"Policy": _policy(_ROOT)},
        "DisableKey": {},
        "ScheduleKeyDeletion": {},
        "UpdateKeyDescription": {"Description": ""},
        "TagResource": {"Tags": [{"TagKey": "a", "TagValue": ""}]},
        "UntagResource": {"TagKeys": ["a"]},
        "DisableKeyRotation": {},
        "EnableKeyRotation": {},
        "RotateKeyOnDemand": {},
    }
    for operation, params in changes.items():
        kms.refused(
            operation,
            "AccessDeniedException",
            f"User: arn:aws:iam::111122223333:user/administrator is not authorized to perform: "
            f"kms:{operation} on resource: {kms.arn(key_id)} because no resource-based policy allows the "
            f"kms:{operation} action",
            KeyId=key_id,
            **params,
        )
    kms.refused("CreateAlias", "AccessDeniedException", AliasName="alias/mine", TargetKeyId=key_id)


def _tag(key: str, value: str = "") -> dict[str, str]:
    return {"TagKey": key, "TagValue": value}


def test_tags_are_added_changed_and_removed(kms: KmsClient) -> None:
    key_id = kms.key(Tags=[_tag("b", "1"), _tag("a", "2")])
    kms("TagResource", KeyId=key_id, Tags=[_tag("c"), _tag("b", "3")])
    assert kms("ListResourceTags", KeyId=key_id) == {
        "Tags": [_tag("b", "3"), _tag("a", "2"), _tag("c")],
        "Truncated": False,
    }
    kms("UntagResource", KeyId=key_id, TagKeys=["a", "never there"])
    assert kms("ListResourceTags", KeyId=key_id)["Tags"] == [_tag("b", "3"), _tag("c")]


def test_tags_come_in_pages(kms: KmsClient) -> None:
    tags = [_tag(f"tag{number}") for number in range(50)]
    key_id = kms.key(Tags=tags)
    assert kms("ListResourceTags", KeyId=key_id)["Tags"] == tags
    assert kms.all("ListResourceTags", "Tags", KeyId=key_id, Limit=7) == tags
    kms.refused("ListResourceTags", "ValidationException", KeyId=key_id, Limit=51)


def test_a_marker_of_another_keys_tags_is_refused(kms: KmsClient) -> None:
    tags = [_tag("a"), _tag("b")]
    marker = kms("ListResourceTags", KeyId=kms.key(Tags=tags), Limit=1)["NextMarker"]
    kms.refused("ListResourceTags", "InvalidMarkerException", KeyId=kms.key(Tags=tags), Marker=marker)


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ([_tag("a", "1"), _tag("a", "2")], "Duplicate tag keys"),
        ([_tag(str(number)) for number in range(51)], "Too many tags"),
        ([_tag("aws:x")], "Tags beginning with aws: are reserved"),
        ([_tag("AWS:x")], "Tags beginning with aws: are reserved"),
    ],
)
def test_tags_against_the_rules_are_refused(kms: KmsClient, tags: list[dict[str, str]], message: str) -> None:
    key_id = kms.key()
    kms.refused("TagResource", "TagException", message, KeyId=key_id, Tags=tags)
    kms.refused("CreateKey", "TagException", message, Tags=tags)
    assert kms("ListResourceTags", KeyId=key_id)["Tags"] == []
    assert len(kms("ListKeys")["Keys"]) == 1


def test_a_key_holds_fifty_tags(kms: KmsClient) -> None:
    key_id = kms.key(Tags=[_tag(str(number)) for number in range(50)])
    kms("TagResource", KeyId=key_id, Tags=[_tag("7", "changed")])
    kms.refused("TagResource", "TagException", "Too many tags", KeyId=key_id, Tags=[_tag("one more")])
    assert len(kms("ListResourceTags", KeyId=key_id)["Tags"]) == 50
