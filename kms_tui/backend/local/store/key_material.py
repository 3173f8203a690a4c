"""Key material per key spec: how it is made, how it is written down, and how it is loaded for use.

Written down, symmetric and HMAC keys are their own bytes, asymmetric private keys DER-encoded PKCS #8.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, mlkem, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from kms_tui.kms.keyspecs import SYMMETRIC_DEFAULT

LoadedMaterial = AESGCM | bytes | PrivateKeyTypes
"""What operations use: a cipher, an HMAC key's bytes, or a private key."""

SECRET_SIZES: Mapping[str, int] = {
    SYMMETRIC_DEFAULT: 32,
    "HMAC_224": 28,
    "HMAC_256": 32,
    "HMAC_384": 48,
    "HMAC_512": 64,
}
"""Bytes of the specs whose material is a secret and no key pair (key spec reference)."""

CURVES: Mapping[str, ec.EllipticCurve] = {
    "ECC_NIST_P256": ec.SECP256R1(),
    "ECC_NIST_P384": ec.SECP384R1(),
    "ECC_NIST_P521": ec.SECP521R1(),
    "ECC_SECG_P256K1": ec.SECP256K1(),
}

RSA_BITS: Mapping[str, int] = {f"RSA_{bits}": bits for bits in (2048, 3072, 4096)}
RSA_EXPONENT = 65537


def _rsa(bits: int) -> Callable[[], PrivateKeyTypes]:
    return lambda: rsa.generate_private_key(RSA_EXPONENT, bits)


def _ec(curve: ec.EllipticCurve) -> Callable[[], PrivateKeyTypes]:
    return lambda: ec.generate_private_key(curve)


_KEY_PAIRS: Mapping[str, Callable[[], PrivateKeyTypes]] = {
    **{spec: _rsa(bits) for spec, bits in RSA_BITS.items()},
    **{spec: _ec(curve) for spec, curve in CURVES.items()},
    "ECC_NIST_EDWARDS25519": ed25519.Ed25519PrivateKey.generate,
    "ML_DSA_44": mldsa.MLDSA44PrivateKey.generate,
    "ML_DSA_65": mldsa.MLDSA65PrivateKey.generate,
    "ML_DSA_87": mldsa.MLDSA87PrivateKey.generate,
    "ML_KEM_768": mlkem.MLKEM768PrivateKey.generate,
    "ML_KEM_1024": mlkem.MLKEM1024PrivateKey.generate,
}

SUPPORTED = frozenset({*SECRET_SIZES, *_KEY_PAIRS})
"""The key specs that the cryptography library can do; the others are refused when a key is made."""


class MaterialSource(Protocol):
    """Makes the material of new keys."""

    @property
    def lazy(self) -> bool:
        """Whether a key's material is made on its first use only, so that many keys can be laid out."""

    def make(self, spec: str, key_id: str, material_id: str) -> bytes:
        """New material of a spec, written down; the ids are there for a source that must repeat itself."""


class RandomMaterial:
    """Material from the operating system's random source, made with the key."""

    lazy = False

    def make(self, spec: str, key_id: str, material_id: str) -> bytes:
        return generate_material(spec)


def generate_material(spec: str) -> bytes:
    """New random material of one of the ``SUPPORTED`` specs, written down."""
    size = SECRET_SIZES.get(spec)
    return os.urandom(size) if size else to_der(_KEY_PAIRS[spec]())


def to_der(private_key: PrivateKeyTypes) -> bytes:
    return private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def load_material(spec: str, material: bytes) -> LoadedMaterial:
    """Material ready for use, from the form in which it is written down."""
    if spec == SYMMETRIC_DEFAULT:
        return AESGCM(material)
    if spec in SECRET_SIZES:
        return material
    # Unwrapping has authenticated these bytes, so the slow check of an RSA key adds nothing.
    return load_der_private_key(material, None, unsafe_skip_rsa_key_validation=True)


def public_der(spec: str, material: bytes) -> bytes:
    """The public half of a key pair written down, as DER-encoded SubjectPublicKeyInfo."""
    private_key = load_material(spec, material)
    if isinstance(private_key, (bytes, AESGCM)):
        raise ValueError(f"{spec} has no public key")
    return public_bytes(private_key)


def public_bytes(private_key: PrivateKeyTypes) -> bytes:
    """A private key's public half as DER-encoded SubjectPublicKeyInfo."""
    return private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
