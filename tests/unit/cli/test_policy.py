"""``kms-tui policy check``: verdicts, places and exit codes for pipelines."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from kms_tui.cli import main
from kms_tui.policy import default_policy
from kms_tui.policy.rule_guide import RULES
from tests.unit.cli.conftest import Run

ACCOUNT = "111122223333"
_DATA = Path(__file__).parents[2] / "data"
ONE_ROLE = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {"AWS": "arn:aws:iam::111122223333:role/KeyAdmin"},
      "Action": "kms:*",
      "Resource": "*"
    }
  ]
}"""


ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"


def _key(region: str = "us-east-1", account: str = ACCOUNT) -> str:
    return f"arn:aws:kms:{region}:{account}:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.fixture
def good(tmp_path: Path) -> str:
    path = tmp_path / "good.json"
    path.write_text(default_policy(ACCOUNT, "aws"))
    return str(path)


@pytest.fixture
def bad(tmp_path: Path) -> str:
    path = tmp_path / "bad.json"
    path.write_text(ONE_ROLE)
    return str(path)


def test_a_policy_that_keeps_control_exits_0(good: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "check", good, "--account", ACCOUNT]) == 0
    assert capsys.readouterr().out == f"{good}: ok\n"


def test_one_refused_policy_among_several_exits_1_and_names_the_place(
    good: str, bad: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["policy", "check", good, bad, "--account", ACCOUNT]) == 1
    out = capsys.readouterr().out
    assert f"{good}: ok" in out
    assert f"{bad}: refuse" in out
    assert f"{bad}:" in out.splitlines()[2]
    assert "refuse:" in out.splitlines()[2]


def test_a_byte_order_mark_is_refused_as_kms_refuses_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bom.json"
    path.write_text(default_policy(ACCOUNT, "aws"), encoding="utf-8-sig")
    assert main(["policy", "check", str(path), "--account", ACCOUNT]) == 1
    assert "byte order mark" in capsys.readouterr().out


def test_a_policy_over_the_limit_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "long.json"
    path.write_text(default_policy(ACCOUNT, "aws").ljust(32_769))
    assert main(["policy", "check", str(path), "--account", ACCOUNT]) == 1
    assert "at most 32,768 (LimitExceeded)" in capsys.readouterr().out


def test_json_for_programs(bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "check", bad, "--account", ACCOUNT, "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["file"] == bad
    assert answer["verdict"] == "refuse"
    assert {"rule", "severity", "sentence", "statement", "line", "column"} <= set(answer["findings"][0])


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(ONE_ROLE.encode()))
    monkeypatch.setattr("sys.stdin", stdin)
    assert main(["policy", "check", "-", "--account", ACCOUNT]) == 1
    assert capsys.readouterr().out.startswith("-: refuse")


@pytest.mark.parametrize(
    "arguments",
    [
        ["policy"],
        ["policy", "check", "--account", ACCOUNT],
        ["policy", "check", "x.json"],
        ["policy", "check", "-", "-", "--account", ACCOUNT],
        ["policy", "check", "x.json", "--account", "１１１１２２２２３３３３"],
        ["policy", "check", "x.json", "--account", ACCOUNT, "--caller", "me"],
        ["policy", "check", "x.json", "--account", ACCOUNT, "--partition", "aws-mars"],
        ["policy", "check", "x.json", "--account", ACCOUNT, "--region", "us-east"],
        [
            "policy",
            "check",
            "x.json",
            "--account",
            ACCOUNT,
            "--key-arn",
            f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/a",
        ],
        ["policy", "check", "x.json", "--account", ACCOUNT, "--key-arn", _key("us-east-1", "444455556666")],
        ["policy", "check", "x.json", "--account", ACCOUNT, "--key-arn", _key("cn-north-1")],
        ["policy", "check", "x.json", "--account", ACCOUNT, "--key-arn", _key(), "--partition", "aws-cn"],
        ["policy", "check", "x.json", "--account", ACCOUNT, "--key-arn", _key(), "--region", "eu-west-1"],
        [
            "policy",
            "check",
            "x.json",
            "--account",
            ACCOUNT,
            "--region",
            "us-gov-west-1",
            "--partition",
            "aws",
        ],
        ["policy", "check", "x.json", "--account", ACCOUNT, "--region", "cn-north-1", "--caller", ROLE],
        ["policy", "rules", "no-such-rule"],
    ],
)
def test_bad_usage_exits_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "--help shows the usage" in capsys.readouterr().err


def test_a_missing_file_exits_2_and_the_others_are_judged(
    good: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["policy", "check", "no-such.json", good, "--account", ACCOUNT]) == 2
    captured = capsys.readouterr()
    assert "no-such.json" in captured.err
    assert f"{good}: ok" in captured.out


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"[" * 100_000, b'{"a": NaN}', b"\xed\xa0\x80"])
def test_any_bytes_are_refused_without_a_traceback(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.json"
    path.write_bytes(content)
    assert main(["policy", "check", str(path), "--account", ACCOUNT]) == 1


@pytest.mark.parametrize(
    ("partition", "arguments"),
    [
        ("aws", []),
        ("aws", ["--region", "eu-central-1"]),
        ("aws-cn", ["--region", "cn-north-1"]),
        ("aws-us-gov", ["--partition", "aws-us-gov", "--region", "us-gov-west-1"]),
        ("aws-eusc", ["--key-arn", f"arn:aws-eusc:kms:eusc-de-east-1:{ACCOUNT}:key/1234abcd-12ab"]),
        ("aws-iso", ["--caller", f"arn:aws-iso:iam::{ACCOUNT}:root"]),
    ],
)
def test_the_partition_follows_from_what_is_known(
    tmp_path: Path, partition: str, arguments: list[str]
) -> None:
    path = tmp_path / "policy.json"
    path.write_text(default_policy(ACCOUNT, partition))
    assert main(["policy", "check", str(path), "--account", ACCOUNT, *arguments]) == 0
    other = "aws-cn" if partition == "aws" else "aws"
    path.write_text(default_policy(ACCOUNT, other))
    assert main(["policy", "check", str(path), "--account", ACCOUNT, *arguments]) == 1


def test_the_rules_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "rules"]) == 0
    out = capsys.readouterr().out
    assert all(f"{name} (" in out for name in RULES)
    assert "\ufeff" not in out
    assert main(["policy", "rules", "dead-deny", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == RULES["dead-deny"].as_dict()


def test_the_policy_is_taken_out_of_what_was_pasted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = default_policy(ACCOUNT, "aws")
    path = tmp_path / "pasted.json"
    path.write_text(json.dumps({"Policy": policy, "PolicyName": "default"}))
    assert main(["policy", "check", str(path), "--account", ACCOUNT]) == 1
    assert (
        "kms-tui policy extract takes it out, as Format does in the editor. [pasted-answer]"
        in capsys.readouterr().out
    )
    assert main(["policy", "extract", str(path)]) == 0
    assert capsys.readouterr().out == policy + "\n"
    path.write_text(policy)
    assert main(["policy", "extract", str(path)]) == 0
    assert capsys.readouterr().out == policy + "\n"


@pytest.mark.parametrize("text", ["", "[1]", "Version: '2012-10-17'", "\x1b]0;x\x07"])
def test_where_there_is_no_policy_inside_nothing_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    path = tmp_path / "pasted.json"
    path.write_text(text)
    assert main(["policy", "extract", str(path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "pasted.json" in captured.err
    assert main(["policy", "extract", str(tmp_path / "none.json")]) == 2


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-16-le"])
def test_a_paste_that_windows_wrote_is_read(
    encoding: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = '{"Version": "2012-10-17", "Statement": []}'
    path = tmp_path / "answer.json"
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    path.write_bytes((mark + json.dumps({"Policy": policy, "PolicyName": "default"})).encode(encoding))
    assert main(["policy", "extract", str(path)]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(policy)


@pytest.mark.parametrize("arguments", [("check", "--account", ACCOUNT), ("extract",)])
def test_a_device_without_end_is_no_policy(run: Run, arguments: tuple[str, ...]) -> None:
    ended = run("policy", *arguments, "/dev/zero")
    assert (ended.code, ended.err) == (2, "kms-tui policy: /dev/zero: it is larger than any policy\n")


def _sarif(run: Run, *arguments: str, code: int, stdin: bytes = b"") -> dict[str, Any]:
    ended = run("policy", "check", *arguments, "--account", ACCOUNT, "--format", "sarif", stdin=stdin)
    assert ended.code == code, ended.err
    log = json.loads(ended.out)
    schema = json.loads((_DATA / "sarif" / "sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8"))
    assert [error.message for error in jsonschema.Draft4Validator(schema).iter_errors(log)] == []
    (found,) = log["runs"]
    shape: dict[str, Any] = found
    return shape


def test_sarif_has_the_place_of_each_finding_relative_to_the_working_folder(
    run: Run, good: str, bad: str
) -> None:
    found = _sarif(run, good, bad, code=1)
    (result,) = found["results"]
    assert (result["ruleId"], result["level"]) == ("no-account-control", "error")
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "bad.json"}
    assert place["region"]["startLine"] >= 3
    assert place["region"]["endColumn"] >= 1
    rules = found["tool"]["driver"]["rules"]
    assert rules[result["ruleIndex"]]["id"] == "no-account-control"
    assert {rule["id"] for rule in rules} == set(RULES)
    assert found["columnKind"] == "unicodeCodePoints"


def test_sarif_has_what_is_only_worth_knowing_where_asked(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    noisy = ONE_ROLE.replace('"kms:*"', '["kms:Decrypt", "kms:Decrypt", "kms:*"]')
    path.write_text(noisy)
    plain = _sarif(run, "policy.json", code=1)["results"]
    more = _sarif(run, "policy.json", "--verbose", code=1)["results"]
    assert {each["level"] for each in plain} <= {"error", "warning"}
    assert len(more) >= len(plain)


def test_fingerprints_stay_when_lines_move(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    path.write_text(ONE_ROLE)
    first = _sarif(run, "policy.json", code=1)["results"]
    path.write_text("\n\n\n" + ONE_ROLE)
    second = _sarif(run, "policy.json", code=1)["results"]
    assert [each["partialFingerprints"] for each in first] == [each["partialFingerprints"] for each in second]
    assert first[0]["locations"] != second[0]["locations"]


def test_a_file_that_cannot_be_read_is_a_notification_and_2(run: Run, good: str) -> None:
    found = _sarif(run, good, "nowhere.json", "-", code=2, stdin=b"not json")
    (invocation,) = found["invocations"]
    assert invocation["executionSuccessful"] is False
    assert "nowhere.json" in invocation["toolExecutionNotifications"][0]["message"]["text"]
    uris = {each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in found["results"]}
    assert uris == {"standard-input"}


def test_one_form_at_a_time(run: Run, good: str) -> None:
    assert run("policy", "check", good, "--account", ACCOUNT, "--json", "--format", "sarif").code == 2
