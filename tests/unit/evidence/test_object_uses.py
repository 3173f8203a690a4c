"""The objects of a bucket under a key, from a listing or an S3 Inventory, also a broken one."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from kms_tui.evidence.key_use_formats import object_gaps
from kms_tui.evidence.object_uses import NOT_KMS, ListedObject, ObjectScan, ObjectUse, Pages, listed_pages
from kms_tui.evidence.s3_inventory import read_manifest
from kms_tui.kms.errors import AnswerError, ConfigurationError, EndpointError, KmsTuiError, ServiceError
from tests.unit.evidence.world import FakeServices, denied

_KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
_OTHER = _KEY.replace("1234abcd", "9999abcd")
_HEADS: Mapping[str, Mapping[str, Any]] = {
    "mine": {"SSEKMSKeyId": _KEY, "ContentLength": 7},
    "theirs": {"SSEKMSKeyId": _OTHER, "ContentLength": 9},
    "plain": {"ServerSideEncryption": "AES256", "ContentLength": 5},
}


def head(params: Mapping[str, Any]) -> Mapping[str, Any]:
    if params["Key"] not in _HEADS:
        raise ServiceError("NotFound", operation="HeadObject", status=404)
    return _HEADS[params["Key"]]


def scan_of(services: FakeServices, pages: Pages, **options: Any) -> ObjectScan:
    return ObjectScan(services, "lake", lambda key: key == _KEY, pages, rate=None, **options)


def objects(*names: str) -> list[ListedObject]:
    return [ListedObject(name) for name in names]


def test_each_object_tells_its_key() -> None:
    found = scan_of(FakeServices({"HeadObject": head}), [objects(*_HEADS, "gone"), objects("mine")]).run()
    assert found.uses == (ObjectUse("mine", "", 7),) * 2
    assert found.others == {_OTHER: 1, NOT_KMS: 1}
    assert (found.listed, found.looked_at, found.gone, found.size) == (5, 4, 1, 14)
    assert found.is_whole


def test_a_denied_object_is_counted_and_the_first_is_named() -> None:
    def some(params: Mapping[str, Any]) -> Mapping[str, Any]:
        if params["Key"] == "mine":
            return head(params)
        raise denied("HeadObject")

    pages = [objects("a"), objects("mine"), objects("b")]
    found = scan_of(FakeServices({"HeadObject": some}), pages).run()
    assert (len(found.uses), found.failed, found.stopped) == (1, 2, "")
    assert list(object_gaps(found)) == ["a and 1 more not looked at: denied: you may not call HeadObject"]


def test_whoever_may_look_at_no_object_asks_for_few() -> None:
    services = FakeServices({"HeadObject": denied("HeadObject")})
    found = scan_of(services, [objects(*(f"o{number}" for number in range(5000)))]).run()
    assert services.calls["HeadObject"] < 40
    assert found.stopped == "20 calls in a row failed"
    assert not found.is_whole


@pytest.mark.parametrize(
    "answer", [{"ContentLength": "many"}, {"ContentLength": None}, {"ContentLength": []}]
)
def test_an_answer_of_another_shape_is_a_failure_of_that_object(answer: Mapping[str, Any]) -> None:
    found = scan_of(FakeServices({"HeadObject": answer}), [objects("a")]).run()
    assert (found.failed, found.uses) == (1, ())
    assert isinstance(found.failed_calls[0].error, AnswerError)


def test_a_cancelled_scan_keeps_what_it_has() -> None:
    hangs, let_go = threading.Event(), threading.Event()

    def slow(params: Mapping[str, Any]) -> Mapping[str, Any]:
        if params["Key"] == "slow":
            hangs.set()
            let_go.wait(10)
        return head(params)

    scan = scan_of(FakeServices({"HeadObject": slow}), [objects("mine"), objects("slow"), objects("mine")])
    thread = threading.Thread(target=scan.run, daemon=True)
    thread.start()
    assert hangs.wait(10)
    assert scan.progress() == (1, 1)
    scan.cancel()
    thread.join(10)
    assert not thread.is_alive()
    assert (len(scan.result().uses), scan.result().stopped) == (1, "cancelled")
    let_go.set()


def test_a_listing_is_read_page_by_page() -> None:
    pages: Mapping[str, Mapping[str, Any]] = {
        "": {"Contents": [{"Key": "a"}, {"Key": "b"}], "NextContinuationToken": "2"},
        "2": {"Contents": [{"Key": "c"}, {"Size": 3}]},
    }
    services = FakeServices({"ListObjectsV2": lambda params: pages[params.get("ContinuationToken", "")]})
    assert list(listed_pages(services, "lake", "", versions=False)) == [objects("a", "b"), objects("c")]


def test_versions_are_listed_with_their_ids() -> None:
    def versions(params: Mapping[str, Any]) -> Mapping[str, Any]:
        if "KeyMarker" not in params:
            first = {"Key": "a", "VersionId": "2"}
            return {"Versions": [first], "NextKeyMarker": "a", "NextVersionIdMarker": "2"}
        assert (params["KeyMarker"], params["VersionIdMarker"]) == ("a", "2")
        return {"Versions": [{"Key": "a", "VersionId": "1"}], "DeleteMarkers": [{"Key": "x"}]}

    services = FakeServices({"ListObjectVersions": versions})
    listed = [each for page in listed_pages(services, "lake", "", versions=True) for each in page]
    assert listed == [ListedObject("a", "2"), ListedObject("a", "1")]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (denied("ListObjectsV2"), ServiceError),
        ({"Contents": [{"Key": "a"}], "NextContinuationToken": "again"}, EndpointError),
    ],
)
def test_a_listing_that_breaks_off_is_said(answer: Any, kind: type[KmsTuiError]) -> None:
    services = FakeServices({"ListObjectsV2": answer, "HeadObject": head})
    found = scan_of(services, listed_pages(services, "lake", "", versions=False)).run()
    assert found.stopped.startswith("the list ends early: ")
    assert not found.is_whole
    with pytest.raises(kind):
        list(listed_pages(services, "lake", "", versions=False))


# Inventories


def manifest(folder: Path, rows: Sequence[str] = (), **members: object) -> Path:
    path = folder / "2026-11-29T01-00Z" / "manifest.json"
    path.parent.mkdir(exist_ok=True)
    shape = {
        "sourceBucket": "lake",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, EncryptionStatus",
        "files": [{"key": "to/lake/daily/data/part.csv.gz", "size": 1}],
    }
    path.write_text(json.dumps(shape | members))
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "part.csv.gz").write_bytes(gzip.compress("\n".join(rows).encode()))
    return path


def test_an_inventory_sets_aside_what_is_under_no_key(tmp_path: Path) -> None:
    rows = [
        '"lake","2026/a+b%2Bc.csv","v1","true","false","SSE-KMS"',
        '"lake","2026/%C3%A4.csv","v2","false","false","DSSE-KMS"',
        '"lake","2026/plain","v3","true","false","SSE-S3"',
        '"lake","2026/gone","v4","true","true",""',
        '"lake","2026/untold","v5","true","false",""',
        '"lake","2025/other","v6","true","false","SSE-KMS"',
    ]
    inventory = read_manifest(manifest(tmp_path, rows))
    assert inventory.bucket == "lake"
    (page,) = inventory.pages("2026/")
    assert page == [
        ListedObject("2026/a b+c.csv", "v1"),
        ListedObject("2026/ä.csv", "v2"),
        ListedObject("2026/untold", "v5"),
    ]
    assert inventory.set_aside == {"SSE-S3": 1}


def test_a_large_inventory_comes_in_pages(tmp_path: Path) -> None:
    rows = [f'"lake","o{number}","","true","false","SSE-KMS"' for number in range(2500)]
    inventory = read_manifest(manifest(tmp_path, rows))
    assert [len(page) for page in inventory.pages()] == [1000, 1000, 500]


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"fileFormat": "Parquet"}, "is an inventory in Parquet: only CSV can be read"),
        ({"fileSchema": "Bucket, Size"}, "its fileSchema names no Key"),
        ({"fileSchema": "Key, Key"}, "or a column twice"),
        ({"files": [{"key": "../../../etc/passwd"}]}, "passwd of the inventory is not beside"),
        ({"files": [{"key": ".."}]}, "is not beside"),
        ({"files": 7}, "is no manifest of an S3 Inventory"),
        ({"files": [None]}, "is no manifest of an S3 Inventory"),
        ({"sourceBucket": None}, "is no manifest of an S3 Inventory"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_a_sentence(
    tmp_path: Path, members: Mapping[str, object], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        read_manifest(manifest(tmp_path, (), **members))


@pytest.mark.parametrize("content", [b"", b"[" * 100_000, b"\xff\x00", b"[]", b'"text"', b"{}"])
def test_what_is_no_manifest_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="is no manifest of an S3 Inventory"):
        read_manifest(path)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_manifest(tmp_path / "nowhere.json")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_manifest(tmp_path)
    with pytest.raises(ConfigurationError, match="its name cannot be used"):
        read_manifest(Path("a\0b"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (gzip.compress(b'"lake","a"\n', mtime=0), "line 1 has 2 columns, not 6"),
        (
            gzip.compress(b'"lake","a","","true","false","SSE-KMS"\n' * 999, mtime=0)[:-9],
            "is no CSV, or is cut off",
        ),
        (gzip.compress(b'"lake","\xff","","","",""', mtime=0), "is no CSV, or is cut off"),
        (gzip.compress(b'"lake"x,"","","","",""', mtime=0), "is no CSV, or is cut off"),
        (b"not gzip", "cannot be read"),
    ],
    ids=["columns", "cut off", "not UTF-8", "quotes", "not gzip"],
)
def test_a_broken_file_of_an_inventory_ends_the_list_with_a_sentence(
    tmp_path: Path, content: bytes, words: str
) -> None:
    inventory = read_manifest(manifest(tmp_path))
    (tmp_path / "data" / "part.csv.gz").write_bytes(content)
    with pytest.raises(ConfigurationError, match=words):
        list(inventory.pages())
    (tmp_path / "data" / "part.csv.gz").write_bytes(content)
    found = scan_of(FakeServices(), inventory.pages(), set_aside=inventory.set_aside).run()
    assert found.stopped.startswith("the list ends early: ")
