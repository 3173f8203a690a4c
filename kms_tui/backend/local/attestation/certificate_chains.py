"""Whether the certificate of an attestation document leads to a trusted root (verify-root).

Not by the path building of ``cryptography``, which asks for names of servers and e-mail addresses.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from kms_tui.backend.local.attestation.attestations import AttestationError

_MOST = 10
"""Certificates in a chain; Nitro has five."""


def require_chain(
    certificate: x509.Certificate,
    issuers: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    moment: datetime,
) -> None:
    """AttestationError unless each is issued by the next, and the last is a root or issued by one."""
    if len(issuers) > _MOST:
        raise AttestationError(f"its chain has more than {_MOST} certificates")
    chain = [certificate, *issuers]
    for below, (issued, issuer) in enumerate(pairwise(chain)):
        if not _is_issued(issued, issuer, below):
            raise AttestationError("its certificates are no chain")
    top, below = chain[-1], len(chain) - 1
    root = next((each for each in roots if each == top or _is_issued(top, each, below)), None)
    if root is None:
        raise AttestationError("its certificates do not lead to a trusted root")
    for each in (*chain, root):
        if not each.not_valid_before_utc <= moment <= each.not_valid_after_utc:
            raise AttestationError("a certificate of it is not valid now")
    if _usage(certificate, "digital_signature") is False:
        raise AttestationError("its certificate is not one for signatures")


def _is_issued(issued: x509.Certificate, issuer: x509.Certificate, below: int) -> bool:
    """Whether a CA with room for as many CAs below it has issued the certificate."""
    try:
        issued.verify_directly_issued_by(issuer)
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    has_room = constraints.path_length is None or constraints.path_length >= below
    return constraints.ca and has_room and _usage(issuer, "key_cert_sign") is not False


def _usage(certificate: x509.Certificate, name: str) -> bool | None:
    """Whether a key usage is there; None where the certificate does not say."""
    try:
        usages = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        return None
    return bool(getattr(usages, name))
