"""The extensions of certificates, CSRs and CRLs in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cryptography import x509

from kms_tui.signing.certificates.alternative_names import name_text
from kms_tui.signing.certificates.usages import extended_name, key_usage_names

_MOST_BYTES = 64


def extension_name(oid: x509.ObjectIdentifier) -> str:
    """The name that the library has for it (``basicConstraints``), or the dotted OID."""
    named = oid._name
    return oid.dotted_string if named == "Unknown OID" else named


def extension_text(value: x509.ExtensionType) -> str:
    """What the extension says; the bytes in hex where it is not known here. Untrusted text."""
    write = _WRITERS.get(type(value))
    if write is not None:
        return write(value)
    raw = value.value if isinstance(value, x509.UnrecognizedExtension) else value.public_bytes()
    return raw.hex() if len(raw) <= _MOST_BYTES else f"{raw[:_MOST_BYTES].hex()}… ({len(raw):,} bytes)"


def _names(names: Iterable[x509.GeneralName] | None) -> str:
    return ", ".join(map(name_text, names or ()))


def _constraints(value: x509.BasicConstraints) -> str:
    if not value.ca:
        return "CA:false"
    return "CA:true" if value.path_length is None else f"CA:true, path length {value.path_length}"


def _authority(value: x509.AuthorityKeyIdentifier) -> str:
    key = (value.key_identifier or b"").hex(":")
    issuer = _names(value.authority_cert_issuer)
    return ", ".join(part for part in (key, issuer) if part)


def _points(value: Iterable[x509.DistributionPoint]) -> str:
    return ", ".join(_names(point.full_name) or "one relative to the issuer" for point in value)


def _access(value: x509.AuthorityInformationAccess) -> str:
    return ", ".join(
        f"{extension_name(each.access_method)} {name_text(each.access_location)}" for each in value
    )


def _constrained(value: x509.NameConstraints) -> str:
    parts = (("only", value.permitted_subtrees), ("never", value.excluded_subtrees))
    return "; ".join(f"{word} {_names(names)}" for word, names in parts if names)


_WRITERS: Mapping[type[x509.ExtensionType], Callable[[Any], str]] = {
    x509.BasicConstraints: _constraints,
    x509.KeyUsage: lambda value: ", ".join(key_usage_names(value)),
    x509.ExtendedKeyUsage: lambda value: ", ".join(map(extended_name, value)),
    x509.SubjectAlternativeName: _names,
    x509.IssuerAlternativeName: _names,
    x509.SubjectKeyIdentifier: lambda value: value.digest.hex(":"),
    x509.AuthorityKeyIdentifier: _authority,
    x509.CRLDistributionPoints: _points,
    x509.AuthorityInformationAccess: _access,
    x509.CertificatePolicies: lambda value: ", ".join(each.policy_identifier.dotted_string for each in value),
    x509.NameConstraints: _constrained,
    x509.CRLNumber: lambda value: str(value.crl_number),
    x509.CRLReason: lambda value: value.reason.value,
    x509.PrecertificateSignedCertificateTimestamps: lambda value: f"{len(list(value))} of transparency logs",
}
