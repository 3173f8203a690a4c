"""Requests as commands: they make the same calls, and hold no input."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from kms_tui.backend.kms_facade import Kms
from kms_tui.crypto_ops.commands import CommandConnection, input_note, python_code, shell_line
from kms_tui.crypto_ops.inputs import Entered
from kms_tui.crypto_ops.request import Destination
from kms_tui.crypto_ops.scratchpad_operations import OPERATIONS, OperationName
from kms_tui.kms.model import Secret
from tests.unit.crypto_ops.conftest import Ask, chosen

NOWHERE = CommandConnection()
_ALIASES = {
    OperationName.ENCRYPT: "orders-db",
    OperationName.DECRYPT: "orders-db",
    OperationName.RE_ENCRYPT: "orders-db",
    OperationName.DATA_KEY: "orders-db",
    OperationName.DATA_KEY_ENCRYPTED: "orders-db",
    OperationName.KEY_PAIR: "orders-db",
    OperationName.KEY_PAIR_ENCRYPTED: "orders-db",
    OperationName.SIGN: "login-tokens",
    OperationName.VERIFY: "login-tokens",
    OperationName.VERIFY_OFFLINE: "login-tokens",
    OperationName.GENERATE_MAC: "mobile-api-mac",
    OperationName.VERIFY_MAC: "mobile-api-mac",
    OperationName.DERIVE: "device-enrolment",
    OperationName.ENCAPSULATE: "transport-pq",
    OperationName.DECAPSULATE: "transport-pq",
    OperationName.PUBLIC_KEY: "login-tokens",
    OperationName.ENCRYPT_OFFLINE: "partner-inbox",
    OperationName.RANDOM: "",
}


@pytest.mark.parametrize("name", list(OperationName))
def test_every_operation_can_be_copied_as_a_command_and_as_python(
    kms: Kms, ask: Ask, name: OperationName
) -> None:
    operation = OPERATIONS[name]
    request = ask(
        name,
        _ALIASES[name],
        b"swordfish" if operation.roles else None,
        second=Entered(Secret(b"signed")) if len(operation.roles) > 1 else None,
        destination=Destination(chosen(kms, "invoices"), {}) if name is OperationName.RE_ENCRYPT else None,
    )
    line, code = shell_line(request, NOWHERE), python_code(request, NOWHERE)
    words = shlex.split(line)
    assert "aws" in words
    assert "kms" in words
    compile(code, "code", "exec")
    assert "swordfish" not in line + code
    has_input = bool(operation.roles) and operation.api != "GetPublicKey"
    assert ("fileb://INPUT" in line) == has_input
    assert ("Path('INPUT')" in code) == has_input


def test_a_command_names_profile_region_and_endpoint(ask: Ask) -> None:
    where = CommandConnection("prod", "http://127.0.0.1:4599")
    line = shell_line(ask(OperationName.ENCRYPT, "orders-db", b"x"), where)
    assert line.endswith("--region eu-west-1 --profile prod --endpoint-url http://127.0.0.1:4599")


def test_what_is_sealed_by_envelope_is_a_kms_tui_command(ask: Ask, tmp_path: Path) -> None:
    request = ask(OperationName.ENCRYPT, "orders-db", b"x" * 5000, context={"tenant": "4 2"})
    words = shlex.split(shell_line(request, NOWHERE))
    assert words[:5] == ["kms-tui", "encrypt", "INPUT", "-o", "OUTPUT"]
    assert words[words.index("--context") + 1] == "tenant=4 2"
    assert "generate_data_key" in python_code(request, NOWHERE)


def test_a_move_across_regions_is_one_pipeline_and_one_program(kms: Kms, ask: Ask) -> None:
    there = kms.in_region("eu-central-1")
    there.create_alias("alias/there", there.create_key(spec="SYMMETRIC_DEFAULT", usage="ENCRYPT_DECRYPT").arn)
    request = ask(OperationName.RE_ENCRYPT, "", b"x", destination=Destination(chosen(there, "there"), {}))
    line, code = shell_line(request, NOWHERE), python_code(request, NOWHERE)
    first, decode, second = line.split(" | ")
    assert first.startswith("aws kms decrypt --ciphertext-blob fileb://INPUT --region eu-west-1")
    assert decode == "base64 -d"
    assert "--plaintext fileb:///dev/stdin" in second
    assert second.endswith("--region eu-central-1")
    assert code.index("answer = kms.decrypt(") < code.index("Plaintext=answer['Plaintext']")


@pytest.mark.parametrize(
    ("alias", "message_type", "note"),
    [
        ("login-tokens", "DIGEST", "INPUT is the message's SHA-256, in binary."),
        ("firmware-signing", "EXTERNAL_MU", "INPUT is the message's mu, in binary."),
    ],
)
def test_a_message_over_the_limit_is_a_digest_in_the_command(
    ask: Ask, alias: str, message_type: str, note: str
) -> None:
    request = ask(OperationName.SIGN, alias, b"x" * 5000)
    assert f"--message-type {message_type}" in shell_line(request, NOWHERE)
    assert input_note(request) == note
    assert input_note(ask(OperationName.SIGN, alias, b"short")) == ""
