"""Ed25519ph (RFC 8032, FIPS 186-5 section 7.8.1), which ``cryptography`` lacks: by libsodium, through PyNaCl.

The algorithm hashes what it signs with SHA-512. KMS hands it the digest of a message, which so is hashed
twice (Sign, MessageType).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519

if TYPE_CHECKING:
    from nacl.bindings import crypto_sign_ed25519ph_state

_SIGNATURE_SIZE = 64


def sign(private_key: ed25519.Ed25519PrivateKey, message: bytes) -> bytes:
    from nacl import bindings  # rarely needed, and slow to import

    _, secret = bindings.crypto_sign_seed_keypair(private_key.private_bytes_raw())
    return bindings.crypto_sign_ed25519ph_final_create(_hashed(message), secret)


def verify(public_key: ed25519.Ed25519PublicKey, signature: bytes, message: bytes) -> None:
    """InvalidSignature for any other signature than one of the message by the key."""
    from nacl import bindings
    from nacl.exceptions import BadSignatureError

    if len(signature) != _SIGNATURE_SIZE:
        raise InvalidSignature
    try:
        bindings.crypto_sign_ed25519ph_final_verify(
            _hashed(message), signature, public_key.public_bytes_raw()
        )
    except BadSignatureError as error:
        raise InvalidSignature from error


def _hashed(message: bytes) -> crypto_sign_ed25519ph_state:
    from nacl import bindings

    state = bindings.crypto_sign_ed25519ph_state()
    bindings.crypto_sign_ed25519ph_update(state, message)
    return state
