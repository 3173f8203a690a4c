"""The forms of a report: each is valid for the programs that read it, whatever keys are called."""

from __future__ import annotations

import csv
import io
import json
import tomllib
import unicodedata
import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import botocore.session
import jsonschema
import pytest
from botocore.validate import ParamValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.cli import report_command
from kms_tui.evidence.health.baseline import baseline_text
from kms_tui.evidence.health.compliance_packs import PACKS
from kms_tui.evidence.health.examined import Settings
from kms_tui.evidence.health.formats.writers import WRITERS
from kms_tui.evidence.health.health_report import Report
from kms_tui.kms.facts import Known
from kms_tui.kms.model import Tag
from tests.unit.evidence.health.build import ACCOUNT, OTHER
from tests.unit.evidence.health.reports import LOST, PLACES, REFUSED, ROTATION_OFF, Estate, accepting, estate
from tests.unit.evidence.health.web_page import Page

SCHEMA = Path(__file__).parents[3] / "data" / "sarif" / "sarif-2.1.0-rtm.5.json"


def everything() -> Report:
    """A report that holds one of each."""
    return accepting(estate().report(PACKS.values()), "no-alias")


def one_account() -> Report:
    made = Estate()
    made.judging.open(PLACES[0])
    made.add(PLACES[0], "orders", rotation=ROTATION_OFF)
    return made.report()


def shape(form: str, report: Report) -> Any:
    return json.loads(WRITERS[form](report))


def test_the_command_offers_every_form() -> None:
    assert set(WRITERS) == set(report_command._FORMATS)


@pytest.mark.parametrize("form", WRITERS)
def test_no_form_holds_what_a_terminal_would_obey(form: str) -> None:
    text = WRITERS[form](everything())
    kinds = {unicodedata.category(char) for char in text.replace("\n", "")}
    assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert text.endswith("\n")


@pytest.mark.parametrize("form", WRITERS)
def test_a_report_of_nothing_is_written_too(form: str) -> None:
    made = Estate()
    made.judging.open(PLACES[0])
    assert WRITERS[form](made.report())


# Accounts


@pytest.mark.parametrize("form", WRITERS)
def test_every_form_names_the_account_of_a_finding_and_one_that_was_not_listed(form: str) -> None:
    text = WRITERS[form](everything())
    assert ACCOUNT in text
    assert OTHER in text
    assert LOST.account in text
    assert "ListKeys was denied" in text


@pytest.mark.parametrize(("form", "column"), [("table", "ACCOUNT "), ("md", "| account |")])
def test_one_account_is_named_once_and_several_have_a_column(form: str, column: str) -> None:
    text = WRITERS[form](one_account())
    assert text.count(ACCOUNT) == 1
    assert column not in text
    assert column in WRITERS[form](everything())


def test_json_counts_by_account_and_region() -> None:
    places = {(each["account"], each["region"]): each for each in shape("json", everything())["places"]}
    here = places[ACCOUNT, "eu-west-1"]
    assert [here[name] for name in ("keys", "high", "medium", "low", "accepted", "not_known")] == [
        3,
        1,
        1,
        0,
        0,
        0,
    ]
    assert places[OTHER, "eu-west-1"]["accepted"] == 1
    assert places[LOST]["unlisted"].startswith("ListKeys was denied")
    assert places[LOST]["not_known"] == 1


def test_csv_has_a_row_for_each_finding_and_gap_with_its_account() -> None:
    report = everything()
    rows = list(csv.DictReader(io.StringIO(WRITERS["csv"](report), newline="")))
    assert len(rows) == len(report.findings) + len(report.gaps)
    assert {row["account"] for row in rows} == {ACCOUNT, OTHER, LOST.account}
    (accepted,) = [row for row in rows if row["accepted"]]
    assert accepted["accepted"].startswith("accepted by Kim <kim@example.com> until 2027-03-31: only tests")


def test_json_says_how_controls_stand() -> None:
    packs = {pack["id"]: pack for pack in shape("json", everything())["packs"]}
    controls = {each["control"]: each for each in packs["fsbp"]["controls"]}
    assert controls["KMS.1"]["status"] == "not assessed"
    assert controls["KMS.5"]["status"] == "failed"
    assert len(controls["KMS.5"]["failed"]) == 1
    assert controls["KMS.1"]["why"]


# SARIF


@cache
def validator() -> Any:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker())


def run_of(report: Report) -> dict[str, Any]:
    log = shape("sarif", report)
    assert [error.message for error in validator().iter_errors(log)] == []
    (run,) = log["runs"]
    found: dict[str, Any] = run
    return found


def test_sarif_is_valid_and_every_result_has_a_rule_and_a_place() -> None:
    run = run_of(everything())
    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) == len(everything().findings)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        (location,) = result["locations"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert uri.isascii()
        assert not uri.startswith(("/", "."))
        assert unquote(uri).split("/")[0] == "kms"
        assert location["logicalLocations"][0]["fullyQualifiedName"].startswith("arn:aws:kms:")


def test_rules_have_what_github_shows() -> None:
    run = run_of(everything())
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    rotation = rules["rotation-off"]
    assert rotation["defaultConfiguration"]["level"] == "warning"
    assert rotation["properties"]["security-severity"] == "5.5"
    assert "AWS-Security-Hub/KMS.4" in rotation["properties"]["tags"]
    assert "CIS-AWS/3.6" in rotation["properties"]["tags"]
    assert "EnableKeyRotation" in rotation["help"]["text"]
    for rule in rules.values():
        assert len(rule["properties"]["tags"]) <= 10
        assert "security" in rule["properties"]["tags"]
        assert rule.get("name", "").lower() != rule["id"]


def test_fingerprints_are_the_same_in_every_run_and_differ_between_findings() -> None:
    first = [each["partialFingerprints"] for each in run_of(everything())["results"]]
    later = replace(everything(), time=everything().time.replace(year=2027))
    assert first == [each["partialFingerprints"] for each in run_of(later)["results"]]
    assert len({each["primaryLocationLineHash"] for each in first}) == len(first)


def test_what_is_not_known_is_a_notification_and_the_run_not_successful_where_keys_were_not_listed() -> None:
    (invocation,) = run_of(everything())["invocations"]
    assert invocation["executionSuccessful"] is False
    told = {each["level"]: each["message"]["text"] for each in invocation["toolExecutionNotifications"]}
    assert "all of eu-west-1" in told["error"]
    assert ". Not known: " in told["error"]
    assert "GetKeyPolicy was denied" in told["warning"]
    (invocation,) = run_of(estate(lost=False).report())["invocations"]
    assert invocation["executionSuccessful"] is True
    assert len(invocation["toolExecutionNotifications"]) == 1


def test_accepted_findings_are_suppressed() -> None:
    results = run_of(everything())["results"]
    (suppressed,) = [each for each in results if "suppressions" in each]
    assert suppressed["ruleId"] == "no-alias"
    (suppression,) = suppressed["suppressions"]
    assert suppression["status"] == "accepted"
    assert "Kim" in suppression["justification"]
    assert results[-1] is suppressed


def test_no_text_of_a_key_becomes_a_link_or_a_placeholder() -> None:
    texts = [each["message"]["text"] for each in run_of(everything())["results"]]
    hostile = [text for text in texts if "script" in text]
    assert hostile
    for text in hostile:
        assert "\\](http" in text
        assert "{{0}}" in text


# ASFF


@cache
def findings_shape() -> Any:
    service = botocore.session.get_session().get_service_model("securityhub")
    return service.operation_model("BatchImportFindings").input_shape


def imported(report: Report) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shape("asff", report)
    for start in range(0, len(found), 100):
        problems = ParamValidator().validate({"Findings": found[start : start + 100]}, findings_shape())
        assert problems.generate_report() == ""
    return found


def test_asff_is_what_batch_import_findings_takes() -> None:
    found = imported(everything())
    assert len({each["Id"] for each in found}) == len(found)
    for each in found:
        account, region = each["AwsAccountId"], each["Region"]
        assert each["ProductArn"] == f"arn:aws:securityhub:{region}:{account}:product/{account}/default"
        assert len(each["Title"]) <= 256
        assert len(each["Description"]) <= 1024
        assert each["RecordState"] == "ACTIVE"
        assert each["Severity"]["Label"] in {"HIGH", "MEDIUM", "LOW", "INFORMATIONAL"}
        assert each["CreatedAt"].endswith("Z")


def test_a_finding_names_its_key_and_requirements() -> None:
    first = next(each for each in imported(everything()) if each["GeneratorId"] == "kms-tui/rotation-off")
    (resource,) = first["Resources"]
    assert resource["Type"] == "AwsKmsKey"
    assert resource["Details"]["AwsKmsKey"]["KeyState"] == "Enabled"
    assert resource["Details"]["AwsKmsKey"]["CreationDate"] > 1_600_000_000
    assert first["Compliance"]["Status"] == "FAILED"
    assert "CIS AWS Foundations Benchmark v5.0.0/3.6" in first["Compliance"]["RelatedRequirements"]
    assert "NIST.800-53.r5 SC-12(2)" in first["Compliance"]["RelatedRequirements"]
    assert first["Id"] == f"kms-tui/rotation-off/{resource['Id']}"


def test_what_is_not_known_is_a_warning_and_never_passed() -> None:
    found = imported(everything())
    unknown = [each for each in found if each["Compliance"]["Status"] == "WARNING"]
    assert {each["Severity"]["Label"] for each in unknown} == {"INFORMATIONAL"}
    (lost,) = [each for each in unknown if each["AwsAccountId"] == LOST.account]
    assert lost["Resources"][0]["Id"] == f"AWS::::Account:{LOST.account}"
    assert "PASSED" not in {each["Compliance"]["Status"] for each in found}


def test_accepted_findings_are_suppressed_with_a_note() -> None:
    (suppressed,) = [each for each in imported(everything()) if each["Workflow"]["Status"] == "SUPPRESSED"]
    assert suppressed["GeneratorId"] == "kms-tui/no-alias"
    assert "until 2027-03-31" in suppressed["Note"]["Text"]


def test_long_texts_are_cut_to_what_security_hub_takes() -> None:
    made = Estate()
    made.add(PLACES[0], "x" * 300, rotation=ROTATION_OFF)
    (found,) = imported(made.report())
    assert len(found["Title"]) == 256


# JUnit


_SHAPE: dict[str, set[str]] = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase"},
    "testcase": {"failure", "skipped", "error", "system-out"},
}
"""Element -> the elements in it, out of those of Jenkins's junit-10.xsd."""
_MEMBERS: dict[str, set[str]] = {
    "testsuites": {"name", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "timestamp"},
    "testcase": {"name", "classname", "time"},
    "failure": {"type", "message"},
    "skipped": {"type", "message"},
    "error": {"type", "message"},
    "system-out": set(),
}


def cases(report: Report) -> dict[tuple[str, str], ET.Element]:
    """(class name, name) -> each case, once the text has the shape that is read."""
    root = ET.fromstring(WRITERS["junit"](report))
    for element in root.iter():
        assert set(element.attrib) <= _MEMBERS[element.tag]
        assert {child.tag for child in element} <= _SHAPE.get(element.tag, set())
    for suite in root:
        found = list(suite)
        assert suite.get("tests") == str(len(found))
        for name, counted in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert suite.get(name) == str(sum(case.find(counted) is not None for case in found))
    for name in ("tests", "failures", "errors"):
        assert int(root.get(name, "")) == sum(int(suite.get(name, "")) for suite in root)
    named = {(case.get("classname", ""), case.get("name", "")): case for case in root.iter("testcase")}
    assert len(named) == int(root.get("tests", ""))
    return named


def classname(account: str, region: str = "eu-west-1") -> str:
    return f"kms-tui.{account}.{region}"


def test_junit_has_a_suite_for_each_account_and_region_and_a_case_for_each_check() -> None:
    found = cases(everything())
    assert len(found) == 4 * (len(everything().tallies) + 1)
    failed = found[classname(ACCOUNT), "rotation-off: Rotation off"].find("failure")
    assert failed is not None
    assert failed.get("type") == "medium"
    assert failed.get("message") == "1 of 2 keys: Rotation off"
    assert "<script>" in (failed.text or "")


def test_what_is_not_known_is_skipped_and_keys_not_listed_are_an_error() -> None:
    found = cases(everything())
    skipped = found[classname(ACCOUNT, "us-east-1"), "public-policy: Anyone may use it"].find("skipped")
    assert skipped is not None
    assert "GetKeyPolicy was denied" in (skipped.get("message") or "")
    error = found[classname(LOST.account), "all keys are listed"].find("error")
    assert error is not None
    assert found[classname(LOST.account), "rotation-off: Rotation off"].find("skipped") is not None


def test_accepted_findings_pass_with_a_note() -> None:
    case = cases(everything())[classname(OTHER), "no-alias: No alias"]
    assert [child.tag for child in case] == ["system-out"]
    assert "accepted by Kim <kim@example.com> until 2027-03-31" in (case[0].text or "")


@pytest.mark.parametrize(
    "character", ["\x00", "\x0b", "\x7f", "\x85", "\ud800", "\ufffe", "\uffff", "]]>", "\r"]
)
def test_characters_that_xml_has_not_are_shown_otherwise(character: str) -> None:
    made = Estate()
    made.add(PLACES[0], f"a{character}b", rotation=ROTATION_OFF)
    assert cases(made.report())


# Names


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=30), st.text(max_size=30))
def test_whatever_keys_are_called_every_format_is_valid(name: str, alias: str) -> None:
    made = Estate()
    made.add(PLACES[0], name, rotation=ROTATION_OFF)
    made.add(PLACES[1], "b", alias, rotation=ROTATION_OFF, policy=REFUSED)
    report = accepting(made.report(), "rotation-off")
    assert run_of(report)["results"]
    assert imported(report)
    assert cases(report)
    assert Page(WRITERS["html"](report)).all("table")
    assert len(list(csv.reader(io.StringIO(WRITERS["csv"](report), newline="")))) == 1 + 2 + 1
    tomllib.loads(baseline_text(report))


# Size


def many(keys: int) -> Report:
    """A report of three findings for each key."""
    made = Estate(Settings(unused_days=None, required_tags=("owner",)))
    for number in range(keys):
        made.add(PLACES[number % 3], rotation=ROTATION_OFF, tags=Known((Tag("team", "a"),)))
    return made.report(PACKS.values())


def test_more_than_readers_take_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kms_tui.sarif._MOST_RESULTS", 50)
    monkeypatch.setattr("kms_tui.evidence.health.formats.junit_report._MOST_LINES", 4)
    report = many(20)
    assert len(report.findings) == 60
    run = run_of(report)
    assert len(run["results"]) == 50
    (told,) = run["invocations"][0]["toolExecutionNotifications"]
    assert told["message"]["text"] == "10 results more are left out: code scanning takes 50."
    root = ET.fromstring(WRITERS["junit"](report))
    texts = [element.text or "" for element in root.iter("failure")]
    assert {text.count("\n") + 1 for text in texts} == {5}
    assert all("… and 4 more" in text or "… and 3 more" in text for text in texts)
