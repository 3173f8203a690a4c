"""boto3 against the server: what any SDK would see."""

from __future__ import annotations

import urllib.request
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from kms_tui.backend.local import LocalBackend, open_store
from kms_tui.serve.server import running
from kms_tui.serve.sigv4 import Credential, credential_of, random_credential
from tests.serve.conftest import REGION, kms_client

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient


def sts_client(url: str, credential: Credential, region: str = REGION) -> Any:
    return boto3.client(
        "sts",
        region_name=region,
        endpoint_url=url,
        aws_access_key_id=credential.access_key_id,
        aws_secret_access_key=credential.secret_access_key,
    )


def test_what_is_encrypted_comes_back(kms: KMSClient) -> None:
    key = kms.create_key(Description="ünïcode ✓", Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]
    assert key["Description"] == "ünïcode ✓"
    assert key["CreationDate"].tzinfo is not None
    assert abs(key["CreationDate"] - datetime.now(UTC)) < timedelta(minutes=1)
    plaintext = bytes(range(256))
    sealed = kms.encrypt(KeyId=key["KeyId"], Plaintext=plaintext, EncryptionContext={"a": "1", "é": "ß"})
    opened = kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext={"é": "ß", "a": "1"})
    assert opened["Plaintext"] == plaintext
    assert opened["KeyId"] == key["Arn"]


def test_refusals_are_the_exceptions_that_the_client_declares(kms: KMSClient) -> None:
    with pytest.raises(kms.exceptions.NotFoundException, match=r"Alias arn:.*:alias/none is not found\."):
        kms.describe_key(KeyId="alias/none")
    with pytest.raises(kms.exceptions.InvalidCiphertextException) as caught:
        kms.decrypt(CiphertextBlob=b"garbage")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert len(caught.value.response["ResponseMetadata"]["RequestId"]) == 36


def test_an_operation_without_output_answers_nothing(kms: KMSClient) -> None:
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.disable_key(KeyId=key_id)
    assert kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] == "Disabled"


def test_each_region_is_one_of_its_own(url: str, credential: Credential, kms: KMSClient) -> None:
    kms.create_key()
    with closing(kms_client(url, credential, region="ap-south-1")) as elsewhere:
        assert elsewhere.list_keys()["Keys"] == []
        assert ":ap-south-1:" in elsewhere.create_key()["KeyMetadata"]["Arn"]
    assert len(kms.list_keys()["Keys"]) == 1


def test_a_fresh_region_lists_the_predefined_aliases_without_a_key(kms: KMSClient) -> None:
    aliases = kms.list_aliases()["Aliases"]
    assert "alias/aws/s3" in [alias["AliasName"] for alias in aliases]
    assert not any("TargetKeyId" in alias for alias in aliases)


@pytest.mark.parametrize(
    ("change", "code"), [("secret", "InvalidSignatureException"), ("id", "UnrecognizedClientException")]
)
def test_another_credential_is_refused(url: str, credential: Credential, change: str, code: str) -> None:
    other = random_credential()
    wrong = Credential(
        other.access_key_id if change == "id" else credential.access_key_id,
        other.secret_access_key if change == "secret" else credential.secret_access_key,
    )
    with closing(kms_client(url, wrong)) as client, pytest.raises(ClientError) as caught:
        client.list_keys()
    assert caught.value.response["Error"]["Code"] == code


def test_an_old_signature_is_refused_and_one_within_minutes_is_not(
    backend: LocalBackend, credential: Credential
) -> None:
    ahead = timedelta(0)
    with (
        running(backend, credential=credential, now=lambda: datetime.now(UTC) + ahead) as url,
        closing(kms_client(url, credential)) as client,
    ):
        ahead = timedelta(minutes=4)
        client.list_keys()
        ahead = timedelta(minutes=6)
        with pytest.raises(ClientError, match="Signature expired"):
            client.list_keys()
        ahead = timedelta(minutes=-6)
        with pytest.raises(ClientError, match="Signature not yet current"):
            client.list_keys()


def test_without_a_credential_any_signature_will_do(backend: LocalBackend) -> None:
    with running(backend) as url, closing(kms_client(url, Credential("any", "thing"))) as client:
        assert client.list_keys()["Keys"] == []


def test_sts_tells_the_caller_directly_and_presigned(
    url: str, credential: Credential, backend: LocalBackend
) -> None:
    with closing(sts_client(url, credential)) as sts:
        identity = sts.get_caller_identity()
        presigned = sts.generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    assert (identity["Account"], identity["Arn"]) == (backend.account_id, backend.caller().arn)
    with urllib.request.urlopen(presigned, timeout=10) as answer:
        assert f"<Arn>{backend.caller().arn}</Arn>" in answer.read().decode()


def test_a_paginator_walks_every_page(kms: KMSClient) -> None:
    made = {kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(7)}
    pages = list(kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 3}))
    assert [len(page["Keys"]) for page in pages] == [3, 3, 1]
    assert {key["KeyId"] for page in pages for key in page["Keys"]} == made


@pytest.mark.parametrize(
    ("region", "partition"),
    [("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn"), ("eusc-de-east-1", "aws-eusc")],
)
def test_a_client_of_another_partition_gets_arns_of_it(
    url: str, credential: Credential, region: str, partition: str
) -> None:
    with closing(kms_client(url, credential, region=region)) as kms:
        assert kms.create_key()["KeyMetadata"]["Arn"].startswith(f"arn:{partition}:kms:{region}:")
    with closing(sts_client(url, credential, region)) as sts:
        assert sts.get_caller_identity()["Arn"].startswith(f"arn:{partition}:iam::")


def test_another_partition_does_not_know_a_named_caller() -> None:
    with open_store() as store:
        arn = "arn:aws:iam::111122223333:role/app"
        backend = LocalBackend(store, account_id="111122223333", region=REGION, caller_arn=arn)
        credential = credential_of(store)
        with (
            running(backend, credential=credential) as url,
            closing(kms_client(url, credential, region="us-gov-west-1")) as kms,
            closing(sts_client(url, credential, "us-gov-west-1")) as sts,
        ):
            with pytest.raises(ClientError, match="UnrecognizedClientException"):
                kms.list_keys()
            with pytest.raises(ClientError, match="InvalidClientTokenId"):
                sts.get_caller_identity()
