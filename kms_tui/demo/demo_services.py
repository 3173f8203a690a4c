"""The demo's resources outside KMS: a table, answered in the shapes of their services.

Ordinary ones, and those of grown accounts: data under a key that is disabled, pending deletion or deleted, a
partner's key, a deleted alias, a bucket and a service that the caller may not read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, Self

from kms_tui.backend.base import EventGroup, GroupsEvents, Services
from kms_tui.backend.local import LocalBackend
from kms_tui.backend.local.local_backend import LocalServices
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.demo.demo_account import ACCOUNT_ID, PARTNER_ACCOUNT_ID, REGION
from kms_tui.kms.arn import ALIAS_PREFIX
from kms_tui.kms.errors import ServiceError, UnavailableError

BY_DEFAULT = "by default"
"""In place of a key: encrypted with KMS, without a key's name."""

Shape = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Resource:
    """``key`` is the resource's name for its key: an alias of the demo without its prefix means the key's
    ARN, a name with ``alias/`` or an ARN itself; "" is none.
    """

    kind: str
    name: str
    key: str = ""
    label: str = ""
    region: str = REGION


def _of(kind: str, *rows: tuple[str, ...], region: str = REGION) -> tuple[Resource, ...]:
    return tuple(replace(Resource(kind, *row), region=region) for row in rows)


_PARTNERS_KEY = f"arn:aws:kms:{REGION}:{PARTNER_ACCOUNT_ID}:key/5f0c2a9e-7d41-4b38-9e6a-0c8d1b7f2e35"
_DELETED_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT_ID}:key/0d9f7b61-3c2e-4a58-8f14-6be0a95d7c42"

RESOURCES = (
    *_of(
        "bucket",
        ("acme-access-logs", "s3-logs"),
        ("acme-backups-2022", "old-backups"),
        ("acme-billing-reports", BY_DEFAULT),
        ("acme-chat-archive", "chat-archive"),
        ("acme-ci-artifacts", "ci-artifacts"),
        ("acme-data-lake-curated", "s3-data-lake"),
        ("acme-data-lake-raw", "s3-data-lake"),
        ("acme-data-lake-sandbox", "alias/s3-data-lake"),
        ("acme-exports", "legacy-exports"),
        ("acme-flow-logs", "s3-logs"),
        ("acme-hr-files", "hr-files"),
        ("acme-invoices", "invoices"),
        ("acme-legal-hold", "s3-data-lake"),
        ("acme-orders-snapshots", "orders-db"),
        ("acme-partner-inbound", "partner-exchange"),
        ("acme-partner-outbound", _PARTNERS_KEY),
        ("acme-public-assets", "s3-public-assets"),
        ("acme-web-assets",),
    ),
    *_of(
        "volume",
        ("vol-0a1b2c3d4e5f60718", "ebs-default", "orders-1"),
        ("vol-0f9e8d7c6b5a40312", "ebs-default", "orders-2"),
        ("vol-03c5e7a9b1d2f4680", "search-index", "search-1"),
        ("vol-07d2b4f6e8a0c1935", "aws/ebs", "bastion"),
        ("vol-0b6d8f1a3c5e70249", _DELETED_KEY, "legacy-mail"),
    ),
    *_of(
        "database",
        ("orders-writer", "orders-db"),
        ("orders-reader", "orders-db"),
        ("reporting-1", "rds-reporting"),
        ("reporting-2", "rds-reporting"),
        ("wiki", "aws/rds"),
    ),
    *_of("cluster", ("orders", "orders-db"), ("card-vault", "payments-cards")),
    *_of(
        "secret",
        ("ci/npm-token",),
        ("prod/crm/api", "secrets"),
        ("prod/hr/import", "alias/hr-files"),
        ("prod/orders/db", "alias/orders-db"),
        ("prod/payments/acquirer", "secrets"),
        ("prod/payments/acquirer-2025", "secrets"),
    ),
    *_of(
        "parameter",
        ("/dev/sandbox/token", "alias/aws/ssm"),
        ("/prod/crm/url", "alias/parameters"),
        ("/prod/global/flags", "global-config"),
        ("/prod/mail/relay", "alias/parameters-2023"),
        ("/prod/orders/db-url", "alias/parameters"),
    ),
    *_of(
        "function",
        ("invoice-renderer", "invoices"),
        ("order-intake", "orders-db"),
        ("pii-redactor", "customer-pii"),
        ("resize-images",),
    ),
    *_of(
        "table",
        ("carts",),
        ("card-tokens", "payments-cards"),
        ("feature-store", "ml-features"),
        ("sessions", "global-sessions"),
    ),
    *_of(
        "queue",
        ("crm-sync",),
        ("mobile-push", "mobile-push"),
        ("order-events", "alias/aws/sqs"),
        ("order-events-dead", "alias/orders-db"),
    ),
    *_of("topic", ("alarms", "alias/aws/sns"), ("mobile-push", "mobile-push"), ("order-placed", "orders-db")),
    *_of(
        "log group",
        ("/audit/ledger", "ledger"),
        ("/aws/lambda/pii-redactor", "customer-pii"),
        ("/aws/lambda/resize-images",),
        ("/vpc/flow", "s3-logs"),
    ),
    *_of("parameter", ("/prod/global/flags", "global-config"), region="us-east-1"),
)


def _encryption(resource: Resource) -> Shape:
    rule = {"SSEAlgorithm": "aws:kms" if resource.key else "AES256"}
    if resource.key not in ("", BY_DEFAULT):
        rule["KMSMasterKeyID"] = resource.key
    return {"ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": rule}]}}


def _with(resource: Resource, name: str, key: str) -> Shape:
    return {name: resource.name} | ({key: resource.key} if resource.key else {})


_LISTS: Mapping[tuple[str, str], tuple[str, str, Callable[[Resource], Any]]] = {
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
    ("sqs", "ListQueues"): (
        "queue",
        "QueueUrls",
        lambda it: f"https://sqs.{it.region}.amazonaws.com/{ACCOUNT_ID}/{it.name}",
    ),
    ("sns", "ListTopics"): (
        "topic",
        "Topics",
        lambda it: {"TopicArn": f"arn:aws:sns:{it.region}:{ACCOUNT_ID}:{it.name}"},
    ),
    ("logs", "DescribeLogGroups"): (
        "log group",
        "logGroups",
        lambda it: _with(it, "logGroupName", "kmsKeyId"),
    ),
}
"""List call -> the kind that it lists, the member with the list, and the form of an entry."""

_DETAILS: Mapping[tuple[str, str], tuple[str, str, Callable[[Resource], Shape]]] = {
    ("s3", "GetBucketEncryption"): ("bucket", "Bucket", _encryption),
    ("dynamodb", "DescribeTable"): (
        "table",
        "TableName",
        lambda it: {
            "Table": {"TableName": it.name}
            | ({"SSEDescription": {"SSEType": "KMS", "KMSMasterKeyArn": it.key}} if it.key else {})
        },
    ),
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

_REFUSED = {
    ("efs", "DescribeFileSystems"): "elasticfilesystem:DescribeFileSystems",
    ("s3", "acme-legal-hold"): "s3:GetEncryptionConfiguration",
}
"""The calls that the demo's caller may not make: a call, or any call about one resource."""


_OTHER_EMPTY_LISTS: dict[tuple[str, str], Shape] = {
    ("codebuild", "ListProjects"): {},
    ("codebuild", "ListReportGroups"): {},
    ("config", "DescribeConfigurationAggregators"): {"ConfigurationAggregators": []},
    ("firehose", "ListDeliveryStreams"): {"DeliveryStreamNames": [], "HasMoreDeliveryStreams": False},
    ("kinesis", "ListStreams"): {"StreamNames": [], "HasMoreStreams": False},
}


@cache
def _empty_lists() -> Mapping[tuple[str, str], Shape]:
    """The answers to the list calls of a scan in an account that has none of what they list."""
    from kms_tui.evidence.scanners import SCANNERS  # the first rows need no scan

    lists: dict[tuple[str, str], Shape] = {}
    for each in SCANNERS:
        # A name in quotes is that of the one thing that there is, which is not in a list.
        is_one = each.name.startswith("'")
        lists[each.service, each.listing.operation] = {} if is_one else {each.listing.items: []}
    return lists | _OTHER_EMPTY_LISTS


def with_keys(arn_of: Callable[[str, str], str]) -> tuple[Resource, ...]:
    """The resources with their keys as the services name them; ``arn_of(region, alias)``."""
    return tuple(
        resource
        if resource.key in ("", BY_DEFAULT) or resource.key.startswith(("arn:", ALIAS_PREFIX))
        else replace(resource, key=arn_of(resource.region, ALIAS_PREFIX + resource.key))
        for resource in RESOURCES
    )


class DemoServices:
    """``kms_tui.backend.base.Services`` of the demo; other calls go to ``others``."""

    def __init__(self, region: str, resources: Sequence[Resource], others: Services) -> None:
        self._region = region
        self._resources = resources
        self._others = others

    @property
    def region(self) -> str:
        return self._region

    def offers(self, service: str) -> bool:
        own = any(service == offered for offered, _ in (*_LISTS, *_REFUSED))
        return own or self._others.offers(service) or any(service == offered for offered, _ in _empty_lists())

    def in_region(self, region: str) -> DemoServices:
        return DemoServices(region, self._resources, self._others.in_region(region))

    def call(self, service: str, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        name = (service, operation)
        _refuse(name, operation)
        if name in _LISTS:
            kind, member, entry = _LISTS[name]
            return {member: [entry(each) for each in self._resources if self._is_here(each, kind)]}
        if name in _DETAILS:
            kind, member, answer = _DETAILS[name]
            asked = str(params[member])
            _refuse((service, asked), operation)
            return answer(next(each for each in self._resources if self._is_named(each, kind, asked)))
        if name in _empty_lists():
            return _empty_lists()[name]
        return self._others.call(service, operation, params)

    def event_groups(self, key_arn: str, since: datetime, until: datetime) -> Sequence[EventGroup]:
        """The groups of ``others``; raises as LookupEvents does, also where there are none to ask."""
        if not isinstance(self._others, GroupsEvents):
            raise UnavailableError("cloudtrail", "LookupEvents")
        return self._others.event_groups(key_arn, since, until)

    def _is_here(self, resource: Resource, kind: str) -> bool:
        return resource.kind == kind and resource.region == self._region

    def _is_named(self, resource: Resource, kind: str, asked: str) -> bool:
        """Whether a name, a queue's URL or a topic's ARN is this resource's."""
        last = asked.rpartition("/")[2].rpartition(":")[2]
        return self._is_here(resource, kind) and resource.name == last


def _refuse(subject: tuple[str, str], operation: str) -> None:
    if subject in _REFUSED:
        message = f"You are not authorized to perform: {_REFUSED[subject]}"
        raise ServiceError("AccessDenied", message, operation=operation)


class DemoBackend(LocalBackend):
    """A LocalBackend (with its ``options``) with the demo's services."""

    def __init__(self, store: Store, resources: Sequence[Resource], **options: Any) -> None:
        super().__init__(store, **options)
        self._resources = resources

    def in_account(self, account_id: str) -> Self:
        other = super().in_account(account_id)
        if account_id != ACCOUNT_ID:
            other._resources = ()
        return other

    @property
    def services(self) -> Services:
        return DemoServices(self.region, self._resources, LocalServices(self))
