"""TLS for the server: a certificate for its host, made on the spot, by an authority that makes no other."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kms_tui.kms.errors import EndpointError

_VALIDITY = timedelta(days=397)
"""The longest that clients accept of a server (CA/Browser Forum, before 2026)."""
_ALWAYS = ("localhost", "127.0.0.1", "::1")
_AUTHORITY = "kms-tui serve"
_MOST_LABEL, _MOST_NAME = 63, 253


@dataclass(frozen=True, slots=True)
class ServerTls:
    """What the server presents itself with, and the certificate (PEM) by which clients know it."""

    context: ssl.SSLContext
    authority: bytes


def tls_for(names: Iterable[str]) -> ServerTls:
    """A new certificate for some names and addresses, and for this machine. EndpointError for what is none.

    The key of its authority is forgotten at once.
    """
    alternatives = [_alternative(name) for name in dict.fromkeys((*names, *_ALWAYS))]
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = (
        _builder(_AUTHORITY, authority_key.public_key(), authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(issues=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    certificate = (
        _builder("KMS", key.public_key(), authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(issues=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    return ServerTls(_context(certificate, key), authority.public_bytes(Encoding.PEM))


def _context(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with TemporaryDirectory(prefix="kms-tui-") as folder:  # which is the user's own; ssl reads files alone
        path = Path(folder) / "server.pem"
        path.write_bytes(certificate.public_bytes(Encoding.PEM) + pem)
        context.load_cert_chain(path)
    return context


def _builder(
    name: str, public_key: ec.EllipticCurvePublicKey, issuer: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(_AUTHORITY))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _VALIDITY - timedelta(days=1))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, issues: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not issues,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=issues,
        crl_sign=issues,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name.partition("%")[0]))
    except ValueError:
        pass
    labels = name.removesuffix(".").split(".")
    if len(name) > _MOST_NAME or not all(map(_is_label, labels)):
        raise EndpointError(
            f"{name} is no name of a host for a certificate.",
            next_step="Name one like kms or kms.example.com, in ASCII.",
        )
    return x509.DNSName(".".join(labels))


def _is_label(label: str) -> bool:
    allowed = label.isascii() and label.replace("-", "").replace("_", "").isalnum()
    return allowed and len(label) <= _MOST_LABEL
