"""What people paste that is none of what is asked for, named for what it is. Nothing of it is repeated."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

_START = 4096
"""Characters of a text that are looked at."""
_PEM_BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----")


class PastedKind(NamedTuple):
    """A kind of text: what it is, as the end of a sentence, and what to do instead ("" if nothing)."""

    name: str
    next_step: str = ""
    secret: bool = False
    """Whether it holds a private key or a secret in the clear."""


PRIVATE_KEY = PastedKind("a private key", "Keep it secret: only its public key may be given.", secret=True)
_PEM_KINDS = {
    "PGP MESSAGE": PastedKind("a PGP message", "gpg opens it; KMS has no part in it."),
    "PGP SIGNATURE": PastedKind("a PGP signature", "gpg verifies it; KMS has no part in it."),
    "PGP SIGNED MESSAGE": PastedKind("a message signed with PGP", "gpg verifies it."),
    "PGP PUBLIC KEY BLOCK": PastedKind("a PGP public key", "Give the key as PEM, JWK or SSH line."),
    "AGE ENCRYPTED FILE": PastedKind("an age file", "age opens it; KMS has no part in it."),
    "CMS": PastedKind("a CMS structure", "openssl cms opens and verifies those."),
    "PKCS7": PastedKind("a PKCS #7 structure", "openssl cms opens and verifies those."),
    "SSH SIGNATURE": PastedKind("an SSH signature", "ssh-keygen -Y verify checks those."),
    "CERTIFICATE": PastedKind("a certificate"),
    "TRUSTED CERTIFICATE": PastedKind(
        "a certificate with openssl's trust settings", "openssl x509 -in FILE writes it without them."
    ),
    "X509 CERTIFICATE": PastedKind("a certificate"),
    "CERTIFICATE REQUEST": PastedKind("a certificate signing request"),
    "NEW CERTIFICATE REQUEST": PastedKind("a certificate signing request"),
    "X509 CRL": PastedKind("a certificate revocation list"),
    "PUBLIC KEY": PastedKind("a public key"),
    "RSA PUBLIC KEY": PastedKind("a public key"),
}
_PATTERNS = (
    (re.compile(r"PuTTY-User-Key-File-"), PRIVATE_KEY),
    (re.compile(r"AGE-SECRET-KEY-1"), PRIVATE_KEY),
    (
        re.compile(r"age-encryption\.org/v1"),
        PastedKind("an age file", "age opens it; KMS has no part in it."),
    ),
    (re.compile(r"age1[a-z0-9]{20,}\s*\Z"), PastedKind("an age recipient", "It is no key that KMS has.")),
    (
        re.compile(r"\$ANSIBLE_VAULT;"),
        PastedKind("an ansible-vault file", "ansible-vault decrypts it, with its password."),
    ),
    (
        re.compile(r"vault:v[0-9]+:"),
        PastedKind("a ciphertext of HashiCorp Vault", "Its transit engine opens it."),
    ),
    (
        re.compile(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]"),
        PastedKind("an encrypted token (JWE)", "Who holds the key that it was encrypted to opens it."),
    ),
    (
        re.compile(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*)?\s*\Z"),
        PastedKind("a token (JWT)", "kms-tui jwt verify takes it apart."),
    ),
    (
        re.compile(r"(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-\S+|sk-\S+@openssh\.com) [A-Za-z0-9+/]"),
        PastedKind("an SSH public key"),
    ),
    (
        re.compile(
            r"arn:[a-z-]+:kms:|alias/|mrk-[0-9a-f]{32}\s*\Z|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\s*\Z"
        ),
        PastedKind("the name of a KMS key"),
    ),
)

_SOPS_VALUE = "ENC[AES256_GCM,"
_SOPS = PastedKind("a sops file", "sops decrypt opens it; its data key is the enc under sops: kms:.")


def kind_of(content: str | bytes) -> PastedKind | None:
    """The kind of a text that its beginning tells; None for any other, and for bytes that are no text."""
    if isinstance(content, bytes):
        content = content[:_START].decode("latin-1")
    start = content[:_START].lstrip("\ufeff \t\r\n\"'")
    block = _PEM_BEGIN.search(start)
    if block is not None:
        label = block[1]
        if label.endswith("PRIVATE KEY") or label == "PGP PRIVATE KEY BLOCK":
            return PRIVATE_KEY
        return _PEM_KINDS.get(label)
    if _SOPS_VALUE in start:
        return _SOPS
    return next((kind for pattern, kind in _PATTERNS if pattern.match(start)), None)


_BINARY_KINDS = (
    (b"SSHSIG", _PEM_KINDS["SSH SIGNATURE"]),
    (b"age-encryption.org/", _PEM_KINDS["AGE ENCRYPTED FILE"]),
)
CMS_SIGNATURE = PastedKind("a CMS signature", "openssl cms -verify checks it.")
_DER_KINDS = (
    (bytes.fromhex("06092a864886f70d010702"), CMS_SIGNATURE),
    (bytes.fromhex("06092a864886f70d010703"), PastedKind("a CMS envelope", "openssl cms -decrypt opens it.")),
)
"""The object identifier with which the structure begins -> what it is."""


def kind_of_bytes(data: bytes) -> PastedKind | None:
    """The kind of bytes that are something around a signature or a ciphertext; None for any other."""
    for start, kind in _BINARY_KINDS:
        if data.startswith(start):
            return kind
    if not data.startswith(b"\x30"):
        return None
    return next((kind for identifier, kind in _DER_KINDS if identifier in data[:20]), None)


def unquoted(text: str) -> str | None:
    """What stands between quotes, with JSON's escapes resolved; None for a text without quotes around it."""
    if len(text) < 2 or text[0] != text[-1] or text[0] not in "\"'":
        return None
    try:
        return str(json.loads(f'"{text[1:-1]}"', strict=False))
    except ValueError:
        return text[1:-1]
