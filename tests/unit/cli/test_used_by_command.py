"""``kms-tui used-by``: on the demo and its organization, on moto's S3, stopped, and with bad input."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from kms_tui.cli.connection import open_backend
from kms_tui.evidence.scanners import NOT_LOOKED_AT
from kms_tui.evidence.scans import ScanRun
from tests.endpoints.environment import use_static_credentials
from tests.endpoints.moto import MotoEndpoint
from tests.unit.cli.conftest import Run

_REGION = "us-east-1"


@pytest.fixture(autouse=True)
def _real_connections(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kms_tui.cli.connection.open_backend", open_backend)


def test_the_demos_uses_are_told_with_what_is_not_known(run: Run) -> None:
    ended = run("used-by", "alias/orders-db", "--demo", "--format", "json")
    shape = json.loads(ended.out)
    assert ended.code == 2
    assert ended.err == "The answer is not whole: it says what was not checked, and why.\n"
    assert [(use["kind"], use["resource"]) for use in shape["uses"]][:2] == [
        ("S3 buckets", "acme-orders-snapshots"),
        ("RDS instances", "orders-reader"),
    ]
    assert len(shape["uses"]) == 8
    assert not shape["whole"]
    assert [gap["what"] for gap in shape["not_checked"]] == ["S3 buckets", "EFS file systems"]
    assert shape["not_looked_at"] == list(NOT_LOOKED_AT)


def test_each_form_has_the_uses(run: Run, tmp_path: Path) -> None:
    for form in ("table", "md"):
        text = run("used-by", "alias/orders-db", "--demo", "--format", form).out.decode()
        assert all(
            word in text for word in ("prod/orders/db", "its ARN", "acme-legal-hold", NOT_LOOKED_AT[0])
        )
    ended = run("used-by", "alias/orders-db", "--demo", "--format", "csv", "-o", "uses.csv")
    assert (ended.code, ended.out) == (2, b"")
    assert "acme-legal-hold" in ended.err
    rows = list(csv.DictReader(io.StringIO((tmp_path / "uses.csv").read_text())))
    assert {row["account"] for row in rows} == {"111122223333"}
    assert "its ARN" not in {row["names it as"] for row in rows}


def test_an_unused_key_is_not_said_to_be_unneeded(run: Run) -> None:
    text = run("used-by", "alias/sandbox", "--demo").out.decode()
    assert text.startswith("Nothing checked names arn:aws:kms:eu-west-1:")
    assert "No scan looks at:" in text


def test_keys_that_are_gone_or_a_partners_are_looked_for_by_their_arn(run: Run) -> None:
    gone = "arn:aws:kms:eu-west-1:111122223333:key/0d9f7b61-3c2e-4a58-8f14-6be0a95d7c42"
    text = run("used-by", gone, "--demo").out.decode()
    assert "legacy-mail" in text
    assert "Its account does not have this key, or no longer." in text
    partners = "arn:aws:kms:eu-west-1:444455556666:key/5f0c2a9e-7d41-4b38-9e6a-0c8d1b7f2e35"
    shape = json.loads(run("used-by", partners, "--demo", "--format", "json").out)
    assert [use["resource"] for use in shape["uses"]] == ["acme-partner-outbound"]
    assert "aliases of 444455556666 were not read" in shape["not_checked"][-1]["why"]
    assert not shape["gone"]


def test_each_account_of_an_organization_is_scanned_for_the_one_key(run: Run) -> None:
    ended = run("used-by", "alias/orders-db", "--demo", "--accounts", "organization", "--format", "json")
    shape = json.loads(ended.out)
    assert ended.code == 2
    assert {use["account"] for use in shape["uses"]} == {"111122223333"}
    failed = [gap for gap in shape["not_checked"] if not gap["what"]]
    assert [gap["account"] for gap in failed] == ["555566667777"]
    assert "suspended" in failed[0]["why"]


def test_ctrl_c_keeps_what_was_found(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def followed(work: Callable[[], object], progress: Callable[[], object], *, name: str) -> None:
        work()
        progress()
        raise KeyboardInterrupt

    monkeypatch.setattr("kms_tui.cli.used_by_command.followed", followed)
    ended = run("used-by", "alias/orders-db", "--demo")
    assert ended.code == 130
    assert "prod/orders/db" in ended.out.decode()
    assert ended.err.endswith("Stopped.\n")


def test_a_store_of_ones_own_has_no_services_to_scan(run: Run, tmp_path: Path) -> None:
    run("store", "seed", "--help")
    ended = run("used-by", "alias/x", "--store", str(tmp_path / "none.db"))
    assert ended.code in (1, 2)
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("alias/nothing",), "NotFoundException"),
        (("",), "failed to satisfy constraint"),
        (("alias/orders-db", "--bucket", ""), "a bucket has a name"),
        (("alias/orders-db", "--prefix", "a"), "go with --bucket"),
        (("alias/orders-db", "--versions"), "go with --bucket"),
        (("alias/orders-db", "--bucket", "a", "--inventory", "b"), "not both"),
        (("alias/orders-db", "--versions", "--inventory", "b"), "--versions goes with --bucket"),
        (("alias/orders-db", "--inventory", "nowhere"), "nowhere cannot be read"),
        (("alias/orders-db", "--regions", "eu-west-1,us-east-1"), "a key is used in its own Region"),
        (("alias/orders-db", "--bucket", "b", "--accounts", "organization"), "a bucket is of one account"),
        (("alias/orders-db", "--bucket", "a"), "The answer is not whole"),
        (("alias/orders-db", "--format", "xml"), "invalid choice"),
    ],
)
def test_bad_usage_is_a_sentence_and_exits_with_2(run: Run, arguments: tuple[str, ...], words: str) -> None:
    ended = run("used-by", *arguments, "--demo")
    assert ended.code == 2
    assert words in ended.err
    assert "Traceback" not in ended.err


# Objects, on moto's S3


class Lake:
    """A bucket with two objects under a key, one of them in two versions, and others."""

    def __init__(self, url: str) -> None:
        session = botocore.session.Session()
        self.flags = ("--endpoint-url", url, "--region", _REGION)

        def client(service: str) -> Any:
            return session.create_client(service, region_name=_REGION, endpoint_url=url)

        kms, s3 = client("kms"), client("s3")
        self.key = kms.create_key()["KeyMetadata"]["Arn"]
        kms.create_alias(AliasName="alias/lake", TargetKeyId=self.key)
        other = kms.create_key()["KeyMetadata"]["Arn"]
        s3.create_bucket(Bucket="lake")
        s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})

        def put(name: str, content: bytes, key: str = "") -> None:
            under = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}
            s3.put_object(Bucket="lake", Key=name, Body=content, **under)

        put("2025/a b.csv", b"1234", self.key)
        put("2026/a.csv", b"12", self.key)
        put("2026/a.csv", b"123", self.key)
        put("2026/other.csv", b"1", other)
        put("2026/plain.csv", b"1")


@pytest.fixture(scope="module")
def lake() -> Iterator[Lake]:
    with pytest.MonkeyPatch.context() as monkeypatch, MotoEndpoint() as moto:
        use_static_credentials(monkeypatch)
        yield Lake(moto.url)


def test_the_objects_of_a_bucket_under_the_key_are_found(run: Run, lake: Lake) -> None:
    ended = run("used-by", "alias/lake", *lake.flags, "--bucket", "lake", "--format", "json")
    shape = json.loads(ended.out)
    assert (ended.code, ended.err) == (0, "")
    assert shape["objects"] == [
        {"name": "2025/a b.csv", "version": "", "bytes": 4},
        {"name": "2026/a.csv", "version": "", "bytes": 3},
    ]
    assert (shape["listed"], shape["bytes"], shape["whole"]) == (4, 7, True)
    assert sorted(shape["others"].values()) == [1, 1]
    text = run("used-by", lake.key, *lake.flags, "--bucket", "lake", "--prefix", "2026/").out.decode()
    assert text.startswith("1 object of lake/2026/ under the key, 3 bytes.")


def test_every_version_counts_if_asked_for(run: Run, lake: Lake) -> None:
    ended = run("used-by", "alias/lake", *lake.flags, "--bucket", "lake", "--versions", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(ended.out.decode())))
    assert [row["object"] for row in rows] == ["2025/a b.csv", "2026/a.csv", "2026/a.csv"]
    assert len({row["version"] for row in rows}) == 3


def test_an_inventory_takes_the_place_of_the_listing(run: Run, lake: Lake, tmp_path: Path) -> None:
    lines = ('"lake","2026/a.csv","SSE-KMS"', '"lake","2026/plain.csv","SSE-S3"', '"lake","gone","SSE-KMS"')
    (tmp_path / "part.csv").write_text("\n".join(lines))
    shape = {
        "sourceBucket": "lake",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, EncryptionStatus",
        "files": [{"key": "inventories/lake/daily/data/part.csv"}],
    }
    (tmp_path / "manifest.json").write_text(json.dumps(shape))
    ended = run("used-by", "alias/lake", *lake.flags, "--inventory", "manifest.json", "--format", "json")
    found = json.loads(ended.out)
    assert ended.code == 0, ended.err
    assert [each["name"] for each in found["objects"]] == ["2026/a.csv"]
    assert (found["set_aside"], found["gone"], found["listed"]) == ({"SSE-S3": 1}, 1, 2)


def test_a_bucket_that_is_not_there_is_said(run: Run, lake: Lake) -> None:
    ended = run("used-by", "alias/lake", *lake.flags, "--bucket", "no-such-bucket")
    assert ended.code == 2
    assert "Not whole: the list ends early: NoSuchBucket" in ended.out.decode()


def test_a_scan_that_cannot_begin_is_a_line_of_its_account(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: ScanRun) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ScanRun, "run", fail)
    ended = run("used-by", "alias/orders-db", "--demo", "--format", "md")
    assert ended.code == 2
    assert "was not scanned: What came back could not be understood: ZeroDivisionError." in ended.out.decode()
