"""Recipient: secrets for an attested enclave alone, the conditions on it, and the documents refused."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from kms_tui.backend.local import LocalBackend, Store
from kms_tui.backend.local.attestation.attestation_making import AttestationAuthority, attestation_document
from kms_tui.backend.local.attestation.attestations import AttestationTrust
from kms_tui.policy import parse
from tests.contract.client import KmsClient
from tests.unit.local.conftest import ACCOUNT, REGION, START, TestClock

_AUTHORITY = AttestationAuthority.new()
_KEY = rsa.generate_private_key(65537, 2048)
_PCRS = {0: b"\x0a" * 48, 1: b"\x0b" * 48, 8: bytes(48)}
_APP = f"arn:aws:iam::{ACCOUNT}:role/app"
_TRUST = AttestationTrust((_AUTHORITY.certificate,))
_UNSIGNED = AttestationTrust(unsigned=True)

_Decrypts = Callable[[bytes], bytes]


def _document(**changes: Any) -> bytes:
    return attestation_document(
        **{"public_key": _KEY.public_key(), "pcrs": _PCRS, "signed_by": _AUTHORITY, "at": START, **changes}
    )


def _recipient(document: bytes | None = None) -> dict[str, Any]:
    return {
        "KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256",
        "AttestationDocument": document if document is not None else _document(),
    }


@pytest.fixture
def kms(store: Store) -> KmsClient:
    return KmsClient(LocalBackend(store, account_id=ACCOUNT, region=REGION, attestation_trust=_TRUST))


@pytest.fixture
def opened(tmp_path: Path) -> _Decrypts:
    """What openssl makes of CiphertextForRecipient."""
    key = tmp_path / "key.pem"
    key.write_bytes(_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    def decrypt(ciphertext: bytes) -> bytes:
        command = ["openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-inkey", str(key)]
        return subprocess.run(command, input=ciphertext, capture_output=True, check=True).stdout

    return decrypt


def test_a_decrypted_plaintext_is_for_the_recipient_alone(kms: KmsClient, opened: _Decrypts) -> None:
    key_id = kms.key()
    sealed = kms("Encrypt", KeyId=key_id, Plaintext=b"a secret")["CiphertextBlob"]
    answer = kms("Decrypt", CiphertextBlob=sealed, Recipient=_recipient())
    assert set(answer) == {"KeyId", "EncryptionAlgorithm", "KeyMaterialId", "CiphertextForRecipient"}
    assert opened(answer["CiphertextForRecipient"]) == b"a secret"
    assert b"a secret" not in answer["CiphertextForRecipient"]


def test_a_data_key_is_the_recipients_and_its_ciphertext_the_keys(kms: KmsClient, opened: _Decrypts) -> None:
    answer = kms("GenerateDataKey", KeyId=kms.key(), KeySpec="AES_256", Recipient=_recipient())
    assert "Plaintext" not in answer
    data_key = opened(answer["CiphertextForRecipient"])
    assert kms("Decrypt", CiphertextBlob=answer["CiphertextBlob"])["Plaintext"] == data_key


def test_a_private_key_is_the_recipients(kms: KmsClient, opened: _Decrypts) -> None:
    answer = kms("GenerateDataKeyPair", KeyId=kms.key(), KeyPairSpec="RSA_2048", Recipient=_recipient())
    assert "PrivateKeyPlaintext" not in answer
    private_key = load_der_private_key(opened(answer["CiphertextForRecipient"]), None)
    assert private_key.public_key() == load_der_public_key(answer["PublicKey"])


def test_random_bytes_are_the_recipients(kms: KmsClient, opened: _Decrypts) -> None:
    answer = kms("GenerateRandom", NumberOfBytes=24, Recipient=_recipient())
    assert set(answer) == {"CiphertextForRecipient"}
    assert len(opened(answer["CiphertextForRecipient"])) == 24


def test_a_shared_secret_is_the_recipients(kms: KmsClient, opened: _Decrypts) -> None:
    key_id = kms.key(KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT")
    peer = ec.generate_private_key(ec.SECP256R1())
    spki = peer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    answer = kms(
        "DeriveSharedSecret",
        KeyId=key_id,
        KeyAgreementAlgorithm="ECDH",
        PublicKey=spki,
        Recipient=_recipient(),
    )
    assert "SharedSecret" not in answer
    ours = load_der_public_key(kms("GetPublicKey", KeyId=key_id)["PublicKey"])
    assert isinstance(ours, ec.EllipticCurvePublicKey)
    assert opened(answer["CiphertextForRecipient"]) == peer.exchange(ec.ECDH(), ours)


def test_the_ciphertext_has_the_form_that_the_enclaves_sdk_reads(kms: KmsClient) -> None:
    """Open lengths around what has its own; the Nitro Enclaves SDK for C reads nothing else."""
    ciphertext = kms("GenerateRandom", NumberOfBytes=32, Recipient=_recipient())["CiphertextForRecipient"]
    assert ciphertext[:33].hex() == ("308006092a864886f70d010703a08030800201023182016b308201670201028020")
    rest = ciphertext[33 + 32 :]
    oaep = "303c06092a864886f70d010107302fa00f300d06096086480165030402010500a11c301a06092a864886f70d010108"
    assert rest[:66].hex() == f"{oaep}300d0609608648016503040201050004820100"
    tail = rest[66 + 256 :]
    assert tail[:28].hex() == "308006092a864886f70d010701301d060960864801650304012a0410"
    assert tail[44:48].hex() == "a0800430"
    assert len(tail) == 48 + 48 + 10
    assert tail[-10:] == bytes(10)


def test_a_dry_run_with_a_recipient_shows_nothing(kms: KmsClient) -> None:
    sealed = kms("Encrypt", KeyId=kms.key(), Plaintext=b"x")["CiphertextBlob"]
    params = {"CiphertextBlob": sealed, "DryRun": True}
    kms.refused("Decrypt", "DryRunOperationException", **params, Recipient=_recipient())


def test_documents_and_secrets_are_not_recorded(kms: KmsClient, store: Store) -> None:
    document = _document(user_data=b"user data of the enclave")
    kms("GenerateDataKey", KeyId=kms.key(), KeySpec="AES_256", Recipient=_recipient(document))
    rows = str(store.rows("SELECT * FROM events"))
    assert "Recipient" not in rows
    assert "user data" not in rows


# Conditions


def _policy(**conditions: dict[str, Any]) -> str:
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": _APP}, "Action": "kms:*", "Resource": "*", "Condition": each}
        for each in conditions.values()
    ]
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    own = {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [own, *statements]})


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("ImageSha384", "0a" * 48, "0b" * 48),
        ("PCR0", "0a" * 48, "0A" * 48),
        ("PCR1", "0b" * 48, "0a" * 48),
        ("PCR8", "00" * 48, "0a" * 48),
    ],
)
def test_a_key_policy_asks_for_measurements(
    kms: KmsClient, store: Store, name: str, good: str, bad: str
) -> None:
    app = KmsClient(
        LocalBackend(store, account_id=ACCOUNT, region=REGION, caller_arn=_APP, attestation_trust=_TRUST)
    )
    for value, is_allowed in ((good, True), (bad, False)):
        condition = {"StringEquals": {f"kms:RecipientAttestation:{name}": value}}
        key_id = kms.key(Policy=_policy(only=condition))
        params = {"KeyId": key_id, "KeySpec": "AES_256"}
        app.refused("GenerateDataKey", "AccessDeniedException", **params)
        if is_allowed:
            app("GenerateDataKey", **params, Recipient=_recipient())
        else:
            app.refused("GenerateDataKey", "AccessDeniedException", **params, Recipient=_recipient())
        # Encrypt takes no Recipient, so that the condition is never met.
        app.refused("Encrypt", "AccessDeniedException", KeyId=key_id, Plaintext=b"x")


def test_case_may_be_ignored_and_an_iam_policy_asks_as_well(store: Store) -> None:
    condition = {"StringEqualsIgnoreCase": {"kms:RecipientAttestation:PCR0": "0A" * 48}}
    statement = {"Effect": "Allow", "Action": "kms:GenerateRandom", "Resource": "*", "Condition": condition}
    document = parse(json.dumps({"Version": "2012-10-17", "Statement": statement}), identity=True)
    caller: dict[str, Any] = {"caller_arn": _APP, "iam_policies": (document,), "attestation_trust": _TRUST}
    app = KmsClient(LocalBackend(store, account_id=ACCOUNT, region=REGION, **caller))
    app("GenerateRandom", NumberOfBytes=1, Recipient=_recipient())
    app.refused("GenerateRandom", "AccessDeniedException", NumberOfBytes=1)
    other = _recipient(_document(pcrs={0: bytes(48)}))
    app.refused("GenerateRandom", "AccessDeniedException", NumberOfBytes=1, Recipient=other)


def test_without_trust_a_document_is_refused_saying_so(store: Store) -> None:
    kms = KmsClient(LocalBackend(store, account_id=ACCOUNT, region=REGION))
    kms.refused(
        "GenerateRandom",
        "ValidationException",
        "Recipient is refused: the attestation document is not believed, as this KMS was given no root to "
        "trust (serve --nitro-root).",
        NumberOfBytes=1,
        Recipient=_recipient(),
    )


@pytest.mark.parametrize("member", ["KeyEncryptionAlgorithm", "AttestationDocument"])
def test_a_recipient_has_two_members(kms: KmsClient, member: str) -> None:
    recipient = _recipient()
    del recipient[member]
    words = f"Recipient is refused: it has no {member}."
    kms.refused("GenerateRandom", "ValidationException", words, NumberOfBytes=1, Recipient=recipient)


def test_another_algorithm_is_refused(kms: KmsClient) -> None:
    recipient = _recipient() | {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_1"}
    kms.refused("GenerateRandom", "ValidationException", NumberOfBytes=1, Recipient=recipient)


def test_a_document_is_believed_for_five_minutes(kms: KmsClient, clock: TestClock) -> None:
    recipient = _recipient()
    clock.advance(minutes=5)
    kms("GenerateRandom", NumberOfBytes=1, Recipient=recipient)
    clock.advance(seconds=1)
    error = kms.refused("GenerateRandom", "ValidationException", NumberOfBytes=1, Recipient=recipient)
    assert "it was not made within the last five minutes" in error.message


def test_an_unsigned_document_is_believed_where_that_is_asked_for(store: Store) -> None:
    kms = KmsClient(LocalBackend(store, account_id=ACCOUNT, region=REGION, attestation_trust=_UNSIGNED))
    for document in (
        _document(signed_by=None),
        _document(signed_by=None, at=START - timedelta(days=400)),
        _document(signed_by=AttestationAuthority.new()),
    ):
        assert kms("GenerateRandom", NumberOfBytes=1, Recipient=_recipient(document))
