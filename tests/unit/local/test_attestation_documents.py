"""Attestation documents: which are believed, and what is wrong with the others."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from kms_tui.backend.local.attestation.attestation_documents import read_attestation
from kms_tui.backend.local.attestation.attestation_making import AttestationAuthority, attestation_document
from kms_tui.backend.local.attestation.attestations import AttestationError, AttestationTrust
from tests.unit.local.conftest import START

_AUTHORITY = AttestationAuthority.new()
_KEY = rsa.generate_private_key(65537, 2048).public_key()
_PCRS = {0: b"\x0a" * 48, 1: b"\x0b" * 48}
_TRUST = AttestationTrust((_AUTHORITY.certificate,))
_UNSIGNED = AttestationTrust(unsigned=True)


def _document(**changes: Any) -> bytes:
    usual = {"public_key": _KEY, "pcrs": _PCRS, "signed_by": _AUTHORITY, "at": START}
    return attestation_document(**{**usual, **changes})


_BEGUN = _document()[:300]


def _millis(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _reason(document: bytes, trust: AttestationTrust = _TRUST, at: datetime = START) -> str:
    with pytest.raises(AttestationError) as caught:
        read_attestation(document, trust, _millis(at))
    return str(caught.value)


def test_another_root_is_not_trusted() -> None:
    other = AttestationAuthority.new()
    assert _reason(_document(signed_by=other)) == "its certificates do not lead to a trusted root"
    both = AttestationTrust((_AUTHORITY.certificate, other.certificate))
    read_attestation(_document(signed_by=other), both, _millis(START))


def test_a_document_is_of_the_last_five_minutes() -> None:
    document = _document()
    for minutes in (-5, 0, 5):
        read_attestation(document, _TRUST, _millis(START + timedelta(minutes=minutes)))
    for minutes in (-6, 6):
        reason = _reason(document, at=START + timedelta(minutes=minutes))
        assert reason == "it was not made within the last five minutes"


def test_a_document_without_a_signature_needs_a_trust_of_its_own() -> None:
    assert _reason(_document(signed_by=None)) == "it has no cabundle"
    assert read_attestation(_document(signed_by=None), _UNSIGNED, 0).pcrs == _PCRS


def test_a_root_of_the_same_name_is_another() -> None:
    namesake = AttestationAuthority.new()
    assert namesake.certificate.subject == _AUTHORITY.certificate.subject
    assert _reason(_document(signed_by=namesake)) == "its certificates do not lead to a trusted root"


def test_a_certificate_is_valid_at_the_time_of_the_call() -> None:
    for moment in (START.replace(year=1990), START.replace(year=2090)):
        assert _reason(_document(at=moment), at=moment) == "a certificate of it is not valid now"


def _parts(document: bytes) -> tuple[list[Any], dict[str, Any]]:
    message = cbor2.loads(document)
    return message, cbor2.loads(message[2])


def _changed(document: bytes, **members: Any) -> bytes:
    """The document with other members, and the signature that it had."""
    message, payload = _parts(document)
    changed = {name: value for name, value in (payload | members).items() if value is not _GONE}
    return cbor2.dumps([*message[:2], cbor2.dumps(changed), message[3]])


_GONE = object()


def test_a_changed_document_is_not_believed() -> None:
    document = _document()
    assert _reason(_changed(document, pcrs={0: bytes(48)})) == "its signature is not good"
    message, _ = _parts(document)
    broken = bytes([message[3][0] ^ 1, *message[3][1:]])
    assert _reason(cbor2.dumps([*message[:3], broken])) == "its signature is not good"
    assert _reason(cbor2.dumps([*message[:3], message[3][:-1]])) == "it is not signed with ES384"
    es256 = cbor2.dumps({1: -7})
    assert _reason(cbor2.dumps([es256, *message[1:]])) == "it is not signed with ES384"


def test_a_chain_has_no_gap_and_no_end_entity_that_issues() -> None:
    document = _document()
    _, payload = _parts(document)
    root, between = payload["cabundle"]
    _, own_chain = _AUTHORITY.issued("another")
    for bundle, reason in (
        ([root], "its certificates are no chain"),
        ([between, root], "its certificates are no chain"),
        ([root, between, payload["certificate"]], "its certificates are no chain"),
        ([root, own_chain[0].public_bytes(Encoding.DER)], "its certificates are no chain"),
        ([root, b"x"], "a certificate of it cannot be read"),
        ([root, 1], "a certificate of it cannot be read"),
        ([], "it has no cabundle"),
        ({}, "it has no cabundle"),
        ([root] * 11, "its chain has more than 10 certificates"),
    ):
        assert _reason(_changed(document, cabundle=bundle)) == reason
    # The root may be left out: the KMS has it.
    assert _reason(_changed(document, cabundle=[between])) == "its signature is not good"


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"module_id": _GONE}, "it has no module_id"),
        ({"module_id": ""}, "it has no module_id"),
        ({"module_id": 1}, "it has no module_id"),
        ({"digest": "SHA256"}, "its digest is not SHA384"),
        ({"timestamp": _GONE}, "it has no timestamp"),
        ({"timestamp": -1}, "it has no timestamp"),
        ({"timestamp": True}, "it has no timestamp"),
        ({"timestamp": 1.5}, "it has no timestamp"),
        ({"pcrs": _GONE}, "it needs either pcrs or nitrotpm_pcrs"),
        ({"nitrotpm_pcrs": {0: bytes(48)}}, "it needs either pcrs or nitrotpm_pcrs"),
        ({"pcrs": {}}, "its pcrs are no map"),
        ({"pcrs": [bytes(48)]}, "its pcrs are no map"),
        ({"pcrs": {32: bytes(48)}}, "the numbers in its pcrs are not from 0 to 31"),
        ({"pcrs": {-1: bytes(48)}}, "the numbers in its pcrs are not from 0 to 31"),
        ({"pcrs": {"0": bytes(48)}}, "the numbers in its pcrs are not from 0 to 31"),
        ({"pcrs": {0: bytes(47)}}, "the values in its pcrs are not of 32, 48 or 64 bytes"),
        ({"pcrs": {0: "0" * 48}}, "the values in its pcrs are not of 32, 48 or 64 bytes"),
        ({"public_key": None}, "it has no public_key"),
        ({"public_key": _GONE}, "it has no public_key"),
        ({"public_key": b"x"}, "its public_key is no key in DER"),
        ({"public_key": "x"}, "its public_key is not of at most 1024 bytes"),
        ({"public_key": bytes(1025)}, "its public_key is not of at most 1024 bytes"),
        ({"user_data": bytes(1025)}, "its user_data is not of at most 1024 bytes"),
        ({"nonce": 1}, "its nonce is not of at most 1024 bytes"),
    ],
)
@pytest.mark.parametrize("trust", [_TRUST, _UNSIGNED], ids=["signed", "unsigned"])
def test_the_members_of_a_document_are_of_their_types(
    members: dict[str, Any], reason: str, trust: AttestationTrust
) -> None:
    assert _reason(_changed(_document(), **members), trust) == reason


def test_only_rsa_keys_of_2048_bits_and_more_receive() -> None:
    elliptic = ec.generate_private_key(ec.SECP384R1()).public_key()
    small = rsa.generate_private_key(65537, 1024).public_key()
    for key in (elliptic, small):
        spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        reason = "its public_key is no RSA key of 2048 bits or more"
        assert _reason(_changed(_document(), public_key=spki)) == reason


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"x", "it is not CBOR"),
        (b"\x00", "it is no COSE_Sign1 message"),
        (b"\xff", "it is not CBOR"),
        (b"\x84", "it is not CBOR"),
        (b"\x81" * 5_000, "it is not CBOR"),
        (b"\x5b" + b"\x7f" * 8, "it is not CBOR"),
        (cbor2.dumps([b"", {}, b""]), "it is no COSE_Sign1 message"),
        (cbor2.dumps([b"", {}, "", b""]), "it is no COSE_Sign1 message"),
        (cbor2.dumps(cbor2.CBORTag(17, [b"", {}, b"", b""])), "it is no COSE_Sign1 message"),
        (cbor2.dumps([b"", {}, b"\xff", b""]), "it is not CBOR"),
        (cbor2.dumps([b"", {}, cbor2.dumps([]), b""]), "its payload is no map"),
        (cbor2.dumps([b"", {}, b"\xa1\x00\xd8\x23\x61(", b""]), "it is not CBOR"),
        (cbor2.dumps([b"", {}, b"\xa1\x00\xc5\x82\x1b" + b"\x7f" * 8 + b"\x01", b""]), "it is not CBOR"),
        (cbor2.dumps([b"", {}, b"\xa2\x00\x00\x00\x00", b""]), "it is not CBOR"),
    ],
    ids=lambda value: value[:8].hex() if isinstance(value, bytes) else "",
)
def test_what_is_no_document_is_refused(document: bytes, reason: str) -> None:
    for trust in (_TRUST, _UNSIGNED):
        assert _reason(document, trust) == reason


@given(st.binary(max_size=200) | st.binary(max_size=40).map(lambda more: _BEGUN + more))
def test_bytes_never_raise_anything_else(data: bytes) -> None:
    with pytest.raises(AttestationError):
        read_attestation(data, _UNSIGNED, 0)


def test_a_tagged_document_is_one_too() -> None:
    message, _ = _parts(_document())
    tagged = cbor2.dumps(cbor2.CBORTag(18, message))
    assert read_attestation(tagged, _TRUST, _millis(START)).pcrs == _PCRS


def test_a_certificate_for_another_use_signs_nothing() -> None:
    """A CA's own certificate is no signer's: its key usage is to issue."""
    _, payload = _parts(_document())
    root, between = payload["cabundle"]
    changed = _changed(_document(), certificate=between, cabundle=[root])
    assert _reason(changed) == "its certificate is not one for signatures"


def test_an_instance_with_a_tpm_has_measurements_of_its_own() -> None:
    pcrs = {4: b"\x04" * 48, 7: b"\x07" * 32}
    attested = read_attestation(_document(pcrs=pcrs, tpm=True), _TRUST, _millis(START))
    assert attested.conditions() == {
        "kms:recipientattestation:nitrotpmpcr4": "04" * 48,
        "kms:recipientattestation:nitrotpmpcr7": "07" * 32,
    }
