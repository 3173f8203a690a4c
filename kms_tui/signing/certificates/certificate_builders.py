"""CSRs and self-signed certificates of a KMS key, up to their signature."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID

from kms_tui.signing.certificates.alternative_names import name_text
from kms_tui.signing.certificates.certificate_fields import CertificateFields
from kms_tui.signing.certificates.field_errors import CertificateField, FieldError
from kms_tui.signing.certificates.serials import serial_text
from kms_tui.signing.certificates.subjects import subject_text
from kms_tui.signing.certificates.unsigned import Unsigned, algorithm_for, certified_key
from kms_tui.signing.certificates.usages import (
    KEY_ENCIPHERMENT,
    PURPOSES,
    extended_name,
    in_order,
    key_usage_extension,
    require_fitting,
    usual_key_usage,
)
from kms_tui.signing.certificates.validity import days_after, days_words
from kms_tui.signing.signing_key import SigningKey
from kms_tui.signing.times import utc_text

_LONG_FOR_A_SERVER = timedelta(days=398)
"""Apple's systems and browsers refuse certificates of public CAs that live longer."""
Extensions = list[tuple[x509.ExtensionType, bool]]
"""Each with whether it is critical."""
Lines = tuple[tuple[str, str], ...]


def unsigned_request(
    key: SigningKey, fields: CertificateFields, algorithm: str = ""
) -> Unsigned[x509.CertificateSigningRequest]:
    """A CSR: the subject, the names, and the usages that somebody chose. FieldError, SigningError."""
    algorithm = algorithm_for(key, algorithm)
    public = certified_key(key)
    usages = fields.key_usage
    if usages is None and fields.is_purpose_given:
        usages = usual_key_usage(fields.purpose, public, signs_only=True)
    extended = fields.extended if fields.is_purpose_given else fields.extended_key_usage or ()
    if usages is not None:
        require_fitting(usages, public, is_ca=fields.is_ca)
    extensions = [
        *_names_extension(fields),
        *([(x509.BasicConstraints(True, fields.path_length), True)] if fields.is_ca else []),
        *_usage_extensions(usages, extended),
    ]
    builder = x509.CertificateSigningRequestBuilder().subject_name(fields.subject)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return Unsigned(
        key,
        algorithm,
        (*_who(fields), *_what(fields, usages, extended), ("key", _key_words(key)), ("algorithm", algorithm)),
        (*fields.notes, *_key_notes(usages)),
        builder,
    )


def unsigned_self_signed(
    key: SigningKey, fields: CertificateFields, algorithm: str = ""
) -> Unsigned[x509.Certificate]:
    """A certificate of the key, signed by itself, perhaps a root CA. FieldError, SigningError."""
    if not list(fields.subject):
        raise FieldError(CertificateField.SUBJECT, "A self-signed certificate needs a subject.")
    public = certified_key(key)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(public)
    usages = fields.key_usage
    if usages is None:
        usages = usual_key_usage(fields.purpose, public, signs_only=True)
    ends = fields.ends or usual_end(fields)
    notes = (*fields.notes, *_key_notes(usages), *length_notes(fields, ends))
    return unsigned_certificate(
        key,
        fields,
        algorithm,
        public=public,
        issuer=fields.subject,
        issuer_identifier=identifier,
        usages=usages,
        ends=ends,
        notes=notes,
        key_words=_key_words(key),
    )


def unsigned_certificate(
    key: SigningKey,
    fields: CertificateFields,
    algorithm: str,
    *,
    public: CertificatePublicKeyTypes,
    issuer: x509.Name,
    issuer_identifier: x509.AuthorityKeyIdentifier,
    usages: frozenset[str],
    ends: datetime,
    notes: tuple[str, ...],
    key_words: str,
) -> Unsigned[x509.Certificate]:
    """A certificate of any public key, signed by the KMS key. FieldError, SigningError."""
    algorithm = algorithm_for(key, algorithm)
    require_fitting(usages, public, is_ca=fields.is_ca)
    serial = fields.serial or x509.random_serial_number()
    extensions: Extensions = [
        (x509.BasicConstraints(fields.is_ca, fields.path_length), True),
        *_usage_extensions(usages, fields.extended),
        *_names_extension(fields),
        (x509.SubjectKeyIdentifier.from_public_key(public), False),
        (issuer_identifier, False),
    ]
    builder = (
        x509.CertificateBuilder()
        .subject_name(fields.subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(serial)
        .not_valid_before(fields.begins)
        .not_valid_after(ends)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    lines: Lines = (
        *_who(fields),
        ("issuer", subject_text(issuer)),
        ("begins", utc_text(fields.begins)),
        ("ends", f"{utc_text(ends)}, after {days_words(ends - fields.begins)}"),
        *_what(fields, usages, fields.extended),
        ("serial", serial_text(serial)),
        ("key", key_words),
        ("signed by", key.arn),
        ("algorithm", algorithm),
    )
    return Unsigned(key, algorithm, lines, notes, builder)


def usual_end(fields: CertificateFields) -> datetime:
    """When a certificate ends if nobody says so."""
    return days_after(fields.begins, PURPOSES[fields.purpose].days)


def length_notes(fields: CertificateFields, ends: datetime) -> tuple[str, ...]:
    """A remark on a server's certificate that lives longer than clients may take."""
    length = ends - fields.begins
    if ExtendedKeyUsageOID.SERVER_AUTH not in fields.extended or length <= _LONG_FOR_A_SERVER:
        return ()
    return (
        f"It lives {days_words(length)}: many clients refuse a server's certificate of more than 398 days.",
    )


def _who(fields: CertificateFields) -> Lines:
    return (
        ("subject", subject_text(fields.subject) or "none"),
        *(("name", name_text(name)) for name in fields.names),
    )


def _what(
    fields: CertificateFields, usages: frozenset[str] | None, extended: tuple[x509.ObjectIdentifier, ...]
) -> Iterator[tuple[str, str]]:
    if fields.is_ca:
        follow = (
            "any number of CAs" if fields.path_length is None else f"{fields.path_length or 'no'} more CAs"
        )
        yield "CA", f"yes; {follow} may follow in a chain"
    if usages:
        yield "key usage", ", ".join(in_order(usages))
    if extended:
        yield "extended", ", ".join(map(extended_name, extended))


def _key_words(key: SigningKey) -> str:
    return f"{key.spec} {key.arn}"


def _key_notes(usages: frozenset[str] | None) -> tuple[str, ...]:
    """A remark on a usage that a key of KMS that signs cannot have."""
    if usages and KEY_ENCIPHERMENT in usages:
        return ("keyEncipherment is certified, and KMS decrypts nothing with a key of usage SIGN_VERIFY.",)
    return ()


def _names_extension(fields: CertificateFields) -> Extensions:
    """Critical where there is no subject (RFC 5280, 4.2.1.6)."""
    return [(x509.SubjectAlternativeName(fields.names), not list(fields.subject))] if fields.names else []


def _usage_extensions(
    usages: frozenset[str] | None, extended: tuple[x509.ObjectIdentifier, ...]
) -> Extensions:
    made: Extensions = [(key_usage_extension(usages), True)] if usages else []
    if extended:
        # Time stamping alone, and critical: RFC 3161, 2.3.
        made.append((x509.ExtendedKeyUsage(extended), extended == (ExtendedKeyUsageOID.TIME_STAMPING,)))
    return made
