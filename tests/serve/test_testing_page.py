"""What docs/testing.md shows and says, as it stands: its files, shell session, tables and workflow."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import yaml
from botocore.exceptions import ClientError
from moto import mock_aws

from kms_tui.control.faults import KINDS, NAMED, Answer, Drop, Raw, Refuse, fault_of
from kms_tui.testing import LocalKms
from tests.contract import moto_departures
from tests.endpoints.environment import clear_aws_environment
from tests.local_kms.test_pytest_plugin import NO_OTHER, PLUGIN
from tests.serve.process import environment
from tests.serve.test_readme_session import README, run

pytestmark = pytest.mark.slow

DOCS = README.parent / "docs"
PAGE = (DOCS / "testing.md").read_text(encoding="utf-8")
_FILE = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)
FILES = dict(_FILE.findall(PAGE))


def _block(name: str) -> str:
    (found,) = re.findall(rf"<!-- {name} -->\n```\w+\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def _rows(name: str) -> list[list[str]]:
    """The cells of a table, without its head."""
    (found,) = re.findall(rf"<!-- table: {name} -->\n(.*?)<!-- /table -->", PAGE, re.DOTALL)
    rows = [line.strip()[1:-1].split("|") for line in found.splitlines()]
    return [[cell.strip() for cell in row] for row in rows[2:]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with the page's files and its seed."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    shutil.copy(DOCS / "seed.yaml", tmp_path)
    return tmp_path


def _python(folder: Path, *arguments: str) -> str:
    ended = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**environment(folder), "PYTHONPATH": os.fspath(README.parent), **NO_OTHER},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_tests_of_the_page_pass(folder: Path) -> None:
    said = _python(folder, "-m", "pytest", *PLUGIN, "-q", "test_orders.py", "test_moved.py")
    assert "5 passed" in said


def test_the_test_of_the_readme_passes(tmp_path: Path) -> None:
    ((name, text),) = _FILE.findall(README.read_text(encoding="utf-8"))
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert "1 passed" in _python(tmp_path, "-m", "pytest", *PLUGIN, "-q", name)


def test_the_programs_of_the_page_run(folder: Path) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+\n", _python(folder, "in_process.py"))
    assert _python(folder, "enclave.py") == "CiphertextForRecipient\n"


def test_the_session_of_the_page_runs_as_it_stands(folder: Path) -> None:
    code, output, errors = run(_block("session: control"), folder)
    assert (code, errors) == (0, "")
    *lines, calls = output.splitlines()
    assert json.loads(lines[0]) == {"snapshot": "fresh"}
    assert lines[2:] == [
        "NotFoundException",
        '{"restored": "fresh"}',
        '{"faults": [{"operation": "Encrypt", "met": 0}]}',
        '"arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"',
    ]
    assert [call["error"] for call in json.loads(calls)["calls"]] == ["ThrottlingException", ""]


def test_the_workflow_serves_as_its_container_does(folder: Path) -> None:
    jobs = yaml.safe_load(_block("workflow"))["jobs"]
    (port,) = jobs["with-a-container"]["services"]["kms"]["ports"]
    assert jobs["with-a-container"]["env"]["AWS_ENDPOINT_URL_KMS"] == f"http://localhost:{port.split(':')[0]}"
    (serve,) = (
        step["run"] for step in jobs["without"]["steps"] if step.get("run", "").startswith("kms-tui serve")
    )
    code, _, errors = run(f"export GITHUB_ENV=github.env\n{serve}\nkill $!\n", folder)
    assert (code, errors) == (0, "")
    exported = dict(line.split("=", 1) for line in (folder / "github.env").read_text().splitlines())
    assert exported["AWS_REGION"] == "eu-west-1"
    assert exported.keys() >= {"AWS_ENDPOINT_URL_KMS", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPConnection]:
    clear_aws_environment(monkeypatch)
    kms = LocalKms(DOCS / "seed.yaml")
    with kms.served() as url:
        connection = HTTPConnection(urlsplit(url).netloc, timeout=10)
        yield connection
        connection.close()
    kms.close()


def _asked(served: HTTPConnection, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
    served.request(method, f"/_kms-tui{path}", None if body is None else json.dumps(body))
    answer = served.getresponse()
    return answer.status, json.loads(answer.read())


def test_the_orders_of_the_page_are_those_that_there_are(served: HTTPConnection) -> None:
    orders = _rows("orders")
    bodies: dict[tuple[str, str], Any] = {
        ("POST", "/snapshots"): {"name": "NAME"},
        ("POST", "/clock"): {"set": "2027-01-01T00:00:00Z", "advance": "-2h", "freeze": True},
        ("POST", "/faults"): {
            "plan": ["ok"],
            "always": "ok",
            "operation": "Encrypt",
            "key": "k",
            "principal": "p",
        },
    }
    for method, path, body, said in orders:
        path = path.strip("`").split("?")[0]
        sent = bodies.get((method, path))
        assert set(re.findall(r"`([a-z]+)`", body)) == set(sent or ()), (method, path)
        status, answer = _asked(served, method, path, sent)
        assert status == 200, answer
        told = set(re.findall(r"`([a-z]+)`", said)) - {"met"}
        assert told == answer.keys(), (method, path)
    documented = {(path.strip("`").split("?")[0]) for _, path, _, _ in orders}
    _, answer = _asked(served, "GET", "/none")
    there_are = answer["error"].partition("there are ")[2].replace("*", "NAME").split(", ")
    assert documented == set(there_are)


def test_the_faults_of_the_page_are_those_that_there_are() -> None:
    assert [name.strip("`") for name, _ in _rows("faults")] == list(NAMED)
    objects = [json.loads(text.strip("`")) for text, _ in _rows("objects")]
    without_members = {kind for kind, of_kind in KINDS.items() if of_kind in map(type, NAMED.values())}
    assert {each["fault"] for each in objects} | without_members == set(KINDS)
    assert [type(fault_of(each)) for each in objects] == [Answer, Refuse, Raw, Drop]


def test_the_page_counts_motos_departures() -> None:
    departures = moto_departures.DEPARTURES
    tests = sum(len(departure.tests) for departure in departures)
    assert f"({len(departures)} departures from AWS, which {tests} tests show)" in " ".join(PAGE.split())


def _code(call: Callable[[], object]) -> str:
    """The error of a call, or "" where it is answered."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    except NotImplementedError:
        return "NotImplementedError"
    return ""


ALLOW = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
DENIED = {
    "Version": "2012-10-17",
    "Statement": [
        {**ALLOW, "Principal": "*"},
        {"Effect": "Deny", "Principal": "*", "Action": "kms:Encrypt", "Resource": "*"},
    ],
}
RECIPIENT = {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": b"\0" * 100}


def _departures(kms: Any) -> dict[str, str]:
    """What the page's table of moto is about -> the error, or "" for an answer."""

    def key(**members: Any) -> str:
        return str(kms.create_key(**members)["KeyMetadata"]["KeyId"])

    def encrypt(key_id: str, **members: Any) -> bytes:
        return bytes(kms.encrypt(KeyId=key_id, Plaintext=b"x", **members)["CiphertextBlob"])

    denied, disabled, pending = key(Policy=json.dumps(DENIED)), key(), key()
    sealed = encrypt(disabled)
    kms.disable_key(KeyId=disabled)
    kms.schedule_key_deletion(KeyId=pending)
    bound = encrypt(key(), EncryptionContext={"a": "bc"})
    signer = key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    material, wrapping = key(Origin="EXTERNAL"), {"WrappingAlgorithm": "RSAES_OAEP_SHA_256"}
    return {
        "denied": _code(lambda: encrypt(denied)),
        "no policy": _code(lambda: kms.put_key_policy(KeyId=signer, PolicyName="default", Policy="{")),
        "disabled": _code(lambda: encrypt(disabled)),
        "disabled, Decrypt": _code(lambda: kms.decrypt(CiphertextBlob=sealed)),
        "pending": _code(lambda: encrypt(pending)),
        "signer": _code(lambda: encrypt(signer)),
        "context": _code(lambda: kms.decrypt(CiphertextBlob=bound, EncryptionContext={"ab": "c"})),
        "another key": _code(
            lambda: kms.decrypt(CiphertextBlob=bound, EncryptionContext={"a": "bc"}, KeyId=pending)
        ),
        "Ed25519": _code(lambda: key(KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")),
        "import": _code(
            lambda: kms.get_parameters_for_import(KeyId=material, WrappingKeySpec="RSA_2048", **wrapping)
        ),
        "key stores": _code(lambda: kms.describe_custom_key_stores()),
        "key pair": _code(lambda: kms.generate_data_key_pair(KeyId=key(), KeyPairSpec="ECC_NIST_P256")),
        "recipient": _code(lambda: kms.generate_random(NumberOfBytes=8, Recipient=RECIPIENT)),
    }


def test_moto_departs_as_the_page_says_and_the_offline_kms_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    clear_aws_environment(monkeypatch)
    with mock_aws():
        theirs = _departures(boto3.client("kms", "eu-west-1"))
    kms, allowed = LocalKms(region="eu-west-1"), {**DENIED, "Statement": [ALLOW]}
    with kms:
        app = kms.access_key("arn:aws:iam::111122223333:role/app", policies={"all": allowed})
        ours = _departures(kms.client(app))
    kms.close()
    assert {name: (theirs[name], error) for name, error in ours.items()} == {
        "denied": ("", "AccessDeniedException"),
        "no policy": ("", "MalformedPolicyDocumentException"),
        "disabled": ("", "DisabledException"),
        "disabled, Decrypt": ("", "DisabledException"),
        "pending": ("", "KMSInvalidStateException"),
        "signer": ("", "InvalidKeyUsageException"),
        "context": ("", "InvalidCiphertextException"),
        "another key": ("AccessDeniedException", "IncorrectKeyException"),
        "Ed25519": ("ValidationException", ""),
        "import": ("NotImplementedError", ""),
        "key stores": ("NotImplementedError", ""),
        "key pair": ("NotImplementedError", ""),
        "recipient": ("", "ValidationException"),
    }


def test_the_readme_links_to_the_page() -> None:
    assert "(docs/testing.md)" in README.read_text(encoding="utf-8")
    for name in re.findall(r"\]\(([\w./]+)\)", PAGE):
        assert (DOCS / name).exists(), name
    headings = {
        re.sub(r"[^a-z -]", "", line.removeprefix("## ").lower()).replace(" ", "-")
        for line in PAGE.splitlines()
        if line.startswith("## ")
    }
    assert set(re.findall(r"\]\(#([\w-]+)\)", PAGE)) <= headings
