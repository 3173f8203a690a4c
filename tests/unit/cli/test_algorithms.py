"""``kms-tui algorithms``: what it reads and writes, and how it ends."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from kms_tui.cli.connection import open_backend
from kms_tui.kms.errors import EndpointError
from kms_tui.session import Connection
from tests.unit.cli.conftest import Ended, Run
from tests.unit.inventory.world import ACCOUNT, FakeAccount, FakeKey, denied, key_id

Algorithms = Callable[..., Ended]


def _key(number: int, spec: str, usage: str, *aliases: str, **members: Any) -> FakeKey:
    return FakeKey(key_id(number), aliases, {"KeySpec": spec, "KeyUsage": usage}, **members)


@pytest.fixture
def account() -> FakeAccount:
    return FakeAccount(
        [
            _key(1, "RSA_2048", "SIGN_VERIFY", "releases"),
            _key(2, "ML_DSA_65", "SIGN_VERIFY", "new", tags={"sibling-of": "alias/releases"}),
            _key(3, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "aws/s3"),
        ]
    )


@pytest.fixture
def algorithms(run: Run, account: FakeAccount, monkeypatch: pytest.MonkeyPatch) -> Algorithms:
    """``kms-tui algorithms --region eu-west-1`` on the account, with further arguments."""

    def open_account(connection: Connection) -> FakeAccount:
        return account.in_region(connection.region or "eu-west-1")

    monkeypatch.setattr("kms_tui.cli.connection.open_backend", open_account)
    return lambda *arguments: run("algorithms", "--region", "eu-west-1", *arguments)


def shape_of(ended: Ended) -> dict[str, Any]:
    shape: dict[str, Any] = json.loads(ended.out)
    return shape


def test_keys_by_algorithm_and_what_stands_beside_them(algorithms: Algorithms, account: FakeAccount) -> None:
    ended = algorithms()
    assert (ended.code, ended.err) == (0, "")
    lines = [" ".join(line.split()) for line in ended.out.decode().splitlines()]
    assert "releases RSA-2048 enabled new tag" in lines
    assert "AES-256 encrypt 256 category 5 1 1 0" in lines
    assert {operation: account.count(operation) for operation, _ in account.calls} == {
        "ListKeys": 1,
        "ListAliases": 1,
        "DescribeKey": 3,
        "ListResourceTags": 1,
    }


def test_what_could_not_be_read_is_told_and_is_2(algorithms: Algorithms, account: FakeAccount) -> None:
    account.fail[("DescribeKey", key_id(2))] = denied("DescribeKey")
    ended = algorithms("--format", "json")
    assert ended.code == 2
    assert ended.err.splitlines() == [
        "The algorithm of 1 key is not known: DescribeKey was denied, failed or gave no answer.",
        "Whether 1 signing key has an ML-DSA key beside is not known: "
        "not all keys of its Region could be listed and described.",
    ]
    assert shape_of(ended)["undescribed"] == [account.arn(key_id(2))]


def test_tags_that_are_denied_leave_siblings_unknown(algorithms: Algorithms, account: FakeAccount) -> None:
    account.fail["ListResourceTags"] = denied("ListResourceTags")
    ended = algorithms("--format", "json")
    assert ended.code == 2
    (signing,) = shape_of(ended)["signing"]
    assert (signing["sibling"], signing["not_known"]) == (None, "the tags of an ML-DSA key could not be read")


def test_a_region_that_cannot_be_listed_is_told(
    run: Run, algorithms: Algorithms, account: FakeAccount
) -> None:
    account.others["us-east-1"] = FakeAccount(region="us-east-1")
    account.others["us-east-1"].fail |= {
        name: EndpointError("no way") for name in ("ListKeys", "ListAliases")
    }
    ended = run("algorithms", "--regions", "eu-west-1,us-east-1")
    assert ended.code == 2
    assert f"The keys of us-east-1 of {ACCOUNT} could not be listed: no way" in ended.err


def test_cyclonedx_is_valid_and_goes_to_a_file(algorithms: Algorithms) -> None:
    ended = algorithms("--format", "cyclonedx", "-o", "kms.cdx.json")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.decode().startswith("3 keys; a quantum computer breaks 1;")
    text = Path("kms.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert len(json.loads(text)["components"]) == 6


def test_without_the_library_nothing_is_called_and_the_command_to_install_it_is_told(
    algorithms: Algorithms, account: FakeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "cyclonedx"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "kms_tui.evidence.algorithms.cbom", raising=False)
    monkeypatch.setitem(sys.modules, "cyclonedx", None)
    ended = algorithms("--format", "cyclonedx")
    assert ended.code == 2
    assert "needs the library cyclonedx-python-lib" in ended.err
    assert "pip install 'kms-tui[cyclonedx]'" in ended.err
    assert account.calls == []


def _event(caller: str, exchange: str | None) -> dict[str, Any]:
    tls = {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256"}
    arn = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/{key_id(1)}"
    return {
        "eventSource": "kms.amazonaws.com",
        "eventName": "Sign",
        "awsRegion": "eu-west-1",
        "eventTime": "2026-05-30T09:00:00Z",
        "eventType": "AwsApiCall",
        "userIdentity": {
            "type": "IAMUser",
            "arn": f"arn:aws:iam::{ACCOUNT}:user/{caller}",
            "accountId": ACCOUNT,
        },
        "requestParameters": {"keyId": arn},
        "resources": [{"ARN": arn, "type": "AWS::KMS::Key"}],
        "tlsDetails": tls | ({} if exchange is None else {"keyExchange": exchange}),
    }


def test_callers_with_a_classical_key_exchange_are_named(algorithms: Algorithms) -> None:
    records = [
        _event("ada", "secp256r1"),
        _event("ada", "secp256r1"),
        _event("bob", "X25519MLKEM768"),
        _event("eve", "x25519"),
        _event("old", None),
    ]
    Path("trail").mkdir()
    Path("trail/events.json").write_text(json.dumps({"Records": records}))
    ended = algorithms("--callers", "--events", "trail", "--days", "36500", "--format", "json")
    callers = shape_of(ended)["callers"]
    assert ended.code == 0, ended.err
    assert [(each["subject"], each["detail"]) for each in callers["classical"]] == [
        ("user/ada", "secp256r1"),
        ("user/eve", "x25519"),
    ]
    assert (callers["untold"], callers["whole"]) == (1, True)


def test_without_a_record_of_requests_callers_are_an_error(algorithms: Algorithms) -> None:
    ended = algorithms("--callers")
    assert (ended.code, ended.out) == (2, b"")
    assert "no record of requests" in ended.err


def test_of_several_regions_each_without_a_record_is_told(
    run: Run, algorithms: Algorithms, account: FakeAccount
) -> None:
    account.others["us-east-1"] = FakeAccount(region="us-east-1")
    ended = run("algorithms", "--regions", "eu-west-1,us-east-1", "--callers")
    assert ended.code == 2
    text = ended.out.decode()
    for region in ("eu-west-1", "us-east-1"):
        assert f"{region}: Callers are not known: This connection has no record of requests." in text
    assert "releases" in text


def test_a_record_that_cannot_be_read_leaves_the_rest_of_the_answer(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise EndpointError("CloudTrail went away.")

    monkeypatch.setattr("kms_tui.cli.connection.open_backend", open_backend)
    monkeypatch.setattr("kms_tui.evidence.request_history.event_lookup.StoreRecord.read", refuse)
    ended = run("algorithms", "--demo", "--callers")
    assert ended.code == 2
    assert "was not read whole" in ended.err
    text = ended.out.decode()
    assert "eu-west-1: Callers are not known: CloudTrail went away." in text
    assert "No caller is recorded" not in text
    assert "54 keys; a quantum computer breaks 8" in text


def test_the_demo_has_all_of_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kms_tui.cli.connection.open_backend", open_backend)
    ended = run("algorithms", "--demo", "--callers", "--format", "json")
    shape = shape_of(ended)
    assert (ended.code, ended.err) == (0, "")
    assert (shape["keys"], shape["broken"]) == (54, 8)
    paired = {each["name"]: each["paired_by"] for each in shape["signing"]}
    assert paired["firmware-signing-rsa"] == "alias"
    assert shape["callers"]["untold"] > 0


@pytest.mark.parametrize("arguments", [("--format", "xml"), ("FILE",), ("--days", "soon")])
def test_bad_usage_is_2_and_nothing_is_called(
    algorithms: Algorithms, account: FakeAccount, arguments: tuple[str, ...]
) -> None:
    assert algorithms(*arguments).code == 2
    assert account.calls == []
