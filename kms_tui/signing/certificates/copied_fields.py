"""What another certificate or a CSR says, copied with care: names and usages, never that it is a CA."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from kms_tui.signing.certificates.alternative_names import copied_name, name_kind, name_value
from kms_tui.signing.certificates.certificate_fields import CopiedFields
from kms_tui.signing.certificates.certificate_files import CertificateFileError
from kms_tui.signing.certificates.extension_texts import extension_name
from kms_tui.signing.certificates.field_errors import FieldError
from kms_tui.signing.certificates.subjects import subject_text
from kms_tui.signing.certificates.usages import CA_USAGES, COMMON, extended_name, fitting, key_usage_names
from kms_tui.visible import visible

_LEFT_TO_OTHERS = (x509.SubjectKeyIdentifier, x509.AuthorityKeyIdentifier)
"""Made anew for each certificate, so that nobody misses the old ones."""


def copied_from(
    source: x509.Certificate | x509.CertificateSigningRequest, public: PublicKeyTypes, name: str
) -> CopiedFields:
    """For another certificate of one's own, of this public key: all that fits it.

    ``name`` is that of the file, for notes and errors. Raises CertificateFileError.
    """
    return _copied(source, public, name, trusted=True)


def asked_for(request: x509.CertificateSigningRequest, public: PublicKeyTypes, name: str) -> CopiedFields:
    """For the certificate that a CSR asks for: names, and the usages that are no power over others.

    ``public`` is the CSR's own key (``issuing.require_request``). Raises CertificateFileError.
    """
    return _copied(request, public, name, trusted=False)


def _copied(
    source: x509.Certificate | x509.CertificateSigningRequest,
    public: PublicKeyTypes,
    name: str,
    *,
    trusted: bool,
) -> CopiedFields:
    try:
        extensions = list(source.extensions)
        subject = source.subject
    except ValueError as error:
        raise CertificateFileError(f"{name} has extensions that cannot be read.") from error
    names: tuple[x509.GeneralName, ...] = ()
    key_usage: frozenset[str] | None = None
    extended: tuple[x509.ObjectIdentifier, ...] | None = None
    notes: list[str] = []
    if any(visible(str(each.value)) != str(each.value) for each in subject):
        raise CertificateFileError(
            f"The subject of {name}, {subject_text(subject)}, has a control or invisible character.",
            next_step="Write another one, with --subject.",
        )
    for extension in extensions:
        value = extension.value
        if isinstance(value, x509.SubjectAlternativeName):
            names = _names(value, name, notes)
        elif isinstance(value, x509.KeyUsage):
            asked = key_usage_names(value)
            key_usage = fitting(asked, public) - CA_USAGES or None
            notes += [
                f"Not copied from {name}: the key usage {each}."
                for each in asked
                if key_usage is None or each not in key_usage
            ]
        elif isinstance(value, x509.ExtendedKeyUsage):
            taken = tuple(oid for oid in value if trusted or oid in COMMON)
            notes += [
                f"Not copied from {name}: the extended key usage {extended_name(oid)}; "
                "--extended-key-usage gives it."
                for oid in value
                if oid not in taken
            ]
            extended = taken or None
        elif isinstance(value, x509.BasicConstraints):
            if value.ca:
                notes.append(f"Not copied from {name}: that it is a CA's (CA:true).")
        elif not isinstance(value, _LEFT_TO_OTHERS):
            notes.append(f"Not copied from {name}: the extension {extension_name(extension.oid)}.")
    return CopiedFields(subject, names, key_usage, extended, tuple(notes))


def _names(value: x509.SubjectAlternativeName, source: str, notes: list[str]) -> tuple[x509.GeneralName, ...]:
    copied = []
    for each in value:
        try:
            made = copied_name(each)
        except FieldError as error:
            raise CertificateFileError(
                f"{source} has an alternative name that cannot be copied: {error}",
                next_step=f"Give the names yourself, with --{error.field} and the like.",
            ) from error
        if made is None:
            notes.append(f"Not copied from {source}: the {name_kind(each)} {name_value(each)}.")
        else:
            copied.append(made)
    return tuple(dict.fromkeys(copied))
