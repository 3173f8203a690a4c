"""Attestation documents for tests: an authority in the place of Nitro's, and the documents that it signs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from kms_tui.backend.local.attestation.attestation_documents import (
    DIGEST,
    ENCLAVE_PCRS,
    ES384,
    TPM_PCRS,
    signed_bytes,
)

_VALIDITY = timedelta(days=30 * 365)
"""How long before and after its making a certificate is valid, so that tests may move their clock."""
_HALF = 48


@dataclass(frozen=True, slots=True)
class AttestationAuthority:
    """The root of a chain of certificates. Its certificate is what a KMS is told to trust."""

    certificate: x509.Certificate
    _name: str
    _key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def new(cls, name: str = "aws.nitro-enclaves") -> AttestationAuthority:
        """A new root with this common name."""
        key = ec.generate_private_key(ec.SECP384R1())
        return cls(_certificate(name, key.public_key(), name, key, is_ca=True), name, key)

    @property
    def pem(self) -> bytes:
        """The certificate in PEM, as a file for ``serve --nitro-root``."""
        return self.certificate.public_bytes(Encoding.PEM)

    def issued(self, name: str) -> tuple[ec.EllipticCurvePrivateKey, list[x509.Certificate]]:
        """A new signer's key, and its chain: its certificate, that of a CA between, that of the root."""
        between, key = (ec.generate_private_key(ec.SECP384R1()) for _ in range(2))
        middle = f"zonal.{self._name}"
        chain = [
            _certificate(name, key.public_key(), middle, between, is_ca=False),
            _certificate(middle, between.public_key(), self._name, self._key, is_ca=True),
            self.certificate,
        ]
        return key, chain


def attestation_document(
    public_key: rsa.RSAPublicKey | None,
    pcrs: Mapping[int, bytes],
    *,
    signed_by: AttestationAuthority | None = None,
    at: datetime | None = None,
    module_id: str = "i-0123456789abcdef0-enc0123456789abcdef0",
    user_data: bytes | None = None,
    nonce: bytes | None = None,
    tpm: bool = False,
) -> bytes:
    """A document as an enclave gets it (with ``tpm``: an instance with NitroTPM), in bytes for Recipient.

    ``pcrs`` are measurements of 32, 48 or 64 bytes by number; ``at`` is when it was made, at present if None.
    Without ``signed_by`` it has neither certificate nor signature.
    """
    moment = at or datetime.now(UTC)
    spki = public_key and public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key, chain = signed_by.issued(module_id) if signed_by else (None, [])
    ders = [certificate.public_bytes(Encoding.DER) for certificate in chain]
    payload = cbor2.dumps(
        {
            "module_id": module_id,
            "digest": DIGEST,
            "timestamp": round(moment.timestamp() * 1000),
            TPM_PCRS if tpm else ENCLAVE_PCRS: dict(pcrs),
            "certificate": ders[0] if ders else b"",
            "cabundle": ders[:0:-1],
            "public_key": spki,
            "user_data": user_data,
            "nonce": nonce,
        }
    )
    protected = cbor2.dumps(ES384)
    signature = _signature(key, protected, payload) if key else b""
    return cbor2.dumps([protected, {}, payload, signature])


def _signature(key: ec.EllipticCurvePrivateKey, protected: bytes, payload: bytes) -> bytes:
    der = key.sign(signed_bytes(protected, payload), ec.ECDSA(hashes.SHA384()))
    return b"".join(number.to_bytes(_HALF, "big") for number in decode_dss_signature(der))


def _certificate(
    name: str,
    public_key: ec.EllipticCurvePublicKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    is_ca: bool,
) -> x509.Certificate:
    now = datetime.now(UTC)
    usages = dict.fromkeys(_USAGES, False) | {"key_cert_sign" if is_ca else "digital_signature": True}
    return (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(issuer))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _VALIDITY)
        .not_valid_after(now + _VALIDITY)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usages), critical=True)
        .sign(issuer_key, hashes.SHA384())
    )


_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
