"""Ciphertexts, signatures and MACs are taken out of what people paste, or it is named for what it is."""

from __future__ import annotations

import base64
import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kms_tui.backend.kms_facade import Kms
from kms_tui.crypto_ops.inputs import (
    Entered,
    InputError,
    InputField,
    detected_format,
    file_input,
    read_text,
    read_whole,
)
from kms_tui.crypto_ops.pasted_inputs import sops_keys, take
from kms_tui.crypto_ops.run import run
from kms_tui.crypto_ops.scratchpad_operations import OperationName, Role
from kms_tui.formats import FormatError
from tests.unit.crypto_ops.conftest import Ask

DATA = bytes(range(200))
BASE64 = base64.b64encode(DATA).decode()
ARN = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def read(text: str, role: Role) -> Entered:
    return read_text(text, detected_format(text, role), role)


@pytest.mark.parametrize(
    ("role", "member"),
    [
        (Role.CIPHERTEXT, "CiphertextBlob"),
        (Role.CIPHERTEXT, "PrivateKeyCiphertextBlob"),
        (Role.SIGNATURE, "Signature"),
        (Role.MAC, "Mac"),
    ],
)
def test_answers_of_the_aws_cli_are_taken(role: Role, member: str) -> None:
    answer = json.dumps({member: BASE64, "KeyId": ARN, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}, indent=4)
    taken = read(f"\ufeff{answer}\r\n", role)
    assert (taken.data.reveal(), taken.origin) == (DATA, f"{member} of an answer of KMS")


@pytest.mark.parametrize("role", [Role.CIPHERTEXT, Role.SIGNATURE, Role.MAC])
def test_every_way_of_writing_bytes_is_taken(role: Role) -> None:
    wrapped = "\r\n".join(BASE64[at : at + 76] for at in range(0, len(BASE64), 76))
    for text in (
        BASE64,
        wrapped,
        f'"{BASE64}"',
        f"'{BASE64}'",
        f'"{wrapped}"',
        json.dumps(wrapped),
        base64.urlsafe_b64encode(DATA).decode().rstrip("="),
        DATA.hex(),
        DATA.hex(":").upper(),
        f'"0x{DATA.hex()}"',
    ):
        assert read(text, role).data.reveal() == DATA


SOPS_YAML = f"""\
password: ENC[AES256_GCM,data:sWg=,iv:AA==,tag:BB==,type:str]
sops:
    kms:
        - arn: {ARN}
          context:
            app: orders
            env: "prod"
          created_at: "2026-11-30T00:00:00Z"
          enc: {BASE64}
          aws_profile: ""
    gcp_kms: []
    age:
        - recipient: age1qqqq
          enc: |
            -----BEGIN AGE ENCRYPTED FILE-----
            YWdl
            -----END AGE ENCRYPTED FILE-----
    lastmodified: "2026-11-30T00:00:00Z"
    mac: ENC[AES256_GCM,data:x,type:str]
    version: 3.9.0
"""
ENTRY = {"arn": ARN, "created_at": "2026-11-30T00:00:00Z", "enc": BASE64, "aws_profile": ""}
SOPS_JSON = json.dumps({"password": "ENC[…]", "sops": {"kms": [ENTRY], "mac": "ENC[…]", "version": "3.9.0"}})
SOPS_GROUPS = json.dumps({"sops": {"key_groups": [{"kms": [ENTRY]}], "mac": "ENC[…]"}})
SOPS_ENV = (
    f"PASSWORD=ENC[…]\nsops_kms__list_0__map_arn={ARN}\nsops_kms__list_0__map_enc={BASE64}\n"
    "sops_version=3.9.0\n"
)
SOPS_INI = f"[a]\nb = ENC[…]\n\n[sops]\nkms__list_0__map_arn = {ARN}\nkms__list_0__map_enc = {BASE64}\n"


@pytest.mark.parametrize(
    "text", [SOPS_YAML, SOPS_YAML.replace("\n", "\r\n"), SOPS_JSON, SOPS_GROUPS, SOPS_ENV, SOPS_INI]
)
def test_the_data_key_of_a_sops_file_is_taken(text: str, tmp_path: Path) -> None:
    taken = read(text, Role.CIPHERTEXT)
    assert taken.data.reveal() == DATA
    assert taken.origin.startswith(f"a sops file: its data key, wrapped by {ARN}")
    assert ("with the context app=orders, env=prod" in taken.origin) is ("context:" in text)
    (tmp_path / "secrets").write_text(text + "# " + "x" * 40_000 + "\n")
    if not text.startswith("{"):
        assert read_whole(file_input(tmp_path / "secrets"), Role.CIPHERTEXT).reveal() == DATA
    with pytest.raises(FormatError, match="This is a sops file: it holds a ciphertext, not a signature"):
        read(text, Role.SIGNATURE)


def test_a_sops_file_with_a_member_twice() -> None:
    block = f"sops:\n  kms:\n    - arn: {ARN}\n      enc: {ENTRY['enc']}\n      context: x\n"
    taken = read(f"{block}      context:\n        app: orders\n", Role.CIPHERTEXT)
    assert taken.origin.endswith(", with the context app=orders")


def test_sops_files_with_other_keys() -> None:
    several = SOPS_JSON.replace(json.dumps(ENTRY), f"{json.dumps(ENTRY)}, {json.dumps(ENTRY)}")
    with pytest.raises(FormatError, match=f"wrapped by each of 2 keys: {ARN}, {ARN}"):
        read(several, Role.CIPHERTEXT)
    without = json.dumps({"sops": {"age": [{"recipient": "age1", "enc": "x"}], "mac": "x"}})
    with pytest.raises(FormatError, match="This is a sops file: it holds no data key of KMS"):
        read(without, Role.CIPHERTEXT)
    twice = f"sops:\n  kms:\n  - arn: {ARN}\n    context: x\n    context:\n      a: b\n    enc: {BASE64}\n"
    assert read(twice, Role.CIPHERTEXT).origin.endswith("with the context a=b")
    long = f"sops:\n  kms:\n  - arn:{' ' * 500_000}x\n    enc: y\n"
    with pytest.raises(FormatError, match="The enc of this sops file is not base64"):
        read(long, Role.CIPHERTEXT)
    for text in ("sops", "sops: x", '{"sops": 5}', '{"sops": {}}', "a: sops\n"):
        assert sops_keys(text) is None


@pytest.mark.parametrize(
    ("text", "role", "sentence"),
    [
        (
            '{"Plaintext": "c2VjcmV0"}',
            Role.CIPHERTEXT,
            "This answer of KMS holds Plaintext, and no CiphertextBlob",
        ),
        ('{"Signature": "AAAA"}', Role.MAC, "holds Signature, and no Mac"),
        ('{"CiphertextForRecipient": "MIIC"}', Role.CIPHERTEXT, "only the enclave that asked"),
        ('{"CiphertextBlob": "***"}', Role.CIPHERTEXT, "The CiphertextBlob in this JSON is not base64"),
        ('{"a": 1}', Role.SIGNATURE, "This is JSON without a Signature"),
        ('{"protected": "e", "ciphertext": "x"}', Role.CIPHERTEXT, "an encrypted token"),
        ("{" * 50_000, Role.CIPHERTEXT, "not a ciphertext in base64"),
        ('"***"', Role.CIPHERTEXT, "The ciphertext in quotes is not base64"),
        (
            "-----BEGIN SSH SIGNATURE-----\nU1NI\n-----END SSH SIGNATURE-----",
            Role.SIGNATURE,
            "an SSH signature",
        ),
        ("-----BEGIN CMS-----\nMIIB\n-----END CMS-----", Role.SIGNATURE, "a CMS structure"),
        ("-----BEGIN PGP MESSAGE-----\n\nhQ\n", Role.CIPHERTEXT, "a PGP message"),
        ("-----BEGIN AGE ENCRYPTED FILE-----\n", Role.CIPHERTEXT, "an age file"),
        ("-----BEGIN PRIVATE KEY-----\nc2VjcmV0", Role.CIPHERTEXT, "a private key"),
        ("$ANSIBLE_VAULT;1.1;AES256\n6162", Role.CIPHERTEXT, "an ansible-vault file"),
        ("eyJhbGciOiJkaXIifQ..MTIz.NDU2.Nzg5", Role.CIPHERTEXT, r"an encrypted token \(JWE\)"),
        ("eyJhbGciOiJkaXIifQ..MTIz." + "A" * 9000 + ".Nzg5", Role.CIPHERTEXT, r"an encrypted token \(JWE\)"),
        (f"eyJhbGciOiJFUzI1NiJ9.{'A' * 9000}.AAAA", Role.SIGNATURE, r"a token \(JWT\)"),
        ("eyJhbGciOiJFUzI1NiJ9.e30.AAAA", Role.SIGNATURE, r"a token \(JWT\)"),
        ("ssh-ed25519 AAAAC3Nz me", Role.SIGNATURE, "an SSH public key"),
        (base64.b64encode(b"SSHSIG\0\0\0\1" + bytes(80)).decode(), Role.SIGNATURE, "an SSH signature"),
        (
            base64.b64encode(bytes.fromhex("308206aa06092a864886f70d010702a082") + bytes(90)).decode(),
            Role.SIGNATURE,
            "a CMS signature",
        ),
    ],
)
def test_what_is_something_else_is_named(text: str, role: Role, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=sentence) as caught:
        read(text, role)
    assert "c2VjcmV0" not in f"{caught.value} {caught.value.next_step}"
    (tmp_path / "x").write_text(text)
    with pytest.raises(InputError, match=sentence) as of_file:
        read_whole(file_input(tmp_path / "x"), role)
    assert of_file.value.field is (InputField.INPUT if role is Role.CIPHERTEXT else InputField.SECOND)


def test_a_binary_file_of_something_else_is_named(tmp_path: Path) -> None:
    for start, name in (
        (b"SSHSIG\0\0\0\1\xff", "an SSH signature"),
        (b"age-encryption.org/v1\n\xff", "an age file"),
    ):
        (tmp_path / "x").write_bytes(start)
        with pytest.raises(InputError, match=f"This is {name}, not a signature"):
            read_whole(file_input(tmp_path / "x"), Role.SIGNATURE)


@settings(max_examples=60)
@given(st.text(max_size=60), st.sampled_from([Role.CIPHERTEXT, Role.SIGNATURE, Role.MAC]))
def test_any_text_is_taken_or_refused(text: str, role: Role) -> None:
    for given_text in (text, f"{{{text}}}", f"sops:\n  kms:\n  - arn: {text}\n    enc: {text}\n"):
        with contextlib.suppress(FormatError):
            taken = take(given_text, role)
            assert taken is None or isinstance(taken.data, bytes)


def test_an_answer_of_encrypt_is_decrypted_from_a_file(kms: Kms, ask: Ask, tmp_path: Path) -> None:
    made = kms.call("Encrypt", KeyId="alias/orders-db", Plaintext=b"hello")
    blob = base64.b64encode(made["CiphertextBlob"]).decode()
    answer = json.dumps({"CiphertextBlob": blob, "KeyId": made["KeyId"], "padding": "x" * 9000})
    (tmp_path / "answer.json").write_text(answer)
    opened = run(ask(OperationName.DECRYPT, given=file_input(tmp_path / "answer.json")), kms)
    assert opened.parts[0].value.reveal() == b"hello"
    mac = kms.call("GenerateMac", KeyId="alias/mobile-api-mac", Message=b"m", MacAlgorithm="HMAC_SHA_512")[
        "Mac"
    ]
    (tmp_path / "mac.json").write_text(json.dumps({"Mac": base64.b64encode(mac).decode()}))
    request = ask(OperationName.VERIFY_MAC, "mobile-api-mac", b"m", second=file_input(tmp_path / "mac.json"))
    assert run(request, kms).good is True
