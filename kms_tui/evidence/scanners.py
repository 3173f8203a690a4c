"""THE table of scanners: each service's list call, and where its resources name a key.

A new service takes a row here, and its calls in ``kms_tui.kms.operations.SERVICE_READS``. Paths are JMESPath
expressions. Calls, members and page sizes are those of botocore's service models. The rates are low because
the account's other programs share its quotas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Listing:
    """A list call: ``items`` is the path to its entries; a plain text entry becomes the member ``wrap``.

    ``token`` is (request member, answer member) for the next page; ``in_region`` is the request member for
    the region's name.
    """

    operation: str
    items: str
    token: tuple[str, str]
    params: Mapping[str, Any] = field(default_factory=dict)
    wrap: str = ""
    in_region: str = ""


@dataclass(frozen=True, slots=True)
class Detail:
    """A call for each entry: ``member`` of its request is the entry's text at ``of``.

    ``without`` are the error codes of an entry without a key: nothing is configured, it is in another region,
    or it is deleted.
    """

    operation: str
    member: str
    of: str
    params: Mapping[str, Any] = field(default_factory=dict)
    without: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a resource names a key: the member ``key`` of the structures at ``within``, and its purpose.

    For a structure without a key the service uses the alias ``default``, if ``when`` (a member and its
    values) matches.
    """

    key: str
    purpose: str = ""
    within: str = ""
    default: str = ""
    when: tuple[str, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Scanner:
    """One kind of resource; ``service`` is botocore's name, ``title`` a plural for people.

    A resource's name is the text at ``name``, or its part after the last ``name_after``; ``label`` is its
    second name, given by people. ``region_at`` is the path to an entry's region. At most ``rate`` calls are
    made a second.
    """

    title: str
    service: str
    listing: Listing
    name: str
    keys: tuple[Place, ...]
    detail: Detail | None = None
    name_after: str = ""
    label: str = ""
    region_at: str = ""
    rate: float = 10.0


_DATABASE_KEYS = (
    Place("KmsKeyId", "storage"),
    Place("PerformanceInsightsKMSKeyId", "Performance Insights"),
    Place("ActivityStreamKmsKeyId", "activity stream"),
    Place("KmsKeyId", "master user's secret", within="MasterUserSecret"),
)

SCANNERS = (
    Scanner(
        "S3 buckets",
        "s3",
        Listing(
            "ListBuckets",
            "Buckets",
            ("ContinuationToken", "ContinuationToken"),
            {"MaxBuckets": 1000},
            in_region="BucketRegion",
        ),
        name="Name",
        detail=Detail(
            "GetBucketEncryption",
            "Bucket",
            "Name",
            without=frozenset(
                {
                    "ServerSideEncryptionConfigurationNotFoundError",
                    "NoSuchBucket",
                    "PermanentRedirect",
                    "AuthorizationHeaderMalformed",
                    "IllegalLocationConstraintException",
                }
            ),
        ),
        keys=(
            Place(
                "KMSMasterKeyID",
                "default encryption",
                within="ServerSideEncryptionConfiguration.Rules[].ApplyServerSideEncryptionByDefault",
                default="alias/aws/s3",
                when=("SSEAlgorithm", ("aws:kms", "aws:kms:dsse")),
            ),
        ),
        region_at="BucketRegion",
        rate=40.0,
    ),
    Scanner(
        "EBS volumes",
        "ec2",
        Listing(
            "DescribeVolumes",
            "Volumes",
            ("NextToken", "NextToken"),
            {"MaxResults": 500, "Filters": [{"Name": "encrypted", "Values": ["true"]}]},
        ),
        name="VolumeId",
        label="Tags[?Key=='Name'].Value",
        keys=(Place("KmsKeyId"),),
    ),
    Scanner(
        "RDS instances",
        "rds",
        Listing("DescribeDBInstances", "DBInstances", ("Marker", "Marker"), {"MaxRecords": 100}),
        name="DBInstanceIdentifier",
        keys=_DATABASE_KEYS,
    ),
    Scanner(
        "RDS clusters",
        "rds",
        Listing("DescribeDBClusters", "DBClusters", ("Marker", "Marker"), {"MaxRecords": 100}),
        name="DBClusterIdentifier",
        keys=_DATABASE_KEYS,
    ),
    Scanner(
        "Secrets Manager secrets",
        "secretsmanager",
        Listing(
            "ListSecrets",
            "SecretList",
            ("NextToken", "NextToken"),
            {"MaxResults": 100, "IncludePlannedDeletion": True},
        ),
        name="Name",
        keys=(Place("KmsKeyId", default="alias/aws/secretsmanager"),),
    ),
    Scanner(
        "SSM SecureStrings",
        "ssm",
        Listing(
            "DescribeParameters",
            "Parameters",
            ("NextToken", "NextToken"),
            {
                "MaxResults": 50,
                "ParameterFilters": [{"Key": "Type", "Option": "Equals", "Values": ["SecureString"]}],
            },
        ),
        name="Name",
        keys=(Place("KeyId", default="alias/aws/ssm", when=("Type", ("SecureString",))),),
        rate=5.0,
    ),
    Scanner(
        "Lambda functions",
        "lambda",
        Listing("ListFunctions", "Functions", ("Marker", "NextMarker"), {"MaxItems": 50}),
        name="FunctionName",
        keys=(
            Place("KMSKeyArn", "environment"),
            Place("KMSKeyArn", "durable executions", within="DurableConfig"),
        ),
    ),
    Scanner(
        "DynamoDB tables",
        "dynamodb",
        Listing(
            "ListTables",
            "TableNames",
            ("ExclusiveStartTableName", "LastEvaluatedTableName"),
            {"Limit": 100},
            wrap="TableName",
        ),
        name="TableName",
        detail=Detail(
            "DescribeTable", "TableName", "TableName", without=frozenset({"ResourceNotFoundException"})
        ),
        keys=(Place("KMSMasterKeyArn", within="Table.SSEDescription"),),
        rate=40.0,
    ),
    Scanner(
        "SQS queues",
        "sqs",
        Listing("ListQueues", "QueueUrls", ("NextToken", "NextToken"), {"MaxResults": 1000}, wrap="QueueUrl"),
        name="QueueUrl",
        name_after="/",
        detail=Detail(
            "GetQueueAttributes",
            "QueueUrl",
            "QueueUrl",
            {"AttributeNames": ["KmsMasterKeyId"]},
            without=frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}),
        ),
        keys=(Place("KmsMasterKeyId", within="Attributes"),),
        rate=40.0,
    ),
    Scanner(
        "SNS topics",
        "sns",
        Listing("ListTopics", "Topics", ("NextToken", "NextToken")),
        name="TopicArn",
        name_after=":",
        detail=Detail("GetTopicAttributes", "TopicArn", "TopicArn", without=frozenset({"NotFound"})),
        keys=(Place("KmsMasterKeyId", within="Attributes"),),
        rate=25.0,
    ),
    Scanner(
        "CloudWatch log groups",
        "logs",
        Listing("DescribeLogGroups", "logGroups", ("nextToken", "nextToken"), {"limit": 50}),
        name="logGroupName",
        keys=(Place("kmsKeyId"),),
        rate=5.0,
    ),
    Scanner(
        "EFS file systems",
        "efs",
        Listing("DescribeFileSystems", "FileSystems", ("Marker", "NextMarker"), {"MaxItems": 100}),
        name="FileSystemId",
        label="Name",
        keys=(Place("KmsKeyId"),),
    ),
)
