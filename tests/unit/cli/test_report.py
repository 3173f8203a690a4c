"""``kms-tui report``: what it writes, and how it ends, for pipelines and auditors."""

from __future__ import annotations

import _thread
import argparse
import csv
import io
import json
import re
import shlex
import shutil
import subprocess
import threading
import tomllib
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kms_tui.cli import report_command
from kms_tui.cli.connection import open_backend
from kms_tui.control.faults import DENY
from kms_tui.kms.errors import CredentialsError, EndpointError
from kms_tui.policy import default_policy
from kms_tui.session import Connection
from tests.endpoints.environment import use_static_credentials
from tests.endpoints.server import FaultEndpoint
from tests.endpoints.synthetic import SyntheticAccount
from tests.unit.cli.conftest import Ended, Run
from tests.unit.evidence.health.build import ACCOUNT
from tests.unit.inventory.world import FakeAccount, FakeKey, denied, key_id

FINE = default_policy(ACCOUNT, "aws")
HOSTILE = '=HYPERLINK("//x")\x1b]0;title\x07\u202e|pipe`code`'

Report = Callable[..., Ended]


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeAccount:
    """Two keys of ordinary shape: one in order, one that does not rotate and has no alias."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return FakeAccount(
        [
            FakeKey(key_id(1), ("orders",), policy=FINE),
            FakeKey(
                key_id(2), (), {"Description": HOSTILE}, rotation={"KeyRotationEnabled": False}, policy=FINE
            ),
        ]
    )


@pytest.fixture
def report(run: Run, account: FakeAccount, monkeypatch: pytest.MonkeyPatch) -> Report:
    """``kms-tui report --region eu-west-1`` on the account, with further arguments."""

    def open_account(connection: Connection) -> FakeAccount:
        assert connection.region
        return account.in_region(connection.region)

    monkeypatch.setattr("kms_tui.cli.connection.open_backend", open_account)
    return lambda *arguments, stdin=b"": run("report", "--region", "eu-west-1", *arguments, stdin=stdin)


def found(ended: Ended) -> dict[str, Any]:
    shape: dict[str, Any] = json.loads(ended.out)
    return shape


def test_the_table_has_a_line_for_each_finding_and_says_what_to_do(report: Report) -> None:
    ended = report()
    text = ended.out.decode()
    assert ended.code == 0
    assert ended.err == ""
    line = next(line for line in text.splitlines() if "Automatic rotation is off" in line)
    assert line.split()[:2] == ["medium", key_id(2)]
    assert "KMS.4 AWS KMS key rotation should be enabled" in text
    assert text.endswith("0 high, 1 medium, 1 low; 0 not known.\n")


@pytest.mark.parametrize(("threshold", "code"), [(None, 0), ("high", 0), ("medium", 1), ("low", 1)])
def test_the_exit_code_says_whether_a_finding_reaches_the_threshold(
    report: Report, threshold: str | None, code: int
) -> None:
    assert report(*(("--fail-on", threshold) if threshold else ())).code == code


def test_what_is_not_known_is_listed_and_counted_and_fails_only_where_asked(
    report: Report, account: FakeAccount
) -> None:
    account.fail["GetKeyRotationStatus", key_id(2)] = denied("GetKeyRotationStatus")
    shape = found(report("--format", "json", "--fail-on", "medium"))
    assert shape["summary"] == {"high": 0, "medium": 0, "low": 1, "not_known": 1, "accepted": 0}
    (gap,) = shape["not_known"]
    assert gap["checks"] == ["rotation-off"]
    assert "denied" in gap["reason"]
    assert report("--fail-on", "medium").code == 0
    assert report("--fail-on", "medium", "--strict").code == 1
    assert "not known  " + key_id(2) in report().out.decode()


def test_json_holds_everything(report: Report) -> None:
    shape = found(report("--format", "json", "--unused", "30"))
    assert (shape["account"], shape["regions"], shape["keys"]) == (ACCOUNT, ["eu-west-1"], 2)
    assert shape["settings"]["unused_days"] == 30
    checks = {check["id"]: check for check in shape["checks"]}
    assert checks["rotation-off"]["control"] == "KMS.4 AWS KMS key rotation should be enabled"
    assert [checks["rotation-off"][name] for name in ("keys", "passed", "found", "not_known")] == [2, 1, 1, 0]
    assert {each["check"] for each in shape["findings"]} == {"rotation-off", "no-alias"}


def test_csv_defuses_what_a_spreadsheet_would_compute(report: Report, account: FakeAccount) -> None:
    account.keys[key_id(1)].aliases = ("=cmd",)
    account.keys[key_id(1)].rotation = {"KeyRotationEnabled": False}
    rows = list(csv.DictReader(io.StringIO(report("--format", "csv").out.decode(), newline="")))
    assert len(rows) == 3
    assert "'=cmd" in {row["key"] for row in rows}
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize("form", ["table", "md", "json", "csv"])
def test_no_format_holds_what_a_terminal_would_obey(report: Report, form: str) -> None:
    text = report("--format", form).out.decode()
    assert "HYPERLINK" in text
    kinds = {unicodedata.category(char) for char in text.replace("\n", "")}
    assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_markdown_has_its_tables_and_no_table_without_rows(report: Report) -> None:
    text = report("--format", "md").out.decode()
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings[1:] == ["## Findings", "## What to do", "## What was checked"]
    assert "\\|pipe\\`code\\`" in text


def test_required_tags_come_from_the_configuration(
    report: Report, account: FakeAccount, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "config.toml"
    path.write_text('required_tags = ["team"]\n')
    monkeypatch.setattr("kms_tui.config.default_path", lambda: path)
    account.keys[key_id(1)].tags = {"team": "orders"}
    lacking = [
        each for each in found(report("--format", "json"))["findings"] if each["check"] == "tags-missing"
    ]
    assert [each["key"] for each in lacking] == [key_id(2)]


def test_a_file_is_replaced_and_the_summary_told(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "health.md"
    path.write_text("yesterday's")
    ended = report("--format", "md", "-o", str(path))
    assert (ended.code, ended.out) == (0, b"0 high, 1 medium, 1 low; 0 not known.\n")
    assert path.read_text().startswith("# Health of the KMS keys of 111122223333")


def test_a_file_that_cannot_be_written_is_2(report: Report, tmp_path: Path) -> None:
    ended = report("-o", str(tmp_path / "nowhere" / "health"), "--fail-on", "low")
    assert ended.code == 2
    assert "could not be written" in ended.err


def test_several_regions_in_one_report(run: Run, report: Report, account: FakeAccount) -> None:
    other = FakeAccount([FakeKey(key_id(3), policy=FINE)], region="us-east-1")
    account.others["us-east-1"] = other
    ended = run("report", "--regions", "eu-west-1, us-east-1", "--format", "json")
    shape = found(ended)
    assert shape["regions"] == ["eu-west-1", "us-east-1"]
    assert {each["region"] for each in shape["findings"]} == {"eu-west-1", "us-east-1"}
    assert "REGION" in run("report", "--regions", "eu-west-1,us-east-1").out.decode()


@pytest.mark.parametrize("form", ["table", "md", "html"])
def test_a_region_without_keys_passes_and_is_told(report: Report, account: FakeAccount, form: str) -> None:
    account.keys.clear()
    ended = report("--format", form, "--fail-on", "low", "--strict")
    told = f"No customer keys in eu-west-1 in {ACCOUNT}."
    assert (ended.code, ended.err) == (0, f"{told}\n")
    assert told in ended.out.decode()


def test_of_several_regions_the_one_without_keys_is_named(
    run: Run, report: Report, account: FakeAccount
) -> None:
    account.others["us-east-1"] = FakeAccount([], region="us-east-1")
    ended = run("report", "--regions", "eu-west-1,us-east-1", "--format", "json")
    assert ended.err == f"No customer keys in us-east-1 in {ACCOUNT}.\n"
    assert [each["keys"] for each in found(ended)["places"]] == [2, 0]


def test_a_report_that_is_not_whole_is_2_and_is_written_all_the_same(
    report: Report, account: FakeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kms_tui.inventory.whole_reading._STALL_SECONDS", 0.0)
    account.fail["GetKeyPolicy"] = EndpointError("kms went away.")
    ended = report("--format", "json", "--fail-on", "high")
    assert ended.code == 2
    assert "not whole" in ended.err
    assert found(ended)["complete"] is False
    assert "GetKeyPolicy got no answer: kms went away." in ended.out.decode()


def test_ctrl_c_ends_it_with_130_and_nothing_written(report: Report, account: FakeAccount) -> None:
    def interrupt(operation: str, _key: str) -> None:
        if operation == "GetKeyPolicy":
            _thread.interrupt_main()
            threading.Event().wait(5)

    account.before = interrupt
    ended = report()
    assert (ended.code, ended.out) == (130, b"")
    assert "Stopped." in ended.err


def test_nothing_that_changes_anything_is_called(report: Report, account: FakeAccount) -> None:
    report("--unused", "90")
    assert {operation for operation, _ in account.calls} == {
        "ListKeys",
        "ListAliases",
        "DescribeKey",
        "GetKeyRotationStatus",
        "GetKeyPolicy",
        "GetKeyLastUsage",
    }


@pytest.mark.parametrize("error", [CredentialsError("The SSO session has expired."), denied("ListKeys")])
def test_without_a_report_the_exit_code_is_not_that_of_findings(
    report: Report, account: FakeAccount, error: Exception
) -> None:
    account.fail |= {"ListKeys": error, "ListAliases": error}
    ended = report("--fail-on", "low")
    assert (ended.code, ended.out) == (2, b"")
    assert str(error) in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("--format", "xml"),
        ("--fail-on", "critical"),
        ("--unused", "0"),
        ("--unused", "soon"),
        ("--regions", ""),
        ("--regions", "eu-west-1"),
        ("--demo", "--local"),
        ("FILE",),
    ],
)
def test_bad_usage_is_2_and_nothing_is_called(
    report: Report, account: FakeAccount, arguments: tuple[str, ...]
) -> None:
    assert report(*arguments).code == 2
    assert account.calls == []


def test_progress_is_for_terminals_and_the_line_is_taken_back(
    run: Run, report: Report, account: FakeAccount
) -> None:
    ended = run("report", "--region", "eu-west-1", terminal=("stderr",))
    assert ended.code == 0
    assert ended.err.rpartition("\r")[2] == ""
    assert report().err == ""


def test_the_demo_tells_of_what_is_wrong_with_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kms_tui.cli.connection.open_backend", open_backend)
    shape = found(run("report", "--demo", "--format", "json", "--unused", "90"))
    named = {each["check"]: each["key"] for each in shape["findings"]}
    assert named["pending-deletion"] == "old-backups"
    assert named["public-policy"] == "s3-public-assets"
    assert named["no-account-control"] == "invoices"
    assert named["conditional-control"] == "hr-files"
    assert named["cross-account"] == "partner-exchange"
    assert named["unbound-service"] == "s3-logs"
    assert named["material-expires"] == "imported-hsm-root"
    assert shape["aws_managed"] == 12


def test_the_same_report_is_made_of_an_account_on_aws(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kms_tui.cli.connection.open_backend", open_backend)
    use_static_credentials(monkeypatch)
    with FaultEndpoint(SyntheticAccount(keys=24, aws_managed=4)) as endpoint:
        endpoint.plan("GetKeyPolicy", DENY)
        flags = ("--endpoint-url", endpoint.url, "--region", "eu-west-1", "--format", "json")
        ended = run("report", *flags, "--fail-on", "medium")
    shape = found(ended)
    assert ended.code == 1
    assert (shape["keys"], shape["aws_managed"], shape["summary"]["high"]) == (20, 4, 0)
    calls = endpoint.counts
    assert (calls["DescribeKey"], calls["GetKeyPolicy"]) == (20, 20)
    reasons = {each["reason"].partition(":")[0] for each in shape["not_known"]}
    assert reasons == {"GetKeyPolicy was denied", "CloudTrail's LookupEvents failed"}


# Several accounts and Regions, packs, baselines


def other_region(account: FakeAccount) -> FakeAccount:
    account.others["us-east-1"] = FakeAccount(
        [FakeKey(key_id(3), ("abroad",), policy=FINE)], region="us-east-1"
    )
    return account.others["us-east-1"]


def test_a_region_that_cannot_be_listed_is_a_line_of_its_own_and_the_report_not_whole(
    run: Run, report: Report, account: FakeAccount
) -> None:
    error = denied("ListKeys")
    other_region(account).fail |= {"ListKeys": error, "ListAliases": error}
    ended = run("report", "--regions", "eu-west-1,us-east-1", "--format", "json", "--fail-on", "high")
    shape = found(ended)
    assert ended.code == 2
    assert f"Not all keys of us-east-1 in {ACCOUNT} could be listed. ListKeys was denied" in ended.err
    assert {each["region"] for each in shape["findings"]} == {"eu-west-1"}
    (gap,) = shape["not_known"]
    assert (gap["key"], gap["account"], gap["region"]) == ("all of us-east-1", ACCOUNT, "us-east-1")
    assert [(each["region"], bool(each["unlisted"])) for each in shape["places"]] == [
        ("eu-west-1", False),
        ("us-east-1", True),
    ]


def test_packs_say_how_controls_stand(report: Report) -> None:
    text = report("--pack", "cis", "--pack", "fsbp").out.decode()
    lines = {line.split()[0]: line for line in text.splitlines() if line}
    assert "failed" in lines["3.6"]
    assert "1 of 2" in lines["3.6"]
    assert key_id(2) in lines["3.6"]
    assert "not assessed" in lines["KMS.1"]
    assert "passed" in lines["KMS.5"]
    assert "PCI" not in text
    assert "## PCI DSS v4.0.1" in report("--pack", "pci", "--format", "md").out.decode()


BASELINE = f"""
[[accepted]]
check = "rotation-off"
key = "arn:aws:kms:eu-west-1:{ACCOUNT}:key/{key_id(2)}"
owner = "Kim"
reason = "only tests use it"
expires = 2100-01-31
"""


def test_only_news_reach_the_severity_that_fails(report: Report, tmp_path: Path) -> None:
    (tmp_path / "accepted.toml").write_text(BASELINE)
    ended = report("--baseline", "accepted.toml", "--fail-on", "medium")
    text = ended.out.decode()
    assert (ended.code, ended.err) == (0, "")
    assert "ACCEPTED" in text
    assert "Kim" in text
    assert "2100-01-31" in text
    assert text.endswith("0 high, 0 medium, 1 low; 1 accepted; 0 not known.\n")
    assert report("--baseline", "accepted.toml", "--fail-on", "low").code == 1


@pytest.mark.parametrize(
    "text", [BASELINE, json.dumps(tomllib.loads(BASELINE), default=str)], ids=("toml", "json")
)
def test_a_baseline_is_read_from_standard_input(report: Report, text: str) -> None:
    ended = report("--baseline", "-", "--fail-on", "medium", stdin=text.encode())
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.endswith(b"0 high, 0 medium, 1 low; 1 accepted; 0 not known.\n")
    ended = report("--baseline", "-", stdin=text.encode().replace(b"Kim", b""))
    assert ended.code == 2
    assert re.match(r"Standard input(, line [0-9]+)?: accepted\[0\]\.owner: it is not filled in", ended.err)
    ended = report("--baseline", "-", stdin=b"accepted")
    assert ended.err.startswith("kms-tui report: Standard input")


def test_an_expired_entry_and_one_for_nothing_are_said_and_the_finding_counts(
    report: Report, tmp_path: Path
) -> None:
    gone = BASELINE.replace(key_id(2), key_id(1))
    (tmp_path / "accepted.toml").write_text(BASELINE.replace("2100", "2020") + gone)
    ended = report("--baseline", "accepted.toml", "--fail-on", "medium")
    assert ended.code == 1
    expired, nothing = ended.err.splitlines()
    assert (
        expired
        == "accepted.toml, line 2: accepted[0]: it expired on 2020-01-31 and accepts nothing any more."
    )
    assert nothing.startswith("accepted.toml, line 9: accepted[1]: nothing is found any more")


def test_a_baseline_of_another_account_is_told_in_a_line(report: Report, tmp_path: Path) -> None:
    (tmp_path / "accepted.toml").write_text(BASELINE.replace(ACCOUNT, "444455556666"))
    ended = report("--baseline", "accepted.toml", "--fail-on", "medium", "--format", "csv")
    assert ended.code == 1
    assert ended.err.startswith("1 entry of the baseline is for no account and Region of this report: arn:")
    assert ended.err.count("\n") == 1


def test_the_help_says_what_becomes_of_expired_entries(run: Run) -> None:
    assert "its findings count for --fail-on again" in run("report", "--help").out.decode()


def test_a_wrong_entry_is_2_and_the_report_is_written_all_the_same(report: Report, tmp_path: Path) -> None:
    (tmp_path / "accepted.toml").write_text(BASELINE + BASELINE.replace("rotation-off", "rotation-of\\u001b"))
    ended = report("--baseline", "accepted.toml", "--format", "json")
    assert ended.code == 2
    (sentence,) = ended.err.splitlines()
    assert sentence.startswith("accepted.toml, line 10: accepted[1].check: there is no check")
    assert "\x1b" not in sentence
    assert found(ended)["summary"]["accepted"] == 1


@pytest.mark.parametrize("text", [None, "accepted = [", "[[accepted]]\n" * 40])
def test_a_baseline_that_cannot_be_read_is_told_at_once(
    report: Report, account: FakeAccount, tmp_path: Path, text: str | None
) -> None:
    if text is not None:
        (tmp_path / "accepted.toml").write_text(text)
    ended = report("--baseline", "accepted.toml")
    assert ended.code == 2
    assert "accepted.toml" in ended.err
    assert len(ended.err.splitlines()) <= 21
    if text is None or len(text) < 40:
        assert account.calls == []


def test_a_baseline_is_written_to_be_filled_in(report: Report, tmp_path: Path) -> None:
    ended = report("--write-baseline", "accepted.toml")
    assert ended.code == 0
    assert "accepted.toml: 2 findings; fill in owner and reason" in ended.err
    refused = report("--baseline", "accepted.toml")
    assert refused.code == 2
    assert refused.err.count("it is not filled in") == 4
    path = tmp_path / "accepted.toml"
    path.write_text(path.read_text().replace('"FILL IN:', '"x:'))
    assert report("--baseline", "accepted.toml", "--fail-on", "low").code == 0
    assert report("--write-baseline", "accepted.toml").code == 2


@pytest.mark.parametrize("name", ["accepted.json", "accepted.yaml", "accepted", "-"])
def test_a_baseline_is_written_where_it_can_be_read_again(report: Report, tmp_path: Path, name: str) -> None:
    ended = report("--write-baseline", name)
    assert (ended.code, ended.out) == (2, b"")
    assert f"{name!r}: the file is TOML, and its name must end in .toml" in ended.err
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("form", ["html", "sarif", "asff", "junit"])
def test_every_form_is_made_of_the_demo(run: Run, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    monkeypatch.setattr("kms_tui.cli.connection.open_backend", open_backend)
    ended = run("report", "--demo", "--format", form, "--pack", "nist")
    assert (ended.code, ended.err) == (0, "")
    assert b"old-backups" in ended.out


def _shown_commands() -> list[str]:
    """Every call of the command in README.md and in its own help, without what the shell does with it."""
    texts = ((Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8"), report_command._EPILOG)
    lines = [line for text in texts for line in re.findall(r"kms-tui (report -(?!-help).*)", text)]
    return [re.split(r"\s{2,}|\s#|`", line)[0] for line in lines]


@pytest.mark.parametrize("line", dict.fromkeys(_shown_commands()))
def test_every_command_that_is_shown_can_be_typed(line: str) -> None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    report_command.add_arguments(parser)
    _, *arguments = shlex.split(line)
    assert parser.parse_args(arguments)


def test_the_lines_that_import_findings_hand_over_a_hundred_each() -> None:
    jq = shutil.which("jq")
    if jq is None:
        pytest.skip("jq is not here")
    program = re.search(r"jq -c '([^']*)'", report_command._EPILOG)
    assert program is not None
    given = json.dumps(list(range(250))).encode()
    ended = subprocess.run([jq, "-c", program[1]], input=given, capture_output=True, check=True)
    assert [len(json.loads(line)) for line in ended.stdout.splitlines()] == [100, 100, 50]
