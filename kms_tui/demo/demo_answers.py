"""What the demo's services answer about its resources, in the shapes of AWS, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kms_tui.backend.local import LocalBackend
from kms_tui.demo.demo_resources import BY_DEFAULT, DemoResources, Resource, Shape
from kms_tui.kms.errors import ServiceError


def _encryption(resource: Resource) -> Shape:
    if resource.configuration is not None:
        return {"ServerSideEncryptionConfiguration": resource.configuration}
    rule = {"SSEAlgorithm": "aws:kms" if resource.key else "AES256"}
    if resource.key not in ("", BY_DEFAULT):
        rule["KMSMasterKeyID"] = resource.key
    return {"ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": rule}]}}


def _with(resource: Resource, name: str, key: str, arn: str = "") -> Shape:
    named = {name: resource.name} | ({arn: resource.long_name} if arn else {})
    return named | ({key: resource.key} if resource.key else {})


def _secret(resource: Resource) -> Shape:
    stages = [["AWSCURRENT"], ["AWSPREVIOUS"], *([[resource.label]] if resource.label else [])]
    versions = {
        f"00000000-0000-4000-8000-{number:012}": labels for number, labels in enumerate(stages, start=1)
    }
    return {**_with(resource, "Name", "KmsKeyId", "ARN"), "VersionIdsToStages": versions}


def table_description(resource: Resource) -> Shape:
    """What DynamoDB says of a table."""
    described = {"TableName": resource.name, "TableArn": resource.long_name, "TableStatus": "ACTIVE"}
    if not resource.key:
        return described
    encryption = {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": resource.key}
    return described | {"SSEDescription": encryption}


def function_configuration(resource: Resource) -> Shape:
    """What Lambda says of a function."""
    return {
        **_with(resource, "FunctionName", "KMSKeyArn", "FunctionArn"),
        "State": "Active",
        "LastUpdateStatus": "Successful",
    }


LISTS: Mapping[tuple[str, str], tuple[str, str, Callable[[Resource], Any]]] = {
    ("s3", "ListBuckets"): ("bucket", "Buckets", lambda it: {"Name": it.name, "BucketRegion": it.region}),
    ("ec2", "DescribeVolumes"): (
        "volume",
        "Volumes",
        lambda it: {
            **_with(it, "VolumeId", "KmsKeyId"),
            "Encrypted": True,
            "Tags": [{"Key": "Name", "Value": it.label}],
        },
    ),
    ("rds", "DescribeDBInstances"): (
        "database",
        "DBInstances",
        lambda it: _with(it, "DBInstanceIdentifier", "KmsKeyId"),
    ),
    ("rds", "DescribeDBClusters"): (
        "cluster",
        "DBClusters",
        lambda it: _with(it, "DBClusterIdentifier", "KmsKeyId"),
    ),
    ("secretsmanager", "ListSecrets"): ("secret", "SecretList", lambda it: _with(it, "Name", "KmsKeyId")),
    ("ssm", "DescribeParameters"): (
        "parameter",
        "Parameters",
        lambda it: {**_with(it, "Name", "KeyId"), "Type": "SecureString"},
    ),
    ("lambda", "ListFunctions"): ("function", "Functions", lambda it: _with(it, "FunctionName", "KMSKeyArn")),
    ("dynamodb", "ListTables"): ("table", "TableNames", lambda it: it.name),
    ("sqs", "ListQueues"): ("queue", "QueueUrls", lambda it: it.long_name),
    ("sns", "ListTopics"): ("topic", "Topics", lambda it: {"TopicArn": it.long_name}),
    ("logs", "DescribeLogGroups"): (
        "log group",
        "logGroups",
        lambda it: _with(it, "logGroupName", "kmsKeyId"),
    ),
}
"""List call -> the kind that it lists, the member with the list, and the form of an entry."""

DETAILS: Mapping[tuple[str, str], tuple[str, str, Callable[[Resource], Shape]]] = {
    ("s3", "GetBucketEncryption"): ("bucket", "Bucket", _encryption),
    ("s3", "GetBucketVersioning"): ("bucket", "Bucket", lambda it: {}),
    ("s3", "HeadBucket"): ("bucket", "Bucket", lambda it: {"BucketRegion": it.region}),
    ("dynamodb", "DescribeTable"): ("table", "TableName", lambda it: {"Table": table_description(it)}),
    ("lambda", "GetFunctionConfiguration"): ("function", "FunctionName", function_configuration),
    ("secretsmanager", "DescribeSecret"): ("secret", "SecretId", _secret),
    ("sqs", "GetQueueUrl"): ("queue", "QueueName", lambda it: {"QueueUrl": it.long_name}),
    ("sqs", "GetQueueAttributes"): (
        "queue",
        "QueueUrl",
        lambda it: {"Attributes": {"KmsMasterKeyId": it.key} if it.key else {}},
    ),
    ("sns", "GetTopicAttributes"): (
        "topic",
        "TopicArn",
        lambda it: {"Attributes": {"KmsMasterKeyId": it.key} if it.key else {}},
    ),
}
"""Call about one resource -> its kind, the request's member with its name, and the answer."""

PREFIXES = {("logs", "DescribeLogGroups"): "logGroupNamePrefix"}
"""List call -> its member with what the names begin with."""

_NOT_THERE = {
    "bucket": ("NoSuchBucket", "The specified bucket does not exist"),
    "function": ("ResourceNotFoundException", "Function not found: {}"),
    "log group": ("ResourceNotFoundException", "The specified log group does not exist."),
    "parameter": ("ParameterNotFound", "{}"),
    "queue": ("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist."),
    "secret": ("ResourceNotFoundException", "Secrets Manager can't find the specified secret."),
    "table": ("ResourceNotFoundException", "Requested resource not found: Table: {} not found"),
    "topic": ("NotFound", "Topic does not exist"),
}
"""Kind -> the error of a call about one that is not there."""

REFUSED = frozenset({("efs", "DescribeFileSystems"), ("s3", "acme-legal-hold")})
"""The calls that the demo's caller may not make: a call, or any call about one resource."""

_ACTIONS = {
    "DescribeFileSystems": "elasticfilesystem:DescribeFileSystems",
    "GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "PutBucketEncryption": "s3:PutEncryptionConfiguration",
}
"""Operations whose IAM action has another name."""


def refuse(subject: tuple[str, str], operation: str) -> None:
    """AccessDenied for a call, or a service and a resource, that the caller may not make or look at."""
    if subject in REFUSED:
        action = _ACTIONS.get(operation, f"{subject[0]}:{operation}")
        message = f"You are not authorized to perform: {action}"
        raise ServiceError("AccessDenied", message, operation=operation)


@dataclass(frozen=True, slots=True)
class DemoRegion:
    """The resources of one Region, and the KMS there whose keys they name."""

    resources: DemoResources
    backend: LocalBackend

    @property
    def region(self) -> str:
        return self.backend.region

    def find(self, call: tuple[str, str], kind: str, asked: str) -> Resource:
        """The resource that a call is about; ServiceError where it is not there, or the caller may not."""
        service, operation = call
        refuse((service, asked), operation)
        found = self.resources.find(kind, self.region, asked)
        if found is None:
            code, message = _NOT_THERE[kind]
            raise ServiceError(code, message.format(asked), operation=operation)
        return found
