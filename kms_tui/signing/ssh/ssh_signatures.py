"""Signatures that ``ssh-keygen -Y verify`` reads, of content of any size.

OpenSSH's PROTOCOL.sshsig: the content's SHA-512 digest, with a namespace, is what the key signs. So content
of any size costs one call of Sign, also with Ed25519.
"""

from __future__ import annotations

import base64
import textwrap
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from kms_tui.public_key import PublicKey
from kms_tui.signing.signing_key import SigningKey
from kms_tui.signing.ssh.ssh_keys import SSH_KINDS, UNREADABLE_KEY, SshError, public_blob, require_ssh_kind

HASH = "sha512"
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_MAGIC = b"SSHSIG"
_HASHES = ("sha256", "sha512")
_RSA_ALGORITHMS = {"rsa-sha2-512": "RSASSA_PKCS1_V1_5_SHA_512", "rsa-sha2-256": "RSASSA_PKCS1_V1_5_SHA_256"}
_ALGORITHMS = {kind.signature: kind.algorithm for kind in SSH_KINDS.values()} | _RSA_ALGORITHMS
"""The kind of a signature -> KMS's algorithm."""


@dataclass(frozen=True, slots=True)
class SshSignature:
    """A signature and what it says of itself."""

    public_blob: bytes
    namespace: str
    hash_name: str
    kind: str
    signature: bytes
    """As KMS writes it: DER for ECDSA."""

    @property
    def public_key(self) -> PublicKey:
        """The public key that the signature carries. Raises SshError."""
        kind = _Reader(self.public_blob).text()
        line = f"{kind} {base64.b64encode(self.public_blob).decode()}"
        try:
            loaded = load_ssh_public_key(line.encode())
        except UNREADABLE_KEY as error:
            raise SshError("The public key in the SSH signature is of no known kind.") from error
        return PublicKey.of(loaded)

    @property
    def algorithm(self) -> str:
        """KMS's algorithm for the kind of the signature. Raises SshError."""
        found = _ALGORITHMS.get(self.kind)
        if found is None:
            raise SshError(f"The SSH signature is of the kind {self.kind}, which is not known here.")
        return found

    def fits(self, public_key: PublicKey) -> bool:
        """Whether a key of this kind makes signatures of this one: a signature may claim any."""
        if self.kind in _RSA_ALGORITHMS:
            return isinstance(public_key.loaded(), rsa.RSAPublicKey)
        kind = SSH_KINDS.get(public_key.spec)
        return kind is not None and kind.signature == self.kind

    def is_of(self, public_key: PublicKey, digest: bytes) -> bool:
        """Whether the key made it of content with this digest, by ``hash_name``. Raises SshError."""
        algorithm = self.algorithm
        if public_blob(public_key) != self.public_blob or not self.fits(public_key):
            return False
        signed = _signed_bytes(self.namespace, self.hash_name, digest)
        return public_key.verify(signed, self.signature, algorithm)


def sign_digest(key: SigningKey, digest: bytes, namespace: str) -> str:
    """An armoured signature of content with this SHA-512 digest. One call of Sign.

    SigningError for a key of a kind that OpenSSH does not know; SshError for an empty namespace.
    """
    if not namespace:
        raise SshError('A namespace is needed: "file", "git" or one of your own.')
    kind = require_ssh_kind(key)
    signature = key.sign_message(_signed_bytes(namespace, HASH, digest), kind.algorithm)
    if kind.signature.startswith("ecdsa"):
        r, s = decode_dss_signature(signature)
        signature = _number(r) + _number(s)
    blob = b"".join(
        (
            _MAGIC,
            (1).to_bytes(4),
            _string(public_blob(key.public_key)),
            _string(namespace.encode()),
            _string(b""),
            _string(HASH.encode()),
            _string(_string(kind.signature.encode()) + _string(signature)),
        )
    )
    body = "\n".join(textwrap.wrap(base64.b64encode(blob).decode(), 70))
    return f"{_BEGIN}\n{body}\n{_END}\n"


def is_ssh_signature(text: str) -> bool:
    return text.lstrip().startswith(_BEGIN)


def read_ssh_signature(text: str) -> SshSignature:
    """An armoured signature taken apart. Raises SshError."""
    body = text.strip()
    if not (body.startswith(_BEGIN) and body.endswith(_END)):
        raise SshError("The SSH signature is cut: it has no last line.")
    try:
        blob = base64.b64decode("".join(body[len(_BEGIN) : -len(_END)].split()), validate=True)
    except ValueError as error:
        raise SshError("The SSH signature is no base64.") from error
    reader = _Reader(blob)
    if reader.take(len(_MAGIC)) != _MAGIC or reader.take(4) != (1).to_bytes(4):
        raise SshError("The SSH signature is of a version that is not known here.")
    public, namespace, _, hash_name = reader.bytes(), reader.text(), reader.bytes(), reader.text()
    inner = _Reader(reader.bytes())
    kind, signature = inner.text(), inner.bytes()
    reader.end()
    inner.end()
    if hash_name not in _HASHES:
        raise SshError(f"The SSH signature digests with {hash_name}, which is not known here.")
    if kind.startswith("ecdsa"):
        numbers = _Reader(signature)
        signature = encode_dss_signature(numbers.number(), numbers.number())
        numbers.end()
    return SshSignature(public, namespace, hash_name, kind, signature)


def _signed_bytes(namespace: str, hash_name: str, digest: bytes) -> bytes:
    parts = (namespace.encode(), b"", hash_name.encode(), digest)
    return _MAGIC + b"".join(_string(part) for part in parts)


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4) + data


def _number(number: int) -> bytes:
    return _string(number.to_bytes(number.bit_length() // 8 + 1))


class _Reader:
    """The strings and numbers of OpenSSH's wire format, one after another; SshError where it is cut."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def take(self, size: int) -> bytes:
        if size > len(self._data):
            raise SshError("The SSH signature is cut, or none.")
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    def bytes(self) -> bytes:
        return self.take(int.from_bytes(self.take(4)))

    def text(self) -> str:
        return self.bytes().decode("utf-8", "replace")

    def number(self) -> int:
        return int.from_bytes(self.bytes())

    def end(self) -> None:
        if self._data:
            raise SshError(f"The SSH signature has {len(self._data):,} bytes too many: it was altered.")
