"""The openssl commands that check what was made: for OpenSSL 3.0 and newer, of ML-DSA for 3.5 and newer."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import mldsa
from cryptography.hazmat.primitives.serialization import Encoding

from kms_tui.kms.keyspecs import Family
from kms_tui.signing.certificates.certificate_files import X509Object
from kms_tui.signing.signing_key import SigningKey

_ML_DSA = (mldsa.MLDSA44PublicKey, mldsa.MLDSA65PublicKey, mldsa.MLDSA87PublicKey)


def openssl_lines(
    made: X509Object,
    path: str,
    encoding: Encoding,
    now: datetime,
    *,
    ca: x509.Certificate | None = None,
    ca_path: str = "",
    is_ca_pem: bool = True,
) -> tuple[str, ...]:
    """The commands that check the file at ``path``; ``ca`` issued it, and is in the file ``ca_path``.

    Without ``ca_path`` there is nothing to check an issued certificate or a CRL against, and openssl reads no
    CA in DER for a CRL: then the command only shows it.
    """
    return tuple(_lines(made, path, encoding, now, ca, ca_path, is_ca_pem))


def _lines(
    made: X509Object,
    path: str,
    encoding: Encoding,
    now: datetime,
    ca: x509.Certificate | None,
    ca_path: str,
    is_ca_pem: bool,
) -> Iterator[str]:
    form = " -inform DER" if encoding is Encoding.DER else ""
    file = _word(path)
    if isinstance(made, x509.CertificateSigningRequest):
        yield f"openssl req{form} -in {file} -noout -verify -text"
    elif isinstance(made, x509.CertificateRevocationList):
        against = f" -CAfile {_word(ca_path)}" if ca_path and is_ca_pem else " -text"
        yield f"openssl crl{form} -in {file}{against} -noout"
    else:
        issuer, issuer_path = (made, path) if ca is None else (ca, ca_path)
        if issuer_path:
            options = _verify_options(made, issuer, now)
            trusted = "-CAfile" if (encoding is Encoding.PEM if ca is None else is_ca_pem) else "-trusted"
            yield f"openssl verify {options}{trusted} {_word(issuer_path)} {file}"
        yield f"openssl x509{form} -in {file} -noout -text"


def _verify_options(made: x509.Certificate, issuer: x509.Certificate, now: datetime) -> str:
    is_valid = all(each.not_valid_before_utc <= now <= each.not_valid_after_utc for each in (made, issuer))
    is_root = issuer.issuer == issuer.subject
    return ("" if is_valid else "-no_check_time ") + ("" if is_root else "-partial_chain ")


def openssl_needed(made: X509Object, key: SigningKey) -> str:
    """The OpenSSL that knows the keys: "OpenSSL 3.5 or newer" for ML-DSA, "" for all others."""
    certifies = not isinstance(made, x509.CertificateRevocationList) and isinstance(
        made.public_key(), _ML_DSA
    )
    return "OpenSSL 3.5 or newer" if certifies or key.family is Family.ML_DSA else ""


def _word(path: str) -> str:
    return shlex.quote(f"./{path}" if path.startswith("-") else path)
