"""What another certificate or a CSR says, copied with care: names and usages, never that it is a CA."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from kms_tui.signing.certificates.alternative_names import NAME_FIELDS, copied_name, name_kind, name_value
from kms_tui.signing.certificates.certificate_fields import CopiedFields, FieldTexts
from kms_tui.signing.certificates.certificate_files import UNREADABLE_EXTENSIONS, CertificateFileError
from kms_tui.signing.certificates.extension_texts import extension_name
from kms_tui.signing.certificates.field_errors import FieldError
from kms_tui.signing.certificates.subjects import subject_text
from kms_tui.signing.certificates.usages import CA_USAGES, COMMON, extended_name, fitting, key_usage_names
from kms_tui.visible import visible

NOTHING_TYPED = FieldTexts()
_LEFT_TO_OTHERS = (x509.SubjectKeyIdentifier, x509.AuthorityKeyIdentifier)
"""Made anew for each certificate, so that nobody misses the old ones."""


def copied_from(
    source: x509.Certificate | x509.CertificateSigningRequest,
    public: PublicKeyTypes,
    name: str,
    typed: FieldTexts = NOTHING_TYPED,
) -> CopiedFields:
    """For another certificate of one's own, of this public key: all that fits it.

    ``name`` is that of the file, for notes and errors. What is ``typed`` is not copied, nor looked at in the
    file. Raises CertificateFileError.
    """
    return _copied(source, public, name, typed, trusted=True)


def asked_for(
    request: x509.CertificateSigningRequest,
    public: PublicKeyTypes,
    name: str,
    typed: FieldTexts = NOTHING_TYPED,
) -> CopiedFields:
    """For the certificate that a CSR asks for: names, and the usages that are no power over others.

    ``public`` is the CSR's own key (``issuing.require_request``); ``name`` and ``typed`` as above. Raises
    CertificateFileError.
    """
    return _copied(request, public, name, typed, trusted=False)


def _copied(
    source: x509.Certificate | x509.CertificateSigningRequest,
    public: PublicKeyTypes,
    name: str,
    typed: FieldTexts,
    *,
    trusted: bool,
) -> CopiedFields:
    try:
        extensions = [(each.oid, each.value) for each in source.extensions]
        subject = x509.Name([]) if typed.subject.strip() else source.subject
    except UNREADABLE_EXTENSIONS as error:
        raise CertificateFileError(f"{name} has a subject or extensions that cannot be read.") from error
    if any(visible(str(each.value)) != str(each.value) for each in subject):
        raise CertificateFileError(
            f"The subject of {name}, {subject_text(subject)}, has a control or invisible character.",
            next_step="Write another one, with --subject.",
        )
    has_purpose = bool(typed.purpose.strip()) or typed.is_ca
    has_names = any(typed.of(field).strip() for field in NAME_FIELDS)
    names: tuple[x509.GeneralName, ...] = ()
    key_usage: frozenset[str] | None = None
    extended: tuple[x509.ObjectIdentifier, ...] | None = None
    missed: list[str] = []
    for oid, value in extensions:
        if isinstance(value, x509.SubjectAlternativeName):
            names = () if has_names else _names(value, name, missed)
        elif isinstance(value, x509.KeyUsage):
            if not has_purpose and not typed.key_usage.strip():
                asked = key_usage_names(value)
                key_usage = fitting(asked, public) - CA_USAGES or None
                missed += [f"the key usage {each}" for each in asked if each not in (key_usage or ())]
        elif isinstance(value, x509.ExtendedKeyUsage):
            if not has_purpose and not typed.extended_key_usage.strip():
                extended = tuple(each for each in value if trusted or each in COMMON) or None
                missed += [
                    f"the extended key usage {extended_name(each)}; --extended-key-usage gives it"
                    for each in value
                    if each not in (extended or ())
                ]
        elif isinstance(value, x509.BasicConstraints):
            missed += (
                ["that it is a CA's (CA:true); --purpose ca gives it"] if value.ca and not has_purpose else []
            )
        elif not isinstance(value, _LEFT_TO_OTHERS):
            missed.append(f"the extension {extension_name(oid)}")
    notes = tuple(f"Not copied from {name}: {each}." for each in missed)
    return CopiedFields(subject, names, key_usage, extended, notes)


def _names(
    value: x509.SubjectAlternativeName, source: str, missed: list[str]
) -> tuple[x509.GeneralName, ...]:
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
            missed.append(f"the {name_kind(each)} {name_value(each)}")
        else:
            copied.append(made)
    return tuple(dict.fromkeys(copied))
