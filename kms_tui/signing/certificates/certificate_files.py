"""Reading certificates, CSRs and CRLs, as PEM or DER, from what people have: chains, CRLF, text in front.

What is something else is named for what it is; a private key is never repeated.
"""

from __future__ import annotations

import base64
import binascii
import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.utils import CryptographyDeprecationWarning

from kms_tui.atomic import FileError, file_errors
from kms_tui.formats import encoding_of
from kms_tui.kms.errors import KmsTuiError
from kms_tui.signing.public_key_reading import is_private_der
from kms_tui.visible import visible

MOST_BYTES = 1 << 20
"""Of certificates and CSRs: the 140 roots that browsers trust take a fifth of it."""
MOST_CRL_BYTES = 32 << 20
"""Of a CRL: half a million revoked certificates."""
_MOST_OBJECTS = 1000
UNREADABLE_EXTENSIONS = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What the library raises where the extensions of a stranger's file are asked for."""

X509Object = x509.Certificate | x509.CertificateSigningRequest | x509.CertificateRevocationList
_Kind = TypeVar("_Kind", x509.Certificate, x509.CertificateSigningRequest, x509.CertificateRevocationList)
_KINDS: Mapping[type[X509Object], str] = {
    x509.Certificate: "certificate",
    x509.CertificateSigningRequest: "CSR",
    x509.CertificateRevocationList: "CRL",
}
_LOADERS: Mapping[type[X509Object], Callable[[bytes], X509Object]] = {
    x509.Certificate: x509.load_der_x509_certificate,
    x509.CertificateSigningRequest: x509.load_der_x509_csr,
    x509.CertificateRevocationList: x509.load_der_x509_crl,
}
_READ_AT_ONCE: Mapping[type[X509Object], tuple[str, ...]] = {
    x509.Certificate: ("subject", "issuer", "not_valid_before_utc", "not_valid_after_utc", "serial_number"),
    x509.CertificateSigningRequest: ("subject",),
    x509.CertificateRevocationList: ("issuer", "last_update_utc", "next_update_utc"),
}
_LABELS: Mapping[str, type[X509Object]] = {
    "CERTIFICATE": x509.Certificate,
    "X509 CERTIFICATE": x509.Certificate,
    "CERTIFICATE REQUEST": x509.CertificateSigningRequest,
    "NEW CERTIFICATE REQUEST": x509.CertificateSigningRequest,
    "X509 CRL": x509.CertificateRevocationList,
}
_OTHER_LABELS = {
    "PUBLIC KEY": "a public key",
    "RSA PUBLIC KEY": "a public key",
    "PKCS7": "a PKCS #7 bundle; `openssl pkcs7 -print_certs` takes its certificates out",
    "CMS": "a CMS message",
    "TRUSTED CERTIFICATE": "an openssl trusted certificate; `openssl x509` makes a plain one of it",
    "PGP PUBLIC KEY BLOCK": "a PGP key",
    "PGP MESSAGE": "a PGP message",
    "SSH SIGNATURE": "an SSH signature",
}
_BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 #]{1,40})-----")
_PKCS12 = re.compile(rb"\x30(?:[\x00-\x80]|\x81.|\x82..|\x83...|\x84....)\x02\x01\x03\x30", re.DOTALL)
# Strangers' certificates have serials of 0, or names that are too long: nothing to write to a terminal.
warnings.filterwarnings("ignore", category=CryptographyDeprecationWarning)
warnings.filterwarnings("ignore", category=UserWarning, message="Attribute's length must be")
_OWN_PEM = "Give the file that begins with -----BEGIN CERTIFICATE-----, or one in DER."


class CertificateFileError(KmsTuiError):
    """A file is not the certificate, CSR or CRL that is needed; the sentence names it (untrusted text)."""


def read_x509_file(path: Path) -> tuple[X509Object, ...]:
    """All that a file holds, at least one. CertificateFileError, FileError."""
    with file_errors(path, "read"), path.open("rb") as file:
        return read_x509_stream(file, str(path))


def read_x509_stream(file: BinaryIO, name: str) -> tuple[X509Object, ...]:
    """All that a stream holds, at least one; ``name`` is for errors."""
    try:
        content = file.read(MOST_CRL_BYTES + 1)
    except OSError as error:
        raise FileError(f"{name} could not be read: {error.strerror}.") from error
    return parse_x509(content, name)


def parse_x509(content: bytes, name: str) -> tuple[X509Object, ...]:
    """All certificates, CSRs and CRLs in PEM, or the one in DER; at least one. CertificateFileError."""
    if not content.strip():
        raise CertificateFileError(f"{name} is empty.")
    if len(content) > MOST_CRL_BYTES:
        raise _too_large(name, MOST_CRL_BYTES, "any CRL that is read here")
    if len(content) > MOST_BYTES and not _holds_crl(content):
        raise _too_large(name, MOST_BYTES, "any certificate")
    text = content.decode(encoding_of(content[:256]), "replace")
    blocks = [_Block(name, label, body) for label, body in _pem_blocks(text, name)]
    found = tuple(block.load() for block in blocks if not block.is_aside)
    if not blocks:
        found = (_load_der(content, name),)
    if not found:
        raise CertificateFileError(f"{name} has EC parameters only, and no certificate.", next_step=_OWN_PEM)
    return found


def read_certificate(content: bytes, name: str = "The file") -> x509.Certificate:
    """The first certificate, which in a chain is that of whoever signs. CertificateFileError."""
    return certificates_in(parse_x509(content, name), name)[0]


def only_certificate(objects: tuple[X509Object, ...], name: str) -> x509.Certificate:
    """The one certificate of a file; CertificateFileError where it holds several, or something else."""
    return _only(objects, name, x509.Certificate)


def only_request(objects: tuple[X509Object, ...], name: str) -> x509.CertificateSigningRequest:
    """The one CSR of a file; CertificateFileError."""
    return _only(objects, name, x509.CertificateSigningRequest)


def only_revocation_list(objects: tuple[X509Object, ...], name: str) -> x509.CertificateRevocationList:
    """The one CRL of a file; CertificateFileError."""
    return _only(objects, name, x509.CertificateRevocationList)


def certificates_in(objects: tuple[X509Object, ...], name: str) -> tuple[x509.Certificate, ...]:
    """The certificates of a file that may hold several; CertificateFileError for anything else."""
    for each in objects:
        if not isinstance(each, x509.Certificate):
            raise _another_kind(each, name, x509.Certificate)
    return tuple(each for each in objects if isinstance(each, x509.Certificate))


def kind_of(found: X509Object) -> str:
    """ "certificate", "CSR" or "CRL"."""
    return _KINDS[type(found)]


def _only(objects: tuple[X509Object, ...], name: str, kind: type[_Kind]) -> _Kind:
    found = []
    for each in objects:
        if not isinstance(each, kind):
            raise _another_kind(each, name, kind)
        found.append(each)
    if len(objects) > 1:
        raise CertificateFileError(
            f"{name} holds {len(objects)} {_KINDS[kind]}s, and one is needed.",
            next_step="Give a file with that one.",
        )
    return found[0]


def _another_kind(found: X509Object, name: str, wanted: type[X509Object]) -> CertificateFileError:
    return CertificateFileError(f"{name} holds a {kind_of(found)}, and a {_KINDS[wanted]} is needed.")


def _too_large(name: str, most: int, than: str) -> CertificateFileError:
    return CertificateFileError(f"{name} has more than {most >> 20} MiB: it is larger than {than}.")


class _Block:
    """One block of a PEM file."""

    def __init__(self, name: str, label: str, body: str) -> None:
        self._name = name
        self._label = label
        self._body = body
        self.is_aside = label.endswith("PARAMETERS")

    def load(self) -> X509Object:
        kind = _LABELS.get(self._label)
        if "PRIVATE KEY" in self._label:
            raise _private_key(self._name)
        if kind is None:
            other = _OTHER_LABELS.get(self._label, f"a PEM block “{visible(self._label)}”")
            raise CertificateFileError(
                f"{self._name} holds {other}; it is no certificate, CSR or CRL.", next_step=_OWN_PEM
            )
        try:
            der = base64.b64decode("".join(self._body.split()), validate=True)
        except (binascii.Error, ValueError):
            raise CertificateFileError(
                f"The {_KINDS[kind]} in {self._name} is damaged: it is not base64 between BEGIN and END."
            ) from None
        return _loaded(kind, der, self._name)


def _pem_blocks(text: str, name: str) -> list[tuple[str, str]]:
    blocks, at = [], 0
    while begin := _BEGIN.search(text, at):
        label = begin[1]
        ending = f"-----END {label}-----"
        end = text.find(ending, begin.end())
        if "PRIVATE KEY" in label:
            raise _private_key(name)
        if end < 0 or "-----BEGIN" in text[begin.end() : end]:
            raise CertificateFileError(
                f"{name} is not whole: it has “-----BEGIN {label}-----” without its END.",
                next_step="Copy it again, with its last line.",
            )
        blocks.append((label, text[begin.end() : end]))
        if len(blocks) > _MOST_OBJECTS:
            raise CertificateFileError(f"{name} holds more than {_MOST_OBJECTS:,} PEM blocks.")
        at = end + len(ending)
    return blocks


def _holds_crl(content: bytes) -> bool:
    try:
        return b"-----BEGIN X509 CRL-----" in content or bool(x509.load_der_x509_crl(content))
    except (ValueError, x509.InvalidVersion):
        return False


def _loaded(kind: type[X509Object], der: bytes, name: str) -> X509Object:
    loaded = _read_by(_LOADERS[kind], der)
    if loaded is None:
        raise CertificateFileError(
            f"The {_KINDS[kind]} in {name} cannot be read: it is damaged, or not whole."
        )
    return loaded


def _read_by(load: Callable[[bytes], X509Object], der: bytes) -> X509Object | None:
    """What a loader reads, None where it cannot. The library reads names and times when they are first asked
    for, so they are asked for here; extensions may stay unreadable.
    """
    try:
        loaded = load(der)
        for name in _READ_AT_ONCE[type(loaded)]:
            getattr(loaded, name)
        if isinstance(loaded, x509.CertificateRevocationList):
            for entry in loaded:
                entry.serial_number, entry.revocation_date_utc  # noqa: B018
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
        return None
    return loaded


def _load_der(content: bytes, name: str) -> X509Object:
    for each in (content, _as_base64(content)):
        if each[:1] != b"\x30":
            continue
        for load in _LOADERS.values():
            if (loaded := _read_by(load, each)) is not None:
                return loaded
        if _is_private_key(each):
            raise _private_key(name)
        if _is_public_key(each):
            raise CertificateFileError(f"{name} holds a public key; it is no certificate, CSR or CRL.")
    raise CertificateFileError(f"{name} is no certificate, CSR or CRL in PEM or DER.", next_step=_OWN_PEM)


def _as_base64(content: bytes) -> bytes:
    """The bytes, if the content is nothing but base64: a certificate whose BEGIN and END are lost."""
    try:
        return base64.b64decode(b"".join(content.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _is_private_key(der: bytes) -> bool:
    return bool(_PKCS12.match(der)) or is_private_der(der)


def _is_public_key(der: bytes) -> bool:
    try:
        load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True


def _private_key(name: str) -> CertificateFileError:
    return CertificateFileError(
        f"{name} holds a private key, and a certificate, CSR or CRL is needed. Its content is not shown.",
        next_step="A private key belongs to nobody but its owner: do not hand it on.",
    )
