"""Every command is run, by the AWS CLI's own code and by boto3, up to the request that would be sent."""

from __future__ import annotations

import base64
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import botocore
import pytest
from awscli.botocore import hooks, loaders
from awscli.clidriver import create_clidriver
from botocore.awsrequest import AWSResponse, HTTPHeaders
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.command_text import aws_cli, boto3_code, left_out
from tests.endpoints.model_files import name_events_once, read_models_once
from tests.unit.command_samples import OPERATIONS, SECRET, full_call

pytestmark = pytest.mark.slow

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
SECRET_INPUTS = {
    "CreateCustomKeyStore": "KeyStorePassword",
    "UpdateCustomKeyStore": "KeyStorePassword",
    "RetireGrant": "GrantToken",
}


@pytest.fixture(scope="module", autouse=True)
def models_read_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        read_models_once(loaders, patch.setattr)
        name_events_once(hooks, patch.setattr)
        yield


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)


def request_of(operation: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON body that boto3 would send."""
    client, bodies = caught_client()
    getattr(client, botocore.xform_name(operation))(**params)
    return bodies.pop()


@cache
def caught_client() -> tuple[Any, list[dict[str, Any]]]:
    bodies: list[dict[str, Any]] = []
    client = boto3.client(
        "kms", region_name="eu-west-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )
    catch_requests(client.meta.events, bodies)
    return client, bodies


def catch_requests(events: Any, bodies: list[dict[str, Any]]) -> None:
    def catch(params: Mapping[str, Any], **others: Any) -> tuple[AWSResponse, dict[str, Any]]:
        bodies.append(json.loads(params["body"]))
        return AWSResponse(params["url"], 200, HTTPHeaders(), None), {"ResponseMetadata": {}}

    events.register("before-call.kms", catch)


def request_of_cli(line: str) -> dict[str, Any]:
    """What the AWS CLI makes of a line; the pipe's end is played by a file."""
    while line.startswith("printf"):
        printf, decode, line = line.split(" | ", 2)
        assert (shlex.split(printf)[:2], decode) == (["printf", "%s"], "base64 -d")
        Path("piped").write_bytes(base64.b64decode(shlex.split(printf)[2]))
        line = line.replace("fileb:///dev/stdin", "fileb://piped")
    words = shlex.split(line)
    assert words.pop(0) == "aws"
    driver, bodies = create_clidriver(), list[dict[str, Any]]()
    catch_requests(driver.session.get_component("event_emitter"), bodies)
    assert driver.main(words) == 0
    return bodies[0]


def sample(operation: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A full call, and the call as it is when written down; its INPUT file is there."""
    params = full_call(operation)
    if operation.endswith("CustomKeyStore"):
        params.pop("XksProxyAuthenticationCredential", None)
    for name in ("Plaintext", "CiphertextBlob", "Message", "PublicKey", "SharedSecretCiphertextBlob"):
        if name in params:
            Path("INPUT").write_bytes(params[name])
    if operation == "ImportKeyMaterial":
        Path("INPUT").write_bytes(params["EncryptedKeyMaterial"])
    if operation in SECRET_INPUTS:
        Path("INPUT").write_text(params[SECRET_INPUTS[operation]])
    return params, {name: value for name, value in params.items() if name not in left_out(params)}


def test_there_are_56_operations() -> None:
    assert len(OPERATIONS) == 56


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_aws_cli_sends_what_was_meant(operation: str) -> None:
    params, written = sample(operation)
    line = aws_cli(operation, params, region="eu-west-1")
    assert SECRET not in line
    assert len(line.splitlines()) == 1
    assert request_of_cli(line) == request_of(operation, written)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_boto3_sends_what_was_meant(operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    params, written = sample(operation)
    expected = request_of(operation, written)
    code = boto3_code(operation, params, region="eu-west-1")
    assert SECRET not in code
    client, bodies = caught_client()
    monkeypatch.setattr(boto3, "client", lambda service, region_name: client)
    exec(compile(code, "<copied>", "exec"), {})
    assert bodies.pop() == expected


@pytest.mark.parametrize("render", [aws_cli, boto3_code])
def test_a_secret_structure_is_read_from_the_file(render: Any) -> None:
    credential = {"AccessKeyId": "A" * 20, "RawSecretAccessKey": SECRET}
    params = {"CustomKeyStoreId": "cks-1", "XksProxyAuthenticationCredential": credential}
    text = render("UpdateCustomKeyStore", params)
    assert SECRET not in text
    assert "A" * 20 not in text
    if render is aws_cli:
        Path("INPUT").write_text(json.dumps(credential))
        assert request_of_cli(f"{text} --region eu-west-1") == params


@settings(max_examples=12, deadline=None)
@given(st.text(min_size=1, max_size=40))
def test_any_description_reaches_the_aws_cli_as_it_was(description: str) -> None:
    line = aws_cli("UpdateKeyDescription", {"KeyId": "k", "Description": description}, region="eu-west-1")
    assert line.isprintable()
    if "\x00" not in description:
        assert request_of_cli(line) == {"KeyId": "k", "Description": description}


@pytest.mark.parametrize(
    "description",
    [
        "file:///etc/hostname",
        "fileb:///etc/hostname",
        "http://127.0.0.1:1/",
        "--key-id",
        "-",
        "",
        "$(touch owned) `touch owned` ; touch owned",
        "two\nlines",
        "\x1b[201~; touch owned",
        "\x9b201~",
        "\u202egnp.exe",
        "[1, 2]",
        "{}",
        'it\'s "quoted"',
        "\\",
    ],
)
def test_a_hostile_description_is_nothing_but_a_description(description: str) -> None:
    params = {"KeyId": "k", "Description": description}
    line = aws_cli("UpdateKeyDescription", params, region="eu-west-1")
    assert line.isprintable()
    assert request_of_cli(line) == params
    assert words_in_a_shell(line) == shlex.split(line)
    assert not Path("owned").exists()


def words_in_a_shell(line: str) -> list[str]:
    script = f"set -- {line}; printf '%s\\0' \"$@\""
    words = subprocess.run(["sh", "-c", script], capture_output=True, check=True, timeout=30).stdout
    return words.decode().split("\0")[:-1]


def test_a_hostile_tag_stays_within_its_json() -> None:
    params = {"KeyId": "k", "Tags": [{"TagKey": "file://x", "TagValue": "\x1b]52;c;eA==\x07'\n"}]}
    line = aws_cli("TagResource", params, region="eu-west-1")
    assert line.isprintable()
    assert request_of_cli(line) == params


def test_a_signature_comes_through_the_pipe_in_a_real_shell(tmp_path: Path) -> None:
    (tmp_path / "aws").write_text(
        f"#!{sys.executable}\nimport sys\n"
        "names = [word.removeprefix('fileb://') for word in sys.argv if word.startswith('fileb://')]\n"
        "for name in names: print(open(name, 'rb').read().hex())\n"
    )
    (tmp_path / "aws").chmod(0o700)
    (tmp_path / "INPUT").write_bytes(b"\x00message")
    params = {
        "KeyId": "k",
        "Message": b"\x00message",
        "Signature": b"\xff\x00\n",
        "SigningAlgorithm": "ECDSA_SHA_256",
    }
    done = subprocess.run(
        ["sh", "-c", aws_cli("Verify", params)],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout.split() == [b"\x00message".hex(), b"\xff\x00\n".hex()]


def test_where_and_as_whom_is_part_of_the_command() -> None:
    line = aws_cli("ListKeys", {}, region="eu-west-1", profile="my dev", endpoint_url="http://[::1]:9/")
    assert shlex.split(line) == [
        *("aws", "kms", "list-keys", "--region", "eu-west-1"),
        *("--profile", "my dev", "--endpoint-url", "http://[::1]:9/"),
    ]
    code = boto3_code("ListKeys", {}, region="eu-west-1", profile="my dev", endpoint_url="http://[::1]:9/")
    assert "boto3.Session(profile_name='my dev').client('kms', region_name='eu-west-1', end" in code
    assert code.endswith("answer = kms.list_keys()\n")


def test_the_input_may_have_another_name() -> None:
    params = {"KeyId": "k", "Plaintext": b"x"}
    assert "fileb://secret.bin" in aws_cli("Encrypt", params, input_file="secret.bin")
    assert "Path('secret.bin').read_bytes()" in boto3_code("Encrypt", params, input_file="secret.bin")


def test_what_is_left_out_is_named() -> None:
    params = {"KeyId": "k", "GrantTokens": [SECRET]}
    assert left_out(params) == ("GrantTokens",)
    assert aws_cli("DescribeKey", params) == "aws kms describe-key --key-id k"


def test_false_and_times_are_written_out() -> None:
    params = {
        "KeyId": "k",
        "ImportToken": b"t",
        "EncryptedKeyMaterial": b"m",
        "ValidTo": datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC),
    }
    assert "--valid-to 2027-01-02T03:04:05+00:00" in aws_cli("ImportKeyMaterial", params)
    assert "--no-multi-region" in aws_cli("CreateKey", {"MultiRegion": False})


@pytest.mark.parametrize("render", [aws_cli, boto3_code])
def test_what_the_model_does_not_know_is_refused(render: Any) -> None:
    with pytest.raises(ValueError, match="no operation EatKey"):
        render("EatKey", {})
    with pytest.raises(ValueError, match="no member Flavour, Taste"):
        render("ListKeys", {"Taste": 1, "Flavour": 2})
