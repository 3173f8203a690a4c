"""TagResource, UntagResource, ListResourceTags, and the tags of CreateKey."""

from __future__ import annotations

import pytest

from tests.contract.client import KmsClient

Tags = list[dict[str, str]]


def tags(**values: str) -> Tags:
    return [{"TagKey": key, "TagValue": value} for key, value in values.items()]


def many(count: int) -> Tags:
    return [{"TagKey": f"k{n}", "TagValue": ""} for n in range(count)]


def read(kms: KmsClient, key_id: str) -> dict[str, str]:
    return {tag["TagKey"]: tag["TagValue"] for tag in kms.all("ListResourceTags", "Tags", KeyId=key_id)}


def test_a_key_is_made_with_its_tags(kms: KmsClient) -> None:
    assert read(kms, kms.key(Tags=tags(team="payments", env=""))) == {"team": "payments", "env": ""}


def test_a_new_key_has_no_tags(kms: KmsClient) -> None:
    assert read(kms, kms.key()) == {}


def test_tags_are_added_and_overwritten(kms: KmsClient) -> None:
    key_id = kms.key(Tags=tags(a="1", b="2"))
    assert kms("TagResource", KeyId=kms.arn(key_id), Tags=tags(b="3", c="4")) == {}
    assert read(kms, key_id) == {"a": "1", "b": "3", "c": "4"}


def test_tags_are_removed_and_those_not_there_are_passed_over(kms: KmsClient) -> None:
    key_id = kms.key(Tags=tags(a="1", b="2"))
    assert kms("UntagResource", KeyId=key_id, TagKeys=["a", "none"]) == {}
    assert read(kms, key_id) == {"b": "2"}


def test_tag_keys_know_upper_from_lower_case(kms: KmsClient) -> None:
    key_id = kms.key(Tags=tags(a="1", A="2"))
    assert read(kms, key_id) == {"a": "1", "A": "2"}


def test_tags_of_the_largest_sizes_are_kept(kms: KmsClient) -> None:
    key_id = kms.key(Tags=[{"TagKey": "k" * 128, "TagValue": "v" * 256}])
    assert read(kms, key_id) == {"k" * 128: "v" * 256}


@pytest.mark.parametrize(("key", "value"), [("", "v"), ("k" * 129, "v"), ("k", "v" * 257)], ids=len)
def test_tags_beyond_those_sizes_are_refused(kms: KmsClient, key: str, value: str) -> None:
    given = [{"TagKey": key, "TagValue": value}]
    kms.refused("TagResource", "ValidationException", KeyId=kms.key(), Tags=given)
    kms.refused("CreateKey", "ValidationException", Tags=given)


def test_a_tag_key_is_given_once(kms: KmsClient) -> None:
    twice = [*tags(a="1"), *tags(a="2")]
    kms.refused("TagResource", "TagException", "Duplicate tag keys", KeyId=kms.key(), Tags=twice)
    kms.refused("CreateKey", "TagException", "Duplicate tag keys", Tags=twice)


def test_a_key_has_fifty_tags_at_most(kms: KmsClient) -> None:
    kms.refused("CreateKey", "TagException", "Too many tags", Tags=many(51))
    key_id = kms.key(Tags=many(50))
    kms.refused("TagResource", "TagException", "Too many tags", KeyId=key_id, Tags=tags(one="more"))
    kms("TagResource", KeyId=key_id, Tags=[{"TagKey": "k0", "TagValue": "changed"}])
    assert len(read(kms, key_id)) == 50


@pytest.mark.parametrize("key", ["aws:team", "AWS:team"])
def test_tags_of_awss_own_are_reserved(kms: KmsClient, key: str) -> None:
    given = [{"TagKey": key, "TagValue": ""}]
    message = "Tags beginning with aws: are reserved"
    kms.refused("TagResource", "TagException", message, KeyId=kms.key(), Tags=given)
    kms.refused("CreateKey", "TagException", message, Tags=given)
