"""THE table of what is read from services other than KMS; whatever is not in it is never sent.

Services by botocore's names; operations that change something, or answer a secret, do not belong here.
"""

from __future__ import annotations

from collections.abc import Mapping

READS: Mapping[str, frozenset[str]] = {
    "cloudtrail": frozenset({"LookupEvents"}),
    "dynamodb": frozenset({"DescribeTable", "ListTables"}),
    "ec2": frozenset({"DescribeRegions", "DescribeVolumes"}),
    "efs": frozenset({"DescribeFileSystems"}),
    "lambda": frozenset({"ListFunctions"}),
    "logs": frozenset({"DescribeLogGroups"}),
    "rds": frozenset({"DescribeDBClusters", "DescribeDBInstances"}),
    "s3": frozenset({"GetBucketEncryption", "ListBuckets"}),
    "secretsmanager": frozenset({"ListSecrets"}),
    "sns": frozenset({"GetTopicAttributes", "ListTopics"}),
    "sqs": frozenset({"GetQueueAttributes", "ListQueues"}),
    "ssm": frozenset({"DescribeParameters"}),
}


def may_read(service: str, operation: str) -> bool:
    """Whether an operation of a service other than KMS may be sent."""
    return operation in READS.get(service, frozenset())
