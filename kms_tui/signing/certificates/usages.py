"""Key usage, extended key usage, and the purposes from which both follow.

Source: RFC 5280 (the usages), RFC 3279 (RSA), 5480 (curves), 8410 (Ed25519) and 9881 (ML-DSA): what a key of
each kind may be certified for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID

from kms_tui.signing.certificates.field_errors import CertificateField, FieldError
from kms_tui.visible import visible

KEY_USAGES = {
    "digitalSignature": "digital_signature",
    "nonRepudiation": "content_commitment",
    "keyEncipherment": "key_encipherment",
    "dataEncipherment": "data_encipherment",
    "keyAgreement": "key_agreement",
    "keyCertSign": "key_cert_sign",
    "cRLSign": "crl_sign",
    "encipherOnly": "encipher_only",
    "decipherOnly": "decipher_only",
}
"""The name in RFC 5280, in the order of the bits -> the library's name."""
CERT_SIGN, CRL_SIGN, SIGNATURE, KEY_ENCIPHERMENT = (
    "keyCertSign",
    "cRLSign",
    "digitalSignature",
    "keyEncipherment",
)
CA_USAGES = frozenset({CERT_SIGN, CRL_SIGN})
_ENCIPHERING = {"keyEncipherment", "dataEncipherment"}
_AGREEING = {"keyAgreement", "encipherOnly", "decipherOnly"}
_ALSO = {"contentcommitment": "nonRepudiation"}
_BY_LOWER = {name.lower(): name for name in KEY_USAGES} | _ALSO

EXTENDED_KEY_USAGES = {
    "serverAuth": ExtendedKeyUsageOID.SERVER_AUTH,
    "clientAuth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "codeSigning": ExtendedKeyUsageOID.CODE_SIGNING,
    "emailProtection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "timeStamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "OCSPSigning": ExtendedKeyUsageOID.OCSP_SIGNING,
    "anyExtendedKeyUsage": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "smartcardLogon": ExtendedKeyUsageOID.SMARTCARD_LOGON,
    "pkInitKDC": ExtendedKeyUsageOID.KERBEROS_PKINIT_KDC,
    "ipsecIKE": ExtendedKeyUsageOID.IPSEC_IKE,
    "documentSigning": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36"),
}
_EXTENDED_BY_LOWER = {name.lower(): oid for name, oid in EXTENDED_KEY_USAGES.items()}
_EXTENDED_NAMES = {oid: name for name, oid in EXTENDED_KEY_USAGES.items()}
_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
COMMON = frozenset(
    {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.EMAIL_PROTECTION}
)
"""What a CSR gets by asking for it; the others are powers that the issuer has to name."""


class CertificatePurpose(StrEnum):
    """What a certificate is for, from which usages and the usual time follow."""

    SERVER = "server"
    CLIENT = "client"
    CODE = "code"
    EMAIL = "email"
    CA = "ca"
    GENERAL = "general"
    """Whatever a signature is good for: no extended key usage."""


@dataclass(frozen=True, slots=True)
class PurposeRules:
    extended: tuple[x509.ObjectIdentifier, ...]
    enciphers: bool
    """Whether an RSA key that decrypts also gets keyEncipherment."""
    days: int
    """How long such a certificate lives unless somebody says otherwise."""


PURPOSES: Mapping[CertificatePurpose, PurposeRules] = {
    CertificatePurpose.SERVER: PurposeRules((ExtendedKeyUsageOID.SERVER_AUTH,), True, 90),
    CertificatePurpose.CLIENT: PurposeRules((ExtendedKeyUsageOID.CLIENT_AUTH,), False, 90),
    CertificatePurpose.CODE: PurposeRules((ExtendedKeyUsageOID.CODE_SIGNING,), False, 365),
    CertificatePurpose.EMAIL: PurposeRules((ExtendedKeyUsageOID.EMAIL_PROTECTION,), True, 365),
    CertificatePurpose.CA: PurposeRules((), False, 3650),
    CertificatePurpose.GENERAL: PurposeRules((), False, 90),
}


def usual_key_usage(purpose: CertificatePurpose, key: PublicKeyTypes, *, signs_only: bool) -> frozenset[str]:
    """The key usage of a certificate for ``purpose``; ``signs_only``: the key is one of KMS that signs."""
    if purpose is CertificatePurpose.CA:
        return CA_USAGES
    enciphers = PURPOSES[purpose].enciphers and isinstance(key, rsa.RSAPublicKey) and not signs_only
    return frozenset({SIGNATURE, KEY_ENCIPHERMENT} if enciphers else {SIGNATURE})


def read_purpose(text: str) -> CertificatePurpose | None:
    """The purpose of a field's text; None for "". FieldError."""
    if not text.strip():
        return None
    try:
        return CertificatePurpose(text.strip().lower())
    except ValueError:
        raise FieldError(
            CertificateField.PURPOSE,
            f"“{visible(text.strip()[:60])}” is no purpose.",
            next_step=f"There are {', '.join(CertificatePurpose)}.",
        ) from None


def read_key_usage(text: str) -> frozenset[str] | None:
    """The key usages that a text names; None for "". FieldError for a name that is none."""
    words = _words(text)
    for word in words:
        if word.lower() not in _BY_LOWER:
            raise FieldError(
                CertificateField.KEY_USAGE,
                f"“{visible(word[:60])}” is no key usage.",
                next_step=f"There are {', '.join(KEY_USAGES)}.",
            )
    return frozenset(_BY_LOWER[word.lower()] for word in words) or None


def read_extended_key_usage(text: str) -> tuple[x509.ObjectIdentifier, ...] | None:
    """The extended key usages that a text names, by name or dotted OID; None for "". FieldError."""
    found = dict.fromkeys(map(_extended, _words(text)))
    return tuple(found) or None


def _extended(word: str) -> x509.ObjectIdentifier:
    if oid := _EXTENDED_BY_LOWER.get(word.lower()):
        return oid
    try:
        return x509.ObjectIdentifier(word)
    except ValueError:
        raise FieldError(
            CertificateField.EXTENDED_KEY_USAGE,
            f"“{visible(word[:60])}” is no extended key usage.",
            next_step=f"There are {', '.join(EXTENDED_KEY_USAGES)}, and dotted OIDs.",
        ) from None


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[,\s]+", text) if word]


def require_fitting(usages: frozenset[str], key: PublicKeyTypes, *, is_ca: bool) -> None:
    """FieldError where a key of this kind, or a certificate that is no CA's, may not have such a usage."""
    if not is_ca and CERT_SIGN in usages:
        raise FieldError(
            CertificateField.KEY_USAGE, "keyCertSign is for CAs: this certificate is none (CA:false)."
        )
    if is_ca and CERT_SIGN not in usages:
        raise FieldError(CertificateField.KEY_USAGE, "A CA without keyCertSign could not issue anything.")
    wrong = sorted(usages & _unfit(key))
    if wrong:
        raise FieldError(CertificateField.KEY_USAGE, f"{wrong[0]} is nothing for {key_words(key)} key.")
    if usages & {"encipherOnly", "decipherOnly"} and "keyAgreement" not in usages:
        raise FieldError(
            CertificateField.KEY_USAGE, "encipherOnly and decipherOnly mean something with keyAgreement only."
        )


def _unfit(key: PublicKeyTypes) -> set[str]:
    if isinstance(key, rsa.RSAPublicKey):
        return _AGREEING
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _ENCIPHERING
    return _ENCIPHERING | _AGREEING


def fitting(usages: Iterable[str], key: PublicKeyTypes) -> frozenset[str]:
    """Those of the usages that a key of this kind may have."""
    return frozenset(usages) - _unfit(key)


def key_words(key: PublicKeyTypes) -> str:
    """What kind of key it is, with its article: "an RSA", "a P-256", "an Ed25519"."""
    if isinstance(key, rsa.RSAPublicKey):
        return "an RSA"
    if isinstance(key, dsa.DSAPublicKey):
        return "a DSA"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"a {_CURVES.get(key.curve.name, key.curve.name)}"
    name = type(key).__name__.removesuffix("PublicKey").lstrip("_")
    return f"an {name.replace('MLDSA', 'ML-DSA-')}"


def key_text(key: PublicKeyTypes) -> str:
    """What kind of key it is, with its size where the kind has several: "RSA, 2,048 bits", "P-256"."""
    kind = key_words(key).partition(" ")[2]
    bits = getattr(key, "key_size", None)
    return kind if bits is None or isinstance(key, ec.EllipticCurvePublicKey) else f"{kind}, {bits:,} bits"


def key_usage_extension(usages: frozenset[str]) -> x509.KeyUsage:
    return x509.KeyUsage(**{attribute: name in usages for name, attribute in KEY_USAGES.items()})


def key_usage_names(extension: x509.KeyUsage) -> tuple[str, ...]:
    """The usages of an extension, by their names in RFC 5280 and in its order."""
    # Without keyAgreement the library answers for the two that go with it with an error.
    alone = {"encipherOnly", "decipherOnly"} if not extension.key_agreement else set()
    return tuple(
        name for name, attribute in KEY_USAGES.items() if name not in alone and getattr(extension, attribute)
    )


def in_order(usages: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name in KEY_USAGES if name in usages)


def extended_name(oid: x509.ObjectIdentifier) -> str:
    """``serverAuth``, or the dotted OID of one that has no name here."""
    return _EXTENDED_NAMES.get(oid, oid.dotted_string)
