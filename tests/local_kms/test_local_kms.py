"""``kms_tui.testing``: any boto3 client of the process speaks to an offline KMS, and nothing leaves it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import urlopen

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError, ReadTimeoutError
from moto import mock_aws

from kms_tui.testing import (
    ANY,
    DENY,
    EXPIRED,
    INTERNAL,
    OK,
    SKEWED,
    THROTTLE,
    UNAVAILABLE,
    Answer,
    Drop,
    Fault,
    Half,
    Hang,
    LocalKms,
    Refuse,
    ShortPage,
    Stale,
)

REGION = "eu-west-1"
ONCE = Config(retries={"total_max_attempts": 1})
CONTEXT = {"purpose": "test"}

pytestmark = pytest.mark.usefixtures("no_network")


@pytest.fixture
def kms() -> Iterator[LocalKms]:
    with LocalKms(region=REGION) as made:
        yield made
    made.close()


@pytest.fixture
def client(kms: LocalKms) -> Any:
    return boto3.client("kms", config=ONCE)


@pytest.fixture
def key(client: Any) -> str:
    client.create_key()
    key_id = str(client.list_keys()["Keys"][0]["KeyId"])
    client.create_alias(AliasName="alias/app", TargetKeyId=key_id)
    return key_id


def _code(call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


# Which clients are led here


def _by_session(region: str) -> Any:
    return boto3.Session(region_name=region).client("kms")


def _by_resource_of_botocore(region: str) -> Any:
    return botocore.session.get_session().create_client("kms", region_name=region)


def _by_endpoint(region: str) -> Any:
    return boto3.client("kms", region_name=region, endpoint_url="http://localhost:4566")


@pytest.mark.parametrize("make", [_by_session, _by_resource_of_botocore, _by_endpoint])
def test_a_client_is_led_here_however_it_is_made(kms: LocalKms, make: Callable[[str], Any]) -> None:
    made = make("us-west-2").create_key()["KeyMetadata"]
    assert made["Arn"].startswith("arn:aws:kms:us-west-2:111122223333:key/")
    assert kms.backend.in_region("us-west-2").call("DescribeKey", {"KeyId": made["KeyId"]})
    assert kms.calls.calls("CreateKey")[0].region == "us-west-2"


def test_a_client_that_was_there_before_is_led_here_and_back_out_again() -> None:
    client = boto3.client("kms", "eu-west-1", aws_access_key_id="A", aws_secret_access_key="S", config=ONCE)
    with LocalKms() as kms:
        assert client.list_keys()["Keys"] == []
    kms.close()
    with pytest.raises(HTTPClientError, match="a connection was opened"):
        client.list_keys()


def test_the_last_one_answers_and_then_the_one_before(kms: LocalKms, client: Any, key: str) -> None:
    with LocalKms() as inner:
        assert client.list_keys()["Keys"] == []
        assert inner.calls.count() == 1
    inner.close()
    assert [each["KeyId"] for each in client.list_keys()["Keys"]] == [key]


def test_all_threads_speak_to_it(kms: LocalKms, client: Any, key: str) -> None:
    def use(number: int) -> bytes:
        sealed = client.encrypt(KeyId=key, Plaintext=b"%d" % number)["CiphertextBlob"]
        return bytes(client.decrypt(CiphertextBlob=sealed)["Plaintext"])

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(use, range(80))) == [b"%d" % number for number in range(80)]
    assert (kms.calls.count("Encrypt"), kms.calls.count("Decrypt")) == (80, 80)


def test_sts_tells_the_caller(kms: LocalKms) -> None:
    told = boto3.client("sts", REGION).get_caller_identity()
    assert (told["Account"], told["Arn"]) == ("111122223333", "arn:aws:iam::111122223333:user/administrator")


@mock_aws
def test_beside_moto_it_has_kms_and_moto_the_rest() -> None:
    with LocalKms(region=REGION, sts=False) as kms:
        client = boto3.client("kms", REGION)
        client.create_key()
        boto3.client("s3", "us-east-1").create_bucket(Bucket="bucket-of-moto")
        assert boto3.client("sts", REGION).get_caller_identity()["Account"] == "123456789012"
        assert (len(client.list_keys()["Keys"]), kms.calls.count()) == (1, 2)
    kms.close()
    assert boto3.client("kms", REGION).list_keys()["Keys"] == []


# States


def test_a_reset_goes_back_to_the_beginning(kms: LocalKms, client: Any, key: str) -> None:
    kms.faults.always("ListKeys", DENY)
    kms.clock.advance(days=3)
    moment = kms.clock()
    kms.reset()
    assert client.list_keys()["Keys"] == []
    assert kms.calls.counts == {"ListKeys": 1}
    assert kms.clock() < moment


def test_a_snapshot_brings_back_keys_policies_and_the_clock(kms: LocalKms, client: Any, key: str) -> None:
    sealed = client.encrypt(KeyId=key, Plaintext=b"text")["CiphertextBlob"]
    kms.clock.freeze()
    snapshot, moment = kms.snapshot(), kms.clock()
    for _ in range(2):
        client.schedule_key_deletion(KeyId=key)
        kms.clock.advance(days=31)
        assert _code(lambda: client.decrypt(CiphertextBlob=sealed)) != ""
        kms.restore(snapshot)
        assert client.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"text"
        assert kms.clock() == moment


# The clock


def test_rotation_and_deletion_follow_the_clock(kms: LocalKms, client: Any, key: str) -> None:
    client.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    kms.clock.advance(days=181)
    dates = [each["RotationDate"] for each in client.list_key_rotations(KeyId=key)["Rotations"]]
    assert [date - dates[0] for date in dates] == [timedelta(0), timedelta(days=90)]
    client.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    kms.clock.advance(days=7, minutes=1)
    assert _code(lambda: client.describe_key(KeyId=key)) == "NotFoundException"


def test_given_a_moment_all_that_it_says_is_of_that_moment() -> None:
    now = datetime(2030, 5, 1, 12, tzinfo=UTC)
    with LocalKms(region=REGION, now=now) as kms:
        assert boto3.client("kms").create_key()["KeyMetadata"]["CreationDate"] == now
        kms.clock.advance(hours=1)
        assert boto3.client("kms").create_key()["KeyMetadata"]["CreationDate"] == now + timedelta(hours=1)
    kms.close()


# Faults


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (THROTTLE, "ThrottlingException"),
        (DENY, "AccessDeniedException"),
        (EXPIRED, "ExpiredTokenException"),
        (SKEWED, "InvalidSignatureException"),
        (INTERNAL, "KMSInternalException"),
        (UNAVAILABLE, "503"),
        (Refuse("LimitExceededException", "no more", 400), "LimitExceededException"),
    ],
)
def test_a_refusal_has_its_code_and_nothing_is_done(
    kms: LocalKms, client: Any, key: str, fault: Fault, code: str
) -> None:
    kms.faults.plan("DisableKey", fault)
    assert _code(lambda: client.disable_key(KeyId=key)) == code
    assert client.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"
    assert [call.error for call in kms.calls.calls("DisableKey")] == [code]


@pytest.mark.parametrize(
    ("fault", "error", "state"),
    [
        (Drop(done=False), ConnectionClosedError, "Enabled"),
        (Drop(done=True), ConnectionClosedError, "Disabled"),
        (Half(), ConnectionClosedError, "Disabled"),
        (Hang(), ReadTimeoutError, "Disabled"),
    ],
)
def test_a_lost_answer_may_have_been_an_action(
    kms: LocalKms, client: Any, key: str, fault: Fault, error: type[Exception], state: str
) -> None:
    kms.faults.plan("DisableKey", fault)
    with pytest.raises(error):
        client.disable_key(KeyId=key)
    assert client.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == state


def test_half_of_an_answer_is_what_botocore_makes_of_it(kms: LocalKms, client: Any) -> None:
    kms.faults.plan("GenerateRandom", Half())
    assert "Plaintext" not in client.generate_random(NumberOfBytes=32)


def test_botocore_itself_tries_again(kms: LocalKms, key: str) -> None:
    kms.faults.plan("Encrypt", Drop(done=False), UNAVAILABLE, OK)
    session = boto3.Session()
    patient = session.client("kms", config=Config(retries={"total_max_attempts": 5, "mode": "standard"}))
    assert patient.encrypt(KeyId=key, Plaintext=b"x")["KeyId"].endswith(key)
    assert [call.error for call in kms.calls.calls("Encrypt")] == ["reset", "503", ""]


def test_an_answer_may_take_its_time(
    kms: LocalKms, client: Any, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    kms.faults.plan(ANY, Answer(after=1.5))
    client.list_keys()
    client.list_keys()
    assert slept == [1.5]


def test_reads_lag_behind_a_change(kms: LocalKms, client: Any, key: str) -> None:
    kms.faults.plan("DescribeKey", Stale(), Stale())
    kms.faults.always("Encrypt", Stale())
    client.disable_key(KeyId=key)
    states = [client.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] for _ in range(3)]
    assert states == ["Enabled", "Enabled", "Disabled"]
    assert client.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]


def test_a_change_is_never_made_on_an_earlier_state(kms: LocalKms, client: Any, key: str) -> None:
    kms.faults.always(ANY, Stale())
    client.disable_key(KeyId=key)
    kms.faults.clear()
    assert client.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"


def test_pages_may_be_short_and_lead_on(kms: LocalKms, client: Any) -> None:
    for _ in range(5):
        client.create_key()
    kms.faults.always("ListKeys", ShortPage())
    first = client.list_keys(Limit=4)
    assert (len(first["Keys"]), first["Truncated"]) == (2, True)
    pages = client.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 4})
    assert [len(page["Keys"]) for page in pages] == [2, 2, 1]
    kms.faults.always("DescribeKey", ShortPage())
    assert client.describe_key(KeyId=first["Keys"][0]["KeyId"])


@pytest.mark.parametrize("name", ["alias/app", "id", "arn"])
def test_a_fault_is_for_one_key_by_any_of_its_names(kms: LocalKms, client: Any, key: str, name: str) -> None:
    other = client.create_key()["KeyMetadata"]["KeyId"]
    arn = client.describe_key(KeyId=key)["KeyMetadata"]["Arn"]
    sealed = [client.encrypt(KeyId=each, Plaintext=b"x")["CiphertextBlob"] for each in (key, other)]
    kms.faults.always("Decrypt", DENY, key={"id": key, "arn": arn}.get(name, name))
    kms.faults.always("Encrypt", THROTTLE, key={"id": key, "arn": arn}.get(name, name))
    assert _code(lambda: client.decrypt(CiphertextBlob=sealed[0])) == "AccessDeniedException"
    assert client.decrypt(CiphertextBlob=sealed[1])["Plaintext"] == b"x"
    assert _code(lambda: client.encrypt(KeyId="alias/app", Plaintext=b"x")) == "ThrottlingException"
    assert client.encrypt(KeyId=other, Plaintext=b"x")


# The calls made so far


def test_a_call_is_told_with_its_caller_key_and_context_and_without_its_secret(
    kms: LocalKms, client: Any, key: str
) -> None:
    client.encrypt(KeyId="alias/app", Plaintext=b"plain-secret", EncryptionContext=CONTEXT)
    (call,) = kms.calls.calls("Encrypt")
    assert (call.principal, call.encryption_context, call.error, call.fault) == (
        "arn:aws:iam::111122223333:user/administrator",
        CONTEXT,
        "",
        None,
    )
    assert call.keys[:2] == (f"arn:aws:kms:{REGION}:111122223333:key/{key}", key)
    assert "alias/app" in call.keys
    assert "plain-secret" not in repr(call)
    assert kms.calls.count("Encrypt", key=key) == kms.calls.count(key="alias/app") - 1 == 1


def test_a_refused_call_is_told_with_its_code(kms: LocalKms, client: Any) -> None:
    assert _code(lambda: client.describe_key(KeyId="alias/none")) == "NotFoundException"
    (call,) = kms.calls.calls()
    assert (call.error, call.keys) == ("NotFoundException", ("alias/none",))


# Over HTTP as well


def test_it_is_served_to_other_processes_too(
    kms: LocalKms, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    with kms.served() as url, urlopen(f"{url}/_kms-tui/health", timeout=10) as answer:
        assert json.load(answer)["keys"] == 1
