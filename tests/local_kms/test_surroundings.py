"""What boto3 finds while a KMS is active, whatever was there before, and that all of that comes back."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from kms_tui.testing import LocalKms

REGION = "eu-west-1"
SEED = "keys: [{aliases: [alias/app]}]"

pytestmark = [pytest.mark.usefixtures("no_network"), pytest.mark.slow]


@pytest.fixture
def pair() -> Iterator[tuple[LocalKms, LocalKms]]:
    one, other = LocalKms(region="eu-west-1"), LocalKms(region="us-west-2")
    yield one, other
    one.close()
    other.close()


@pytest.mark.parametrize(
    "variables",
    [
        {"AWS_ACCESS_KEY_ID": "AKIAREAL", "AWS_SECRET_ACCESS_KEY": "real", "AWS_SESSION_TOKEN": "real"},
        {"AWS_SECURITY_TOKEN": "real", "AWS_ACCOUNT_ID": "999988887777"},
        {"AWS_CREDENTIAL_EXPIRATION": "2020-01-01T00:00:00Z"},
        {"AWS_PROFILE": "not-on-this-machine"},
        {"AWS_DEFAULT_PROFILE": "not-on-this-machine"},
        {"AWS_DEFAULT_REGION": "ap-south-1", "AWS_REGION": "ap-south-1"},
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"},
    ],
)
def test_nothing_of_somebodys_own_account_is_found(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    with LocalKms(SEED, region=REGION) as kms:
        found = boto3.Session().get_credentials()
        assert found is not None
        assert (found.access_key, found.token) == (os.environ["AWS_ACCESS_KEY_ID"], None)
        client = boto3.client("kms")
        assert client.describe_key(KeyId="alias/app")["KeyMetadata"]["Arn"].split(":")[3] == REGION
        with kms:
            assert client.list_keys()["Keys"]
        assert client.list_keys()["Keys"]
    kms.close()
    assert dict(os.environ) == before


@pytest.mark.parametrize("name", ["AWS_DEFAULT_REGION", "AWS_REGION"])
def test_a_region_that_nothing_else_names_is_the_environments(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "eu-north-1")
    with LocalKms() as kms:
        assert boto3.client("kms").meta.region_name == kms.backend.region == "eu-north-1"
    kms.close()


def test_the_default_session_is_not_kept_on_either_side() -> None:
    boto3.setup_default_session(aws_access_key_id="AKIAREAL", aws_secret_access_key="real")
    before = boto3.DEFAULT_SESSION
    with LocalKms(region=REGION) as kms:
        assert boto3.client("kms").meta.region_name == REGION
        assert boto3.DEFAULT_SESSION is not before
    kms.close()
    assert boto3.DEFAULT_SESSION is before
    boto3.DEFAULT_SESSION = None


def test_two_that_end_in_the_order_of_their_begin_leave_nothing(pair: tuple[LocalKms, LocalKms]) -> None:
    one, other = pair
    before = dict(os.environ)
    one.__enter__()
    other.__enter__()
    one.__exit__()
    assert boto3.client("kms").create_key()["KeyMetadata"]["Arn"].split(":")[3] == "us-west-2"
    assert (one.calls.count(), other.calls.count()) == (0, 1)
    other.__exit__()
    assert dict(os.environ) == before


def test_one_that_is_entered_twice_answers_until_it_is_left_twice(pair: tuple[LocalKms, LocalKms]) -> None:
    one, other = pair
    with one:
        client = boto3.client("kms")
        with other, one:
            client.list_keys()
        client.list_keys()
    assert (one.calls.count(), other.calls.count()) == (2, 0)


def test_clients_of_its_own_speak_to_it_whichever_is_active(pair: tuple[LocalKms, LocalKms]) -> None:
    one, other = pair
    client, sts = one.client(), one.client(service="sts")
    with other:
        key = client.create_key()["KeyMetadata"]["KeyId"]
        assert sts.get_caller_identity()["Account"] == "111122223333"
    client.describe_key(KeyId=key)
    assert (one.calls.count(), other.calls.count()) == (2, 0)


@pytest.mark.parametrize("given", [{}, {"region": "us-west-2"}, {"account_id": "444455556666"}])
def test_what_a_seed_does_not_place_is_where_its_clients_look(given: dict[str, str]) -> None:
    with LocalKms(SEED, **given) as kms:  # type: ignore[arg-type]
        kms.add("keys: [{aliases: [alias/more]}]")
        described = [boto3.client("kms").describe_key(KeyId=f"alias/{each}") for each in ("app", "more")]
        wanted = {"region": "us-east-1", "account_id": "111122223333", **given}
        for each in described:
            assert each["KeyMetadata"]["Arn"].split(":")[3:5] == [wanted["region"], wanted["account_id"]]
    kms.close()


def test_a_seed_of_local_kms_is_in_the_region_that_is_asked_for() -> None:
    metadata = {"KeyId": "11111111-2222-3333-4444-555555555555"}
    seed = {"Keys": {"Symmetric": {"Aes": [{"Metadata": metadata, "BackingKeys": ["5c" * 32]}]}}}
    for region in ("eu-west-2", "us-west-2"):
        with LocalKms(seed, region="" if region == "eu-west-2" else region) as kms:
            (key,) = boto3.client("kms").list_keys()["Keys"]
            assert key["KeyArn"].split(":")[3] == region
        kms.close()


@mock_aws
def test_moto_within_and_around_it() -> None:
    with LocalKms(region=REGION) as kms, mock_aws():
        boto3.client("kms", REGION).create_key()
        assert boto3.client("s3", "us-east-1").list_buckets()["Buckets"] == []
        assert kms.calls.count() == 1
    kms.close()


EARLIER = """
import socket, boto3, botocore.client, botocore.session

def refuse(*_, **__):
    raise AssertionError("a connection was opened")

socket.getaddrinfo = refuse
keys = {"aws_access_key_id": "A", "aws_secret_access_key": "S"}
clients = [
    boto3.client("kms", "eu-west-1", **keys),
    boto3.Session(**keys).client("kms", "eu-west-1"),
    botocore.session.Session().create_client("kms", "eu-west-1", **keys),
]
session = boto3.Session(region_name="eu-west-1")
half_made = botocore.client.BaseClient.__new__(botocore.client.BaseClient)

from kms_tui.testing import LocalKms

with LocalKms(region="eu-west-1") as kms:
    for client in [*clients, session.client("kms"), boto3.client("kms")]:
        client.list_keys()
    print(kms.calls.counts)
"""


def test_clients_and_sessions_that_were_there_before_it_was_imported(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", EARLIER],
        env={**environment, "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stdout == "Counter({'ListKeys': 5})\n", ended.stderr
