"""Signatures beside files: the formats, signing a file in one of them, and checking one of any of them.

A file is digested here, in constant memory, and KMS signs the digest. Ed25519 signs no digest (RFC 8032), so
KMS signs files of at most 4,096 bytes with it, except in the formats ``cms`` and ``ssh``, which sign a digest
in an envelope of their own.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from cryptography import x509

from kms_tui.envelope.streams import Readable
from kms_tui.formats import pem
from kms_tui.kms.keyspecs import Family
from kms_tui.public_key import feed
from kms_tui.signing.files import cms
from kms_tui.signing.signature_forms import SignatureForm, has_two_forms, read_signature
from kms_tui.signing.signing_key import SigningError, SigningKey, default_algorithm
from kms_tui.signing.ssh import ssh_signatures
from kms_tui.signing.ssh.ssh_keys import require_ssh_kind


class SignatureFormat(StrEnum):
    """What the file of a signature holds."""

    RAW = "raw"
    BASE64 = "base64"
    R_S = "r-s"
    CMS = "cms"
    CMS_PEM = "cms-pem"
    SSH = "ssh"
    COSIGN = "cosign"


class FormatFacts(NamedTuple):
    """A format for people."""

    suffix: str
    words: str


FORMATS: Mapping[SignatureFormat, FormatFacts] = {
    SignatureFormat.RAW: FormatFacts(".sig", "the bytes that KMS makes (openssl dgst -verify)"),
    SignatureFormat.BASE64: FormatFacts(".sig", "the same in base64"),
    SignatureFormat.R_S: FormatFacts(".sig", "ECDSA's two numbers side by side (JWS, wallets)"),
    SignatureFormat.CMS: FormatFacts(".p7s", "detached CMS in DER, with a certificate (openssl cms -verify)"),
    SignatureFormat.CMS_PEM: FormatFacts(".pem", "the same in PEM"),
    SignatureFormat.SSH: FormatFacts(".sig", "an SSH signature (ssh-keygen -Y verify)"),
    SignatureFormat.COSIGN: FormatFacts(".sig", "what cosign verify-blob --key reads: base64, SHA-256"),
}
_CMS = (SignatureFormat.CMS, SignatureFormat.CMS_PEM)
_FOR_OPENSSL = (SignatureFormat.RAW, SignatureFormat.BASE64, *_CMS)
PREHASHED = "ED25519_PH_SHA_512"
_COSIGN = {"ECDSA_SHA_256", "RSASSA_PKCS1_V1_5_SHA_256", "ED25519_SHA_512"}
Ticks = Callable[[int], None]


def no_ticks(done: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class SigningChoice:
    """How files are signed."""

    format: SignatureFormat = SignatureFormat.RAW
    algorithm: str = ""
    """KMS's signing algorithm; "" for the key's default."""
    low_s: bool = False
    """Whether an ECDSA signature gets the smaller of its two s."""
    certificate: x509.Certificate | None = None
    """The key's certificate, which CMS carries."""
    namespace: str = "file"
    """Of an SSH signature."""
    signed_at: datetime | None = None
    """The signing time in CMS."""


def checked_choice(key: SigningKey, choice: SigningChoice) -> str:
    """The algorithm that a choice comes to. SigningError where the key cannot sign so; nothing is sent."""
    algorithm = key.require(choice.algorithm) if choice.algorithm else _default_for(key, choice.format)
    name = choice.format
    if algorithm == PREHASHED:
        raise SigningError(
            f"{algorithm} is read by nothing but KMS, which hashes the digest of a file once more.",
            next_step="Use ED25519_SHA_512; as CMS or SSH it signs files of any size.",
        )
    two_forms = has_two_forms(key.spec)
    if name is SignatureFormat.R_S and not two_forms:
        raise SigningError(
            f"{key.asked_as} is an {key.spec} key: only ECDSA signatures have the form r‖s.",
            next_step="Use raw.",
        )
    if choice.low_s and not two_forms:
        raise SigningError(f"{key.asked_as} is an {key.spec} key: only ECDSA signatures have a low s.")
    if name is SignatureFormat.COSIGN and algorithm not in _COSIGN:
        raise SigningError(
            f"cosign verify-blob reads no signature made with {algorithm}.",
            next_step=f"It reads {', '.join(sorted(_COSIGN))}.",
        )
    if name in _CMS:
        if choice.certificate is None:
            raise SigningError(
                "A CMS signature names its signer by a certificate, and none is given.",
                next_step="Make one with kms-tui cert self-sign, or have a CA issue one.",
            )
        cms.require_certificate_of(key, choice.certificate)
    if name is SignatureFormat.SSH and require_ssh_kind(key).algorithm != algorithm:
        raise SigningError(f"OpenSSH signs with {require_ssh_kind(key).algorithm}, not with {algorithm}.")
    return algorithm


def _default_for(key: SigningKey, name: SignatureFormat) -> str:
    return require_ssh_kind(key).algorithm if name is SignatureFormat.SSH else default_algorithm(key)


def openssl_note(key: SigningKey, choice: SigningChoice) -> str:
    """What people who verify with openssl have to know of a signature; "" where it is as usual.

    ``openssl dgst`` verifies no Ed25519, ``openssl cms`` none up to 3.6 (openssl#32248); 3.5 has ML-DSA.
    """
    if choice.format not in _FOR_OPENSSL:
        return ""
    is_cms = choice.format in _CMS
    if key.family is Family.ML_DSA:
        return f"OpenSSL 3.5 or newer verifies it{'' if is_cms else ', with openssl pkeyutl -verify -rawin'}."
    if key.spec != "ECC_NIST_EDWARDS25519":
        return ""
    if is_cms:
        return "openssl cms does not verify Ed25519 (up to 3.6 at least); kms-tui verify does."
    return "openssl dgst does not verify Ed25519: openssl pkeyutl -verify -rawin does."


def sign_file(key: SigningKey, source: Readable, choice: SigningChoice, ticks: Ticks = no_ticks) -> bytes:
    """What to write beside a file. One call of Sign; ``ticks`` gets the bytes read, and may raise to stop.

    Raises SigningError before anything is sent, and KMS's own errors.
    """
    algorithm = checked_choice(key, choice)
    match choice.format:
        case SignatureFormat.SSH:
            digest = stream_digest(source, ssh_signatures.HASH, ticks)
            return ssh_signatures.sign_digest(key, digest, choice.namespace).encode()
        case SignatureFormat.CMS | SignatureFormat.CMS_PEM:
            assert choice.certificate is not None
            assert choice.signed_at is not None
            digest = stream_digest(source, cms.digest_name(algorithm), ticks)
            der = cms.sign_digest(key, choice.certificate, digest, algorithm, choice.signed_at)
            return der if choice.format is SignatureFormat.CMS else pem("CMS", der).encode()
    signature = key.sign_stream(source, algorithm, ticks)
    ecdsa = read_signature(signature, key.spec)
    if ecdsa is not None:
        form = SignatureForm.R_S if choice.format is SignatureFormat.R_S else SignatureForm.DER
        signature = (ecdsa.with_low_s() if choice.low_s else ecdsa).write(form)
    if choice.format in (SignatureFormat.BASE64, SignatureFormat.COSIGN):
        return base64.b64encode(signature) + b"\n"
    return signature


def stream_digest(source: Readable, name: str, ticks: Ticks = no_ticks) -> bytes:
    """The digest of a stream by hashlib's name of the hash, in constant memory."""
    made = hashlib.new(name)
    feed([made], source, ticks)
    return made.digest()
