"""Copied commands run as they stand, in a shell and in Python, against the served offline KMS."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import botocore
import pytest

from kms_tui.backend.kms_facade import Kms
from kms_tui.crypto_ops.commands import CommandConnection, python_code, shell_line
from kms_tui.crypto_ops.inputs import Entered
from kms_tui.crypto_ops.request import Destination, OperationRequest
from kms_tui.crypto_ops.run import run
from kms_tui.crypto_ops.scratchpad_operations import OPERATIONS, OperationName
from kms_tui.kms.model import Secret
from kms_tui.serve.server import running
from kms_tui.serve.sigv4 import random_credential
from tests.endpoints.aws_cli import warm_aws_cli
from tests.endpoints.environment import clear_aws_environment
from tests.unit.crypto_ops.conftest import Ask, chosen

pytestmark = pytest.mark.slow

_ALIASES = {
    OperationName.DERIVE: "device-enrolment",
    OperationName.ENCAPSULATE: "transport-pq",
    OperationName.DECAPSULATE: "transport-pq",
    OperationName.SIGN: "login-tokens",
    OperationName.VERIFY: "login-tokens",
    OperationName.GENERATE_MAC: "mobile-api-mac",
    OperationName.VERIFY_MAC: "mobile-api-mac",
    OperationName.PUBLIC_KEY: "login-tokens",
    OperationName.RANDOM: "",
}
_RUN_BY_KMS = [
    name
    for name in OperationName
    if name not in (OperationName.VERIFY_OFFLINE, OperationName.ENCRYPT_OFFLINE)
]


@pytest.fixture(scope="module")
def where(kms: Kms) -> Iterator[CommandConnection]:
    """A server over the same account, and the environment in which a person would run commands."""
    credential = random_credential()
    with running(kms.backend, credential=credential) as url, pytest.MonkeyPatch.context() as patch:
        clear_aws_environment(patch)
        patch.setenv("AWS_ACCESS_KEY_ID", credential.access_key_id)
        patch.setenv("AWS_SECRET_ACCESS_KEY", credential.secret_access_key)
        # The AWS CLI brings a service model of its own, which may be older than the operations tried here.
        models = str(Path(botocore.__file__).parent / "data")
        patch.setenv("AWS_DATA_PATH", models)
        # A session that another test left behind keeps the credentials that it found.
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        programs = (str(warm_aws_cli(models)), str(Path(sys.executable).parent))
        patch.setenv("PATH", os.pathsep.join([*programs, os.environ["PATH"]]))
        yield CommandConnection(endpoint_url=url)


def request_for(name: OperationName, kms: Kms, ask: Ask) -> OperationRequest:
    """A request that KMS answers, with an input that fits."""
    alias = _ALIASES.get(name, "orders-db")
    first = {
        OperationName.SIGN: OperationName.VERIFY,
        OperationName.GENERATE_MAC: OperationName.VERIFY_MAC,
        OperationName.ENCAPSULATE: OperationName.DECAPSULATE,
    }
    data, second = b"a message", None
    for maker, user in first.items():
        if user is name:
            made = run(ask(maker, alias, data if OPERATIONS[maker].roles else None), kms).parts
            if OPERATIONS[maker].roles:
                second = Entered(made[0].value)
            else:
                data = next(part for part in made if part.name == "Encrypted secret").value.reveal()
    if name in (OperationName.DECRYPT, OperationName.RE_ENCRYPT):
        data = kms.encrypt("alias/orders-db", Secret(data), context={"tenant": "42"}).ciphertext
    if name is OperationName.DERIVE:
        data = kms.call("GetPublicKey", KeyId=f"alias/{alias}")["PublicKey"]
    takes_context = OPERATIONS[name].context
    return ask(
        name,
        alias,
        data if OPERATIONS[name].roles else None,
        second=second,
        context={"tenant": "42"} if takes_context else {},
        destination=Destination(chosen(kms, "invoices"), {}) if name is OperationName.RE_ENCRYPT else None,
    )


def input_of(request: OperationRequest) -> bytes:
    return request.given.data.reveal() if isinstance(request.given, Entered) else b""


@pytest.mark.parametrize("name", _RUN_BY_KMS)
def test_a_copied_command_runs_as_it_stands(
    kms: Kms, ask: Ask, where: CommandConnection, tmp_path: Path, name: OperationName
) -> None:
    request = request_for(name, kms, ask)
    (tmp_path / "INPUT").write_bytes(input_of(request))
    line = shell_line(request, where)
    done = subprocess.run(line, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    if name is OperationName.ENCRYPT:
        sealed = base64.b64decode(answer["CiphertextBlob"])
        assert kms.decrypt(sealed, context={"tenant": "42"}).plaintext.reveal() == b"a message"
    if name is OperationName.DECRYPT:
        assert base64.b64decode(answer["Plaintext"]) == b"a message"
    if name in (OperationName.VERIFY, OperationName.VERIFY_MAC):
        assert True in answer.values()


@pytest.mark.parametrize("name", _RUN_BY_KMS)
def test_copied_python_runs_as_it_stands(
    kms: Kms,
    ask: Ask,
    where: CommandConnection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: OperationName,
) -> None:
    request = request_for(name, kms, ask)
    (tmp_path / "INPUT").write_bytes(input_of(request))
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(python_code(request, where), names)
    answer = names["answer"]
    assert isinstance(answer, dict)
    if name is OperationName.DECRYPT:
        assert answer["Plaintext"] == b"a message"


def test_a_copied_move_across_regions_runs_as_it_stands(
    kms: Kms, ask: Ask, where: CommandConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = kms.in_region("eu-north-1")
    there.create_alias("alias/north", there.create_key(spec="SYMMETRIC_DEFAULT", usage="ENCRYPT_DECRYPT").arn)
    sealed = kms.encrypt("alias/orders-db", Secret(b"\x00binary\xff")).ciphertext
    request = ask(OperationName.RE_ENCRYPT, "", sealed, destination=Destination(chosen(there, "north"), {}))
    (tmp_path / "INPUT").write_bytes(sealed)
    line = shell_line(request, where)
    done = subprocess.run(line, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True)
    moved = base64.b64decode(json.loads(done.stdout)["CiphertextBlob"])
    assert there.decrypt(moved).plaintext.reveal() == b"\x00binary\xff"
    monkeypatch.chdir(tmp_path)
    names: dict[str, dict[str, bytes]] = {}
    exec(python_code(request, where), names)
    assert there.decrypt(names["answer"]["CiphertextBlob"]).plaintext.reveal() == b"\x00binary\xff"


def test_a_copied_envelope_command_runs_as_it_stands(
    kms: Kms, ask: Ask, where: CommandConnection, tmp_path: Path
) -> None:
    request = ask(OperationName.ENCRYPT, "orders-db", b"x" * 5000, context={"tenant": "42"})
    (tmp_path / "INPUT").write_bytes(b"x" * 5000)
    line = shell_line(request, where)
    subprocess.run(line, shell=True, cwd=tmp_path, capture_output=True, check=True)
    opened = run(ask(OperationName.DECRYPT, "", (tmp_path / "OUTPUT").read_bytes()), kms)
    assert opened.parts[0].value.reveal() == b"x" * 5000
