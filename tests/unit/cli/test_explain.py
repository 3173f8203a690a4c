"""``kms-tui explain``: messages, questions, cases, files of layers, and how it ends."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kms_tui.backend.base import Backend
from kms_tui.backend.kms_facade import Kms
from kms_tui.demo import demo_backend
from kms_tui.kms.errors import CredentialsError
from kms_tui.session import Connection
from tests.unit.cli.conftest import Ended, Run

DATA = Path(__file__).parents[2] / "data" / "denials"
MESSAGES = [json.loads(line) for line in (DATA / "messages.jsonl").read_text().splitlines()]
CASES = [json.loads(line) for line in (DATA / "layer_cases.jsonl").read_text().splitlines()]
REPORTING = "arn:aws:sts::111122223333:assumed-role/reporting/ad-hoc"
ROLE = "arn:aws:iam::111122223333:role/reporting"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
MESSAGE = (
    f"User: {REPORTING} is not authorized to perform: kms:Decrypt on resource: {KEY} because no "
    f"identity-based "
    "policy allows the kms:Decrypt action"
)
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
DENY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*"}]}


@pytest.fixture(scope="module")
def demo() -> Backend:
    return demo_backend()


@pytest.fixture
def on_demo(run: Run, demo: Backend, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr("kms_tui.cli.connection.open_backend", lambda _: demo)
    return run


@pytest.fixture
def unconnected(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A machine without credentials."""

    def refuse(_: Connection) -> Backend:
        raise CredentialsError("No AWS credentials were found.", next_step="Sign in.")

    monkeypatch.setattr("kms_tui.cli.connection.open_backend", refuse)
    return run


def answer(ended: Ended) -> Any:
    return json.loads(ended.out)


def pii_key(demo: Backend) -> str:
    return Kms(demo).describe("alias/customer-pii").arn


@pytest.mark.parametrize("sample", MESSAGES, ids=lambda sample: str(sample["id"]))
def test_each_message_is_read_without_credentials(unconnected: Run, sample: Mapping[str, Any]) -> None:
    ended = unconnected("explain", "-", "--format", "json", stdin=sample["message"].encode())
    names = ("principal", "action", "resource", "layer", "explicit", "policy_arn")
    assert answer(ended)["denial"] == {name: sample[name] for name in names}
    assert (ended.code, ended.err) == (0, "")
    assert unconnected("explain", sample["message"]).code == 0


@pytest.mark.parametrize("sample", CASES, ids=lambda sample: str(sample["id"]))
def test_each_case_is_judged_without_credentials(
    unconnected: Run, tmp_path: Path, sample: Mapping[str, Any]
) -> None:
    case = tmp_path / "case.json"
    case.write_text(json.dumps(sample["case"]))
    ended = unconnected("explain", "--case", str(case), "--format", "json")
    found = answer(ended)
    assert (ended.code, found["outcome"]) == (0, sample["expect"])
    if sample["layer"]:
        assert found["decisive"]["layer"] in sample["layer"]
    assert [step["layer"] for step in found["steps"]] == list(
        dict.fromkeys(s["layer"] for s in found["steps"])
    )
    same = unconnected("explain", "--case", "-", "--format", "json", stdin=case.read_bytes())
    assert answer(same) == found


def test_the_layers_of_the_demo_are_judged_and_a_fix_is_proved(on_demo: Run, demo: Backend) -> None:
    text = MESSAGE.replace(KEY, pii_key(demo))
    ended = on_demo("explain", text, "--demo", "--context", "table=customers", "--format", "json")
    found = answer(ended)
    assert (found["outcome"], found["decisive"]["layer"]) == ("deny", "identity")
    assert [fix["parts"][0]["kind"] for fix in found["fixes"]] == ["key-policy", "grant", "identity"]
    assert all(fix["proved"] and fix["suffices"] for fix in found["fixes"])
    assert '"kms:EncryptionContext:table": "customers"' in found["fixes"][0]["parts"][0]["text"]
    shown = on_demo("explain", text, "--demo").out.decode()
    assert "▶ ✗ IAM policies" in shown
    assert "Proved in the offline KMS" in shown


def test_a_question_needs_no_message(on_demo: Run, demo: Backend) -> None:
    ended = on_demo(
        *("explain", "--demo", "--principal", ROLE, "--action", "Decrypt", "--key", "alias/customer-pii"),
        *("--format", "json"),
    )
    found = answer(ended)
    assert found["denial"]["resource"] == pii_key(demo)
    assert (found["outcome"], found["decisive"]["layer"]) == ("deny", "identity")


def test_fail_on_denied_ends_with_1(on_demo: Run) -> None:
    question = (
        "explain",
        "--demo",
        "--action",
        "Decrypt",
        "--key",
        "alias/customer-pii",
        "--fail-on",
        "denied",
    )
    assert on_demo(*question, "--principal", ROLE).code == 1
    allowed = on_demo(*question, "--principal", "arn:aws:iam::111122223333:role/app")
    assert (allowed.code, "✓ allowed" in allowed.out.decode()) == (0, True)


def test_a_saved_case_comes_back_the_same(on_demo: Run, demo: Backend, tmp_path: Path) -> None:
    text = MESSAGE.replace(KEY, pii_key(demo))
    case = tmp_path / "denial.json"
    first = on_demo("explain", text, "--demo", "--complete", "--save", str(case), "--format", "json")
    again = on_demo("explain", "--case", str(case), "--format", "json")
    for name in ("outcome", "decisive", "also", "steps"):
        assert answer(again)[name] == answer(first)[name], name


def test_a_message_alone_has_no_layers_to_save(unconnected: Run, tmp_path: Path) -> None:
    ended = unconnected("explain", MESSAGE, "--save", str(tmp_path / "denial.json"))
    assert (ended.code, list(tmp_path.glob("denial.json"))) == (2, [])
    assert "There are no layers to save" in ended.err


def write(path: Path, policy: object) -> str:
    path.write_text(json.dumps(policy))
    return str(path)


def test_files_give_layers_without_a_connection(unconnected: Run, tmp_path: Path) -> None:
    allow, deny = write(tmp_path / "allow.json", ALLOW), write(tmp_path / "deny.json", DENY)
    known = (
        "--iam-policy",
        allow,
        "--rcp",
        write(
            tmp_path / "rcp.json",
            [ALLOW | {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}],
        ),
    )
    ended = unconnected("explain", MESSAGE, *known, "--scp", allow, "--scp", deny, "--format", "json")
    found = answer(ended)
    assert (found["outcome"], found["decisive"]) == (
        "deny",
        {"layer": "scp", "source": deny, "effect": "explicit-deny"},
    )
    assert "AWS names the identity-based policy" in " ".join(found["notes"])
    boundary = unconnected("explain", MESSAGE, *known, "--boundary", deny, "--format", "json")
    assert answer(boundary)["decisive"]["layer"] == "boundary"


def test_a_service_and_an_endpoint_are_condition_keys(unconnected: Run, tmp_path: Path) -> None:
    case = tmp_path / "denial.json"
    allow = write(tmp_path / "allow.json", ALLOW)
    unconnected(
        *("explain", MESSAGE, "--iam-policy", allow, "--via", "s3", "--vpce", "vpce-1", "--context", "a=b"),
        *("--condition", "aws:SourceIp=203.0.113.7", "--save", str(case)),
    )
    assert json.loads(case.read_text())["context"] == {
        "aws:SourceIp": "203.0.113.7",
        "kms:EncryptionContext:a": "b",
        "kms:EncryptionContextKeys": ["a"],
        "kms:ViaService": "s3.eu-west-1.amazonaws.com",
        "aws:SourceVpce": "vpce-1",
    }


def test_a_message_alone_names_what_else_can_be_asked(unconnected: Run) -> None:
    assert "Only the message was read. With --profile P" in unconnected("explain", MESSAGE).out.decode()
    assert "Only the message" not in unconnected("explain", "ExpiredTokenException").out.decode()


def test_a_store_that_is_missing_is_not_made(run: Run, tmp_path: Path) -> None:
    ended = run("explain", MESSAGE, "--store", str(tmp_path / "keys.store"))
    assert ended.code == 0
    assert "There is no store at" in ended.out.decode()
    assert not list(tmp_path.glob("keys.store*"))


def test_without_credentials_the_message_is_explained_all_the_same(unconnected: Run) -> None:
    ended = unconnected("explain", MESSAGE, "--profile", "prod")
    assert ended.code == 0
    assert "no identity-based policy allows it" in ended.out.decode()
    assert "Nothing was read from AWS: No AWS credentials were found." in ended.out.decode()


REFUSED = {
    "nothing": ((), "give a message"),
    "a case and a message": (("x", "--case", "y"), "--case is a whole request"),
    "a case and a context": (("--case", "y", "--context", "a=b"), "--case is a whole request"),
    "half a question": (("--action", "Decrypt"), "a question takes --principal, --action and --key"),
    "a question offline": (
        ("--principal", ROLE, "--action", "Decrypt", "--key", KEY, "--offline"),
        "There are no policies to judge it by",
    ),
    "no credentials": (
        ("--principal", ROLE, "--action", "Decrypt", "--key", KEY),
        "No AWS credentials were found",
    ),
    "a bad pair": ((MESSAGE, "--context", "x"), "is not NAME=VALUE"),
    "a bad condition": ((MESSAGE, "--condition", "x=y"), "is no condition key"),
    "a missing case": (("--case", "missing.json"), "missing.json could not be read"),
    "a missing policy": ((MESSAGE, "--scp", "missing.json"), "missing.json could not be read"),
    "no error message": (("hello",), ""),
    "demo and profile": ((MESSAGE, "--demo", "--profile", "x"), "leave out --demo"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_usage_ends_with_2_and_a_sentence(unconnected: Run, name: str) -> None:
    arguments, sentence = REFUSED[name]
    ended = unconnected("explain", *arguments)
    assert ended.code == 2
    assert sentence in ended.err
    assert "Traceback" not in ended.err


BAD_FILES = {
    "empty": b"",
    "no JSON": b"{",
    "another kind": b"[1, 2]",
    "NUL": b"\0" * 100,
    "deep": b"[" * 100_000,
    "deep objects": b'{"layers":' * 50_000,
    "surrogate": b'{"Statement": [{"Effect": "\\ud800"}]}',
    "a list in the place of an object": b'{"Version": "2012-10-17", "Statement": [[]]}',
    "UTF-16": '{"Statement": 7}'.encode("utf-16"),
    "binary": bytes(range(256)),
    "a long number": b'{"caller": ' + b"9" * 10_000 + b"}",
}


@pytest.mark.parametrize("name", BAD_FILES)
@pytest.mark.parametrize("flag", ["--case", "--iam-policy", "--scp", "--endpoint-policy"])
def test_a_bad_file_is_one_sentence(unconnected: Run, tmp_path: Path, name: str, flag: str) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(BAD_FILES[name])
    ended = unconnected("explain", *(() if flag == "--case" else (MESSAGE,)), flag, str(path))
    assert ended.code == 2
    assert "bad.json" in ended.err
    assert ended.out == b""


def test_hostile_text_is_made_visible(unconnected: Run) -> None:
    text = "User: arn:aws:iam::111122223333:user/\x1b]0;owned\x07\u202e is not authorized to perform: "
    "kms:Decrypt"
    ended = unconnected("explain", "-", stdin=text.encode())
    assert ended.code == 0
    assert not {"\x1b", "\x07", "\u202e"} & set(ended.out.decode())


def test_standard_input_is_read_in_any_encoding(unconnected: Run) -> None:
    for content in (
        MESSAGE.encode("utf-16"),
        b"\xff\xfe\xfa" + MESSAGE.encode(),
        MESSAGE.encode("utf-8-sig"),
    ):
        assert unconnected("explain", "-", "--format", "json", stdin=content).code in (0, 2)
    assert (
        answer(unconnected("explain", "-", "--format", "json", stdin=MESSAGE.encode("utf-16")))["denial"][
            "resource"
        ]
        == KEY
    )


def test_a_denial_of_another_service_is_told(unconnected: Run) -> None:
    ended = unconnected("explain", MESSAGE.replace("kms:Decrypt", "s3:GetObject"), "--demo")
    assert ended.code == 0
    assert "a denial of s3, not of KMS" in ended.out.decode()


def test_a_context_name_given_twice_is_bad_usage(run: Run) -> None:
    ended = run("explain", MESSAGE, "--context", "table=a", "--context", "table=b")
    assert ended.code == 2
    assert "--context: a name was given twice\n" in ended.err


def test_an_endless_standard_input_is_read_so_far_and_no_further(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kms_tui.denials.pasted_message.MAX_MESSAGE", 10)
    monkeypatch.setattr("kms_tui.denials.message.MAX_MESSAGE", 10)
    stdin = Endless()
    with monkeypatch.context() as patch:
        patch.setattr("kms_tui.cli.explain_command.sys", SimpleNamespace(stdin=stdin, stderr=sys.stderr))
        ended = run("explain", "-")
    assert ended.code == 2
    assert b"Only the first 10 characters were read." in ended.out


class Endless:
    """Standard input that never ends, and cannot be read to its end."""

    @property
    def buffer(self) -> Endless:
        return self

    def read(self, size: int = -1) -> bytes:
        assert 0 <= size < 1000
        return b"x" * size
