"""Something that is decided and not signed yet: what it will say, and the one call of Sign that makes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes

from kms_tui.kms.keyspecs import SIGNING_ALGORITHMS
from kms_tui.signing.certificates.field_errors import CertificateField, FieldError
from kms_tui.signing.kms_private_keys import ED25519, private_key
from kms_tui.signing.signing_key import SigningKey, default_algorithm

Made = TypeVar("Made", x509.Certificate, x509.CertificateSigningRequest, x509.CertificateRevocationList)

Sha2 = hashes.SHA256 | hashes.SHA384 | hashes.SHA512
_HASHES: dict[str, Sha2] = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}


@dataclass(frozen=True, slots=True)
class Unsigned(Generic[Made]):
    """A certificate, CSR or CRL before its signature."""

    key: SigningKey
    algorithm: str
    """KMS's name of the signing algorithm."""
    lines: tuple[tuple[str, str], ...]
    """The preview: what it will say, as pairs of a label and a text. Untrusted text."""
    notes: tuple[str, ...]
    """Sentences about what was decided, and what is unusual. Untrusted text."""
    builder: Any = field(repr=False)
    """The library's builder, with all that is to be signed."""

    def sign(self) -> Made:
        """Sign it, with one call of Sign. Raises SigningError, KMS's errors."""
        made: Made = self.builder.sign(
            private_key(self.key), digest_of(self.algorithm), rsa_padding=padding_of(self.algorithm)
        )
        return made


def certified_key(key: SigningKey) -> CertificateIssuerPublicKeyTypes:
    """The public key of a KMS key, for a certificate. SigningError for SM2, which the library lacks."""
    public: CertificateIssuerPublicKeyTypes = private_key(key).public_key()
    return public


def algorithm_for(key: SigningKey, asked: str = "") -> str:
    """The algorithm to sign with: what was asked for, else PKCS #1 v1.5 with SHA-256 or the key's own.

    FieldError for one that the key lacks, or that X.509 does.
    """
    algorithm = asked.strip().upper() or default_algorithm(key)
    if algorithm not in key.algorithms:
        raise FieldError(
            CertificateField.ALGORITHM,
            f"{key.asked_as} is an {key.spec} key: it does not sign with {asked.strip()[:60]}.",
            next_step=f"It signs with {', '.join(key.algorithms)}.",
        )
    if algorithm.startswith("ED25519_PH"):
        raise FieldError(
            CertificateField.ALGORITHM,
            f"Certificates are not signed with {algorithm} (RFC 8410).",
            next_step=f"Use {ED25519}.",
        )
    return algorithm


def digest_of(algorithm: str) -> Sha2 | None:
    """The hash that the library's builders take for an algorithm; None where it has its own."""
    if not algorithm.startswith(("RSASSA_", "ECDSA_")):
        return None
    return _HASHES[SIGNING_ALGORITHMS[algorithm].digest]


def padding_of(algorithm: str) -> padding.PSS | padding.PKCS1v15 | None:
    """The padding that the library's builders take for an algorithm; None but for RSA."""
    digest = digest_of(algorithm)
    if digest is not None and algorithm.startswith("RSASSA_PSS"):
        return padding.PSS(padding.MGF1(digest), digest.digest_size)
    return padding.PKCS1v15() if algorithm.startswith("RSASSA_PKCS1") else None
