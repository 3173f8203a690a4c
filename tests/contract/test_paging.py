"""Every list: its page sizes, and its markers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.contract.client import KmsClient


def _keys(kms: KmsClient, count: int) -> dict[str, Any]:
    for _ in range(count):
        kms.key()
    return {}


def _aliases(kms: KmsClient, count: int) -> dict[str, Any]:
    key_ids = [kms.key() for _ in range(-(-count // 50))]
    for number in range(count):
        kms.alias(key_ids[number // 50])
    return {}


def _tags(kms: KmsClient, count: int) -> dict[str, Any]:
    return {"KeyId": kms.key(Tags=[{"TagKey": f"k{n}", "TagValue": ""} for n in range(count)])}


def _rotations(kms: KmsClient, count: int) -> dict[str, Any]:
    key_id = kms.key()
    for _ in range(count):
        kms("RotateKeyOnDemand", KeyId=key_id)
    return {"KeyId": key_id}


@dataclass(frozen=True, slots=True)
class List:
    """A list operation, the member with its entries, its page sizes, and how to make entries."""

    operation: str
    member: str
    default: int
    largest: int
    make: Callable[[KmsClient, int], dict[str, Any]]
    identity: str


LISTS = [
    List("ListKeys", "Keys", 100, 1000, _keys, "KeyId"),
    List("ListAliases", "Aliases", 50, 100, _aliases, "AliasName"),
    List("ListResourceTags", "Tags", 50, 50, _tags, "TagKey"),
    List("ListKeyRotations", "Rotations", 100, 1000, _rotations, "KeyMaterialId"),
]

each_list = pytest.mark.parametrize("case", LISTS, ids=lambda case: case.operation)


@each_list
def test_pages_hold_what_was_asked_for_and_miss_nothing(kms: KmsClient, case: List) -> None:
    params = case.make(kms, 5)
    whole = [entry[case.identity] for entry in kms.all(case.operation, case.member, **params)]
    pages = list(kms.pages(case.operation, Limit=2, **params))
    assert all(len(page[case.member]) <= 2 for page in pages)
    assert [entry[case.identity] for page in pages for entry in page[case.member]] == whole
    assert len(set(whole)) == len(whole) >= 5


@each_list
def test_a_whole_list_has_no_marker(kms: KmsClient, case: List) -> None:
    page = kms(case.operation, Limit=case.largest, **case.make(kms, 2))
    assert page["Truncated"] is False
    assert "NextMarker" not in page


@each_list
@pytest.mark.parametrize("beyond", [0, 1])
def test_limits_outside_their_range_are_refused(kms: KmsClient, case: List, beyond: int) -> None:
    limit = case.largest + 1 if beyond else 0
    kms.refused(case.operation, "ValidationException", Limit=limit, **case.make(kms, 1))


@each_list
@pytest.mark.parametrize("marker", ["x", "!!", "AAAA"])
def test_a_marker_that_no_list_gave_is_refused(kms: KmsClient, case: List, marker: str) -> None:
    kms.refused(case.operation, "InvalidMarkerException", Marker=marker, **case.make(kms, 1))


@pytest.mark.parametrize("case", LISTS[:2], ids=lambda case: case.operation)
def test_a_page_has_its_default_size(kms: KmsClient, case: List) -> None:
    page = kms(case.operation, **case.make(kms, case.default + 1))
    assert len(page[case.member]) == case.default
    assert page["Truncated"] is True
