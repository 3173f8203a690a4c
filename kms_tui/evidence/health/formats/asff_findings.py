"""A report as findings of AWS Security Hub (ASFF), a list for ``aws securityhub batch-import-findings``.

Source: the Security Hub user guide, asff-required-attributes, and BatchImportFindings in its API reference:
at most 100 findings in a call, made in the Region and with credentials of the account that they are of. The
product is the account's own default one. A finding has the same Id in every report, so that it is updated;
what is not known is a finding with the status WARNING, never a pass.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kms_tui.evidence.health.checks import Check
from kms_tui.evidence.health.compliance_packs import PACKS, Pack
from kms_tui.evidence.health.health_report import Acceptance, Gap, HealthFinding, KeyName, Report
from kms_tui.inventory.row_health import HealthSeverity
from kms_tui.kms.arn import arn_partition
from kms_tui.kms.model import Key
from kms_tui.visible import visible

_SEVERITIES: Mapping[HealthSeverity, str] = {
    HealthSeverity.HIGH: "HIGH",
    HealthSeverity.MEDIUM: "MEDIUM",
    HealthSeverity.LOW: "LOW",
}
_TYPE = "Software and Configuration Checks/AWS Security Best Practices"
_MOST_TITLE, _MOST_DESCRIPTION, _MOST_NOTE, _MOST_ADVICE = 256, 1024, 512, 512
_MOST_REQUIREMENTS = 32
_PARTITIONS = frozenset({"aws", "aws-cn", "aws-us-gov", "aws-us-iso", "aws-us-iso-b"})
"""Those that the member Partition of a resource may have."""
_NO_ACCOUNT = "0" * 12
"""Where the account is not known: the finding says so, and Security Hub refuses it."""


def asff_text(report: Report) -> str:
    """The findings as a JSON array with one on each line, those of each account and Region together."""
    packs = report.packs or tuple(PACKS.values())
    found: list[dict[str, Any]] = []
    for finding in report.findings:
        found.append(_found(finding, report.time, packs))
    for gap in report.gaps:
        found += _unknown(gap, report.time, packs)
    found.sort(key=lambda each: (each["AwsAccountId"], each["Region"]))
    # Escaped to ASCII: safe in a terminal, and any JSON reader restores the text.
    lines = ",\n".join(json.dumps(each) for each in found)
    return f"[\n{lines}\n]\n" if found else "[]\n"


def _found(finding: HealthFinding, now: datetime, packs: tuple[Pack, ...]) -> dict[str, Any]:
    shape = _finding(finding.check, finding.key, finding.reason, now, packs)
    shape["Severity"] = _severity(finding.check)
    shape["Compliance"]["Status"] = "FAILED"
    shape["Workflow"] = {"Status": "SUPPRESSED" if finding.accepted else "NEW"}
    if finding.accepted:
        shape["Note"] = _note(finding.accepted, now)
    return shape


def _unknown(gap: Gap, now: datetime, packs: tuple[Pack, ...]) -> list[dict[str, Any]]:
    """A finding for each check of a key; one for all checks of an account and Region."""
    shapes = []
    for check in gap.checks if gap.key.arn else gap.checks[:1]:
        shape = _finding(check, gap.key, gap.reason, now, packs)
        if not gap.key.arn:
            shape |= {"Id": _id_of(gap.key, "keys-listed"), "GeneratorId": "kms-tui/keys-listed"}
            shape["Title"] = _cut(f"Not known: the KMS keys of {gap.key.region}", _MOST_TITLE)
            del shape["Remediation"]
            del shape["Compliance"]
        else:
            shape["Title"] = _cut(f"Not known: {shape['Title']}", _MOST_TITLE)
        shape["Severity"] = {"Label": "INFORMATIONAL", "Original": "not known"}
        shape["Compliance"] = {**shape.get("Compliance", {}), "Status": "WARNING"}
        shape["Workflow"] = {"Status": "NEW"}
        shapes.append(shape)
    return shapes


def _finding(
    check: Check, key: KeyName, reason: str, now: datetime, packs: tuple[Pack, ...]
) -> dict[str, Any]:
    """What every finding has; times are those of the report, since nothing remembers earlier ones."""
    moment = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03}Z"
    account = key.account or _NO_ACCOUNT
    partition = arn_partition(key.region)
    compliance: dict[str, Any] = {}
    requirements = [
        related
        for pack in packs
        for control in pack.controls
        if check in control.checks
        for related in control.related
    ]
    if requirements:
        compliance["RelatedRequirements"] = requirements[:_MOST_REQUIREMENTS]
    return {
        "SchemaVersion": "2018-10-08",
        "Id": _id_of(key, check.id),
        "ProductArn": f"arn:{partition}:securityhub:{key.region}:{account}:product/{account}/default",
        "ProductName": "kms-tui",
        "GeneratorId": f"kms-tui/{check.id}",
        "AwsAccountId": account,
        "Region": key.region,
        "Types": [_TYPE],
        "FirstObservedAt": moment,
        "LastObservedAt": moment,
        "CreatedAt": moment,
        "UpdatedAt": moment,
        "Title": _cut(f"{check.title}: {key.name}", _MOST_TITLE),
        "Description": _cut(reason, _MOST_DESCRIPTION),
        "Remediation": {"Recommendation": {"Text": _cut(check.advice, _MOST_ADVICE)}},
        "ProductFields": {"kms-tui/check": check.id},
        "Resources": [_resource(key, partition)],
        "Compliance": compliance,
        "RecordState": "ACTIVE",
    }


def _id_of(key: KeyName, check: str) -> str:
    return f"kms-tui/{check}/{key.arn or f'{key.account or _NO_ACCOUNT}/{key.region}'}"


def _severity(check: Check) -> dict[str, Any]:
    return {"Label": _SEVERITIES[check.severity], "Original": check.severity.value}


def _note(accepted: Acceptance, now: datetime) -> dict[str, str]:
    return {
        "Text": _cut(accepted.words, _MOST_NOTE),
        "UpdatedBy": _cut(accepted.owner, _MOST_NOTE),
        "UpdatedAt": f"{now:%Y-%m-%dT%H:%M:%S}Z",
    }


def _resource(key: KeyName, partition: str) -> dict[str, Any]:
    place = {"Region": key.region} | ({"Partition": partition} if partition in _PARTITIONS else {})
    if not key.arn:
        return {"Type": "AwsAccount", "Id": f"AWS::::Account:{key.account or _NO_ACCOUNT}", **place}
    shape: dict[str, Any] = {"Type": "AwsKmsKey", "Id": key.arn, **place}
    if key.described is not None:
        shape["Details"] = {"AwsKmsKey": _details(key.described)}
    return shape


def _details(key: Key) -> dict[str, Any]:
    details: dict[str, Any] = {
        "AWSAccountId": key.account_id,
        "KeyId": key.key_id,
        "KeyManager": key.manager,
        "KeyState": key.state,
        "Origin": key.origin,
        "Description": _cut(key.description, _MOST_DESCRIPTION),
    }
    details = {name: value for name, value in details.items() if value}
    if key.created is not None:
        details["CreationDate"] = key.created.timestamp()
    return details


def _cut(text: str, most: int) -> str:
    shown = visible(text)
    return shown if len(shown) <= most else shown[: most - 1] + "…"
