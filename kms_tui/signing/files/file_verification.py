"""Checking the signature of a file: whatever form it has, and whichever algorithm of the key made it.

The public key does it here, so no call of KMS is made but GetPublicKey, and files of any size are checked.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import rsa

from kms_tui.envelope.streams import Readable
from kms_tui.formats import Format, FormatError, decode, detect
from kms_tui.kms.keyspecs import DIGEST, KEY_SPECS, RAW
from kms_tui.kms.keyspecs import SIGNING_ALGORITHMS as ALGORITHMS
from kms_tui.kms.model import KeyUsage
from kms_tui.public_key import PublicKey, digest_message, feed
from kms_tui.signing.files.cms import CmsSignature, read_cms
from kms_tui.signing.files.file_signatures import PREHASHED, Ticks, no_ticks, stream_digest
from kms_tui.signing.pasted_kinds import CMS_SIGNATURE, kind_of_bytes
from kms_tui.signing.signature_forms import SignatureForm, has_two_forms, read_signature
from kms_tui.signing.signing_key import SigningError
from kms_tui.signing.ssh.ssh_signatures import SshSignature, is_ssh_signature, read_ssh_signature
from kms_tui.signing.times import utc_text

MOST_SIGNATURE_BYTES = 1 << 20
"""More than any signature has, with the certificates in it."""
MOST_WHOLE_BYTES = 64 << 20
"""Of a file that is held in memory, since its algorithm signs no digest."""
_PEM_LABELS = ("CMS", "PKCS7")


@dataclass(frozen=True, slots=True)
class RawSignature:
    """The bytes of a signature alone."""

    data: bytes


GivenSignature = RawSignature | CmsSignature | SshSignature


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """Whether a signature is of a file and a key, and one sentence about it."""

    good: bool
    sentence: str
    algorithm: str = ""


def read_signature_file(data: bytes) -> GivenSignature:
    """The signature in a file: bytes, base64, hex, CMS in DER or PEM, or SSH's. Raises KmsTuiError."""
    if not data.strip():
        raise SigningError("The file of the signature is empty.")
    if len(data) > MOST_SIGNATURE_BYTES:
        raise SigningError(f"No signature has more than {MOST_SIGNATURE_BYTES:,} bytes; this is none.")
    text = data.decode("ascii", "replace")
    if is_ssh_signature(text):
        return read_ssh_signature(text)
    if text.lstrip().startswith("-----BEGIN "):
        return read_cms(_out_of_pem(text))
    decoded = data if kind_of_bytes(data) else _decoded(data)
    kind = kind_of_bytes(decoded)
    if kind is CMS_SIGNATURE:
        return read_cms(decoded)
    if kind is not None:
        raise SigningError(f"A signature is expected; this is {kind.name}.", next_step=kind.next_step)
    return RawSignature(decoded)


def _out_of_pem(text: str) -> bytes:
    label, _, rest = text.lstrip().removeprefix("-----BEGIN ").partition("-----")
    if label not in _PEM_LABELS:
        raise SigningError(f"A signature is expected; this is PEM of a {label}.")
    body, end, _ = rest.partition(f"-----END {label}-----")
    if not end:
        raise SigningError(f"The PEM of the signature is cut: its line END {label} is missing.")
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except ValueError as error:
        raise SigningError("What stands in the PEM of the signature is no base64.") from error


def _decoded(data: bytes) -> bytes:
    form = detect(data, expect_binary=True)
    if form in (Format.HEX, Format.BASE64, Format.BASE64URL):
        try:
            return decode(data, form)
        except FormatError:
            return data
    return data


def algorithms_of(public_key: PublicKey) -> tuple[str, ...]:
    """The algorithms by which the key may have signed a file; an RSA key may have a size that KMS lacks."""
    is_rsa = isinstance(public_key.loaded(), rsa.RSAPublicKey)
    known = KEY_SPECS.get("RSA_2048" if is_rsa else public_key.spec)
    found = known.algorithms.get(KeyUsage.SIGN_VERIFY, ()) if known else ()
    return tuple(name for name in found if name != PREHASHED)


def verify_file(
    source: Readable,
    given: GivenSignature,
    public_key: PublicKey,
    algorithm: str = "",
    ticks: Ticks = no_ticks,
) -> FileVerdict:
    """Whether a signature is of this file and this key; every algorithm of the key is tried where none is
    given.

    Raises SigningError where that cannot be said, and PublicKeyError for a kind of key that is not known.
    """
    candidates = (algorithm,) if algorithm else algorithms_of(public_key)
    if not candidates or (algorithm and algorithm not in algorithms_of(public_key)):
        raise SigningError(
            f"{f'An {public_key.spec} key' if public_key.spec else 'A key of this kind'} does not sign files"
            f"{f' with {algorithm}' if algorithm else ''}."
        )
    if isinstance(given, SshSignature):
        if algorithm not in ("", given.algorithm):
            return FileVerdict(
                False, f"The SSH signature was made with {given.algorithm}, not with {algorithm}."
            )
        return _ssh_verdict(given, public_key, stream_digest(source, given.hash_name, ticks))
    if isinstance(given, CmsSignature) and given.digest is not None:
        return _cms_verdict(given, public_key, stream_digest(source, given.digest_name, ticks), candidates)
    data = given.signature if isinstance(given, CmsSignature) else given.data
    return _raw_verdict(source, data, public_key, candidates, ticks)


def _ssh_verdict(given: SshSignature, public_key: PublicKey, digest: bytes) -> FileVerdict:
    if given.is_of(public_key, digest):
        return FileVerdict(
            True, f'Good SSH signature, in the namespace "{given.namespace}".', given.algorithm
        )
    if given.public_key.der != public_key.der:
        return FileVerdict(False, "The SSH signature was made with another key.")
    if not given.fits(public_key):
        return FileVerdict(
            False, f"The SSH signature says that it is {given.kind}, which this key does not make."
        )
    return FileVerdict(False, "The SSH signature is of another content, or was altered.")


def _cms_verdict(
    given: CmsSignature, public_key: PublicKey, digest: bytes, candidates: Sequence[str]
) -> FileVerdict:
    algorithm = given.is_of(public_key, candidates)
    if algorithm is None:
        return FileVerdict(
            False,
            "The CMS signature was made with another key or in a way that KMS does not sign, or was altered.",
        )
    if given.digest != digest:
        return FileVerdict(False, "The CMS signature is of another content: its digest differs.")
    at = f", signed at {utc_text(given.signed_at)} by its own word" if given.signed_at else ""
    return FileVerdict(True, f"Good CMS signature{at}. Its certificate was not judged.", algorithm)


def _raw_verdict(
    source: Readable, data: bytes, public_key: PublicKey, candidates: Sequence[str], ticks: Ticks
) -> FileVerdict:
    ecdsa = read_signature(data, public_key.spec)
    if ecdsa is None and has_two_forms(public_key.spec):
        return FileVerdict(
            False, f"These {len(data):,} bytes are no ECDSA signature of this curve, neither DER nor r‖s."
        )
    signature = data if ecdsa is None else ecdsa.write(SignatureForm.DER)
    for algorithm, message, message_type in _messages(source, public_key, candidates, ticks):
        if public_key.verify(message, signature, algorithm, message_type):
            as_written = ", written as r‖s" if ecdsa and ecdsa.form is SignatureForm.R_S else ""
            return FileVerdict(True, f"Good signature{as_written}.", algorithm)
    return FileVerdict(False, "The signature is of another content or of another key, or was altered.")


def _messages(
    source: Readable, public_key: PublicKey, candidates: Sequence[str], ticks: Ticks
) -> list[tuple[str, bytes, str]]:
    """Algorithm, what it signs of the source, and the type of that; the source is read once."""
    names = {ALGORITHMS[each].digest for each in candidates if DIGEST in ALGORITHMS[each].message_types}
    if names:
        digests = {name: hashlib.new(name) for name in names}
        feed([*digests.values()], source, ticks)
        return [(each, digests[ALGORITHMS[each].digest].digest(), DIGEST) for each in candidates]
    (algorithm,) = candidates
    if ALGORITHMS[algorithm].message_types != (RAW,):
        digested = digest_message(source, algorithm, public_key, progress=ticks)
        return [(algorithm, digested.message, digested.message_type)]
    message = source.read(MOST_WHOLE_BYTES + 1)
    if len(message) > MOST_WHOLE_BYTES:
        raise SigningError(
            f"{algorithm} signs whole files, and more than {MOST_WHOLE_BYTES >> 20} MiB are not held here.",
            next_step="openssl pkeyutl -verify -rawin checks it.",
        )
    ticks(len(message))
    return [(algorithm, message, RAW)]
