"""The key list and the health screen say the same of every key."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime

import pytest

from kms_tui.demo import demo_backend
from kms_tui.evidence.health.examination import Examination
from kms_tui.evidence.health.examined import Settings
from kms_tui.inventory.pace import Pace
from kms_tui.session import BackendKind, Connection, open_session

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize("tags", [(), ("team", "owner")], ids=["no-tags", "required-tags"])
def test_the_rows_of_the_demo_have_the_findings_of_its_report(tags: tuple[str, ...]) -> None:
    backend = demo_backend(now=lambda: NOW)
    session = open_session(
        Connection(BackendKind.DEMO), backend, now=lambda: NOW, pace=Pace(demand=10_000), required_tags=tags
    )
    examination = Examination(
        session.inventory, session.kms_for, Settings(required_tags=tags), session.services_for
    )
    session.inventory.open()
    report = examination.run()
    found, unjudged = defaultdict(list), {gap.key.arn for gap in report.gaps}
    for finding in report.findings:
        found[finding.key.arn].append(finding.check.id)
    rows = session.inventory.rows()
    session.close()
    assert {
        row.arn: [each.check for each in row.health.findings] for row in rows if row.health.findings
    } == found
    assert found
    assert {row.arn for row in rows if not row.aws and not row.row_class.is_read} <= unjudged
