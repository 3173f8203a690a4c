"""The demo's resources outside KMS: a table, and what writes have made of it.

Ordinary ones, and those of grown accounts: data under a key that is disabled, pending deletion or deleted, a
partner's key, a deleted alias, a bucket and a service that the caller may not read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from kms_tui.demo.demo_account import ACCOUNT_ID, PARTNER_ACCOUNT_ID, REGION
from kms_tui.kms.arn import ALIAS_PREFIX

BY_DEFAULT = "by default"
"""In place of a key: encrypted with KMS, without a key's name."""

Shape = dict[str, Any]

_LONG_NAMES = {
    "bucket": "arn:aws:s3:::{name}",
    "function": "arn:aws:lambda:{region}:{account}:function:{name}",
    "parameter": "arn:aws:ssm:{region}:{account}:parameter{name}",
    "queue": "https://sqs.{region}.amazonaws.com/{account}/{name}",
    "secret": "arn:aws:secretsmanager:{region}:{account}:secret:{name}-Dem0aB",
    "table": "arn:aws:dynamodb:{region}:{account}:table/{name}",
    "topic": "arn:aws:sns:{region}:{account}:{name}",
}
"""Kind -> the ARN, or a queue's URL, by which calls name one."""


@dataclass(frozen=True, slots=True)
class Resource:
    """``key`` is the resource's name for its key: an alias of the demo without its prefix means the key's
    ARN, a name with ``alias/`` or an ARN itself; "" is none. ``label`` is a volume's name, or a label of a
    version of a parameter or secret.
    """

    kind: str
    name: str
    key: str = ""
    label: str = ""
    region: str = REGION
    versions: tuple[Shape, ...] = ()
    """Those of a parameter that was written to, the oldest first, as GetParameterHistory answers them."""
    configuration: Shape | None = None
    """That of the encryption of a bucket, where it was written."""

    @property
    def long_name(self) -> str:
        """The ARN, or the URL of a queue; "" for a kind that calls name otherwise."""
        template = _LONG_NAMES.get(self.kind, "")
        return template.format(region=self.region, account=ACCOUNT_ID, name=self.name)


class DemoResources:
    """The resources of one demo account as they are now; Regions and threads share them."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.lock = threading.RLock()
        """Held by whoever writes what it has read."""
        self._all = list(resources)

    def __iter__(self) -> Iterator[Resource]:
        with self.lock:
            return iter([*self._all])

    def of_kind(self, kind: str, region: str) -> list[Resource]:
        return [each for each in self if (each.kind, each.region) == (kind, region)]

    def find(self, kind: str, region: str, asked: str) -> Resource | None:
        """The resource with this name, ARN or URL in a Region; of buckets, in any."""
        for each in self:
            is_there = each.region == region or kind == "bucket"
            if is_there and each.kind == kind and asked in (each.name, each.long_name):
                return each
        return None

    def put(self, resource: Resource) -> None:
        """A resource in place of the one with its name, or a new one."""
        with self.lock:
            old = self.find(resource.kind, resource.region, resource.name)
            if old is None:
                self._all.append(resource)
            else:
                self._all[self._all.index(old)] = resource


def _of(
    kind: str, *rows: tuple[str] | tuple[str, str] | tuple[str, str, str], region: str = REGION
) -> tuple[Resource, ...]:
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
        ("prod/orders/db", "alias/orders-db", "before-2026"),
        ("prod/payments/acquirer", "secrets"),
        ("prod/payments/acquirer-2025", "secrets"),
    ),
    *_of(
        "parameter",
        ("/dev/sandbox/token", "alias/aws/ssm"),
        ("/prod/crm/url", "alias/parameters"),
        ("/prod/global/flags", "global-config"),
        ("/prod/mail/relay", "alias/parameters-2023"),
        ("/prod/orders/db-url", "alias/parameters", "live"),
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


def with_keys(arn_of: Callable[[str, str], str]) -> tuple[Resource, ...]:
    """The resources with their keys as the services name them; ``arn_of(region, alias)``."""
    return tuple(
        resource
        if resource.key in ("", BY_DEFAULT) or resource.key.startswith(("arn:", ALIAS_PREFIX))
        else replace(resource, key=arn_of(resource.region, ALIAS_PREFIX + resource.key))
        for resource in RESOURCES
    )
