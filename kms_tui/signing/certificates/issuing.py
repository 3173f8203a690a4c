"""Certificates that a KMS key issues as a CA: what stands against it is found before anything is signed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID

from kms_tui.signing.certificates.certificate_builders import length_notes, unsigned_certificate, usual_end
from kms_tui.signing.certificates.certificate_fields import CertificateFields
from kms_tui.signing.certificates.certificate_files import UNREADABLE_EXTENSIONS, CertificateFileError
from kms_tui.signing.certificates.field_errors import CertificateField, FieldError
from kms_tui.signing.certificates.unsigned import Unsigned, certified_key
from kms_tui.signing.certificates.usages import (
    CERT_SIGN,
    extended_name,
    key_text,
    key_usage_names,
    key_words,
    usual_key_usage,
)
from kms_tui.signing.signing_key import SigningError, SigningKey
from kms_tui.signing.times import utc_text

_FEWEST_RSA_BITS = 2048
_SIGNING_KEYS = (
    rsa.RSAPublicKey,
    ec.EllipticCurvePublicKey,
    ed25519.Ed25519PublicKey,
    ed448.Ed448PublicKey,
    mldsa.MLDSA44PublicKey,
    mldsa.MLDSA65PublicKey,
    mldsa.MLDSA87PublicKey,
)
"""Keys whose CSR can be signed by themselves."""
_ANY = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE


def require_request(request: x509.CertificateSigningRequest, name: str) -> CertificatePublicKeyTypes:
    """The public key of a CSR that its own signature proves. CertificateFileError where it does not."""
    try:
        public = request.public_key()
        is_valid = request.is_signature_valid
    except (ValueError, UnsupportedAlgorithm, InvalidSignature):
        raise CertificateFileError(
            f"The signature of {name} cannot be checked: its key or algorithm is not known, or weak."
        ) from None
    if not is_valid:
        raise CertificateFileError(
            f"The signature of {name} does not verify with the key in it: it is damaged or changed, "
            "or signed in a way that is not known here.",
            next_step="Ask for another CSR.",
        )
    if isinstance(public, dsa.DSAPublicKey) or not isinstance(public, _SIGNING_KEYS):
        raise CertificateFileError(f"{name} is of {key_words(public)} key, for which nothing is issued here.")
    if isinstance(public, rsa.RSAPublicKey) and public.key_size < _FEWEST_RSA_BITS:
        raise CertificateFileError(
            f"{name} is of an RSA key of {public.key_size:,} bits, which is too short: 2,048 are the fewest."
        )
    return public


def issuer_of(certificates: tuple[x509.Certificate, ...], key: SigningKey, name: str) -> x509.Certificate:
    """The certificate of the KMS key among those of a file. CertificateFileError where there is none."""
    public = certified_key(key)
    for certificate in certificates:
        if _public_key(certificate) == public:
            return certificate
    which = "The certificate" if len(certificates) == 1 else "Each certificate in"
    raise CertificateFileError(
        f"{which} {name} is of another key, not of {key.asked_as}.",
        next_step="Give the CA's certificate that was made of this key.",
    )


def require_issuer(ca: x509.Certificate, usage: str, name: str) -> x509.BasicConstraints:
    """The basic constraints of a CA whose key may be used for ``usage`` (keyCertSign, cRLSign).

    CertificateFileError where the certificate does not say so.
    """
    try:
        extensions = ca.extensions
    except UNREADABLE_EXTENSIONS:
        raise CertificateFileError(f"{name} has extensions that cannot be read.") from None
    found = {type(extension.value): extension.value for extension in extensions}
    constraints, allowed = found.get(x509.BasicConstraints), found.get(x509.KeyUsage)
    if not isinstance(constraints, x509.BasicConstraints) or not constraints.ca:
        raise CertificateFileError(
            f"The certificate {name} is not that of a CA (CA:false): clients take nothing that it issues.",
            next_step="Make one with `kms-tui cert self-sign --ca`.",
        )
    if isinstance(allowed, x509.KeyUsage) and usage not in key_usage_names(allowed):
        raise CertificateFileError(f"The certificate {name} is a CA's, and its key usage lacks {usage}.")
    if not list(ca.subject):
        raise CertificateFileError(f"The certificate {name} has no subject, so it can issue nothing.")
    return constraints


def unsigned_issued(
    key: SigningKey,
    ca: x509.Certificate,
    request: x509.CertificateSigningRequest,
    fields: CertificateFields,
    now: datetime,
    algorithm: str = "",
    *,
    ca_name: str = "of the CA",
    request_name: str = "the CSR",
) -> Unsigned[x509.Certificate]:
    """A certificate for the key of a CSR, issued by the KMS key.

    ``fields`` are those of the CSR (``copied_fields.asked_for``) and what the issuer wants otherwise. Raises
    CertificateFileError, FieldError, SigningError: a bad CSR, a certificate that is not the key's or no CA's,
    a validity outside of the CA's, a chain that is longer than the CA allows.
    """
    public = require_request(request, request_name)
    issuer_of((ca,), key, ca_name)
    constraints = require_issuer(ca, CERT_SIGN, ca_name)
    if fields.is_ca and public == certified_key(key):
        raise SigningError(f"{request_name} is of the CA's own key: that would be another self-signed CA.")
    ends, notes = _within(ca, ca_name, fields, now)
    fields = _with_path_length(fields, constraints.path_length)
    usages = fields.key_usage
    if usages is None:
        usages = usual_key_usage(fields.purpose, public, signs_only=False)
    return unsigned_certificate(
        key,
        fields,
        algorithm,
        public=public,
        issuer=ca.subject,
        issuer_identifier=key_identifier(ca, key),
        usages=usages,
        ends=ends,
        notes=(*fields.notes, *notes, *length_notes(fields, ends), *_constraint_notes(ca, fields)),
        key_words=f"{key_text(public)}, of {request_name}",
    )


def _within(
    ca: x509.Certificate, ca_name: str, fields: CertificateFields, now: datetime
) -> tuple[datetime, tuple[str, ...]]:
    """When the certificate ends; FieldError for a validity that is not within the CA's."""
    first, last = ca.not_valid_before_utc, ca.not_valid_after_utc
    if last <= now:
        raise CertificateFileError(f"The certificate {ca_name} expired at {utc_text(last)}.")
    if fields.begins < first:
        raise FieldError(
            CertificateField.NOT_BEFORE,
            f"It would begin at {utc_text(fields.begins)}, before the CA's certificate does, "
            f"at {utc_text(first)}.",
        )
    if fields.begins >= last:
        raise FieldError(
            CertificateField.NOT_BEFORE,
            f"It would begin at {utc_text(fields.begins)}, when the CA's certificate has ended, "
            f"at {utc_text(last)}.",
        )
    if fields.ends is None:
        usual = usual_end(fields)
        if usual <= last:
            return usual, ()
        return last, (f"It ends with the CA's certificate, at {utc_text(last)}.",)
    if fields.ends > last:
        raise FieldError(
            fields.end_field,
            f"It would outlive the CA: it would end at {utc_text(fields.ends)}, "
            f"the CA ends at {utc_text(last)}.",
            next_step=f"The latest end is {last:%Y-%m-%dT%H:%M:%SZ} (--not-after), "
            f"and the most days are {(last - fields.begins).days:,}.",
        )
    return fields.ends, ()


def _with_path_length(fields: CertificateFields, allowed: int | None) -> CertificateFields:
    """The fields with the path length that the CA leaves; FieldError where that is none."""
    if not fields.is_ca or allowed is None:
        return fields
    if allowed == 0:
        raise FieldError(
            CertificateField.CA, "The CA's path length is 0: it may issue certificates to no other CA."
        )
    if fields.path_length is not None and fields.path_length >= allowed:
        raise FieldError(
            CertificateField.PATH_LENGTH,
            f"The CA's own path length is {allowed}, so {allowed - 1} is the most for a CA under it.",
        )
    return fields if fields.path_length is not None else replace(fields, path_length=allowed - 1)


def key_identifier(ca: x509.Certificate, key: SigningKey) -> x509.AuthorityKeyIdentifier:
    """The CA's own identifier of its key, so that clients find it."""
    try:
        own = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(certified_key(key))
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _constraint_notes(ca: x509.Certificate, fields: CertificateFields) -> tuple[str, ...]:
    notes = []
    for value in (each.value for each in ca.extensions):
        if isinstance(value, x509.NameConstraints):
            notes.append(
                "The CA has name constraints, which are not compared with the names here; clients do that."
            )
        if isinstance(value, x509.ExtendedKeyUsage) and _ANY not in value:
            refused = [extended_name(each) for each in fields.extended if each not in value]
            notes += [f"The CA's certificate is not for {each}: clients refuse it there." for each in refused]
    return tuple(notes)


def _public_key(certificate: x509.Certificate) -> object:
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None
