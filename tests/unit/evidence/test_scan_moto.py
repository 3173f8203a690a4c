"""A scan of real resources of every kind, on services that others wrote (moto's server)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest

from kms_tui.backend.aws import connect
from kms_tui.backend.kms_facade import Kms
from kms_tui.evidence.scanners import SCANNERS
from kms_tui.evidence.scans import Scan, ScanRun
from tests.endpoints.environment import use_static_credentials
from tests.endpoints.moto import MotoEndpoint
from tests.unit.evidence.moto_resources import KEEPS_NO_KEY, MAKERS, MOTO_LACKS
from tests.unit.evidence.world import REGION, section

_ZONE = f"{REGION}a"
_TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow",'
    '"Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
)
_HASH_KEY = {
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}
_MADE_WITH_THEM = {"EBS volumes", "RDS instances", "RDS clusters", "Lambda functions"}
_UNNAMED = {
    "EBS snapshots",
    "FSx file systems",
    "RDS snapshots",
    "RDS cluster snapshots",
    "MemoryDB clusters",
    "Aurora DSQL clusters",
    "Lambda event source mappings",
    "Glue Data Catalogs",
}
"""Kinds of which there is one with an id in place of a name, or with that of what it was made for."""
_FOREIGN = f"arn:aws:kms:{REGION}:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab"


class Account:
    """An account with resources under the key of alias/orders of a region, and some under others."""

    def __init__(self, url: str, region: str = REGION) -> None:
        self._session = botocore.session.Session()
        self._clients: dict[tuple[str, str], Any] = {}
        self.url = url
        self.region = region
        key = self.client("kms").create_key()["KeyMetadata"]
        self.key_id, self.key_arn = key["KeyId"], key["Arn"]
        self.client("kms").create_alias(AliasName="alias/orders", TargetKeyId=self.key_id)

    def client(self, service: str, region: str = "") -> Any:
        region = region or self.region
        if (service, region) not in self._clients:
            made = self._session.create_client(service, region_name=region, endpoint_url=self.url)
            self._clients[service, region] = made
        return self._clients[service, region]

    def fill(self) -> None:
        self._buckets()
        self._databases()
        self.make_functions()
        ec2 = self.client("ec2")
        name = [{"ResourceType": "volume", "Tags": [{"Key": "Name", "Value": "orders-data"}]}]
        ec2.create_volume(
            AvailabilityZone=_ZONE, Size=1, Encrypted=True, KmsKeyId=self.key_arn, TagSpecifications=name
        )
        ec2.create_volume(AvailabilityZone=_ZONE, Size=1, Encrypted=True, KmsKeyId=_FOREIGN)
        ec2.create_volume(AvailabilityZone=_ZONE, Size=1)
        secrets = self.client("secretsmanager")
        secrets.create_secret(Name="orders-password", SecretString="x", KmsKeyId=self.key_arn)
        secrets.create_secret(Name="leaving", SecretString="x", KmsKeyId=self.key_arn)
        secrets.delete_secret(SecretId="leaving", RecoveryWindowInDays=7)
        secrets.create_secret(Name="by-default", SecretString="x")
        ssm = self.client("ssm")
        for number in range(12):
            ssm.put_parameter(Name=f"/orders/{number}", Value="x", Type="SecureString", KeyId="alias/orders")
        ssm.put_parameter(Name="/by-default", Value="x", Type="SecureString")
        ssm.put_parameter(Name="/plain", Value="x", Type="String")
        sse = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": self.key_arn}
        self.client("dynamodb").create_table(TableName="orders", SSESpecification=sse, **_HASH_KEY)
        self.client("dynamodb").create_table(TableName="plain", **_HASH_KEY)
        self.client("sqs").create_queue(QueueName="orders", Attributes={"KmsMasterKeyId": "alias/orders"})
        self.client("sqs").create_queue(QueueName="plain")
        self.client("sns").create_topic(Name="orders", Attributes={"KmsMasterKeyId": self.key_id})
        self.client("logs").create_log_group(logGroupName="/orders", kmsKeyId=self.key_arn)
        self.client("efs").create_file_system(
            CreationToken="t", Encrypted=True, KmsKeyId=self.key_arn, Tags=[{"Key": "Name", "Value": "homes"}]
        )

    def _buckets(self) -> None:
        s3 = self.client("s3")
        for name, rule in {
            "by-arn": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": self.key_arn},
            "by-id": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": self.key_id},
            "by-alias": {"SSEAlgorithm": "aws:kms:dsse", "KMSMasterKeyID": "alias/orders"},
            "by-default": {"SSEAlgorithm": "aws:kms"},
            "not-kms": {"SSEAlgorithm": "AES256"},
            "nothing": None,
        }.items():
            s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
            if rule is not None:
                rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": rule}]}
                s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=rules)
        self.client("s3", "us-east-1").create_bucket(Bucket="in-another-region")

    def _databases(self) -> None:
        common = {
            "StorageEncrypted": True,
            "KmsKeyId": self.key_arn,
            "MasterUsername": "owner",
            "MasterUserPassword": "correct horse",
        }
        self.client("rds").create_db_instance(
            DBInstanceIdentifier="orders",
            DBInstanceClass="db.t3.micro",
            Engine="postgres",
            AllocatedStorage=20,
            **common,
        )
        self.client("rds").create_db_cluster(
            DBClusterIdentifier="orders-cluster", Engine="aurora-postgresql", **common
        )

    def make_functions(self) -> None:
        role = self.client("iam").create_role(RoleName=self.region, AssumeRolePolicyDocument=_TRUST)["Role"][
            "Arn"
        ]
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("f.py", "")
        for name, key in (("orders", {"KMSKeyArn": self.key_arn}), ("plain", {})):
            self.client("lambda").create_function(
                FunctionName=name,
                Runtime="python3.12",
                Role=role,
                Handler="f.x",
                Code={"ZipFile": code.getvalue()},
                **key,
            )


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with pytest.MonkeyPatch.context() as monkeypatch, MotoEndpoint() as moto:
        use_static_credentials(monkeypatch)
        account = Account(moto.url)
        account.fill()
        yield account


@pytest.fixture(scope="module")
def found(account: Account) -> Scan:
    backend = connect(region=REGION, endpoint_url=account.url)
    return ScanRun(Kms(backend), backend.services, lambda: datetime.now(UTC)).run()


def test_every_kind_of_resource_is_found_whichever_way_it_names_the_key(
    found: Scan, account: Account
) -> None:
    by_kind: dict[str, list[str]] = {}
    for use in found.uses(account.key_id):
        by_kind.setdefault(use.kind, []).append(use.label or use.resource)
    volume = by_kind.pop("EBS volumes")
    assert volume == ["orders-data"]
    automated = [by_kind.pop(f"RDS {kind}") for kind in ("snapshots", "cluster snapshots")]
    assert automated == [["orders"], ["orders-cluster"]]
    assert by_kind == {
        "S3 buckets": ["by-alias", "by-arn", "by-id"],
        "RDS instances": ["orders"],
        "RDS clusters": ["orders-cluster"],
        "Secrets Manager secrets": ["leaving", "orders-password"],
        "SSM SecureStrings": sorted(f"/orders/{number}" for number in range(12)),
        "Lambda functions": ["orders"],
        "DynamoDB tables": ["orders"],
        "SQS queues": ["orders"],
        "SNS topics": ["orders"],
        "CloudWatch log groups": ["/orders"],
        "EFS file systems": ["homes"],
    }
    assert {*by_kind, "EBS volumes"} == {scanner.title for scanner in SCANNERS} - {*MAKERS, *MOTO_LACKS}


@pytest.fixture(scope="module")
def one_of_each(account: Account) -> tuple[Scan, str]:
    """The scan of a region with a resource of each kind of ``MAKERS``, and the key of all of them."""
    here = Account(account.url, "us-east-1")
    here.make_functions()
    for make in MAKERS.values():
        make(here.client, here.key_arn)
    backend = connect(region=here.region, endpoint_url=here.url)
    return ScanRun(Kms(backend), backend.services, lambda: datetime.now(UTC)).run(), here.key_id


@pytest.mark.slow
def test_one_resource_of_each_kind_is_found(one_of_each: tuple[Scan, str]) -> None:
    scan, key_id = one_of_each
    uses = scan.uses(key_id)
    assert {use.kind for use in uses} - {*MAKERS} == _MADE_WITH_THEM
    assert {*MAKERS} - {use.kind for use in uses} == set()
    assert all(use.resource for use in uses)
    assert {
        use.kind for use in uses if "orders" not in (use.resource, use.label)
    } <= _MADE_WITH_THEM | _UNNAMED


@pytest.mark.slow
def test_what_moto_lacks_is_said_and_nothing_else(one_of_each: tuple[Scan, str]) -> None:
    """The table of what moto lacks stays true: with a new moto a row moves to the makers."""
    scan, _ = one_of_each
    unchecked = {section.title for section in scan.unchecked}
    assert unchecked == {title for title, reason in MOTO_LACKS.items() if reason != KEEPS_NO_KEY}
    assert not MOTO_LACKS.keys() & MAKERS.keys()


def test_every_service_was_looked_at_whole_that_moto_has(found: Scan) -> None:
    assert {section.title for section in found.unchecked} <= {*MOTO_LACKS, "Aurora DSQL clusters"}
    assert section(found, "SSM SecureStrings").calls == 2
    assert section(found, "S3 buckets").listed == 6


def test_what_a_service_encrypts_by_default_is_told_as_such(found: Scan) -> None:
    by_default = {
        (use.kind, use.resource)
        for alias in ("alias/aws/s3", "alias/aws/secretsmanager", "alias/aws/ssm")
        for use in found.uses(found.names.target(alias).key_id)
    }
    assert by_default == {
        ("S3 buckets", "by-default"),
        ("Secrets Manager secrets", "by-default"),
        ("SSM SecureStrings", "/by-default"),
    }


def test_another_accounts_key_is_not_lost(found: Scan) -> None:
    (stray,) = found.unmatched
    assert (stray.use.kind, stray.use.reference) == ("EBS volumes", _FOREIGN)
    assert stray.reason == "a key of account 444455556666"
