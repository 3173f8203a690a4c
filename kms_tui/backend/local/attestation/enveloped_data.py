"""CMS EnvelopedData (RFC 5652) for one recipient: RSAES-OAEP with SHA-256 around a key for AES-256-CBC.

KMS answers it in BER with lengths that are left open, and the Nitro Enclaves SDK for C reads no other form.
So each container that KMS leaves open is open here; what is in it is DER.
"""

from __future__ import annotations

import hashlib
import os
from typing import Annotated

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_Oid = x509.ObjectIdentifier
_DATA, _ENVELOPED_DATA = _Oid("1.2.840.113549.1.7.1"), _Oid("1.2.840.113549.1.7.3")
_OAEP, _MGF1 = _Oid("1.2.840.113549.1.1.7"), _Oid("1.2.840.113549.1.1.8")
_SHA256, _AES256_CBC = _Oid("2.16.840.1.101.3.4.2.1"), _Oid("2.16.840.1.101.3.4.1.42")
_VERSION = 2
"""Of EnvelopedData and of its recipient, who is named by its key's identifier."""
_KEY_SIZE, _BLOCK_SIZE = 32, 16
_SEQUENCE, _CONTEXT_0 = b"\x30", b"\xa0"
_OPEN, _END = b"\x80", b"\x00\x00"
"""A length that is left open, and the mark at the end of its content."""


@asn1.sequence
class _Hash:
    algorithm: x509.ObjectIdentifier
    parameters: asn1.Null


@asn1.sequence
class _MaskGeneration:
    algorithm: x509.ObjectIdentifier
    parameters: _Hash


@asn1.sequence
class _OaepParameters:
    hash: Annotated[_Hash, asn1.Explicit(0)]
    mask: Annotated[_MaskGeneration, asn1.Explicit(1)]


@asn1.sequence
class _OaepAlgorithm:
    algorithm: x509.ObjectIdentifier
    parameters: _OaepParameters


@asn1.sequence
class _CbcAlgorithm:
    algorithm: x509.ObjectIdentifier
    iv: bytes


@asn1.sequence
class _Recipient:
    """KeyTransRecipientInfo."""

    version: int
    key_identifier: Annotated[bytes, asn1.Implicit(0)]
    algorithm: _OaepAlgorithm
    encrypted_key: bytes


def enveloped(plaintext: bytes, public_key: rsa.RSAPublicKey) -> bytes:
    """The plaintext for the holder of the private key, as ContentInfo."""
    content_key, iv = os.urandom(_KEY_SIZE), os.urandom(_BLOCK_SIZE)
    padder = PKCS7(8 * _BLOCK_SIZE).padder()
    encryptor = Cipher(AES256(content_key), CBC(iv)).encryptor()
    encrypted = encryptor.update(padder.update(plaintext) + padder.finalize()) + encryptor.finalize()
    content = _open(
        _SEQUENCE,
        asn1.encode_der(_DATA),
        asn1.encode_der(_CbcAlgorithm(algorithm=_AES256_CBC, iv=iv)),
        _open(_CONTEXT_0, asn1.encode_der(encrypted)),
    )
    recipients = asn1.encode_der(asn1.SetOf([_recipient(content_key, public_key)]))
    data = _open(_SEQUENCE, asn1.encode_der(_VERSION), recipients, content)
    return _open(_SEQUENCE, asn1.encode_der(_ENVELOPED_DATA), _open(_CONTEXT_0, data))


def _recipient(content_key: bytes, public_key: rsa.RSAPublicKey) -> _Recipient:
    digest = hashes.SHA256()
    sha256 = _Hash(algorithm=_SHA256, parameters=asn1.Null())
    parameters = _OaepParameters(hash=sha256, mask=_MaskGeneration(algorithm=_MGF1, parameters=sha256))
    spki = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return _Recipient(
        version=_VERSION,
        key_identifier=hashlib.sha256(spki).digest(),
        algorithm=_OaepAlgorithm(algorithm=_OAEP, parameters=parameters),
        encrypted_key=public_key.encrypt(content_key, padding.OAEP(padding.MGF1(digest), digest, None)),
    )


def _open(tag: bytes, *parts: bytes) -> bytes:
    """A container whose length is left open."""
    return b"".join((tag, _OPEN, *parts, _END))
