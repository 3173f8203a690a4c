"""THE table of scanners: each service's list call, and where its resources name a key.

A new kind takes a row in the module of its theme, and its calls in ``kms_tui.kms.operations.SERVICE_READS``.
Calls, members and page sizes are those of botocore's service models. The rates are low because the account's
other programs share its quotas.
"""

from __future__ import annotations

from kms_tui.evidence.scanners.analytics import ANALYTICS_SCANNERS
from kms_tui.evidence.scanners.applications import APPLICATION_SCANNERS
from kms_tui.evidence.scanners.databases import DATABASE_SCANNERS
from kms_tui.evidence.scanners.storage import STORAGE_SCANNERS

SCANNERS = (*STORAGE_SCANNERS, *DATABASE_SCANNERS, *APPLICATION_SCANNERS, *ANALYTICS_SCANNERS)

NOT_LOOKED_AT = (
    "S3 objects under another key than their bucket's default (--bucket looks at those of one bucket), and "
    "replication, inventory and batch jobs of S3",
    "recovery points, exports and jobs, older versions of functions and launch templates",
    "what is inside of resources: tables of Keyspaces and of S3, Bedrock's data sources, SageMaker's user "
    "profiles, storage of Connect, destinations of GuardDuty and Security Lake",
    "texts that name a key: policies, Session Manager's preferences, EMR's security configurations, code",
    "services that have no row here, and ciphertexts that applications keep",
)
"""What no scan looks at, in phrases for people: a key that nothing names may still be needed."""
