"""KMS keys in OpenSSH's forms: which kinds there are, and the one-line public key.

RFC 4253 (wire format), RFC 5656 (ECDSA), RFC 8332 (RSA with SHA-2), RFC 8709 (Ed25519).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import SSHPublicKeyTypes, load_ssh_public_key

from kms_tui.kms.errors import KmsTuiError
from kms_tui.public_key import PublicKey
from kms_tui.signing.signing_key import SigningError, SigningKey

MOST_LINE = 1 << 16
"""Bytes of a ``.pub`` file: an RSA key of 16,384 bits takes 3,000."""
UNREADABLE_KEY = (ValueError, UnsupportedAlgorithm, NotImplementedError)
"""What the library raises for a public key of OpenSSH; the last for a point that is compressed."""
_ARN = re.compile(r"arn:[a-z-]+:kms:\S+")


class SshError(KmsTuiError):
    """A text is none of OpenSSH's forms that is expected; the sentence says why."""


class SshKind(NamedTuple):
    """How OpenSSH signs with a kind of key."""

    signature: str
    """The name of the signature's algorithm on the wire."""
    algorithm: str
    """KMS's signing algorithm."""


SSH_KINDS: Mapping[str, SshKind] = {
    **{f"RSA_{bits}": SshKind("rsa-sha2-512", "RSASSA_PKCS1_V1_5_SHA_512") for bits in (2048, 3072, 4096)},
    "ECC_NIST_P256": SshKind("ecdsa-sha2-nistp256", "ECDSA_SHA_256"),
    "ECC_NIST_P384": SshKind("ecdsa-sha2-nistp384", "ECDSA_SHA_384"),
    "ECC_NIST_P521": SshKind("ecdsa-sha2-nistp521", "ECDSA_SHA_512"),
    "ECC_NIST_EDWARDS25519": SshKind("ssh-ed25519", "ED25519_SHA_512"),
}
"""Key spec -> its kind; OpenSSH knows neither secp256k1 nor ML-DSA nor SM2."""


def require_ssh_kind(key: SigningKey) -> SshKind:
    """The key's kind; SigningError where OpenSSH does not know it."""
    kind = SSH_KINDS.get(key.spec)
    if kind is None:
        raise SigningError(
            f"{key.asked_as} is an {key.spec} key, a kind that OpenSSH does not know.",
            next_step="Use an RSA, P-256, P-384, P-521 or Ed25519 key.",
        )
    return kind


def public_blob(public_key: PublicKey) -> bytes:
    """The public key as it stands in signatures."""
    return base64.b64decode(public_key.ssh_line().split()[1])


def read_public_line(text: str) -> tuple[SSHPublicKeyTypes, str]:
    """The key in a line of a ``.pub`` file, and the comment behind it. Raises SshError."""
    if len(text) > MOST_LINE:
        raise SshError(f"This is no OpenSSH public key: it has more than {MOST_LINE:,} bytes.")
    if "PRIVATE KEY" in text:
        raise SshError("This is a private key.", next_step="Give the public key: the .pub file beside it.")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if len(lines) != 1:
        raise SshError(f"One line with an OpenSSH public key is expected; here are {len(lines)}.")
    parts = lines[0].split(None, 2)
    if parts[0].startswith("sk-"):  # the library would make a plain key of it
        raise SshError(
            "This is the key of a FIDO security key, and only ssh-keygen knows those.",
            next_step="Use an RSA, ECDSA or Ed25519 key without sk- in front.",
        )
    if "-cert-v0" in parts[0]:
        raise SshError(
            "This is a certificate already.",
            next_step="Give the public key that it is of: its own .pub file.",
        )
    try:
        loaded = load_ssh_public_key(" ".join(parts[:2]).encode())
    except UNREADABLE_KEY as error:
        raise SshError(
            "This is no OpenSSH public key that is known here.",
            next_step='A line looks like "ssh-ed25519 AAAA… comment".',
        ) from error
    return loaded, parts[2] if len(parts) > 2 else ""


def key_named_in(comment: str) -> str:
    """The ARN of a KMS key in the comment of a public key, or ""."""
    found = _ARN.search(comment)
    return found[0] if found else ""
