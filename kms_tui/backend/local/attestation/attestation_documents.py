"""Attestation documents: COSE_Sign1 (RFC 9052, ES384) around CBOR, judged as a key management service does.

Source: the Nitro Enclaves user guide (verify-root), the EC2 user guide
(nitrotpm-attestation-document-validate) and the KMS developer guide (cryptographic-attestation).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

import cbor2
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key

from kms_tui.backend.local.attestation.attestations import Attestation, AttestationError, AttestationTrust
from kms_tui.backend.local.attestation.certificate_chains import require_chain

MAX_AGE = 300_000
"""Milliseconds between the making of a document and its use."""

ENCLAVE_PCRS, TPM_PCRS = "pcrs", "nitrotpm_pcrs"
"""The member with the measurements, which tells what was attested."""

ES384 = {1: -35}
"""The protected header of every document (RFC 9053: the signature algorithm)."""
SIGN1_TAG = 18
SIGNATURE_CONTEXT = "Signature1"
DIGEST = "SHA384"

_PCR_COUNTS = {ENCLAVE_PCRS: 32, TPM_PCRS: 24}
_PCR_SIZES = (32, 48, 64)
_CURVE = "secp384r1"
_HALF = 48
"""Bytes of r, and of s, in a signature by P-384."""
_MIN_RSA_BITS = 2048
_OPTIONAL_SIZES = {"public_key": 1024, "user_data": 1024, "nonce": 1024}
_MAX_DEPTH = 8
_TAGS = (*range(6), 25, 28, 29, 30, 35, 36, 37, 100, 256, 258, 260, 261, 1004, 43000)
"""Tags that the CBOR library gives a meaning, some at a great cost; a document has none of them."""


def read_attestation(document: bytes, trust: AttestationTrust, now: int) -> Attestation:
    """Judge a document at a moment in milliseconds; AttestationError says what is wrong with it.

    Of an ``unsigned`` one neither signature nor age are judged.
    """
    if not trust.is_given:
        raise AttestationError("this KMS was given no root to trust (serve --nitro-root)")
    protected, payload, signature = _cose(document)
    members = _map(payload)
    attestation = _attestation(members)
    if not trust.unsigned:
        _require_recent(members, now)
        certificate = _require_certificate(members, trust, now)
        _require_signature(certificate, protected, payload, signature)
    return attestation


def signed_bytes(protected: bytes, payload: bytes) -> bytes:
    """What the signature of a COSE_Sign1 message is made of."""
    return cbor2.dumps([SIGNATURE_CONTEXT, protected, b"", payload])


def _decoded(data: bytes) -> Any:
    try:
        return cbor2.loads(
            data,
            max_depth=_MAX_DEPTH,
            allow_duplicate_keys=False,
            semantic_decoders=dict.fromkeys(_TAGS, _refuse),
        )
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, MemoryError) as error:
        raise AttestationError("it is not CBOR") from error


def _refuse(_decoder: object, *_more: object) -> NoReturn:
    raise ValueError("no such tag in a document")


_NO_TAGS = dict.fromkeys(_TAGS, _refuse)


def _cose(document: bytes) -> tuple[bytes, bytes, bytes]:
    message = _decoded(document)
    if isinstance(message, cbor2.CBORTag) and message.tag == SIGN1_TAG:
        message = message.value
    if not isinstance(message, (list, tuple)) or len(message) != 4:
        raise AttestationError("it is no COSE_Sign1 message")
    protected, _, payload, signature = message
    if not (isinstance(protected, bytes) and isinstance(payload, bytes) and isinstance(signature, bytes)):
        raise AttestationError("it is no COSE_Sign1 message")
    return protected, payload, signature


def _map(payload: bytes) -> Mapping[Any, Any]:
    members = _decoded(payload)
    if not isinstance(members, dict):
        raise AttestationError("its payload is no map")
    return members


def _attestation(members: Mapping[Any, Any]) -> Attestation:
    module_id = members.get("module_id")
    if not (isinstance(module_id, str) and module_id):
        raise AttestationError("it has no module_id")
    if members.get("digest") != DIGEST:
        raise AttestationError(f"its digest is not {DIGEST}")
    _timestamp(members)
    for name, most in _OPTIONAL_SIZES.items():
        value = members.get(name)
        if value is not None and not (isinstance(value, bytes) and len(value) <= most):
            raise AttestationError(f"its {name} is not of at most {most} bytes")
    kinds = [name for name in _PCR_COUNTS if name in members]
    if len(kinds) != 1:
        raise AttestationError(f"it needs either {ENCLAVE_PCRS} or {TPM_PCRS}")
    pcrs = _pcrs(kinds[0], members[kinds[0]])
    return Attestation(module_id, _public_key(members.get("public_key")), pcrs, kinds[0] == TPM_PCRS)


def _timestamp(members: Mapping[Any, Any]) -> int:
    timestamp = members.get("timestamp")
    if type(timestamp) is not int or timestamp < 0:
        raise AttestationError("it has no timestamp")
    return timestamp


def _pcrs(name: str, pcrs: object) -> dict[int, bytes]:
    if not isinstance(pcrs, dict) or not pcrs:
        raise AttestationError(f"its {name} are no map")
    for number, value in pcrs.items():
        if type(number) is not int or not 0 <= number < _PCR_COUNTS[name]:
            raise AttestationError(f"the numbers in its {name} are not from 0 to {_PCR_COUNTS[name] - 1}")
        if not isinstance(value, bytes) or len(value) not in _PCR_SIZES:
            raise AttestationError(f"the values in its {name} are not of 32, 48 or 64 bytes")
    return pcrs


def _public_key(der: bytes | None) -> rsa.RSAPublicKey:
    if not der:
        raise AttestationError("it has no public_key")
    try:
        public_key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise AttestationError("its public_key is no key in DER") from error
    if not isinstance(public_key, rsa.RSAPublicKey) or public_key.key_size < _MIN_RSA_BITS:
        raise AttestationError(f"its public_key is no RSA key of {_MIN_RSA_BITS} bits or more")
    return public_key


def _require_recent(members: Mapping[Any, Any], now: int) -> None:
    if abs(now - _timestamp(members)) > MAX_AGE:
        raise AttestationError("it was not made within the last five minutes")


def _require_certificate(members: Mapping[Any, Any], trust: AttestationTrust, now: int) -> x509.Certificate:
    """The certificate of whoever signed, which leads to a trusted root."""
    bundle = members.get("cabundle")
    if not isinstance(bundle, list) or not bundle:
        raise AttestationError("it has no cabundle")
    certificate, *issuers = (_certificate(der) for der in (members.get("certificate"), *reversed(bundle)))
    require_chain(certificate, issuers, trust.roots, datetime.fromtimestamp(now / 1000, UTC))
    return certificate


def _certificate(der: object) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(der)  # type: ignore[arg-type]
    except (ValueError, TypeError) as error:
        raise AttestationError("a certificate of it cannot be read") from error


def _require_signature(
    certificate: x509.Certificate, protected: bytes, payload: bytes, signature: bytes
) -> None:
    if _decoded(protected) != ES384 or len(signature) != 2 * _HALF:
        raise AttestationError("it is not signed with ES384")
    r, s = (int.from_bytes(half, "big") for half in (signature[:_HALF], signature[_HALF:]))
    try:
        public_key = certificate.public_key()
        if (
            not isinstance(public_key, ec.EllipticCurvePublicKey)
            or public_key.curve.name != ec.SECP384R1.name
        ):
            raise AttestationError("its certificate is of no P-384 key")
        public_key.verify(
            encode_dss_signature(r, s), signed_bytes(protected, payload), ec.ECDSA(hashes.SHA384())
        )
    except (InvalidSignature, ValueError, UnsupportedAlgorithm) as error:
        raise AttestationError("its signature is not good") from error
