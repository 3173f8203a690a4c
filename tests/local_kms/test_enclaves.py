"""Attestation documents of Nitro Enclaves in process."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import rsa

from kms_tui.testing import AttestationAuthority, AttestationTrust, LocalKms, attestation_document
from tests.endpoints.environment import clear_aws_environment


@pytest.fixture(autouse=True)
def _no_aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    clear_aws_environment(monkeypatch)


def test_an_enclave_is_believed_by_its_authority() -> None:
    authority, enclave = AttestationAuthority.new(), rsa.generate_private_key(65537, 2048)
    document = attestation_document(enclave.public_key(), {0: b"\x01" * 48}, signed_by=authority)
    ask = {
        "NumberOfBytes": 32,
        "Recipient": {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": document},
    }
    with LocalKms(attestation_trust=AttestationTrust((authority.certificate,))) as trusting:
        answer = trusting.client().generate_random(**ask)
        assert ("Plaintext" in answer, bool(answer["CiphertextForRecipient"])) == (False, True)
    with LocalKms() as wary, pytest.raises(ClientError, match="ValidationException"):
        wary.client().generate_random(**ask)
    trusting.close()
    wary.close()
