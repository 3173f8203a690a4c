"""Compliance packs: which controls our checks judge, and how they stand by a report."""

from __future__ import annotations

import pytest

from kms_tui.cli import report_command
from kms_tui.evidence.health.checks import CHECKS
from kms_tui.evidence.health.compliance_packs import PACKS, tags_of
from kms_tui.evidence.health.control_results import ControlResult, ControlStatus, results_of
from kms_tui.evidence.health.health_report import Report
from kms_tui.kms.facts import Known
from tests.unit.evidence.health.reports import PLACES, PUBLIC, REFUSED, ROTATION_OFF, Estate, estate

HERE = PLACES[0]


def results(report: Report, pack: str) -> dict[str, ControlResult]:
    return {result.control.id: result for result in results_of(report, PACKS[pack])}


def status(report: Report, pack: str, control: str) -> ControlStatus:
    return results(report, pack)[control].status


def test_the_command_offers_every_pack() -> None:
    assert tuple(PACKS) == report_command._PACKS


@pytest.mark.parametrize("pack", PACKS.values(), ids=lambda pack: pack.id)
def test_a_control_is_judged_by_a_check_or_says_why_not(pack: object) -> None:
    for control in PACKS[getattr(pack, "id", "")].controls:
        assert bool(control.checks) is not bool(control.unassessed)
        assert control.related or control.id.startswith("KMS.")


def test_what_iam_policies_decide_is_not_assessed() -> None:
    report = estate().report()
    assert status(report, "fsbp", "KMS.1") is ControlStatus.NOT_ASSESSED
    assert status(report, "nist", "AC-6") is ControlStatus.NOT_ASSESSED
    assert status(report, "cis", "4.7") is ControlStatus.NOT_ASSESSED


def test_a_control_fails_by_its_keys() -> None:
    made = Estate()
    made.add(HERE, "fine")
    off = made.add(HERE, "off", rotation=ROTATION_OFF)
    result = results(made.report(), "cis")["3.6"]
    assert (result.status, result.keys) == (ControlStatus.FAILED, 2)
    assert [finding.key.arn for finding in result.findings] == [off]
    assert status(made.report(), "pci", "3.7.4") is ControlStatus.FAILED
    assert status(made.report(), "fsbp", "KMS.5") is ControlStatus.PASSED


def test_what_is_not_known_does_not_pass_and_does_not_hide_a_failure() -> None:
    made = Estate()
    made.add(HERE, "hidden", policy=REFUSED)
    assert status(made.report(), "fsbp", "KMS.5") is ControlStatus.NOT_KNOWN
    made.add(HERE, "public", policy=Known(PUBLIC))
    assert status(made.report(), "fsbp", "KMS.5") is ControlStatus.FAILED


def test_keys_that_were_not_listed_are_not_known() -> None:
    assert status(estate().report(), "fsbp", "KMS.5") is ControlStatus.FAILED
    made = estate(lost=True)
    made.judging.findings.clear()
    assert status(made.report(), "cis", "3.6") is ControlStatus.NOT_KNOWN


def test_without_a_key_nothing_passes() -> None:
    report = Estate().report()
    assert {status(report, "fsbp", name) for name in ("KMS.3", "KMS.5")} == {ControlStatus.NO_KEYS}


def test_no_key_pending_deletion_is_a_pass_of_all_keys() -> None:
    made = Estate()
    made.add(HERE, "fine")
    result = results(made.report(), "fsbp")["KMS.3"]
    assert (result.status, result.keys) == (ControlStatus.PASSED, 1)


def test_tags_name_the_controls_of_a_check() -> None:
    rotation = next(check for check in CHECKS if check.id == "rotation-off")
    tags = tags_of(rotation, tuple(PACKS.values()))
    assert tags == (
        "CIS-AWS/3.6",
        "PCI-DSS/3.7.4",
        "NIST-800-53/SC-12",
        "NIST-800-53/SC-12(2)",
        "NIST-800-53/SC-28(3)",
    )
