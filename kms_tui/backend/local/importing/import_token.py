"""The import token, with the private half of a wrapping key, and the unwrapping of key material.

The token is sealed by the store and names its key, so nothing is stored for a request that is never used.
Source: the developer guide (importing-keys-get-public-key-and-token, importing-keys-encrypt-key-material)
and GetParametersForImport in the service model.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import load_der_private_key

from kms_tui.backend.local.store.key_material import CURVES, RSA_BITS, SECRET_SIZES, to_der
from kms_tui.backend.local.store.sqlite_store import Store
from kms_tui.kms.errors import ServiceError
from kms_tui.kms.keyspecs import KEY_SPECS, Family

_MAGIC = b"\x01KI\x01"
_NONCE_SIZE = 12
_HEAD = struct.Struct(">QBH")
"""When it expires (milliseconds), and the sizes of the algorithm's name and the key's ARN, which follow."""


@dataclass(frozen=True, slots=True)
class ImportToken:
    """What GetParametersForImport decided; its repr shows no key."""

    key_arn: str
    algorithm: str
    expires_at: int
    wrapping_key: rsa.RSAPrivateKey

    def __repr__(self) -> str:
        return f"<import token of {self.key_arn}>"


def seal_token(store: Store, key_arn: str, algorithm: str, expires_at: int, wrapping_key: bytes) -> bytes:
    """An import token; ``wrapping_key`` is DER-encoded PKCS #8."""
    name, arn = algorithm.encode(), key_arn.encode()
    body = _HEAD.pack(expires_at, len(name), len(arn)) + name + arn + wrapping_key
    nonce = os.urandom(_NONCE_SIZE)
    return _MAGIC + nonce + _cipher(store).encrypt(nonce, body, _MAGIC)


def open_token(store: Store, token: bytes, key_arn: str, now: int) -> ImportToken:
    """The token's content; InvalidImportTokenException for any other bytes and for another key's token,
    ExpiredImportTokenException after its time.
    """
    nonce, sealed = token[len(_MAGIC) :][:_NONCE_SIZE], token[len(_MAGIC) + _NONCE_SIZE :]
    try:
        body = _cipher(store).decrypt(nonce, sealed, token[: len(_MAGIC)])
    except (InvalidTag, ValueError) as error:
        raise ServiceError("InvalidImportTokenException", "") from error
    expires_at, name_size, arn_size = _HEAD.unpack_from(body)
    rest = body[_HEAD.size :]
    name, arn = rest[:name_size].decode(), rest[name_size:][:arn_size].decode()
    if arn != key_arn:
        raise ServiceError("InvalidImportTokenException", "")
    if expires_at <= now:
        raise ServiceError("ExpiredImportTokenException", "")
    # The store made this key and has authenticated it, so the slow check adds nothing.
    private_key = load_der_private_key(
        rest[name_size + arn_size :], None, unsafe_skip_rsa_key_validation=True
    )
    if not isinstance(private_key, rsa.RSAPrivateKey):
        raise TypeError("an import token holds an RSA key")
    return ImportToken(arn, name, expires_at, private_key)


def _cipher(store: Store) -> AESGCM:
    return AESGCM(store.root_key.derive("import tokens", 32))


_DIRECT: Mapping[str, hashes.HashAlgorithm] = {
    "RSAES_OAEP_SHA_1": hashes.SHA1(),
    "RSAES_OAEP_SHA_256": hashes.SHA256(),
}
_BY_AES: Mapping[str, hashes.HashAlgorithm] = {
    "RSA_AES_KEY_WRAP_SHA_1": hashes.SHA1(),
    "RSA_AES_KEY_WRAP_SHA_256": hashes.SHA256(),
}


def require_wrapping(key_spec: str, algorithm: str, wrapping_spec: str) -> None:
    """UnsupportedOperationException for a wrapping that KMS has retired, or that does not fit the key."""
    if algorithm not in {*_DIRECT, *_BY_AES} or wrapping_spec not in RSA_BITS:
        raise _unsupported(
            f"WrappingAlgorithm {algorithm} is not supported with WrappingKeySpec {wrapping_spec}."
        )
    too_long = key_spec == "ECC_NIST_P521" and wrapping_spec == "RSA_2048"
    if algorithm in _DIRECT and (KEY_SPECS[key_spec].family is Family.RSA or too_long):
        raise _unsupported(
            f"WrappingAlgorithm {algorithm} with WrappingKeySpec {wrapping_spec} is not supported for "
            f"key material of KeySpec {key_spec}."
        )


def _unsupported(message: str) -> ServiceError:
    return ServiceError("UnsupportedOperationException", message)


def unwrap_material(token: ImportToken, encrypted: bytes) -> bytes:
    """The key material; InvalidCiphertextException where it was wrapped otherwise, or for another key."""
    try:
        if token.algorithm in _DIRECT:
            return token.wrapping_key.decrypt(encrypted, _oaep(_DIRECT[token.algorithm]))
        size = token.wrapping_key.key_size // 8
        aes_key = token.wrapping_key.decrypt(encrypted[:size], _oaep(_BY_AES[token.algorithm]))
        return keywrap.aes_key_unwrap_with_padding(aes_key, encrypted[size:])
    except (ValueError, keywrap.InvalidUnwrap) as error:
        raise ServiceError("InvalidCiphertextException", "") from error


def _oaep(digest: hashes.HashAlgorithm) -> padding.OAEP:
    return padding.OAEP(padding.MGF1(digest), digest, None)


def checked_material(key_spec: str, material: bytes) -> bytes:
    """The material as the store keeps it; IncorrectKeyMaterialException where it does not fit the spec."""
    size = SECRET_SIZES.get(key_spec)
    if size is None:
        return _checked_private_key(key_spec, material)
    if len(material) != size:
        raise _incorrect(f"Key material of KeySpec {key_spec} has {size} bytes.")
    return material


def _checked_private_key(key_spec: str, material: bytes) -> bytes:
    try:
        private_key = load_der_private_key(material, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _incorrect("The key material is not a DER-encoded private key in PKCS #8 form.") from error
    if isinstance(private_key, rsa.RSAPrivateKey):
        fits = RSA_BITS.get(key_spec) == private_key.key_size
    elif isinstance(private_key, ec.EllipticCurvePrivateKey):
        curve = CURVES.get(key_spec)
        fits = curve is not None and curve.name == private_key.curve.name
    else:
        fits = key_spec == "ECC_NIST_EDWARDS25519" and isinstance(private_key, ed25519.Ed25519PrivateKey)
    if not fits:
        raise _incorrect(f"The key material is not of KeySpec {key_spec}.")
    return to_der(private_key)


def _incorrect(message: str) -> ServiceError:
    return ServiceError("IncorrectKeyMaterialException", message)
