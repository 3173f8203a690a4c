"""Detached CMS signatures (RFC 5652) of content of any size, which ``openssl cms -verify`` reads.

The content's digest is a signed attribute, and the attributes are what the key signs: content of any size
costs one call of Sign. ``cryptography``'s own builder holds the content in memory, and knows RSA and ECDSA
only; its ASN.1 encoder does the encoding here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.serialization import Encoding

from kms_tui.kms.errors import KmsTuiError
from kms_tui.kms.keyspecs import SIGNING_ALGORITHMS
from kms_tui.public_key import PublicKey
from kms_tui.signing.signing_key import SigningError, SigningKey

_Oid = x509.ObjectIdentifier
_DATA, _SIGNED_DATA = _Oid("1.2.840.113549.1.7.1"), _Oid("1.2.840.113549.1.7.2")
_CONTENT_TYPE, _MESSAGE_DIGEST = _Oid("1.2.840.113549.1.9.3"), _Oid("1.2.840.113549.1.9.4")
_SIGNING_TIME = _Oid("1.2.840.113549.1.9.5")
_PSS, _MGF1 = _Oid("1.2.840.113549.1.1.10"), _Oid("1.2.840.113549.1.1.8")
_DIGESTS: Mapping[str, x509.ObjectIdentifier] = {
    "sha256": _Oid("2.16.840.1.101.3.4.2.1"),
    "sha384": _Oid("2.16.840.1.101.3.4.2.2"),
    "sha512": _Oid("2.16.840.1.101.3.4.2.3"),
}
_SIGNATURES: Mapping[str, x509.ObjectIdentifier] = {
    "RSASSA_PKCS1_V1_5_SHA_256": _Oid("1.2.840.113549.1.1.11"),
    "RSASSA_PKCS1_V1_5_SHA_384": _Oid("1.2.840.113549.1.1.12"),
    "RSASSA_PKCS1_V1_5_SHA_512": _Oid("1.2.840.113549.1.1.13"),
    "ECDSA_SHA_256": _Oid("1.2.840.10045.4.3.2"),
    "ECDSA_SHA_384": _Oid("1.2.840.10045.4.3.3"),
    "ECDSA_SHA_512": _Oid("1.2.840.10045.4.3.4"),
    "ED25519_SHA_512": _Oid("1.3.101.112"),
}
"""RFC 5754, 8419; RSASSA-PSS (RFC 4056) has parameters, ML-DSA (RFC 9882) one identifier a parameter set."""
_ML_DSA: Mapping[str, x509.ObjectIdentifier] = {
    "ML_DSA_44": _Oid("2.16.840.1.101.3.4.3.17"),
    "ML_DSA_65": _Oid("2.16.840.1.101.3.4.3.18"),
    "ML_DSA_87": _Oid("2.16.840.1.101.3.4.3.19"),
}


class CmsError(KmsTuiError):
    """Bytes are no CMS signature of the kind that is read here; the sentence says why."""


@asn1.sequence
class _Algorithm:
    algorithm: x509.ObjectIdentifier
    parameters: asn1.Null | None


@asn1.sequence
class _MaskGeneration:
    algorithm: x509.ObjectIdentifier
    parameters: _Algorithm


@asn1.sequence
class _PssParameters:
    hash: Annotated[_Algorithm, asn1.Explicit(0)]
    mask: Annotated[_MaskGeneration, asn1.Explicit(1)]
    salt: Annotated[int, asn1.Explicit(2)]


@asn1.sequence
class _PssAlgorithm:
    algorithm: x509.ObjectIdentifier
    parameters: _PssParameters


@asn1.sequence
class _Attribute:
    kind: x509.ObjectIdentifier
    values: asn1.SetOf[asn1.TLV]


@asn1.sequence
class _IssuerAndSerial:
    issuer: asn1.TLV
    serial: int


@asn1.sequence
class _SignerInfo:
    version: int
    signer: asn1.TLV
    digest_algorithm: asn1.TLV
    signed_attributes: Annotated[asn1.SetOf[_Attribute] | None, asn1.Implicit(0)]
    signature_algorithm: asn1.TLV
    signature: bytes
    unsigned_attributes: Annotated[asn1.SetOf[_Attribute] | None, asn1.Implicit(1)]


@asn1.sequence
class _Content:
    kind: x509.ObjectIdentifier
    content: Annotated[bytes | None, asn1.Explicit(0)]


@asn1.sequence
class _SignedData:
    version: int
    digest_algorithms: asn1.SetOf[asn1.TLV]
    content: _Content
    certificates: Annotated[asn1.SetOf[asn1.TLV] | None, asn1.Implicit(0)]
    revocation_lists: Annotated[asn1.SetOf[asn1.TLV] | None, asn1.Implicit(1)]
    signers: asn1.SetOf[_SignerInfo]


@asn1.sequence
class _Cms:
    kind: x509.ObjectIdentifier
    content: Annotated[_SignedData, asn1.Explicit(0)]


def digest_name(algorithm: str) -> str:
    """hashlib's name of the hash of the content: the algorithm's own, SHA-512 for Ed25519 and ML-DSA."""
    return SIGNING_ALGORITHMS[algorithm].digest or "sha512"


def sign_digest(
    key: SigningKey, certificate: x509.Certificate, digest: bytes, algorithm: str, signed_at: datetime
) -> bytes:
    """A detached SignedData in DER, with the certificate; ``digest`` is by ``digest_name``. One call of Sign.

    SigningError if the certificate is of another key.
    """
    require_certificate_of(key, certificate)
    attributes = asn1.SetOf(
        [
            _Attribute(kind=_CONTENT_TYPE, values=asn1.SetOf([_tlv(_DATA)])),
            _Attribute(kind=_SIGNING_TIME, values=asn1.SetOf([_tlv(_time(signed_at))])),
            _Attribute(kind=_MESSAGE_DIGEST, values=asn1.SetOf([_tlv(digest)])),
        ]
    )
    signature = key.sign_message(asn1.encode_der(attributes), algorithm)
    digest_algorithm = _tlv(_Algorithm(algorithm=_DIGESTS[digest_name(algorithm)], parameters=None))
    issuer = asn1.decode_der(asn1.TLV, certificate.issuer.public_bytes())
    signer = _SignerInfo(
        version=1,
        signer=_tlv(_IssuerAndSerial(issuer=issuer, serial=certificate.serial_number)),
        digest_algorithm=digest_algorithm,
        signed_attributes=attributes,
        signature_algorithm=_signature_algorithm(key, algorithm),
        signature=signature,
        unsigned_attributes=None,
    )
    signed = _SignedData(
        version=1,
        digest_algorithms=asn1.SetOf([digest_algorithm]),
        content=_Content(kind=_DATA, content=None),
        certificates=asn1.SetOf([asn1.decode_der(asn1.TLV, certificate.public_bytes(Encoding.DER))]),
        revocation_lists=None,
        signers=asn1.SetOf([signer]),
    )
    return asn1.encode_der(_Cms(kind=_SIGNED_DATA, content=signed))


def require_certificate_of(key: SigningKey, certificate: x509.Certificate) -> None:
    """Raise SigningError unless the certificate is of the key."""
    if certificate.public_key() != key.public_key.loaded():
        raise SigningError(
            f"The certificate of {certificate.subject.rfc4514_string()} is not of the key {key.asked_as}.",
            next_step="Give the certificate that was issued for this key.",
        )


def _signature_algorithm(key: SigningKey, algorithm: str) -> asn1.TLV:
    if algorithm.startswith("RSASSA_PSS"):
        name = digest_name(algorithm)
        made = _Algorithm(algorithm=_DIGESTS[name], parameters=asn1.Null())
        mask = _MaskGeneration(algorithm=_MGF1, parameters=made)
        salt = SIGNING_ALGORITHMS[algorithm].digest_size
        parameters = _PssParameters(hash=made, mask=mask, salt=salt)
        return _tlv(_PssAlgorithm(algorithm=_PSS, parameters=parameters))
    identifier = _SIGNATURES.get(algorithm) or _ML_DSA[key.spec]
    null = asn1.Null() if algorithm.startswith("RSASSA_PKCS1") else None
    return _tlv(_Algorithm(algorithm=identifier, parameters=null))


def _tlv(value: object) -> asn1.TLV:
    return asn1.decode_der(asn1.TLV, asn1.encode_der(value))


def _time(moment: datetime) -> asn1.UTCTime | asn1.GeneralizedTime:
    """UTCTime until 2049, as RFC 5652 asks for."""
    whole = moment.astimezone(UTC).replace(microsecond=0)
    return asn1.UTCTime(whole) if whole.year < 2050 else asn1.GeneralizedTime(whole)


@dataclass(frozen=True, slots=True)
class CmsSignature:
    """The one signer's part of a detached CMS signature."""

    digest_name: str
    """hashlib's name of the hash of the content."""
    digest: bytes | None
    """The content's digest that is signed; None where the content itself is."""
    signed: bytes
    """What the key signs, where ``digest`` is not None: the signed attributes in DER."""
    signature: bytes
    signed_at: datetime | None

    def is_of(self, public_key: PublicKey, algorithms: Sequence[str]) -> str | None:
        """The algorithm by which the attributes are signed by the key, or None."""
        return next(
            (name for name in algorithms if public_key.verify(self.signed, self.signature, name)), None
        )


def read_cms(der: bytes) -> CmsSignature:
    """A detached signature of one signer, in DER. Raises CmsError."""
    try:
        signed = asn1.decode_der(_Cms, der).content
    except ValueError as error:
        raise CmsError(
            "The signature is no CMS SignedData in DER.",
            next_step="openssl cms -sign writes DER without -stream and -indef.",
        ) from error
    signers = signed.signers.as_list()
    if signed.content.content is not None:
        raise CmsError(
            "The CMS message holds its content; a signature beside a file is expected.",
            next_step="openssl cms -verify reads this form.",
        )
    if len(signers) != 1:
        raise CmsError(f"The CMS message has {len(signers)} signers; one is expected.")
    signer = signers[0]
    name = _digest_of(signer.digest_algorithm)
    if signer.signed_attributes is None:
        return CmsSignature(name, None, b"", signer.signature, None)
    attributes = _attributes_of(signer.signed_attributes.as_list())
    try:
        (value,) = attributes[_MESSAGE_DIGEST]
        digest = bytes(value.parse(bytes))
    except (KeyError, ValueError) as error:
        raise CmsError("The CMS message lacks the digest of its content, or has several.") from error
    try:
        (value,) = attributes[_CONTENT_TYPE]
        is_same_type = value.parse(x509.ObjectIdentifier) == signed.content.kind
    except (KeyError, ValueError) as error:
        raise CmsError("The CMS message lacks the type of its content, or has several.") from error
    if not is_same_type:
        raise CmsError("The CMS message was signed as content of another type.")
    return CmsSignature(
        name, digest, asn1.encode_der(signer.signed_attributes), signer.signature, _signed_at(attributes)
    )


def _attributes_of(signed: Sequence[_Attribute]) -> Mapping[x509.ObjectIdentifier, list[asn1.TLV]]:
    attributes = {each.kind: each.values.as_list() for each in signed}
    if len(attributes) < len(signed):
        raise CmsError("The CMS message has a signed attribute twice (RFC 5652, 5.3).")
    return attributes


def _digest_of(algorithm: asn1.TLV) -> str:
    try:
        found = algorithm.parse(_Algorithm).algorithm
    except ValueError as error:
        raise CmsError("The CMS message names its digest in a form that is not known here.") from error
    for name, identifier in _DIGESTS.items():
        if identifier == found:
            return name
    raise CmsError(
        f"The CMS message digests its content with {found.dotted_string}; KMS signs SHA-2 digests."
    )


def _signed_at(attributes: Mapping[x509.ObjectIdentifier, list[asn1.TLV]]) -> datetime | None:
    for value in attributes.get(_SIGNING_TIME, []):
        for kind in (asn1.UTCTime, asn1.GeneralizedTime):
            try:
                moment: datetime = value.parse(kind).as_datetime()
                return moment
            except ValueError:
                continue
    return None
