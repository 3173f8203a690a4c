"""An enclave against ``kms-tui serve``: its attestation documents, and answers that it alone can read."""

from __future__ import annotations

import json
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kms_tui.backend.local.attestation.attestation_making import AttestationAuthority, attestation_document
from tests.serve.conftest import kms_client
from tests.serve.process import Served, refused, serving

REGION = "us-east-1"
KEY = rsa.generate_private_key(65537, 2048)
PCRS = {0: b"\x0a" * 48}


def recipient(signed_by: AttestationAuthority | None) -> Any:
    document = attestation_document(KEY.public_key(), PCRS, signed_by=signed_by)
    return {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": document}


def opened(folder: Path, ciphertext: bytes) -> bytes:
    key = folder / "enclave.pem"
    key.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    command = ["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-inkey", str(key)]
    return subprocess.run(command, input=ciphertext, capture_output=True, check=True).stdout


def client_of(served: Served) -> Any:
    return closing(kms_client(served.url, served.credential, region=REGION))


@pytest.fixture
def authority() -> AttestationAuthority:
    return AttestationAuthority.new()


@pytest.fixture
def root(tmp_path: Path, authority: AttestationAuthority) -> str:
    path = tmp_path / "root.pem"
    path.write_bytes(authority.pem)
    return str(path)


def test_an_enclave_decrypts_what_nobody_else_may(
    tmp_path: Path, authority: AttestationAuthority, root: str
) -> None:
    with serving(tmp_path, "--ephemeral", "--nitro-root", root, "--verbose") as served:
        with client_of(served) as kms:
            key_id = kms.create_key()["KeyMetadata"]["KeyId"]
            sealed = kms.encrypt(KeyId=key_id, Plaintext=b"a secret")["CiphertextBlob"]
            answer = kms.decrypt(CiphertextBlob=sealed, Recipient=recipient(authority))
            assert "Plaintext" not in answer
            assert opened(tmp_path, answer["CiphertextForRecipient"]) == b"a secret"
            for other in (AttestationAuthority.new(), None):
                with pytest.raises(ClientError, match=r"\(ValidationException\).*is not believed"):
                    kms.generate_random(NumberOfBytes=8, Recipient=recipient(other))
        code, _, log = served.stop()
    assert code == 0
    assert "Decrypt" in log
    assert "Recipient" not in log


def test_unsigned_documents_are_believed_where_that_is_asked_for(tmp_path: Path) -> None:
    with serving(tmp_path, "--demo", "--nitro-unsigned") as served, client_of(served) as kms:
        answer = kms.generate_random(NumberOfBytes=8, Recipient=recipient(None))
        assert len(opened(tmp_path, answer["CiphertextForRecipient"])) == 8


def test_the_measurements_of_a_caller_are_judged(
    tmp_path: Path, authority: AttestationAuthority, root: str
) -> None:
    condition = {"StringEqualsIgnoreCase": {"kms:RecipientAttestation:ImageSha384": "0a" * 48}}
    statement = {"Effect": "Allow", "Action": "kms:GenerateRandom", "Resource": "*", "Condition": condition}
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    arn = "arn:aws:iam::111122223333:role/enclave"
    flags = ("--as", arn, "--iam-policy", str(policy), "--nitro-root", root)
    with serving(tmp_path, "--ephemeral", *flags) as served, client_of(served) as kms:
        kms.generate_random(NumberOfBytes=8, Recipient=recipient(authority))
        with pytest.raises(ClientError, match="AccessDenied"):
            kms.generate_random(NumberOfBytes=8)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\x00\xff", "root.pem"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "root.pem"),
        (None, "root.pem"),
    ],
    ids=["empty", "binary", "a key", "missing"],
)
def test_a_file_without_certificates_is_refused(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "root.pem"
    if content is not None:
        path.write_bytes(content)
    result = refused(tmp_path, "--ephemeral", "--nitro-root", str(path))
    assert (result.returncode, result.stdout) == (1, "")
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_a_root_and_no_signatures_exclude_each_other(tmp_path: Path, root: str) -> None:
    result = refused(tmp_path, "--ephemeral", "--nitro-root", root, "--nitro-unsigned")
    assert result.returncode == 2
    assert "not allowed with" in result.stderr
