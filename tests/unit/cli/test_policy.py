"""``kms-tui policy check``: verdicts, places and exit codes for pipelines."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from kms_tui.cli import main
from kms_tui.policy import default_policy

ACCOUNT = "111122223333"
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


def test_a_byte_order_mark_is_no_part_of_a_policy(tmp_path: Path) -> None:
    path = tmp_path / "bom.json"
    path.write_text(default_policy(ACCOUNT, "aws"), encoding="utf-8-sig")
    assert main(["policy", "check", str(path), "--account", ACCOUNT]) == 0


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
        ["policy", "check", "x.json", "--account", "１１１１２２２２３３３３"],
        ["policy", "check", "x.json", "--account", ACCOUNT, "--caller", "me"],
    ],
)
def test_bad_usage_exits_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


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
